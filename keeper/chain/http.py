"""JSON-RPC over HTTP with one kept connection: web3's own provider takes three times as long for a small answer."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Sequence
from typing import Any

import certifi
import urllib3
from urllib3.util import parse_url
from web3.providers.base import JSONBaseProvider
from web3.types import RPCEndpoint, RPCResponse

_HEADERS = {"Content-Type": "application/json", "User-Agent": "gammadesk"}


class LeanProvider(JSONBaseProvider):
    """One node. Every failure to get an answer is an OSError or a ValueError; nothing is ever tried twice."""

    def __init__(self, url: str, timeout_s: float) -> None:
        super().__init__()
        parts = parse_url(url)
        self._url = parts._replace(auth=None).url
        self._headers = dict(_HEADERS)
        if parts.auth:
            self._headers |= urllib3.make_headers(basic_auth=parts.auth)
        self._pool = _pool(parts.scheme or "http", parts.host or "", timeout_s)

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        """One request."""
        answer: RPCResponse = self._post(_body(0, method, params))
        if not isinstance(answer, dict):
            raise ValueError("the answer is no JSON-RPC object")
        return answer

    def make_batch_request(self, requests: Sequence[tuple[RPCEndpoint, Any]]) -> list[RPCResponse]:
        """Several requests in one, answered in their order. ValueError where the node does not know batches."""
        bodies = [_body(i, method, params) for i, (method, params) in enumerate(requests)]
        answers = self._post(bodies)
        found = {a.get("id"): a for a in answers} if isinstance(answers, list) else {}
        if len(found) != len(bodies):
            raise ValueError("the answer is not one answer to each request")
        return [found[i] for i in range(len(bodies))]

    def _post(self, body: object) -> Any:
        data = json.dumps(body, separators=(",", ":")).encode()
        try:
            response = self._pool.request(
                "POST", self._url, body=data, headers=self._headers, redirect=False
            )
        except urllib3.exceptions.HTTPError as error:
            raise ConnectionError(type(error).__name__) from None
        try:
            return json.loads(response.data)
        except ValueError:
            raise ConnectionError(f"HTTP status {response.status} without JSON") from None


def _body(number: int, method: str, params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


def _pool(scheme: str, host: str, timeout_s: float) -> urllib3.PoolManager:
    """Through the proxy of the environment where it names one for this host."""
    settings: dict[str, Any] = {
        "timeout": timeout_s,
        "retries": False,
        "maxsize": 4,
        "ca_certs": certifi.where(),
    }
    proxy = urllib.request.getproxies().get(scheme)
    if proxy and not urllib.request.proxy_bypass(host):
        return urllib3.ProxyManager(proxy, **settings)
    return urllib3.PoolManager(**settings)
