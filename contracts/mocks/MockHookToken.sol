// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title A token that calls somewhere on every transfer, to try what a hostile token can reach. Mintable by anyone.
contract MockHookToken is ERC20 {
    uint8 private immutable _scale;
    address private _target;
    bytes private _data;

    /// @param selector first four bytes of what the hooked call reverted with, 0 if it went through.
    event Hooked(bool success, bytes4 selector);

    constructor(uint8 scale) ERC20("Hook", "HOOK") {
        _scale = scale;
    }

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function arm(address target, bytes calldata data) external {
        _target = target;
        _data = data;
    }

    function decimals() public view override returns (uint8) {
        return _scale;
    }

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (_target == address(0)) return;
        (bool success, bytes memory result) = _target.call(_data);
        emit Hooked(success, success ? bytes4(0) : bytes4(result));
    }
}
