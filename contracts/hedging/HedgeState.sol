// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IBookMarks} from "../interfaces/IBookMarks.sol";
import {IClearinghouse} from "../interfaces/IClearinghouse.sol";
import {IHedgeManager} from "../interfaces/IHedgeManager.sol";
import {IMarketOracle} from "../interfaces/IMarketOracle.sol";
import {IVolSurface} from "../interfaces/IVolSurface.sol";

/// @title What the hedge manager keeps: parameters, the keeper's budget, the lock. Documented in IHedgeManager.
/// @dev Money, sizes and shares are stored in whole millionths, so that a rebalance reads three slots: these rules, the
/// bands of its underlying, and the state that it writes anyway.
abstract contract HedgeState is IHedgeManager, AccessManaged {
    /// @dev Of all underlyings alike.
    struct Rules {
        uint24 minReduction;
        uint24 maxSlippage;
        uint24 minHealth;
        uint24 surfaceMaxAge;
        uint64 budgetCap;
        uint64 budgetRefill;
    }

    /// @dev Of one underlying, in its base.
    struct StoredBands {
        uint64 band;
        uint64 grossCap;
        uint64 clip;
    }

    /// @dev Times in unix seconds. The lock lies where a rebalance writes anyway.
    struct State {
        uint64 budget;
        uint40 budgetAt;
        uint40 insideAt;
        uint8 pending;
        bool locked;
    }

    uint256 internal constant MILLIONTH = 1e12;

    IClearinghouse public immutable clearinghouse;
    IMarketOracle public immutable oracle;
    IBookMarks public immutable bookMarks;
    IVolSurface public immutable surface;
    address public immutable vault;
    /// @inheritdoc IHedgeManager
    uint16 public immutable underlying;

    /// @inheritdoc IHedgeManager
    address public keeper;
    /// @inheritdoc IHedgeManager
    uint64 public epoch = 1;
    State internal _state;
    Rules internal _rules;
    mapping(uint16 underlying => StoredBands) internal _bands;
    /// @inheritdoc IHedgeManager
    mapping(address venue => uint256) public venueCap;
    /// @inheritdoc IHedgeManager
    address public quoteAdapter;
    /// @inheritdoc IHedgeManager
    address public fallbackHedge;

    /// @dev No venue, token or maker that is called on the way gets in a second time.
    modifier locked() {
        if (_state.locked) revert HedgeReentered();
        _state.locked = true;
        _;
        _state.locked = false;
    }

    constructor(
        IClearinghouse clearinghouse_,
        IMarketOracle oracle_,
        IVolSurface surface_,
        address vault_,
        uint16 underlying_
    ) {
        clearinghouse = clearinghouse_;
        oracle = oracle_;
        bookMarks = clearinghouse_.engine().bookMarks();
        surface = surface_;
        vault = vault_;
        underlying = underlying_;
    }

    /// @inheritdoc IHedgeManager
    function budgetLeft() public view returns (uint256) {
        return uint256(_budgetLeft(_state, _rules)) * MILLIONTH;
    }

    /// @inheritdoc IHedgeManager
    function parameters() external view returns (HedgeParameters memory p) {
        Rules memory r = _rules;
        StoredBands memory b = _bands[underlying];
        p.band = uint128(b.band * MILLIONTH);
        p.minReduction = uint64(r.minReduction * MILLIONTH);
        p.maxSlippage = uint64(r.maxSlippage * MILLIONTH);
        p.grossCap = uint128(b.grossCap * MILLIONTH);
        p.minHealth = uint128(r.minHealth * MILLIONTH);
        p.budgetCap = uint128(r.budgetCap * MILLIONTH);
        p.budgetRefill = uint64(r.budgetRefill * MILLIONTH);
        p.surfaceMaxAge = r.surfaceMaxAge;
        p.clip = uint128(b.clip * MILLIONTH);
    }

    /// @inheritdoc IHedgeManager
    function bandsOf(uint16 underlying_) external view returns (Bands memory) {
        StoredBands memory b = _bands[underlying_];
        return Bands(uint128(b.band * MILLIONTH), uint128(b.grossCap * MILLIONTH), uint128(b.clip * MILLIONTH));
    }

    // ------------------------------------------------------------------ budget

    /// @dev Millionths of USD. Grows with time alone, up to the cap.
    function _budgetLeft(State memory s, Rules memory r) internal view returns (uint64) {
        uint256 left = s.budget + (block.timestamp - s.budgetAt) * r.budgetRefill;
        return left < r.budgetCap ? uint64(left) : r.budgetCap;
    }

    /// @dev Accrues the refill, then takes a loss. A gain refills nothing.
    function _spend(State memory s, Rules memory r, uint256 lossUp) internal view {
        uint64 left = _budgetLeft(s, r);
        if (lossUp > left) revert BudgetExceeded(lossUp * MILLIONTH, left * MILLIONTH);
        (s.budget, s.budgetAt) = (uint64(left - lossUp), uint40(block.timestamp));
    }

    /// @dev A change of NAV as a loss in millionths of USD, rounded up; 0 for a gain.
    function _lossUp(int256 navChange) internal pure returns (uint256) {
        return navChange >= 0 ? 0 : (uint256(-navChange) + MILLIONTH - 1) / MILLIONTH;
    }

    // ------------------------------------------------------------------ parameters

    /// @dev What is left of the budget is carried over, cut to the new cap: a change of parameters refills nothing.
    function _setParameters(HedgeParameters memory p) internal {
        _inRange("minReduction", p.minReduction, 1e17, 1e18);
        _inRange("maxSlippage", p.maxSlippage, 1e14, 5e16);
        _inRange("minHealth", p.minHealth, 105e16, 5e18);
        _inRange("budgetCap", p.budgetCap, 1e18, 1e25);
        _inRange("budgetRefill", p.budgetRefill, 0, p.budgetCap / 1 hours);
        _inRange("surfaceMaxAge", p.surfaceMaxAge, 60, 2 days);
        uint64 left = _budgetLeft(_state, _rules);
        _rules = Rules({
            minReduction: uint24(_whole("minReduction", p.minReduction)),
            maxSlippage: uint24(_whole("maxSlippage", p.maxSlippage)),
            minHealth: uint24(_whole("minHealth", p.minHealth)),
            surfaceMaxAge: uint24(p.surfaceMaxAge),
            budgetCap: _whole("budgetCap", p.budgetCap),
            budgetRefill: _whole("budgetRefill", p.budgetRefill)
        });
        _setBudget(left < _rules.budgetCap ? left : _rules.budgetCap);
        _setBands(underlying, Bands(p.band, p.grossCap, p.clip));
        emit HedgeParametersSet(p);
    }

    function _setBands(uint16 underlying_, Bands memory b) internal {
        _inRange("band", b.band, 1e15, 1e24);
        _inRange("grossCap", b.grossCap, 0, 1e24);
        _inRange("clip", b.clip, 0, b.band);
        _bands[underlying_] = StoredBands(
            _whole("band", b.band),
            _whole("grossCap", b.grossCap),
            _whole("clip", b.clip)
        );
        emit BandsSet(underlying_, b);
    }

    function _setBudget(uint64 left) internal {
        _state.budget = left;
        _state.budgetAt = uint40(block.timestamp);
    }

    function _inRange(string memory name, uint256 value, uint256 low, uint256 high) internal pure {
        if (value < low || value > high) revert HedgeParameterOutOfRange(name, value, low, high);
    }

    /// @dev WAD as whole millionths.
    function _whole(string memory name, uint256 value) internal pure returns (uint64) {
        if (value % MILLIONTH != 0) revert HedgeParameterTooFine(name, value);
        return uint64(value / MILLIONTH);
    }
}
