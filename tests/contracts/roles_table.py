"""I-11: who may call each external function that changes state, and the error that everybody else gets.

By hand on purpose. A new function fails test_roles.py by its name until somebody has decided.
"""

# Who may call. ANYONE acts for anybody, OWNER only ever on what is the caller's own.
ANYONE, OWNER = "anyone", "owner"
GOVERNOR, LISTER, AUTHORITY, ADMIN = "governor", "lister", "authority", "admin"
LIQUIDATOR = "liquidator"
GUARDIAN = "guardian"
ADDRESSES, GOVERNANCE, PROPOSER = "addresses", "governance", "proposer"
KEEPER, COMMITTER, MARKET, HEDGE_MANAGER = "keeper", "committer", "market", "hedge manager"
FALLBACK, VENUE = "fallback hedge", "venue of the order"
QUOTER, MAKER = "quoter", "maker"
CLEARINGHOUSE, POOL, VAULT, OPERATOR = "clearinghouse", "pool", "vault", "owner or operator"

REFUSAL = {
    GOVERNOR: "AccessManagedUnauthorized",
    LISTER: "AccessManagedUnauthorized",
    LIQUIDATOR: "AccessManagedUnauthorized",
    GUARDIAN: "AccessManagedUnauthorized",
    ADDRESSES: "AccessManagedUnauthorized",
    GOVERNANCE: "GovernorOnlyExecutor",
    PROPOSER: "GovernorInsufficientProposerVotes",
    AUTHORITY: "AccessManagedUnauthorized",
    ADMIN: "AccessManagerUnauthorizedAccount",
    KEEPER: "OnlyKeeper",
    COMMITTER: "OnlyCommitter",
    QUOTER: "OnlyQuoter",
    MAKER: "OnlyMaker",
    MARKET: "OnlyMarket",
    HEDGE_MANAGER: "OnlyHedgeManager",
    FALLBACK: "OnlyFallback",
    CLEARINGHOUSE: "VenueOnlyClearinghouse",
    POOL: "VenueOnlyPool",
    VAULT: "OnlyVault",
    OPERATOR: "NotOwnerOrOperator",
}

