"""Queued security events: kept until their receiver has them, pushed through the outbox or given to a poll.

Each event has one *carrier* at most: the notice that may push it. Whatever changes the stream takes the carrier away or gives a
new one in the same transaction, so that a notice that was already on its way can neither send nor confirm anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, insert, select, update

from ... import audit
from ...crypto.sealing import current_sealing
from ...db import db, new_id, transaction
from ...http.web import current_settings
from ...notices import services as notices
from ...notices.domain.messages import Push
from ..clients import client_services
from ..keys.signing_keys import SET_ALG
from ..models import EventStreamRow, SecurityEventRow
from ..token.issuing import key_ring
from . import confirmation_services
from .domain import signals
from .domain.polls import Poll
from .domain.signals import SecurityEvent
from .domain.streams import Status, Stream

KIND = "security_event"
KEPT = timedelta(days=30)
_WAITING = (SecurityEventRow.delivered_at.is_(None), SecurityEventRow.refused_as.is_(None))


def queue(
    stream: Stream,
    event: SecurityEvent,
    *,
    cause: str,
    now: datetime,
    person_id: str | None = None,
    enterprise_id: str | None = None,
    removal_id: str | None = None,
    other_way: bool = False,
) -> bool:
    """Keep *event* for *stream* in the caller's transaction, and let it leave; once for each *cause*.

    Return whether the receiver will hear: not while the stream is paused or disabled, nor of what it could not take. A removal
    waits for this delivery to be confirmed, unless it will not come and the client can be notified in an *other_way*.
    """
    if stream.status is Status.DISABLED:
        return False
    mine = (SecurityEventRow.stream_id == stream.id, SecurityEventRow.cause == cause)
    known = db.session.execute(select(SecurityEventRow.refused_as).where(*mine)).first()
    will_hear = stream.status is Status.ENABLED and (known is None or known.refused_as is None)
    waits_for = removal_id if will_hear or not other_way else None
    if known is not None:
        db.session.execute(
            update(SecurityEventRow)
            .where(*mine)
            .values(removal_id=waits_for)
            .execution_options(synchronize_session=False)
        )
        return will_hear
    event_id = new_id()
    db.session.execute(
        insert(SecurityEventRow).values(
            id=event_id,
            stream_id=stream.id,
            cause=cause,
            event=asdict(event),
            person_id=person_id,
            enterprise_id=enterprise_id,
            removal_id=waits_for,
            queued_at=now,
        )
    )
    if stream.status is Status.ENABLED and stream.method == signals.PUSH:
        _give_carrier(event_id, now)
    return will_hear


def redirect(stream: Stream, *, now: datetime) -> None:
    """Make waiting events follow a stream that has changed, in the caller's transaction.

    Enabled: what waits leaves by the present way. Paused: it is held. Disabled: it is dropped. Removals that cannot be reported
    on this stream any more are handed back to be reported otherwise (decisions.md §18).
    """
    mine = (SecurityEventRow.stream_id == stream.id, *_WAITING)
    if stream.status is not Status.ENABLED:
        _hand_back(stream.agency_id, mine, now)
    if stream.status is Status.DISABLED:
        db.session.execute(delete(SecurityEventRow).where(*mine).execution_options(synchronize_session=False))
        return
    db.session.execute(
        update(SecurityEventRow).where(*mine).values(carrier=None).execution_options(synchronize_session=False)
    )
    if stream.status is Status.ENABLED and stream.method == signals.PUSH:
        for event_id in db.session.scalars(
            select(SecurityEventRow.id).where(*mine).order_by(SecurityEventRow.queued_at, SecurityEventRow.id)
        ).all():
            _give_carrier(event_id, now)


def forget(stream: Stream, *, now: datetime) -> None:
    """Forget the events of a stream that ends, in the caller's transaction; removals are notified otherwise."""
    _forget(stream.id, stream.agency_id, now)


def render(payload: dict[str, Any], now: datetime) -> Push | None:
    """Sign one event for its receiver; None when it is no longer this notice that carries it, or the client may not hear."""
    row = db.session.execute(
        select(
            SecurityEventRow.event,
            SecurityEventRow.queued_at,
            EventStreamRow.id,
            EventStreamRow.agency_id,
            EventStreamRow.client_id,
            EventStreamRow.endpoint_url,
            EventStreamRow.authorization,
        )
        .join(EventStreamRow, EventStreamRow.id == SecurityEventRow.stream_id)
        .where(SecurityEventRow.id == payload["event_id"], SecurityEventRow.carrier == payload["carrier"], *_WAITING)
    ).first()
    client = client_services.find(row.client_id) if row else None
    db.session.commit()  # nothing is held open while the receiver is called
    if row is None or row.endpoint_url is None:
        return None
    if client is None or not client.service_scopes:  # removed since, or it may not listen any more: it hears nothing
        with transaction():
            _forget(row.id, row.agency_id, now)
        return None
    headers = {"Content-Type": signals.SET_MEDIA_TYPE, "Accept": "application/json"}
    if row.authorization is not None:
        headers["Authorization"] = current_sealing().unseal(row.authorization, sealed_place(row.id))
    token = _signed(payload["event_id"], row.event, row.queued_at, row.client_id)
    return Push(row.endpoint_url, token.encode(), headers)


