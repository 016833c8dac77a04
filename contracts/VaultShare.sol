// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {ERC20Votes} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Votes.sol";
import {Nonces} from "@openzeppelin/contracts/utils/Nonces.sol";
import {Time} from "@openzeppelin/contracts/utils/types/Time.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {IVaultShare} from "./interfaces/IVaultShare.sol";
import {IERC7575Share} from "./interfaces/external/IERC7575.sol";

/// @title The share of a DeskVault. Documented in IVaultShare.
/// @dev Votes are counted by block timestamp: epochs and the delays of the access manager are in seconds, and block
/// numbers have no steady pace on the chains that this is for. Escrowed and unclaimed shares lie with the vault, which
/// delegates to nobody, so they have no vote.
contract VaultShare is IVaultShare, IERC165, ERC20, ERC20Permit, ERC20Votes {
    address private immutable _vault;
    address private immutable _asset;

    modifier onlyVault() {
        if (msg.sender != _vault) revert OnlyVault(msg.sender);
        _;
    }

    /// @notice The deployer is the vault.
    constructor(address asset_) ERC20("Gammadesk Vault Share", "GDS") ERC20Permit("Gammadesk Vault Share") {
        _vault = msg.sender;
        _asset = asset_;
        emit VaultUpdate(asset_, msg.sender);
    }

    /// @inheritdoc IVaultShare
    function mint(address to, uint256 shares) external onlyVault {
        _mint(to, shares);
    }

    /// @inheritdoc IVaultShare
    function burn(uint256 shares) external onlyVault {
        _burn(_vault, shares);
    }

    /// @inheritdoc IVaultShare
    function escrow(address owner, address spender, uint256 shares) external onlyVault {
        if (spender != owner) _spendAllowance(owner, spender, shares);
        _transfer(owner, _vault, shares);
    }

    /// @inheritdoc IERC7575Share
    function vault(address asset) external view returns (address) {
        return asset == _asset ? _vault : address(0);
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 id) external pure returns (bool) {
        return id == type(IERC165).interfaceId || id == type(IERC7575Share).interfaceId;
    }

    /// @dev The vault delegates to nobody, which need not be looked up at each escrow and claim.
    function delegates(address account) public view override returns (address) {
        return account == _vault ? address(0) : super.delegates(account);
    }

    function clock() public view override returns (uint48) {
        return Time.timestamp();
    }

    // solhint-disable-next-line func-name-mixedcase
    function CLOCK_MODE() public pure override returns (string memory) {
        return "mode=timestamp";
    }

    function nonces(address owner) public view override(ERC20Permit, Nonces) returns (uint256) {
        return super.nonces(owner);
    }

    function _update(address from, address to, uint256 value) internal override(ERC20, ERC20Votes) {
        super._update(from, to, value);
    }
}
