// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/* solhint-disable no-inline-assembly */

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IBookMarks} from "../interfaces/IBookMarks.sol";
import {IClearinghouse} from "../interfaces/IClearinghouse.sol";
import {IMarketOracle} from "../interfaces/IMarketOracle.sol";
import {IRiskEngine} from "../interfaces/IRiskEngine.sol";
import {PackedLeg, SeriesId, SeriesIdLib} from "../libraries/SeriesId.sol";
import {Wad} from "../libraries/Wad.sol";

/// @title The books: accounts, legs, recorded tokens. Every change of cash, base or a leg goes through here.
abstract contract Accounts is IClearinghouse, AccessManaged {
    using SafeCast for uint256;
    using SafeCast for int256;
    using SafeERC20 for IERC20;

    /// @dev Header in one slot, then one slot a leg; legs are dense, a closed one is replaced by the last.
    /// @param owes whether `_debts` holds anything for the account, so that the others need not look.
    /// @param tradedAt unix seconds of its last trade at a market.
    /// @param venues a bit for each place in the list of venues that may hold something: none but the vault's has any.
    struct Account {
        int104 cash;
        uint88 base;
        uint8 legCount;
        bool owes;
        uint40 tradedAt;
        uint8 venues;
        PackedLeg[32] legs;
    }

    /// @dev What an account owes beyond its cash.
    /// @param index of interest when its negative cash was last touched.
    /// @param since unix seconds when its cash went negative, 0 while it is not.
    /// @param recovery WAD USD of its losses that others bore; its next cash pays it to insurance.
    struct Debt {
        uint128 index;
        uint40 since;
        uint256 recovery;
    }

    /// @dev Tokens recorded as received, in their units. The lock lies where whatever moves tokens writes anyway.
    struct Tokens {
        uint112 usdc;
        uint112 base;
        bool locked;
    }

    uint256 internal constant MAX_LEGS = 32;
    uint256 internal constant USDC_SCALE = 1e12;
    uint256 private constant MAX_SIZE = 1 << 100;
    uint256 private constant YEAR = 365 days;

    IERC20 public immutable usdc;
    IERC20 public immutable weth;
    IMarketOracle public immutable oracle;
    IRiskEngine public immutable engine;
    IBookMarks internal immutable _bookMarks;
    uint16 internal immutable _baseUnderlying;

    mapping(address account => Account) internal _accounts;
    mapping(address account => Debt) internal _debts;
    mapping(uint56 expiryKey => Settlement) internal _settlements;

    Tokens internal _recorded;
    uint256 internal _negativeCash;
    uint256 internal _insurance;
    DebtParameters internal _debtParameters = DebtParameters(1_000_000e18, 1e17, 5e16, 30 minutes);
    uint128 private _index = 1e18;
    uint40 private _indexAt = uint40(block.timestamp);

    /// @dev No token, venue or market that is called on the way gets in a second time.
    modifier nonReentrant() {
        _lock();
        _;
        _unlock();
    }

    constructor(IERC20 usdc_, IERC20 weth_, IMarketOracle oracle_, IRiskEngine engine_, uint16 baseUnderlying_) {
        if (address(usdc_) == address(0) || address(weth_) == address(0)) revert ZeroAddress();
        if (address(oracle_) == address(0) || address(engine_) == address(0)) revert ZeroAddress();
        usdc = usdc_;
        weth = weth_;
        oracle = oracle_;
        engine = engine_;
        _bookMarks = engine_.bookMarks();
        _baseUnderlying = baseUnderlying_;
    }

    /// @dev Functions, since the code of a modifier is repeated wherever it stands.
    function _lock() private {
        if (_recorded.locked) revert ReentrancyGuardReentrantCall();
        _recorded.locked = true;
    }

    function _unlock() private {
        _recorded.locked = false;
    }

    // ------------------------------------------------------------------ cash and base

    /// @dev Keeps the total of negative cash; the caller decides whether the account may be there. Interest comes first,
    /// and what the account has to make good goes to insurance out of what is left above zero.
    function _moveCash(address account, int256 change) internal returns (int256 cash) {
        Account storage a = _accounts[account];
        int256 before = a.cash;
        cash = before + change;
        if (before < 0 || cash < 0 || a.owes) cash = _moveOwing(account, a, before, change);
        if (cash > type(int104).max || cash < type(int104).min) revert AmountTooLarge(Wad.abs(cash));
        a.cash = int104(cash);
    }

    function _moveOwing(
        address account,
        Account storage a,
        int256 before,
        int256 change
    ) private returns (int256 cash) {
        Debt storage d = _debts[account];
        uint128 index = _currentIndex();
        uint256 interest = _interest(before, d.index, index);
        cash = before - int256(interest) + change;
        uint256 recovered = cash > 0 ? Math.min(uint256(cash), d.recovery) : 0;
        cash -= int256(recovered);
        _insurance += interest + recovered;
        _negativeCash = _negativeCash + (cash < 0 ? uint256(-cash) : 0) - (before < 0 ? uint256(-before) : 0);
        if (recovered != 0) d.recovery -= recovered;
        if (cash >= 0) d.since = 0;
        else if (d.since == 0) d.since = uint40(block.timestamp);
        d.index = index;
        a.owes = cash < 0 || d.recovery != 0;
        if (interest != 0) emit InterestAccrued(account, interest);
        if (recovered != 0) emit Recovered(account, recovered);
    }

    /// @dev Simple interest on the index itself, so that it compounds only as often as a rate is changed.
    function _currentIndex() internal view returns (uint128) {
        uint256 growth = (uint256(_debtParameters.rate) * (block.timestamp - _indexAt)) / YEAR;
        return (uint256(_index) + growth).toUint128();
    }

    /// @dev Interest on cash that was negative since the index was `from`, rounded up.
    function _interest(int256 cash, uint256 from, uint256 to) private pure returns (uint256) {
        return cash < 0 ? Math.mulDiv(uint256(-cash), to - from, from, Math.Rounding.Ceil) : 0;
    }

    function _pendingInterest(address account) internal view returns (uint256) {
        return _interest(_accounts[account].cash, _debts[account].index, _currentIndex());
    }

    /// @dev Cash less everything that is owed and not yet taken.
    function _netCash(address account, Account storage a) internal view returns (int256 cash) {
        cash = a.cash;
        if (a.owes) cash -= int256(_pendingInterest(account) + _debts[account].recovery);
    }

    function _setDebtParameters(DebtParameters calldata p) internal {
        _inRange("cap", p.cap, 0, 1e27);
        _inRange("rate", p.rate, 0, 1e18);
        _inRange("cureDiscount", p.cureDiscount, 0, 2e17);
        _inRange("cureRamp", p.cureRamp, 1 minutes, 1 days);
        (_index, _indexAt) = (_currentIndex(), uint40(block.timestamp));
        _debtParameters = p;
        emit DebtParametersSet(p);
    }

    function _inRange(string memory name, uint256 value, uint256 low, uint256 high) private pure {
        if (value < low || value > high) revert ParameterOutOfRange(name, value, low, high);
    }

    /// @dev As `_moveCash`, for every way out but settlement: the result may not be negative.
    function _moveCashSolvent(address account, int256 change) internal {
        int256 cash = _moveCash(account, change);
        if (change < 0 && cash < 0) revert CashShort(account, cash - change, uint256(-change));
    }

    function _addBase(address account, uint256 amount) internal {
        Account storage a = _accounts[account];
        if (amount > type(uint88).max - a.base) revert AmountTooLarge(amount);
        a.base += uint88(amount);
    }

    function _subBase(address account, uint256 amount) internal {
        Account storage a = _accounts[account];
        if (amount > a.base) revert BaseShort(account, a.base, amount);
        a.base -= uint88(amount);
    }

    /// @dev Takes tokens in and records them; a token that delivers less than it says is refused.
    function _pull(IERC20 token, address from, uint256 amount) internal {
        uint256 before = _held(token);
        token.safeTransferFrom(from, address(this), amount);
        uint256 received = _held(token) - before;
        if (received != amount) revert TransferShort(amount, received);
        _record(token, int256(amount));
    }

    function _held(IERC20 token) internal view returns (uint256) {
        return token.balanceOf(address(this));
    }

    function _push(IERC20 token, address to, uint256 amount) internal {
        _record(token, -int256(amount));
        token.safeTransfer(to, amount);
    }

    /// @dev Recorded tokens can run short of claims only while debtors owe cash; then the way out waits for a cure.
    /// @param change in token units, below 2^112 in size: every caller has moved as much cash or base before.
    function _record(IERC20 token, int256 change) internal {
        bool cash = token == usdc;
        int256 held = int256(uint256(cash ? _recorded.usdc : _recorded.base));
        int256 next = held + change;
        if (next < 0) revert TransferShort(uint256(-change), uint256(held));
        if (next > int256(uint256(type(uint112).max))) revert AmountTooLarge(uint256(next));
        if (cash) _recorded.usdc = uint112(uint256(next));
        else _recorded.base = uint112(uint256(next));
    }

    // ------------------------------------------------------------------ legs

    /// @dev Adds to a leg, opens or closes it, and keeps the expiry's open short size.
    function _addToLeg(address account, SeriesId series, int256 change) internal {
        Account storage a = _accounts[account];
        uint256 count = a.legCount;
        uint256 at = _find(a, count, series);
        int256 before = at < count ? a.legs[at].size() : int256(0);
        int256 size = before + change;
        if (Wad.abs(size) > MAX_SIZE) revert AmountTooLarge(Wad.abs(size));
        if (size == 0) {
            _removeAt(a, at);
        } else {
            if (at == count) {
                if (count == MAX_LEGS) revert TooManyLegs(account, count + 1);
                a.legCount = uint8(count + 1);
            }
            a.legs[at] = SeriesIdLib.pack(series, size);
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
        a.legs[last] = PackedLeg.wrap(0);
        a.legCount = uint8(last);
    }

    function _find(Account storage a, uint256 count, SeriesId series) internal view returns (uint256 at) {
        while (at < count && SeriesId.unwrap(a.legs[at].series()) != SeriesId.unwrap(series)) ++at;
    }

    function _legs(Account storage a) internal view returns (PackedLeg[] memory legs) {
        uint256 count = a.legCount;
        PackedLeg[32] storage stored = a.legs;
        // As stored: the compiler would clear the array first and check every index.
        assembly ("memory-safe") {
            legs := mload(0x40)
            mstore(legs, count)
            let at := add(legs, 32)
            for {
                let slot := stored.slot
                let end := add(slot, count)
            } lt(slot, end) {
                slot := add(slot, 1)
            } {
                mstore(at, sload(slot))
                at := add(at, 32)
            }
            mstore(0x40, at)
        }
    }
}
