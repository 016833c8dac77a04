// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {ReentrancyGuard} from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Lots} from "./clearing/Lots.sol";
import {IClearinghouse} from "./interfaces/IClearinghouse.sol";
import {IHedgeVenue} from "./interfaces/IHedgeVenue.sol";
import {ILiquidationAuction} from "./interfaces/ILiquidationAuction.sol";
import {Action, IMarketOracle} from "./interfaces/IMarketOracle.sol";
import {IRiskEngine, Portfolio, Slice} from "./interfaces/IRiskEngine.sol";
import {Wad} from "./libraries/Wad.sol";

/// @title Dutch auction of accounts below maintenance margin. Documented in ILiquidationAuction.
contract LiquidationAuction is ILiquidationAuction, AccessManaged, ReentrancyGuard {
    /// @dev Added to the smallest share: legs round to the wei, and marks to their last digits.
    uint256 private constant ROUNDING = 1e9;

    IClearinghouse public immutable clearinghouse;
    IMarketOracle public immutable oracle;
    IRiskEngine public immutable engine;

    mapping(address account => Auction) private _auctions;
    AuctionParameters private _parameters;

    constructor(
        address authority_,
        IClearinghouse clearinghouse_,
        IMarketOracle oracle_,
        AuctionParameters memory p
    ) AccessManaged(authority_) {
        if (address(clearinghouse_) == address(0) || address(oracle_) == address(0)) revert ZeroAddress();
        clearinghouse = clearinghouse_;
        oracle = oracle_;
        engine = clearinghouse_.engine();
        _setParameters(p);
    }

    // ------------------------------------------------------------------ anyone

    /// @inheritdoc ILiquidationAuction
    function start(address account) external nonReentrant {
        Auction storage a = _auctions[account];
        if (a.phase != Phase.None && !_lapsed(a)) revert AlreadyStarted(account, a.phase, a.since);
        Lots.Lot memory lot = _read(account);
        _requireBelowMaintenance(account, lot);
        bool staged = account == clearinghouse.vault();
        uint96 bounty = _parameters.bounty;
        Phase phase = staged ? Phase.Stage : Phase.Running;
        _auctions[account] = Auction(phase, uint40(block.timestamp), msg.sender, bounty);
        if (staged) emit StageStarted(account, msg.sender);
        else emit AuctionStarted(account, msg.sender, bounty);
    }

    /// @inheritdoc ILiquidationAuction
    function open() external nonReentrant {
        address vault = clearinghouse.vault();
        Auction storage a = _auctions[vault];
        if (a.phase != Phase.Stage || _lapsed(a)) revert NotStaged(vault);
        _requireReached(a.since + _parameters.vaultDelay);
        _requireBelowMaintenance(vault, _read(vault));
        _bringHome();
        Lots.Lot memory lot = _read(vault);
        _requireBelowMaintenance(vault, lot);
        _requireEmpty(lot);
        (a.phase, a.since) = (Phase.Running, uint40(block.timestamp));
        emit AuctionStarted(vault, a.starter, a.bountyLeft);
    }

    /// @inheritdoc ILiquidationAuction
    function unwind(address venue) external nonReentrant {
        address vault = clearinghouse.vault();
        Auction storage a = _auctions[vault];
        if (a.phase == Phase.None || _lapsed(a)) revert NotStaged(vault);
        if (a.phase == Phase.Stage) _requireReached(a.since + _parameters.unwindDelay);
        _requireBelowMaintenance(vault, _read(vault));
        clearinghouse.unwindVenue(venue);
    }

    /// @inheritdoc ILiquidationAuction
    function cancel(address account) external nonReentrant {
        Auction storage a = _auctions[account];
        if (a.phase == Phase.None) revert NotRunning(account);
        if (_lapsed(a)) return _end(account, Ending.Lapsed);
        Lots.Lot memory lot = _read(account);
        if (lot.live != 0 && Lots.belowMaintenance(lot)) {
            revert BelowMaintenance(account, lot.equity[0], lot.maintenance[0]);
        }
        _end(account, Ending.Healthy);
    }

    /// @inheritdoc ILiquidationAuction
    function bid(
        address account,
        uint256 maxShare,
        int256 maxLotPrice,
        bytes32 lotHash,
        uint256 deadline
    ) external nonReentrant returns (uint256 share, int256 price) {
        if (block.timestamp > deadline) revert DeadlinePassed(deadline, block.timestamp);
        if (maxShare == 0 || maxShare > Wad.ONE) revert ShareOutOfRange(maxShare);
        _requireStranger(account);
        (Lots.Lot memory lot, Quote memory q) = _offer(account);
        if (q.healthy) {
            _end(account, Ending.Healthy);
            return (0, 0);
        }
        if (lotHash != bytes32(0) && lotHash != q.lot) revert LotChanged(lotHash, q.lot);
        int256 lotPrice = q.price - int256(q.subsidy);
        if (lotPrice > maxLotPrice) revert PriceAboveLimit(lotPrice, maxLotPrice);
        if (q.share == 0) revert SaleWouldNotHelp(account);
        share = Math.min(maxShare, q.share);
        uint256 least = Math.min(_parameters.minShare, q.share);
        if (share < least) revert ShareTooSmall(share, least);
        price = _sell(account, lot, q, share);
        _endIfRestored(account, share, q.slice);
    }

    // ------------------------------------------------------------------ governance

    /// @inheritdoc ILiquidationAuction
    function setParameters(AuctionParameters calldata p) external restricted {
        _setParameters(p);
    }

    // ------------------------------------------------------------------ views

    /// @inheritdoc ILiquidationAuction
    function parameters() external view returns (AuctionParameters memory) {
        return _parameters;
    }

    /// @inheritdoc ILiquidationAuction
    function auctionOf(address account) external view returns (Auction memory) {
        return _auctions[account];
    }

    /// @inheritdoc ILiquidationAuction
    function quote(address account) external view returns (Quote memory q) {
        (, q) = _terms(account);
    }

    /// @inheritdoc ILiquidationAuction
    function lotOf(address account) external view returns (bytes32) {
        return keccak256(abi.encode(clearinghouse.portfolioOf(account).legs));
    }

    // ------------------------------------------------------------------ internal

    /// @dev The account as both slices mark it, where the oracle allows to liquidate by them.
    function _read(address account) private view returns (Lots.Lot memory lot) {
        lot = Lots.read(clearinghouse.portfolioOf(account), engine);
        _requirePriced(lot.portfolio);
    }

    /// @dev Each underlying once.
    function _requirePriced(Portfolio memory p) private view {
        if (p.base != 0 || p.hedges.length != 0) oracle.check(p.underlying, Action.Liquidate);
        uint256 count = p.legs.length;
        for (uint256 i = 0; i < count; ++i) {
            uint16 underlying = p.legs[i].series().underlying();
            bool seen = underlying == p.underlying && (p.base != 0 || p.hedges.length != 0);
            for (uint256 j = 0; j < i && !seen; ++j) seen = p.legs[j].series().underlying() == underlying;
            if (!seen) oracle.check(underlying, Action.Liquidate);
        }
    }

    /// @dev Venues come home in the same call, whatever has been put into them since: it cannot be stopped by that.
    function _offer(address account) private returns (Lots.Lot memory lot, Quote memory q) {
        (lot, q) = _terms(account);
        if (q.healthy || lot.portfolio.hedges.length == 0) return (lot, q);
        _bringHome();
        (lot, q) = _terms(account);
        _requireEmpty(lot);
    }

    function _terms(address account) private view returns (Lots.Lot memory lot, Quote memory q) {
        Auction storage a = _auctions[account];
        if (a.phase != Phase.Running || _lapsed(a)) revert NotRunning(account);
        lot = _read(account);
        if (lot.live == 0) revert NothingToSell(account);
        q = _quote(a, lot);
    }

    /// @dev The vault takes nobody's risk but by its own trades; an account cannot be its own buyer.
    function _requireStranger(address account) private view {
        if (msg.sender == account) revert SelfBid(account);
        if (msg.sender == clearinghouse.vault()) revert VaultCannotBid(msg.sender);
    }

    function _requireBelowMaintenance(address account, Lots.Lot memory lot) private pure {
        if (lot.live == 0) revert NothingToSell(account);
        if (Lots.belowMaintenance(lot)) return;
        uint256 kind = lot.equity[0] >= int256(lot.maintenance[0]) ? 0 : 1;
        revert AboveMaintenance(account, lot.equity[kind], lot.maintenance[kind]);
    }

    function _requireReached(uint256 from) private view {
        if (block.timestamp < from) revert NotYet(from, block.timestamp);
    }

    function _lapsed(Auction storage a) private view returns (bool) {
        AuctionParameters storage p = _parameters;
        uint256 span = a.phase == Phase.Stage
            ? 2 * uint256(p.vaultDelay)
            : uint256(p.fallTime) + p.insuranceTime + p.lapse;
        return block.timestamp > a.since + span;
    }

    function _quote(Auction storage a, Lots.Lot memory lot) private view returns (Quote memory q) {
        AuctionParameters memory p = _parameters;
        uint256 elapsed = block.timestamp - a.since;
        uint256 kind = lot.equity[1] > lot.equity[0] ? 1 : 0;
        q.equity = lot.equity[kind];
        q.healthy = !Lots.belowMaintenance(lot);
        q.lot = keccak256(abi.encode(lot.portfolio.legs));
        q.price = Lots.price(lot, q.equity, Math.min(elapsed, p.fallTime), p.fallTime);
        if (elapsed > p.fallTime && lot.kept <= int256(uint256(p.dust))) {
            uint256 since = Math.min(elapsed - p.fallTime, p.insuranceTime);
            uint256 most = Wad.mulDown(lot.initial[kind], p.insuranceShare);
            if (q.equity < 0) most += uint256(-q.equity);
            q.subsidy = Math.mulDiv(Math.min(most, _insurance()), since, p.insuranceTime);
        }
        if (q.healthy) return q;
        uint256 fresh = Lots.share(lot, 0, q.price, a.bountyLeft, p.bountyShare);
        uint256 aged = Lots.share(lot, 1, q.price, a.bountyLeft, p.bountyShare);
        bool byAged = aged != 0 && (fresh == 0 || aged < fresh);
        q.slice = byAged ? Slice.Reference : Slice.Fresh;
        q.share = byAged ? aged : fresh;
        if (q.share != 0) q.share = Math.min(q.share + ROUNDING, Wad.ONE);
    }

    function _insurance() private view returns (uint256 insurance) {
        (, , , insurance, ) = clearinghouse.totals();
    }

    /// @return price WAD USD that the bidder pays.
    function _sell(address account, Lots.Lot memory lot, Quote memory q, uint256 share) private returns (int256 price) {
        Auction storage a = _auctions[account];
        int256 own = Wad.mulSignedUp(q.price, int256(share));
        uint256 subsidy = Wad.mulDown(q.subsidy, share);
        uint256 bounty = Math.min(
            a.bountyLeft,
            Wad.mulDown(Wad.mulDown(lot.initial[uint256(q.slice)], share), _parameters.bountyShare)
        );
        uint256 fromAccount = Math.min(bounty, Lots.means(lot, q.equity, q.price, own, share));
        uint256 spare = lot.kept <= int256(uint256(_parameters.dust)) ? _insurance() - subsidy : 0;
        bounty = fromAccount + Math.min(bounty - fromAccount, spare);
        price = own - int256(subsidy);
        a.bountyLeft -= uint96(bounty);
        uint256 fromInsurance = subsidy + bounty - fromAccount;
        emit SliceBought(account, msg.sender, share, price, fromInsurance, bounty);
        clearinghouse.sellSlice(account, msg.sender, share, price, fromInsurance, a.starter, bounty);
    }

    function _endIfRestored(address account, uint256 share, Slice slice) private {
        if (share == Wad.ONE) return _end(account, Ending.SoldOut);
        (int256 equity, , uint256 maintenance) = engine.margin(clearinghouse.portfolioOf(account), slice);
        if (equity >= int256(maintenance)) _end(account, Ending.Restored);
    }

    function _end(address account, Ending ending) private {
        delete _auctions[account];
        emit AuctionEnded(account, ending);
    }

    /// @dev What cannot be unwound is left to `_requireEmpty`: somebody's dust in a venue must not stop an auction.
    function _bringHome() private {
        address[] memory venues = clearinghouse.venues();
        for (uint256 i = 0; i < venues.length; ++i) {
            (int256 base, int256 quoted) = IHedgeVenue(venues[i]).position();
            if (base == 0 && quoted == 0) continue;
            // solhint-disable-next-line no-empty-blocks
            try clearinghouse.unwindVenue(venues[i]) {} catch {}
        }
    }

    function _requireEmpty(Lots.Lot memory lot) private view {
        Portfolio memory p = lot.portfolio;
        if (p.hedges.length == 0) return;
        (uint256 spot, ) = oracle.spot(p.underlying);
        uint256 held;
        for (uint256 i = 0; i < p.hedges.length; ++i) {
            held += Wad.mulUp(Wad.abs(p.hedges[i].base), spot) + Wad.abs(p.hedges[i].quote);
        }
        if (held > _parameters.dust) revert VenuesNotEmpty(held, _parameters.dust);
    }

    function _setParameters(AuctionParameters memory p) private {
        _inRange("fallTime", p.fallTime, 5 minutes, 1 days);
        _inRange("insuranceTime", p.insuranceTime, 5 minutes, 1 days);
        _inRange("lapse", p.lapse, 10 minutes, 7 days);
        _inRange("vaultDelay", p.vaultDelay, 10 minutes, 7 days);
        _inRange("unwindDelay", p.unwindDelay, 0, p.vaultDelay);
        _inRange("minShare", p.minShare, 1e12, 1e17);
        _inRange("bounty", p.bounty, 0, 1_000e18);
        _inRange("bountyShare", p.bountyShare, 0, 5e16);
        _inRange("insuranceShare", p.insuranceShare, 0, 2e18);
        _inRange("dust", p.dust, 1e16, 10_000e18);
        _parameters = p;
        emit AuctionParametersSet(p);
    }

    function _inRange(string memory name, uint256 value, uint256 low, uint256 high) private pure {
        if (value < low || value > high) revert AuctionParameterOutOfRange(name, value, low, high);
    }
}
