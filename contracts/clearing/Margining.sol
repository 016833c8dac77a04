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
    /// @dev One bit for each place in `_venues` in use, in the slot that every venue trade reads. Those whose venue held
    /// something when it was last touched are in the vault's header, and the others are not read for a portfolio.
    uint8 private _used;

    address[8] private _venues;
    /// @dev Place in `_venues` and one.
    mapping(address venue => uint256) private _placeOf;

    // ------------------------------------------------------------------ portfolios

    function _portfolio(address account) internal view returns (Portfolio memory p) {
        Account storage a = _accounts[account];
        p = _collateral(account, a, true);
        p.legs = _legs(a);
    }

    /// @param terms whether to ask the venues how they liquidate.
    function _collateral(address account, Account storage a, bool terms) internal view returns (Portfolio memory p) {
        p.underlying = _baseUnderlying;
        p.cash = _netCash(account, a);
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
            hedges[held++] = Hedge(base, quote, threshold, penalty, venue.underlying());
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
        oracle.check(_baseUnderlying, Action.Withdraw);
        for (uint256 i = 0; i < count; ++i) {
            uint16 underlying = a.legs[i].series().underlying();
            if (underlying != _baseUnderlying) oracle.check(underlying, Action.Withdraw);
        }
    }

    /// @dev Cash and WETH of anybody else owe nothing and need no price.
    function _carriesRisk(address account) internal view returns (bool) {
        Account storage a = _accounts[account];
        return a.legCount != 0 || a.owes || a.venues != 0;
    }

    /// @dev After trades: initial margin, or less missing than before them. What was before is found by undoing them in
    /// memory, which costs those alone that end below.
    function _requireMargin(
        address account,
        Trade[] calldata trades
    ) internal view returns (int256 equity, uint256 initial) {
        Portfolio memory p = _portfolio(account);
        int256 surplus;
        (surplus, equity, initial) = _surplus(p);
        if (surplus >= 0) return (equity, initial);
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
        if (_placeOf[venue] != 0) revert VenueUnknown(venue);
        // Margin counts every venue's base as the account's own.
        uint16 underlying = IHedgeVenue(venue).underlying();
        if (underlying != _baseUnderlying) revert VenueOfOtherUnderlying(venue, underlying);
        uint256 place = 0;
        while ((_used >> place) & 1 == 1) ++place;
        if (place == MAX_VENUES) revert TooManyVenues(MAX_VENUES + 1);
        (_venues[place], _placeOf[venue]) = (venue, place + 1);
        _used |= uint8(1 << place);
        _touch(venue);
        emit VenueSet(venue, true);
    }

    /// @dev A venue that cannot be read makes the vault unreadable; governance may give it up.
    function _removeVenue(address venue) internal {
        uint8 bit = _bitOf(venue);
        try IHedgeVenue(venue).position() returns (int256 base, int256 quote) {
            if (base != 0 || quote != 0) revert VenueNotEmpty(venue, base, quote);
        } catch {
            emit VenueAbandoned(venue);
        }
        delete _placeOf[venue];
        _used &= ~bit;
        _mark(bit, false);
        emit VenueSet(venue, false);
    }

    /// @dev Says in the vault's header whether the venue holds anything: what holds nothing is not read.
    function _touch(address venue) internal {
        uint8 bit = _bitOf(venue);
        (int256 base, int256 quote) = IHedgeVenue(venue).position();
        _mark(bit, base != 0 || quote != 0);
    }

    /// @dev After a trade: what may hold something may go on to.
    function _touchTraded(address venue) internal {
        if (_accounts[vault].venues & _bitOf(venue) == 0) _touch(venue);
    }

    function _mark(uint8 bit, bool holds) private {
        Account storage a = _accounts[vault];
        a.venues = holds ? a.venues | bit : a.venues & ~bit;
    }

    /// @dev Reverts for a venue that is not registered.
    function _bitOf(address venue) internal view returns (uint8) {
        uint256 place = _placeOf[venue];
        if (place == 0) revert VenueUnknown(venue);
        return uint8(1 << (place - 1));
    }

    function _venueList() internal view returns (address[] memory list) {
        list = new address[](MAX_VENUES);
        uint256 count;
        for (uint256 i = 0; i < MAX_VENUES; ++i) {
            if ((_used >> i) & 1 == 1) list[count++] = _venues[i];
        }
        assembly ("memory-safe") {
            mstore(list, count)
        }
    }
}
