"""The protocols' own artifacts on the chain in this process: what scripts/components deploys on a node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scripts.components.artifacts import AAVE, UNISWAP_CORE, UNISWAP_PERIPHERY, UNISWAP_ROUTER
from scripts.deployment import abi as codec
from scripts.deployment.artifacts import Artifact
from tests.stateful.core_revm import Proxy
from tests.stateful.revm import Chain, Contract

ETHER = 10**24


class RevmRunner:
    """scripts.components.runner.Runner on a Chain: each named step once, from one account with ether to wrap."""

    def __init__(self, chain: Chain, account: str) -> None:
        self.chain, self.account = chain, account
        self._addresses: dict[str, str] = {}
        self._done: set[str] = set()
        chain.evm.set_balance(account, ETHER)

    def deploy(
        self,
        name: str,
        artifact: Artifact,
        args: Sequence[Any] = (),
        libraries: Mapping[str, str] | None = None,
    ) -> str:
        """Address of the new contract. Raises RuntimeError where creation reverts."""
        if name not in self._addresses:
            code = artifact.creation_code(args, libraries)
            self._addresses[name] = self.chain.evm.deploy(self.account, code)
        return self._addresses[name]

    def call(
        self,
        name: str,
        address: str,
        abi: codec.Abi,
        function: str,
        args: Sequence[Any] = (),
        value: int = 0,
    ) -> None:
        """Send the call. Raises RuntimeError where it reverts."""
        if name not in self._done:
            data = codec.encode_call(abi, function, args)
            self.chain.evm.message_call(self.account, address, data, value=value)
            self._done.add(name)

    def read(self, address: str, abi: codec.Abi, function: str, args: Sequence[Any] = ()) -> Any:
        """Result of a view."""
        data = codec.encode_call(abi, function, args)
        out = self.chain.evm.message_call(self.account, address, data, is_static=True)
        return codec.decode_result(abi, function, len(args), bytes(out))


def packaged(chain: Chain, package: str, source: str, address: str) -> Proxy:
    """A deployed contract of a package by its source path below `contracts`."""
    name = source.rpartition("/")[2]
    return Proxy(Contract(chain, f"{package}/artifacts/contracts/{source}.sol/{name}", address))


def uniswap_factory(chain: Chain, address: str) -> Proxy:
    return packaged(chain, UNISWAP_CORE, "UniswapV3Factory", address)


def uniswap_pool(chain: Chain, address: str) -> Proxy:
    return packaged(chain, UNISWAP_CORE, "UniswapV3Pool", address)


def uniswap_positions(chain: Chain, address: str) -> Proxy:
    return packaged(chain, UNISWAP_PERIPHERY, "NonfungiblePositionManager", address)


def uniswap_router(chain: Chain, address: str) -> Proxy:
    return packaged(chain, UNISWAP_ROUTER, "SwapRouter02", address)


def aave_pool(chain: Chain, address: str) -> Proxy:
    return packaged(chain, AAVE, "protocol/pool/Pool", address)
