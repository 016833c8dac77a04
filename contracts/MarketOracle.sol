// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IMarketOracle} from "./interfaces/IMarketOracle.sol";
import {Proofs} from "./oracle/Proofs.sol";

/// @title Spot, settlement prices, realised volatility and oracle state. Documented in IMarketOracle.
/// @notice oracle/: Sources says what the price is now and what it allows, Listing registers and replaces feeds, Samples
/// estimates realised volatility, Proofs settles expiries. Here is what governance calls.
contract MarketOracle is Proofs {
    constructor(
        address authority_,
        QuoteFeed memory quote,
        address sequencer_,
        OracleParameters memory p
    ) AccessManaged(authority_) {
        _setParameters(p);
        _setQuoteFeed(quote);
        _setSequencer(sequencer_);
    }

    // ------------------------------------------------------------------ governance

    /// @inheritdoc IMarketOracle
    function registerMarket(
        uint16 underlying,
        address baseToken,
        address usdc,
        Market calldata config
    ) external restricted {
        _register(underlying, baseToken, usdc, config);
    }

    /// @inheritdoc IMarketOracle
    function proposeFeed(uint16 underlying, address feed, uint8 decimals, uint32 maxAge) external restricted {
        _proposeFeed(underlying, feed, decimals, maxAge);
    }

    /// @inheritdoc IMarketOracle
    function acceptFeed(uint16 underlying) external restricted {
        _acceptFeed(underlying);
    }

    /// @inheritdoc IMarketOracle
    function cancelFeed(uint16 underlying) external restricted {
        _cancelFeed(underlying);
    }

    /// @inheritdoc IMarketOracle
    function setSequencer(address feed) external restricted {
        _setSequencer(feed);
    }

    /// @inheritdoc IMarketOracle
    function setParameters(OracleParameters calldata p) external restricted {
        _setParameters(p);
    }
}
