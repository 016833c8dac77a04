// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ReentrancyGuard} from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {Accounts} from "./clearing/Accounts.sol";
import {Settling} from "./clearing/Settling.sol";
import {IClearinghouse} from "./interfaces/IClearinghouse.sol";
import {IHedgeVenue} from "./interfaces/IHedgeVenue.sol";
import {IMarketOracle, OracleState} from "./interfaces/IMarketOracle.sol";
import {Greeks, IRiskEngine, Portfolio} from "./interfaces/IRiskEngine.sol";
import {Leg, SeriesId, SeriesIdLib} from "./libraries/SeriesId.sol";
import {Wad} from "./libraries/Wad.sol";

/// @title Margin accounts: USDC cash, WETH collateral and signed option legs. Documented in IClearinghouse.
contract Clearinghouse is Settling, ReentrancyGuard {
    using SafeCast for uint256;

    uint256 private constant MAX_VENUES = 8;

    mapping(address market => bool) public isMarket;

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
        if (to == address(0)) revert ZeroAddress();
        Portfolio memory before = _vaultBefore(msg.sender);
        _moveCashSolvent(msg.sender, -_fromUsdc(amount));
        _requireMargin(msg.sender, before);
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
        if (to == address(0)) revert ZeroAddress();
        Portfolio memory before = _vaultBefore(msg.sender);
        _subBase(msg.sender, amount);
        _requireMargin(msg.sender, before);
        emit BaseWithdrawn(msg.sender, to, amount);
        _push(weth, to, amount);
    }

    // ------------------------------------------------------------------ markets

    /// @inheritdoc IClearinghouse
    function trade(address maker, address taker, Leg[] calldata legs, int256 premium) external nonReentrant {
        if (!isMarket[msg.sender]) revert OnlyMarket(msg.sender);
        if (maker == taker) revert SelfTrade(maker);
        Portfolio memory before = _vaultBefore(maker == vault ? maker : taker);
        for (uint256 i = 0; i < legs.length; ++i) {
            SeriesId series = legs[i].series;
            series.validate();
            // WETH is the only base collateral: it covers no call on anything else.
            if (series.underlying() != baseUnderlying) revert UnderlyingUnknown(series.underlying());
            if (series.expiry() <= block.timestamp) revert SeriesExpired(series, block.timestamp);
            if (legs[i].size == 0) revert SizeZero(series);
            _addToLeg(taker, series, legs[i].size);
            _addToLeg(maker, series, -int256(legs[i].size));
        }
        _moveCashSolvent(taker, -premium);
        _moveCashSolvent(maker, premium);
        emit PremiumPaid(taker, maker, premium);
        _requireMargin(taker, before);
        _requireMargin(maker, before);
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
        if (!_isVenue(venue)) revert VenueUnknown(venue);
        (uint256 usdcIn, uint256 baseIn) = IHedgeVenue(venue).required(base, limitPrice, data);
        if (usdcIn != 0) {
            _moveCashSolvent(vault, -_fromUsdc(usdcIn));
            _push(usdc, venue, usdcIn);
        }
        if (baseIn != 0) {
            _subBase(vault, baseIn);
            _push(weth, venue, baseIn);
        }
        uint256 usdcBefore = usdc.balanceOf(address(this));
        uint256 baseBefore = weth.balanceOf(address(this));
        (filledBase, quoteFlow) = IHedgeVenue(venue).trade(base, limitPrice, data);
        (uint256 usdcBack, uint256 baseBack) = _creditReturned(usdcBefore, baseBefore);
        emit VenueTradeSettled(venue, _fromUsdc(usdcBack) - _fromUsdc(usdcIn), baseBack.toInt256() - baseIn.toInt256());
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
        int256 cash = _accounts[account].cash;
        if (cash >= 0) revert NoDebt(account, cash);
        if (baseAmount == 0) revert AmountZero();
        if (oracle.state(baseUnderlying) == OracleState.Stale) revert OracleStale(baseUnderlying);
        (uint256 spot, ) = oracle.spot(baseUnderlying);
        uint256 price = Wad.mulUp(spot, Wad.ONE - cureDiscount);
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
    function fundInsurance(uint256 amount) external nonReentrant {
        if (amount == 0) revert AmountZero();
        _insurance += uint256(_fromUsdc(amount));
        emit InsuranceFunded(msg.sender, amount);
        _pull(usdc, msg.sender, amount);
    }

    // ------------------------------------------------------------------ governance

    /// @inheritdoc IClearinghouse
    function setMarket(address market, bool allowed) external restricted {
        if (market == address(0)) revert ZeroAddress();
        isMarket[market] = allowed;
        emit MarketSet(market, allowed);
    }

    /// @inheritdoc IClearinghouse
    /// @dev The vault's account can be named only while it is empty of venues, so that no venue changes its owner.
    function setVault(address vault_, address hedgeManager_) external restricted {
        if (vault_ == address(0) || hedgeManager_ == address(0)) revert ZeroAddress();
        if (vault_ != vault && _venues.length != 0) revert TooManyVenues(_venues.length);
        vault = vault_;
        hedgeManager = hedgeManager_;
        emit VaultSet(vault_, hedgeManager_);
    }

    /// @inheritdoc IClearinghouse
    function setVenue(address venue, bool active) external restricted {
        if (venue == address(0)) revert ZeroAddress();
        bool known = _isVenue(venue);
        if (known == active) revert VenueUnknown(venue);
        if (active) {
            if (_venues.length == MAX_VENUES) revert TooManyVenues(MAX_VENUES + 1);
            _venues.push(venue);
        } else {
            (int256 base, int256 quote) = IHedgeVenue(venue).position();
            if (base != 0 || quote != 0) revert VenueNotEmpty(venue, base, quote);
            for (uint256 i = 0; i < _venues.length; ++i) {
                if (_venues[i] == venue) _venues[i] = _venues[_venues.length - 1];
            }
            _venues.pop();
        }
        emit VenueSet(venue, active);
    }

    /// @inheritdoc IClearinghouse
    function unwindVenue(address venue) external restricted nonReentrant {
        if (!_isVenue(venue)) revert VenueUnknown(venue);
        uint256 usdcBefore = usdc.balanceOf(address(this));
        uint256 baseBefore = weth.balanceOf(address(this));
        IHedgeVenue(venue).unwind();
        (uint256 usdcBack, uint256 baseBack) = _creditReturned(usdcBefore, baseBefore);
        emit VenueTradeSettled(venue, _fromUsdc(usdcBack), baseBack.toInt256());
    }

    /// @inheritdoc IClearinghouse
    function setCureDiscount(uint256 discount) external restricted {
        if (discount > 2e17) revert ParameterOutOfRange("cureDiscount", discount, 0, 2e17);
        cureDiscount = discount;
        emit CureDiscountSet(discount);
    }

    /// @inheritdoc IClearinghouse
    function setMaxNegativeCash(uint256 limit) external restricted {
        if (limit > 1e27) revert ParameterOutOfRange("maxNegativeCash", limit, 0, 1e27);
        maxNegativeCash = limit;
        emit MaxNegativeCashSet(limit);
    }

    // ------------------------------------------------------------------ views

    /// @inheritdoc IClearinghouse
    function accountOf(address account) external view returns (int256 cash, uint256 base, uint256 legCount) {
        Account storage a = _accounts[account];
        return (a.cash, a.base, a.legCount);
    }

    /// @inheritdoc IClearinghouse
    function legsOf(address account) external view returns (Leg[] memory) {
        return _legs(account);
    }

    /// @inheritdoc IClearinghouse
    function sizeOf(address account, SeriesId series) external view returns (int128) {
        Account storage a = _accounts[account];
        uint256 at = _find(a, a.legCount, series);
        return at < a.legCount ? a.legs[at].size : int128(0);
    }

    /// @inheritdoc IClearinghouse
    function portfolioOf(address account) external view returns (Portfolio memory) {
        return _portfolio(account);
    }

    /// @inheritdoc IClearinghouse
    function hedgeOf(address account) external view returns (int256 base, int256 quote) {
        return _hedge(account);
    }

    /// @inheritdoc IClearinghouse
    function greeksOf(address account, uint16 underlying) external view returns (Greeks memory g) {
        g = engine.optionGreeks(underlying, _legs(account));
        if (underlying == baseUnderlying) {
            (int256 base, ) = _hedge(account);
            g.delta += base;
        }
    }

    /// @inheritdoc IClearinghouse
    function equityOf(address account) external view returns (int256) {
        return engine.equity(_portfolio(account));
    }

    /// @inheritdoc IClearinghouse
    function marginOf(address account) external view returns (int256 equity, uint256 initial, uint256 maintenance) {
        Portfolio memory p = _portfolio(account);
        if (account == vault) return _scenarioMargin(p);
        equity = engine.equity(p);
        (uint256 cashNeeded, uint256 baseNeeded) = _fullCollateral(p.legs);
        initial = cashNeeded;
        if (baseNeeded != 0) {
            (uint256 spot, ) = oracle.spot(baseUnderlying);
            initial += Wad.mulUp(baseNeeded, spot);
        }
        maintenance = initial;
    }

    /// @inheritdoc IClearinghouse
    function freeCashOf(address account) external view returns (uint256) {
        Portfolio memory p = _portfolio(account);
        int256 free = p.cash;
        if (account == vault) {
            (int256 equity, uint256 initial, ) = _scenarioMargin(p);
            int256 surplus = equity - int256(initial);
            if (surplus < free) free = surplus;
        } else {
            (uint256 cashNeeded, ) = _fullCollateral(p.legs);
            free -= cashNeeded.toInt256();
        }
        return free <= 0 ? 0 : _min(uint256(free) / USDC_SCALE, _recordedUsdc);
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
        return _venues;
    }

    /// @inheritdoc IClearinghouse
    function totals() external view returns (uint256, uint256, uint256, uint256, uint256) {
        return (_recordedUsdc, _recordedBase, _negativeCash, _insurance, _pot);
    }

    // ------------------------------------------------------------------ internal

    function _hedge(address account) private view returns (int256 base, int256 quote) {
        (base, quote) = _venuePosition(account);
        base += int256(uint256(_accounts[account].base));
        quote += _accounts[account].cash;
    }

    /// @dev Credits the vault with what arrived since the two balances were read, and with nothing else.
    function _creditReturned(
        uint256 usdcBefore,
        uint256 baseBefore
    ) private returns (uint256 usdcBack, uint256 baseBack) {
        usdcBack = usdc.balanceOf(address(this)) - usdcBefore;
        baseBack = weth.balanceOf(address(this)) - baseBefore;
        _record(usdc, usdcBack.toInt256());
        _record(weth, baseBack.toInt256());
        _moveCash(vault, _fromUsdc(usdcBack));
        _addBase(vault, baseBack);
    }

    /// @dev USDC in token units to WAD.
    function _fromUsdc(uint256 amount) private pure returns (int256) {
        if (amount > type(uint112).max) revert AmountTooLarge(amount);
        return int256(amount * USDC_SCALE);
    }

    function _provenPrice(uint16 underlying, uint40 expiry) private view returns (uint256 price) {
        price = oracle.settlementPrice(underlying, expiry);
        if (price == 0) revert NotProven(underlying, expiry);
    }

    function _isVenue(address venue) private view returns (bool) {
        for (uint256 i = 0; i < _venues.length; ++i) {
            if (_venues[i] == venue) return true;
        }
        return false;
    }

    function _vaultBefore(address account) private view returns (Portfolio memory p) {
        if (account == vault) p = _portfolio(account);
    }

    function _requireMargin(address account, Portfolio memory vaultBefore) private view {
        if (account == vault) _requireVaultMargin(vaultBefore);
        else _requireFullCollateral(account);
    }
}
