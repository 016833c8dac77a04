"""Opens the journal's database: SQLite in WAL mode, or whatever SQLAlchemy URL is configured."""

from __future__ import annotations

from typing import Any

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.util.exc import CommandError
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from keeper.errors import Halt

MIGRATIONS = "keeper.execution:migrations"


def open_database(url: str) -> Engine:
    """An engine with the newest schema. Halt when it cannot be opened or was written by a newer version."""
    try:
        engine = create_engine(url)
    except (SQLAlchemyError, ImportError) as error:
        raise Halt(
            f"[journal] url cannot be used ({type(error).__name__}): give a file name or a SQLAlchemy URL"
        ) from None
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _sqlite_pragmas)
    where = make_url(url).render_as_string(hide_password=True)
    try:
        with engine.begin() as connection:
            config = AlembicConfig()
            config.set_main_option("script_location", MIGRATIONS)
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except SQLAlchemyError as error:
        raise Halt(
            f"the journal {where} cannot be opened ({type(error).__name__}): check that the place exists, "
            f"can be written and is a database; nothing is sent without it"
        ) from error
    except CommandError as error:
        raise Halt(
            f"the journal {where} was written by a newer version ({error}): upgrade gammadesk"
        ) from error
    return engine


def _sqlite_pragmas(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    # FULL: what was committed before a send must survive a power cut too.
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA busy_timeout=10000")
    cursor.close()
