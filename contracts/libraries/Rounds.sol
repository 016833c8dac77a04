// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AggregatorV3Interface} from "@chainlink/contracts/src/v0.8/shared/interfaces/AggregatorV3Interface.sol";
import {IMarketOracle} from "../interfaces/IMarketOracle.sol";

/// @title Rounds of a Chainlink feed that may revert, answer zeros for what it does not have, or answer nonsense.
/// @notice Ids are those of Chainlink's proxies: the phase in the upper 16 of 80 bits, the aggregator's own round below.
/// A round is usable when its answer is a price and its time is not zero and not to come.
library Rounds {
    /// @param id as asked for, or as the feed says of its latest round.
    /// @param price USD in WAD, 0 when the round is not usable.
    /// @param updatedAt unix seconds, 0 when there is no such round.
    /// @param answer as given by the feed.
    struct Round {
        uint80 id;
        uint256 price;
        uint256 updatedAt;
        int256 answer;
    }

    /// @dev Prices have to fit 96 bits.
    uint256 internal constant MAX_PRICE = type(uint96).max;
    /// @dev A read that fails with less gas left than this may have been starved by the caller to look like a failure.
    uint256 private constant GAS_TO_BELIEVE_A_FAILURE = 30_000;
    uint256 private constant WORDS = 160;

    function phaseOf(uint80 id) internal pure returns (uint16) {
        return uint16(id >> 64);
    }

    /// @notice The feed's latest round; all zero where the feed does not answer.
    function latest(address feed, uint8 decimals) internal view returns (Round memory r) {
        (bool ok, uint80 id, int256 answer, , uint256 updatedAt) = _read(
            feed,
            abi.encodeCall(AggregatorV3Interface.latestRoundData, ())
        );
        if (ok) r = Round(id, toPrice(answer, updatedAt, decimals), updatedAt, answer);
    }

    /// @notice Answer and start of the feed's latest round, for feeds that report a status and no price.
    function status(address feed) internal view returns (bool ok, int256 answer, uint256 startedAt) {
        (ok, , answer, startedAt, ) = _read(feed, abi.encodeCall(AggregatorV3Interface.latestRoundData, ()));
    }

    /// @notice One round. A feed that answers with another round than asked for has none.
    function get(address feed, uint8 decimals, uint80 id) internal view returns (Round memory r) {
        r.id = id;
        (bool ok, uint80 answered, int256 answer, , uint256 updatedAt) = _read(
            feed,
            abi.encodeCall(AggregatorV3Interface.getRoundData, (id))
        );
        if (!ok || answered != id || updatedAt == 0) return r;
        (r.price, r.updatedAt, r.answer) = (toPrice(answer, updatedAt, decimals), updatedAt, answer);
    }

    /// @return USD in WAD, 0 for an answer that is no price or has no time, or one that is still to come.
    function toPrice(int256 answer, uint256 updatedAt, uint8 decimals) internal view returns (uint256) {
        if (answer <= 0 || updatedAt == 0 || updatedAt > block.timestamp) return 0;
        unchecked {
            // No feed with more than 18 decimals is registered.
            uint256 scale = 10 ** (18 - decimals);
            return uint256(answer) > MAX_PRICE / scale ? 0 : uint256(answer) * scale;
        }
    }

    /// @dev Decoded as whole words, so that no answer can make the decoding revert.
    function _read(
        address feed,
        bytes memory call
    ) private view returns (bool ok, uint80 id, int256 answer, uint256 startedAt, uint256 updatedAt) {
        bytes memory data;
        (ok, data) = feed.staticcall(call);
        if (!ok && gasleft() < GAS_TO_BELIEVE_A_FAILURE) revert IMarketOracle.FeedCallStarved(gasleft());
        ok = ok && data.length >= WORDS;
        if (!ok) return (false, 0, 0, 0, 0);
        uint256 word;
        (word, answer, startedAt, updatedAt, ) = abi.decode(data, (uint256, int256, uint256, uint256, uint256));
        id = uint80(word);
    }
}
