"""The quick ABI codec against eth_abi, both ways, on the shapes that the contracts have."""

import pytest
from eth_abi import decode, encode
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.stateful.abi import codec_of

WORDS = {
    "uint8": st.integers(0, 2**8 - 1),
    "uint256": st.integers(0, 2**256 - 1),
    "int128": st.integers(-(2**127), 2**127 - 1),
    "int256": st.integers(-(2**255), 2**255 - 1),
    "bool": st.booleans(),
    "address": st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex()),
    "bytes4": st.binary(min_size=4, max_size=4),
    "bytes32": st.binary(min_size=32, max_size=32),
}
LEG = st.tuples(WORDS["uint256"], WORDS["int128"])
TRADE = st.tuples(
    WORDS["address"], WORDS["address"], WORDS["int256"], st.lists(LEG, max_size=4).map(tuple)
)
SHAPES = {
    **{(kind,): st.tuples(values) for kind, values in WORDS.items()},
    ("bytes",): st.tuples(st.binary(max_size=70)),
    ("string", "uint8"): st.tuples(st.text(max_size=40), WORDS["uint8"]),
    ("(uint256,bool)", "int256[3]"): st.tuples(
        st.tuples(WORDS["uint256"], WORDS["bool"]), st.tuples(*[WORDS["int256"]] * 3)
    ),
    ("(address,address,int256,(uint256,int128)[])[]", "uint256"): st.tuples(
        st.lists(TRADE, max_size=3).map(tuple), WORDS["uint256"]
    ),
    ("bytes4[]", "bytes[]"): st.tuples(
        st.lists(WORDS["bytes4"], max_size=3).map(tuple),
        st.lists(st.binary(max_size=40), max_size=3).map(tuple),
    ),
    (): st.just(()),
}


@pytest.mark.parametrize("kinds", SHAPES, ids=str)
def test_as_eth_abi(kinds: tuple[str, ...]) -> None:
    codec = codec_of(kinds)

    @settings(max_examples=40, deadline=None, derandomize=True, database=None)
    @given(SHAPES[kinds])
    def alike(values: tuple) -> None:
        written = encode(kinds, values)
        assert codec.encode(values) == written
        assert codec.decode(written, 0) == decode(kinds, written) == values

    alike()


def test_what_does_not_fit_is_refused() -> None:
    for kind, value in (("uint256", -1), ("uint256", 2**256), ("int256", 2**255)):
        with pytest.raises(OverflowError):
            codec_of([kind]).encode([value])
    with pytest.raises(OverflowError):
        codec_of(["bool"]).encode([])
