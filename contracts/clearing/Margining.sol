// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/* solhint-disable no-inline-assembly */
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IHedgeVenue} from "../interfaces/IHedgeVenue.sol";
import {Action} from "../interfaces/IMarketOracle.sol";
import {Trade} from "../interfaces/IClearinghouse.sol";
import {Hedge, Portfolio, Slice} from "../interfaces/IRiskEngine.sol";
import {PackedLeg, SeriesId, SeriesIdLib} from "../libraries/SeriesId.sol";
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
        p = _collateral(account, true);
        p.legs = _legs(_accounts[account]);
    }

    /// @param terms whether to ask the venues how they liquidate.
    function _collateral(address account, bool terms) internal view returns (Portfolio memory p) {
        Account storage a = _accounts[account];
        p.underlying = baseUnderlying;
        p.cash = _netCash(account);
        p.base = a.base;
        if (a.venues != 0) p.hedges = _hedges(a.venues, terms);
    }

    function _hedges(uint256 places, bool terms) private view returns (Hedge[] memory hedges) {
        uint256 held;
        for (uint256 rest = places; rest != 0; rest &= rest - 1) ++held;
        hedges = new Hedge[](held);
        held = 0;
        for (uint256 i = 0; places >> i != 0; ++i) {
            if ((places >> i) & 1 == 0) continue;
            IHedgeVenue venue = IHedgeVenue(_venues[i]);
            (int256 base, int256 quote) = venue.position();
            if (base == 0 && quote == 0) continue;
            (uint256 threshold, uint256 penalty) = terms && base != 0 ? venue.liquidation() : (uint256(0), uint256(0));
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
            uint16 underlying = a.legs[i].series().underlying();
            if (underlying != baseUnderlying) oracle.check(underlying, Action.Withdraw);
        }
    }

    /// @dev Cash and WETH of anybody else owe nothing and need no price.
    function _carriesRisk(address account) internal view returns (bool) {
        Account storage a = _accounts[account];
        return a.legCount != 0 || a.owes || a.venues != 0;
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
            p.legs = _with(p.legs, t.legs[i].series, -side * t.legs[i].size);
        }
    }

    /// @dev These legs and one more; the risk engine adds up legs of one series.
    function _with(
        PackedLeg[] memory legs,
        SeriesId series,
        int256 size
    ) private pure returns (PackedLeg[] memory longer) {
        longer = new PackedLeg[](legs.length + 1);
        for (uint256 i = 0; i < legs.length; ++i) longer[i] = legs[i];
        longer[legs.length] = SeriesIdLib.pack(series, size);
    }

    // ------------------------------------------------------------------ venues

    function _addVenue(address venue) internal {
        uint256 count = _venues.length;
        if (_placeOf(venue) < count) revert VenueUnknown(venue);
        if (count == MAX_VENUES) revert TooManyVenues(MAX_VENUES + 1);
        IHedgeVenue(venue).position();
        _venues.push(venue);
        _mark(count, true);
        emit VenueSet(venue, true);
    }

    /// @dev A venue that cannot be read makes the vault unreadable; governance may give it up.
    function _removeVenue(address venue) internal {
        uint256 place = _requireVenue(venue);
        try IHedgeVenue(venue).position() returns (int256 base, int256 quote) {
            if (base != 0 || quote != 0) revert VenueNotEmpty(venue, base, quote);
        } catch {
            emit VenueAbandoned(venue);
        }
        uint256 last = _venues.length - 1;
        _venues[place] = _venues[last];
        _mark(place, (_accounts[vault].venues >> last) & 1 == 1);
        _mark(last, false);
        _venues.pop();
        emit VenueSet(venue, false);
    }

    /// @dev Whether a venue holds anything, said in the vault's header: what holds nothing is not read.
    function _note(address venue) internal {
        (int256 base, int256 quote) = IHedgeVenue(venue).position();
        _mark(_requireVenue(venue), base != 0 || quote != 0);
    }

    /// @dev After a trade: what may hold something may go on to.
    function _noteTraded(address venue) internal {
        if ((_accounts[vault].venues >> _requireVenue(venue)) & 1 == 0) _note(venue);
    }

    function _mark(uint256 place, bool holds) private {
        Account storage a = _accounts[vault];
        uint8 bit = uint8(1 << place);
        a.venues = holds ? a.venues | bit : a.venues & ~bit;
    }

    function _requireVenue(address venue) internal view returns (uint256 place) {
        place = _placeOf(venue);
        if (place == _venues.length) revert VenueUnknown(venue);
    }

    function _placeOf(address venue) private view returns (uint256 place) {
        uint256 count = _venues.length;
        while (place < count && _venues[place] != venue) ++place;
    }
}
