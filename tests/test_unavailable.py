"""Whatever cannot be done now is 503 with Retry-After, on every route, for each way a database can be away."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from flask import Flask, abort

from idp.app import create_app
from idp.clock import MovableClock
from idp.config import read_settings
from idp.db import engine_options, prepare_engine, unavailable_cause
from idp.errors import UnavailableError
from tests.authorization_matrix import NO_COOKIE_ROUTES
from tests.flows.installation import free_port
from tests.world import csrf_token

# answered without the database: documents, and pages that hold no data
WITHOUT_DATABASE = re.compile(r"/(static/|\.well-known/|jwks$|help$|accessibility$|privacy$|terms$|$)")


@pytest.fixture
def orphan(tmp_path: Path, keys_dir: Path, clock: MovableClock) -> Flask:
    """The application beside a PostgreSQL that does not answer."""
    settings = read_settings(
        database_url=f"postgresql+psycopg://mandat@127.0.0.1:{free_port()}/mandat",
        keys_dir=keys_dir,
        outbox_dir=tmp_path / "outbox",
    )
    return create_app(settings, clock=clock, testing=True)


def _example(rule: Any) -> str:
    return re.sub(r"<any\((\w+)[^>]*>|<[^>]+>", lambda found: found.group(1) or "x", str(rule))


def test_no_route_fails_while_the_database_is_away(orphan: Flask) -> None:
    """With a sign-in's cookie, every GET and every POST is answered 503 with Retry-After, or needs no database."""
    wrong, unavailable = [], 0
    for rule in orphan.url_map.iter_rules():
        path = _example(rule)
        for method in sorted((rule.methods or set()) & {"GET", "POST", "PUT", "DELETE"}):
            browser = orphan.test_client()
            token = csrf_token(browser.get("/help").text + '<input name="csrf_token" value="none">')
            browser.set_cookie("mandat", "A" * 43)
            form = {} if rule.endpoint in NO_COOKIE_ROUTES else {"csrf_token": token}
            with orphan.app_context():
                answer = browser.open(path, method=method, data=form if method == "POST" else None)
            if answer.status_code == 503 and answer.headers.get("Retry-After"):
                unavailable += 1
            elif answer.status_code >= 500:
                wrong.append((method, path, answer.status_code))

    assert wrong == []
    assert unavailable > 60


def test_a_refusal_for_now_says_when_to_come_back(app: Flask) -> None:
    """A rule of ours and a plain 503 have the header as well."""

    @app.get("/not-now")
    def not_now() -> str:
        raise UnavailableError("a connector")

    @app.get("/not-now-either")
    def not_now_either() -> str:
        abort(503)

    for path in ("/not-now", "/not-now-either"):
        answer = app.test_client().get(path)
        assert (answer.status_code, answer.headers.get("Retry-After")) == (503, "5"), path


@contextmanager
def _database(path: Path) -> Iterator[sqlalchemy.Engine]:
    url = f"sqlite:///{path}"
    options = engine_options(url)
    options["connect_args"] = {**options["connect_args"], "timeout": 0}
    engine = sqlalchemy.create_engine(url, **options)
    prepare_engine(engine)
    try:
        yield engine
    finally:
        engine.dispose()


def _write(engine: sqlalchemy.Engine, *, before: str = "") -> Exception | None:
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA busy_timeout=0")
            if before:
                connection.exec_driver_sql(before)
            connection.commit()
            for _ in range(50):
                connection.exec_driver_sql("INSERT INTO kept VALUES (zeroblob(100000))")
            connection.commit()
    except sqlalchemy.exc.DBAPIError as error:
        return error
    return None


@pytest.mark.parametrize(
    ("state", "cause"),
    [("locked", "locked"), ("full", "disk full"), ("read_only", "read-only"), ("damaged", "damaged")],
)
def test_each_state_of_a_database_file_is_recognised(tmp_path: Path, state: str, cause: str) -> None:
    """Real errors of SQLite: locked by another writer, full, read-only, not a database any more."""
    path = tmp_path / "kept.sqlite3"
    with _database(path) as engine, engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE kept (value BLOB)")
    other = sqlite3.connect(path)
    before = {"full": "PRAGMA max_page_count=20", "read_only": "PRAGMA query_only=ON"}.get(state, "")
    if state == "locked":
        other.execute("BEGIN IMMEDIATE")
    if state == "damaged":
        path.with_name("kept.sqlite3-wal").unlink(missing_ok=True)
        path.write_bytes(b"no database" * 1000)
    with _database(path) as engine:
        error = _write(engine, before=before)
    other.close()

    assert error is not None
    assert str(unavailable_cause(error)).startswith(cause)


@pytest.mark.parametrize("statement", ["SELECT * FROM nothing", "INSERT INTO kept VALUES (1, 2)", "not even SQL"])
def test_a_mistake_of_ours_is_no_outage(statement: str) -> None:
    """A wrong statement stays an unexpected error: coming back later would not help."""
    engine = sqlalchemy.create_engine("sqlite://")
    with engine.connect() as connection, pytest.raises(sqlalchemy.exc.DBAPIError) as caught:
        connection.exec_driver_sql("CREATE TABLE kept (value BLOB)")
        connection.exec_driver_sql(statement)

    assert unavailable_cause(caught.value) is None
