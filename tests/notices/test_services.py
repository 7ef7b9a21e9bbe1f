"""The outbox: written with its act, sent at least once, by one worker at a time, then wiped."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from idp.clock import MovableClock
from idp.config import Settings
from idp.crypto.sealing import Sealing
from idp.db import db, transaction
from idp.notices import services
from idp.notices.domain.messages import Email
from idp.notices.domain.schedule import LEASE, PAUSES, next_try
from idp.notices.errors import UndeliverableError
from idp.notices.models import DeliveryState, OutboxMessage


def an_email(payload: dict[str, Any], _now: datetime) -> Email:
    return Email(to=payload["to"], subject="Sujet", text="Bonjour\n")


def enqueue(kind: str, now: datetime, **payload: Any) -> str:
    with transaction():
        return services.enqueue(kind, payload, now=now)


def row(message_id: str) -> OutboxMessage:
    db.session.expire_all()
    return db.session.execute(select(OutboxMessage).where(OutboxMessage.id == message_id)).scalar_one()


def files(settings: Settings) -> list[str]:
    return sorted(path.name for path in settings.outbox_dir.glob("*")) if settings.outbox_dir.exists() else []


def test_a_notice_needs_the_transaction_of_its_act(app: Flask, now: datetime) -> None:
    """Outside a transaction nothing is enqueued: an act and its notice stand or fall together."""
    with pytest.raises(RuntimeError):
        services.enqueue("a", {}, now=now)


def test_a_notice_falls_with_its_act(app: Flask, now: datetime) -> None:
    """When the act is rolled back, its notice is gone."""

    class BoomError(Exception):
        pass

    def act() -> None:
        with transaction():
            services.enqueue("a", {}, now=now)
            raise BoomError

    with pytest.raises(BoomError):
        act()

    assert services.waiting() == 0


def test_nothing_leaves_inside_a_transaction(app: Flask, now: datetime) -> None:
    """Sending before the commit is refused."""
    with transaction(), pytest.raises(RuntimeError):
        services.deliver_due(now)


@pytest.mark.databases
def test_a_payload_is_sealed_then_wiped(app: Flask, settings: Settings, now: datetime) -> None:
    """The row never shows the payload; once sent there is none, and the file bears time and kind but no person."""
    services.register_renderer(app, "mail_code", an_email)
    message_id = enqueue("mail_code", now, to="julie@example.org", code="83920174")

    sealed = row(message_id).payload or ""
    assert "julie" not in sealed
    assert "83920174" not in sealed
    assert services.deliver_due(now) == 1
    sent = row(message_id)
    assert (sent.state, sent.payload, sent.sent_at, sent.lease) == (DeliveryState.SENT, None, now, None)
    assert files(settings) == [f"20261123T150000.000Z-mail_code-{message_id[:12]}.eml"]
    assert services.deliver_due(now) == 0


def test_what_happens_after_sending_is_one_with_the_mark(app: Flask, now: datetime) -> None:
    """``on_sent`` gets the payload, inside the transaction that marks the notice; if it fails, the notice is not sent."""
    told: list[str] = []

    def confirm(payload: dict[str, Any], _now: datetime) -> None:
        told.append(payload["id"])
        if len(told) == 1:
            raise ValueError

    services.register_renderer(app, "a", lambda _payload, _now: None, confirm)
    message_id = enqueue("a", now, id="r1")

    services.deliver_due(now)
    assert row(message_id).state == DeliveryState.WAITING
    services.deliver_due(now + PAUSES[0])
    assert row(message_id).state == DeliveryState.SENT
    assert told == ["r1", "r1"]


def test_a_renderer_may_fan_out(app: Flask, settings: Settings, now: datetime) -> None:
    """A renderer that answers None enqueues the notices it stands for, and they leave in the same round."""

    def fan_out(payload: dict[str, Any], at: datetime) -> None:
        with transaction():
            for to in payload["all"]:
                services.enqueue("one", {"to": to}, now=at)

    services.register_renderer(app, "many", fan_out)
    services.register_renderer(app, "one", an_email)
    enqueue("many", now, all=["a@example.org", "b@example.org"])

    assert services.deliver_due(now) == 3
    assert len(files(settings)) == 2


def test_two_renderers_for_one_kind_are_a_mistake(app: Flask) -> None:
    """A kind has one renderer; the second registration is refused at start."""
    services.register_renderer(app, "a", an_email)

    with pytest.raises(ValueError, match="two renderers"):
        services.register_renderer(app, "a", an_email)


def test_the_pauses_grow_then_the_notice_dies() -> None:
    """1 s, 5 s, 30 s, 5 min, 1 h, then hours; after the last pause it is dead."""
    now = datetime.fromisoformat("2026-11-23T15:00:00+00:00")

    assert [next_try(n, now) for n in range(1, 6)] == [now + timedelta(seconds=s) for s in (1, 5, 30, 300, 3600)]
    assert list(PAUSES) == sorted(PAUSES)
    assert next_try(len(PAUSES) + 1, now) is None


@pytest.mark.databases
def test_a_failure_waits_and_death_keeps_the_sealed_payload(app: Flask, clock: MovableClock) -> None:
    """A notice that fails waits its pause; after the last try it is dead, says why without naming anybody, and can be revived."""
    healthy: list[bool] = []

    def render(payload: dict[str, Any], _now: datetime) -> None:
        if not healthy:
            raise UndeliverableError(payload["to"])

    services.register_renderer(app, "a", render)
    message_id = enqueue("a", clock.now(), to="julie@example.org")

    for attempt, pause in enumerate(PAUSES, start=1):
        assert services.deliver_due(clock.now()) == 1
        assert (row(message_id).attempts, row(message_id).due_at) == (attempt, clock.now() + pause)
        assert services.deliver_due(clock.now()) == 0
        clock.advance(pause)
    services.deliver_due(clock.now())
    dead = row(message_id)
    assert (dead.state, dead.last_error) == (DeliveryState.DEAD, "UndeliverableError")
    assert dead.payload is not None
    assert services.deliver_due(clock.advance(timedelta(days=30))) == 0

    healthy.append(True)
    assert services.revive(message_id, now=clock.now())
    assert not services.revive(message_id, now=clock.now())
    services.deliver_due(clock.now())
    assert row(message_id).state == DeliveryState.SENT


def test_an_unknown_kind_does_not_stop_the_others(app: Flask, settings: Settings, now: datetime) -> None:
    """A row nobody can render fails alone."""
    services.register_renderer(app, "known", an_email)
    enqueue("unknown", now)
    enqueue("known", now, to="a@example.org")

    assert services.deliver_due(now) == 2
    assert len(files(settings)) == 1


def test_a_crash_between_sending_and_noting_sends_again(app: Flask, clock: MovableClock) -> None:
    """A worker that dies keeps its lease until it runs out; then the notice leaves again (at least once)."""
    sent: list[str] = []

    class Killed(BaseException):
        pass

    def render(_payload: dict[str, Any], _now: datetime) -> None:
        sent.append("sent")
        if len(sent) == 1:
            raise Killed

    services.register_renderer(app, "a", render)
    enqueue("a", clock.now())

    with pytest.raises(Killed):
        services.deliver_due(clock.now())
    assert services.deliver_due(clock.advance(LEASE - timedelta(seconds=1))) == 0
    assert services.deliver_due(clock.advance(timedelta(seconds=1))) == 1
    assert sent == ["sent", "sent"]


def test_a_late_worker_does_not_confirm_twice(app: Flask, clock: MovableClock) -> None:
    """When a lease ran out and both workers sent, the second one to finish changes nothing and confirms nothing."""
    confirmed: list[datetime] = []

    def slow(_payload: dict[str, Any], now: datetime) -> None:
        if now == start:
            services.deliver_due(now + LEASE)

    start = clock.now()
    services.register_renderer(app, "a", slow, lambda _payload, now: confirmed.append(now))
    enqueue("a", start)

    services.deliver_due(start)

    assert confirmed == [start + LEASE]


@pytest.mark.databases
def test_two_workers_never_send_the_same_row(app: Flask, now: datetime) -> None:
    """Six workers on forty rows: each row leaves exactly once."""
    sent: Counter[int] = Counter()
    services.register_renderer(app, "a", lambda payload, _now: sent.update([payload["n"]]))
    for n in range(40):
        enqueue("a", now, n=n)

    run_together(6, lambda: work(app, now))

    assert sent == Counter(range(40))
    assert services.waiting() == 0


def work(app: Flask, now: datetime) -> None:
    with app.app_context():
        while services.deliver_due(now, limit=5):
            pass


def run_together(count: int, act: Callable[[], None]) -> None:
    gate, errors = threading.Barrier(count), []

    def run() -> None:
        gate.wait()
        try:
            act()
        except Exception as error:  # noqa: BLE001 (shown by the thread that waits)
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


@pytest.mark.databases
def test_the_notices_of_one_person_are_found_without_opening_any_other(
    app: Flask, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To their address or about them, waiting or dead; beside a large outbox nothing is unsealed."""
    enqueue("about", now, person_id="julie", to="agency@example.org")
    enqueue("to", now + timedelta(seconds=1), to="julie@example.com")
    enqueue("letter", now + timedelta(seconds=2), address="julie@example.com")
    dead = enqueue("dead", now + timedelta(seconds=3), to="julie@example.com")
    with transaction() as session:
        session.execute(update(OutboxMessage).where(OutboxMessage.id == dead).values(state=DeliveryState.DEAD.value))
    for place in range(30):
        enqueue("other", now, to=f"nadia{place}@example.com")
    enqueue("other", now, to="julie@example.com", person_id="nadia")
    enqueue("nobody", now, sid="x")
    opened = []
    unseal = Sealing.unseal
    monkeypatch.setattr(Sealing, "unseal", lambda *given: (opened.append(given[-1]), unseal(*given))[1])

    found = services.unsent_of("julie", "julie@example.com")

    assert [(each.kind, each.state) for each in found] == [
        *((kind, "waiting") for kind in ("about", "to", "letter")),
        ("dead", "dead"),
    ]
    assert opened == []
    assert services.unsent_of("omar", "") == ()


def test_a_notice_without_a_digest_is_still_found(app: Flask, now: datetime) -> None:
    """One that waited while the provider was brought up to date is opened, and told to its person alone."""
    for kind, payload in (("to", {"to": "julie@example.com"}), ("about", {"person_id": "julie"}), ("nobody", {})):
        enqueue(kind, now, **payload)
    with transaction() as session:
        session.execute(update(OutboxMessage).values(subject_digest=None))

    assert sorted(each.kind for each in services.unsent_of("julie", "julie@example.com")) == ["about", "to"]
    assert services.unsent_of("nadia", "nadia@example.com") == services.unsent_of("omar", "") == ()


def test_once_a_notice_has_left_nothing_tells_whose_it_was(app: Flask, now: datetime) -> None:
    """The digest goes with the words; until then it is neither the id nor the address."""
    services.register_renderer(app, "a", an_email)
    message_id = enqueue("a", now, to="julie@example.com")
    kept = row(message_id).subject_digest

    services.deliver_due(now)

    assert kept is not None
    assert re.fullmatch("[0-9a-f]{64}", kept)
    assert row(message_id).subject_digest is None
    assert services.unsent_of("julie", "julie@example.com") == ()
