"""External addresses and roles of a network: scripts/networks/<name>.toml, or a development chain's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Self

from eth_utils import to_checksum_address
from pydantic import Field, model_validator

from keeper.errors import ConfigError
from scripts.deployment.configuration import Address, Section, read_toml

FOLDER = Path(__file__).resolve().parents[1] / "networks"
DEVELOPMENT_CHAIN_IDS = frozenset({31337, 1337})
PARAMETER_FILE = "parameters"
GUARDIANS, GUARDIAN_THRESHOLD = 3, 2  # owners of a development chain's Safe, and how many must sign
MULTICALL3 = "0xcA11bde05977b3631167028862bE2a173976CA11"  # the same on every public network


class External(Section):
    """Contracts of others that the desk stands on.

    `uniswap_pool` trades USDC against WETH and is what the oracle holds the feed to; `more_uniswap_pools`, of other fee
    tiers, only take hedges.
    `feed` and `usdc_feed` are Chainlink's ETH/USD and USDC/USD, `sequencer_feed` its uptime feed of a rollup's
    sequencer, empty where the chain has none. The two of Perpetual Curie are both named or neither.
    """

    usdc: Address
    weth: Address
    feed: Address
    usdc_feed: Address
    sequencer_feed: Address | None = None
    uniswap_pool: Address
    more_uniswap_pools: Annotated[tuple[Address, ...], Field(max_length=3)] = ()
    aave_pool: Address
    perp_clearing_house: Address | None = None
    perp_base_token: Address | None = None
    multicall3: Address = MULTICALL3

    @property
    def pools(self) -> tuple[str, ...]:
        """Every pool that hedges may go through."""
        return (self.uniswap_pool, *self.more_uniswap_pools)

    def addresses(self) -> dict[str, str]:
        """By name, for a deployment's record."""
        single = self.model_dump(exclude_none=True, exclude={"more_uniswap_pools"})
        further = {f"uniswap_pool_{n}": pool for n, pool in enumerate(self.pools[1:], 2)}
        return single | further

    @model_validator(mode="after")
    def _pools_differ(self) -> Self:
        if len(set(self.pools)) < len(self.pools):
            raise ValueError("uniswap_pool and more_uniswap_pools must name each pool once")
        return self

    @model_validator(mode="after")
    def _perp_is_whole(self) -> Self:
        if (self.perp_clearing_house is None) != (self.perp_base_token is None):
            raise ValueError("perp_clearing_house and perp_base_token belong together")
        return self


class Expected(Section):
    """What the external contracts must say of themselves. The pool's fee is in 1e-6 of a trade."""

    usdc_symbol: str = "USDC"
    weth_symbol: str = "WETH"
    feed_decimals: Annotated[int, Field(ge=0, le=18)] = 8
    usdc_feed_decimals: Annotated[int, Field(ge=0, le=18)] = 8
    uniswap_fee: Annotated[int, Field(gt=0, lt=1_000_000)] = 500
    min_pool_weth: Annotated[int, Field(ge=0)] = 1


class Operators(Section):
    """Who may do what inside bounds. Governance is nobody's key: the deployment makes it a contract."""

    keeper: Address
    committer: Address
    lister: Address
    quoter: Address


class Roles(Operators):
    """With the guardian, a Safe, which vetoes changes of addresses and roles."""

    guardian: Address


class Sending(Section):
    """How transactions are awaited."""

    confirmations: Annotated[int, Field(ge=1, le=64)] = 2
    timeout_s: Annotated[float, Field(gt=0, le=86_400)] = 900.0


class NetworkFile(Section):
    """The whole of a network file."""

    chain_id: Annotated[int, Field(gt=0)]
    external: External
    roles: Roles
    expected: Expected = Expected()
    sending: Sending = Sending()


def load_network(name: str, folder: Path = FOLDER) -> NetworkFile:
    """The file of a network that is not a development chain. Raises ConfigError with what to do."""
    known = sorted(path.stem for path in folder.glob("*.toml") if path.stem != PARAMETER_FILE)
    if name not in known:
        raise ConfigError(
            f"unknown network {name!r}: write {folder / name}.toml as docs/deployment.md says, or use "
            f"one of {', '.join(['development', *known])}"
        )
    network = read_toml(folder / f"{name}.toml", NetworkFile)
    if network.chain_id in DEVELOPMENT_CHAIN_IDS:
        raise ConfigError(f"chain id {network.chain_id} is a development chain: it needs no file")
    return network


def development_operators(accounts: Sequence[str]) -> Operators:
    """The second account is keeper, committer, lister and quoter."""
    if len(accounts) < 2 + GUARDIANS:
        raise ConfigError(
            f"a development chain needs {2 + GUARDIANS} accounts: deployer, keeper, {GUARDIANS} guardians"
        )
    keeper = to_checksum_address(accounts[1])
    return Operators(keeper=keeper, committer=keeper, lister=keeper, quoter=keeper)


def development_guardians(accounts: Sequence[str]) -> list[str]:
    """The last accounts own the guardian's Safe."""
    return [to_checksum_address(account) for account in accounts[-GUARDIANS:]]
