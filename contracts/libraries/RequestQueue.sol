// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

/// @title A queue of requests that swap an input for an output, filled id by id however many stand behind each id.
/// @notice An id is a pool. Of its U requested units, F have been filled so far against an output O; a request of u
/// units holds F u / U of the filled input, rounded up, and O u / U of the output, rounded down, so the holders of an
/// id can never take more than its O, and what is still pending is never more than U - F. Filling an id costs the same
/// for one request and for ten thousand.
/// U is settled before the first fill but for those who cancel: see Cancelations.
/// @dev Inputs are token units of what was requested (USDC to deposit, shares to redeem), outputs of the other.
library RequestQueue {
    using SafeCast for uint256;

    /// @notice Ids that one controller may have open at a time: it bounds what touching him costs.
    uint256 internal constant MAX_OPEN = 16;

    /// @param units requested.
    /// @param filled input filled so far.
    /// @param output produced so far.
    struct Batch {
        uint112 units;
        uint112 filled;
        uint112 output;
    }

    /// @dev One slot, so that a request writes one slot of its controller, at once.
    /// @param units requested under `id`; once cancelled, those that go back and have not been claimed.
    /// @param count open positions of the controller, kept in the first of them only.
    struct Head {
        uint112 units;
        uint32 id;
        uint8 count;
        bool cancelled;
    }

    /// @dev The second slot is written only by a claim that leaves the position open, or by cancelling what was partly
    /// filled.
    /// @param input claimed so far; once cancelled, filled and still to be claimed.
    /// @param output likewise.
    struct Position {
        Head head;
        uint128 input;
        uint128 output;
    }

    /// @param head oldest id that is not wholly filled.
    struct Queue {
        uint32 head;
        mapping(uint256 id => Batch) batches;
        mapping(address controller => Position[MAX_OPEN]) positions;
    }

    error TooManyOpenRequests(address controller, uint256 max);
    error ClaimTooLarge(uint256 asked, uint256 claimable);

    /// @notice Adds to the controller's request of an id that has not been filled yet.
    function add(Queue storage q, address controller, uint256 id, uint256 amount) internal {
        Position[MAX_OPEN] storage list = q.positions[controller];
        uint112 units = amount.toUint112();
        uint256 count = list[0].head.count;
        q.batches[id].units += units;
        if (count == 0) {
            list[0].head = Head(units, uint32(id), 1, false);
            return;
        }
        Head memory last = list[count - 1].head;
        if (last.id == id && !last.cancelled) {
            list[count - 1].head.units = last.units + units;
            return;
        }
        if (count == MAX_OPEN) revert TooManyOpenRequests(controller, MAX_OPEN);
        list[count].head = Head(units, uint32(id), 0, false);
        list[0].head.count = uint8(count + 1);
    }

    /// @notice Swaps `input` of the id's pending input for `output`, in the same proportion for every request of it.
    function fill(Queue storage q, uint256 id, uint256 input, uint256 output) internal {
        Batch storage b = q.batches[id];
        b.filled += input.toUint112();
        b.output += output.toUint112();
    }

    /// @notice Claims of the controller, oldest id first, up to `amount` of the input or of the output. Inputs that are
    /// given up round up, outputs that are paid round down.
    function claim(
        Queue storage q,
        address controller,
        uint256 amount,
        bool byInput
    ) internal returns (uint256 input, uint256 output) {
        Position[MAX_OPEN] storage list = q.positions[controller];
        uint256 count = list[0].head.count;
        uint256 closed;
        uint256 left = amount;
        for (uint256 i = 0; i < count && left != 0; ++i) {
            Position storage p = list[i];
            (uint256 inHere, uint256 outHere, bool whole) = _claimable(q, p);
            uint256 all = byInput ? inHere : outHere;
            if (left < all) {
                whole = false;
                if (byInput) (inHere, outHere) = (left, Math.mulDiv(outHere, left, inHere));
                else (inHere, outHere) = (Math.mulDiv(inHere, left, outHere, Math.Rounding.Ceil), left);
                left = 0;
            } else {
                left -= all;
            }
            input += inHere;
            output += outHere;
            if (whole) closed |= 1 << i;
            else if (inHere + outHere != 0) _book(p, inHere, outHere);
        }
        if (left != 0) revert ClaimTooLarge(amount, amount - left);
        if (closed != 0) drop(list, count, closed);
    }

    /// @notice Pending input of an id over all its requests.
    function pendingOf(Queue storage q, uint256 id) internal view returns (uint256) {
        return q.batches[id].units - q.batches[id].filled;
    }

    /// @notice Pending, claimable and cancelled input of a controller's requests of one id.
    function requestOf(
        Queue storage q,
        uint256 id,
        address controller
    ) internal view returns (uint256 pending, uint256 claimable, uint256 cancelled) {
        Position[MAX_OPEN] storage list = q.positions[controller];
        uint256 count = list[0].head.count;
        for (uint256 i = 0; i < count; ++i) {
            Position storage p = list[i];
            if (p.head.id != id) continue;
            (uint256 input, , ) = _claimable(q, p);
            claimable += input;
            if (p.head.cancelled) cancelled += p.head.units;
            else pending = p.head.units - p.input - input;
        }
    }

    /// @notice Everything that the controller can claim.
    function claimableOf(Queue storage q, address controller) internal view returns (uint256 input, uint256 output) {
        Position[MAX_OPEN] storage list = q.positions[controller];
        uint256 count = list[0].head.count;
        for (uint256 i = 0; i < count; ++i) {
            (uint256 inHere, uint256 outHere, ) = _claimable(q, list[i]);
            input += inHere;
            output += outHere;
        }
    }

    /// @dev `whole` says that nothing of the position is left once this has been claimed.
    function _claimable(
        Queue storage q,
        Position storage p
    ) private view returns (uint256 input, uint256 output, bool whole) {
        if (p.head.cancelled) return (p.input, p.output, p.head.units == 0);
        Batch storage b = q.batches[p.head.id];
        (uint256 units, uint256 filled, uint256 mine) = (b.units, b.filled, p.head.units);
        if (filled == 0) return (0, 0, false);
        whole = filled == units;
        uint256 claimed = p.input;
        input = Math.max(Math.mulDiv(filled, mine, units, Math.Rounding.Ceil), claimed) - claimed;
        output = Math.mulDiv(b.output, mine, units) - p.output;
    }

    function _book(Position storage p, uint256 input, uint256 output) private {
        if (p.head.cancelled) (p.input, p.output) = (uint128(p.input - input), uint128(p.output - output));
        else (p.input, p.output) = (uint128(p.input + input), uint128(p.output + output));
    }

    /// @notice Removes the positions whose bits are set; the others keep their order, oldest id first.
    function drop(Position[MAX_OPEN] storage list, uint256 count, uint256 closed) internal {
        uint256 kept = 0;
        for (uint256 i = 0; i < count; ++i) {
            if ((closed >> i) & 1 != 0) continue;
            if (i != kept) list[kept] = list[i];
            ++kept;
        }
        for (uint256 i = kept; i < count; ++i) delete list[i];
        if (kept != 0) list[0].head.count = uint8(kept);
    }
}
