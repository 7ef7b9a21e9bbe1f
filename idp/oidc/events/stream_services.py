"""Event streams as rows: one for each client, made and changed by the client itself (SSF 1.0 §8.1)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from ... import audit
from ...crypto.sealing import current_sealing
from ...db import db, new_id, transaction
from ...http.web import current_settings
from ..clients.domain.clients import RelyingParty
from ..models import EventStreamRow, RemovedSubjectRow
from . import event_services
from .domain import signals, streams
from .domain.signals import PUSH
from .domain.streams import SHORTEST_PAUSE, Delivery, Status, Stream, StreamRefusedError, Wish

_SELECTED = select(
    EventStreamRow.id,
    EventStreamRow.client_id,
    EventStreamRow.agency_id,
    EventStreamRow.method,
    EventStreamRow.endpoint_url,
    EventStreamRow.events,
    EventStreamRow.description,
    EventStreamRow.status,
    EventStreamRow.reason,
    EventStreamRow.verified_at,
)


def of_client(client: RelyingParty, *, hold: bool = False) -> Stream | None:
    """Return the stream of a client; with *hold* no other person changes it or writes on it until the transaction ends."""
    wanted = _SELECTED.where(EventStreamRow.client_id == client.client_id)
    row = db.session.execute(wanted.with_for_update() if hold else wanted).first()
    return _stream(row) if row else None


def of_agency(agency_id: str) -> tuple[Stream, ...]:
    """Return the streams of an agency, all its clients together, as they stay until the caller's transaction ends."""
    wanted = _SELECTED.where(EventStreamRow.agency_id == agency_id).order_by(EventStreamRow.client_id)
    return tuple(_stream(row) for row in db.session.execute(wanted.with_for_update(read=True)))


def named(client: RelyingParty, stream_id: str, *, hold: bool = False) -> Stream:
    """Return the client's own stream called *stream_id*.

    Raises:
        StreamRefusedError: there is none, or it is another client's: both look the same.
    """
    found = of_client(client, hold=hold)
    if found is None or found.id != stream_id:
        raise streams.unknown()
    return found


def configuration_of(client: RelyingParty, stream: Stream) -> dict[str, Any]:
    """Return the configuration of a stream as its receiver reads it."""
    supported = streams.supported_events(client.scopes)
    return streams.configuration(stream, issuer=current_settings().issuer, supported=supported)


def create(client: RelyingParty, body: Mapping[str, Any], *, now: datetime) -> Stream:
    """Make the stream of a client, enabled at once (SSF 1.0 §8.1.1.1).

    Raises:
        StreamRefusedError: the body is wrong, or the client has a stream already.
    """
    wish = streams.wish(body, issuer=current_settings().issuer)
    stream_id = new_id()
    insert_once = postgresql.insert if db.engine.dialect.name == "postgresql" else sqlite.insert
    with transaction() as session:
        made = session.execute(
            insert_once(EventStreamRow)
            .values(
                id=stream_id,
                client_id=client.client_id,
                agency_id=client.agency_id,
                status=Status.ENABLED.value,
                created_at=now,
                events=list(wish.events) if wish.events is not None else None,
                description=wish.description,
                **_way(stream_id, wish.delivery),
            )
            .on_conflict_do_nothing()
            .returning(EventStreamRow.id)
        ).first()
        if made is None:
            raise StreamRefusedError("conflict", 409, "this client has a stream already")
        _record(client, stream_id, "create", now)
    return named(client, stream_id)


def change(client: RelyingParty, body: Mapping[str, Any], *, whole: bool, now: datetime) -> Stream:
    """Change what the body names, or with *whole* put the body in the place of what was there (SSF 1.0 §8.1.1.3, §8.1.1.4).

    Raises:
        StreamRefusedError: the body is wrong, or there is no such stream.
    """
    with transaction() as session:
        stream = named(client, streams.stream_named(body), hold=True)
        streams.check_unchanged(body, configuration_of(client, stream))
        values = _changed(stream, streams.wish(body, issuer=current_settings().issuer), whole=whole)
        if values:
            session.execute(
                update(EventStreamRow)
                .where(EventStreamRow.id == stream.id)
                .values(**values)
                .execution_options(synchronize_session=False)
            )
            stream = _read_again(stream.id)
            event_services.redirect(stream, now=now)
            _record(client, stream.id, "replace" if whole else "update", now)
    return stream


def end(client: RelyingParty, stream_id: str, *, now: datetime) -> None:
    """Delete a stream and what it held (SSF 1.0 §8.1.1.5).

    Raises:
        StreamRefusedError: there is no such stream.
    """
    with transaction() as session:
        stream = named(client, stream_id, hold=True)
        event_services.forget(stream, now=now)
        session.execute(delete(RemovedSubjectRow).where(RemovedSubjectRow.stream_id == stream.id))
        session.execute(delete(EventStreamRow).where(EventStreamRow.id == stream.id))
        _record(client, stream.id, "delete", now)


