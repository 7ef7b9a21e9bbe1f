"""The outbox: a notice is written with the act it reports, and sent afterwards, at least once.

A worker claims one row at a time by one UPDATE with a lease, so that two workers never send the same row at the same
time. When a worker dies after sending and before recording it, the lease expires and the notice is sent again:
receivers must accept duplicates (an e-mail keeps its Message-ID, a letter its file name).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from flask import Flask, current_app
from sqlalchemy import ColumnElement, func, insert, or_, select, update

from ..crypto.sealing import current_sealing
from ..db import db, in_transaction, new_id, transaction
from .delivery import deliver
from .domain.messages import Email, Message
from .domain.schedule import LEASE, next_try
from .errors import BouncedError, PostponedError, RefusedAnswerError, RefusedContentError, UnknownKindError
from .models import DeliveryState, OutboxMessage
from .subjects import subject_of, subjects

log = structlog.get_logger("mandat.notices")

Render = Callable[[dict[str, Any], datetime], Message | None]
OnSent = Callable[[dict[str, Any], datetime], None]
OnBounce = Callable[[str, int, datetime], None]

_BOUNCES = "mandat.bounces"
_FINAL = (BouncedError, RefusedContentError)  # the same message would be refused again
_ROUND_SECONDS = 20.0  # a round ends well before the leases it took


@dataclass(frozen=True, slots=True)
class Renderer:
    """How one kind of notice is rendered, and the actions once it is sent."""

    render: Render
    on_sent: OnSent | None = None
    on_refused: OnSent | None = None


@dataclass(frozen=True, slots=True)
class DeadNotice:
    """A notice that was given up: when it was written, when it died, and why; never its content or its recipient."""

    id: str
    kind: str
    created_at: datetime
    died_at: datetime
    attempts: int
    last_error: str


@dataclass(frozen=True, slots=True)
class UnsentNotice:
    """A notice that was not sent: its kind, when it was written, its state."""

    kind: str
    written_at: datetime
    state: str


@dataclass(frozen=True, slots=True)
class _Claimed:
    id: str
    kind: str
    payload: str
    attempts: int
    lease: str


def register_renderer(
    app: Flask, kind: str, render: Render, on_sent: OnSent | None = None, on_refused: OnSent | None = None
) -> None:
    """Register how notices of *kind* are rendered; each kind has one renderer.

    *render* runs in an application context, outside any transaction; None means that it did the work itself (for
    example by enqueuing further notices). *on_sent* runs in the transaction that marks the notice sent, *on_refused* in
    the one that gives it up because its e-mail address was refused permanently.

    Raises:
        ValueError: the kind already has a renderer.
    """
    renderers: dict[str, Renderer] = app.extensions["mandat.renderers"]
    if kind in renderers:
        raise ValueError(f"two renderers for {kind}")
    renderers[kind] = Renderer(render, on_sent, on_refused)


def on_bounce(app: Flask, note: OnBounce) -> None:
    """Register *note*, called with an address that its server refused permanently, the status and the instant.

    It runs in the transaction that gives the notice up.
    """
    app.extensions.setdefault(_BOUNCES, []).append(note)


def enqueue(kind: str, payload: dict[str, Any], *, now: datetime) -> str:
    """Add a notice to the outbox, inside the transaction of the act it reports, and return its id.

    Raises:
        RuntimeError: no transaction is open: an act and its notice are committed together or not at all.
    """
    if not in_transaction():
        raise RuntimeError("notices.enqueue outside a transaction")
    message_id = new_id()
    sealed = current_sealing().seal(json.dumps(payload, ensure_ascii=False), _place(message_id))
    db.session.execute(
        insert(OutboxMessage).values(
            id=message_id,
            kind=kind,
            payload=sealed,
            subject_digest=subject_of(payload),
            state=DeliveryState.WAITING.value,
            created_at=now,
            due_at=now,
            attempts=0,
        )
    )
    return message_id


def deliver_due(now: datetime, limit: int = 50) -> int:
    """Send the notices that are due, oldest first; return how many were attempted, at most *limit*.

    Raises:
        RuntimeError: a transaction is open: nothing is sent before the act it reports is committed.
    """
    if in_transaction():
        raise RuntimeError("notices.deliver_due inside a transaction")
    begun, tried = time.monotonic(), 0
    while tried < limit and time.monotonic() - begun < _ROUND_SECONDS:
        claimed = _claim(now)
        if claimed is None:
            break
        _attempt(claimed, now)
        tried += 1
    return tried


def has_due(now: datetime) -> bool:
    """Return whether a notice is due at *now*, without taking the write lock."""
    found = db.session.scalar(select(OutboxMessage.id).where(*_due(now)).limit(1))
    db.session.commit()  # an idle worker must not keep a snapshot open
    return found is not None


def waiting() -> int:
    """Return how many notices are still to be sent, dead ones excluded."""
    return len(db.session.scalars(select(OutboxMessage.id).where(OutboxMessage.state == DeliveryState.WAITING)).all())


def dead_count() -> int:
    """Return how many notices could not be delivered."""
    return (
        db.session.scalar(
            select(func.count()).select_from(OutboxMessage).where(OutboxMessage.state == DeliveryState.DEAD)
        )
        or 0
    )


def dead(limit: int = 100) -> tuple[DeadNotice, ...]:
    """Return the notices that were given up, latest first, without their content."""
    rows = db.session.execute(
        select(
            OutboxMessage.id,
            OutboxMessage.kind,
            OutboxMessage.created_at,
            OutboxMessage.due_at,
            OutboxMessage.attempts,
            OutboxMessage.last_error,
        )
        .where(OutboxMessage.state == DeliveryState.DEAD)
        .order_by(OutboxMessage.due_at.desc(), OutboxMessage.id)
        .limit(limit)
    )
    return tuple(
        DeadNotice(row.id, row.kind, row.created_at, row.due_at, row.attempts, row.last_error or "") for row in rows
    )


def unsent_of(person_id: str, address: str) -> tuple[UnsentNotice, ...]:
    """Return the notices to or about a person that wait or were given up, oldest first; sent ones are wiped.

    Only those without a digest are opened, which were written by a version that kept none.
    """
    wanted = subjects(person_id, address)
    subject = OutboxMessage.subject_digest
    rows = db.session.execute(
        select(
            OutboxMessage.id,
            OutboxMessage.kind,
            OutboxMessage.payload,
            OutboxMessage.created_at,
            OutboxMessage.state,
            subject,
        )
        .where(
            OutboxMessage.state.in_((DeliveryState.WAITING.value, DeliveryState.DEAD.value)),
            or_(subject.in_(wanted), subject.is_(None)),
        )
        .order_by(OutboxMessage.created_at, OutboxMessage.id)
    )
    return tuple(
        UnsentNotice(row.kind, row.created_at, row.state)
        for row in rows
        if (row.subject_digest or subject_of(_opened(row.id, row.payload))) in wanted
    )


def _opened(message_id: str, sealed: str) -> dict[str, Any]:
    opened: dict[str, Any] = json.loads(current_sealing().unseal(sealed, _place(message_id)))
    return opened


def revive(message_id: str, *, now: datetime) -> bool:
    """Revive a dead notice; return whether there was one."""
    with transaction() as session:
        found = session.execute(
            update(OutboxMessage)
            .where(OutboxMessage.id == message_id, OutboxMessage.state == DeliveryState.DEAD)
            .values(state=DeliveryState.WAITING.value, attempts=0, due_at=now)
            .returning(OutboxMessage.id)
        ).first()
    return found is not None


def _place(message_id: str) -> str:
    return f"outbox:{message_id}"


def _due(now: datetime) -> tuple[ColumnElement[bool], ...]:
    free = or_(OutboxMessage.leased_until.is_(None), OutboxMessage.leased_until <= now)
    return (OutboxMessage.state == DeliveryState.WAITING, OutboxMessage.due_at <= now, free)


def _claim(now: datetime) -> _Claimed | None:
    """Take the oldest due notice for the time of a lease: one statement, so only one worker has it."""
    if not has_due(now):
        return None
    due = _due(now)
    oldest = select(OutboxMessage.id).where(*due).order_by(OutboxMessage.due_at, OutboxMessage.created_at).limit(1)
    lease = new_id()
    with transaction() as session:
        row = session.execute(
            update(OutboxMessage)
            .where(OutboxMessage.id == oldest.with_for_update(skip_locked=True).scalar_subquery(), *due)
            .values(lease=lease, leased_until=now + LEASE, attempts=OutboxMessage.attempts + 1)
            .returning(OutboxMessage.id, OutboxMessage.kind, OutboxMessage.payload, OutboxMessage.attempts)
            .execution_options(synchronize_session=False)
        ).first()
    if row is None:
        return None
    return _Claimed(row.id, row.kind, row.payload or "", row.attempts, lease)


def _attempt(claimed: _Claimed, now: datetime) -> None:
    try:
        payload = _opened(claimed.id, claimed.payload)
        renderer = _renderer(claimed.kind)
        message = renderer.render(payload, now)
        if message is not None and not _is_to_nobody(message):
            deliver(message, message_id=claimed.id, kind=claimed.kind, now=now)
        _mark_sent(claimed, renderer, payload, now)
    except PostponedError as later:
        _postpone(claimed, later.until)
    except Exception as error:  # noqa: BLE001 (whatever happens to one notice, the others still leave)
        _mark_failed(claimed, error, now)


def _is_to_nobody(message: Message) -> bool:
    """Return whether an e-mail has no address: its reader closed their account, and the address was deleted."""
    return isinstance(message, Email) and not message.to


def _renderer(kind: str) -> Renderer:
    renderers: dict[str, Renderer] = current_app.extensions["mandat.renderers"]
    if kind not in renderers:
        raise UnknownKindError(kind)
    return renderers[kind]


def _mark_sent(claimed: _Claimed, renderer: Renderer, payload: dict[str, Any], now: datetime) -> None:
    with transaction() as session:
        first = session.execute(
            update(OutboxMessage)
            .where(OutboxMessage.id == claimed.id, OutboxMessage.state == DeliveryState.WAITING)
            .values(
                state=DeliveryState.SENT.value,
                sent_at=now,
                payload=None,
                subject_digest=None,
                lease=None,
                leased_until=None,
            )
            .returning(OutboxMessage.id)
            .execution_options(synchronize_session=False)
        ).first()
        if first is not None and renderer.on_sent is not None:
            renderer.on_sent(payload, now)


def _mark_failed(claimed: _Claimed, error: Exception, now: datetime) -> None:
    db.session.rollback()
    again = None if isinstance(error, _FINAL) else next_try(claimed.attempts, now)
    state = DeliveryState.WAITING if again else DeliveryState.DEAD
    why = str(error)[:200] if isinstance(error, (RefusedAnswerError, *_FINAL)) else type(error).__name__
    log.warning("notice not sent", notice=claimed.id, kind=claimed.kind, state=state.value, error=why)
    with transaction() as session:
        session.execute(
            update(OutboxMessage)
            .where(
                OutboxMessage.id == claimed.id,
                OutboxMessage.lease == claimed.lease,
                OutboxMessage.state == DeliveryState.WAITING,
            )
            .values(
                state=state.value,
                due_at=again or now,
                lease=None,
                leased_until=None,
                last_error=why,
            )
            .execution_options(synchronize_session=False)
        )
        if isinstance(error, BouncedError):
            for note in current_app.extensions.get(_BOUNCES, ()):
                note(error.address, error.status, now)
            refused = _renderer(claimed.kind).on_refused
            if refused is not None:
                refused(_opened(claimed.id, claimed.payload), now)


def _postpone(claimed: _Claimed, until: datetime) -> None:
    """Postpone a notice to another instant; the attempt does not count."""
    db.session.rollback()
    with transaction() as session:
        session.execute(
            update(OutboxMessage)
            .where(OutboxMessage.id == claimed.id, OutboxMessage.lease == claimed.lease)
            .values(due_at=until, attempts=claimed.attempts - 1, lease=None, leased_until=None)
            .execution_options(synchronize_session=False)
        )
