"""The signing key: from an encrypted keystore only, never printed, never in a repr."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils.address import is_address, to_checksum_address

from keeper.errors import ConfigError, KeystoreError

KDF = Literal["scrypt", "pbkdf2"]


@dataclass(frozen=True, slots=True)
class TxFields:
    """An EIP-1559 transaction before its signature. Fees in wei per gas."""

    chain_id: int
    nonce: int
    to: str
    data: bytes
    gas: int
    max_fee_wei: int
    priority_fee_wei: int


@dataclass(frozen=True, slots=True)
class SignedTx:
    """Bytes to broadcast and the hash that they will be mined under."""

    raw: bytes
    hash: str


class Signer:
    """Signs for one address."""

    def __init__(self, account: LocalAccount) -> None:
        self._account = account
        self.address = str(account.address)

    def __repr__(self) -> str:
        return f"Signer({self.address})"

    def __reduce__(self) -> str:
        raise TypeError("a signing key never leaves its process")

    def sign(self, tx: TxFields) -> SignedTx:
        """A type 2 transaction without value."""
        signed = self._account.sign_transaction(
            {
                "type": 2,
                "chainId": tx.chain_id,
                "nonce": tx.nonce,
                "to": bytes.fromhex(tx.to.removeprefix("0x")),
                "value": 0,
                "data": tx.data,
                "gas": tx.gas,
                "maxFeePerGas": tx.max_fee_wei,
                "maxPriorityFeePerGas": tx.priority_fee_wei,
            }
        )
        return SignedTx(bytes(signed.raw_transaction), "0x" + bytes(signed.hash).hex())

    def sign_typed(self, data: dict[str, Any]) -> str:
        """EIP-712: domain, types and message, as hexadecimal."""
        signed = self._account.sign_typed_data(data["domain"], data["types"], data["message"])
        return _hex(signed.signature)


def _hex(signature: bytes) -> str:
    return "0x" + bytes(signature).hex()


def password_from(variable: str, prompt: Callable[[], str] | None) -> str:
    """The password from an environment variable, else from `prompt` where somebody can be asked."""
    password = os.environ.get(variable) or (prompt() if prompt else "")
    if not password:
        raise KeystoreError(f"no password: set {variable}, or run where it can be asked for")
    return password


def keystore_address(path: Path) -> str:
    """Whose key a keystore says that it holds; needs no password."""
    address = _read(path).get("address")
    if not isinstance(address, str) or not is_address(address):
        raise KeystoreError(f"{path} does not say whose key it holds: pass the account's address")
    return str(to_checksum_address(address))


def checked_address(text: str) -> str:
    """An address with its checksum; ConfigError where it is none, or mistyped."""
    if not is_address(text):
        raise ConfigError(f"{text!r} is not an address, or its checksum is wrong: copy it again")
    return str(to_checksum_address(text))


def load_signer(path: Path, password: str) -> Signer:
    """Decrypts a keystore file. KeystoreError says whether it is missing, malformed or the password wrong."""
    document = _read(path)
    try:
        key = Account.decrypt(document, password)
    except ValueError as error:
        if "MAC" in str(error):
            raise KeystoreError(
                f"wrong password for {path}: check the environment variable"
            ) from None
        raise _malformed(path) from None
    except (KeyError, TypeError, NotImplementedError):
        raise _malformed(path) from None
    return Signer(Account.from_key(key))


def create_keystore(
    path: Path, password: str, key: str | None = None, kdf: KDF = "scrypt", work: int | None = None
) -> str:
    """Writes a new keystore, readable by its owner only, and returns its address; never overwrites one.

    `key` imports a private key (64 hexadecimal digits); without it a fresh one is drawn. `work` is the cost of
    the key derivation, the library's default when left out.
    """
    if len(password) < 8:
        raise KeystoreError("the password is shorter than 8 characters: choose a longer one")
    try:
        account = Account.create() if key is None else Account.from_key(key.strip())
    except (ValueError, TypeError):
        raise KeystoreError("not a private key: give 64 hexadecimal digits") from None
    document = Account.encrypt(account.key, password, kdf=kdf, iterations=work)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise KeystoreError(f"{path} exists and is not overwritten: choose another name") from None
    except OSError as error:
        raise KeystoreError(f"{path} cannot be written: {error.strerror}") from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(document, file)
    return str(account.address)


def _read(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise KeystoreError(
            f"keystore {path} does not exist: make one with 'gammadesk key new {path.name}'"
        ) from None
    except OSError as error:
        raise KeystoreError(f"keystore {path} cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, json.JSONDecodeError):
        raise _malformed(path) from None
    if not isinstance(document, dict):
        raise _malformed(path)
    return document


def _malformed(path: Path) -> KeystoreError:
    return KeystoreError(
        f"{path} is not a keystore (Web3 Secret Storage, version 3): restore it from a backup, "
        f"or import the key with 'gammadesk key import'"
    )
