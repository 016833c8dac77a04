// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Implied volatility by expiry: one raw SVI slice and one carry rate each, in two slots.
/// @notice A slice is total variance at the moment of its commit; between commits implied volatility stays as it was,
/// so total variance runs down in proportion to time left. forward = spot x exp(carry x tau); the discount factor is 1.
///
/// Two slices are served for each expiry: the fresh one of the last commit, and a reference, the newest that has been
/// public for at least `referenceAge`. Who trades, values or tests margin takes the worse of the two for the side that
/// a fresh commit would favour, so that a bent surface earns its bender nothing for that long.
///
/// A commit holds every live expiry of its underlying, so that no old slice can pass as fresh. It is refused unless it
/// is free of butterfly and of calendar arbitrage on the grid of `SviChecks`, and unless every expiry moved no further
/// than its allowance: time earns allowance second by second up to `creditCap`, a move spends what its largest part
/// (level, skew, wings, forward) takes at that part's rate. Over any window each part therefore moves, back and forth
/// taken together, by at most rate x (creditCap + window). Volatility at the money stays within multiples of the
/// realised volatility of the oracle, `realisedLow` and `realisedHigh`; what is outside them, because that ran away or
/// began to count, may stay as it is and come nearer. An estimate that is none, made of too few returns,
/// or older than `realisedMaxDays`, binds nothing. docs/decisions/0008 holds the reasons.
interface IVolSurface {
    /// @notice What somebody wants to do with a slice: its age decides.
    enum Action {
        Open,
        Hedge,
        Close
    }

    /// @param expiry unix seconds.
    /// @param slice as packed by `Svi.pack`.
    /// @param carry WAD per year.
    struct SliceInput {
        uint40 expiry;
        uint256 slice;
        int64 carry;
    }

    /// @param slice packed raw SVI, 0 if never committed.
    /// @param carry WAD per year.
    /// @param committedAt unix seconds.
    struct SliceState {
        uint256 slice;
        int256 carry;
        uint256 committedAt;
    }

    /// @param minVol lower bound of the at-the-money volatility, WAD.
    /// @param maxVol upper bound, WAD.
    /// @param maxCarry WAD per year, either sign.
    /// @param maxSpotDeviation WAD share by which a commit's reference spot may differ from the oracle's.
    /// @param levelRate most relative move of the variance at the money in an hour at 30 days and more, WAD; about twice
    /// as much as of volatility. At 7 days times sqrt(30/7), at a day and less times sqrt(30), the inverse linear between.
    /// @param skewRate most move in an hour of w(z)/w(0) at one standard deviation either side, WAD, scaled likewise.
    /// @param wingRate the same at three standard deviations.
    /// @param forwardRate most move of forward over spot in an hour, WAD share, at any tenor.
    /// @param realisedLow least multiple of the realised volatility that volatility at the money may fall to, WAD.
    /// @param realisedHigh most multiple that it may rise to. Beyond either it may only come nearer.
    /// @param creditCap seconds of allowance that silence can save up.
    /// @param referenceAge seconds a slice must have been public to be served as reference; as of the last commit.
    /// @param minTenor seconds before its expiry from which a commit may leave an expiry out.
    /// @param realisedSamples hourly returns that the realised volatility must be made of to be looked at.
    /// @param realisedMaxDays days for which it is looked at after its last sample.
    /// @param listingCredit seconds of allowance of a new expiry, against what its neighbours say.
    /// @param openMaxAge seconds a slice may be old to open risk on it.
    /// @param hedgeMaxAge seconds, to hedge.
    /// @param closeMaxAge seconds, to close.
    /// @param dailyDays days ahead within which an expiry may fall on any day.
    /// @param weeklyDays days ahead within which it may fall on any Friday.
    /// @param monthlyDays days ahead within which it may fall on the last Friday of a month.
    struct SurfaceParameters {
        uint64 minVol;
        uint64 maxVol;
        uint64 maxCarry;
        uint64 maxSpotDeviation;
        uint64 levelRate;
        uint64 skewRate;
        uint64 wingRate;
        uint64 forwardRate;
        uint64 realisedLow;
        uint64 realisedHigh;
        uint32 creditCap;
        uint32 referenceAge;
        uint32 minTenor;
        uint16 realisedSamples;
        uint16 realisedMaxDays;
        uint32 listingCredit;
        uint32 openMaxAge;
        uint32 hedgeMaxAge;
        uint32 closeMaxAge;
        uint16 dailyDays;
        uint16 weeklyDays;
        uint16 monthlyDays;
    }

    /// @param count of expiries; what they are is in the call, and for the longest of three commits in `slices`.
    event SurfaceCommitted(uint16 indexed underlying, uint256 referenceSpot, uint256 count);
    event CommitterSet(address committer);
    event SurfaceParametersSet(SurfaceParameters parameters);
    event AnchorReset(uint16 indexed underlying, uint40 indexed expiry);

