"""From what has happened to the streams that hear of it: neutral notices fanned out into security events.

A stream hears of its own agency only, under that agency's names for people, and of nobody whom the agency does not know: a person
who agreed to be known there, or who has a session there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import or_, select

from ...accounts import services as accounts
from ...db import db, transaction
from ...delegation import services as delegation
from ...delegation.rights import system_user_services
from ...http.web import current_settings
from ..authorization.domain.disclosure import NOTHING, Disclosure
from ..claims import released_claims
from ..claims.domain import asked_claims
from ..clients import client_services
from ..clients.domain.clients import RelyingParty
from ..models import ConsentRow, GrantRow
from ..token import grant_services, issuing
from . import event_services, stream_services
from .domain import signals, streams
from .domain.signals import EventType
from .domain.streams import Stream

LONGEST_SESSION = timedelta(hours=12)  # decisions.md §28: no sign-in, and so no session, is older


@dataclass(frozen=True, slots=True)
class ClientSession:
    """A client that holds tokens of a sign-in."""

    client_id: str
    agency_id: str
    person_id: str
    sid: str


@dataclass(frozen=True, slots=True)
class _Hearing:
    """A stream that hears of a person, and how it names them."""

    stream: Stream
    client: RelyingParty
    sub: str


def emit_claims_change(
    person_id: str,
    enterprise_id: str,
    agency_id: str,
    *,
    removal_id: str,
    reason: str | None,
    at: int | None,
    now: datetime,
) -> frozenset[str]:
    """Queue that the rights of a person, or of a system user, have shrunk, in the caller's transaction.

    Return the clients that hear by their stream.
    """
    heard: set[str] = set()
    known = _is_known(person_id, agency_id, now, enterprise_id=enterprise_id, at=_instant(at, now))
    is_software = not known and system_user_services.was_notified(person_id)
    if not known and not is_software:
        return frozenset()
    agreed = _agreed(person_id, enterprise_id, agency_id, at=_instant(at, now))
    for hearing in _hearing(person_id, agency_id, EventType.CLAIMS_CHANGE):
        claims = delegation.current_claims(person_id, enterprise_id, agency_id, hearing.client.scopes, now=now)
        if claims is not None and not is_software:
            claims = agreed.within(claims)
        if not claims:
            continue
        subject = signals.person(current_settings().issuer, hearing.sub)
        event = signals.claims_change(subject, claims, reason=reason, at=_instant(at, now), txn=removal_id)
        will_hear = event_services.queue(
            hearing.stream,
            event,
            cause=f"removal:{removal_id}",
            person_id=person_id,
            enterprise_id=enterprise_id,
            removal_id=removal_id,
            other_way=hearing.client.backchannel_logout_uri is not None,
            now=now,
        )
        if will_hear:
            heard.add(hearing.client.client_id)
    return frozenset(heard)


def emit_session_revoked(sessions: Iterable[ClientSession], *, cause: str, now: datetime) -> None:
    """Queue that sign-ins are over, in the caller's transaction: once for each stream of an agency that had a session."""
    for agency_id, person_id, sid in sorted({(each.agency_id, each.person_id, each.sid) for each in sessions}):
        for hearing in _hearing(person_id, agency_id, EventType.SESSION_REVOKED):
            subject = signals.session(current_settings().issuer, hearing.sub, sid)
            event = signals.session_revoked(subject, at=now, txn=sid)
            event_services.queue(hearing.stream, event, cause=f"{cause}:{sid}", person_id=person_id, now=now)


def fan_out_credential_changed(payload: dict[str, Any], now: datetime) -> None:
    """Notify the agencies that know a person of a changed credential.

    What they hold while the person is away was given by the old one, and ends (RFC 9700 §4.14.2); one more ends nothing.
    """
    person_id, at = str(payload["person_id"]), _instant(payload.get("at"), now)
    with transaction():
        for agency_id in _agencies_that_know(person_id, now):
            for hearing in _hearing(person_id, agency_id, EventType.CREDENTIAL_CHANGE):
                event = signals.credential_change(
                    signals.person(current_settings().issuer, hearing.sub),
                    credential=str(payload["credential"]),
                    change=str(payload["change"]),
                    at=at,
                )
                cause = f"credential:{payload['change_id']}"
                event_services.queue(hearing.stream, event, cause=cause, person_id=person_id, now=now)
        if payload["change"] != "create":
            grant_services.end_offline_access(person_id, before=at, now=now)


