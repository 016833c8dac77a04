// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {ICuriePerpVenue, PerpParameters} from "../interfaces/ICuriePerpVenue.sol";
import {IHedgeVenue} from "../interfaces/IHedgeVenue.sol";
import {IMarketOracle} from "../interfaces/IMarketOracle.sol";
import {
    IPerpAccountBalance,
    IPerpClearingHouse,
    IPerpConfig,
    IPerpExchange,
    IPerpVault
} from "../interfaces/external/IPerpCurie.sol";
import {Wad} from "../libraries/Wad.sol";

/// @title A perpetual on Perpetual Curie. Documented in ICuriePerpVenue and IHedgeVenue.
contract CuriePerpVenue is ICuriePerpVenue, AccessManaged {
    using SafeERC20 for IERC20;

    int256 private constant USDC_TO_WAD = 1e12;
    uint256 private constant USDC_SCALE = 1e12;
    uint256 private constant RATIO_TO_WAD = 1e12;
    /// @dev Bounds that keep every product below 2^256; far beyond any market.
    int256 private constant MAX_BASE = 1e30;
    uint256 private constant MAX_PRICE = 1e30;

    address public immutable clearinghouse;
    IMarketOracle public immutable oracle;
    IPerpClearingHouse public immutable perp;
    IPerpVault public immutable perpVault;
    IPerpAccountBalance public immutable balances;
    IPerpExchange public immutable exchange;
    IPerpConfig public immutable config;
    address public immutable baseToken;
    IERC20 public immutable usdc;
    /// @inheritdoc IHedgeVenue
    uint16 public immutable underlying;

    PerpParameters private _parameters;

    error VenueBaseOutOfRange(int256 base, int256 limit);
    error VenuePriceOutOfRange(uint256 price, uint256 limit);

    modifier onlyClearinghouse() {
        if (msg.sender != clearinghouse) revert VenueOnlyClearinghouse(msg.sender);
        _;
    }

    constructor(
        address authority_,
        address clearinghouse_,
        IMarketOracle oracle_,
        IPerpClearingHouse perp_,
        address baseToken_,
        IERC20 usdc_,
        uint16 underlying_,
        PerpParameters memory p
    ) AccessManaged(authority_) {
        clearinghouse = clearinghouse_;
        oracle = oracle_;
        perp = perp_;
        perpVault = IPerpVault(perp_.getVault());
        balances = IPerpAccountBalance(perp_.getAccountBalance());
        exchange = IPerpExchange(perp_.getExchange());
        config = IPerpConfig(perp_.getClearingHouseConfig());
        if (perpVault.getSettlementToken() != address(usdc_)) {
            revert PerpSettlementUnexpected(perpVault.getSettlementToken());
        }
        oracle_.spot(underlying_);
        baseToken = baseToken_;
        usdc = usdc_;
        underlying = underlying_;
        _setParameters(p);
    }

    /// @inheritdoc IHedgeVenue
    function trade(
        int256 base,
        uint256 limitPrice,
        bytes calldata
    ) external onlyClearinghouse returns (int256 filledBase, int256 quoteFlow) {
        _deposit();
        if (base != 0) (filledBase, quoteFlow) = _open(base, limitPrice);
        _release(_parameters.releaseMargin, _parameters.targetMargin);
        _sweep();
        emit VenueTraded(filledBase, quoteFlow);
    }

    /// @inheritdoc IHedgeVenue
    function unwind() external onlyClearinghouse {
        (int256 held, ) = position();
        int256 quote;
        if (held != 0) {
            (uint256 spot, ) = oracle.spot(underlying);
            uint256 slippage = _parameters.unwindSlippage;
            uint256 limit = held < 0 ? Wad.mulDown(spot, 1e18 + slippage) : Wad.mulUp(spot, 1e18 - slippage);
            (held, quote) = _open(-held, limit);
        }
        _release(0, 0);
        _sweep();
        emit VenueUnwound(held, quote);
    }

    /// @inheritdoc ICuriePerpVenue
    function setParameters(PerpParameters calldata p) external restricted {
        _setParameters(p);
    }

    /// @inheritdoc ICuriePerpVenue
    function parameters() external view returns (PerpParameters memory) {
        return _parameters;
    }

    /// @inheritdoc IHedgeVenue
    /// @dev A trade at its limit loses what the limit is worse than the price; a closing one brings margin home.
    function required(
        int256 base,
        uint256 limitPrice,
        bytes calldata
    ) external view returns (uint256 usdcIn, uint256 baseIn) {
        if (base > MAX_BASE || base < -MAX_BASE) revert VenueBaseOutOfRange(base, MAX_BASE);
        if (limitPrice > MAX_PRICE) revert VenuePriceOutOfRange(limitPrice, MAX_PRICE);
        (int256 held, int256 quote) = position();
        int256 later = held + base;
        if (base != 0 && Wad.abs(later) < Wad.abs(held)) return (0, 0);
        uint256 price = _priceAgainst(later);
        int256 worth = quote - Wad.mulSignedUp(base, int256(limitPrice)) + Wad.mulSignedDown(later, int256(price));
        int256 missing = int256(_marginUp(later, price, _parameters.targetMargin)) - worth;
        if (missing > 0) usdcIn = (uint256(missing) + USDC_SCALE - 1) / USDC_SCALE;
        baseIn = 0;
    }

    /// @inheritdoc IHedgeVenue
    function position() public view returns (int256 base, int256 quote) {
        base = balances.getTotalPositionSize(address(this), baseToken);
        (int256 realised, , ) = balances.getPnlAndPendingFee(address(this));
        quote =
            perpVault.getBalance(address(this)) * USDC_TO_WAD +
            balances.getTotalOpenNotional(address(this), baseToken) +
            realised -
            exchange.getAllPendingFundingPayment(address(this));
    }

    /// @inheritdoc IHedgeVenue
    /// @dev Worth below maintenance margin x notional: quote < (1 + m) |base| S for a short, base S (1 - m) < |quote| for
    /// a long.
    function liquidation() external view returns (uint256 threshold, uint256 penalty) {
        int256 held = balances.getTotalPositionSize(address(this), baseToken);
        uint256 maintenance = config.getMmRatio() * RATIO_TO_WAD;
        threshold = held < 0 ? Wad.divDown(1e18, 1e18 + maintenance) : 1e18 - maintenance;
        penalty = config.getLiquidationPenaltyRatio() * RATIO_TO_WAD;
    }

    /// @inheritdoc IHedgeVenue
    function health() external view returns (uint256) {
        (int256 held, int256 quote) = position();
        if (held == 0) return type(uint256).max;
        uint256 price = _priceAgainst(held);
        int256 worth = quote + Wad.mulSignedDown(held, int256(price));
        if (worth <= 0) return 0;
        uint256 maintenance = config.getMmRatio() * RATIO_TO_WAD;
        return Wad.divDown(uint256(worth), _marginUp(held, price, maintenance));
    }

    // ------------------------------------------------------------------ at Curie

    /// @dev The position changes by what it really changed by; the average, fees included, is held to the limit.
    function _open(int256 base, uint256 limitPrice) private returns (int256 filled, int256 flow) {
        (int256 heldBefore, int256 quoteBefore) = position();
        bool sells = base < 0;
        perp.openPosition(
            IPerpClearingHouse.OpenPositionParams({
                baseToken: baseToken,
                isBaseToQuote: sells,
                isExactInput: sells,
                amount: Wad.abs(base),
                oppositeAmountBound: 0,
                deadline: block.timestamp,
                sqrtPriceLimitX96: 0,
                referralCode: ""
            })
        );
        (int256 held, int256 quote) = position();
        (filled, flow) = (held - heldBefore, quote - quoteBefore);
        // Selling, the flow must reach filled x limit; buying, it must not pass it: the same inequality with signs.
        if (flow < -Wad.mulSignedDown(filled, int256(limitPrice)) - USDC_TO_WAD) {
            revert VenueLimitPriceBreached(filled, flow, limitPrice);
        }
    }

    function _deposit() private {
        uint256 amount = usdc.balanceOf(address(this));
        if (amount == 0) return;
        usdc.forceApprove(address(perpVault), amount);
        perpVault.deposit(address(usdc), amount);
        emit MarginMoved(int256(amount));
    }

    /// @dev Above `release` everything down to `target` comes home, as far as Curie lets it go.
    function _release(uint256 release, uint256 target) private {
        (int256 held, int256 quote) = position();
        uint256 price = held == 0 ? 0 : _priceAgainst(held);
        int256 worth = quote + Wad.mulSignedDown(held, int256(price));
        if (held != 0 && worth <= int256(_marginUp(held, price, release))) return;
        int256 spare = worth - int256(_marginUp(held, price, target));
        if (spare <= 0) return;
        uint256 amount = Math.min(uint256(spare) / USDC_SCALE, perpVault.getFreeCollateral(address(this)));
        if (amount == 0) return;
        emit MarginMoved(-int256(amount));
        perpVault.withdraw(address(usdc), amount);
    }

    function _sweep() private {
        uint256 left = usdc.balanceOf(address(this));
        if (left != 0) usdc.safeTransfer(clearinghouse, left);
    }

    /// @dev The dearer of our price and Curie's mark for a short, the cheaper for a long.
    function _priceAgainst(int256 held) private view returns (uint256 price) {
        (price, ) = oracle.spot(underlying);
        uint256 mark = balances.getMarkPrice(baseToken);
        return held < 0 ? Math.max(price, mark) : Math.min(price, mark);
    }

    function _marginUp(int256 held, uint256 price, uint256 ratio) private pure returns (uint256) {
        return Wad.mulUp(Wad.mulUp(Wad.abs(held), price), ratio);
    }

    function _setParameters(PerpParameters memory p) private {
        _inRange("targetMargin", p.targetMargin, 0.15e18, 2e18);
        _inRange("releaseMargin", p.releaseMargin, uint256(p.targetMargin) + 0.05e18, 4e18);
        _inRange("unwindSlippage", p.unwindSlippage, 1e15, 1e17);
        _parameters = p;
        emit PerpParametersSet(p);
    }

    function _inRange(string memory name, uint256 value, uint256 low, uint256 high) private pure {
        if (value < low || value > high) revert PerpParameterOutOfRange(name, value, low, high);
    }
}
