"""The log resists its own database: whatever is done to it, the checkpoints outside show it."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import structlog.testing
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import select, text, update

from idp import audit
from idp.audit import Actor, Event, checkpoint_services
from idp.audit.checkpoint_keys import CheckpointKeyError, CheckpointKeys
from idp.audit.domain.chain import Entry, link
from idp.audit.domain.checkpoints import Checkpoint, NoteError, VerifierKey, notes_of, opened, signed
from idp.audit.models import AuditEntry, AuditHead
from idp.cli import audit as command
from idp.cli import worker
from idp.cli.doctor import findings, remarks
from idp.cli.keys import keys as keys_command
from idp.clock import MovableClock
from idp.config import ConfigurationError, Settings, read_settings
from idp.db import db, table_of, transaction

ROOT = Path(__file__).resolve().parents[2]
LOG, HEAD = table_of(AuditEntry), table_of(AuditHead)
ORIGIN = "localhost:8000/audit"


@pytest.fixture
def outside(tmp_path: Path) -> list[Path]:
    """Two folders that stand for two other machines."""
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    return folders


@pytest.fixture
def settings(settings: Settings, tmp_path: Path, outside: list[Path], clock: MovableClock) -> Settings:
    changed = settings.model_copy(
        update={"audit_places": tuple(str(each) for each in outside), "audit_keys_dir": tmp_path / "audit-keys"}
    )
    CheckpointKeys.of(changed).create_missing(changed.issuer, clock.now())
    return changed


def write(clock: MovableClock, count: int = 3) -> None:
    """Add entries of an operator to the log, and give them their place."""
    for number in range(count):
        with transaction():
            audit.record(
                Event.FILE_APPROVED,
                actor=Actor("operator", f"odile{number}"),
                now=clock.advance(timedelta(seconds=1)),
                details={"n": number},
            )
    audit.sequence()


def publish(clock: MovableClock) -> int:
    return checkpoint_services.publish_due(clock.advance(timedelta(seconds=300)))


@pytest.fixture
def published(app: Flask, clock: MovableClock) -> MovableClock:
    """A log of six entries, with a checkpoint at three and one at six in both places."""
    write(clock)
    assert publish(clock) == 2
    write(clock)
    assert publish(clock) == 2
    return clock


def problems(clock: MovableClock) -> list[str]:
    db.session.rollback()
    found = checkpoint_services.compared(clock.now())
    return [*([found.log.fault] if found.log.fault else []), *found.problems]


def sql(*statements: str) -> None:
    db.session.rollback()
    with db.engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def recompute() -> None:
    """Do what somebody with the database can do: give every entry that is left its place and hash, and the head too."""
    db.session.rollback()
    with db.engine.begin() as connection:
        rows = connection.execute(select(LOG).order_by(LOG.c.position, LOG.c.at)).all()
        previous = "0" * 64
        connection.execute(update(LOG).values(position=-1 - LOG.c.position))
        for position, row in enumerate(rows, start=1):
            previous = link(previous, position, Entry(**row._mapping))
            connection.execute(update(LOG).where(LOG.c.id == row.id).values(position=position, hash=previous))
        connection.execute(update(HEAD).values(position=len(rows), hash=previous))


def reattributed(clock: MovableClock) -> None:
    sql("UPDATE audit_entry SET actor_id = 'octave' WHERE position = 2")


def reattributed_and_recomputed(clock: MovableClock) -> None:
    reattributed(clock)
    recompute()


def deleted(clock: MovableClock) -> None:
    sql("DELETE FROM audit_entry WHERE position = 2")


def deleted_and_recomputed(clock: MovableClock) -> None:
    deleted(clock)
    recompute()


def second_half_cut(clock: MovableClock) -> None:
    sql("DELETE FROM audit_entry WHERE position > 3")
    recompute()


def emptied(clock: MovableClock) -> None:
    sql("DELETE FROM audit_entry", "DELETE FROM audit_head")


def emptied_and_begun_again(clock: MovableClock) -> None:
    emptied(clock)
    write(clock, 9)


def swapped(clock: MovableClock) -> None:
    sql(
        "UPDATE audit_entry SET position = 99 WHERE position = 1",
        "UPDATE audit_entry SET position = 1 WHERE position = 2",
        "UPDATE audit_entry SET position = 2 WHERE position = 99",
    )
    recompute()


def restored_and_gone_on(clock: MovableClock) -> None:
    """An old backup, to which the provider then adds more than it had."""
    second_half_cut(clock)
    write(clock, 5)


def inserted(clock: MovableClock) -> None:
    sql(
        "INSERT INTO audit_entry (id, at, event, actor_kind, details, position)"
        " SELECT 'invented', at, event, actor_kind, details, 0 FROM audit_entry WHERE position = 1"
    )
    recompute()


ATTACKS: tuple[Callable[[MovableClock], None], ...] = (
    reattributed,
    reattributed_and_recomputed,
    deleted,
    deleted_and_recomputed,
    second_half_cut,
    emptied,
    emptied_and_begun_again,
    swapped,
    restored_and_gone_on,
    inserted,
)


@pytest.mark.databases
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_whatever_is_done_to_the_database_is_found(
    published: MovableClock, attack: Callable[[MovableClock], None], outside: list[Path], settings: Settings
) -> None:
    """Found by ``idp audit verify`` and ``idp doctor``; and no later checkpoint is published over it."""
    assert problems(published) == []
    before = [(folder / "checkpoint").read_text() for folder in outside]

    attack(published)

    assert problems(published) != []
    if attack not in (reattributed, deleted):  # the chain shows these by itself
        write(published)
        with structlog.testing.capture_logs() as told:
            assert publish(published) == 0
        assert {line["event"] for line in told} == {"checkpoint not published"}
        reason = "fewer than the 6" if attack is emptied else "another one than was published"
        assert attack not in (emptied, swapped) or all(reason in line["reason"] for line in told)
        assert [(folder / "checkpoint").read_text() for folder in outside] == before


def only_the_first(outside: list[Path]) -> None:
    for folder in outside:
        (month,) = folder.glob("*.notes")
        first = notes_of(month.read_text())[0]
        month.write_text(first)
        (folder / "checkpoint").write_text(first)


def last_taken_back(outside: list[Path]) -> None:
    (month,) = outside[0].glob("*.notes")
    (outside[0] / "checkpoint").write_text(notes_of(month.read_text())[0])


def place_emptied(outside: list[Path]) -> None:
    for path in outside[0].glob("*"):
        path.unlink()


def place_gone(outside: list[Path]) -> None:
    place_emptied(outside)
    (outside[0] / ".lock").unlink(missing_ok=True)
    outside[0].rmdir()


def forged(outside: list[Path]) -> None:
    note = (outside[0] / "checkpoint").read_text()
    (outside[0] / "checkpoint").write_text(note.replace("\n6\n", "\n7\n"))


def unsigned(outside: list[Path]) -> None:
    body = (outside[0] / "checkpoint").read_text().partition("\n\n")[0]
    (outside[0] / "checkpoint").write_text(body + "\n\n")


def garbage(outside: list[Path]) -> None:
    (outside[0] / "checkpoint").write_bytes(b"\xff\xfe not a note")


PLACES = (only_the_first, last_taken_back, place_emptied, place_gone, forged, unsigned, garbage)


@pytest.mark.parametrize("change", PLACES, ids=lambda change: change.__name__)
def test_a_place_that_changes_its_past_is_found(
    published: MovableClock, change: Callable[[list[Path]], None], outside: list[Path]
) -> None:
    """A place that goes back, is emptied, is gone, or gives what no key of ours signed."""
    change(outside)

    assert [problem for problem in problems(published) if str(outside[0]) in problem] != []


def _note(settings: Settings, clock: MovableClock, size: int, digest: str, origin: str = ORIGIN) -> str:
    checkpoint = Checkpoint(origin, size, digest, clock.now())
    return signed(checkpoint, CheckpointKeys.of(settings).signing())


def test_a_fork_is_found(published: MovableClock, outside: list[Path], settings: Settings) -> None:
    """The keys sign another log for one of the places: it contradicts the log, and the other place."""
    other = _note(settings, published, 6, "ab" * 32)
    (outside[1] / "checkpoint").write_text(other)

    told = " ".join(problems(published))

    assert "position 6 does not bear the hash that was published" in told
    assert "contradict one another at 6 entries" in told


def test_a_checkpoint_of_another_log_is_no_checkpoint(
    published: MovableClock, outside: list[Path], settings: Settings
) -> None:
    """The places of two installations, swapped by mistake."""
    (outside[0] / "checkpoint").write_text(_note(settings, published, 6, "ab" * 32, origin="other.example/audit"))

    assert any("is of another log: other.example/audit" in problem for problem in problems(published))


def test_a_place_that_is_behind_is_told_and_catches_up(
    published: MovableClock, outside: list[Path], settings: Settings
) -> None:
    """The worker could not write for a while: doctor says so; afterwards all is well again."""
    (outside[0] / "checkpoint").rename(outside[0] / "aside")
    (outside[0] / "checkpoint").mkdir()  # nothing can be written there
    write(published)
    assert publish(published) == 1
    (outside[0] / "checkpoint").rmdir()
    (outside[0] / "aside").rename(outside[0] / "checkpoint")
    published.advance(timedelta(seconds=900))

    late = problems(published)

    assert len(late) == 1
    assert "is behind: 6 entries of 9" in late[0]
    assert publish(published) == 1
    assert problems(published) == []


def test_a_checkpoint_is_due_by_time_or_by_entries(app: Flask, clock: MovableClock, settings: Settings) -> None:
    """The first at once, then after five minutes or a thousand entries, and never twice for the same end."""
    assert checkpoint_services.publish_due(clock.now()) == 0  # an empty log
    write(clock)
    assert checkpoint_services.publish_due(clock.now()) == 2
    write(clock)
    assert checkpoint_services.publish_due(clock.advance(timedelta(seconds=200))) == 0
    app.extensions["mandat.settings"] = settings.model_copy(update={"audit_checkpoint_entries": 3})

    assert checkpoint_services.publish_due(clock.now()) == 2
    assert checkpoint_services.publish_due(clock.advance(timedelta(hours=1))) == 0


def test_the_commands_say_what_they_found(published: MovableClock, settings: Settings, outside: list[Path]) -> None:
    """``idp audit verify`` and ``idp doctor`` read the places; few of them are never passed over in silence."""
    whole = CliRunner().invoke(command.audit, ["verify"], env=_environment(settings))
    reattributed_and_recomputed(published)

    doubted = CliRunner().invoke(command.audit, ["verify"], env=_environment(settings))

    assert (whole.exit_code, doubted.exit_code) == (0, 1)
    assert f"{outside[0]}: 3 checkpoints, the last of 6 entries" in whole.output
    assert "FAULT: position 3 does not bear the hash that was published" in doubted.output
    for count, word in ((0, "no outside place"), (1, "one outside place")):
        few = settings.model_copy(update={"audit_places": settings.audit_places[:count]})
        assert [told for told in remarks(few) if word in told] != []
    assert [told for told in remarks(settings) if "outside place" in told] == []
    keyless = settings.model_copy(update={"audit_keys_dir": settings.keys_dir / "nothing"})
    assert [told for told in findings(keyless) if "idp keys new" in told] != []


def test_anybody_verifies_the_log_without_the_provider(
    published: MovableClock, settings: Settings, outside: list[Path], tmp_path: Path
) -> None:
    """The script alone, with an export, the files of a place and the key: whole, then changed, then with another key."""
    export, changed = tmp_path / "log.jsonl", tmp_path / "changed.jsonl"
    assert CliRunner().invoke(command.audit, ["export", str(export)], env=_environment(settings)).exit_code == 0
    reattributed_and_recomputed(published)
    assert CliRunner().invoke(command.audit, ["export", str(changed)], env=_environment(settings)).exit_code == 0
    key = CheckpointKeys.of(settings).verifiers()[0].text
    stranger = VerifierKey(ORIGIN, bytes(31) + b"\x01").text

    ran = [
        subprocess.run(
            [sys.executable, "-I", ROOT / "tools" / "verify_log.py", file, "--key", known, *outside[0].glob("[2c]*")],
            capture_output=True,
            text=True,
        )
        for file, known in ((export, key), (changed, key), (export, stranger))
    ]

    assert [each.returncode for each in ran] == [0, 1, 1], ran
    assert "6 entries, 3 checkpoints, 0 entries after the last" in ran[0].stdout
    assert "position 3 does not bear the hash that was published" in ran[1].stdout
    assert "no valid signature" in ran[2].stdout
    assert export.stat().st_mode & 0o777 == 0o600
    assert "import idp" not in (ROOT / "tools" / "verify_log.py").read_text()


def _environment(settings: Settings) -> dict[str, str]:
    return {
        "IDP_DATABASE_URL": settings.database_url,
        "IDP_KEYS_DIR": str(settings.keys_dir),
        "IDP_OUTBOX_DIR": str(settings.outbox_dir),
        "IDP_AUDIT_KEYS_DIR": str(settings.audit_keys_dir),
        "IDP_AUDIT_PLACES": ",".join(settings.audit_places),
    }


def test_a_note_is_a_signed_note_of_c2sp(published: MovableClock, outside: list[Path]) -> None:
    """Origin, size, hash, extension, an empty line, and signatures with the identifier of their key before them."""
    lines = (outside[0] / "checkpoint").read_text().split("\n")

    assert lines[:2] == [ORIGIN, "6"]
    assert base64.b64decode(lines[2]).hex() == audit.verify().head
    assert lines[3].startswith("mandat-chain-v1 2026-")
    assert lines[4] == ""
    assert lines[5].startswith(f"\N{EM DASH} {ORIGIN} ")
    assert len(base64.b64decode(lines[5].split(" ")[2])) == 4 + 64


def test_keys_of_checkpoints_rotate_and_stay_verifiable(
    published: MovableClock, settings: Settings, outside: list[Path]
) -> None:
    """The new key signs with the one before beside it; the third takes the first one's private half; old notes hold."""
    first, folder = CheckpointKeys.of(settings).verifiers()[0], CheckpointKeys.of(settings)
    for _ in range(2):
        made = CliRunner().invoke(keys_command, ["rotate-checkpoints"], env=_environment(settings))
        assert made.exit_code == 0, made.output
        audit.sequence()
        assert publish(published) == 2
    note = (outside[0] / "checkpoint").read_text()

    assert problems(published) == []
    assert opened(note, folder.verifiers()).signed_by == {key.id for key in folder.verifiers()} - {first.id}
    assert [bool(key.private) for key in folder.read()] == [True, True, False]
    assert folder.rewrap() == 2
    assert len(folder.signing()) == 2
    listed = CliRunner().invoke(keys_command, ["checkpoints"], env=_environment(settings)).output
    assert [line.split("  ")[1].split(" ")[0] for line in listed.splitlines()] == ["signs", "signs", "verifies"]


