// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {Accounts} from "./clearing/Accounts.sol";
import {Views} from "./clearing/Views.sol";
import {IClearinghouse, Market, Trade} from "./interfaces/IClearinghouse.sol";
import {IHedgeVenue} from "./interfaces/IHedgeVenue.sol";
import {Action, IMarketOracle} from "./interfaces/IMarketOracle.sol";
import {IRiskEngine} from "./interfaces/IRiskEngine.sol";
import {Leg, PackedLeg, SeriesId, SeriesIdLib} from "./libraries/SeriesId.sol";
import {Wad} from "./libraries/Wad.sol";

/// @title Margin accounts: USDC cash, WETH collateral and signed option legs. Documented in IClearinghouse.
contract Clearinghouse is Views {
    using SafeCast for uint256;

    mapping(address market => Market) public marketOf;

    modifier only(Market kind) {
        _requireMarket(kind);
        _;
    }

    constructor(
        address authority_,
        IERC20 usdc_,
        IERC20 weth_,
        IMarketOracle oracle_,
        IRiskEngine engine_,
        uint16 baseUnderlying_
    ) AccessManaged(authority_) Accounts(usdc_, weth_, oracle_, engine_, baseUnderlying_) {}

    // ------------------------------------------------------------------ owners

    /// @inheritdoc IClearinghouse
    function depositCash(uint256 amount) external nonReentrant {
        if (amount == 0) revert AmountZero();
        _moveCash(msg.sender, _fromUsdc(amount));
        emit CashDeposited(msg.sender, amount);
        _pull(usdc, msg.sender, amount);
    }

    /// @inheritdoc IClearinghouse
    function withdrawCash(uint256 amount, address to) external nonReentrant {
        if (amount == 0) revert AmountZero();
        _requireRecipient(to);
        _moveCashSolvent(msg.sender, -_fromUsdc(amount));
        _requireWithdrawable(msg.sender);
        emit CashWithdrawn(msg.sender, to, amount);
        _push(usdc, to, amount);
    }

    /// @inheritdoc IClearinghouse
    /// @dev Margin does not depend on cash: what `_freeCash` leaves is initial margin, which need not be asked twice.
    function withdrawFreeCash(uint256 most, address to) external nonReentrant returns (uint256 amount) {
        _requireRecipient(to);
        amount = Math.min(most, _freeCash(msg.sender));
        if (amount == 0) return 0;
        if (_carriesRisk(msg.sender)) _requirePriced(msg.sender);
        _moveCashSolvent(msg.sender, -_fromUsdc(amount));
        emit CashWithdrawn(msg.sender, to, amount);
        _push(usdc, to, amount);
    }

    /// @inheritdoc IClearinghouse
    function depositBase(uint256 amount) external nonReentrant {
        if (amount == 0) revert AmountZero();
        _addBase(msg.sender, amount);
        emit BaseDeposited(msg.sender, amount);
        _pull(weth, msg.sender, amount);
    }

    /// @inheritdoc IClearinghouse
    function withdrawBase(uint256 amount, address to) external nonReentrant {
        if (amount == 0) revert AmountZero();
        _requireRecipient(to);
        _subBase(msg.sender, amount);
        _requireWithdrawable(msg.sender);
        emit BaseWithdrawn(msg.sender, to, amount);
        _push(weth, to, amount);
    }

    // ------------------------------------------------------------------ markets

    /// @inheritdoc IClearinghouse
    function trade(
        Trade[] calldata trades
    ) external nonReentrant only(Market.Desk) returns (int256 equity, uint256 initial) {
        if (trades.length == 0) revert TradesEmpty();
        address[] memory accounts = new address[](2 * trades.length);
        uint256 count;
        for (uint256 i = 0; i < trades.length; ++i) {
            _trade(trades[i]);
            count = _include(accounts, count, trades[i].taker);
            count = _include(accounts, count, trades[i].maker);
        }
        for (uint256 i = 0; i < count; ++i) {
            (int256 has, uint256 needs) = _requireMargin(accounts[i], trades);
            if (accounts[i] == vault) (equity, initial) = (has, needs);
        }
    }

    /// @inheritdoc IClearinghouse
    function wrap(address account, SeriesId series, uint256 amount) external nonReentrant only(Market.Token) {
        _requireLive(series);
        int256 size = sizeOf(account, series);
        int256 change = amount.toInt256();
        if (change == 0) revert AmountZero();
        if (size < change) revert LegShort(account, series, size, amount);
        _addToLeg(account, series, -change);
        emit LegWrapped(account, series, amount);
        _requireWithdrawable(account);
    }

    /// @inheritdoc IClearinghouse
    /// @dev A long leg lowers no scenario, so there is no margin to check.
    function unwrap(address account, SeriesId series, uint256 amount) external nonReentrant only(Market.Token) {
        _requireLive(series);
        if (amount == 0) revert AmountZero();
        _addToLeg(account, series, amount.toInt256());
        emit LegUnwrapped(account, series, amount);
    }

    /// @inheritdoc IClearinghouse
    function payWrapped(
        address account,
        SeriesId series,
        uint256 amount
    ) external nonReentrant only(Market.Token) returns (uint256 gain) {
        gain = _payWrapped(series, amount);
        _moveCash(account, gain.toInt256());
        emit TokenPaid(account, series, amount, gain);
    }

    /// @inheritdoc IClearinghouse
    /// @dev Legs that have expired stay: settlement counts them where they are.
    function sellSlice(
        address from,
        address to,
        uint256 share,
        int256 price,
        uint256 fromInsurance,
        address keeper,
        uint256 bounty
    ) external nonReentrant only(Market.Auction) {
        if (from == to) revert SelfTrade(from);
        if (share == 0 || share > Wad.ONE) revert ShareOutOfRange(share);
        if (fromInsurance > _insurance) revert InsuranceShort(_insurance, fromInsurance);
        PackedLeg[] memory legs = _legs(_accounts[from]);
        for (uint256 i = 0; i < legs.length; ++i) {
            SeriesId series = legs[i].series();
            int256 size = Wad.mulTowardZero(legs[i].size(), int256(share));
            if (size == 0 || series.expiry() <= block.timestamp) continue;
            _addToLeg(from, series, -size);
            _addToLeg(to, series, size);
        }
        uint256 base = Wad.mulDown(_accounts[from].base, share);
        _subBase(from, base);
        _addBase(to, base);
        _insurance -= fromInsurance;
        _moveCashSolvent(to, -price);
        _moveCashSolvent(from, price + int256(fromInsurance) - bounty.toInt256());
        if (bounty != 0) {
            _moveCash(keeper, int256(bounty));
            emit BountyPaid(keeper, bounty);
        }
        emit SliceSold(from, to, share, price, fromInsurance);
        _requireInitial(to);
    }

    /// @inheritdoc IClearinghouse
    /// @dev The one place where the vault's tokens leave for a venue. What the venue says it did is passed on, but the
    /// books follow the tokens that really moved.
    function tradeOnVenue(
        address venue,
        int256 base,
        uint256 limitPrice,
        bytes calldata data
    ) external nonReentrant returns (int256 filledBase, int256 quoteFlow) {
        if (msg.sender != hedgeManager) revert OnlyHedgeManager(msg.sender);
        _bitOf(venue);
        (uint256 usdcIn, uint256 baseIn) = IHedgeVenue(venue).required(base, limitPrice, data);
        if (usdcIn != 0) {
            _moveCashSolvent(vault, -_fromUsdc(usdcIn));
            _push(usdc, venue, usdcIn);
        }
        if (baseIn != 0) {
            _subBase(vault, baseIn);
            _push(weth, venue, baseIn);
        }
        uint256 usdcBefore = _held(usdc);
        uint256 baseBefore = _held(weth);
        (filledBase, quoteFlow) = IHedgeVenue(venue).trade(base, limitPrice, data);
        _creditReturned(venue, usdcBefore, baseBefore, usdcIn, baseIn);
        _touchTraded(venue);
    }

    // ------------------------------------------------------------------ settlement

    /// @inheritdoc IClearinghouse
    function convert(uint16 underlying, uint40 expiry, address[] calldata accounts) external nonReentrant {
        uint256 price = _provenPrice(underlying, expiry);
        for (uint256 i = 0; i < accounts.length; ++i) _convert(underlying, expiry, price, accounts[i]);
    }

    /// @inheritdoc IClearinghouse
    function finalise(uint16 underlying, uint40 expiry) external nonReentrant returns (uint256 factor) {
        _provenPrice(underlying, expiry);
        factor = _finalise(underlying, expiry);
    }

    /// @inheritdoc IClearinghouse
    function claim(uint16 underlying, uint40 expiry, address[] calldata accounts) external nonReentrant {
        uint256 factor = _settlements[SeriesIdLib.expiryKeyOf(underlying, expiry)].payoutFactor;
        if (factor == 0) revert NotFinal(underlying, expiry);
        uint256 price = _provenPrice(underlying, expiry);
        for (uint256 i = 0; i < accounts.length; ++i) _claim(underlying, expiry, price, factor, accounts[i]);
    }

    /// @inheritdoc IClearinghouse
    function cure(address account, uint256 baseAmount) external nonReentrant returns (uint256 usdcIn) {
        int256 cash = _moveCash(account, 0);
        if (cash >= 0) revert NoDebt(account, cash);
        if (baseAmount == 0) revert AmountZero();
        uint256 spot = oracle.check(_baseUnderlying, Action.Liquidate);
        uint256 price = Wad.mulUp(spot, Wad.ONE - _cureDiscount(account));
        usdcIn = (Wad.mulUp(baseAmount, price) + USDC_SCALE - 1) / USDC_SCALE;
        uint256 debt = (uint256(-cash) + USDC_SCALE - 1) / USDC_SCALE;
        if (usdcIn > debt) revert CureTooLarge(usdcIn, debt);
        _moveCash(account, _fromUsdc(usdcIn));
        _subBase(account, baseAmount);
        emit DebtCured(account, msg.sender, baseAmount, usdcIn);
        _pull(usdc, msg.sender, usdcIn);
        _push(weth, msg.sender, baseAmount);
    }

    /// @inheritdoc IClearinghouse
    function accrue(address account) external nonReentrant {
        _moveCash(account, 0);
    }

    /// @inheritdoc IClearinghouse
    function fundInsurance(uint256 amount) external nonReentrant {
        if (amount == 0) revert AmountZero();
        _insurance += uint256(_fromUsdc(amount));
        emit InsuranceFunded(msg.sender, amount);
        _pull(usdc, msg.sender, amount);
    }

    // ------------------------------------------------------------------ governance

    /// @inheritdoc IClearinghouse
    function setMarket(address market, Market kind) external restricted {
        if (market == address(0)) revert ZeroAddress();
        marketOf[market] = kind;
        emit MarketSet(market, kind);
    }

    /// @inheritdoc IClearinghouse
    /// @dev The hedge manager measures the vault that it was made for, so the vault never changes.
    function setVault(address vault_, address hedgeManager_) external restricted {
        if (vault_ == address(0) || hedgeManager_ == address(0)) revert ZeroAddress();
        if (vault != address(0) && vault_ != vault) revert VaultFixed(vault);
        _accounts[vault_].venues = _accounts[vault].venues;
        vault = vault_;
        hedgeManager = hedgeManager_;
        emit VaultSet(vault_, hedgeManager_);
    }

    /// @inheritdoc IClearinghouse
    function setVenue(address venue, bool active) external restricted {
        if (venue == address(0)) revert ZeroAddress();
        if (active) _addVenue(venue);
        else _removeVenue(venue);
    }

    /// @inheritdoc IClearinghouse
    function unwindVenue(address venue) external restricted nonReentrant {
        _bitOf(venue);
        uint256 usdcBefore = _held(usdc);
        uint256 baseBefore = _held(weth);
        IHedgeVenue(venue).unwind();
        _creditReturned(venue, usdcBefore, baseBefore, 0, 0);
        _touch(venue);
    }

    /// @inheritdoc IClearinghouse
    function touchVenue(address venue) external {
        _touch(venue);
    }

    /// @inheritdoc IClearinghouse
    function setDebtParameters(DebtParameters calldata p) external restricted {
        _setDebtParameters(p);
    }

    // ------------------------------------------------------------------ internal

    function _trade(Trade calldata t) private {
        if (t.maker == t.taker) revert SelfTrade(t.maker);
        for (uint256 i = 0; i < t.legs.length; ++i) {
            Leg calldata leg = t.legs[i];
            leg.series.validate();
            _requireLive(leg.series);
            if (leg.size == 0) revert SizeZero(leg.series);
            _addToLeg(t.taker, leg.series, leg.size);
            _addToLeg(t.maker, leg.series, -int256(leg.size));
        }
        _moveCashSolvent(t.taker, -t.premium);
        _moveCashSolvent(t.maker, t.premium);
        _accounts[t.maker].tradedAt = uint40(block.timestamp);
        _accounts[t.taker].tradedAt = uint40(block.timestamp);
        emit PremiumPaid(t.taker, t.maker, t.premium);
    }

    /// @dev Adds an account to a list that has room, unless it is there.
    function _include(address[] memory accounts, uint256 count, address account) private pure returns (uint256) {
        for (uint256 i = 0; i < count; ++i) {
            if (accounts[i] == account) return count;
        }
        accounts[count] = account;
        return count + 1;
    }

    function _cureDiscount(address account) private view returns (uint256) {
        DebtParameters memory p = _debtParameters;
        uint256 owing = Math.min(block.timestamp - _debts[account].since, p.cureRamp);
        return (uint256(p.cureDiscount) * owing) / p.cureRamp;
    }

    /// @dev Credits the vault with what arrived since the two balances were read, and with nothing else.
    function _creditReturned(
        address venue,
        uint256 usdcBefore,
        uint256 baseBefore,
        uint256 usdcIn,
        uint256 baseIn
    ) private {
        uint256 usdcBack = _held(usdc) - usdcBefore;
        uint256 baseBack = _held(weth) - baseBefore;
        int256 cashBack = _fromUsdc(usdcBack);
        if (usdcBack != 0) _record(usdc, int256(usdcBack));
        if (baseBack != 0) {
            _addBase(vault, baseBack);
            _record(weth, int256(baseBack));
        }
        _moveCash(vault, cashBack);
        emit VenueTradeSettled(venue, cashBack - _fromUsdc(usdcIn), int256(baseBack) - int256(baseIn));
    }

    /// @dev USDC in token units to WAD.
    function _fromUsdc(uint256 amount) private pure returns (int256) {
        if (amount > type(uint112).max) revert AmountTooLarge(amount);
        return int256(amount * USDC_SCALE);
    }

    function _requireMarket(Market kind) private view {
        if (marketOf[msg.sender] != kind) revert OnlyMarket(msg.sender, kind);
    }

    function _requireLive(SeriesId series) private view {
        if (series.expiry() <= block.timestamp) revert SeriesExpired(series, block.timestamp);
    }

    function _requireRecipient(address to) private view {
        if (to == address(0)) revert ZeroAddress();
        if (to == address(this)) revert RecipientIsClearinghouse();
    }
}
