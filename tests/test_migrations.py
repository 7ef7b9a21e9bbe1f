from __future__ import annotations

from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import inspect

from idp.app import create_app
from idp.clock import MovableClock
from idp.config import Settings
from idp.db import db


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
