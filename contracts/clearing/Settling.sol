// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {Action} from "../interfaces/IMarketOracle.sol";
import {Slice} from "../interfaces/IRiskEngine.sol";
import {PackedLeg, SeriesId, SeriesIdLib} from "../libraries/SeriesId.sol";
import {Wad} from "../libraries/Wad.sol";
import {Margining} from "./Margining.sol";

/// @title Settlement of an expiry in three phases, so that nobody gains by being first.
/// @notice Losers pay into a pot (convert); when no short is left, insurance covers what it can and one payout factor is
/// fixed (finalise); winners take from the pot (claim). I-12: pot + factor account for every wei.
abstract contract Settling is Margining {
    using SafeCast for uint256;

    /// @dev The factor of an expiry whose losers had nothing, WAD.
    uint256 private constant NOTHING_PAID = 1;

    uint256 internal _pot;

    mapping(uint56 expiryKey => mapping(address account => bool)) internal _counted;

    /// @dev One account of the first phase.
    function _convert(uint16 underlying, uint40 expiry, uint256 price, address account) internal {
        uint56 key = SeriesIdLib.expiryKeyOf(underlying, expiry);
        if (_counted[key][account]) return;
        (int256 net, uint256 short) = _netPayoff(account, key, price);
        if (short == 0) return;
        Settlement storage s = _settlements[key];
        s.openShort -= uint128(short);
        if (net >= 0) {
            // Kept whole until the factor is known; a net of zero is claimed for nothing then.
            _counted[key][account] = true;
            return;
        }
        _removeLegs(account, key);
        uint256 loss = uint256(-net);
        uint256 shortfall = _debit(account, loss, _basePrice(underlying, price));
        s.owed += loss.toUint128();
        s.shortfall += uint128(shortfall);
        _pot += loss - shortfall;
        emit LossConverted(underlying, expiry, account, loss);
        if (shortfall != 0) emit ShortfallAdded(underlying, expiry, account, shortfall);
    }

    /// @dev Takes a loss from an account. What it cannot stand behind is not booked as debt but returned as shortfall of
    /// this expiry, which it owes to insurance out of any cash that it ever has again. Debt that its WETH covers is kept
    /// whatever the cap, or whoever exhausts the cap would be forgiven what anyone could cure at once; credit on anything
    /// else is bounded by the cap.
    /// @param price of the WETH, 0 where it cannot be read.
    function _debit(address account, uint256 loss, uint256 price) private returns (uint256 shortfall) {
        int256 before = _moveCash(account, 0);
        int256 cash = before - int256(loss);
        if (cash < 0) {
            uint256 debt = uint256(-cash);
            uint256 kept = Wad.mulDown(
                Wad.mulDown(_accounts[account].base, price),
                Wad.ONE - _debtParameters.cureDiscount
            );
            if (kept < debt) kept += Math.min(_room(before), _otherWorth(account, kept));
            if (kept < debt) shortfall = Math.min(debt - kept, loss);
        }
        _moveCash(account, int256(shortfall) - int256(loss));
        if (shortfall != 0) {
            _accounts[account].owes = true;
            _debts[account].recovery += shortfall;
        }
    }

    /// @dev WETH is worth its own price, whichever underlying settles.
    function _basePrice(uint16 underlying, uint256 settled) private view returns (uint256) {
        if (underlying == _baseUnderlying) return settled;
        try oracle.check(_baseUnderlying, Action.Settle) returns (uint256 spot) {
            return spot;
        } catch {
            return 0;
        }
    }

    /// @dev What the cap leaves for the negative cash of one account, its old debt included.
    function _room(int256 cash) private view returns (uint256) {
        uint256 limit = _debtParameters.cap + (cash < 0 ? uint256(-cash) : 0);
        return limit > _negativeCash ? limit - _negativeCash : 0;
    }

    /// @dev What an account holds beyond cash and covering WETH: other legs and the vault's venues, at their mark. Where
    /// no mark can be read settlement does not wait for it, and the cap alone bounds the credit.
    function _otherWorth(address account, uint256 covered) private view returns (uint256) {
        Account storage a = _accounts[account];
        bool priced = covered != 0 || a.base == 0;
        if (priced && a.legCount == 0 && a.venues == 0) return 0;
        try this.marginOf(account, Slice.Fresh) returns (int256 equity, uint256, uint256) {
            int256 worth = equity - a.cash - int256(covered);
            return worth > 0 ? uint256(worth) : 0;
        } catch {
            return type(uint128).max;
        }
    }

    /// @dev Second phase.
    function _finalise(uint16 underlying, uint40 expiry) internal returns (uint256 factor) {
        Settlement storage s = _settlements[SeriesIdLib.expiryKeyOf(underlying, expiry)];
        if (s.payoutFactor != 0) revert AlreadyFinal(underlying, expiry);
        if (s.openShort != 0) revert NotAllConverted(underlying, expiry, s.openShort);
        uint256 used = Math.min(_insurance, s.shortfall);
        _insurance -= used;
        _pot += used;
        // A factor of zero would mean "not fixed": one wei is below anything that can be paid.
        factor = s.owed == 0 ? Wad.ONE : Wad.divDown(uint256(s.owed) - s.shortfall + used, s.owed);
        if (factor == 0) factor = 1;
        s.payoutFactor = uint128(factor);
        emit PayoutFactorFixed(underlying, expiry, factor, used);
    }

    /// @dev One account of the third phase.
    function _claim(uint16 underlying, uint40 expiry, uint256 price, uint256 factor, address account) internal {
        uint56 key = SeriesIdLib.expiryKeyOf(underlying, expiry);
        (int256 net, ) = _netPayoff(account, key, price);
        if (_removeLegs(account, key) == 0) return;
        // At the least factor a gain of a USD would still be a wei, out of the pot of other expiries.
        uint256 gain = factor == NOTHING_PAID ? 0 : Math.min(Wad.mulDown(uint256(net), factor), _pot);
        _pot -= gain;
        _moveCash(account, int256(gain));
        emit GainPaid(underlying, expiry, account, gain);
    }

    /// @dev Wrapped contracts in the third phase, as one account that holds nothing else.
    function _payWrapped(SeriesId series, uint256 amount) internal returns (uint256 gain) {
        uint256 factor = _settlements[series.expiryKey()].payoutFactor;
        if (factor == 0) revert NotFinal(series.underlying(), series.expiry());
        if (factor == NOTHING_PAID) return 0;
        uint256 price = _provenPrice(series.underlying(), series.expiry());
        gain = Math.min(Wad.mulDown(Wad.mulDown(amount, series.payoff(price)), factor), _pot);
        _pot -= gain;
    }

    function _provenPrice(uint16 underlying, uint40 expiry) internal view returns (uint256 price) {
        price = oracle.settlementPrice(underlying, expiry);
        if (price == 0) revert NotProven(underlying, expiry);
    }

    /// @return net payoff of the account's legs of one expiry, rounded down.
    /// @return short contracts short among them.
    function _netPayoff(address account, uint56 key, uint256 price) private view returns (int256 net, uint256 short) {
        PackedLeg[] memory legs = _legs(_accounts[account]);
        for (uint256 i = 0; i < legs.length; ++i) {
            SeriesId series = legs[i].series();
            if (series.expiryKey() != key) continue;
            int256 size = legs[i].size();
            net += Wad.mulSignedDown(size, int256(series.payoff(price)));
            if (size < 0) short += uint256(-size);
        }
    }

    function _removeLegs(address account, uint56 key) private returns (uint256 removed) {
        Account storage a = _accounts[account];
        uint256 i = a.legCount;
        while (i > 0) {
            --i;
            PackedLeg leg = a.legs[i];
            if (leg.series().expiryKey() != key) continue;
            _removeAt(a, i);
            ++removed;
            emit LegMoved(account, leg.series(), -int128(leg.size()), 0);
        }
    }
}