    error OnlyCommitter(address caller);
    error SlicesEmpty();
    error TooManyExpiries(uint256 count, uint256 limit);
    error SlicesUnsorted(uint40 previous, uint40 next);
    error SliceExpired(uint40 expiry, uint256 nowAt);
    error LiveExpiryLeftOut(uint40 expiry);
    error ExpiryNotListable(uint40 expiry);
    error ExpiryNotCommitted(uint16 underlying, uint40 expiry);
    error AtmVolOutOfRange(uint40 expiry, uint256 vol, uint256 low, uint256 high);
    error AtmVolOffRealised(uint40 expiry, uint256 vol, uint256 low, uint256 high);
    error CarryOutOfRange(int64 carry, int64 limit);
    error MoveTooFast(uint40 expiry, uint256 secondsNeeded, uint256 secondsEarned);
    error SurfaceParameterOutOfRange(string name, uint256 value, uint256 low, uint256 high);
    error ReferenceSpotOff(uint256 referenceSpot, uint256 spot, uint256 maxDeviation);

    /// @notice Commits every live expiry of an underlying in one call, ascending. Committer only.
    /// @param referenceSpot USD in WAD, the spot the slices were made for; must be near the oracle's.
    function commit(uint16 underlying, uint256 referenceSpot, SliceInput[] calldata slices) external;

    /// @notice Names who may commit. Governance only.
    function setCommitter(address committer_) external;

    /// @notice Governance only; every field has a hard range.
    function setParameters(SurfaceParameters calldata p) external;

    /// @notice Lets the next commit move one expiry as far as the hard ranges go; the reference slice stays behind for
    /// `referenceAge` as ever. For a market that ran away from a dead keeper. Governance only.
    function resetAnchor(uint16 underlying, uint40 expiry) external;

    function parameters() external view returns (SurfaceParameters memory);

    function committer() external view returns (address);

    /// @notice The fresh slice.
    function sliceOf(uint16 underlying, uint40 expiry) external view returns (SliceState memory);

    /// @notice Both slices. Where nothing of the expiry is old enough yet the reference is the fresh slice, and its
    /// `committedAt` says so; `usable` for Open is false until it is.
    function slices(
        uint16 underlying,
        uint40 expiry
    ) external view returns (SliceState memory fresh, SliceState memory aged);

    /// @notice Unix seconds of the last commit for the underlying, 0 if none.
    function lastCommit(uint16 underlying) external view returns (uint256);

    /// @notice When the three slices kept for each expiry were committed; 0 if none. The pending one becomes the
    /// reference at `referenceAge`, so whoever watches the committer watches it too.
    function commitTimes(uint16 underlying) external view returns (uint256 fresh, uint256 pending, uint256 aged);

    /// @notice Expiries of the last commit, ascending, expired ones included.
    function expiries(uint16 underlying) external view returns (uint40[] memory);

    /// @notice Seconds since the commit of the fresh slice; the largest number where there is none.
    function age(uint16 underlying, uint40 expiry) external view returns (uint256);

    /// @notice Whether the fresh slice is young enough for an action. To open risk a reference of full age is needed too.
    function usable(uint16 underlying, uint40 expiry, Action action) external view returns (bool);

    /// @notice Seconds of allowance that a commit of a listed expiry would have now; the largest number after a reset.
    function credit(uint16 underlying, uint40 expiry) external view returns (uint256);

    /// @notice Whether the rule lets a commit add this expiry now.
    function listable(uint40 expiry) external view returns (bool);

    /// @notice Forward and volatility for one option now, by the fresh slice.
    /// @param spot USD in WAD.
    /// @return forward USD in WAD.
    /// @return vol WAD, 0 where no slice was ever committed or the option has expired.
    function volAndForward(
        uint16 underlying,
        uint40 expiry,
        uint256 strike,
        uint256 spot
    ) external view returns (uint256 forward, uint256 vol);

    /// @notice The same by the fresh and by the reference slice.
    function volsAndForwards(
        uint16 underlying,
        uint40 expiry,
        uint256 strike,
        uint256 spot
    ) external view returns (uint256 freshForward, uint256 freshVol, uint256 agedForward, uint256 agedVol);

    /// @notice Forward and volatility for any expiry ahead, from the last commit: linear in expiry in total variance at
    /// equal ln(K / F), and in carry x time, between two slices; at the volatility and the carry of the nearest slice
    /// before the first and beyond the last. Free of calendar arbitrage where the slices are.
    /// @return forward USD in WAD.
    /// @return vol WAD, 0 where nothing was ever committed or the expiry has passed.
    function interpolated(
        uint16 underlying,
        uint40 expiry,
        uint256 strike,
        uint256 spot
    ) external view returns (uint256 forward, uint256 vol);
}
