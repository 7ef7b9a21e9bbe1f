"""Consents: given per person, enterprise and agency; remembered, listed, withdrawn (decisions.md §19)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, insert, select, update

from ... import audit
from ...db import db, new_id, transaction
from ...delegation import services as delegation
from ..events import signal_services
from ..logout import logout_services
from ..models import ConsentRow
from ..token import grant_services
from . import interaction_services
from .domain.disclosure import NOTHING, Disclosure
from .interaction_services import Interaction

TEXT_VERSION = "2026-11"  # of the sentences on the consent page: raise it when what they say changes
ONCE = (
    f"{TEXT_VERSION}-once"  # the page that does not say that the answer is remembered: it never covers another request
)


@dataclass(frozen=True, slots=True)
class Consent:
    """What a person lets an agency know, for one enterprise."""

    enterprise_id: str
    agency_id: str
    disclosure: Disclosure
    given_at: datetime


def covered(person_id: str, agency_id: str, asked: Disclosure, *, hold: bool = False) -> frozenset[str]:
    """Return the enterprises for which the person already consented to all that is *asked* at the agency.

    With *hold* none of these consents is withdrawn before the caller's transaction ends.
    """
    return _covered(asked, _live(person_id, TEXT_VERSION, agency_id=agency_id, hold=hold))


def covered_once(person_id: str, agency_id: str, asked: Disclosure, *, hold: bool = False) -> frozenset[str]:
    """Return the same, counting consents that are not remembered: for the interaction in which one was given."""
    return _covered(asked, _live(person_id, TEXT_VERSION, ONCE, agency_id=agency_id, hold=hold))


def _covered(asked: Disclosure, consents: tuple[Consent, ...]) -> frozenset[str]:
    return frozenset(consent.enterprise_id for consent in consents if consent.disclosure.covers(asked))


def of_person(person_id: str) -> tuple[Consent, ...]:
    """Return the consents of a person that hold, latest first."""
    return tuple(sorted(_live(person_id, TEXT_VERSION, ONCE), key=lambda consent: consent.given_at, reverse=True))


def give(
    interaction: Interaction,
    *,
    person_id: str,
    enterprise_id: str,
    agency_id: str,
    is_remembered: bool,
    now: datetime,
) -> None:
    """Note that the person consented to what *interaction* asks, for this time only unless it *is_remembered*.

    A person who left the enterprise since the page was shown consents to nothing.
    """
    agreed = Disclosure.of(interaction.request)
    with transaction() as session:
        delegation.steady_roster(enterprise_id)
        if not delegation.roles_in(person_id, enterprise_id):
            return
        interaction_services.note_consent(interaction, enterprise_id, person_id=person_id)
        session.execute(
            insert(ConsentRow).values(
                id=new_id(),
                person_id=person_id,
                enterprise_id=enterprise_id,
                agency_id=agency_id,
                scopes=sorted(agreed.scopes),
                claims=sorted(agreed.by_name) or None,
                blocks=sorted(agreed.blocks),
                text_version=TEXT_VERSION if is_remembered else ONCE,
                given_at=now,
            )
        )
        _record(audit.Event.CONSENT_GIVEN, person_id, enterprise_id, agency_id, now, agreed)


def refuse(
    interaction: Interaction, *, person_id: str, enterprise_id: str | None, agency_id: str, now: datetime
) -> bool:
    """Complete *interaction* with a refusal; return whether it was still open."""
    with transaction():
        if not interaction_services.complete(interaction, now=now):
            return False
        asked = Disclosure.of(interaction.request)
        _record(audit.Event.CONSENT_REFUSED, person_id, enterprise_id, agency_id, now, asked)
    return True


def withdraw(*, person_id: str, enterprise_id: str, agency_id: str, now: datetime) -> bool:
    """End every consent of a person for an enterprise at an agency, and the sessions and sign-ins under way that rest on it."""
    with transaction() as session:
        ended = session.scalars(
            update(ConsentRow)
            .where(
                ConsentRow.person_id == person_id,
                ConsentRow.enterprise_id == enterprise_id,
                ConsentRow.agency_id == agency_id,
                ConsentRow.withdrawn_at.is_(None),
            )
            .values(withdrawn_at=now)
            .returning(ConsentRow.id)
            .execution_options(synchronize_session=False)
        ).all()
        if not ended:
            return False
        sessions = logout_services.sessions_of_rights(person_id, enterprise_id, agency_id, now)
        logout_services.queue(sessions, cause=f"consent:{ended[0]}", removal_id=None, now=now)
        signal_services.emit_session_revoked(sessions, cause=f"consent:{ended[0]}", now=now)
        grant_services.revoke_for(person_id, enterprise_id, agency_id, now=now)
        interaction_services.forget_consents(person_id, enterprise_id, agency_id)
        _record(audit.Event.CONSENT_WITHDRAWN, person_id, enterprise_id, agency_id, now)
    return True


def end_for(person_id: str, enterprise_id: str, now: datetime) -> None:
    """End a person's consents for an enterprise that they leave, and what agencies hold by them, in the caller's transaction.

    A person who is engaged again is asked again. The agencies hear of it by the rights that end.
    """
    with transaction():
        _end(person_id, ConsentRow.enterprise_id == enterprise_id, actor=audit.SYSTEM, now=now)
        grant_services.revoke_of_member(person_id, enterprise_id, now)


def end_all(person_id: str, now: datetime) -> None:
    """End every consent of a person and all that agencies hold of them, in the caller's transaction: their account closes.

    The agencies hear of it by the rights that end and the sessions that end, each reported on its own.
    """
    with transaction():
        _end(person_id, actor=audit.Actor.person(person_id), now=now)
        grant_services.revoke_of_person(person_id, now=now)


def _end(person_id: str, *which: ColumnElement[bool], actor: audit.Actor, now: datetime) -> None:
    ended = db.session.execute(
        update(ConsentRow)
        .where(ConsentRow.person_id == person_id, ConsentRow.withdrawn_at.is_(None), *which)
        .values(withdrawn_at=now)
        .returning(ConsentRow.enterprise_id, ConsentRow.agency_id)
        .execution_options(synchronize_session=False)
    ).all()
    for enterprise_id, agency_id in sorted({(row.enterprise_id, row.agency_id) for row in ended}):
        interaction_services.forget_consents(person_id, enterprise_id, agency_id)
        _record(audit.Event.CONSENT_WITHDRAWN, person_id, enterprise_id, agency_id, now, actor=actor)


def _live(person_id: str, *versions: str, agency_id: str | None = None, hold: bool = False) -> tuple[Consent, ...]:
    """Return one consent per enterprise and agency: what was agreed to at different times adds up."""
    wanted = (
        select(
            ConsentRow.enterprise_id,
            ConsentRow.agency_id,
            ConsentRow.scopes,
            ConsentRow.claims,
            ConsentRow.blocks,
            ConsentRow.given_at,
        )
        .where(
            ConsentRow.person_id == person_id,
            ConsentRow.withdrawn_at.is_(None),
            ConsentRow.text_version.in_(versions),
        )
        .order_by(ConsentRow.given_at)
    )
    if agency_id is not None:
        wanted = wanted.where(ConsentRow.agency_id == agency_id)
    if hold:
        wanted = wanted.with_for_update(read=True)
    together: dict[tuple[str, str], Consent] = {}
    for row in db.session.execute(wanted):
        place = (row.enterprise_id, row.agency_id)
        agreed = Disclosure.recorded(row.scopes, row.claims, row.blocks)
        before = together[place].disclosure if place in together else Disclosure()
        together[place] = Consent(*place, before | agreed, row.given_at)
    return tuple(together.values())


def _record(
    event: audit.Event,
    person_id: str,
    enterprise_id: str | None,
    agency_id: str,
    now: datetime,
    about: Disclosure = NOTHING,
    *,
    actor: audit.Actor | None = None,
) -> None:
    told = {"scopes": sorted(about.scopes), "claims": sorted(about.by_name), "blocks": sorted(about.blocks)}
    audit.record(
        event,
        actor=actor or audit.Actor.person(person_id),
        now=now,
        enterprise_id=enterprise_id,
        person_id=person_id,
        agency_id=agency_id,
        details={name: values for name, values in told.items() if values},
    )
