from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import JSON, Column, Connection, MetaData, inspect, text

from idp.app import create_app
from idp.clock import MovableClock
from idp.config import Settings, folder
from idp.db import db

NOW = datetime(2026, 11, 23, 14, 3, tzinfo=UTC)


@pytest.fixture
def empty_app(settings: Settings, clock: MovableClock) -> Flask:
    return create_app(settings, clock=clock, testing=True)


def _ours(_object: Any, name: str | None, kind: str, _reflected: bool, _compare: Any) -> bool:
    return not (kind == "table" and (name or "").startswith("test_"))


@pytest.mark.databases
def test_the_migrations_make_the_schema_of_the_models(empty_app: Flask) -> None:
    """After every migration nothing differs from the models, on both databases."""
    with empty_app.app_context():
        upgrade()
        with db.engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True, "include_object": _ours})
            differences = compare_metadata(context, db.metadata)
        db.engine.dispose()

    assert differences == []


@pytest.mark.databases
def test_every_migration_can_be_undone(empty_app: Flask) -> None:
    """Down to nothing, only Alembic's own table is left."""
    with empty_app.app_context():
        upgrade()
        downgrade(revision="base")
        left = set(inspect(db.engine).get_table_names())
        db.engine.dispose()

    assert left == {"alembic_version"}


def _value(column: Column[Any]) -> object:
    """Return something that a column takes."""
    kind = column.type.python_type if not isinstance(column.type, JSON) else dict
    given: dict[type, object] = {str: "x", int: 0, bool: False, datetime: NOW, date: NOW.date(), dict: {}, bytes: b"x"}
    return given[kind]


def _fill(connection: Connection) -> set[str]:
    """Put one row into each table that has none, those it refers to first; return the tables that have one."""
    metadata = MetaData()
    metadata.reflect(connection)
    rows: dict[str, dict[str, Any]] = {}
    for table in metadata.sorted_tables:
        found = connection.execute(table.select()).mappings().first()
        if found is None:
            referred = {key.parent.name: rows[key.column.table.name][key.column.name] for key in table.foreign_keys}
            values = {
                each.name: _value(each) for each in table.columns if not each.nullable and each.server_default is None
            }
            connection.execute(table.insert().values(values | referred))
            found = connection.execute(table.select()).mappings().one()
        rows[table.name] = dict(found)
    return set(rows)


@pytest.mark.databases
def test_every_migration_finds_rows_and_leaves_them(empty_app: Flask) -> None:
    """One row in each table before each migration, up to the last and down again: none stands in the way; going up loses none."""
    with empty_app.app_context():
        revisions = [each.revision for each in ScriptDirectory(str(folder("migrations"))).walk_revisions()][::-1]
        filled: set[str] = set()
        for revision in revisions:
            upgrade(revision=revision)
            with db.engine.begin() as connection:
                there = {
                    name
                    for name in filled & set(inspect(connection).get_table_names())
                    if connection.execute(text(f"SELECT 1 FROM {name}")).first() is None  # noqa: S608 (our own names)
                }
                filled = _fill(connection)
            db.engine.dispose()
            assert there == set(), f"emptied by {revision}"
        for revision in revisions[-2::-1]:
            downgrade(revision=revision)
        db.engine.dispose()

    assert len(filled) > 40
