"""Looks at every external contract before the first own transaction; all faults in one message."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from functools import partial

from keeper.errors import Halt
from scripts.deployment.delivery import DeploymentError, read_contract
from scripts.deployment.external_abi import (
    AAVE_POOL,
    FEED,
    PERP_EXCHANGE,
    PERP_HOUSE,
    PERP_REGISTRY,
    PERP_VAULT,
    POOL,
    SAFE,
    TOKEN,
)
from scripts.deployment.networks import Expected, External
from scripts.deployment.parameters import OracleParameters
from scripts.deployment.rpc import Rpc

USDC_DECIMALS = 6
WETH_DECIMALS = 18
USDC_RANGE = 0.2  # as in contracts/oracle/Listing.sol
TICK_BASE = 1.0001
MIN_THRESHOLD = 2
_ACTIVE, _FROZEN, _BORROWING, _PAUSED = 56, 57, 58, 60  # bits of Aave's reserve configuration
_LTV_MASK = 0xFFFF


class PreflightError(Halt):
    """External contracts are not what the configuration says. Nothing was sent."""


class Preflight:
    """Checks of one network's external contracts; each yields faults as sentences."""

    def __init__(
        self,
        rpc: Rpc,
        external: External,
        expected: Expected,
        oracle: OracleParameters,
        guardian: str | None = None,
    ) -> None:
        self._rpc = rpc
        self._external = external
        self._expected = expected
        self._oracle = oracle
        self._guardian = guardian
        block = rpc.block("latest")
        assert block is not None
        self._now_s = int(block["timestamp"], 16)
        self._feed_price_usd: float | None = None

    def run(self) -> None:
        """Raises PreflightError with every fault found."""
        e, x = self._external, self._expected
        checks: list[tuple[str, str, Callable[[], Iterator[str]]]] = [
            ("usdc", e.usdc, lambda: self._token(e.usdc, USDC_DECIMALS, x.usdc_symbol)),
            ("weth", e.weth, lambda: self._token(e.weth, WETH_DECIMALS, x.weth_symbol)),
            ("feed", e.feed, self._eth_feed),
            ("usdc_feed", e.usdc_feed, self._usdc_feed),
            ("uniswap_pool", e.uniswap_pool, self._pool),
            *(
                ("more_uniswap_pools", pool, partial(self._trades_pair, pool))
                for pool in e.more_uniswap_pools
            ),
            ("aave_pool", e.aave_pool, self._aave),
            ("multicall3", e.multicall3, lambda: iter(())),
        ]
        if e.sequencer_feed is not None:
            checks.append(("sequencer_feed", e.sequencer_feed, self._sequencer))
        house = e.perp_clearing_house
        if house is not None:
            checks.append(("perp_clearing_house", house, lambda: self._perp(house)))
        guardian = self._guardian
        if guardian is not None:
            checks.append(("guardian", guardian, lambda: self._safe(guardian)))
        faults: list[str] = []
        for name, address, check in checks:
            if not self._rpc.code(address):
                faults.append(f"{name} {address}: no contract there; is it of another network?")
                continue
            try:
                faults += [f"{name} {address}: {fault}" for fault in check()]
            except DeploymentError as error:
                faults.append(f"{name} {address}: is not the expected kind of contract: {error}")
        if faults:
            raise PreflightError(
                "nothing was deployed, because external contracts are not as configured:\n  "
                + "\n  ".join(faults)
                + "\ncorrect the network file (or what it expects) and run the same command again"
            )

    def _token(self, address: str, decimals: int, symbol: str) -> Iterator[str]:
        actual = read_contract(self._rpc, address, TOKEN, "decimals")
        if actual != decimals:
            yield f"has {actual} decimals, must have {decimals}; use another token"
        name = read_contract(self._rpc, address, TOKEN, "symbol")
        if name != symbol:
            yield f"calls itself {name!r}, expected {symbol!r}"

    def _safe(self, address: str) -> Iterator[str]:
        threshold = read_contract(self._rpc, address, SAFE, "getThreshold")
        owners = len(read_contract(self._rpc, address, SAFE, "getOwners"))
        if threshold < MIN_THRESHOLD:
            yield f"acts on {threshold} of {owners} signatures, at least {MIN_THRESHOLD} are wanted"

    def _perp(self, house: str) -> Iterator[str]:
        e = self._external
        vault = read_contract(self._rpc, house, PERP_HOUSE, "getVault")
        margin = read_contract(self._rpc, vault, PERP_VAULT, "getSettlementToken")
        if margin != e.usdc:
            yield f"takes {margin} as margin, not the configured usdc"
        exchange = read_contract(self._rpc, house, PERP_HOUSE, "getExchange")
        registry = read_contract(self._rpc, exchange, PERP_EXCHANGE, "getMarketRegistry")
        if not read_contract(self._rpc, registry, PERP_REGISTRY, "hasPool", [e.perp_base_token]):
            yield f"has no market of perp_base_token {e.perp_base_token}"

    def _eth_feed(self) -> Iterator[str]:
        x = self._expected
        self._feed_price_usd = yield from self._feed(
            self._external.feed, x.feed_decimals, self._oracle.max_age_s
        )

    def _usdc_feed(self) -> Iterator[str]:
        x = self._expected
        price = yield from self._feed(
            self._external.usdc_feed, x.usdc_feed_decimals, self._oracle.quote_max_age_s
        )
        if price is not None and abs(price - 1) > USDC_RANGE:
            yield f"answers {price:.4f} USD for a USDC: is it of another asset?"

    def _sequencer(self) -> Iterator[str]:
        feed = self._external.sequencer_feed
        assert feed is not None
        _, answer, started_at, _, _ = read_contract(self._rpc, feed, FEED, "latestRoundData")
        if answer not in (0, 1) or started_at == 0:
            yield f"answers {answer}: 0 means up, 1 down; is it an uptime feed?"

    def _feed(self, feed: str, expected: int, max_age_s: int) -> Generator[str, None, float | None]:
        """Faults of a price feed; returns its price in USD, None when it cannot be told."""
        decimals = read_contract(self._rpc, feed, FEED, "decimals")
        if decimals != expected:
            yield f"has {decimals} decimals, expected {expected}; two scales must never be mixed"
        _, answer, _, updated_at, _ = read_contract(self._rpc, feed, FEED, "latestRoundData")
        if answer <= 0:
            yield f"answers {answer}, which is no price"
        age_s = self._now_s - updated_at
        if age_s < 0:
            yield f"its last round is {-age_s} s in the future"
        elif age_s > max_age_s:
            yield f"its last round is {age_s} s old, at most {max_age_s} are allowed"
        return answer / 10**decimals if answer > 0 and decimals == expected else None

    def _pool(self) -> Iterator[str]:
        pool = self._external.uniswap_pool
        if not (yield from self._trades_pair(pool)):
            return
        fee = read_contract(self._rpc, pool, POOL, "fee")
        if fee != self._expected.uniswap_fee:
            yield f"has a fee of {fee}e-6, expected {self._expected.uniswap_fee}e-6"
        yield from self._history()

    def _trades_pair(self, pool: str) -> Generator[str, None, bool]:
        """Faults of any pool; returns whether it is one of the two tokens at all."""
        e = self._external
        tokens = {read_contract(self._rpc, pool, POOL, name) for name in ("token0", "token1")}
        if tokens != {e.usdc, e.weth}:
            yield f"trades {' and '.join(sorted(tokens))}, not the configured usdc and weth"
            return False
        if read_contract(self._rpc, pool, POOL, "liquidity") == 0:
            yield "has no liquidity at its price"
        if self._rpc.code(e.weth):
            held = read_contract(self._rpc, e.weth, TOKEN, "balanceOf", [pool]) // 10**WETH_DECIMALS
            if held < self._expected.min_pool_weth:
                yield f"holds {held} WETH, at least {self._expected.min_pool_weth} are wanted"
        return True

    def _history(self) -> Iterator[str]:
        window_s = self._oracle.twap_window_s
        try:
            ticks, _ = read_contract(
                self._rpc, self._external.uniswap_pool, POOL, "observe", [[window_s, 0]]
            )
        except DeploymentError:
            yield (
                f"has no price history of {window_s} s: call increaseObservationCardinalityNext "
                f"on it and wait that long"
            )
            return
        weth_first = int(self._external.weth, 16) < int(self._external.usdc, 16)
        mean = TICK_BASE ** ((ticks[1] - ticks[0]) / window_s)
        price = (mean if weth_first else 1 / mean) * 10 ** (WETH_DECIMALS - USDC_DECIMALS)
        feed = self._feed_price_usd
        if feed is not None and abs(price / feed - 1) > float(self._oracle.max_deviation):
            yield (
                f"its mean price {price:.2f} is {price / feed - 1:+.1%} off the feed's {feed:.2f}, "
                f"more than {self._oracle.max_deviation}"
            )

    def _aave(self) -> Iterator[str]:
        e = self._external
        provider = read_contract(self._rpc, e.aave_pool, AAVE_POOL, "ADDRESSES_PROVIDER")
        if not self._rpc.code(provider):
            yield f"names {provider} as its addresses provider, where there is no contract"
        for name, token in (("usdc", e.usdc), ("weth", e.weth)):
            bits = read_contract(self._rpc, e.aave_pool, AAVE_POOL, "getConfiguration", [token])
            if not bits >> _ACTIVE & 1:
                yield f"has no active reserve of {name} {token}"
                continue
            if bits >> _FROZEN & 1:
                yield f"its reserve of {name} is frozen"
            if bits >> _PAUSED & 1:
                yield f"its reserve of {name} is paused"
            if name == "usdc" and not bits & _LTV_MASK:
                yield "does not take usdc as collateral"
            if name == "weth" and not bits >> _BORROWING & 1:
                yield "does not lend weth"
