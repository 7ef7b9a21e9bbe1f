"""The log: an entry stands or falls with its act, takes its place once, and no change to it goes unseen."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import text

from idp import audit
from idp.audit import SYSTEM, Actor, Event, services
from idp.cli import audit as command
from idp.clock import MovableClock
from idp.db import db, transaction

pytestmark = pytest.mark.databases


def record(now: datetime, event: Event = Event.FILE_STARTED, **about: str) -> str:
    with transaction():
        return audit.record(event, actor=SYSTEM, now=now, details={"n": 1, "é": "à"}, **about)  # type: ignore[arg-type]


def a_log(clock: MovableClock, count: int = 5) -> None:
    for _ in range(count):
        record(clock.advance(timedelta(seconds=1)))
    audit.sequence()


def tamper(*statements: str) -> None:
    with db.engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def test_an_entry_needs_the_transaction_of_its_act(app: Flask, now: datetime) -> None:
    """Outside a transaction nothing is recorded."""
    with pytest.raises(RuntimeError):
        audit.record(Event.FILE_STARTED, actor=SYSTEM, now=now)


def test_an_entry_falls_with_its_act(app: Flask, now: datetime) -> None:
    """When the act is rolled back there is no trace of it."""

    def act() -> None:
        with transaction():
            audit.record(Event.FILE_STARTED, actor=SYSTEM, now=now)
            raise ValueError("rolled back")

    with pytest.raises(ValueError, match="rolled back"):
        act()
    assert audit.entries() == ()


def test_the_chain_holds(app: Flask, clock: MovableClock) -> None:
    """Entries wait for their place, get it once, in order, and the chain holds over several rounds."""
    for _ in range(7):
        record(clock.advance(timedelta(seconds=1)))

    assert (audit.verify().verified, audit.verify().unsequenced) == (0, 7)
    assert [audit.sequence(limit=3) for _ in range(4)] == [3, 3, 1, 0]
    found = audit.verify()
    assert (found.verified, found.unsequenced, found.fault) == (7, 0, None)
    assert [entry.position for entry in reversed(audit.entries())] == [1, 2, 3, 4, 5, 6, 7]


def test_an_empty_log_holds(app: Flask) -> None:
    """Nothing recorded, nothing wrong."""
    assert audit.sequence() == 0
    assert audit.verify() == audit.Verification(0, 0)


@pytest.mark.parametrize(
    ("statements", "fault"),
    [
        pytest.param(["UPDATE audit_entry SET event = 'file:refused' WHERE position = 3"], "altered", id="edit"),
        pytest.param(
            ["UPDATE audit_entry SET details = '{\"n\": 2}' WHERE position = 3"], "altered", id="edit details"
        ),
        pytest.param(["UPDATE audit_entry SET actor_id = 'x' WHERE position = 1"], "altered", id="edit actor"),
        pytest.param(["DELETE FROM audit_entry WHERE position = 3"], "position 3 is missing", id="delete"),
        pytest.param(["DELETE FROM audit_entry WHERE position = 1"], "position 1 is missing", id="delete the first"),
        pytest.param(
            [
                "DELETE FROM audit_entry WHERE position = 3",
                "UPDATE audit_entry SET position = 3 WHERE position = 4",
                "UPDATE audit_entry SET position = 4 WHERE position = 5",
                "UPDATE audit_head SET position = 4",
            ],
            "altered",
            id="delete and close the gap",
        ),
        pytest.param(
            [
                "UPDATE audit_entry SET position = 99 WHERE position = 2",
                "UPDATE audit_entry SET position = 2 WHERE position = 3",
                "UPDATE audit_entry SET position = 3 WHERE position = 99",
            ],
            "altered",
            id="reorder",
        ),
        pytest.param(["DELETE FROM audit_entry WHERE position > 3"], "its head says 5", id="truncate"),
        pytest.param(["DELETE FROM audit_entry"], "its head says 5", id="empty"),
        pytest.param(["UPDATE audit_entry SET position = NULL, hash = NULL WHERE position = 5"], "says 5", id="undo"),
        pytest.param(["DELETE FROM audit_head"], "its head says 0", id="lose the head"),
        pytest.param(["UPDATE audit_head SET hash = 'x'"], "its head says 5", id="another head"),
        pytest.param(
            [
                "INSERT INTO audit_entry (id, at, event, actor_kind, details, position, hash) "
                "SELECT 'forged', at, event, actor_kind, details, 6, hash FROM audit_entry WHERE position = 5"
            ],
            "altered",
            id="insert at the end",
        ),
        pytest.param(
            [
                "UPDATE audit_entry SET position = 6 WHERE position = 5",
                "UPDATE audit_entry SET position = 5 WHERE position = 4",
                "INSERT INTO audit_entry (id, at, event, actor_kind, details, position, hash) "
                "SELECT 'forged', at, event, actor_kind, details, 4, hash FROM audit_entry WHERE position = 5",
                "UPDATE audit_head SET position = 6",
            ],
            "altered",
            id="insert between",
        ),
    ],
)
def test_each_tampering_is_found(app: Flask, clock: MovableClock, statements: list[str], fault: str) -> None:
    """Whoever writes in the table edits, deletes, reorders, truncates or inserts: the check says where."""
    a_log(clock)
    tamper(*statements)

    assert fault in (audit.verify().fault or "")


def test_a_log_cut_short_with_its_head_needs_what_was_published(app: Flask, clock: MovableClock) -> None:
    """A hash noted elsewhere shows what the database alone cannot: the end, or the whole, removed and re-made."""
    a_log(clock)
    published = audit.Published(audit.verify().verified, audit.verify().head)
    tamper(
        "DELETE FROM audit_entry WHERE position > 3",
        "UPDATE audit_head SET position = 3, hash = (SELECT hash FROM audit_entry WHERE position = 3)",
    )

    assert audit.verify().fault is None
    assert "before what was published" in (audit.verify([published]).fault or "")
    a_log(clock, 2)
    assert "hash that was published" in (audit.verify([published]).fault or "")


def test_a_published_hash_stays_true_as_the_log_grows(app: Flask, clock: MovableClock) -> None:
    """What was noted once holds for ever."""
    a_log(clock)
    published = audit.Published(audit.verify().verified, audit.verify().head)
    a_log(clock)

    assert audit.verify([published]).fault is None


def test_a_check_sees_one_instant(app: Flask, clock: MovableClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries placed while a check is under way are not part of it, and are no fault."""
    a_log(clock)
    record(clock.now())
    recompute = services._recompute

    def meanwhile(*arguments: Any) -> audit.Verification:
        audit.sequence()
        return recompute(*arguments)

    monkeypatch.setattr(services, "_recompute", meanwhile)

    assert (found := audit.verify()).fault is None
    assert found.verified == 5


