"""The journal: schema, exclusion, what survives, and what a broken database stops."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config as AlembicConfig
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text

from keeper.chain.client import Receipt
from keeper.chain.keystore import SignedTx, TxFields
from keeper.errors import Halt, SkipTick
from keeper.execution.database import MIGRATIONS, open_database
from keeper.execution.journal import Journal
from keeper.execution.journal_reading import Standing
from keeper.execution.records import DecisionEntry, HedgeTimes, IntentStatus, Job, TxKind
from keeper.execution.tables import Base

SENDER = "0x" + "11" * 20
FIELDS = TxFields(1, 4, "0x" + "22" * 20, b"\x01", 100_000, 50, 5)


def url_of(tmp_path) -> str:
    return f"sqlite:///{tmp_path / 'journal.sqlite'}"


@pytest.fixture
def journal(tmp_path):
    return Journal(open_database(url_of(tmp_path)), "1:0xaa", lambda: 1000)


def job(number: int = 1, key: str = "hedge") -> Job:
    work_id = "0x" + f"{number:064x}"
    return Job(work_id, key, "call", FIELDS.to, b"\x01", 7, 1180, "0x00", "{}", "[]")


def signed(number: int) -> SignedTx:
    return SignedTx(bytes([number]), "0x" + f"{number:064x}")


def receipt(number: int, success: bool = True) -> Receipt:
    return Receipt(signed(number).hash, 9, "0xb9", success, 21_000, 30, ())


def record(journal: Journal, number: int = 1, key: str = "hedge") -> None:
    journal.record_intent(job(number, key), SENDER, FIELDS, signed(number))


def test_the_migrations_make_exactly_the_models(tmp_path):
    with open_database(url_of(tmp_path)).connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, Base.metadata) == []


def test_opening_again_keeps_what_is_there(journal, tmp_path):
    record(journal)
    again = Journal(open_database(url_of(tmp_path)), "1:0xaa", lambda: 2000)
    (intent,) = again.open_intents()
    assert (intent.work_id, intent.created_at_s, intent.calldata) == (job().work_id, 1000, b"\x01")
    (row,) = intent.transactions
    assert (row.raw, row.nonce, row.max_fee_wei, row.status) == (b"\x01", 4, 50, "signed")


def test_sqlite_keeps_a_write_ahead_log_and_syncs_fully(tmp_path):
    with open_database(url_of(tmp_path)).connect() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(text("PRAGMA synchronous")).scalar() == 2
        assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1


def test_the_database_refuses_a_second_unresolved_intent_of_a_key(journal, tmp_path):
    """Even from another process, which has not looked first."""
    record(journal, 1)
    other = Journal(open_database(url_of(tmp_path)), "1:0xaa", lambda: 1000)
    with pytest.raises(SkipTick, match="nothing was sent"):
        record(other, 2)
    record(other, 3, key="surface")
    assert journal.counts() == {"unresolved": 2}


def test_a_closed_intent_makes_room(journal):
    record(journal, 1)
    journal.resolve_mined(receipt(1), "")
    record(journal, 2)
    assert journal.counts() == {"mined_success": 1, "unresolved": 1}


def test_chains_do_not_see_each_other(journal, tmp_path):
    record(journal, 1)
    other = Journal(open_database(url_of(tmp_path)), "1:0xbb", lambda: 1000)
    assert other.open_intents() == []
    assert other.standing("hedge", SENDER) == Standing(None, None, None)
    record(other, 2)


@pytest.mark.parametrize(
    ("success", "kind", "status"),
    [
        (True, TxKind.CALL, IntentStatus.MINED_SUCCESS),
        (False, TxKind.CALL, IntentStatus.MINED_REVERTED),
        (True, TxKind.NO_OP, IntentStatus.REPLACED),
    ],
)
def test_what_was_mined_decides_the_end(journal, success, kind, status):
    record(journal, 1)
    journal.record_replacement(job().work_id, SENDER, FIELDS, signed(2), kind)
    assert journal.resolve_mined(receipt(2, success), "why") == status
    intent = journal.intent(job().work_id)
    assert (intent.status, intent.detail) == (status, "why")
    first, second = intent.transactions
    assert (first.status, second.status) == ("dropped", "mined")
    assert (second.block_number, second.gas_used, second.gas_price_wei) == (9, 21_000, 30)


def test_reopening_forgets_the_block(journal):
    record(journal, 1)
    journal.resolve_mined(receipt(1), "")
    journal.reopen(job().work_id, "reorg")
    (intent,) = journal.open_intents()
    assert intent.status == IntentStatus.REOPENED
    assert intent.transactions[0].block_hash is None
    assert journal.mined_since(0, SENDER, 0) == []


def test_denied_bytes_free_their_nonce(journal):
    record(journal, 1)
    standing = journal.standing(job().key, SENDER)
    assert standing.open == f"{job().what} {job().work_id} is unresolved"
    assert (standing.highest_nonce, standing.mined_nonce) == (4, None)
    assert journal.standing("another", SENDER).open is None
    journal.resolve_denied(job().work_id, "taken")
    assert journal.standing(job().key, SENDER) == Standing(None, None, None)


def test_a_mined_nonce_is_known_and_frees_its_key(journal):
    record(journal, 1)
    journal.resolve_mined(receipt(1), "")
    assert journal.standing(job().key, SENDER) == Standing(None, 4, 4)


def test_mined_since_finds_recent_blocks_and_high_nonces(journal):
    record(journal, 1)
    journal.resolve_mined(receipt(1), "")
    found = [
        len(journal.mined_since(*q)) for q in ((9, SENDER, 99), (10, SENDER, 4), (10, SENDER, 5))
    ]
    assert found == [1, 1, 0]


def test_decisions_come_newest_first(journal):
    for block in (5, 6):
        entry = DecisionEntry(block, "0x00", "{}", "{}", "{}", "{}", "{}", None)
        journal.record_decision(entry)
    assert [d.block_number for d in journal.decisions(5)] == [6, 5]
    assert len(journal.decisions(1)) == 1


def test_a_file_that_is_no_database(tmp_path):
    (tmp_path / "journal.sqlite").write_text("this is not a database, it is a text of some length")
    with pytest.raises(Halt, match="is a database"):
        open_database(url_of(tmp_path))


def test_a_folder_that_does_not_exist(tmp_path):
    with pytest.raises(Halt, match="cannot be opened"):
        open_database(f"sqlite:///{tmp_path / 'nowhere' / 'journal.sqlite'}")


def test_a_url_that_is_none():
    with pytest.raises(Halt, match="SQLAlchemy URL"):
        open_database("not a url")


def test_a_journal_of_a_newer_version(tmp_path):
    open_database(url_of(tmp_path)).dispose()
    with sqlite3.connect(tmp_path / "journal.sqlite") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(Halt, match="newer version"):
        open_database(url_of(tmp_path))


def test_a_journal_that_breaks_halts(journal, tmp_path):
    with sqlite3.connect(tmp_path / "journal.sqlite") as connection:
        connection.execute("DROP TABLE transactions")
    connection.close()
    with pytest.raises(Halt, match="nothing more is sent"):
        record(journal)


def test_the_times_of_an_intent_are_kept_until_a_reorg_takes_its_block_back(journal):
    times = HedgeTimes(oracle_at_s=900, head_at_s=950, read_ms=2.0, decide_ms=1.5)
    journal.record_intent(replace(job(1), times=times), SENDER, FIELDS, signed(1))
    assert journal.times(job(1).work_id) == times
    journal.mark_broadcast(signed(1).hash, 3.5)
    journal.mark_broadcast(signed(1).hash, 99.0)
    journal.resolve_mined(receipt(1), "", 962)
    mined = journal.times(job(1).work_id)
    assert mined == replace(times, send_ms=3.5, included_at_s=962)
    assert (mined.settled_after_s, mined.machine_ms) == (62, 7.0)
    journal.reopen(job(1).work_id, "reorg")
    assert journal.times(job(1).work_id).settled_after_s is None


def test_an_intent_from_before_has_no_times(journal):
    journal.record_intent(job(1), SENDER, FIELDS, signed(1))
    assert journal.times(job(1).work_id) is None
    assert journal.times("0x" + "00" * 32) is None


def test_a_journal_of_the_first_version_is_taken_over_with_its_intents(tmp_path):
    engine = create_engine(url_of(tmp_path))
    config = AlembicConfig()
    config.set_main_option("script_location", MIGRATIONS)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(
            text(
                "INSERT INTO intents VALUES ('0x01', '1:0xaa', 'hedge', 'call', 'unresolved', 1, 2, '0x', "
                "'0x', x'01', '{}', '[]', '')"
            )
        )
    engine.dispose()
    journal = Journal(open_database(url_of(tmp_path)), "1:0xaa", lambda: 1000)
    assert [intent.work_id for intent in journal.open_intents()] == ["0x01"]
    assert journal.times("0x01") is None