def note_pushed(payload: dict[str, Any], now: datetime) -> None:
    """Note that a receiver has the event that this notice carried (RFC 8935 §2.2)."""
    _note_delivered((SecurityEventRow.id == payload["event_id"], SecurityEventRow.carrier == payload["carrier"]), now)


def poll(stream: Stream, asked: Poll, *, now: datetime) -> dict[str, Any]:
    """Note what a receiver has and could not take, and return what waits, oldest first (RFC 8936 §2.3)."""
    mine = SecurityEventRow.stream_id == stream.id
    with transaction() as session:
        if asked.received:
            _note_delivered((mine, SecurityEventRow.id.in_(asked.received)), now)
        for jti, code in asked.refused.items():
            _note_refused(stream, jti, code, now)
        rows = session.execute(
            select(SecurityEventRow.id, SecurityEventRow.event, SecurityEventRow.queued_at)
            .where(mine, *_WAITING)
            .order_by(SecurityEventRow.queued_at, SecurityEventRow.id)
            .limit(asked.most + 1)
        ).all()
    if stream.status is not Status.ENABLED:
        rows = []
    given = {row.id: _signed(row.id, row.event, row.queued_at, stream.client_id) for row in rows[: asked.most]}
    return {"sets": given, "moreAvailable": len(rows) > asked.most}


def forget_old(now: datetime) -> int:
    """Delete events that are too old to matter, heard or not; return how many."""
    with transaction() as session:
        gone = session.scalars(
            delete(SecurityEventRow)
            .where(SecurityEventRow.queued_at < now - KEPT)
            .returning(SecurityEventRow.id)
            .execution_options(synchronize_session=False)
        )
        return len(gone.all())


def sealed_place(stream_id: str) -> str:
    """Return the context under which the header of a stream is sealed."""
    return f"event_stream:{stream_id}"


def _give_carrier(event_id: str, now: datetime) -> None:
    carrier = new_id()
    db.session.execute(
        update(SecurityEventRow)
        .where(SecurityEventRow.id == event_id)
        .values(carrier=carrier)
        .execution_options(synchronize_session=False)
    )
    notices.enqueue(KIND, {"event_id": event_id, "carrier": carrier}, now=now)


def _forget(stream_id: str, agency_id: str, now: datetime) -> None:
    mine = SecurityEventRow.stream_id == stream_id
    _hand_back(agency_id, (mine, *_WAITING), now)
    db.session.execute(delete(SecurityEventRow).where(mine).execution_options(synchronize_session=False))


def _hand_back(agency_id: str, which: Iterable[ColumnElement[bool]], now: datetime) -> None:
    """Report again, by what is left, the removals that waited for this stream."""
    rows = db.session.execute(
        select(
            SecurityEventRow.removal_id,
            SecurityEventRow.person_id,
            SecurityEventRow.enterprise_id,
        ).where(*which, SecurityEventRow.removal_id.is_not(None))
    ).all()
    for row in rows:
        payload = {"removal_id": row.removal_id, "person_id": row.person_id, "enterprise_id": row.enterprise_id}
        notices.enqueue("rights_removed", payload | {"agency_id": agency_id}, now=now)


def _note_delivered(which: Iterable[ColumnElement[bool]], now: datetime) -> None:
    """Note deliveries in one statement, so that each counts once, and confirm the removals they were the last of."""
    rows = db.session.execute(
        update(SecurityEventRow)
        .where(*which, *_WAITING)
        .values(delivered_at=now)
        .returning(
            SecurityEventRow.id, SecurityEventRow.stream_id, SecurityEventRow.person_id, SecurityEventRow.removal_id
        )
        .execution_options(synchronize_session=False)
    ).all()
    for row in rows:
        _record(audit.Event.SIGNAL_SENT, row.stream_id, row.person_id, {"jti": row.id}, now)
    for removal_id in sorted({row.removal_id for row in rows if row.removal_id is not None}):
        confirmation_services.confirm_when_all_know(removal_id, now)


def _note_refused(stream: Stream, jti: str, code: str, now: datetime) -> None:
    """Note that a receiver could not take an event: it is not offered again; a removal is notified otherwise (RFC 8936 §2.6)."""
    _hand_back(stream.agency_id, (SecurityEventRow.stream_id == stream.id, SecurityEventRow.id == jti, *_WAITING), now)
    refused = db.session.execute(
        update(SecurityEventRow)
        .where(SecurityEventRow.stream_id == stream.id, SecurityEventRow.id == jti, *_WAITING)
        .values(refused_as=code)
        .returning(SecurityEventRow.person_id)
        .execution_options(synchronize_session=False)
    ).first()
    if refused is not None:
        _record(audit.Event.SIGNAL_REFUSED, stream.id, refused.person_id, {"jti": jti, "error": code}, now)


def _record(event: audit.Event, stream_id: str, person_id: str | None, details: dict[str, str], now: datetime) -> None:
    agency_id = db.session.scalar(select(EventStreamRow.agency_id).where(EventStreamRow.id == stream_id))
    audit.record(
        event,
        actor=audit.SYSTEM,
        now=now,
        person_id=person_id,
        agency_id=agency_id,
        details={"stream": stream_id, **details},
    )


def _signed(jti: str, event: dict[str, Any], queued_at: datetime, audience: str) -> str:
    issuer = current_settings().issuer
    claims = signals.set_claims(event, issuer=issuer, audience=audience, jti=jti, issued_at=queued_at)
    return key_ring().sign(claims, alg=SET_ALG, typ=signals.SET_TYPE)
