"""The database: one metadata, one way to open a transaction.

``with transaction():`` commits at the outermost ``with``; inner ones join; an exception rolls everything back.
On SQLite a writer begins with ``BEGIN IMMEDIATE``, so that it waits its turn instead of failing (security-bar.md R-17).
"""

from __future__ import annotations

import sqlite3
import threading
import time
import unicodedata
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from flask import Flask, current_app
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import DateTime, MetaData, Table, event
from sqlalchemy.engine import Connection, Dialect, Engine
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import TypeDecorator

from .config import Settings
from .private_files import private_database

_WRITER = "mandat_writer"
_DEPTH = "mandat_transaction_depth"
_TURN = "mandat.turn_to_write"
_PATIENCE = 15  # seconds a writer waits for the previous one
_RESTS_SINCE = "mandat.rests_since"
CONNECTIONS = 15  # per process; a request for a sixteenth connection waits
PATIENCE_FOR_ONE = 10.0  # seconds to wait for a connection
REST = 1.0  # seconds of rest after which a connection is tested before use


class Base(DeclarativeBase):
    """The base of every table."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})
migrate = Migrate()


class UtcDateTime(TypeDecorator[datetime]):
    """An aware instant, stored in UTC; a naive one is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert to UTC on the way in."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime reached the database")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give back an aware instant in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def table_of(model: type[Base]) -> Table:
    """Return the table of *model*, for Core statements that a module builds once.

    A statement built once costs a quarter of one built at each call (bench/README.md), and reads what is stored, never
    the state of a session.
    """
    return cast(Table, model.__table__)


def new_id() -> str:
    """Return a new opaque row id: 32 hexadecimal characters, random, never reused."""
    return uuid.uuid4().hex


def sort_key(name: str) -> str:
    """Fold a name for sorting and searching: no case, no accent (there is no ICU on every database)."""
    decomposed = unicodedata.normalize("NFKD", name)
    return "".join(sign for sign in decomposed if not unicodedata.combining(sign)).casefold()


@contextmanager
def transaction() -> Iterator[Session]:
    """Open the request's transaction, or join the one already open.

    A reading transaction that is under way ends first: what was read before the ``with`` may be stale, so a service
    reads again, inside, the rows it decides on.
    """
    session = db.session()
    if session.info.get(_DEPTH):
        session.info[_DEPTH] += 1
        try:
            yield session
        finally:
            session.info[_DEPTH] -= 1
        return
    if session.in_transaction():
        session.commit()
    session.info[_DEPTH] = 1
    with _turn_to_write():
        try:
            session.connection(execution_options={_WRITER: True})
            yield session
            session.commit()
        except BaseException:
            session.rollback()
            raise
        finally:
            session.info[_DEPTH] = 0


@contextmanager
def _turn_to_write() -> Iterator[None]:
    """Make the threads of this process write one after the other, when the database has a single writer.

    SQLite makes a second writer poll after 1, 2, 5 … 25 ms; a lock wakes it as soon as the first one is done. Writers
    of other processes still compete in the database.
    """
    turn: threading.Lock | None = current_app.extensions[_TURN]
    is_mine = turn is not None and turn.acquire(timeout=_PATIENCE)
    try:
        yield
    finally:
        if turn is not None and is_mine:
            turn.release()


def release_connection() -> None:
    """Release the connection that a reading uses, before another one is requested.

    When every thread keeps one connection and waits for a second, all of them wait. Rows already read stay usable.
    """
    session = db.session()
    if not session.info.get(_DEPTH) and session.in_transaction():
        session.commit()


# SQLSTATE classes and codes of errors that pass by themselves or by an operator's act (PostgreSQL, Appendix A)
_PASSING_CLASSES = frozenset({"08", "53", "57", "58"})  # connection, resources, operator intervention, system error
_PASSING_CODES = frozenset(
    {"25006", "40001", "40P01", "55P03"}
)  # read-only, serialization, deadlock, lock not available
_PASSING_SQLITE = {  # primary result codes (sqlite.org/rescode.html)
    sqlite3.SQLITE_BUSY: "locked",
    sqlite3.SQLITE_LOCKED: "locked",
    sqlite3.SQLITE_NOMEM: "out of memory",
    sqlite3.SQLITE_READONLY: "read-only",
    sqlite3.SQLITE_IOERR: "disk error",
    sqlite3.SQLITE_CORRUPT: "damaged: restore it (docs/operations.md)",
    sqlite3.SQLITE_FULL: "disk full",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened",
    sqlite3.SQLITE_NOTADB: "damaged: restore it (docs/operations.md)",
}


