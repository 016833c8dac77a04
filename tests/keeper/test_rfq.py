"""Signed quotes: the digest is the contract's own arithmetic, files are read back, bad ones are told."""

from __future__ import annotations

import json

import pytest
from eth_abi import encode
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_utils import keccak

from keeper.chain.keystore import Signer
from keeper.chain.rfq import SignedRfq
from keeper.errors import DataError
from keeper.units import WAD, encode_series

KEY = Account.from_key("0x" + "11" * 32)
SERIES = encode_series(1, 1_798_185_600, 3000.0, True)
FIELDS = {
    "chain_id": 31_337,
    "market": "0x" + "aa" * 20,
    "maker": KEY.address,
    "legs": [(SERIES, 2 * WAD), (SERIES + 256, -WAD)],
    "premium": -5 * WAD - 1,
    "nonce": 7,
    "deadline": 1_798_000_000,
}


def rfq(**changes) -> SignedRfq:
    made = SignedRfq(**(FIELDS | changes))
    return made.model_copy(update={"signature": Signer(KEY).sign_typed(made.typed_data())})


def digest(r: SignedRfq) -> bytes:
    """As EIP712 and RfqMarket.sol compute it."""
    leg = keccak(text="Leg(uint128 series,int128 size)")
    kind = keccak(
        text="Rfq(address maker,address taker,Leg[] legs,int256 premium,uint256 nonce,uint64 deadline)"
        "Leg(uint128 series,int128 size)"
    )
    legs = b"".join(
        keccak(encode(["bytes32", "uint128", "int128"], [leg, s, n])) for s, n in r.legs
    )
    types = ["bytes32", "address", "address", "bytes32", "int256", "uint256", "uint64"]
    body = keccak(
        encode(types, [kind, r.maker, r.taker, keccak(legs), r.premium, r.nonce, r.deadline])
    )
    domain = keccak(
        text="EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
    )
    named = [domain, keccak(text="Gammadesk RFQ"), keccak(text="1"), r.chain_id, r.market]
    separator = keccak(encode(["bytes32", "bytes32", "bytes32", "uint256", "address"], named))
    return keccak(b"\x19\x01" + separator + body)


def test_the_signature_is_over_the_contracts_digest() -> None:
    one = rfq()
    found = Account._recover_hash(digest(one), signature=one.signature)
    assert found == KEY.address


@pytest.mark.parametrize(
    "change", [{"premium": 1}, {"nonce": 8}, {"deadline": 9}, {"taker": "0x" + "bb" * 20}]
)
def test_every_field_is_signed(change) -> None:
    signed, other = rfq(), rfq().model_copy(update=change)
    data = other.typed_data()
    message = encode_typed_data(data["domain"], data["types"], data["message"])
    assert Account.recover_message(message, signature=signed.signature) != KEY.address


def test_a_file_reads_back(tmp_path) -> None:
    path = tmp_path / "rfq.json"
    path.write_text(rfq().model_dump_json())
    assert SignedRfq.load(path) == rfq()


@pytest.mark.parametrize(
    ("change", "says"),
    [({"maker": "0x12"}, "maker"), ({"legs": []}, "legs"), ({"premium": 1.5}, "premium"),
     ({"signature": "zz"}, "signature"), ({"extra": 1}, "extra"), ({"deadline": 0}, "deadline")],
)  # fmt: skip
def test_a_bad_file_is_told(tmp_path, change, says) -> None:
    path = tmp_path / "rfq.json"
    path.write_text(json.dumps(rfq().model_dump() | change))
    with pytest.raises(DataError, match=says):
        SignedRfq.load(path)
    with pytest.raises(DataError, match="does not exist"):
        SignedRfq.load(tmp_path / "none.json")


@pytest.mark.parametrize("share", [WAD, WAD // 3, 1])
def test_a_share_costs_rounded_up(share) -> None:
    one = rfq()
    assert one.premium * share <= one.premium_of_wad(share) * WAD < one.premium * share + WAD
    assert (
        one.fill_data(share, one.premium_of_wad(share))[:4]
        == keccak(
            text="fill((address,address,(uint128,int128)[],int256,uint256,uint64),bytes,uint128,int256)"
        )[:4]
    )
