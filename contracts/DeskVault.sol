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
import {IMarketOracle, OracleState} from "./interfaces/IMarketOracle.sol";
import {Greeks, IRiskEngine, Portfolio, Slice} from "./interfaces/IRiskEngine.sol";
import {IVolSurface} from "./interfaces/IVolSurface.sol";
import {IERC7540Deposit, IERC7540Operator, IERC7540Redeem} from "./interfaces/external/IERC7540.sol";
import {IERC7575} from "./interfaces/external/IERC7575.sol";
import {Books} from "./libraries/Books.sol";
import {Notice} from "./libraries/Notice.sol";
import {RequestQueue} from "./libraries/RequestQueue.sol";
import {Leg, SeriesId} from "./libraries/SeriesId.sol";
import {Wad} from "./libraries/Wad.sol";
import {Requests} from "./vault/Requests.sol";

interface IHasUsdc {
    function usdc() external view returns (IERC20);
}

/// @title Deposits and redemptions by epochs. Documented in IDeskVault.
/// @notice With E the NAV used (ask or bid, WAD), S the share supply and V = 1e18 both the virtual shares and the
/// virtual USD, both before the epoch's own flows:
///   a deposit of d USD mints        d (S + V) / (E + V)               shares, rounded down;
///   a redemption of s shares pays   s min((E + V) / (S + V), E / S)   USD, rounded down.
/// The pair (1e6 USDC units, 1e18 shares) makes the first share cost one USD. Because a share has 1e12 units for each
/// unit of USDC, rounding one depositor by one USDC unit takes a NAV of 1e12 USD per share in circulation, and of
/// whatever an attacker gives away to get there the virtual share keeps its part: inflation cannot pay. The minimum
/// keeps the virtual USD out of the payout when a share is below one USD: what is paid is there, and the last to leave
/// is paid like the first. Neither flow lowers min((E + V) / (S + V), E / S) of those who stay (I-04).
contract DeskVault is Requests, AccessManaged {
    using SafeCast for uint256;
    using SafeERC20 for IERC20;
    using Books for Portfolio;
    using RequestQueue for RequestQueue.Queue;

    /// @dev What one epoch does. NAVs in WAD USD, signed before they are floored; the rest in token units.
    struct Flow {
        int256 mid;
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
    /// @dev For so long an epoch waits for the settlement price of an expired leg.
    uint256 private constant PROOF_WAIT = 1 days;
    uint256 private constant MAX_SUPPLY = type(uint112).max;
    uint256 private constant USDC_SCALE = 1e12;
    uint256 private constant VIRTUAL = 1e18;
    uint256 private constant ONE_SHARE = 1e18;

    IClearinghouse public immutable clearinghouse;
    IMarketOracle public immutable oracle;
    IRiskEngine public immutable engine;
    IVolSurface public immutable surface;
    uint16 public immutable underlying;

    constructor(
        address authority_,
        IClearinghouse clearinghouse_,
        IMarketOracle oracle_,
        IVolSurface surface_,
        uint16 underlying_,
        VaultParameters memory p
    ) AccessManaged(authority_) Requests(IHasUsdc(address(clearinghouse_)).usdc()) {
        if (address(oracle_) == address(0) || address(surface_) == address(0)) revert ZeroAddress();
        clearinghouse = clearinghouse_;
        oracle = oracle_;
        engine = clearinghouse_.engine();
        surface = surface_;
        underlying = underlying_;
        _setParameters(p);
        _clock.epoch = 1;
        _clock.endsAt = (block.timestamp + p.epochLength).toUint40();
    }

    // ------------------------------------------------------------------ epochs

    /// @inheritdoc IDeskVault
    /// @dev Order: prices from the state before; deposits in; free cash read with them in the account, so that they can
    /// pay redemptions but first restore the margin; redemptions out. Each flow is at least fair to those who stay, so
    /// the order moves no price.
    function processEpoch() external nonReentrant {
        Clock memory c = _clock;
        _checkProcessable(c.endsAt);
        Flow memory f = _priced();
        _fillDeposits(f, c.epoch);
        uint256 length = _parameters.epochLength;
        // The grid of ends stays in place; ends that passed unused are skipped.
        _clock.endsAt = (c.endsAt + length * ((block.timestamp - c.endsAt) / length + 1)).toUint40();
        _clock.epoch = c.epoch + 1;
        if (f.assetsIn != 0) {
            _share.mint(f.minted);
            _usdc.forceApprove(address(clearinghouse), f.assetsIn);
            clearinghouse.depositCash(f.assetsIn);
        }
        _fillRedemptions(f, c.epoch);
        _clock.claimableAssets = (c.claimableAssets + f.assetsOut).toUint88();
        int256 invested = f.mid + int256(f.assetsIn * USDC_SCALE) - int256(f.assetsOut * USDC_SCALE);
        _clock.lastAssets = (_floor(invested) / USDC_SCALE).toUint88();
        emit EpochProcessed(c.epoch, _floor(f.bid), _floor(f.ask), f.assetsIn, f.minted, f.burned, f.assetsOut);
        if (f.burned != 0) _share.burn(f.burned);
        if (f.assetsOut != 0) {
            uint256 before = _usdc.balanceOf(address(this));
            clearinghouse.withdrawCash(f.assetsOut, address(this));
            _checkReceived(before, f.assetsOut);
        }
    }

    /// @inheritdoc IDeskVault
    function setParameters(VaultParameters calldata p) external restricted {
        _setParameters(p);
    }

    // ------------------------------------------------------------------ views

    /// @inheritdoc IERC7575
    /// @notice Mid NAV after the last processed epoch, USDC units; never reverts.
    function totalAssets() external view returns (uint256) {
        return _clock.lastAssets;
    }

    /// @inheritdoc IERC7575
    function convertToShares(uint256 assets) external view returns (uint256) {
        return _sharesFor(assets, _lastNav(), _share.totalSupply());
    }

    /// @inheritdoc IERC7575
    function convertToAssets(uint256 shares) external view returns (uint256) {
        return _assetsFor(shares, _lastNav(), _share.totalSupply());
    }

    /// @inheritdoc IDeskVault
    function navBid() external view returns (uint256) {
        (int256 mid, uint256 width) = _nav();
        return _floor(mid - int256(width));
    }

    /// @inheritdoc IDeskVault
    function navAsk() external view returns (uint256) {
        (int256 mid, uint256 width) = _nav();
        return _floor(mid + int256(width));
    }

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
            id == type(IERC7575).interfaceId;
    }

    // ------------------------------------------------------------------ internal: epochs

    function _checkProcessable(uint256 endsAt) private view {
        if (block.timestamp < endsAt) revert EpochNotOver(endsAt, block.timestamp);
        OracleState state = oracle.state(underlying);
        if (state != OracleState.Fresh) revert OracleNotFresh(uint8(state));
        Leg[] memory legs = clearinghouse.legsOf(address(this));
        if (legs.length == 0) return;
        _checkExpiriesProven(legs);
        uint256 age = block.timestamp - surface.lastCommit(underlying);
        uint256 maxAge = _parameters.surfaceMaxAge;
        if (age > maxAge) revert SurfaceTooOld(age, maxAge);
    }

    /// @dev Until its price is proven an expired leg is valued at spot, and whoever knows the round that will settle it
    /// knows by how much that is wrong. Anyone can prove it; where the feed allows no proof, epochs go on after a while.
    function _checkExpiriesProven(Leg[] memory legs) private view {
        uint56 known;
        for (uint256 i = 0; i < legs.length; ++i) {
            SeriesId series = legs[i].series;
            uint256 expiry = series.expiry();
            if (expiry > block.timestamp || series.expiryKey() == known) continue;
            known = series.expiryKey();
            if (block.timestamp >= expiry + PROOF_WAIT) continue;
            if (oracle.settlementPrice(series.underlying(), series.expiry()) == 0) {
                revert ExpiryNotProven(series.underlying(), series.expiry());
            }
        }
    }

    function _priced() private view returns (Flow memory f) {
        uint256 width;
        (f.mid, width) = _nav();
        f.bid = f.mid - int256(width);
        f.ask = f.mid + int256(width);
        f.supply = _share.totalSupply();
    }

    /// @dev Mark value of the account and the half-width of its uncertainty, both WAD USD.
    function _nav() private view returns (int256 mid, uint256 width) {
        Portfolio memory p = clearinghouse.portfolioOf(address(this));
        mid = engine.equity(p, Slice.Fresh);
        Greeks memory g = engine.optionGreeks(underlying, p.legs);
        (int256 base, ) = p.hedge();
        g.delta += base;
        (uint256 spot, ) = oracle.spot(underlying);
        width =
            Wad.mulUp(Wad.abs(g.vega), _parameters.volUncertainty) +
            Wad.mulUp(Wad.mulUp(Wad.abs(g.delta), spot), _parameters.deltaUncertainty);
    }

    /// @dev Nobody joins an account that owes, nor one worth nothing whose shares others still hold: the price would be
    /// arbitrary. Nor does the supply outgrow its field: such a price means a vault that has lost nearly everything.
    function _fillDeposits(Flow memory f, uint256 epoch) private {
        if (f.mid < 0 || (f.mid == 0 && f.supply != 0)) return;
        uint256 id = _deposits.head;
        uint256 end = Math.min(epoch + 1, id + MAX_IDS_PER_EPOCH);
        for (; id < end; ++id) {
            uint256 assets = _deposits.pendingOf(id);
            if (assets == 0) continue;
            uint256 shares = _sharesFor(assets, uint256(f.ask), f.supply);
            if (f.supply + f.minted + shares > MAX_SUPPLY) break;
            _deposits.fill(id, assets, shares);
            f.assetsIn += assets;
            f.minted += shares;
        }
        _deposits.head = uint32(id);
    }

    /// @dev Nobody is bought out for nothing: while a whole share is worth less than a unit of USDC, redemptions wait.
    function _fillRedemptions(Flow memory f, uint256 epoch) private {
        if (f.bid <= 0 || _assetsFor(ONE_SHARE, uint256(f.bid), f.supply) == 0) return;
        uint256 id = _redemptions.head;
        uint256 end = Math.min(epoch + 1, id + MAX_IDS_PER_EPOCH);
        uint256 cash;
        bool known;
        for (; id < end; ++id) {
            uint256 shares = _redemptions.pendingOf(id);
            if (shares == 0) continue;
            if (!known) (cash, known) = (clearinghouse.freeCashOf(address(this)), true);
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

    // ------------------------------------------------------------------ internal: prices and parameters

    function _lastNav() private view returns (uint256) {
        return uint256(_clock.lastAssets) * USDC_SCALE;
    }

    function _sharesFor(uint256 assets, uint256 nav, uint256 supply) private pure returns (uint256) {
        return Math.mulDiv(assets * USDC_SCALE, supply + VIRTUAL, nav + VIRTUAL);
    }

    function _assetsFor(uint256 shares, uint256 nav, uint256 supply) private pure returns (uint256) {
        bool belowOne = nav < supply;
        uint256 value = belowOne
            ? Math.mulDiv(shares, nav, supply)
            : Math.mulDiv(shares, nav + VIRTUAL, supply + VIRTUAL);
        return value / USDC_SCALE;
    }

    function _floor(int256 x) private pure returns (uint256) {
        return x > 0 ? uint256(x) : 0;
    }

    function _setParameters(VaultParameters memory p) private {
        _inRange("epochLength", p.epochLength, 1 hours, Notice.MAX_EPOCH);
        _inRange("surfaceMaxAge", p.surfaceMaxAge, 1 minutes, 1 days);
        _inRange("minDeposit", p.minDeposit, 1e6, 1e11);
        _inRange("minRedeem", p.minRedeem, 1e12, 1e20);
        _inRange("volUncertainty", p.volUncertainty, 0, 1e18);
        _inRange("deltaUncertainty", p.deltaUncertainty, 0, 1e17);
        _parameters = p;
        emit VaultParametersSet(p);
    }

    function _inRange(string memory name, uint256 value, uint256 low, uint256 high) private pure {
        if (value < low || value > high) revert VaultParameterOutOfRange(name, value, low, high);
    }
}
