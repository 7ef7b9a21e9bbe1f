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


def test_what_each_enterprise_knew_is_found_again(empty_app: Flask) -> None:
    """0019: a linked code keeps what was given with it, a corrected name what was vouched for, who left has no address."""
    later = datetime(2026, 11, 24, tzinfo=UTC)
    with empty_app.app_context():
        upgrade(revision="0018")
        with db.engine.begin() as connection:
            metadata = MetaData()
            metadata.reflect(connection)
            _fill(connection)

            def put(table: str, **values: object) -> None:
                base = dict(connection.execute(metadata.tables[table].select()).mappings().first() or {})
                connection.execute(metadata.tables[table].insert().values(base | values))

            for who, name in (("julie", "Nouveau"), ("row", "Donné"), ("gone", "Parti")):
                put("person", id=who, given_name="J", family_name=name, email=f"{who}@example.com")
            names = {
                "former_given_name": "J",
                "former_family_name": "Ancien",
                "given_name": "J",
                "family_name": "Nouveau",
            }
            put("name_change", id="n", person_id="julie", at=later, **names)
            for id, who, status in (("m1", "julie", "active"), ("m2", "julie", "active"), ("m3", "gone", "removed")):
                at = {"m1": NOW, "m2": later, "m3": NOW}[id]
                put("membership", id=id, person_id=who, role=id, status=status, appointed_at=at)
            linked = {"membership": "m2", "former_person": "row"}
            put("audit_entry", id="a", event="membership:linked", details=linked, position=2)
        db.engine.dispose()
        upgrade()
        columns = "family_name, email, vouched_family_name"
        with db.engine.connect() as connection:
            found = connection.execute(text(f"SELECT {columns} FROM membership WHERE id LIKE 'm_' ORDER BY id")).all()  # noqa: S608
        db.engine.dispose()

    assert [tuple(row) for row in found] == [
        ("Nouveau", "julie@example.com", "Ancien"),
        ("Nouveau", "row@example.com", "Donné"),
        ("Parti", "", "Parti"),
    ]


@pytest.mark.databases
def test_consents_go_on_counting_for_what_they_said(empty_app: Flask) -> None:
    """Every block where the page said so; none where the agency asks by name, which was not kept; nothing of who left."""
    kept = {"text_version": "2026-11", "given_at": NOW}

    def consent(id: str, person: str, agency: str, scopes: list[str], claims: list[str] | None) -> dict[str, Any]:
        whose = {"id": id, "person_id": person, "enterprise_id": "x", "agency_id": agency}
        return {**kept, **whose, "scopes": scopes, "claims": claims}

    with empty_app.app_context():
        upgrade(revision="0022")
        with db.engine.begin() as connection:
            _fill(connection)
            metadata = MetaData()
            metadata.reflect(connection)
            consents, grants = metadata.tables["consent"], metadata.tables["authorization_grant"]
            connection.execute(grants.update().values(agency_id="by-name", details=[{"privileges": ["001"]}]))
            connection.execute(consents.delete())
            for values in (
                consent("plain", "x", "amp", ["openid"], None),
                consent("scope", "x", "amp", ["openid", "functional_blocks"], None),
                consent("claim", "x", "amp", ["openid"], ["functional_blocks", "enterprise"]),
                consent("by-name", "x", "by-name", ["openid", "functional_blocks"], None),
                consent("gone", "left", "amp", ["openid"], None),
            ):
                connection.execute(consents.insert().values(values))
        upgrade()
        with db.engine.connect() as connection:
            rows = {row.id: row for row in connection.execute(text("SELECT id, blocks, withdrawn_at FROM consent"))}
        db.engine.dispose()

    every = {id: row.blocks in ('["*"]', ["*"]) for id, row in rows.items()}
    assert every == {"plain": False, "scope": True, "claim": True, "by-name": False, "gone": False}
    assert {id for id, row in rows.items() if row.withdrawn_at is not None} == {"gone"}
