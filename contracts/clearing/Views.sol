// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IClearinghouse} from "../interfaces/IClearinghouse.sol";
import {Portfolio, Slice} from "../interfaces/IRiskEngine.sol";
import {Leg, SeriesId, SeriesIdLib} from "../libraries/SeriesId.sol";
import {Settling} from "./Settling.sol";

/// @title What the Clearinghouse tells of its accounts. Documented in IClearinghouse.
abstract contract Views is Settling {
    using SafeCast for uint256;

    /// @inheritdoc IClearinghouse
    function accountOf(address account) external view returns (int256 cash, uint256 base, uint256 legCount) {
        Account storage a = _accounts[account];
        return (a.cash, a.base, a.legCount);
    }

    /// @inheritdoc IClearinghouse
    function debtOf(address account) external view returns (uint256 interest, uint256 recovery, uint256 since) {
        Debt storage d = _debts[account];
        return (_pendingInterest(account), d.recovery, d.since);
    }

    /// @inheritdoc IClearinghouse
    function debtParameters() external view returns (DebtParameters memory) {
        return _debtParameters;
    }

    /// @inheritdoc IClearinghouse
    function legsOf(address account) external view returns (Leg[] memory) {
        return SeriesIdLib.unpack(_legs(_accounts[account]));
    }

    /// @inheritdoc IClearinghouse
    function sizeOf(address account, SeriesId series) public view returns (int128) {
        Account storage a = _accounts[account];
        uint256 at = _find(a, a.legCount, series);
        return at < a.legCount ? int128(a.legs[at].size()) : int128(0);
    }

    /// @inheritdoc IClearinghouse
    function portfolioOf(address account) external view returns (Portfolio memory) {
        return _portfolio(account);
    }

    /// @inheritdoc IClearinghouse
    function collateralOf(address account) external view returns (Portfolio memory) {
        return _collateral(account, _accounts[account], false);
    }

    /// @inheritdoc IClearinghouse
    function exposureOf(
        address account,
        uint16 underlying
    ) external view returns (Portfolio memory collateral, int256 optionDelta) {
        Account storage a = _accounts[account];
        collateral = _collateral(account, a, false);
        optionDelta = _bookMarks.optionDelta(underlying, _legs(a));
    }

    /// @inheritdoc IClearinghouse
    function marginOf(address account, Slice slice) public view returns (int256, uint256, uint256) {
        return engine.margin(_portfolio(account), slice);
    }

    /// @inheritdoc IClearinghouse
    function freeCashOf(address account) external view returns (uint256) {
        return _freeCash(account);
    }

    /// @inheritdoc IClearinghouse
    function lastVaultTrade() external view returns (uint40) {
        return _accounts[vault].tradedAt;
    }

    /// @inheritdoc IClearinghouse
    function settlementOf(uint16 underlying, uint40 expiry) external view returns (Settlement memory) {
        return _settlements[SeriesIdLib.expiryKeyOf(underlying, expiry)];
    }

    /// @inheritdoc IClearinghouse
    function isCounted(uint16 underlying, uint40 expiry, address account) external view returns (bool) {
        return _counted[SeriesIdLib.expiryKeyOf(underlying, expiry)][account];
    }

    /// @inheritdoc IClearinghouse
    function venues() external view returns (address[] memory) {
        return _venueList();
    }

    /// @inheritdoc IClearinghouse
    function totals() external view returns (uint256, uint256, uint256, uint256, uint256) {
        return (_recorded.usdc, _recorded.base, _negativeCash, _insurance, _pot);
    }

    function _freeCash(address account) internal view returns (uint256) {
        int256 free = _netCash(account, _accounts[account]);
        if (_carriesRisk(account)) {
            (int256 equity, uint256 initial, ) = marginOf(account, Slice.Fresh);
            int256 surplus = equity - initial.toInt256();
            if (surplus < free) free = surplus;
        }
        return free <= 0 ? 0 : Math.min(uint256(free) / USDC_SCALE, _recorded.usdc);
    }
}
