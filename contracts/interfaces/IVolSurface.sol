// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Implied volatility by expiry: one raw SVI slice and one carry rate each, in two slots.
/// @notice A slice is total variance at the moment of its commit; between commits implied volatility stays as it was,
/// so total variance runs down in proportion to time left. forward = spot x exp(carry x tau); the discount factor is 1.
interface IVolSurface {
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
    struct SurfaceParameters {
        uint64 minVol;
        uint64 maxVol;
        uint64 maxCarry;
        uint64 maxSpotDeviation;
    }

    event SurfaceCommitted(uint16 indexed underlying, uint256 referenceSpot, SliceInput[] slices);
    event CommitterSet(address committer);
    event SurfaceParametersSet(SurfaceParameters parameters);

    error OnlyCommitter(address caller);
    error SlicesEmpty();
    error SlicesUnsorted(uint40 previous, uint40 next);
    error SliceExpired(uint40 expiry, uint256 nowAt);
    error AtmVolOutOfRange(uint40 expiry, uint256 vol, uint256 low, uint256 high);
    error CarryOutOfRange(int64 carry, int64 limit);
    error SurfaceParameterOutOfRange(string name, uint256 value, uint256 low, uint256 high);
    error ReferenceSpotOff(uint256 referenceSpot, uint256 spot, uint256 maxDeviation);

    /// @notice Commits every expiry of an underlying in one call. Committer only.
    /// @param referenceSpot USD in WAD, the spot the slices were made for; must be near the oracle's.
    function commit(uint16 underlying, uint256 referenceSpot, SliceInput[] calldata slices) external;

    /// @notice Names who may commit. Governance only.
    function setCommitter(address committer_) external;

    /// @notice Governance only; every field has a hard range.
    function setParameters(SurfaceParameters calldata p) external;

    function parameters() external view returns (SurfaceParameters memory);

    function committer() external view returns (address);

    function sliceOf(uint16 underlying, uint40 expiry) external view returns (SliceState memory);

    function slices(uint16 underlying, uint40 expiry) external view returns (SliceState memory, SliceState memory);

    /// @notice Unix seconds of the last commit for the underlying, 0 if none: its age decides what may be done.
    function lastCommit(uint16 underlying) external view returns (uint256);

    /// @notice Forward and volatility for one option now.
    /// @param spot USD in WAD.
    /// @return forward USD in WAD.
    /// @return vol WAD, 0 where no slice was ever committed or the option has expired.
    function volAndForward(
        uint16 underlying,
        uint40 expiry,
        uint256 strike,
        uint256 spot
    ) external view returns (uint256 forward, uint256 vol);
}
