"""Loading imported rows beside those in force, and putting them in force at once.

Rows are written in short transactions, so that SQLite's single writer is free between two of them; readers follow the
head of their kind, which one statement moves. What an import leaves behind is removed in short transactions too. The
import that began last wins: an older one finds, at its next batch, that it no longer may.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import Table, delete, func, insert, select, update
from sqlalchemy.orm import Session

from .. import audit
from ..audit import SYSTEM
from ..audit.domain.events import Event
from ..db import Base, db, transaction
from .errors import FileFault, ImportRefusedError
from .models import (
    ImportHead,
    ImportRun,
    RegisterEnterprise,
    RegisterEstablishment,
    RegisterLabel,
    RegisterMerger,
    RegisterName,
    TaxAccountRow,
    TaxNotice,
)

REGISTER, TAX_FILE = "register", "tax_file"
BATCH = 5_000  # rows of one transaction: a writer waits some 20 ms for it
_TABLES: dict[str, tuple[type[Base], ...]] = {
    REGISTER: (RegisterEnterprise, RegisterName, RegisterMerger, RegisterEstablishment, RegisterLabel),
    TAX_FILE: (TaxAccountRow, TaxNotice),
}
_EVENTS = {REGISTER: Event.REGISTER_IMPORTED, TAX_FILE: Event.TAX_FILE_IMPORTED}


def begin(kind: str, now: datetime) -> int:
    """Begin an import and return its generation; one under way, or left by a crash, is superseded and removed."""
    with transaction() as session:
        session.execute(
            update(ImportRun).where(ImportRun.kind == kind, ImportRun.state == "loading").values(state="superseded")
        )
        run = ImportRun(kind=kind, state="loading", started_at=now, counts={})
        session.add(run)
        session.flush()
        generation = run.generation
    remove_old(kind)
    return generation


def load(table: type[Base], generation: int, rows: Iterable[tuple[Any, ...]]) -> int:
    """Insert *rows* (the values of every column after ``generation``, in order) and return how many there were.

    Raises:
        ImportRefusedError: another import began meanwhile.
    """
    source, total = iter(rows), 0
    while batch := [(generation, *row) for row in islice(source, BATCH)]:
        with transaction() as session:
            _hold(session, generation)
            _insert(session, _table(table), batch)
        total += len(batch)
    return total


def _insert(session: Session, table: Table, batch: list[tuple[Any, ...]]) -> None:
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        columns = ", ".join(column.name for column in table.columns)
        cursor: Any = connection.connection.cursor()  # psycopg's own: COPY is not part of the DB-API
        with cursor, cursor.copy(f"COPY {table.name} ({columns}) FROM STDIN") as copy:
            for row in batch:
                copy.write_row(row)
        return
    statement = insert(table).compile(dialect=connection.dialect)
    connection.exec_driver_sql(str(statement), batch)


def _hold(session: Session, generation: int) -> None:
    held = session.execute(
        update(ImportRun)
        .where(ImportRun.generation == generation, ImportRun.state == "loading")
        .values(state="loading")
        .returning(ImportRun.generation)
        .execution_options(synchronize_session=False)
    ).first()
    if held is None:
        raise ImportRefusedError((FileFault("import", None, "another import began meanwhile; this one stops"),))


def put_in_force(kind: str, generation: int, counts: dict[str, int], now: datetime) -> None:
    """Put *generation* in force, record it in the log, then remove the previous one.

    Raises:
        ImportRefusedError: another import began meanwhile.
    """
    with transaction() as session:
        _hold(session, generation)
        session.execute(
            update(ImportRun).where(ImportRun.kind == kind, ImportRun.state == "current").values(state="replaced")
        )
        session.execute(
            update(ImportRun).where(ImportRun.generation == generation).values(state="current", counts=counts)
        )
        session.merge(ImportHead(kind=kind, generation=generation, imported_at=now))
        audit.record(_EVENTS[kind], actor=SYSTEM, now=now, details={"generation": generation, **counts})
    _refresh_statistics(kind)
    remove_old(kind)


def abandon(kind: str, generation: int) -> None:
    """Abandon an import: the generation in force stays, the rows of the import are removed."""
    with transaction() as session:
        session.execute(
            update(ImportRun)
            .where(ImportRun.generation == generation, ImportRun.state == "loading")
            .values(state="failed")
        )
    remove_old(kind)


@contextmanager
def new_generation(kind: str, now: datetime) -> Iterator[int]:
    """Begin an import; leaving with an exception abandons it."""
    generation = begin(kind, now)
    try:
        yield generation
    except BaseException:
        abandon(kind, generation)
        raise


def remove_old(kind: str) -> None:
    """Remove, in short transactions, the rows of imports that are not in force and not under way."""
    over = select(ImportRun.generation).where(
        ImportRun.kind == kind, ImportRun.state.in_(("superseded", "failed", "replaced"))
    )
    with transaction() as session:
        generations = session.scalars(over).all()
    for generation in generations:
        for model in _TABLES[kind]:
            _remove(_table(model), generation)
        with transaction() as session:
            session.execute(update(ImportRun).where(ImportRun.generation == generation).values(state="removed"))


def _remove(table: Table, generation: int) -> None:
    """Delete by ranges of the key: each range is found, and removed, along the primary key."""
    key = list(table.primary_key.columns)[1]
    ours = table.c.generation == generation
    while True:
        with transaction() as session:
            last = session.scalar(select(key).where(ours).order_by(key).limit(1).offset(BATCH))
            session.execute(delete(table).where(ours) if last is None else delete(table).where(ours, key <= last))
        if last is None:
            return


def _refresh_statistics(kind: str) -> None:
    """Update the statistics of PostgreSQL's planner after the tables grew; SQLite needs none for look-ups by key."""
    if db.engine.dialect.name != "postgresql":
        return
    with transaction() as session:
        for model in _TABLES[kind]:
            session.connection().exec_driver_sql(f"ANALYZE {_table(model).name}")


def twice(generation: int) -> list[tuple[int, int]]:
    """Return, for each Revenu Québec number that occurs twice in the loaded tax file, its first and last line."""
    lines = func.min(TaxAccountRow.line), func.max(TaxAccountRow.line)
    wanted = (
        select(*lines)
        .where(TaxAccountRow.generation == generation)
        .group_by(TaxAccountRow.number_digest)
        .having(func.count() > 1)
        .order_by(lines[1])
        .limit(20)
    )
    with transaction() as session:
        return [(first, last) for first, last in session.execute(wanted)]


def _table(model: type[Base]) -> Table:
    table = model.__table__
    assert isinstance(table, Table)  # noqa: S101 (for the type checker)
    return table
