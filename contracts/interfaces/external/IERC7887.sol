// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title ERC-7887, cancelling of ERC-7540 requests: the two interfaces whose ERC-165 ids the standard fixes.
/// @notice ERC-165 id 0x8bf840e3.
interface IERC7887Deposit {
    event CancelDepositRequest(address indexed controller, uint256 indexed requestId, address sender);
    event CancelDepositClaim(
        address indexed controller,
        address indexed receiver,
        uint256 indexed requestId,
        address sender,
        uint256 assets
    );

    function cancelDepositRequest(uint256 requestId, address controller) external;

    function pendingCancelDepositRequest(uint256 requestId, address controller) external view returns (bool isPending);

    function claimableCancelDepositRequest(
        uint256 requestId,
        address controller
    ) external view returns (uint256 assets);

    function claimCancelDepositRequest(uint256 requestId, address receiver, address controller) external;
}

/// @notice ERC-165 id 0xe76cffc7.
interface IERC7887Redeem {
    event CancelRedeemRequest(address indexed controller, uint256 indexed requestId, address sender);
    event CancelRedeemClaim(
        address indexed controller,
        address indexed receiver,
        uint256 indexed requestId,
        address sender,
        uint256 shares
    );

    function cancelRedeemRequest(uint256 requestId, address controller) external;

    function pendingCancelRedeemRequest(uint256 requestId, address controller) external view returns (bool isPending);

    function claimableCancelRedeemRequest(uint256 requestId, address controller) external view returns (uint256 shares);

    function claimCancelRedeemRequest(uint256 requestId, address receiver, address controller) external;
}
