"""The core environment of tests/contracts in process: the same wiring, the same calling convention."""

from collections.abc import Sequence
from typing import Any

from tests.contracts.core_env import Core, deploy_core
from tests.stateful import revm

PEOPLE = 5 + 20


def plain(value: Any) -> Any:
    """Contracts as addresses, all the way down."""
    if isinstance(value, Proxy):
        return value.address
    if isinstance(value, list | tuple):
        return type(value)(plain(inner) for inner in value)
    return value


class Proxy:
    """A contract as brownie would show it: `f(*args, {"from": who})` sends, `f(*args)` reads."""

    def __init__(self, contract: revm.Contract) -> None:
        self.contract, self.address = contract, contract.address

    def __getattr__(self, name: str) -> Any:
        function = getattr(self.contract, name)

        def call(*args: Any) -> Any:
            if args and isinstance(args[-1], dict):
                return function(*plain(args[:-1]), sender=plain(args[-1]["from"]))
            return function(*plain(args))

        return call


class RevmBackend:
    """tests.contracts.core_env.Backend on one pyrevm chain."""

    def __init__(self, people: int = PEOPLE) -> None:
        self.people: Sequence[str] = [revm.account(i) for i in range(people)]
        self.chain = revm.Chain(self.people[0])

    def deploy(self, name: str, *args: Any) -> Proxy:
        return Proxy(self.chain.deploy(name, *plain(args)))

    def attach(self, name: str, address: Any) -> Proxy:
        return Proxy(revm.Contract(self.chain, name, address))

    def now(self) -> int:
        return self.chain.now

    def warp(self, to: int) -> None:
        self.chain.travel(to - self.chain.now)


def new_core(people: int = PEOPLE, aged: bool = True) -> Core:
    """A core of its own; nothing is shared between two."""
    return deploy_core(RevmBackend(people), aged=aged)