def test_in_an_emergency_only_the_new_key_counts(
    published: MovableClock, settings: Settings, outside: list[Path]
) -> None:
    """A place that ends with a signature of the stolen key alone is told until the next checkpoint is there."""
    CliRunner().invoke(keys_command, ["rotate-checkpoints", "--emergency"], env=_environment(settings))

    assert any("only a revoked key signed" in problem for problem in problems(published))
    audit.sequence()
    assert publish(published) == 2
    assert problems(published) == []
    assert len(CheckpointKeys.of(settings).signing()) == 1


def test_a_key_file_that_was_edited_does_not_open(settings: Settings) -> None:
    """All that a file tells is authenticated by its seal, which is not the one of the keys that sign tokens."""
    keys = CheckpointKeys.of(settings)
    (path,) = keys.folder.glob("checkpoint-*.json")
    told = json.loads(path.read_text())
    path.write_text(json.dumps(told | {"created_at": "2020-01-01T00:00:00+00:00"}))

    with pytest.raises(CheckpointKeyError, match="does not open"):
        keys.read()
    assert (path.parent / "key-encryption.key").stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    "note",
    ["", "x", "\n\n", "o\n1\nAA==\nk t\n\n", "o\n01\n" + "A" * 43 + "=\nk 2026-01-01\n\n", "o\n1\n\n\u2014 o !\n"],
)
def test_what_is_no_note_is_refused(note: str) -> None:
    """Text that cannot be a checkpoint is an error of its own, and never an exception of a library."""
    with pytest.raises(NoteError):
        opened(note, ())