def fan_out_name_changed(payload: dict[str, Any], now: datetime) -> None:
    """Notify the agencies that may know a person's name of the new one, beside rights that have not changed."""
    person_id = str(payload["person_id"])
    person = accounts.person(person_id)
    with transaction():
        for (enterprise_id, agency_id), agreed in _all_agreed(person_id).items():
            for hearing in _hearing(person_id, agency_id, EventType.CLAIMS_CHANGE):
                may_know = agreed.claims & asked_claims.brought_by(hearing.client.scopes)
                names = {name: value for name, value in released_claims.names_of(person).items() if name in may_know}
                rights = delegation.current_claims(person_id, enterprise_id, agency_id, hearing.client.scopes, now=now)
                if not names or rights is None:
                    continue
                subject = signals.person(current_settings().issuer, hearing.sub)
                txn = str(payload["change_id"])
                event = signals.claims_change(subject, agreed.within(rights) | names, by="user", at=now, txn=txn)
                cause = f"name:{txn}:{enterprise_id}"
                event_services.queue(
                    hearing.stream, event, cause=cause, person_id=person_id, enterprise_id=enterprise_id, now=now
                )


def fan_out_access_frozen(payload: dict[str, Any], now: datetime) -> None:
    """End what agencies hold of a person who froze their account; their sessions end, and are reported, one by one."""
    with transaction():
        grant_services.end_offline_access(
            str(payload["person_id"]), before=datetime.fromisoformat(payload["at"]), now=now
        )


def _hearing(person_id: str, agency_id: str, kind: EventType) -> Iterator[_Hearing]:
    """Yield the streams of an agency that hear of a person by events of *kind*."""
    listening = stream_services.of_agency(agency_id)
    sub = issuing.sub_of(agency_id, person_id) if listening else ""
    for stream in listening:
        client = client_services.find(stream.client_id)
        if client is None or not client.service_scopes:  # it may not listen any more
            continue
        if not stream.delivers(kind.value, streams.supported_events(client.scopes)):
            continue
        if not stream_services.is_removed(stream, sub):
            yield _Hearing(stream, client, sub)


def _agreed(person_id: str, enterprise_id: str, agency_id: str, *, at: datetime) -> Disclosure:
    """Return what an agency might know of a person *at* the loss of a right, by what they agreed to."""
    return _all_agreed(person_id, at=at).get((enterprise_id, agency_id), NOTHING)


def _all_agreed(person_id: str, *, at: datetime | None = None) -> dict[tuple[str, str], Disclosure]:
    """Return what each agency may know of a person for each enterprise, by what they agreed to; or might *at* an instant."""
    counts = ConsentRow.withdrawn_at.is_(None)
    rows = db.session.execute(
        select(
            ConsentRow.enterprise_id, ConsentRow.agency_id, ConsentRow.scopes, ConsentRow.claims, ConsentRow.blocks
        ).where(ConsentRow.person_id == person_id, counts if at is None else or_(counts, ConsentRow.withdrawn_at >= at))
    )
    agreed: dict[tuple[str, str], Disclosure] = {}
    for row in rows:
        place = (row.enterprise_id, row.agency_id)
        agreed[place] = agreed.get(place, NOTHING) | Disclosure.recorded(row.scopes, row.claims, row.blocks)
    return agreed


def _is_known(person_id: str, agency_id: str, now: datetime, *, enterprise_id: str, at: datetime) -> bool:
    """Return whether the agency knew the person *at* the loss: a consent that ended with the right counts."""
    agreed = select(ConsentRow.id).where(
        ConsentRow.person_id == person_id,
        ConsentRow.agency_id == agency_id,
        ConsentRow.enterprise_id == enterprise_id,
        or_(ConsentRow.withdrawn_at.is_(None), ConsentRow.withdrawn_at >= at),
    )
    present = select(GrantRow.id).where(
        GrantRow.person_id == person_id,
        GrantRow.agency_id == agency_id,
        GrantRow.enterprise_id == enterprise_id,
        GrantRow.code_used_at.is_not(None),
        GrantRow.session_ended_at.is_(None),
        GrantRow.auth_time > now - LONGEST_SESSION,
    )
    return any(db.session.scalar(found.limit(1)) is not None for found in (agreed, present))


def _agencies_that_know(person_id: str, now: datetime) -> tuple[str, ...]:
    agreed = select(ConsentRow.agency_id).where(ConsentRow.person_id == person_id, ConsentRow.withdrawn_at.is_(None))
    present = select(GrantRow.agency_id).where(
        GrantRow.person_id == person_id,
        GrantRow.code_used_at.is_not(None),
        GrantRow.session_ended_at.is_(None),
        GrantRow.auth_time > now - LONGEST_SESSION,
    )
    return tuple(sorted(db.session.scalars(agreed.union(present))))


def _instant(seconds: object, now: datetime) -> datetime:
    return datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, int) else now
