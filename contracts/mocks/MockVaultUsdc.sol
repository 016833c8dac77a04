// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title A USDC that can turn hostile: blocked addresses, a fee on transfer, a call back during a transfer.
/// @notice Tests only.
contract MockVaultUsdc is ERC20 {
    mapping(address account => bool) public isBlocked;
    uint256 public fee;
    address public hookTarget;
    bytes public hookData;
    bytes public hookResult;
    bool public hookSucceeded;

    error Blocked(address account);

    constructor() ERC20("USD Coin", "USDC") {}

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function setBlocked(address account, bool blocked) external {
        isBlocked[account] = blocked;
    }

    /// @param fee_ units kept from every transfer.
    function setFee(uint256 fee_) external {
        fee = fee_;
    }

    /// @notice Calls `target` with `data` once, inside the next transfer.
    function setHook(address target, bytes calldata data) external {
        hookTarget = target;
        hookData = data;
    }

    function decimals() public pure override returns (uint8) {
        return 6;
    }

    function _update(address from, address to, uint256 value) internal override {
        if (isBlocked[from]) revert Blocked(from);
        if (isBlocked[to]) revert Blocked(to);
        super._update(from, to, value);
        if (fee != 0 && from != address(0) && to != address(0)) super._update(to, address(0), fee);
        address target = hookTarget;
        if (target == address(0)) return;
        hookTarget = address(0);
        // solhint-disable-next-line avoid-low-level-calls
        (hookSucceeded, hookResult) = target.call(hookData);
    }
}
