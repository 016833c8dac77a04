// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IClearinghouse} from "./interfaces/IClearinghouse.sol";
import {IDeskVault} from "./interfaces/IDeskVault.sol";
import {IMarketOracle} from "./interfaces/IMarketOracle.sol";
import {IVolSurface} from "./interfaces/IVolSurface.sol";
import {IERC7540Deposit, IERC7540Operator, IERC7540Redeem} from "./interfaces/external/IERC7540.sol";
import {IERC7575} from "./interfaces/external/IERC7575.sol";
import {IERC7887Deposit, IERC7887Redeem} from "./interfaces/external/IERC7887.sol";
import {RequestQueue} from "./libraries/RequestQueue.sol";
import {Ledger} from "./vault/Ledger.sol";
import {Pricing} from "./vault/Pricing.sol";
import {Valuer} from "./vault/Valuer.sol";
import {WindDown} from "./vault/WindDown.sol";

interface IHasUsdc {
    function usdc() external view returns (IERC20);
}

/// @title Deposits and redemptions by epochs. Documented in IDeskVault, its prices in Pricing.
contract DeskVault is WindDown, AccessManaged {
    using SafeCast for uint256;
    using SafeERC20 for IERC20;
    using RequestQueue for RequestQueue.Queue;

    /// @dev What one epoch does. NAVs in WAD USD, signed before they are floored; the rest in token units.
    struct Flow {
        int256 bid;
        int256 ask;
        uint256 supply;
        uint256 assetsIn;
        uint256 minted;
        uint256 burned;
        uint256 assetsOut;
    }

    /// @notice Ids looked at by one epoch in each direction: it bounds the gas of an epoch.
    uint256 public constant MAX_IDS_PER_EPOCH = 8;
    uint256 private constant ONE_SHARE = 1e18;

    constructor(
        address authority_,
        IClearinghouse clearinghouse_,
        IMarketOracle oracle_,
        IVolSurface surface_,
        uint16 underlying_,
        VaultParameters memory p
    )
        AccessManaged(authority_)
        Ledger(IHasUsdc(address(clearinghouse_)).usdc())
        Pricing(clearinghouse_, oracle_, surface_, underlying_)
        WindDown(address(clearinghouse_))
    {
        _setParameters(p);
        _clock.epoch = 1;
        _clock.endsAt = (block.timestamp + p.epochLength).toUint40();
    }

    // ------------------------------------------------------------------ epochs

    /// @inheritdoc IDeskVault
    /// @dev Order: prices from the state before, fees first; deposits; redemptions, out of the epoch's deposits as far as
    /// they go and then out of free cash, so that money which comes and goes is not moved, and margin is asked about only
    /// where the account loses cash (I-03). Each flow is at least fair to those who stay, so the order moves no price.
    function processEpoch() external nonReentrant {
        Clock memory c = _clock;
        uint256 length = _parameters.epochLength;
        _checkTime(c, length);
        Flow memory f = _priced(c.epoch);
        _fillDeposits(f, c.epoch);
        // The grid of ends stays in place; ends that passed unused are skipped.
        _clock.endsAt = (c.endsAt + length * ((block.timestamp - c.endsAt) / length + 1)).toUint40();
        _clock.epoch = c.epoch + 1;
        _fillRedemptions(f, c.epoch, _fetch(f, c.epoch));
        _addClaimable(f.assetsOut);
        int256 invested = (f.bid + f.ask) / 2 + (f.assetsIn.toInt256() - f.assetsOut.toInt256()) * int256(USDC_SCALE);
        _book.assets = (_floor(invested) / USDC_SCALE).toUint88();
        _book.processedAt = uint40(block.timestamp);
        emit EpochProcessed(c.epoch, _floor(f.bid), _floor(f.ask), f.assetsIn, f.minted, f.burned, f.assetsOut);
        if (f.minted > f.burned) _share.mint(address(this), f.minted - f.burned);
        else if (f.burned > f.minted) _share.burn(f.burned - f.minted);
        if (f.assetsIn > f.assetsOut) {
            _usdc.forceApprove(address(clearinghouse), f.assetsIn - f.assetsOut);
            clearinghouse.depositCash(f.assetsIn - f.assetsOut);
        }
    }

    /// @inheritdoc IDeskVault
    function setParameters(VaultParameters calldata p) external restricted {
        _setParameters(p);
    }

    /// @inheritdoc IDeskVault
    function setFeeRecipient(address recipient) external restricted {
        feeRecipient = recipient;
        emit FeeRecipientSet(recipient);
    }

    // ------------------------------------------------------------------ views

    /// @inheritdoc IDeskVault
    function currentEpoch() external view returns (uint256) {
        return _clock.epoch;
    }

    /// @inheritdoc IDeskVault
    function epochEndsAt() external view returns (uint256) {
        return _clock.endsAt;
    }

    /// @inheritdoc IDeskVault
    function parameters() external view returns (VaultParameters memory) {
        return _parameters;
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 id) external pure returns (bool) {
        return
            id == type(IERC165).interfaceId ||
            id == type(IERC7540Operator).interfaceId ||
            id == type(IERC7540Deposit).interfaceId ||
            id == type(IERC7540Redeem).interfaceId ||
            id == type(IERC7887Deposit).interfaceId ||
            id == type(IERC7887Redeem).interfaceId ||
            id == type(IERC7575).interfaceId;
    }

    // ------------------------------------------------------------------ internal: when

    function _checkTime(Clock memory c, uint256 length) private view {
        if (c.windingDown) revert WindingDown();
        if (block.timestamp < c.endsAt) revert EpochNotOver(c.endsAt, block.timestamp);
        uint256 into = (block.timestamp - c.endsAt) % length;
        if (into >= c.window) revert EpochWindowOver(block.timestamp - into + length, block.timestamp);
    }

    // ------------------------------------------------------------------ internal: flows

    function _priced(uint256 epoch) private returns (Flow memory f) {
        Valuer.Value memory v = valuer.checkedValue(address(this), _parameters);
        f.bid = v.low - v.width;
        f.ask = v.high + v.width;
        f.supply = _share.totalSupply();
        f.supply += _takeFees(epoch, _floor(f.bid), f.supply);
    }

    /// @dev Nobody joins an account that owes, nor one worth nothing whose shares others still hold: the price would be
    /// arbitrary. Nor does the supply outgrow its field: such a price means a vault that has lost nearly everything.
    function _fillDeposits(Flow memory f, uint256 epoch) private {
        int256 mid = (f.bid + f.ask) / 2;
        if (mid < 0 || (mid == 0 && f.supply != 0)) return;
        uint256 id = _deposits.head;
        uint256 end = Math.min(epoch + 1, id + MAX_IDS_PER_EPOCH);
        for (; id < end; ++id) {
            uint256 assets = _deposits.pendingOf(id);
            if (assets == 0) continue;
            uint256 shares = _sharesFor(assets, _floor(f.ask), f.supply);
            if (f.supply + f.minted + shares > MAX_SUPPLY) break;
            _deposits.fill(id, assets, shares);
            f.assetsIn += assets;
            f.minted += shares;
        }
        _deposits.head = uint32(id);
    }

    /// @dev USDC for the epoch's redemptions: what it took in, and what more of the account's free cash they need.
    function _fetch(Flow memory f, uint256 epoch) private returns (uint256 cash) {
        uint256 wanted = 0;
        if (_redeemable(f)) {
            uint256 id = _redemptions.head;
            uint256 end = Math.min(epoch + 1, id + MAX_IDS_PER_EPOCH);
            for (; id < end; ++id) wanted += _assetsFor(_redemptions.pendingOf(id), uint256(f.bid), f.supply);
        }
        if (wanted <= f.assetsIn) return wanted;
        uint256 before = _usdc.balanceOf(address(this));
        cash = clearinghouse.withdrawFreeCash(wanted - f.assetsIn, address(this));
        _checkReceived(_usdc, before, cash);
        cash += f.assetsIn;
    }

    function _fillRedemptions(Flow memory f, uint256 epoch, uint256 cash) private {
        if (!_redeemable(f)) return;
        uint256 id = _redemptions.head;
        uint256 end = Math.min(epoch + 1, id + MAX_IDS_PER_EPOCH);
        for (; id < end; ++id) {
            uint256 shares = _redemptions.pendingOf(id);
            if (shares == 0) continue;
            uint256 assets = _assetsFor(shares, uint256(f.bid), f.supply);
            bool short = assets > cash;
            if (short) {
                if (cash == 0) break;
                shares = Math.mulDiv(shares, cash, assets, Math.Rounding.Ceil);
                assets = cash;
            }
            _redemptions.fill(id, shares, assets);
            cash -= assets;
            f.burned += shares;
            f.assetsOut += assets;
            if (short) break;
        }
        _redemptions.head = uint32(id);
    }

    /// @dev Nobody is bought out for nothing: while a whole share is worth less than a unit of USDC, redemptions wait.
    function _redeemable(Flow memory f) private pure returns (bool) {
        return f.bid > 0 && _assetsFor(ONE_SHARE, uint256(f.bid), f.supply) != 0;
    }

    // ------------------------------------------------------------------ internal: parameters

    function _setParameters(VaultParameters memory p) private {
        valuer.checkParameters(p);
        _parameters = p;
        (_clock.window, _clock.minDeposit) = (p.epochWindow, uint40(p.minDeposit));
        _clock.minRedeem = uint32(p.minRedeem / REDEEM_UNIT);
        emit VaultParametersSet(p);
    }
}
