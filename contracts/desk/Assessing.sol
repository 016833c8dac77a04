// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/* solhint-disable no-inline-assembly */
import {RiskLever} from "../governance/RiskLever.sol";
import {IClearinghouse} from "../interfaces/IClearinghouse.sol";
import {Action, IMarketOracle} from "../interfaces/IMarketOracle.sol";
import {IOptionDesk} from "../interfaces/IOptionDesk.sol";
import {IRiskEngine, Portfolio, Slice} from "../interfaces/IRiskEngine.sol";
import {BookRisk, IBookMarks, LegMark} from "../interfaces/IBookMarks.sol";
import {IVolSurface} from "../interfaces/IVolSurface.sol";
import {IWindDown} from "../interfaces/IWindDown.sol";
import {Books} from "../libraries/Books.sol";
import {Leg, PackedLeg, SeriesId, SeriesIdLib} from "../libraries/SeriesId.sol";
import {Wad} from "../libraries/Wad.sol";
import {DeskPricing} from "./DeskPricing.sol";
import {DeskTerms} from "./DeskTerms.sol";
import {Inventory} from "./Inventory.sol";
import {Stances} from "./Stances.sol";

/// @title Whether the vault may take the other side of some legs, and at what price. Documented in IOptionDesk.
abstract contract Assessing is Stances, RiskLever {
    using Books for Portfolio;

    /// @dev One trade on its way.
    /// @param held the vault's contracts in each leg's series.
    /// @param stances one a leg.
    /// @param before the vault's risk, options and hedges, and
    /// @param later the same after the trade.
    struct Trial {
        DeskParameters p;
        uint16 underlying;
        uint256 spot;
        Portfolio vault;
        int256[] held;
        Stance[] stances;
        BookRisk before;
        BookRisk later;
    }

    /// @dev Sizes below it leave room for every sum that is made of them.
    int128 private constant MAX_SIZE = 1e27;

    IClearinghouse public immutable clearinghouse;
    IMarketOracle public immutable oracle;
    IVolSurface public immutable surface;
    IRiskEngine public immutable engine;
    IBookMarks public immutable bookMarks;
    /// @inheritdoc IOptionDesk
    address public immutable vault;

    mapping(SeriesId series => uint256 place) internal _place;
    DeskTerms internal _terms;

    constructor(
        IClearinghouse clearinghouse_,
        IMarketOracle oracle_,
        IVolSurface surface_,
        IRiskEngine engine_,
        address vault_
    ) {
        clearinghouse = clearinghouse_;
        oracle = oracle_;
        surface = surface_;
        engine = engine_;
        bookMarks = engine_.bookMarks();
        vault = vault_;
    }

    /// @inheritdoc IOptionDesk
    function assess(Leg[] calldata legs, bool hedging) public view returns (Assessment memory a) {
        Trial memory t;
        t.p = _terms.unpack();
        t.underlying = _checkShape(legs);
        t.vault = clearinghouse.portfolioOf(vault);
        t.held = _heldOf(t.vault.legs, legs);
        // Whether risk falls is seen by its marks alone, but what closes no position opens one at any price.
        bool opens = !hedging && !_allClose(t, legs);
        uint256 pool;
        (t.spot, pool) = oracle.twoPrices(t.underlying, opens ? Action.Open : Action.Close);
        LegMark[] memory marks = _mark(t, legs, pool);
        bool safer = hedging ? _lowersRisk(t) : !_grows(t);
        if (!opens && !safer) {
            opens = true;
            oracle.check(t.underlying, Action.Open);
        }
        if (opens) _checkWindDown();
        _checkLegs(t, legs, opens ? IVolSurface.Action.Open : _narrower(hedging));
        if (opens) _checkLimits(t, legs, newRisk());
        a = DeskPricing.price(legs, marks, t.stances, t.before, t.later, t.spot, t.p);
        a.opens = opens;
    }

    /// @dev A vault without code never winds down.
    function _checkWindDown() private view {
        if (vault.code.length != 0 && IWindDown(vault).windingDown()) revert IWindDown.WindingDown();
    }

    /// @inheritdoc IOptionDesk
    function checkUtilisation(Leg[] calldata legs, int256 premium, int256 equity, uint256 initial) public view {
        uint256 limit = _terms.maxUtilisation();
        if (equity > 0 && initial <= Wad.mulDown(limit, uint256(equity))) return;
        Portfolio memory p = clearinghouse.portfolioOf(vault);
        p.cash -= premium;
        PackedLeg[] memory undone = new PackedLeg[](p.legs.length + legs.length);
        for (uint256 i = 0; i < p.legs.length; ++i) undone[i] = p.legs[i];
        for (uint256 i = 0; i < legs.length; ++i) {
            undone[p.legs.length + i] = SeriesIdLib.pack(legs[i].series, legs[i].size);
        }
        p.legs = undone;
        (int256 equityBefore, uint256 initialBefore, ) = engine.margin(p, Slice.Fresh);
        uint256 before = _utilisation(equityBefore, initialBefore);
        uint256 later = _utilisation(equity, initial);
        if (later >= before) revert LimitExceeded("utilisation", before, later, limit);
    }

    // ------------------------------------------------------------------ marks

    /// @dev One underlying in all legs follows from the order: the first and the last agree.
    function _checkShape(Leg[] calldata legs) private pure returns (uint16 underlying) {
        if (legs.length == 0) revert NoLegs();
        underlying = legs[0].series.underlying();
        for (uint256 i = 0; i < legs.length; ++i) {
            SeriesId id = legs[i].series;
            if (id.underlying() != underlying) revert SeriesNotListed(id);
            if (i != 0 && SeriesId.unwrap(id) <= SeriesId.unwrap(legs[i - 1].series)) {
                revert LegsUnsorted(legs[i - 1].series, id);
            }
            int128 size = legs[i].size;
            if (size >= MAX_SIZE || size <= -MAX_SIZE) revert SizeTooLarge(id, size);
        }
    }

    function _mark(Trial memory t, Leg[] calldata legs, uint256 pool) private view returns (LegMark[] memory marks) {
        BookRisk memory change;
        (t.before, change, marks) = bookMarks.ofTrade(t.vault.legs, legs, t.spot, pool);
        (int256 hedged, , ) = t.vault.hedge(t.underlying);
        t.before.delta += hedged * 1e18;
        t.later = BookRisk(t.before.delta + change.delta, t.before.gamma + change.gamma, t.before.vega + change.vega);
    }

    // ------------------------------------------------------------------ which rule

    /// @dev Each leg brings the vault's position nearer to zero and not across. What reduces lets neither |vega| nor
    /// |gamma| grow besides. Delta may: a short that is bought back leaves its hedge behind, which the keeper takes off in
    /// any state of the oracle.
    function _allClose(Trial memory t, Leg[] calldata legs) private pure returns (bool) {
        for (uint256 i = 0; i < legs.length; ++i) {
            if (!_closes(t.held[i], legs[i].size)) return false;
        }
        return true;
    }

    /// @dev What a taker buys the vault sells.
    function _closes(int256 held, int256 size) private pure returns (bool) {
        return size != 0 && (held > 0 ? size > 0 && size <= held : size < 0 && size >= held);
    }

    function _lowersRisk(Trial memory t) private pure returns (bool) {
        if (_grows(t)) return false;
        return Wad.abs(t.later.vega) < Wad.abs(t.before.vega) || Wad.abs(t.later.gamma) < Wad.abs(t.before.gamma);
    }

    function _grows(Trial memory t) private pure returns (bool) {
        return Wad.abs(t.later.vega) > Wad.abs(t.before.vega) || Wad.abs(t.later.gamma) > Wad.abs(t.before.gamma);
    }

    function _narrower(bool hedging) private pure returns (IVolSurface.Action) {
        return hedging ? IVolSurface.Action.Hedge : IVolSurface.Action.Close;
    }

    // ------------------------------------------------------------------ rules

    /// @dev Stances are read on the way, once an expiry.
    function _checkLegs(Trial memory t, Leg[] calldata legs, IVolSurface.Action action) private view {
        t.stances = new Stance[](legs.length);
        uint56 key;
        for (uint256 i = 0; i < legs.length; ++i) {
            SeriesId id = legs[i].series;
            if (action == IVolSurface.Action.Open) _checkOpening(id, Wad.abs(legs[i].size), t.p);
            if (id.expiryKey() == key) {
                t.stances[i] = t.stances[i - 1];
                continue;
            }
            key = id.expiryKey();
            (t.stances[i], ) = _stance(key, t.p.stanceMaxAge);
            if (!surface.usable(t.underlying, id.expiry(), action)) revert SurfaceUnfit(t.underlying, id.expiry());
        }
    }

    function _checkOpening(SeriesId id, uint256 size, DeskParameters memory p) private view {
        if (_place[id] == 0) revert SeriesNotListed(id);
        uint256 cutoff = id.expiry() - p.openCutoff;
        if (block.timestamp >= cutoff) revert PastCutoff(id, cutoff, block.timestamp);
        if (size < p.minSize) revert SizeBelowMinimum(id, size, p.minSize);
    }

    /// @dev Whatever is over its limit may only fall. The guardian's lever makes the limits less; at zero only legs of
    /// which the vault has the other side pass.
    function _checkLimits(Trial memory t, Leg[] calldata legs, uint256 share) private pure {
        if (share == 0) return _checkClosing(t, legs);
        _hold("vega", t.before.vega / 1e18, t.later.vega / 1e18, Wad.mulDown(t.p.vegaLimit, share), t.stances);
        int256 before = _dollarGamma(t.before.gamma, t.spot);
        int256 later = _dollarGamma(t.later.gamma, t.spot);
        _hold("gamma", before, later, Wad.mulDown(t.p.gammaLimit, share), t.stances);
        uint256 most = Wad.mulDown(t.p.expiryLimit, share);
        for (uint256 i = 0; i < legs.length; ) i = _checkExpiry(t, legs, i, most);
    }

    function _checkClosing(Trial memory t, Leg[] calldata legs) private pure {
        for (uint256 i = 0; i < legs.length; ++i) {
            if (!_closes(t.held[i], legs[i].size)) revert OnlyClosing(legs[i].series, t.held[i], legs[i].size);
        }
    }

    function _hold(string memory name, int256 from, int256 to, uint256 limit, Stance[] memory stances) private pure {
        uint256 scale = NEUTRAL;
        for (uint256 i = 0; i < stances.length; ++i) {
            uint256 own = to > 0 ? stances[i].bidLimit : stances[i].askLimit;
            if (own < scale) scale = own;
        }
        _within(name, Wad.abs(from), Wad.abs(to), (limit * scale) / NEUTRAL);
    }

    /// @dev Contracts of one expiry, from the leg `i` on; its stance's side is that of what the vault gets in it.
    function _checkExpiry(
        Trial memory t,
        Leg[] calldata legs,
        uint256 i,
        uint256 limit
    ) private pure returns (uint256 next) {
        uint56 key = legs[i].series.expiryKey();
        Stance memory stance = t.stances[i];
        uint256 before = _gross(t.vault.legs, key);
        uint256 later = before;
        int256 bought = 0;
        for (next = i; next < legs.length && legs[next].series.expiryKey() == key; ++next) {
            int256 held = t.held[next];
            later = later + Wad.abs(held - legs[next].size) - Wad.abs(held);
            bought -= legs[next].size;
        }
        uint256 scale = bought > 0 ? stance.bidLimit : stance.askLimit;
        _within("expiry", before, later, (limit * scale) / NEUTRAL);
    }

    function _within(string memory name, uint256 before, uint256 later, uint256 limit) private pure {
        if (later > limit && later > before) revert LimitExceeded(name, before, later, limit);
    }

    function _dollarGamma(int256 gamma, uint256 spot) private pure returns (int256) {
        int256 size = int256(Inventory.dollarGamma(gamma, spot));
        return gamma < 0 ? -size : size;
    }

    function _utilisation(int256 equity, uint256 initial) private pure returns (uint256) {
        return equity <= 0 ? type(uint256).max : Wad.divUp(initial, uint256(equity));
    }

    // ------------------------------------------------------------------ the vault's legs

    function _heldOf(PackedLeg[] memory book, Leg[] calldata legs) private pure returns (int256[] memory held) {
        held = new int256[](legs.length);
        for (uint256 i = 0; i < legs.length; ++i) held[i] = _held(book, legs[i].series);
    }

    function _held(PackedLeg[] memory book, SeriesId id) private pure returns (int256 size) {
        // Word by word: the compiler would check every index.
        assembly ("memory-safe") {
            let at := add(book, 32)
            for {
                let end := add(at, shl(5, mload(book)))
            } lt(at, end) {
                at := add(at, 32)
            } {
                let leg := mload(at)
                if eq(shl(128, leg), shl(128, id)) {
                    size := sar(128, leg)
                    break
                }
            }
        }
    }

    /// @dev Contracts of an expiry, longs and shorts together.
    function _gross(PackedLeg[] memory book, uint56 key) private pure returns (uint256 size) {
        assembly ("memory-safe") {
            let at := add(book, 32)
            for {
                let end := add(at, shl(5, mload(book)))
            } lt(at, end) {
                at := add(at, 32)
            } {
                let leg := mload(at)
                if eq(shl(200, shr(72, leg)), shl(200, key)) {
                    let negative := sar(255, leg)
                    size := add(size, sub(xor(sar(128, leg), negative), negative))
                }
            }
        }
    }
}
