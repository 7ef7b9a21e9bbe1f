"""Every table, made once a run for each kind of database; each test begins with a copy."""

from __future__ import annotations

import os
import shutil
import tempfile
from functools import cache
from pathlib import Path

import sqlalchemy

from idp.db import Base, db


def create_schema() -> None:
    """Make every table in the empty database of the current application."""
    url = db.engine.url
    path = Path(url.database or "")
    if url.get_backend_name() == "sqlite" and not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(_sqlite_template(), path)
    else:
        db.create_all()


def create_postgresql_database(server: sqlalchemy.URL, name: str, *, empty: bool = False) -> None:
    """Make the database *name*, with every table unless it is to be *empty*."""
    template = "template1" if empty else _postgresql_template(server)
    with _admin(server).connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {template}")


def drop_postgresql_database(server: sqlalchemy.URL, name: str) -> None:
    """Remove the database *name*, whoever is still connected."""
    with _admin(server).connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


@cache
def _sqlite_template() -> Path:
    path = Path(tempfile.mkdtemp(prefix="schema")) / "template.sqlite3"
    engine = sqlalchemy.create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")
    Base.metadata.create_all(engine)
    engine.dispose()  # the last connection moves the journal into the file
    return path


@cache
def _postgresql_template(server: sqlalchemy.URL) -> str:
    name = f"template_{os.getpid()}_{os.urandom(4).hex()}"
    with _admin(server).connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine = sqlalchemy.create_engine(server.set(database=name))
    Base.metadata.create_all(engine)
    engine.dispose()  # a database that is in use is no template
    return name


@cache
def _admin(server: sqlalchemy.URL) -> sqlalchemy.Engine:
    return sqlalchemy.create_engine(server, isolation_level="AUTOCOMMIT", poolclass=sqlalchemy.NullPool)
