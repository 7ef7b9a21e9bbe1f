"""``idp worker``: sends notices, orders the log and publishes its checkpoints, sweeps dates; several may run side by side."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

import click
import structlog
from flask import Flask

from .. import audit
from ..accounts import services as accounts
from ..app import create_app
from ..audit.checkpoint_services import publish_due
from ..clock import Clock, SystemClock
from ..db import db
from ..delegation import services as delegation
from ..delegation.people import level_services, question_services
from ..delegation.requests import request_services
from ..enrollment import browser_services, worker_services
from ..notices import services as notices
from ..oidc.authorization import interaction_services, pushed_services
from ..oidc.events import event_services
from ..oidc.keys import key_services
from ..oidc.proofs import replay_services
from ..oidc.token import grant_services

log = structlog.get_logger("mandat.worker")

Task = Callable[[datetime], object]

PAUSE_SECONDS = 0.5
SWEEP_SECONDS = 60.0
PUBLISH_SECONDS = 5.0
SENDERS = 4  # an agency that does not respond must not delay the others
SWEEPS: tuple[Task, ...] = (
    worker_services.take_up_submitted,
    worker_services.sweep_deadlines,
    browser_services.forget_old,
    level_services.raise_levels,
    delegation.sweep_dates,
    question_services.forget_old,
    request_services.sweep,
    request_services.notify_waiting,
    accounts.sweep,
    accounts.watch_failed_tries,
    interaction_services.forget_old,
    replay_services.forget_old,
    pushed_services.forget_old,
    key_services.rotate_due,
    grant_services.forget_old,
    event_services.forget_old,
)


@click.command()
@click.option("--once", is_flag=True, help="do all that is due, then stop")
def worker(once: bool) -> None:
    """Deliver notices, order the log, sweep dates; stop it with SIGTERM."""
    app = create_app()
    if once:
        with app.app_context():
            run_once(SystemClock().now())
        return
    stop = threading.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda *_: stop.set())
    run(app, stop)


def run_once(now: datetime) -> None:
    """Sweep, send everything that is due at *now*, and give every entry of the log its place; needs an app context."""
    for task in SWEEPS:
        _try(task, now)
    while notices.deliver_due(now):
        pass
    while audit.sequence():
        pass
    _try(_publish, now)


def run(app: Flask, stop: threading.Event) -> None:
    """Work until *stop*; tasks under way are finished first.

    Senders are independent: one that waits for an agency that does not respond does not delay the others.
    """
    threads = [
        threading.Thread(target=_every, args=(SWEEP_SECONDS, lambda: sweep(app), stop), name="sweeper"),
        threading.Thread(target=_every, args=(PAUSE_SECONDS, lambda: order(app), stop), name="orderer"),
        threading.Thread(target=_every, args=(PUBLISH_SECONDS, lambda: publish(app), stop), name="publisher"),
        *(
            threading.Thread(
                target=_every, args=(PAUSE_SECONDS, lambda: send(app, stop), stop), name=f"sender-{number}"
            )
            for number in range(1, SENDERS + 1)
        ),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def send(app: Flask, stop: threading.Event) -> None:
    """Send due notices one at a time, each with its own instant; checking whether any is due takes no write lock."""
    while not stop.is_set() and _in_context(
        app, lambda now: notices.has_due(now) and notices.deliver_due(now, limit=1)
    ):
        pass


def order(app: Flask) -> None:
    """Give the entries of the log their position."""
    while _in_context(app, lambda _now: audit.sequence()):
        pass


def publish(app: Flask) -> None:
    """Publish checkpoints of the log in its outside places; one that does not respond delays no other work."""
    _in_context(app, _publish)


def _publish(now: datetime) -> int:
    return publish_due(now, on_doubt=accounts.doubt_log)


def sweep(app: Flask) -> None:
    """Run each sweep; one that fails is logged and does not stop the others."""
    for task in SWEEPS:
        _in_context(app, task)


def _in_context(app: Flask, task: Task) -> Any:
    """Run *task* with the current instant, in its own application context."""
    clock: Clock = app.extensions["mandat.clock"]
    with app.app_context():
        try:
            return _try(task, clock.now())
        finally:
            db.session.remove()


def _try(task: Task, now: datetime) -> Any:
    """Run *task*; log an error and retry at the next round: the worker survives a database restart."""
    try:
        return task(now)
    except Exception as error:
        db.session.rollback()
        name = getattr(task, "__qualname__", "task")
        log.error("task failed", task=name, error=type(error).__name__, exc_info=error)
        return None


def _every(seconds: float, act: Callable[[], None], stop: threading.Event) -> None:
    act()
    while not stop.wait(seconds):
        act()
