// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IOptionDesk} from "../interfaces/IOptionDesk.sol";
import {SeriesIdLib} from "../libraries/SeriesId.sol";
import {DeskRanges} from "./DeskRanges.sol";

/// @title The quoter's signal of implied against realised volatility, inside hard bounds. Documented in IOptionDesk.
abstract contract Stances is IOptionDesk {
    /// @dev A stance and when it was set: not the struct itself, which would have a slot of its own.
    struct Kept {
        uint40 setAt;
        uint16 bidSpread;
        uint16 askSpread;
        uint16 bidLimit;
        uint16 askLimit;
    }

    uint16 internal constant NEUTRAL = 10_000;
    DeskRanges internal immutable _ranges = new DeskRanges();

    /// @inheritdoc IOptionDesk
    address public quoter;

    mapping(uint56 expiryKey => Kept) private _kept;

    /// @inheritdoc IOptionDesk
    function setStances(uint16 underlying, Stance[] calldata stances) external {
        if (msg.sender != quoter) revert OnlyQuoter(msg.sender);
        for (uint256 i = 0; i < stances.length; ++i) {
            Stance calldata s = stances[i];
            _ranges.checkStance(s);
            _kept[SeriesIdLib.expiryKeyOf(underlying, s.expiry)] = Kept(
                uint40(block.timestamp),
                s.bidSpread,
                s.askSpread,
                s.bidLimit,
                s.askLimit
            );
            emit StanceSet(underlying, s);
        }
    }

    function _setQuoter(address quoter_) internal {
        quoter = quoter_;
        emit QuoterSet(quoter_);
    }

    function _stance(uint56 expiryKey, uint256 maxAge) internal view returns (Stance memory stance, uint40 setAt) {
        Kept memory kept = _kept[expiryKey];
        setAt = kept.setAt;
        stance.expiry = uint40(expiryKey);
        bool current = setAt != 0 && block.timestamp - setAt <= maxAge;
        if (!current) kept = Kept(setAt, NEUTRAL, NEUTRAL, NEUTRAL, NEUTRAL);
        (stance.bidSpread, stance.askSpread) = (kept.bidSpread, kept.askSpread);
        (stance.bidLimit, stance.askLimit) = (kept.bidLimit, kept.askLimit);
    }
}
