// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title The hedge that survives its keeper: armed and run by anyone, sized on-chain.
/// @notice `arm` records that |delta| is over the emergency band, or over the keeper's band with no rebalance that ended
/// inside it for `silence`. From `wait` after that, or at once while the keeper's budget is spent, and until the arming
/// lapses, anyone may run slices: to the band's edge and no further, each at most `slice`, a pause apart, not in a second
/// with a trade of the vault, at a tighter slippage than the keeper's. What slices lose comes out of a reserve that
/// `rebalance` cannot touch; it refills with time, and a slice is cut to what it could lose of it, so that it is never
/// blocked. The bounty grows from zero while nobody comes, counts the filled share of a slice, and is paid from what was
/// funded for it; without that the hedge goes on unpaid.
/// No state of the oracle, age of the surface, parameter or empty budget stops it (I-07): only the absence of any price.
interface IHedgeFallback {
    /// @param emergencyBand WAD ETH of |net delta|.
    /// @param silence
    /// @param wait
    /// @param lapse seconds from arming after which it must be armed anew.
    /// @param pause seconds between slices. What says when: one slot.
    /// @param slice WAD ETH, the most of one run.
    /// @param maxSlippage WAD share of the hedge price, fees included; never more than the keeper's.
    /// @param spentShare WAD share of the budget's cap; below it the budget counts as spent.
    /// @param reserveCap WAD USD that slices can lose at once.
    /// @param reserveRefill WAD USD per second.
    /// @param bountyRamp seconds in which the bounty grows to its cap.
    /// @param bountyCap WAD USD for a full slice.
    struct FallbackParameters {
        uint128 emergencyBand;
        uint32 silence;
        uint32 wait;
        uint32 lapse;
        uint32 pause;
        uint128 slice;
        uint64 maxSlippage;
        uint64 spentShare;
        uint128 reserveCap;
        uint64 reserveRefill;
        uint32 bountyRamp;
        uint128 bountyCap;
    }

    /// @notice What a caller needs to know, as of now.
    /// @param armedAt unix seconds, 0 while it is not.
    /// @param readyAt unix seconds from which a slice may run, 0 while it is not armed.
    /// @param insideAt when a rebalance, a slice or a call of `arm` last found or left the delta inside the band.
    /// @param slicedAt of the last slice.
    /// @param reserve WAD USD left.
    /// @param bounty WAD USD for a full slice now.
    struct FallbackStatus {
        uint256 armedAt;
        uint256 readyAt;
        uint256 insideAt;
        uint256 slicedAt;
        uint256 reserve;
        uint256 bounty;
    }

    event Armed(int256 delta, address by);
    event Disarmed(int256 delta);
    event FallbackHedged(
        address indexed by,
        address indexed venue,
        int256 deltaBefore,
        int256 deltaAfter,
        int256 filledBase,
        int256 navChange,
        uint256 reserveLeft,
        uint256 bounty
    );
    /// @notice A venue that reverted or filled nothing; the next one is tried.
    event FallbackVenueSkipped(address indexed venue);
    event VenueDefended(address indexed venue, uint256 healthBefore, uint256 healthAfter, int256 filledBase);
    event BountiesFunded(address indexed from, uint256 usdc);
    event FallbackParametersSet(FallbackParameters parameters);
    event FallbackVenuesSet(address[] venues);

    error NothingToArm(int256 delta, uint256 band, uint256 since);
    error NotArmed(uint256 armedAt);
    error FallbackNotReady(uint256 readyAt, uint256 nowAt);
    error SameBlockAsTrade(uint256 tradedAt);
    error DeltaInsideBand(int256 delta, uint256 band);
    error NoVenueFilled(int256 wanted);
    error FallbackGasLow(uint256 left);
    error TooManyFallbackVenues(uint256 count, uint256 limit);
    error FallbackVenueUnfit(address venue);
    error VenueHealthy(address venue, uint256 health, uint256 floor);
    error VenueNotDefended(address venue, uint256 healthBefore, uint256 healthAfter);
    error UpkeepUnknown(bytes data);
    error FallbackParameterOutOfRange(string name, uint256 value, uint256 low, uint256 high);

    /// @notice Arms, or disarms where the delta is inside the band. Anyone.
    function arm() external;

    /// @notice One slice. Anyone; the bounty goes to the caller.
    function fallbackHedge() external;

    /// @notice Restores a venue whose health is below the keeper's floor: collateral from the vault's cash, or where that
    /// is short a slice of the position closed out of its own collateral. Anyone.
    function defend(address venue) external;

    /// @notice Chainlink Automation's question: whether `performUpkeep` would do something, and with which data.
    function checkUpkeep(bytes calldata) external view returns (bool needed, bytes memory data);

    /// @notice Does what `checkUpkeep` said; all is checked again. Anyone.
    function performUpkeep(bytes calldata data) external;

    /// @notice Adds USDC of the caller, in token units, to what bounties are paid from.
    function fundBounties(uint256 usdc) external;

    function status() external view returns (FallbackStatus memory);

    function parameters() external view returns (FallbackParameters memory);

    /// @notice In the order in which sales try them; purchases go the other way, so that shorts are bought back first.
    function venues() external view returns (address[] memory);

    /// @notice Governance only.
    function setParameters(FallbackParameters calldata p) external;

    /// @notice Governance only; venues of the home underlying.
    function setVenues(address[] calldata venues_) external;
}
