// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/* solhint-disable no-inline-assembly */
import {IOptionDesk} from "../interfaces/IOptionDesk.sol";

/// @notice IOptionDesk.DeskParameters in three slots in place of six: fields in their order from the lowest bits, all but
/// the times in millionths.
/// @param prices the first eight, of 32 bits.
/// @param rules the next four and the last four, of 32 bits.
/// @param scales the four between, of 64 bits.
struct DeskTerms {
    uint256 prices;
    uint256 rules;
    uint256 scales;
}

using DeskTermsLib for DeskTerms global;

/// @title Packing and reading of DeskTerms.
library DeskTermsLib {
    uint256 internal constant MILLIONTH = 1e12;

    /// @dev Byte offsets in DeskParameters.
    uint256 private constant FROM_HEDGE_FEE = 256;
    uint256 private constant FROM_VEGA_LIMIT = 384;
    uint256 private constant FROM_HEDGE_GAS = 512;
    uint256 private constant TIMES = 192;

    /// @param p inside the hard ranges of DeskRanges and whole, so that every field fits.
    function pack(IOptionDesk.DeskParameters memory p) internal pure returns (DeskTerms memory t) {
        t.prices = _gather(p, 0, 8, 32);
        t.rules = _gather(p, FROM_HEDGE_FEE, 4, 32) | (_gather(p, FROM_HEDGE_GAS, 2, 32) << 128);
        t.rules |= (uint256(p.openCutoff) << TIMES) | (uint256(p.stanceMaxAge) << (TIMES + 32));
        t.scales = _gather(p, FROM_VEGA_LIMIT, 4, 64);
    }

    function unpack(DeskTerms storage t) internal view returns (IOptionDesk.DeskParameters memory p) {
        uint256 rules = t.rules;
        _spread(t.prices, p, 0, 8, 32);
        _spread(rules, p, FROM_HEDGE_FEE, 4, 32);
        _spread(t.scales, p, FROM_VEGA_LIMIT, 4, 64);
        _spread(rules >> 128, p, FROM_HEDGE_GAS, 2, 32);
        (p.openCutoff, p.stanceMaxAge) = (uint32(rules >> TIMES), uint32(rules >> (TIMES + 32)));
    }

    function maxUtilisation(DeskTerms storage t) internal view returns (uint256) {
        return uint32(t.rules >> 96) * MILLIONTH;
    }

    function openCutoff(DeskTerms storage t) internal view returns (uint32) {
        return uint32(t.rules >> TIMES);
    }

    function stanceMaxAge(DeskTerms storage t) internal view returns (uint32) {
        return uint32(t.rules >> (TIMES + 32));
    }

    /// @dev `count` fields of `p` from the byte `from` on as one word.
    function _gather(
        IOptionDesk.DeskParameters memory p,
        uint256 from,
        uint256 count,
        uint256 bits
    ) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            let first := add(p, from)
            for {
                let at := add(first, shl(5, count))
            } gt(at, first) {} {
                at := sub(at, 32)
                word := or(shl(bits, word), div(mload(at), MILLIONTH))
            }
        }
    }

    /// @dev `_gather` undone.
    function _spread(
        uint256 word,
        IOptionDesk.DeskParameters memory p,
        uint256 from,
        uint256 count,
        uint256 bits
    ) private pure {
        assembly ("memory-safe") {
            let mask := sub(shl(bits, 1), 1)
            let at := add(p, from)
            for {
                let end := add(at, shl(5, count))
            } lt(at, end) {
                at := add(at, 32)
            } {
                mstore(at, mul(and(word, mask), MILLIONTH))
                word := shr(bits, word)
            }
        }
    }
}