def set_status(client: RelyingParty, body: Mapping[str, Any], *, now: datetime) -> Stream:
    """Enable, pause or disable a stream (SSF 1.0 §8.1.2.2).

    Raises:
        StreamRefusedError: the body is wrong, or there is no such stream.
    """
    with transaction() as session:
        stream = named(client, streams.stream_named(body), hold=True)
        status, reason = streams.status_wished(body)
        session.execute(
            update(EventStreamRow)
            .where(EventStreamRow.id == stream.id)
            .values(status=status.value, reason=reason)
            .execution_options(synchronize_session=False)
        )
        changed = _read_again(stream.id)
        if changed.status is not stream.status:
            event_services.redirect(changed, now=now)
        _record(client, stream.id, status.value, now)
    return changed


def keep_subject(client: RelyingParty, body: Mapping[str, Any], *, wanted: bool) -> None:
    """Hear of a person again, or no more; every person is heard of at first (SSF 1.0 §8.1.3, ``default_subjects`` ALL).

    The response does not disclose whether the person exists.

    Raises:
        StreamRefusedError: the body is wrong, the subject is no person of ours, or there is no such stream.
    """
    with transaction() as session:
        stream = named(client, streams.stream_named(body), hold=True)
        if not isinstance(body.get("subject"), Mapping) or not isinstance(body["subject"].get("format"), str):
            raise streams.bad("subject must be a subject identifier (RFC 9493)")
        sub = signals.named_person(body["subject"], current_settings().issuer)
        if sub is None:
            raise StreamRefusedError("subject_not_recognized", 404, "subjects are iss_sub identifiers of this issuer")
        session.execute(
            delete(RemovedSubjectRow)
            .where(RemovedSubjectRow.stream_id == stream.id, RemovedSubjectRow.sub == sub)
            .execution_options(synchronize_session=False)
        )
        if not wanted:
            session.execute(insert(RemovedSubjectRow).values(stream_id=stream.id, sub=sub))


def is_removed(stream: Stream, sub: str) -> bool:
    """Return whether the receiver requires to hear nothing about a person."""
    found = select(RemovedSubjectRow.sub).where(RemovedSubjectRow.stream_id == stream.id, RemovedSubjectRow.sub == sub)
    return db.session.scalar(found) is not None


def verify(client: RelyingParty, body: Mapping[str, Any], *, now: datetime) -> None:
    """Send a verification event on a stream (SSF 1.0 §8.1.4).

    Raises:
        StreamRefusedError: the body is wrong, no such stream, it is disabled, or it was verified a moment ago.
    """
    with transaction() as session:
        stream, state = named(client, streams.stream_named(body), hold=True), streams.state_wished(body)
        if stream.status is Status.DISABLED:
            raise streams.bad("the stream is disabled")
        if stream.verified_at is not None and stream.verified_at + SHORTEST_PAUSE > now:
            left = stream.verified_at + SHORTEST_PAUSE - now
            raise StreamRefusedError("too_many_requests", 429, "wait", retry_after=int(left.total_seconds()) + 1)
        session.execute(
            update(EventStreamRow)
            .where(EventStreamRow.id == stream.id)
            .values(verified_at=now)
            .execution_options(synchronize_session=False)
        )
        event_services.queue(stream, signals.verification(stream.id, state), cause=f"verify:{new_id()}", now=now)


def _changed(stream: Stream, wish: Wish, *, whole: bool) -> dict[str, Any]:
    """Return the columns that a wish changes."""
    values: dict[str, Any] = {}
    if whole or "events_requested" in wish.given:
        values["events"] = list(wish.events) if wish.events is not None else None
    if whole or "description" in wish.given:
        values["description"] = wish.description
    if whole or "delivery" in wish.given:
        values |= _way(stream.id, wish.delivery)
    return values


def _way(stream_id: str, delivery: Delivery) -> dict[str, Any]:
    header = delivery.authorization
    sealed = current_sealing().seal(header, event_services.sealed_place(stream_id)) if header is not None else None
    url = delivery.endpoint_url if delivery.method == PUSH else None
    return {"method": delivery.method, "endpoint_url": url, "authorization": sealed}


def _read_again(stream_id: str) -> Stream:
    return _stream(db.session.execute(_SELECTED.where(EventStreamRow.id == stream_id)).one())


def _stream(row: Row[*tuple[Any, ...]]) -> Stream:
    return Stream(
        id=row.id,
        client_id=row.client_id,
        agency_id=row.agency_id,
        method=row.method,
        endpoint_url=row.endpoint_url,
        events=tuple(row.events) if row.events is not None else None,
        description=row.description,
        status=Status(row.status),
        reason=row.reason,
        verified_at=row.verified_at,
    )


def _record(client: RelyingParty, stream_id: str, act: str, now: datetime) -> None:
    audit.record(
        audit.Event.STREAM_CHANGED,
        actor=audit.Actor("client", client.client_id),
        now=now,
        agency_id=client.agency_id,
        details={"client_id": client.client_id, "stream": stream_id, "act": act},
    )
