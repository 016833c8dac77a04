// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

/// @title A queue of requests that swap an input for an output, filled id by id however many stand behind each id.
/// @notice An id is a pool. Of its U requested units, F have been filled so far against an output O; a request of u
/// units holds F u / U of the filled input, rounded up, and O u / U of the output, rounded down, so the holders of an
/// id can never take more than its O, and what is still pending is never more than U - F. Filling an id costs the same
/// for one request and for ten thousand. F and O only grow, and U is settled before the first fill, because only the
/// current epoch takes requests: what a request has claimed is therefore a plain difference.
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

    /// @dev Request and length of the list share a slot, so that a request writes one slot of its controller; the
    /// second is written only by a claim that leaves the position open.
    /// @param units requested under `id`.
    /// @param count open positions of the controller, kept in the first of them only.
    struct Position {
        uint112 units;
        uint32 id;
        uint8 count;
        uint128 claimedIn;
        uint128 claimedOut;
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
        uint256 count = list[0].count;
        q.batches[id].units += units;
        if (count != 0 && list[count - 1].id == id) {
            list[count - 1].units += units;
            return;
        }
        if (count == MAX_OPEN) revert TooManyOpenRequests(controller, MAX_OPEN);
        Position storage p = list[count];
        p.units = units;
        p.id = uint32(id);
        list[0].count = uint8(count + 1);
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
        uint256 count = list[0].count;
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
            if (whole) {
                ++closed;
            } else if (inHere + outHere != 0) {
                p.claimedIn += uint128(inHere);
                p.claimedOut += uint128(outHere);
            }
        }
        if (left != 0) revert ClaimTooLarge(amount, amount - left);
        if (closed != 0) _drop(list, count, closed);
    }

    /// @notice Pending input of an id over all its requests.
    function pendingOf(Queue storage q, uint256 id) internal view returns (uint256) {
        return q.batches[id].units - q.batches[id].filled;
    }

    /// @notice Pending and claimable input of one request.
    function requestOf(
        Queue storage q,
        uint256 id,
        address controller
    ) internal view returns (uint256 pending, uint256 claimable) {
        Position[MAX_OPEN] storage list = q.positions[controller];
        uint256 count = list[0].count;
        for (uint256 i = 0; i < count; ++i) {
            Position storage p = list[i];
            if (p.id != id) continue;
            (claimable, , ) = _claimable(q, p);
            pending = p.units - p.claimedIn - claimable;
        }
    }

    /// @notice Everything that the controller can claim.
    function claimableOf(Queue storage q, address controller) internal view returns (uint256 input, uint256 output) {
        Position[MAX_OPEN] storage list = q.positions[controller];
        uint256 count = list[0].count;
        for (uint256 i = 0; i < count; ++i) {
            (uint256 inHere, uint256 outHere, ) = _claimable(q, list[i]);
            input += inHere;
            output += outHere;
        }
    }

    /// @dev `whole` says that nothing of the request's id is pending any more.
    function _claimable(
        Queue storage q,
        Position storage p
    ) private view returns (uint256 input, uint256 output, bool whole) {
        Batch storage b = q.batches[p.id];
        (uint256 units, uint256 filled, uint256 mine) = (b.units, b.filled, p.units);
        if (filled == 0) return (0, 0, false);
        whole = filled == units;
        input = Math.mulDiv(filled, mine, units, Math.Rounding.Ceil) - p.claimedIn;
        output = Math.mulDiv(b.output, mine, units) - p.claimedOut;
    }

    /// @dev Removes the first `closed` positions. Ids are filled oldest first, so whole ones are always in front.
    function _drop(Position[MAX_OPEN] storage list, uint256 count, uint256 closed) private {
        uint256 rest = count - closed;
        for (uint256 i = 0; i < rest; ++i) list[i] = list[i + closed];
        for (uint256 i = rest; i < count; ++i) delete list[i];
        if (rest != 0) list[0].count = uint8(rest);
    }
}
