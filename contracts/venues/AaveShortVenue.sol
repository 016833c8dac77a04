// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IAaveShortVenue, VenueParameters} from "../interfaces/IAaveShortVenue.sol";
import {IHedgeVenue} from "../interfaces/IHedgeVenue.sol";
import {IMarketOracle} from "../interfaces/IMarketOracle.sol";
import {IAaveV3AddressesProvider, IAaveV3Oracle, IAaveV3Pool} from "../interfaces/external/IAaveV3.sol";
import {IUniswapV3Pool} from "../interfaces/external/IUniswapV3Pool.sol";
import {PoolVenue} from "./PoolVenue.sol";

/// @title A short on Aave v3. Documented in IAaveShortVenue and IHedgeVenue.
contract AaveShortVenue is IAaveShortVenue, PoolVenue, AccessManaged {
    using SafeERC20 for IERC20Metadata;

    /// @dev The position and what sizes it, read once a call.
    /// @param debt WETH in wei.
    /// @param collateral USDC units.
    /// @param liquid USDC units that Aave could pay out now.
    /// @param price USD per ETH in WAD.
    /// @param threshold basis points.
    struct Loan {
        uint256 debt;
        uint256 collateral;
        uint256 liquid;
        uint256 price;
        uint256 threshold;
    }

    uint256 private constant VARIABLE_RATE = 2;
    uint256 private constant BASIS = 1e4;
    /// @dev Aave refuses withdrawals that end below 1e18 by its own price; the rest is room for the next tick.
    uint256 private constant RELEASE_FLOOR = 1.05e18;
    /// @dev USDC units by which Aave's rounding of balances may lower a health that is exact on paper.
    uint256 private constant ROUNDING = 2;

    IMarketOracle public immutable oracle;
    IAaveV3Pool public immutable aavePool;
    IERC20Metadata public immutable collateralToken;
    IERC20Metadata public immutable debtToken;
    IAaveV3AddressesProvider private immutable _provider;

    VenueParameters private _parameters;

    constructor(
        address authority_,
        address clearinghouse_,
        IMarketOracle oracle_,
        IAaveV3Pool aavePool_,
        IUniswapV3Pool pool_,
        IERC20Metadata usdc_,
        IERC20Metadata weth_,
        uint16 underlying_,
        VenueParameters memory p
    ) PoolVenue(clearinghouse_, pool_, usdc_, weth_, underlying_) AccessManaged(authority_) {
        address aUsdc = aavePool_.getReserveData(address(usdc_)).aTokenAddress;
        address debtWeth = aavePool_.getReserveData(address(weth_)).variableDebtTokenAddress;
        if (aUsdc == address(0)) revert VenueReserveUnknown(address(usdc_));
        if (debtWeth == address(0)) revert VenueReserveUnknown(address(weth_));
        oracle_.spot(underlying_);
        oracle = oracle_;
        aavePool = aavePool_;
        collateralToken = IERC20Metadata(aUsdc);
        debtToken = IERC20Metadata(debtWeth);
        _provider = aavePool_.ADDRESSES_PROVIDER();
        _setParameters(p);
    }

    /// @inheritdoc IHedgeVenue
    function trade(
        int256 base,
        uint256 limitPrice,
        bytes calldata
    ) external onlyClearinghouse returns (int256 filledBase, int256 quoteFlow) {
        uint256 size = _size(base, limitPrice);
        Loan memory loan = _loan();
        if (base == 0) {
            _restore(loan);
        } else {
            bool buy = base > 0;
            if (buy) size = _closable(base, size, loan);
            (uint256 filled, uint256 quote) = _swap(buy, size, limitPrice, address(this), abi.encode(loan));
            (filledBase, quoteFlow) = _signed(buy, filled, quote);
        }
        _sweep(usdc);
        emit VenueTraded(filledBase, quoteFlow);
    }

    /// @inheritdoc IHedgeVenue
    /// @dev Buys and repays as much as the slippage allows; called again it goes on from there.
    function unwind() external onlyClearinghouse {
        Loan memory loan = _loan();
        int256 base;
        int256 quote;
        if (loan.debt != 0) {
            (uint256 spot, ) = oracle.spot(underlying);
            uint256 limitPrice = (spot * (1e18 + _parameters.unwindSlippage)) / 1e18;
            (uint256 filled, uint256 cost) = _swap(true, loan.debt, limitPrice, address(this), abi.encode(loan));
            (base, quote) = _signed(true, filled, cost);
        } else if (loan.collateral != 0) {
            _withdraw(Math.min(loan.collateral, loan.liquid), loan);
        }
        _sweep(usdc);
        _sweep(weth);
        emit VenueUnwound(base, quote);
    }

    /// @inheritdoc IAaveShortVenue
    function dropForeignCollateral(address asset) external {
        if (asset == address(usdc)) revert VenueCollateralInUse(asset);
        emit ForeignCollateralDropped(asset);
        aavePool.setUserUseReserveAsCollateral(asset, false);
    }

    /// @inheritdoc IAaveShortVenue
    function setParameters(VenueParameters calldata p) external restricted {
        _setParameters(p);
    }

    /// @inheritdoc IHedgeVenue
    function required(
        int256 base,
        uint256 limitPrice,
        bytes calldata
    ) external view returns (uint256 usdcIn, uint256 baseIn) {
        uint256 size = _size(base, limitPrice);
        Loan memory loan = _loan();
        if (base > 0) {
            size = _closable(base, size, loan);
            usdcIn = Math.saturatingSub(_valueUp(size, limitPrice), _releasable(loan, size));
        } else {
            uint256 proceeds = (size * limitPrice) / QUOTE_SCALE;
            usdcIn = Math.saturatingSub(_missing(loan, size), proceeds);
        }
    }

    /// @inheritdoc IHedgeVenue
    function position() external view returns (int256 base, int256 quote) {
        base = -int256(debtToken.balanceOf(address(this)));
        quote = int256(collateralToken.balanceOf(address(this))) * USDC_TO_WAD;
    }

    /// @inheritdoc IHedgeVenue
    /// @dev Aave's bonus is what the collateral seized is worth more than the debt repaid, in basis points above 1e4.
    function liquidation() external view returns (uint256 threshold, uint256 penalty) {
        uint256 configuration = aavePool.getConfiguration(address(usdc));
        // Where USDC counts for nothing any more, all of it is at risk: 0 would mean none.
        threshold = Math.max(((configuration >> 16) & 0xFFFF) * 1e14, 1);
        uint256 bonus = (configuration >> 32) & 0xFFFF;
        penalty = Math.saturatingSub(bonus, BASIS) * 1e14;
    }

    /// @inheritdoc IHedgeVenue
    function health() external view returns (uint256 factor) {
        (, , , , , factor) = aavePool.getUserAccountData(address(this));
    }

    /// @inheritdoc IAaveShortVenue
    function parameters() external view returns (VenueParameters memory) {
        return _parameters;
    }

    // ------------------------------------------------------------------ inside a swap

    function _payForSale(uint256 sold, bytes calldata data) internal override {
        Loan memory loan = abi.decode(data, (Loan));
        uint256 missing = _missing(loan, sold);
        uint256 cash = usdc.balanceOf(address(this));
        if (cash < missing) {
            uint256 reached = Math.mulDiv(
                (loan.collateral + cash) * loan.threshold,
                QUOTE_SCALE * 1e14,
                (loan.debt + sold) * loan.price
            );
            revert VenueUnhealthy(reached, _parameters.targetHealth);
        }
        _supply(missing);
        aavePool.borrow(address(weth), sold, VARIABLE_RATE, 0, address(this));
        weth.safeTransfer(address(pool), sold);
    }

    function _payForBuy(uint256 bought, uint256 cost, bytes calldata data) internal override {
        Loan memory loan = abi.decode(data, (Loan));
        weth.forceApprove(address(aavePool), bought);
        // Repaid to the wei: the debt cannot change between `_loan` and here.
        aavePool.repay(address(weth), bought, VARIABLE_RATE, address(this));
        uint256 short = Math.saturatingSub(cost, usdc.balanceOf(address(this)));
        uint256 releasable = _releasable(loan, bought);
        if (short > releasable) revert VenueCollateralLocked(short, releasable);
        _withdraw(Math.min(Math.max(short, _spare(loan, bought)), releasable), loan);
        usdc.safeTransfer(address(pool), cost);
    }

    // ------------------------------------------------------------------ sizing

    /// @dev USDC units that the health needs once `sold` more is owed. Aave may round the new debt up by a wei.
    function _missing(Loan memory loan, uint256 sold) private view returns (uint256) {
        uint256 debt = sold == 0 ? loan.debt : loan.debt + sold + 1;
        return Math.saturatingSub(_neededUp(loan, debt, _parameters.targetHealth), loan.collateral);
    }

    /// @dev USDC units of collateral over the target once `bought` is repaid.
    function _spare(Loan memory loan, uint256 bought) private view returns (uint256) {
        return Math.saturatingSub(loan.collateral, _neededUp(loan, _left(loan, bought), _parameters.targetHealth));
    }

    /// @dev USDC units that may leave with `bought` repaid: all above the target, or below it the repaid share of the
    /// collateral, so that the health does not fall; and never more than Aave can pay out or will let go.
    function _releasable(Loan memory loan, uint256 bought) private view returns (uint256) {
        uint256 share = Math.mulDiv(loan.collateral, bought, loan.debt);
        uint256 floor = _neededUp(loan, _left(loan, bought), RELEASE_FLOOR);
        share = Math.min(share, Math.saturatingSub(loan.collateral, floor));
        return Math.min(Math.max(share, _spare(loan, bought)), loan.liquid);
    }

    function _left(Loan memory loan, uint256 bought) private pure returns (uint256) {
        return bought == loan.debt ? 0 : loan.debt - bought + 1;
    }

    /// @dev USDC units of collateral at which `debt` has the given health.
    function _neededUp(Loan memory loan, uint256 debt, uint256 factor) private pure returns (uint256) {
        if (debt == 0) return 0;
        if (loan.threshold == 0) return type(uint128).max; // USDC counts for nothing at Aave any more
        uint256 scale = loan.threshold * QUOTE_SCALE * 1e18;
        return Math.mulDiv(debt * loan.price, factor * BASIS, scale, Math.Rounding.Ceil) + ROUNDING;
    }

    /// @dev A short can only be bought back as far as it goes.
    function _closable(int256 base, uint256 size, Loan memory loan) private pure returns (uint256) {
        if (loan.debt == 0) revert VenueNothingToTrade(base);
        return Math.min(size, loan.debt);
    }

    function _loan() private view returns (Loan memory loan) {
        uint256 configuration = aavePool.getConfiguration(address(usdc));
        bool paused = (configuration >> 60) & 1 == 1;
        loan.debt = debtToken.balanceOf(address(this));
        loan.collateral = collateralToken.balanceOf(address(this));
        loan.liquid = paused ? 0 : usdc.balanceOf(address(collateralToken));
        loan.price = _priceUp();
        loan.threshold = (configuration >> 16) & 0xFFFF;
    }

    /// @dev The dearer of our price and Aave's: Aave liquidates by its own.
    function _priceUp() private view returns (uint256 price) {
        (price, ) = oracle.spot(underlying);
        IAaveV3Oracle aaveOracle = _provider.getPriceOracle();
        uint256 usdcPrice = aaveOracle.getAssetPrice(address(usdc));
        if (usdcPrice == 0) return price;
        uint256 own = Math.ceilDiv(aaveOracle.getAssetPrice(address(weth)) * 1e18, usdcPrice);
        if (own > price) price = own;
        if (price > MAX_PRICE) revert VenuePriceOutOfRange(price, MAX_PRICE);
    }

    // ------------------------------------------------------------------ collateral

    function _restore(Loan memory loan) private {
        uint256 missing = _missing(loan, 0);
        if (missing != 0) {
            _supply(missing);
        } else if (loan.collateral > _neededUp(loan, loan.debt, _parameters.releaseHealth)) {
            uint256 spare = loan.collateral - _neededUp(loan, loan.debt, _parameters.targetHealth);
            _withdraw(Math.min(spare, loan.liquid), loan);
        }
    }

    function _supply(uint256 amount) private {
        if (amount == 0) return;
        usdc.forceApprove(address(aavePool), amount);
        aavePool.supply(address(usdc), amount, address(this), 0);
    }

    function _withdraw(uint256 amount, Loan memory loan) private {
        if (amount == 0) return;
        // The maximum clears Aave's scaled balance to zero where an amount could leave a wei.
        if (amount == loan.collateral) amount = type(uint256).max;
        aavePool.withdraw(address(usdc), amount, address(this));
    }

    function _setParameters(VenueParameters memory p) private {
        _inRange("targetHealth", p.targetHealth, 1.3e18, 4e18);
        _inRange("releaseHealth", p.releaseHealth, uint256(p.targetHealth) + 0.02e18, 10e18);
        _inRange("unwindSlippage", p.unwindSlippage, 1e15, 1e17);
        _parameters = p;
        emit VenueParametersSet(p);
    }

    function _inRange(string memory name, uint256 value, uint256 low, uint256 high) private pure {
        if (value < low || value > high) revert VenueParameterOutOfRange(name, value, low, high);
    }
}
