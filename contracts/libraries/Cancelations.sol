// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {RequestQueue} from "./RequestQueue.sol";

/// @title Taking back what is pending of a request, from a queue that fills ids as wholes.
/// @notice Who cancels takes his u units off U, his filled input off F and his output off O: what he is owed becomes his
/// alone. Rounding leaves O / U where it was or higher, so nobody's output falls; F / U may fall by a unit in F, so that
/// somebody may have claimed a unit of input more than he holds now, which then counts as filled.
library Cancelations {
    error NothingPending(uint256 id, address controller);

    /// @notice Takes what is pending of a request out of its id.
    /// @return units of input that go back to the controller.
    function cancel(RequestQueue.Queue storage q, address controller, uint256 id) internal returns (uint256 units) {
        RequestQueue.Position storage p = _live(q, controller, id);
        RequestQueue.Batch storage b = q.batches[id];
        (uint256 all, uint256 filled, uint256 mine) = (b.units, b.filled, p.head.units);
        uint256 input = 0;
        if (filled != 0) {
            uint256 claimed = p.input;
            input = Math.min(Math.max(Math.mulDiv(filled, mine, all, Math.Rounding.Ceil), claimed), filled);
            uint256 output = Math.mulDiv(b.output, mine, all);
            (b.filled, b.output) = (uint112(filled - input), uint112(b.output - output));
            (p.input, p.output) = (uint128(input - Math.min(claimed, input)), uint128(output - p.output));
        }
        if (input >= mine) revert NothingPending(id, controller);
        units = mine - input;
        b.units = uint112(all - mine);
        (p.head.units, p.head.cancelled) = (uint112(units), true);
    }

    /// @notice What the controller gets back of his cancelled requests of an id; none of it stays.
    function claimCancelled(
        RequestQueue.Queue storage q,
        address controller,
        uint256 id
    ) internal returns (uint256 units) {
        RequestQueue.Position[16] storage list = q.positions[controller];
        uint256 count = list[0].head.count;
        uint256 closed;
        for (uint256 i = 0; i < count; ++i) {
            RequestQueue.Position storage p = list[i];
            if (p.head.id != id || !p.head.cancelled) continue;
            units += p.head.units;
            if ((p.input | p.output) == 0) closed |= 1 << i;
            else p.head.units = 0;
        }
        if (closed != 0) RequestQueue.drop(list, count, closed);
    }

    /// @dev There is at most one of an id that is not cancelled.
    function _live(
        RequestQueue.Queue storage q,
        address controller,
        uint256 id
    ) private view returns (RequestQueue.Position storage p) {
        RequestQueue.Position[16] storage list = q.positions[controller];
        uint256 count = list[0].head.count;
        for (uint256 i = 0; i < count; ++i) {
            p = list[i];
            if (p.head.id == id && !p.head.cancelled) return p;
        }
        revert NothingPending(id, controller);
    }
}
