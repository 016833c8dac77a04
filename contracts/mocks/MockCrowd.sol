// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IDeskVault} from "../interfaces/IDeskVault.sol";

/// @title Many depositors in one transaction, each an address of its own with a request in both directions.
/// @notice Measurements only: that an epoch costs the same for ten thousand requests as for one is shown with them.
contract MockCrowd {
    /// @notice Makes `count` members; this contract must hold the USDC and the shares that they ask with.
    function ask(IDeskVault vault, uint256 count, uint256 assets, uint256 shares) external {
        IERC20 usdc = IERC20(vault.asset());
        IERC20 share = IERC20(vault.share());
        for (uint256 i = 0; i < count; ++i) {
            CrowdMember member = new CrowdMember();
            usdc.transfer(address(member), assets);
            share.transfer(address(member), shares);
            member.ask(vault, usdc, assets, shares);
        }
    }
}

contract CrowdMember {
    function ask(IDeskVault vault, IERC20 usdc, uint256 assets, uint256 shares) external {
        usdc.approve(address(vault), assets);
        vault.requestDeposit(assets, address(this), address(this));
        vault.requestRedeem(shares, address(this), address(this));
    }
}
