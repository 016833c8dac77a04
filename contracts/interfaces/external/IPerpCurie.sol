// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @notice What the perpetual venue uses of Perpetual Curie 2.8 (@perp/curie-contract). Sizes and virtual quote have 18
/// decimals, ratios six, margin those of its settlement token.
interface IPerpClearingHouse {
    struct OpenPositionParams {
        address baseToken;
        bool isBaseToQuote;
        bool isExactInput;
        uint256 amount;
        uint256 oppositeAmountBound;
        uint256 deadline;
        uint160 sqrtPriceLimitX96;
        bytes32 referralCode;
    }

    function openPosition(OpenPositionParams memory params) external returns (uint256 base, uint256 quote);

    function getVault() external view returns (address);

    function getExchange() external view returns (address);

    function getAccountBalance() external view returns (address);

    function getClearingHouseConfig() external view returns (address);
}

interface IPerpVault {
    function deposit(address token, uint256 amount) external;

    function withdraw(address token, uint256 amount) external;

    function getBalance(address trader) external view returns (int256);

    function getFreeCollateral(address trader) external view returns (uint256);

    function getSettlementToken() external view returns (address);
}

interface IPerpAccountBalance {
    function getTotalPositionSize(address trader, address baseToken) external view returns (int256);

    function getTotalOpenNotional(address trader, address baseToken) external view returns (int256);

    function getPnlAndPendingFee(
        address trader
    ) external view returns (int256 owedRealizedPnl, int256 unrealizedPnl, uint256 pendingFee);

    function getMarkPrice(address baseToken) external view returns (uint256);
}

interface IPerpExchange {
    /// @notice Positive if the trader owes it.
    function getAllPendingFundingPayment(address trader) external view returns (int256);
}

interface IPerpConfig {
    function getMmRatio() external view returns (uint24);

    function getLiquidationPenaltyRatio() external view returns (uint24);
}
