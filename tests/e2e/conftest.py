"""Chains for the end-to-end tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from scripts.nodes import Node, NodeSettings, start_node


@pytest.fixture(scope="module")
def anvil() -> Iterator[Node]:
    """One anvil a test file; tests that count transactions take `fresh_anvil`."""
    with start_node(NodeSettings()) as node:
        yield node


@pytest.fixture
def fresh_anvil() -> Iterator[Node]:
    with start_node(NodeSettings()) as node:
        yield node
