// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/* solhint-disable no-inline-assembly, function-max-lines */

// solhint-disable-next-line no-global-import
import "./MathsConstants.sol";

/// @title One option in every scenario of ScenarioKernel's grid.
/// @dev Places in the table, one deviation being 512 / 11 pieces of 2^24, make everything integer: with h = half of
/// s = vol sqrt(tau) as a place, d1 and d2 are at (ln(F/K) LN_PLACE) / h +- h. The word of a piece, c2 2^176 + c1 2^88
/// + 4 c0, times (2^87 + place)^2 has N, Q78, in its top 80 bits; divided by 2^238 / (size x strike) it is
/// size x strike x N in WAD 2^16. Where a place is beyond the table, `edge` takes N = 0 or 1.
/// `leave` keeps `sweep` from being inlined, where the compiler would compute parts of it again at every spot. The
/// eight look-ups are written out: a function for them costs 27 gas an evaluation.
library ScenarioSweep {
    /// @dev The grid, as of ScenarioKernel.Grid: 4 words, then 6 for each spot.
    uint256 private constant FIRST_TAIL = 128;
    uint256 private constant SECOND_TAIL = 320;
    uint256 private constant FIRST_MOVE = 512;
    uint256 private constant ENTRY = 192;
    /// @dev Where in memory the table is: a place, moved by as many pieces, is its piece's address by itself.
    uint256 internal constant TABLE_AT = 2048;
    /// @dev 2^87 + TABLE_AT 2^19, the place of the first piece, and that of deviation 0, 2^32 further.
    uint256 private constant START = 0x8000000000000040000000;
    uint256 private constant CENTRE = 0x8000000000000140000000;

    /// @notice Parameters as of ScenarioKernel.add.
    /// @dev The early return keeps this function, too, from being inlined: inside a caller the stack would be too deep.
    function add(
        uint256 g,
        int256 k,
        uint256 root,
        uint256 vol,
        uint256 up,
        uint256 down,
        int256 sizedForward,
        int256 sizedStrike
    ) internal pure {
        if (sizedStrike == 0) return;
        assembly ("memory-safe") {
            k := sar(64, mul(k, LN_PLACE))
            let f := sdiv(shl(198, 1), sizedForward)
            let x := sdiv(shl(238, 1), sizedStrike)
            // A half of one place at least: 3e-9 deviations stand in for none.
            let hUp := or(shr(160, mul(up, root)), 1)
            tail(add(g, FIRST_TAIL), k, hUp, f, x)
            tail(add(g, SECOND_TAIL), k, hUp, f, x)
            let h := or(shr(160, mul(vol, root)), 1)
            let hDown := or(shr(160, mul(down, root)), 1)
            // The greatest |ln(moved F / K)|, as a place, with which every d1 and d2 is inside the table.
            // Between hDown and hUp, h allows more than one of them.
            let limit := mul(hUp, sub(0xffffffff, hUp))
            let other := mul(hDown, sub(0xffffffff, hDown))
            // Scratch words: the limit, wanted at every spot, and the end.
            mstore(0, xor(limit, mul(xor(limit, other), slt(other, limit))))
            mstore(32, mload(g))
            sweep(add(g, FIRST_MOVE), k, h, hUp, hDown, f, x)

            function sweep(e, lnRatio, s, sUp, sDown, fOver, kOver) {
                let a := add(lnRatio, mload(add(e, 96)))
                for {} 1 {} {
                    if sgt(a, sub(0, mload(0))) {
                        for {} slt(a, mload(0)) {} {
                            let d := mul(fOver, mload(add(e, 128)))
                            let q := add(sdiv(a, s), CENTRE)
                            let p := add(q, s)
                            q := sub(q, s)
                            mstore(
                                e,
                                add(
                                    mload(e),
                                    sub(
                                        sdiv(mul(mul(p, p), mload(and(shr(19, p), 0x7fe0))), d),
                                        sdiv(mul(mul(q, q), mload(and(shr(19, q), 0x7fe0))), kOver)
                                    )
                                )
                            )

                            q := add(sdiv(a, sUp), CENTRE)
                            p := add(q, sUp)
                            q := sub(q, sUp)
                            mstore(
                                add(e, 32),
                                add(
                                    mload(add(e, 32)),
                                    sub(
                                        sdiv(mul(mul(p, p), mload(and(shr(19, p), 0x7fe0))), d),
                                        sdiv(mul(mul(q, q), mload(and(shr(19, q), 0x7fe0))), kOver)
                                    )
                                )
                            )

                            q := add(sdiv(a, sDown), CENTRE)
                            p := add(q, sDown)
                            q := sub(q, sDown)
                            mstore(
                                add(e, 64),
                                add(
                                    mload(add(e, 64)),
                                    sub(
                                        sdiv(mul(mul(p, p), mload(and(shr(19, p), 0x7fe0))), d),
                                        sdiv(mul(mul(q, q), mload(and(shr(19, q), 0x7fe0))), kOver)
                                    )
                                )
                            )

                            e := add(e, ENTRY)
                            a := add(lnRatio, mload(add(e, 96)))
                        }
                    }
                    if iszero(lt(e, mload(32))) {
                        leave
                    }
                    let d := mul(fOver, mload(add(e, 128)))
                    edge(e, sdiv(a, s), s, d, kOver)
                    edge(add(e, 32), sdiv(a, sUp), sUp, d, kOver)
                    edge(add(e, 64), sdiv(a, sDown), sDown, d, kOver)
                    e := add(e, ENTRY)
                    a := add(lnRatio, mload(add(e, 96)))
                }
            }
            function tail(e, a, s, fOver, kOver) {
                let d := mul(fOver, mload(add(e, 128)))
                a := sdiv(add(a, mload(add(e, 96))), s)
                let q := add(a, CENTRE)
                let p := add(q, s)
                q := sub(q, s)
                if shr(33, or(sub(q, START), sub(p, START))) {
                    edge(e, a, s, d, kOver)
                    leave
                }
                mstore(
                    e,
                    add(
                        mload(e),
                        sub(
                            sdiv(mul(mul(p, p), mload(and(shr(19, p), 0x7fe0))), d),
                            sdiv(mul(mul(q, q), mload(and(shr(19, q), 0x7fe0))), kOver)
                        )
                    )
                )
            }
            function edge(sum, c, s, d, kOver) {
                c := add(c, 0x100000000)
                // Far below the table, both are nothing.
                if sgt(add(c, s), 0) {
                    let p := sdiv(read(add(c, s)), d)
                    mstore(sum, add(mload(sum), sub(p, sdiv(read(sub(c, s)), kOver))))
                }
            }
            function read(place) -> n {
                place := mul(place, sgt(place, 0))
                n := shl(254, gt(place, 0x1ffffffff))
                if iszero(n) {
                    place := add(place, START)
                    n := mul(mul(place, place), mload(and(shr(19, place), 0x7fe0)))
                }
            }
        }
    }
}
