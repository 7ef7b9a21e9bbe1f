"""Files that hold persons or secrets are for their owner alone, whatever the umask of who starts us."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from idp.app import create_app
from idp.cli.doctor import findings
from idp.clock import MovableClock
from idp.config import Settings
from idp.db import db
from idp.private_files import of_database


@pytest.fixture
def generous() -> Iterator[None]:
    """Create files that everybody may read and write, as some services are started."""
    before = os.umask(0)
    yield
    os.umask(before)


def _open_to_others(place: Path) -> list[str]:
    return [str(path.relative_to(place)) for path in sorted(place.rglob("*")) if path.stat().st_mode & 0o077]


def test_the_commands_leave_nothing_to_others(generous: None, tmp_path: Path) -> None:
    """Keys, the database with its side files, the checkpoints, an export, letters: each 0600, each folder 0700."""
    given = {
        "IDP_DATABASE_URL": f"sqlite:///{tmp_path / 'data' / 'mandat.sqlite3'}",
        "IDP_KEYS_DIR": str(tmp_path / "keys"),
        "IDP_OUTBOX_DIR": str(tmp_path / "outbox"),
        "IDP_AUDIT_PLACES": str(tmp_path / "place"),
        "IDP_ALARM_TRIES": "1",
        "IDP_ALARM_EMAIL": "watch@mandat.example",
    }
    (tmp_path / "place").mkdir(mode=0o700)
    script = (
        "from datetime import UTC, datetime; import idp.wsgi as w; from idp.db import db, transaction;"
        "from idp.accounts.throttling import alarm_services as a; from idp.cli.worker import run_once; from idp import audit;"
        "c = w.application.app_context(); c.push(); n = datetime.now(UTC)\n"
        "with transaction(): a.count_failure(n)\n"
        "run_once(n); run_once(n); from idp.private_files import of_database; from pathlib import Path\n"
        "print(*(p.suffix for p in of_database(Path(db.engine.url.database))))"
    )
    idp = [sys.executable, "-m", "idp"]
    for arguments in (
        [*idp, "keys", "new"],
        [*idp, "db", "upgrade"],
        [sys.executable, "-c", script],
        [*idp, "audit", "export", str(tmp_path / "log.jsonl")],
    ):
        ran = subprocess.run(arguments, env={**os.environ, **given}, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stderr
        if arguments[1] == "-c":
            assert ran.stdout.splitlines()[-1].split() == [".sqlite3", ".sqlite3-wal", ".sqlite3-shm"]

    assert _open_to_others(tmp_path) == []
    assert {path.name for path in tmp_path.iterdir()} == {"data", "keys", "log.jsonl", "outbox", "place"}
    assert list((tmp_path / "outbox").iterdir()) != []
    assert (tmp_path / "place" / "checkpoint").exists()


@pytest.mark.parametrize("server", ["idp.wsgi", "create_app"])
def test_a_database_that_was_open_is_closed_when_it_is_opened(
    generous: None, settings: Settings, clock: MovableClock, server: str
) -> None:
    """What an older version left to others is taken from them, with the files beside it."""
    path = Path(settings.database_url.removeprefix("sqlite:///"))
    app = create_app(settings, clock=clock, testing=True)
    with app.app_context():
        db.create_all()
        for each in of_database(path):
            each.chmod(0o666)
        if server == "idp.wsgi":
            db.engine.dispose()
        with db.engine.connect() as first, db.engine.connect() as second:
            first.exec_driver_sql("SELECT 1")
            second.exec_driver_sql("SELECT 1")
            modes = {each.stat().st_mode & 0o777 for each in of_database(path)}
        db.engine.dispose()

    assert modes == {0o600}


@pytest.mark.parametrize("name", ["keys/pepper.key", "outbox/letter.pdf", "mandat.sqlite3", "", "outbox", "keys"])
def test_what_is_open_is_named(settings: Settings, tmp_path: Path, name: str) -> None:
    """``idp doctor`` names each file and folder that others may read, with the cure."""
    keys = tmp_path / "keys"
    keys.mkdir(mode=0o700)
    for key in settings.keys_dir.iterdir():
        if key.is_file():
            (keys / key.name).write_bytes(key.read_bytes())
            (keys / key.name).chmod(0o600)
    (tmp_path / "outbox").mkdir(mode=0o700)
    for each in ("outbox/letter.pdf", "mandat.sqlite3"):
        (tmp_path / each).touch(mode=0o600)
    changed = settings.model_copy(
        update={
            "keys_dir": keys,
            "outbox_dir": tmp_path / "outbox",
            "database_url": f"sqlite:///{tmp_path / 'mandat.sqlite3'}",
        }
    )
    assert [told for told in findings(changed) if "read by others" in told] == []
    (tmp_path / name).chmod(0o755)

    told = [told for told in findings(changed) if "read by others" in told]
    (tmp_path / name).chmod(0o700)

    assert len(told) == 1
    assert told[0].startswith(f"{tmp_path / name} can be read by others; chmod ")
