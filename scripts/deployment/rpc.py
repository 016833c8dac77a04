"""Plain JSON-RPC through whatever web3 is connected: brownie's, the demo's or a test's.

web3's own methods format every field and hide the revert data; a deployment needs neither.
"""

from __future__ import annotations

from typing import Any

from web3 import Web3
from web3.exceptions import Web3Exception
from web3.types import RPCEndpoint

from keeper.errors import GammadeskError, Retry


class RpcError(GammadeskError):
    """The node answered, and refused. `data` is revert data if there was any."""

    def __init__(self, method: str, message: str, data: bytes) -> None:
        super().__init__(f"{method}: {message}")
        self.message = message
        self.data = data


class Rpc:
    """Calls methods of one node."""

    def __init__(self, web3: Web3) -> None:
        self._provider = web3.provider
        self.where = str(getattr(web3.provider, "endpoint_uri", "the node"))

    def __call__(self, method: str, *params: Any) -> Any:
        """The result. Raises Retry where nobody answers, RpcError where the node refuses."""
        try:
            response = self._provider.make_request(RPCEndpoint(method), list(params))
        except (OSError, Web3Exception) as error:
            raise Retry(
                f"{self.where} does not answer ({type(error).__name__}): check the address and that the "
                f"node runs, then run the same command again; it resumes"
            ) from error
        if "error" in response and response["error"] is not None:
            raise _refusal(method, response["error"])
        return response.get("result")

    def number(self, method: str, *params: Any) -> int:
        """A result that is a hex quantity."""
        return int(self(method, *params), 16)

    def nonce(self, address: str, block: str = "latest") -> int:
        """Transactions of an account up to and including `block`."""
        return self.number("eth_getTransactionCount", address, block)

    def code(self, address: str) -> bytes:
        """Runtime code, empty where there is no contract."""
        return bytes.fromhex(self("eth_getCode", address, "latest")[2:])

    def block(self, number: int | str) -> dict[str, Any] | None:
        """A block header with transaction hashes, None where there is none."""
        tag = hex(number) if isinstance(number, int) else number
        result: dict[str, Any] | None = self("eth_getBlockByNumber", tag, False)
        return result


def _refusal(method: str, error: Any) -> RpcError:
    if not isinstance(error, dict):
        return RpcError(method, str(error), b"")
    data = error.get("data")
    if isinstance(data, dict):  # Ganache wraps the revert data
        data = data.get("result")
    revert = b""
    if isinstance(data, str) and data.startswith("0x"):
        try:
            revert = bytes.fromhex(data[2:])
        except ValueError:
            revert = b""
    return RpcError(method, str(error.get("message", error)), revert)
