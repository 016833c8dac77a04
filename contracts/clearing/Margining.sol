// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/* solhint-disable no-inline-assembly */
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IHedgeVenue} from "../interfaces/IHedgeVenue.sol";
import {Action} from "../interfaces/IMarketOracle.sol";
import {Trade} from "../interfaces/IClearinghouse.sol";
import {Hedge, Portfolio, Slice} from "../interfaces/IRiskEngine.sol";
import {Leg, SeriesId} from "../libraries/SeriesId.sol";
import {Accounts} from "./Accounts.sol";

/// @title Portfolios, hedge venues and the one margin rule. I-03.
abstract contract Margining is Accounts {
    using SafeCast for uint256;

    uint256 private constant MAX_VENUES = 8;

    /// @notice The account that holds hedge venues.
    address public vault;
    address public hedgeManager;

    address[] internal _venues;

    // ------------------------------------------------------------------ portfolios

    function _portfolio(address account) internal view returns (Portfolio memory p) {
        p = _collateral(account);
        p.legs = _legs(account);
    }

    function _collateral(address account) internal view returns (Portfolio memory p) {
        p.underlying = baseUnderlying;
        p.cash = _netCash(account);
        p.base = _accounts[account].base;
        if (account == vault) p.hedges = _hedges();
    }

    function _hedges() private view returns (Hedge[] memory hedges) {
        uint256 count = _venues.length;
        hedges = new Hedge[](count);
        uint256 held;
        for (uint256 i = 0; i < count; ++i) {
            (int256 base, int256 quote) = IHedgeVenue(_venues[i]).position();
            if (base == 0 && quote == 0) continue;
            (uint256 threshold, uint256 penalty) = base == 0
                ? (uint256(0), uint256(0))
                : IHedgeVenue(_venues[i]).liquidation();
            hedges[held++] = Hedge(base, quote, threshold, penalty);
        }
        assembly ("memory-safe") {
            mstore(hedges, held)
        }
    }

    // ------------------------------------------------------------------ margin

    /// @dev Equity less initial margin.
    function _surplus(Portfolio memory p) private view returns (int256 surplus, int256 equity, uint256 initial) {
        (equity, initial, ) = engine.margin(p, Slice.Fresh);
        surplus = equity - initial.toInt256();
    }

    /// @dev For what can only take from an account.
    function _requireInitial(address account) internal view {
        (int256 surplus, int256 equity, uint256 initial) = _surplus(_portfolio(account));
        if (surplus < 0) revert BelowInitialMargin(account, equity, initial);
    }

    /// @dev A withdrawal of an account that carries risk also needs a price that may be trusted with it.
    function _requireWithdrawable(address account) internal view {
        if (!_carriesRisk(account)) return;
        _requirePriced(account);
        _requireInitial(account);
    }

    /// @dev `Action.Withdraw` for every underlying that the account depends on.
    function _requirePriced(address account) internal view {
        Account storage a = _accounts[account];
        uint256 count = a.legCount;
        oracle.check(baseUnderlying, Action.Withdraw);
        for (uint256 i = 0; i < count; ++i) {
            uint16 underlying = a.legs[i].series.underlying();
            if (underlying != baseUnderlying) oracle.check(underlying, Action.Withdraw);
        }
    }

    /// @dev Cash and WETH of anybody else owe nothing and need no price.
    function _carriesRisk(address account) internal view returns (bool) {
        Account storage a = _accounts[account];
        return a.legCount != 0 || a.owes || (account == vault && _hedges().length != 0);
    }

    /// @dev After trades: initial margin, or less missing than before them. What was before is found by undoing them in
    /// memory, which costs those alone that end below.
    function _requireMargin(address account, Trade[] calldata trades) internal view {
        Portfolio memory p = _portfolio(account);
        (int256 surplus, int256 equity, uint256 initial) = _surplus(p);
        if (surplus >= 0) return;
        for (uint256 i = 0; i < trades.length; ++i) {
            if (trades[i].taker == account) _undo(p, trades[i], 1);
            else if (trades[i].maker == account) _undo(p, trades[i], -1);
        }
        (int256 before, , ) = _surplus(p);
        if (surplus <= before) revert BelowInitialMargin(account, equity, initial);
    }

    /// @param side 1 to undo what the taker got, -1 for the maker.
    function _undo(Portfolio memory p, Trade calldata t, int256 side) private pure {
        p.cash += side * t.premium;
        for (uint256 i = 0; i < t.legs.length; ++i) {
            uint256 at = 0;
            while (at < p.legs.length && SeriesId.unwrap(p.legs[at].series) != SeriesId.unwrap(t.legs[i].series)) ++at;
            if (at == p.legs.length) p.legs = _longer(p.legs, t.legs[i].series);
            p.legs[at].size -= int128(side * t.legs[i].size);
        }
    }

    function _longer(Leg[] memory legs, SeriesId series) private pure returns (Leg[] memory longer) {
        longer = new Leg[](legs.length + 1);
        for (uint256 i = 0; i < legs.length; ++i) longer[i] = legs[i];
        longer[legs.length].series = series;
    }

    // ------------------------------------------------------------------ venues

    function _addVenue(address venue) internal {
        if (_isVenue(venue)) revert VenueUnknown(venue);
        if (_venues.length == MAX_VENUES) revert TooManyVenues(MAX_VENUES + 1);
        IHedgeVenue(venue).position();
        _venues.push(venue);
        emit VenueSet(venue, true);
    }

    /// @dev A venue that cannot be read makes the vault unreadable; governance may give it up.
    function _removeVenue(address venue) internal {
        if (!_isVenue(venue)) revert VenueUnknown(venue);
        try IHedgeVenue(venue).position() returns (int256 base, int256 quote) {
            if (base != 0 || quote != 0) revert VenueNotEmpty(venue, base, quote);
        } catch {
            emit VenueAbandoned(venue);
        }
        for (uint256 i = 0; i < _venues.length; ++i) {
            if (_venues[i] == venue) _venues[i] = _venues[_venues.length - 1];
        }
        _venues.pop();
        emit VenueSet(venue, false);
    }

    function _requireVenue(address venue) internal view {
        if (!_isVenue(venue)) revert VenueUnknown(venue);
    }

    function _isVenue(address venue) private view returns (bool) {
        for (uint256 i = 0; i < _venues.length; ++i) {
            if (_venues[i] == venue) return true;
        }
        return false;
    }
}
