"""Who pays for and signs the deployment's transactions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from eth_account import Account
from eth_utils import to_checksum_address, to_hex

from keeper.errors import ConfigError
from scripts.deployment.rpc import Rpc


@dataclass(frozen=True, slots=True)
class Signed:
    """A transaction that can be sent, and sent again, without ever executing twice."""

    tx_hash: str
    raw: str


class Sender(Protocol):
    """An account. `sign` returns None where the node holds the key."""

    address: str

    def sign(self, transaction: dict[str, Any], /) -> Signed | None:
        """Sign JSON-RPC transaction fields."""
        ...


class LocalSender:
    """Signs in this process: the hash is known, and recorded, before anything is sent."""

    def __init__(self, private_key: str | bytes) -> None:
        try:
            self._account = Account.from_key(private_key)
        except (ValueError, TypeError) as error:
            raise ConfigError(
                f"the deployer's private key is malformed: {type(error).__name__}"
            ) from None
        self.address: str = self._account.address

    def sign(self, transaction: dict[str, Any]) -> Signed:
        """Signed bytes and their hash."""
        fields = {key: value for key, value in transaction.items() if key != "from"}
        signed = self._account.sign_transaction(fields)
        return Signed(to_hex(signed.hash), to_hex(signed.raw_transaction))


class UnlockedSender:
    """An account of a development node, which signs. Explicit nonces keep sends idempotent."""

    def __init__(self, rpc: Rpc, address: str | None = None) -> None:
        held = [to_checksum_address(item) for item in rpc("eth_accounts")]
        if not held:
            raise ConfigError(f"{rpc.where} holds no accounts: pass a keystore account as deployer")
        self.address: str = to_checksum_address(address) if address else held[0]
        if self.address not in held:
            raise ConfigError(f"{rpc.where} does not hold the account {self.address}")

    def sign(self, _transaction: dict[str, Any]) -> None:
        """The node signs when it sends."""
