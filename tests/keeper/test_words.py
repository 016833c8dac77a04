"""The fast decoder against the general one, over every answer that our ABIs describe, and against garbage."""

from __future__ import annotations

from importlib import resources

import pytest
from eth_abi import decode, encode
from eth_abi.exceptions import DecodingError
from hypothesis import given
from hypothesis import strategies as st

from keeper.chain.bindings import PACKAGE, binding
from keeper.chain.words import Misfit, plan_of

NAMES = sorted(p.name[:-5] for p in resources.files(PACKAGE).iterdir() if p.name.endswith(".json"))
PLAIN = sorted({
    entry.outputs
    for name in NAMES
    for entry in binding(name).functions.values()
    if entry.outputs and plan_of(entry.outputs) is not None
})  # fmt: skip


def value(kind: str, draw) -> object:
    if kind.endswith("[]"):
        return [value(kind[:-2], draw) for _ in range(draw(st.integers(0, 3)))]
    if kind.startswith("("):
        return tuple(value(part, draw) for part in split(kind[1:-1]))
    if kind == "address":
        return "0x" + draw(st.binary(min_size=20, max_size=20)).hex()
    if kind == "bool":
        return draw(st.booleans())
    if kind == "bytes32":
        return draw(st.binary(min_size=32, max_size=32))
    bits = int(kind.removeprefix("u").removeprefix("int"))
    ends = (0, 2**bits - 1) if kind[0] == "u" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    return draw(st.one_of(st.sampled_from(ends), st.integers(*ends)))


def split(inner: str) -> list[str]:
    parts, depth = [""], 0
    for char in inner:
        depth += (char == "(") - (char == ")")
        if char == "," and not depth:
            parts.append("")
        else:
            parts[-1] += char
    return parts


def test_what_a_tick_reads_is_plain():
    for contract, function in (
        ("Clearinghouse", "legsOf"),
        ("HedgeManager", "parameters"),
        ("IUniswapV3Pool", "slot0"),
        ("IAavePool", "getReserveData"),
        ("VolSurface", "sliceOf"),
    ):
        assert plan_of(binding(contract).functions[function].outputs) is not None


@given(st.sampled_from(PLAIN), st.data())
def test_the_same_values_as_the_general_decoder(kinds, data):
    data_in = encode(kinds, [value(kind, data.draw) for kind in kinds])
    plan = plan_of(kinds)
    assert plan(data_in) == tuple(decode(kinds, data_in))


@given(st.sampled_from(PLAIN), st.binary(max_size=200))
def test_garbage_is_refused_where_the_general_decoder_refuses_it(kinds, garbage):
    try:
        wanted = tuple(decode(kinds, garbage))
    except (DecodingError, OverflowError):
        with pytest.raises(Misfit):
            plan_of(kinds)(garbage)
    else:
        assert plan_of(kinds)(garbage) == wanted


def test_strings_and_bytes_have_no_plan():
    assert plan_of(("string",)) is None
    assert plan_of(("uint256", "bytes")) is None
    assert plan_of(("(uint256,string)[]",)) is None


def test_an_array_longer_than_the_answer():
    with pytest.raises(Misfit, match="beyond"):
        plan_of(("uint256[]",))((32).to_bytes(32, "big") + (2**255).to_bytes(32, "big"))
