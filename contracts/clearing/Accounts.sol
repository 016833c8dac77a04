// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IClearinghouse} from "../interfaces/IClearinghouse.sol";
import {IHedgeVenue} from "../interfaces/IHedgeVenue.sol";
import {IMarketOracle} from "../interfaces/IMarketOracle.sol";
import {IRiskEngine, Portfolio} from "../interfaces/IRiskEngine.sol";
import {Leg, SeriesId} from "../libraries/SeriesId.sol";
import {Wad} from "../libraries/Wad.sol";

/// @title The books: accounts, legs, recorded tokens. Every change of cash, base or a leg goes through here.
abstract contract Accounts is IClearinghouse, AccessManaged {
    using SafeCast for uint256;
    using SafeCast for int256;
    using SafeERC20 for IERC20;

    /// @dev Header in one slot, then one slot a leg; legs are dense, a closed one is replaced by the last.
    struct Account {
        int112 cash;
        uint112 base;
        uint8 legCount;
        Leg[32] legs;
    }

    uint256 internal constant MAX_LEGS = 32;
    uint256 internal constant USDC_SCALE = 1e12;
    uint256 private constant MAX_SIZE = 1 << 100;

    IERC20 public immutable usdc;
    IERC20 public immutable weth;
    IMarketOracle public immutable oracle;
    IRiskEngine public immutable engine;
    uint16 public immutable baseUnderlying;

    /// @notice The vault's account: scenario margin and hedge venues.
    address public vault;
    address public hedgeManager;

    address[] internal _venues;
    mapping(address account => Account) internal _accounts;
    mapping(uint56 expiryKey => Settlement) internal _settlements;

    uint256 internal _recordedUsdc;
    uint256 internal _recordedBase;
    uint256 internal _negativeCash;

    constructor(IERC20 usdc_, IERC20 weth_, IMarketOracle oracle_, IRiskEngine engine_, uint16 baseUnderlying_) {
        if (address(usdc_) == address(0) || address(weth_) == address(0)) revert ZeroAddress();
        if (address(oracle_) == address(0) || address(engine_) == address(0)) revert ZeroAddress();
        usdc = usdc_;
        weth = weth_;
        oracle = oracle_;
        engine = engine_;
        baseUnderlying = baseUnderlying_;
    }

    // ------------------------------------------------------------------ cash and base

    /// @dev Keeps the total of negative cash; the caller decides whether the account may be there.
    function _moveCash(address account, int256 change) internal returns (int256 cash) {
        Account storage a = _accounts[account];
        int256 before = a.cash;
        cash = before + change;
        a.cash = _toInt112(cash);
        if (before < 0 || cash < 0) {
            _negativeCash = _negativeCash + (cash < 0 ? uint256(-cash) : 0) - (before < 0 ? uint256(-before) : 0);
        }
    }

    /// @dev As `_moveCash`, for every way out but settlement: the result may not be negative.
    function _moveCashSolvent(address account, int256 change) internal {
        int256 cash = _moveCash(account, change);
        if (change < 0 && cash < 0) revert CashShort(account, cash - change, uint256(-change));
    }

    function _addBase(address account, uint256 amount) internal {
        Account storage a = _accounts[account];
        if (amount > type(uint112).max - a.base) revert AmountTooLarge(amount);
        a.base += uint112(amount);
    }

    function _subBase(address account, uint256 amount) internal {
        Account storage a = _accounts[account];
        if (amount > a.base) revert BaseShort(account, a.base, amount);
        a.base -= uint112(amount);
    }

    /// @dev Takes tokens in and records them; a token that delivers less than it says is refused.
    function _pull(IERC20 token, address from, uint256 amount) internal {
        uint256 before = token.balanceOf(address(this));
        token.safeTransferFrom(from, address(this), amount);
        uint256 received = token.balanceOf(address(this)) - before;
        if (received != amount) revert TransferShort(amount, received);
        _record(token, int256(amount));
    }

    function _push(IERC20 token, address to, uint256 amount) internal {
        _record(token, -amount.toInt256());
        token.safeTransfer(to, amount);
    }

    /// @dev Recorded tokens can run short of claims only while debtors owe cash; then the way out waits for a cure.
    function _record(IERC20 token, int256 change) internal {
        uint256 held = token == usdc ? _recordedUsdc : _recordedBase;
        if (change < 0 && uint256(-change) > held) revert TransferShort(uint256(-change), held);
        uint256 next = uint256(held.toInt256() + change);
        if (token == usdc) _recordedUsdc = next;
        else _recordedBase = next;
    }

    // ------------------------------------------------------------------ legs

    /// @dev Adds to a leg, opens or closes it, and keeps the expiry's open short size.
    function _addToLeg(address account, SeriesId series, int256 change) internal {
        Account storage a = _accounts[account];
        uint256 count = a.legCount;
        uint256 at = _find(a, count, series);
        int256 before = at < count ? int256(a.legs[at].size) : int256(0);
        int256 size = before + change;
        if (Wad.abs(size) > MAX_SIZE) revert AmountTooLarge(Wad.abs(size));
        if (size == 0) {
            _removeAt(a, at);
        } else {
            if (at == count) {
                if (count == MAX_LEGS) revert TooManyLegs(account, count + 1);
                a.legCount = uint8(count + 1);
            }
            a.legs[at] = Leg(series, int128(size));
        }
        uint256 shortBefore = before < 0 ? uint256(-before) : 0;
        uint256 shortAfter = size < 0 ? uint256(-size) : 0;
        if (shortBefore != shortAfter) {
            Settlement storage s = _settlements[series.expiryKey()];
            s.openShort = (uint256(s.openShort) + shortAfter - shortBefore).toUint128();
        }
        emit LegMoved(account, series, int128(change), int128(size));
    }

    function _removeAt(Account storage a, uint256 at) internal {
        uint256 last = a.legCount - 1;
        if (at != last) a.legs[at] = a.legs[last];
        delete a.legs[last];
        a.legCount = uint8(last);
    }

    function _find(Account storage a, uint256 count, SeriesId series) internal view returns (uint256 at) {
        while (at < count && SeriesId.unwrap(a.legs[at].series) != SeriesId.unwrap(series)) ++at;
    }

    function _legs(address account) internal view returns (Leg[] memory legs) {
        Account storage a = _accounts[account];
        legs = new Leg[](a.legCount);
        for (uint256 i = 0; i < legs.length; ++i) legs[i] = a.legs[i];
    }

    function _portfolio(address account) internal view returns (Portfolio memory p) {
        Account storage a = _accounts[account];
        p.underlying = baseUnderlying;
        p.cash = a.cash;
        p.base = a.base;
        (p.venueBase, p.venueQuote) = _venuePosition(account);
        p.legs = _legs(account);
    }

    function _venuePosition(address account) internal view returns (int256 base, int256 quote) {
        if (account != vault) return (0, 0);
        for (uint256 i = 0; i < _venues.length; ++i) {
            (int256 b, int256 q) = IHedgeVenue(_venues[i]).position();
            base += b;
            quote += q;
        }
    }

    // ------------------------------------------------------------------ margin

    /// @dev I-03. The vault may end below initial margin only if its shortfall shrank: a book that is under water can
    /// always be reduced (I-07). `before` is its portfolio before the action.
    function _requireVaultMargin(Portfolio memory before) internal view {
        (int256 equity, uint256 initial, ) = _scenarioMargin(_portfolio(vault));
        int256 surplus = equity - int256(initial);
        if (surplus >= 0) return;
        (int256 equityBefore, uint256 initialBefore, ) = _scenarioMargin(before);
        if (surplus <= equityBefore - int256(initialBefore)) revert BelowInitialMargin(vault, equity, initial);
    }

    /// @dev One call site for each of these two: encoding a portfolio again costs 300 bytes of code.
    function _scenarioMargin(Portfolio memory p) internal view returns (int256, uint256, uint256) {
        return engine.margin(p);
    }

    function _fullCollateral(Leg[] memory legs) internal view returns (uint256, uint256) {
        return engine.fullCollateral(legs);
    }

    /// @dev Everybody else posts full collateral, whatever the oracle says.
    function _requireFullCollateral(address account) internal view {
        Account storage a = _accounts[account];
        (uint256 cashNeeded, uint256 baseNeeded) = _fullCollateral(_legs(account));
        if (a.cash < cashNeeded.toInt256() || a.base < baseNeeded) {
            revert CollateralShort(account, a.cash, cashNeeded, a.base, baseNeeded);
        }
    }

    function _toInt112(int256 x) private pure returns (int112) {
        if (x > type(int112).max || x < type(int112).min) revert AmountTooLarge(Wad.abs(x));
        return int112(x);
    }
}
