"""Numbers that tests of the core contracts share, and the parameters they are deployed with."""

WAD = 10**18
USDC = 10**6
UNDERLYING = 1
HOUR = 3600
DAY = 24 * HOUR
FRESH, DEVIATING, STALE, SEQUENCER_DOWN, DEPEGGED = range(5)
FOREVER = 2**63

FEED_DECIMALS = 8
MAX_AGE_S = HOUR
TWAP_WINDOW_S = 1800
MAX_DEVIATION = 2 * 10**16
QUOTE_MAX_AGE_S = 3 * DAY
ZERO_ADDRESS = "0x" + "00" * 20
# In the order of the contracts' structs.
ORACLE_PARAMETERS = (
    2 * 10**16,  # depegBand
    HOUR,  # sequencerGrace
    HOUR,  # phaseWindow
    6 * HOUR,  # roundDeadline
    3 * DAY,  # feedDelay
    3 * DAY,  # halfLife
)
SURFACE_PARAMETERS = (
    5 * 10**16,  # minVol
    4 * WAD,  # maxVol
    WAD // 2,  # maxCarry
    10**16,  # maxSpotDeviation
    WAD // 5,  # levelRate
    WAD // 10,  # skewRate
    WAD // 2,  # wingRate
    5 * 10**15,  # forwardRate
    WAD // 5,  # realisedLow
    5 * WAD,  # realisedHigh
    3 * HOUR,  # creditCap
    HOUR,  # referenceAge
    4 * HOUR,  # minTenor
    48,  # realisedSamples
    7,  # realisedMaxDays
    12 * HOUR,  # listingCredit
    2 * HOUR,  # openMaxAge
    6 * HOUR,  # hedgeMaxAge
    30 * DAY,  # closeMaxAge
    400,  # dailyDays
    400,  # weeklyDays
    400,  # monthlyDays
)
MARGIN_PARAMETERS = (
    2 * 10**17,  # spotMove
    45 * 10**16,  # volUp
    3 * 10**17,  # volDown
    5 * 10**17,  # tailMove
    35 * 10**16,  # tailWeight
    3 * 10**16,  # shortFloor
    10**16,  # contingency
    5 * 10**16,  # baseHaircut
    75 * 10**16,  # maintenanceShare
)
DEBT_PARAMETERS = (
    1_000_000 * WAD,  # cap
    0,  # rate: tests of debts alone set one, so that other books stand still
    5 * 10**16,  # cureDiscount
    60,  # cureRamp
)
# IRiskEngine.Slice, IClearinghouse.Market.
FRESH_SLICE, AGED_SLICE = range(2)
NO_MARKET, DESK, AUCTION, TOKEN = range(4)
DESK_PARAMETERS = (
    2 * 10**16,  # volSpread
    WAD // 2,  # minSpread
    4 * 10**15,  # latencyFloor
    3 * 10**14,  # takerFee
    WAD // 8,  # feeCap
    2 * 10**16,  # vegaSkew
    5 * 10**14,  # gammaSkew
    10**15,  # deltaSkew
    5 * 10**14,  # hedgeFee
    2 * 10**15,  # hedgeImpact
    5 * 10**16,  # rfqBand
    9 * WAD // 10,  # maxUtilisation
    10**6 * WAD,  # vegaLimit
    10**9 * WAD,  # gammaLimit
    1_000 * WAD,  # deltaScale
    10_000 * WAD,  # expiryLimit
    WAD,  # hedgeGas
    WAD // 100,  # minSize
    HOUR,  # openCutoff
    4 * HOUR,  # stanceMaxAge
)
HEDGE_PARAMETERS = (
    WAD // 2,  # band
    WAD // 2,  # minReduction
    10**16,  # maxSlippage
    5 * WAD,  # grossCap
    12 * 10**17,  # minHealth
    5_000 * WAD,  # budgetCap
    WAD // 4,  # budgetRefill
    6 * HOUR,  # surfaceMaxAge
    WAD // 100,  # clip
)
FALLBACK_PARAMETERS = (
    3 * WAD,  # emergencyBand
    2 * HOUR,  # silence
    HOUR // 2,  # wait
    DAY,  # lapse
    60,  # pause
    5 * WAD,  # slice
    5 * 10**15,  # maxSlippage
    WAD // 20,  # spentShare
    1_000 * WAD,  # reserveCap
    WAD // 100,  # reserveRefill
    HOUR,  # bountyRamp
    20 * WAD,  # bountyCap
)
AUCTION_PARAMETERS = (
    HOUR // 2,  # fallTime
    HOUR // 2,  # insuranceTime
    HOUR,  # lapse
    2 * HOUR,  # vaultDelay
    HOUR,  # unwindDelay
    WAD // 100,  # minShare
    50 * WAD,  # bounty
    WAD // 100,  # bountyShare
    WAD // 2,  # insuranceShare
    10 * WAD,  # dust
)
# AccessManager's role of whoever may bring venues home.
LIQUIDATOR = 4
SPOT_USD = 2_000.0
# Room for the blocks of a deployment, a second each.
EARLIER_S = 300
VOL = 0.8
