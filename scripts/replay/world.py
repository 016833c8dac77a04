"""The world of a replay: a node with everything deployed, the keeper's key, and people with money."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from keeper.chain.deployment import Deployment
from keeper.chain.keystore import create_keystore
from scripts.components import market
from scripts.components.artifacts import AAVE, packaged
from scripts.deployment.development import FeeTier, Market
from scripts.deployment.networks import Operators
from scripts.deployment.parameters import Parameters, load_parameters
from scripts.deployment.run import Options, deploy_development
from scripts.replay.chain import ReplayChain, Target

DEPLOYER, COMMITTER, MAKER, BUYER, SELLER, ANYONE, FIRST_DEPOSITOR = range(7)
BOT = 11
OPTION_MAKER = 12
ACCOUNTS = 13
NODE_BALANCE_ETH = 10_000_000
KEEPER_ETH = 1_000
EPOCH_S = 3600
# Everywhere on the curve: about 1,000 ETH move the price by 1 %.
POOL_WETH = 200_000
LENDABLE_WETH = 20_000
# The keystore lives as long as the run and its password is random: the cost of its derivation protects nothing.
KEYSTORE_WORK = 1_000
USDC_UNIT = 10**6
USDC_HEARTBEAT_S = 86_400
ONE_USD_E8 = 10**8
WEI = 10**18


@dataclass(frozen=True, slots=True)
class Contracts:
    """What the actors touch."""

    vault: Target
    share: Target
    clearing: Target
    desk: Target
    surface: Target
    oracle: Target
    hedger: Target
    fallback: Target
    rfq: Target
    feed: Target
    usdc_feed: Target
    usdc: Target
    weth: Target


@dataclass(frozen=True, slots=True)
class World:
    """Everything that stays the same during a replay. `folder` holds record, keystore and journal."""

    chain: ReplayChain
    folder: Path
    record_path: Path
    keystore_path: Path
    keeper: str
    password: str
    deployment: Deployment
    parameters: Parameters
    contracts: Contracts
    router: str
    pools: tuple[str, ...]
    external: dict[str, str]

    @property
    def pool(self) -> str:
        """That of the oracle."""
        return self.pools[0]

    @property
    def underlying(self) -> int:
        """Market id of ETH."""
        return self.deployment.underlying

    @property
    def traders(self) -> list[str]:
        """Who may hold options beside the vault."""
        return [self.chain.account(who) for who in (BUYER, SELLER, OPTION_MAKER)]

    def push_round(self, price_usd: float) -> None:
        """A round of ETH/USD in the next block; one of USDC/USD, at par, where its daily heartbeat is due."""
        answer = int(Decimal(repr(price_usd)).scaleb(8).to_integral_value())
        maker, quote = self.chain.account(MAKER), self.contracts.usdc_feed
        self.chain.send(maker, self.contracts.feed, "updateAnswer", answer)
        if self.chain.now_s() - self.chain.read(quote, "latestTimestamp") >= USDC_HEARTBEAT_S:
            self.chain.send(maker, quote, "updateAnswer", ONE_USD_E8)

    def move_pool(self, price_usd: float) -> None:
        """The arbitrageur brings every pool to the market price."""
        account, price = self.chain.account(MAKER), Decimal(repr(price_usd))
        for pool in self.pools:
            self.chain.pin_base_fee()
            market.move_pool_price(self.chain.web3, pool, self.router, account, price)

    def give_usdc(self, account: str, usd: float) -> int:
        """Development USDC out of nothing; returns token units."""
        units = int(usd * USDC_UNIT)
        market.mint_usdc(
            self.chain.web3, self.contracts.usdc.address, self.chain.account(MAKER), account, units
        )
        return units

    def give_weth(self, account: str, eth: float) -> int:
        """Wraps ether of the account; returns wei."""
        wei = int(eth * WEI)
        market.wrap_weth(self.chain.web3, self.contracts.weth.address, account, wei)
        return wei


def build_world(
    chain: ReplayChain,
    price_usd: float,
    folder: Path,
    say: Callable[[str], None],
    keep_admin: bool = False,
    more_pools: tuple[FeeTier, ...] = (),
    pool_weth: int = POOL_WETH,
    perp_weth: int | None = None,
) -> World:
    """Deploy everything at the first price; the node must be fresh. `folder` is emptied first.

    `keep_admin`, for benches, leaves governance with the deployer.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    password = secrets.token_urlsafe(24)
    keystore = folder / "keeper.json"
    keeper = create_keystore(keystore, password, kdf="pbkdf2", work=KEYSTORE_WORK)
    market.ensure_ether(chain.web3, keeper, KEEPER_ETH * WEI)
    parameters = _parameters()
    record = deploy_development(
        chain.web3,
        operators=_operators(chain, keeper),
        keep_admin=keep_admin,
        market=Market(
            price_usd=Decimal(repr(price_usd)),
            pool_weth=pool_weth,
            more_pools=more_pools,
            lendable_weth=LENDABLE_WETH,
            perp_weth=perp_weth,
        ),
        options=Options(folder=folder, parameters=parameters, say=say),
    )
    chain.steady_clock()
    path = folder / f"{record.chain_id}.json"
    return World(
        chain=chain,
        folder=folder,
        record_path=path,
        keystore_path=keystore,
        keeper=keeper,
        password=password,
        deployment=Deployment.load(path),
        parameters=parameters,
        contracts=_contracts(record.contracts, record.external),
        router=record.external["uniswap_router"],
        pools=tuple(p for name, p in record.external.items() if name.startswith("uniswap_pool")),
        external={
            **record.external,
            "house": record.contracts["Clearinghouse"],
            "authority": record.contracts["AccessManager"],
        },
    )


def _parameters() -> Parameters:
    """Those of scripts/networks, with the shortest epoch: a week of seven-day epochs would process nobody."""
    window = {"epoch_length_s": EPOCH_S, "epoch_window_s": EPOCH_S // 2}
    return load_parameters().with_values(vault=window)


def _operators(chain: ReplayChain, keeper: str) -> Operators:
    committer = chain.account(COMMITTER)
    return Operators(keeper=keeper, committer=committer, lister=committer, quoter=committer)


def _contracts(own: dict[str, str], external: dict[str, str]) -> Contracts:
    erc20 = packaged(AAVE, "mocks/tokens/MintableERC20").abi
    return Contracts(
        vault=Target.own("DeskVault", own["DeskVault"]),
        share=Target.own("VaultShare", own["VaultShare"]),
        clearing=Target.own("Clearinghouse", own["Clearinghouse"]),
        desk=Target.own("OptionDesk", own["OptionDesk"]),
        surface=Target.own("VolSurface", own["VolSurface"]),
        oracle=Target.own("MarketOracle", own["MarketOracle"]),
        hedger=Target.own("HedgeManager", own["HedgeManager"]),
        fallback=Target.own("HedgeFallback", own["HedgeFallback"]),
        rfq=Target.own("RfqMarket", own["RfqMarket"]),
        feed=Target.own("MockV3Aggregator", external["feed"]),
        usdc_feed=Target.own("MockV3Aggregator", external["usdc_feed"]),
        usdc=Target("USDC", external["usdc"], erc20),
        weth=Target("WETH", external["weth"], erc20),
    )
