"""The key: what can be wrong with a keystore, and that it never shows."""

from __future__ import annotations

import json
import pickle

import pytest
from eth_account import Account

from keeper.chain.keystore import TxFields, create_keystore, load_signer, password_from
from keeper.errors import KeystoreError

PASSWORD = "correct horse"
KEY = "0x" + "11" * 32


@pytest.fixture
def keystore(tmp_path):
    path = tmp_path / "keeper.json"
    create_keystore(path, PASSWORD, KEY, kdf="pbkdf2", work=10)
    return path


def test_round_trip(keystore):
    assert load_signer(keystore, PASSWORD).address == Account.from_key(KEY).address


def test_a_new_key_is_drawn_each_time(tmp_path):
    first, second = (
        create_keystore(tmp_path / name, PASSWORD, kdf="pbkdf2", work=10) for name in "ab"
    )
    assert first != second
    assert load_signer(tmp_path / "a", PASSWORD).address == first


def test_signs_what_it_is_given(keystore):
    fields = TxFields(31_337, 7, "0x" + "22" * 20, b"\xab", 90_000, 50, 5)
    signed = load_signer(keystore, PASSWORD).sign(fields)
    assert Account.recover_transaction(signed.raw) == Account.from_key(KEY).address
    assert len(signed.hash) == 66


def test_missing(tmp_path):
    with pytest.raises(KeystoreError, match=r"does not exist.*gammadesk key new"):
        load_signer(tmp_path / "none.json", PASSWORD)


@pytest.mark.parametrize(
    "text", ["", "not json", "[]", "{}", '"text"', '{"version": 3}', '{"version": 3, "crypto": {}}']
)
def test_malformed(tmp_path, text):
    path = tmp_path / "keeper.json"
    path.write_text(text)
    with pytest.raises(KeystoreError, match="is not a keystore"):
        load_signer(path, PASSWORD)


def test_binary(tmp_path):
    path = tmp_path / "keeper.json"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(KeystoreError, match="is not a keystore"):
        load_signer(path, PASSWORD)


def test_wrong_password(keystore):
    with pytest.raises(KeystoreError, match="wrong password"):
        load_signer(keystore, "incorrect horse")


def test_a_tampered_keystore(keystore):
    document = json.loads(keystore.read_text())
    document["crypto"]["ciphertext"] = "00" * 32
    keystore.write_text(json.dumps(document))
    with pytest.raises(KeystoreError):
        load_signer(keystore, PASSWORD)


def test_never_overwrites(keystore):
    before = keystore.read_bytes()
    with pytest.raises(KeystoreError, match="exists"):
        create_keystore(keystore, PASSWORD, kdf="pbkdf2", work=10)
    assert keystore.read_bytes() == before


def test_only_its_owner_can_read_it(keystore):
    assert keystore.stat().st_mode & 0o777 == 0o600


def test_folder_that_does_not_exist(tmp_path):
    with pytest.raises(KeystoreError, match="cannot be written"):
        create_keystore(tmp_path / "none" / "k.json", PASSWORD, kdf="pbkdf2", work=10)


def test_short_password(tmp_path):
    with pytest.raises(KeystoreError, match="shorter"):
        create_keystore(tmp_path / "k.json", "seven77")
    assert not (tmp_path / "k.json").exists()


@pytest.mark.parametrize("key", ["", "0x12", "zz" * 32, "0x" + "00" * 32])
def test_not_a_private_key(tmp_path, key):
    with pytest.raises(KeystoreError, match="64 hexadecimal digits"):
        create_keystore(tmp_path / "k.json", PASSWORD, key, kdf="pbkdf2", work=10)
    assert not (tmp_path / "k.json").exists()


def test_the_key_shows_nowhere(keystore):
    signer = load_signer(keystore, PASSWORD)
    shown = f"{signer!r} {signer} {[signer]}"
    assert signer.address in shown
    assert "1111" not in shown
    with pytest.raises(TypeError, match="never leaves"):
        pickle.dumps(signer)


def test_password_from_the_environment(monkeypatch):
    monkeypatch.setenv("SOME_PASSWORD", PASSWORD)
    assert password_from("SOME_PASSWORD", None) == PASSWORD


def test_password_from_the_prompt(monkeypatch):
    monkeypatch.delenv("SOME_PASSWORD", raising=False)
    assert password_from("SOME_PASSWORD", lambda: PASSWORD) == PASSWORD


def test_no_password(monkeypatch):
    monkeypatch.delenv("SOME_PASSWORD", raising=False)
    for prompt in (None, lambda: ""):
        with pytest.raises(KeystoreError, match="set SOME_PASSWORD"):
            password_from("SOME_PASSWORD", prompt)