TABLE: dict[str, dict[str, str]] = {
    "MarketOracle": {
        "registerMarket": ADDRESSES,
        "proposeFeed": ADDRESSES,
        "acceptFeed": GOVERNOR,
        "cancelFeed": GUARDIAN,
        "setSequencer": ADDRESSES,
        "setParameters": GOVERNOR,
        "proveSettlement": ANYONE,
        "proveSettlementAcross": ANYONE,
        "recordTwap": ANYONE,
        "settleByTwap": ANYONE,
        "poke": ANYONE,
        "pokeAcross": ANYONE,
        "setAuthority": AUTHORITY,
    },
    "VolSurface": {
        "commit": COMMITTER,
        "setCommitter": ADDRESSES,
        "setParameters": GOVERNOR,
        "resetAnchor": GOVERNOR,
        "setAuthority": AUTHORITY,
    },
    "RiskEngine": {"setParameters": GOVERNOR, "setAuthority": AUTHORITY},
    "Clearinghouse": {
        "depositCash": OWNER,
        "withdrawCash": OWNER,
        "withdrawFreeCash": OWNER,
        "depositBase": OWNER,
        "withdrawBase": OWNER,
        "trade": MARKET,
        "wrap": MARKET,
        "unwrap": MARKET,
        "payWrapped": MARKET,
        "sellSlice": MARKET,
        "tradeOnVenue": HEDGE_MANAGER,
        "touchVenue": ANYONE,
        "convert": ANYONE,
        "finalise": ANYONE,
        "claim": ANYONE,
        "cure": ANYONE,
        "accrue": ANYONE,
        "fundInsurance": ANYONE,
        "setMarket": ADDRESSES,
        "setVault": ADDRESSES,
        "setVenue": ADDRESSES,
        "unwindVenue": LIQUIDATOR,
        "setDebtParameters": GOVERNOR,
        "setAuthority": AUTHORITY,
    },
    "OptionToken": {
        "wrap": OWNER,
        "unwrap": OWNER,
        "redeem": OWNER,
        "transfer": OWNER,
        "transferFrom": OWNER,
        "approve": OWNER,
        "setOperator": OWNER,
    },
    "LiquidationAuction": {
        "start": ANYONE,
        "open": ANYONE,
        "unwind": ANYONE,
        "cancel": ANYONE,
        "bid": OWNER,  # pays from the caller's account
        "setParameters": GOVERNOR,
        "setAuthority": AUTHORITY,
    },
    "OptionDesk": {
        "trade": OWNER,
        "list": LISTER,
        "delist": ANYONE,
        "setStances": QUOTER,
        "setQuoter": ADDRESSES,
        "setParameters": GOVERNOR,
        "lowerNewRisk": GUARDIAN,
        "setNewRisk": GOVERNOR,
        "setAuthority": AUTHORITY,
    },
    "RfqMarket": {"fill": OWNER, "take": HEDGE_MANAGER, "cancel": MAKER},
    "HedgeManager": {
        "rebalance": KEEPER,
        "advanceEpoch": KEEPER,
        "tradeForFallback": FALLBACK,
        "foundInside": FALLBACK,
        "onOrderEnded": VENUE,
        "cancelOrder": ANYONE,
        "setKeeper": ADDRESSES,
        "setParameters": GOVERNOR,
        "setBands": GOVERNOR,
        "setVenueCap": GOVERNOR,
        "setQuoteAdapter": ADDRESSES,
        "setAsynchronous": ADDRESSES,
        "setOrderTimeout": GOVERNOR,
        "setFallback": ADDRESSES,
        "resetBudget": GOVERNOR,
        "setAuthority": AUTHORITY,
    },
    "HedgeFallback": {
        "arm": ANYONE,
        "fallbackHedge": ANYONE,
        "performUpkeep": ANYONE,
        "defend": ANYONE,
        "fundBounties": OWNER,
        "setParameters": GOVERNOR,
        "setVenues": ADDRESSES,
        "setAuthority": AUTHORITY,
    },
    "DeskVault": {
        "requestDeposit": OPERATOR,
        "requestRedeem": OWNER,  # with the owner's allowance too: escrow checks it
        "deposit(uint256,address)": OWNER,
        "deposit(uint256,address,address)": OPERATOR,
        "mint(uint256,address)": OWNER,
        "mint(uint256,address,address)": OPERATOR,
        "redeem": OPERATOR,
        "withdraw": OPERATOR,
        "cancelDepositRequest": OPERATOR,
        "cancelRedeemRequest": OPERATOR,
        "claimCancelDepositRequest": OPERATOR,
        "claimCancelRedeemRequest": OPERATOR,
        "setOperator": OWNER,
        "processEpoch": ANYONE,
        "windDown": ANYONE,  # once epochs have been missed
        "distribute": ANYONE,  # while winding down, to the holders alone
        "unwindVenue": ANYONE,  # while winding down, after the last expiry
        "surrender": OWNER,  # while winding down; or operator
        "collect": OPERATOR,
        "setParameters": GOVERNOR,
        "setFeeRecipient": ADDRESSES,
        "setAuthority": AUTHORITY,
    },
    "VaultShare": {
        "mint": VAULT,
        "burn": VAULT,
        "escrow": VAULT,
        "transfer": OWNER,
        "transferFrom": OWNER,
        "approve": OWNER,
        "permit": ANYONE,  # with the owner's signature
        "delegate": OWNER,
        "delegateBySig": ANYONE,  # with the owner's signature
    },
    "UniswapSpotVenue": {
        "trade": CLEARINGHOUSE,
        "unwind": CLEARINGHOUSE,
        "uniswapV3SwapCallback": POOL,
    },
    "CuriePerpVenue": {
        "trade": CLEARINGHOUSE,
        "unwind": CLEARINGHOUSE,
        "setParameters": GOVERNOR,
        "setAuthority": AUTHORITY,
    },
    "AaveShortVenue": {
        "trade": CLEARINGHOUSE,
        "unwind": CLEARINGHOUSE,
        "uniswapV3SwapCallback": POOL,
        "dropForeignCollateral": ANYONE,
        "setParameters": GOVERNOR,
        "setAuthority": AUTHORITY,
    },
    "DeskGovernor": {
        "propose": PROPOSER,
        "queue": ANYONE,  # what the vote has decided
        "execute": ANYONE,  # likewise, after its delay
        "cancel": OWNER,  # by its proposer, before voting begins
        "castVote": OWNER,
        "castVoteWithReason": OWNER,
        "castVoteWithReasonAndParams": OWNER,
        "castVoteBySig": ANYONE,  # with the voter's signature
        "castVoteWithReasonAndParamsBySig": ANYONE,  # with the voter's signature
        "relay": GOVERNANCE,
        "setVotingDelay": GOVERNANCE,
        "setVotingPeriod": GOVERNANCE,
        "setProposalThreshold": GOVERNANCE,
        "updateQuorumNumerator": GOVERNANCE,
        "setBaseDelaySeconds": GOVERNANCE,
        "setAccessManagerIgnored": GOVERNANCE,
        "onERC721Received": ANYONE,  # refuses nothing and keeps nothing account of
        "onERC1155Received": ANYONE,
        "onERC1155BatchReceived": ANYONE,
    },
    "DeskAuthority": {
        "labelRole": ADMIN,
        "grantRole": ADMIN,
        "revokeRole": ADMIN,
        "renounceRole": OWNER,
        "setRoleAdmin": ADMIN,
        "setRoleGuardian": ADMIN,
        "setGrantDelay": ADMIN,
        "setTargetFunctionRole": ADMIN,
        "setTargetAdminDelay": ADMIN,
        "setTargetClosed": ADMIN,
        "updateAuthority": ADMIN,
        "schedule": OWNER,  # what the caller may execute
        "execute": OWNER,
        "cancel": OWNER,  # by its scheduler, an admin or the guardian of the role
        "consumeScheduledOp": OWNER,  # by the target itself
        "multicall": ANYONE,  # delegates to itself with the caller's own rights
    },
}