@pytest.mark.parametrize(
    "places",
    [
        "http://witness.example/log",
        "https://u:p@witness.example/",
        "https://witness.example/?sig=x",
        "/mnt/a b,/mnt/a b",
    ],
)
def test_a_place_that_cannot_be_meant_is_refused_at_start(places: str) -> None:
    """No clear http, no secret in an address, no place twice."""
    with pytest.raises(ConfigurationError, match="IDP_AUDIT_PLACES"):
        read_settings(audit_places=places)


class Witness(BaseHTTPRequestHandler):
    """Somebody else's server: gives the last note, takes the next one from who has the token."""

    notes: list[str]

    def do_GET(self) -> None:
        """Give the last note."""
        self._answer(200 if self.notes else 404, self.notes[-1] if self.notes else "")

    def do_PUT(self) -> None:
        """Take a note."""
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if self.headers["Authorization"] != "Bearer canary":
            self._answer(401, "")
            return
        self.notes.append(body)
        self._answer(204, "")

    def _answer(self, status: int, body: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def witness() -> Iterator[tuple[str, list[str]]]:
    notes: list[str] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Witness,), {"notes": notes}))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/mandat", notes
    server.shutdown()
    server.server_close()


def test_an_address_is_a_place_too(
    app: Flask,
    clock: MovableClock,
    settings: Settings,
    outside: list[Path],
    tmp_path: Path,
    witness: tuple[str, list[str]],
) -> None:
    """It is read before it is written, with a token; when it does not answer, or refuses, that is told and the folder goes on."""
    url, notes = witness
    token = tmp_path / "token"
    token.write_text("canary\n")
    app.extensions["mandat.settings"] = settings.model_copy(
        update={"audit_places": (str(outside[0]), url), "audit_place_token_file": token}
    )
    write(clock)
    assert publish(clock) == 2
    write(clock)
    assert publish(clock) == 2
    assert problems(clock) == []
    assert [note.split("\n")[1] for note in notes] == ["3", "6"]
    second_half_cut(clock)
    assert problems(clock) != []
    write(clock, 9)
    assert publish(clock) == 0
    token.write_text("wrong")
    notes.clear()

    silent = problems(clock)

    assert any(problem == f"{url}: is empty, and was not" for problem in silent)
    assert len(notes) == 0


def test_times_of_checkpoints_are_read_back(now: datetime) -> None:
    """What is written is what is read."""
    checkpoint = Checkpoint(ORIGIN, 0, "00" * 32, now)

    assert opened(signed(checkpoint, ()), ()).checkpoint == checkpoint


def test_who_watches_is_told_once_a_day(published: MovableClock, app: Flask, settings: Settings) -> None:
    """A worker that may not publish writes to the address of alarms, and in the log; a place that is silent is no alarm."""
    app.extensions["mandat.settings"] = settings.model_copy(update={"alarm_email": "veille@fournisseur.example"})
    emptied_and_begun_again(published)

    for _ in range(3):
        worker.run_once(published.advance(timedelta(seconds=300)))

    (letter,) = settings.outbox_dir.glob("*log_alarm*.eml")
    assert "veille@fournisseur.example" in letter.read_text()
    assert [entry.event for entry in audit.entries(event=Event.LOG_DOUBTED)] == ["log:doubted"]