def test_concurrent_sequencers_make_one_chain(app: Flask, now: datetime) -> None:
    """Four sequencers and four writers at once: no gap, no fork, no entry lost; checks meanwhile never cry wolf."""
    done = threading.Event()
    faults: list[str | None] = []

    def write() -> None:
        for _ in range(15):
            record(now)

    def place() -> None:
        while not done.is_set():
            audit.sequence(limit=4)

    def check() -> None:
        while not done.is_set():
            faults.append(audit.verify().fault)

    sequencers = start(app, [place] * 4 + [check])
    writers = start(app, [write] * 4)
    for thread in writers:
        thread.join()
    done.set()
    for thread in sequencers:
        thread.join()
    while audit.sequence():
        pass

    found = audit.verify()
    assert (found.verified, found.unsequenced, found.fault) == (60, 0, None)
    assert set(faults) == {None}
    assert failures == []


failures: list[BaseException] = []


def start(app: Flask, acts: list[Callable[[], None]]) -> list[threading.Thread]:
    failures.clear()

    def run(act: Callable[[], None]) -> None:
        with app.app_context():
            try:
                act()
            except Exception as error:  # noqa: BLE001 (shown by the thread that waits)
                failures.append(error)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    return threads


def test_people_read_what_is_about_them(app: Flask, clock: MovableClock) -> None:
    """Entries are found by enterprise, by file and by person, newest first, before an instant, up to a number."""
    with transaction():
        for n in range(3):
            audit.record(
                Event.GRANTED,
                actor=Actor.person("p1"),
                now=clock.advance(timedelta(minutes=1)),
                enterprise_id="e1",
                file_id=f"f{n}",
                person_id="p2",
                agency_id="amp",
            )
    audit_of = audit.entries

    assert [entry.file_id for entry in audit_of(enterprise_id="e1")] == ["f2", "f1", "f0"]
    assert [entry.file_id for entry in audit_of(person_id="p2", before=clock.now(), limit=1)] == ["f1"]
    assert [entry.actor_id for entry in audit_of(file_id="f0")] == ["p1"]
    assert audit_of(enterprise_id="e2") == ()


def test_the_command_says_whether_the_log_holds(
    app: Flask, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``idp audit verify``: 0 and the last hash when it holds, 1 and the fault when not."""
    monkeypatch.setattr(command, "create_app", lambda: app)
    a_log(clock)

    good = CliRunner().invoke(command.audit, ["verify"])
    assert (good.exit_code, good.output.splitlines()[0]) == (0, "5 entries hold, 0 wait for their place.")
    last = good.output.splitlines()[-1]
    assert CliRunner().invoke(command.audit, ["verify", "--published", last]).exit_code == 0
    assert CliRunner().invoke(command.audit, ["verify", "--published", "5:abc"]).exit_code == 2
    tamper("DELETE FROM audit_entry WHERE position = 2")
    bad = CliRunner().invoke(command.audit, ["verify"])
    assert bad.exit_code == 1
    assert "FAULT: position 2 is missing" in bad.output
