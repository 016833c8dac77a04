"""Signed quotes of contracts/desk/RfqMarket.sol: EIP-712 typed data, a file in JSON, calldata, and back from it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from keeper.chain.bindings import binding
from keeper.errors import DataError
from keeper.units import WAD

NOBODY = "0x" + "00" * 20
_RFQ = "(address,address,(uint128,int128)[],int256,uint256,uint64)"
_TYPES = {
    "Rfq": [
        {"name": "maker", "type": "address"},
        {"name": "taker", "type": "address"},
        {"name": "legs", "type": "Leg[]"},
        {"name": "premium", "type": "int256"},
        {"name": "nonce", "type": "uint256"},
        {"name": "deadline", "type": "uint64"},
    ],
    "Leg": [{"name": "series", "type": "uint128"}, {"name": "size", "type": "int128"}],
}


def _address(value: str) -> str:
    digits = value.removeprefix("0x").lower()
    if len(digits) != 40 or not set(digits) <= set("0123456789abcdef"):
        raise ValueError("must be an address, 0x and 40 hexadecimal digits")
    return "0x" + digits


def _signature(value: str) -> str:
    try:
        bytes.fromhex(value.removeprefix("0x"))
    except ValueError:
        raise ValueError("must be hexadecimal") from None
    return value


Address = Annotated[str, AfterValidator(_address)]


class SignedRfq(BaseModel):
    """IRfqMarket.Rfq with its signature. Sizes are the taker's; integers of WAD, written as they are signed."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    chain_id: int = Field(gt=0)
    market: Address
    maker: Address
    taker: Address = NOBODY
    legs: Annotated[list[tuple[int, int]], Field(min_length=1, strict=False)]
    premium: int
    nonce: int = Field(ge=0, lt=2**256)
    deadline: int = Field(gt=0, lt=2**64)
    signature: Annotated[str, AfterValidator(_signature)] = "0x"

    @classmethod
    def load(cls, path: Path) -> SignedRfq:
        """DataError names the field at fault."""
        try:
            return cls.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            raise DataError(f"{path} does not exist: 'gammadesk rfq sign' writes one") from None
        except OSError as error:
            raise DataError(f"{path} cannot be read: {error}") from None
        except ValidationError as error:
            faults = "; ".join(
                f"{'.'.join(map(str, f['loc'])) or 'file'}: {f['msg']}" for f in error.errors()
            )
            raise DataError(f"{path} is no signed quote: {faults}") from None

    def typed_data(self) -> dict[str, Any]:
        """What the maker signs."""
        legs = [{"series": series, "size": size} for series, size in self.legs]
        message = {
            "maker": self.maker,
            "taker": self.taker,
            "legs": legs,
            "premium": self.premium,
            "nonce": self.nonce,
            "deadline": self.deadline,
        }
        domain = {
            "name": "Gammadesk RFQ",
            "version": "1",
            "chainId": self.chain_id,
            "verifyingContract": self.market,
        }
        return {"domain": domain, "types": _TYPES, "message": message}

    def fields(self) -> tuple[object, ...]:
        """IRfqMarket.Rfq in its order."""
        return (self.maker, self.taker, self.legs, self.premium, self.nonce, self.deadline)

    def encoded(self) -> bytes:
        """abi.encode(Rfq): what a row of makers' quotes holds, and `decode_rfq` reads."""
        return encode([_RFQ], [self.fields()])

    def fill_data(self, share_wad: int, limit_wad: int) -> bytes:
        """Calldata of RfqMarket.fill."""
        signature = bytes.fromhex(self.signature.removeprefix("0x"))
        return binding("RfqMarket").encode("fill", self.fields(), signature, share_wad, limit_wad)

    def premium_of_wad(self, share_wad: int) -> int:
        """What the taker of a share pays, rounded up as the contract does."""
        return -(-self.premium * share_wad // WAD)


def cancel_data(maker: str, nonces: list[int]) -> bytes:
    """Calldata of RfqMarket.cancel."""
    return binding("RfqMarket").encode("cancel", maker, nonces)


@dataclass(frozen=True, slots=True)
class Rfq:
    """IRfqMarket.Rfq, WAD; legs are (series, size) from the taker's side."""

    maker: str
    taker: str
    legs: tuple[tuple[int, int], ...]
    premium_wad: int
    nonce: int
    deadline_s: int


def decode_rfq(data: bytes) -> Rfq:
    """From abi.encode(Rfq); DataError where it is none."""
    try:
        ((maker, taker, legs, premium, nonce, deadline),) = decode([_RFQ], data)
    except (DecodingError, OverflowError):
        raise DataError("rfq is not the ABI encoding of one quote") from None
    return Rfq(maker, taker, tuple(legs), premium, nonce, deadline)
