// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IClearinghouse} from "../interfaces/IClearinghouse.sol";

/// @title One word per account that changes whenever anything in the account does, for tests that look at every account
/// after every step.
contract BooksHarness {
    function digests(IClearinghouse house, address[] calldata accounts) external view returns (bytes32[] memory words) {
        words = new bytes32[](accounts.length);
        for (uint256 i = 0; i < accounts.length; ++i) {
            (int256 cash, uint256 base, uint256 count) = house.accountOf(accounts[i]);
            (, uint256 recovery, uint256 since) = house.debtOf(accounts[i]);
            words[i] = keccak256(abi.encode(cash, base, count, recovery, since, house.legsOf(accounts[i])));
        }
    }
}