def unavailable_cause(error: BaseException) -> str | None:
    """Return why the database is unavailable, for the log; None for any other *error*.

    The same request can succeed later: the database is away, locked, full, read-only or damaged, or the pool is empty.
    """
    if isinstance(error, PoolTimeoutError):
        return "no connection of the pool in time"
    if isinstance(error, DBAPIError):
        if error.connection_invalidated:
            return "the connection was lost"
        error = error.orig or error
    if isinstance(error, sqlite3.Error):
        return _PASSING_SQLITE.get((getattr(error, "sqlite_errorcode", None) or 0) & 0xFF)
    state = getattr(error, "sqlstate", None)
    if state is not None:
        return f"SQLSTATE {state}" if state[:2] in _PASSING_CLASSES or state in _PASSING_CODES else None
    # psycopg, which is installed for PostgreSQL only, gives no SQLSTATE when no server answered
    is_psycopg = type(error).__module__.partition(".")[0] == "psycopg"
    return "no server answers" if is_psycopg and type(error).__name__ == "OperationalError" else None


def in_transaction() -> bool:
    """Return whether a writing transaction is open."""
    return bool(db.session().info.get(_DEPTH))


def init_db(app: Flask, settings: Settings) -> None:
    """Bind the database of *settings* to *app*."""
    app.config["SQLALCHEMY_DATABASE_URI"] = settings.database_url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(settings.database_url)
    db.init_app(app)
    migrate.init_app(app, db, directory=str(_migrations_folder()), render_as_batch=True)
    with app.app_context():
        prepare_engine(db.engine)
        app.extensions[_TURN] = threading.Lock() if db.engine.dialect.name == "sqlite" else None


def engine_options(url: str) -> dict[str, Any]:
    """Return the engine options for *url*: the most recently used connection is reused first.

    No connection is opened for a single request only.
    """
    pool = {"pool_size": CONNECTIONS, "max_overflow": 0, "pool_use_lifo": True, "pool_timeout": PATIENCE_FOR_ONE}
    if url.startswith("sqlite"):
        return {**pool, "connect_args": {"timeout": _PATIENCE, "check_same_thread": False}}
    return pool


def prepare_engine(engine: Engine) -> None:
    """Configure SQLite for several writers, and test idle connections over a network before use."""
    if engine.dialect.name == "sqlite":
        _take_turns(engine)
    else:
        _look_after_rest(engine)


def _look_after_rest(engine: Engine) -> None:
    """Replace a connection that was lost while idle: the server was restarted, or a firewall dropped it.

    A connection used within the last second is not tested: that would add a round trip to every transaction.
    """

    @event.listens_for(engine, "checkin")
    def _rest(_connection: object, record: ConnectionPoolEntry) -> None:
        record.info[_RESTS_SINCE] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _look(connection: DBAPIConnection, record: ConnectionPoolEntry, _proxy: object) -> None:
        if time.monotonic() - record.info.get(_RESTS_SINCE, 0.0) < REST:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise DisconnectionError("it did not survive its rest") from error  # the pool opens another connection


def _take_turns(engine: Engine) -> None:
    @event.listens_for(engine, "do_connect")
    def _close_to_others(_dialect: object, _record: object, cargs: list[Any], _cparams: object) -> None:
        if cargs and cargs[0] not in ("", ":memory:") and not str(cargs[0]).startswith("file:"):
            private_database(Path(cargs[0]))

    @event.listens_for(engine, "connect")
    def _connect(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # SQLAlchemy's BEGIN below is the only one
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={_PATIENCE * 1000}"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writer = connection.get_execution_options().get(_WRITER)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writer else "BEGIN")


def _migrations_folder() -> Any:
    from .config import folder

    return folder("migrations")
