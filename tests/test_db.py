from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest
from flask import Flask
from sqlalchemy import String, create_engine, event, func, insert, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.pool import NullPool

from idp.db import Base, UtcDateTime, db, in_transaction, new_id, sort_key, transaction


class Sample(Base):
    """A table of the tests alone."""

    __tablename__ = "test_sample"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    at: Mapped[datetime | None] = mapped_column(UtcDateTime)


def _add(at: datetime | None = None) -> str:
    row_id = new_id()
    db.session.execute(insert(Sample).values(id=row_id, at=at))
    return row_id


def _count() -> int:
    return db.session.scalar(select(func.count()).select_from(Sample)) or 0


@pytest.mark.databases
def test_an_inner_transaction_joins_the_outer_one(app: Flask) -> None:
    """What an inner block wrote is undone with the outer one."""
    with pytest.raises(ZeroDivisionError), transaction():
        with transaction():
            _add()
        raise ZeroDivisionError

    assert _count() == 0
    assert not in_transaction()


@pytest.mark.databases
def test_the_outermost_block_commits(app: Flask) -> None:
    """After the block another connection sees the row."""
    with transaction():
        _add()
        with transaction():
            _add()

    db.session.remove()
    assert _count() == 2


@pytest.mark.databases
def test_instants_come_back_aware_and_in_utc(app: Flask) -> None:
    """An instant written in another zone is the same instant, in UTC."""
    montreal = timezone(timedelta(hours=-5))
    with transaction():
        row_id = _add(datetime(2026, 11, 23, 14, 3, tzinfo=montreal))

    db.session.remove()
    assert db.session.scalar(select(Sample.at).where(Sample.id == row_id)) == datetime(2026, 11, 23, 19, 3, tzinfo=UTC)


def test_a_naive_instant_is_refused(app: Flask) -> None:
    """A datetime without zone is a mistake of ours and never reaches a row."""
    with pytest.raises(Exception, match="naive"), transaction():
        _add(datetime(2026, 11, 23))  # noqa: DTZ001


@pytest.mark.databases
def test_twenty_writers_wait_their_turn(app: Flask) -> None:
    """Writers who read first and then write never fail with a locked database (R-17)."""
    faults: list[Exception] = []

    def write() -> None:
        with app.app_context():
            try:
                _count()
                with transaction():
                    _count()
                    _add()
            except Exception as error:  # noqa: BLE001 (whatever it is, the test shows it)
                faults.append(error)

    threads = [threading.Thread(target=write) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert faults == []
    assert _count() == 20


def test_writers_of_one_process_wait_for_one_another_not_for_the_database(app: Flask) -> None:
    """SQLite, told not to wait, would refuse the second writer at once; as it is set, it makes one look again and again."""
    done, under_way, refused = threading.Event(), threading.Event(), list[Exception]()

    def second() -> None:
        under_way.wait(30)
        with app.app_context():
            try:
                with transaction():
                    _add()
            except OperationalError as error:
                refused.append(error)
            done.set()

    event.listen(db.engine, "checkout", lambda raw, *_: raw.execute("PRAGMA busy_timeout=0"))
    other = threading.Thread(target=second)
    other.start()
    with transaction():
        _add()
        under_way.set()
        assert not done.wait(0.2)  # it waits, and is not refused
    other.join(30)

    assert refused == []
    assert _count() == 2


@pytest.mark.parametrize(("name", "key"), [("Émile Œuvrard", "emile œuvrard"), ("ÎLE", "ile"), ("Nguyễn", "nguyen")])
def test_names_sort_without_case_or_accent(name: str, key: str) -> None:
    """The sort key folds case and marks."""
    assert sort_key(name) == key


@pytest.mark.databases
def test_a_connection_that_did_not_survive_its_rest_is_replaced(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server ended every connection meanwhile, as a restart does: the next transaction finds another one."""
    monkeypatch.setattr("idp.db.REST", 0.0)
    with transaction():
        _add()
    db.session.remove()
    if db.engine.dialect.name == "postgresql":
        elsewhere = create_engine(db.engine.url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        with elsewhere.connect() as other:
            other.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = :own"
                ),
                {"own": db.engine.url.database},
            )

    with transaction():
        _add()

    assert _count() == 2


@pytest.mark.databases
def test_a_connection_at_work_is_not_asked(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Transactions that follow one another do not go to the server only to see that it is there."""
    asked: list[object] = []
    ping = db.engine.dialect.do_ping
    monkeypatch.setattr(db.engine.dialect, "do_ping", lambda connection: asked.append(connection) or ping(connection))
    monkeypatch.setattr("idp.db.REST", 3600.0)

    for _ in range(3):
        with transaction():
            _add()
        db.session.remove()

    assert (_count(), asked) == (3, [])
