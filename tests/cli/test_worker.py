"""The worker: sends, orders the log, sweeps; outlives a task that fails; stops when it is told to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from idp import audit
from idp.audit import SYSTEM, Event
from idp.cli import worker
from idp.clock import MovableClock
from idp.config import Settings
from idp.db import db, transaction
from idp.notices import services as notices
from idp.notices.domain.messages import Email

ROOT = Path(__file__).resolve().parents[2]


def an_email(payload: dict[str, Any], _now: datetime) -> Email:
    return Email(to="a@example.org", subject=payload["subject"], text="t\n")


def act(now: datetime, kind: str = "test_email") -> None:
    with transaction():
        notices.enqueue(kind, {"subject": "S"}, now=now)
        audit.record(Event.SIGNED_IN, actor=SYSTEM, now=now)


def until(holds: Callable[[], bool], seconds: float = 60) -> bool:
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        db.session.rollback()
        if holds():
            return True
        time.sleep(0.02)
    return False


@pytest.mark.databases
def test_once_does_all_that_is_due(app: Flask, now: datetime, settings: Settings) -> None:
    """One round sends every notice and gives every entry of the log its place."""
    notices.register_renderer(app, "test_email", an_email)
    for _ in range(3):
        act(now)

    worker.run_once(now)

    assert notices.waiting() == 0
    assert len(list(settings.outbox_dir.glob("*.eml"))) == 3
    assert (audit.verify().verified, audit.verify().unsequenced) == (3, 0)


def test_a_sweep_that_fails_does_not_stop_the_others(
    app: Flask, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error is logged and tried again at the next round; what comes after still runs."""
    ran: list[str] = []

    def broken(_now: datetime) -> None:
        with transaction():
            ran.append("broken")
            raise RuntimeError("out of order")

    monkeypatch.setattr(worker, "SWEEPS", (broken, lambda _now: ran.append("fine")))

    worker.run_once(now)
    worker.sweep(app)

    assert ran == ["broken", "fine"] * 2


@pytest.mark.databases
def test_the_loop_works_until_it_is_stopped(app: Flask, clock: MovableClock, settings: Settings) -> None:
    """What is enqueued while it runs leaves within a second or so, an agency that hangs holds nobody up, and it stops."""
    begun, answers = threading.Event(), threading.Event()

    def hanging(_payload: dict[str, Any], _now: datetime) -> None:
        begun.set()
        answers.wait(300)

    notices.register_renderer(app, "test_email", an_email)
    notices.register_renderer(app, "hanging", hanging)
    stop = threading.Event()
    thread = threading.Thread(target=worker.run, args=(app, stop))
    act(clock.now(), "hanging")
    thread.start()
    try:
        assert begun.wait(60)
        time.sleep(2 * worker.PAUSE_SECONDS)  # the other senders have found nothing and rest
        clock.advance(timedelta(seconds=1))
        for _ in range(5):
            act(clock.now())

        assert until(lambda: len(list(settings.outbox_dir.glob("*.eml"))) == 5)
        assert until(lambda: audit.verify().verified == 6)
    finally:
        stop.set()
        answers.set()
        thread.join(timeout=60)
    assert not thread.is_alive()


def test_sigterm_ends_it_cleanly(settings: Settings, app: Flask) -> None:
    """``idp worker`` ends by itself, with 0, soon after SIGTERM."""
    environment = {
        **os.environ,
        "IDP_DATABASE_URL": settings.database_url,
        "IDP_KEYS_DIR": str(settings.keys_dir),
        "IDP_KEY_ROTATION_DAYS": "0",
        "IDP_OUTBOX_DIR": str(settings.outbox_dir),
    }
    act(datetime.now().astimezone())
    process = subprocess.Popen([sys.executable, "-m", "idp", "worker"], cwd=ROOT, env=environment)
    try:
        assert until(lambda: audit.verify().verified == 1), process.poll()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
    finally:
        process.kill()
        process.wait()
