"""Consents: given per person, enterprise and agency; remembered, listed, withdrawn (decisions §19)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select, update

from .. import audit
from ..db import db, new_id, transaction
from . import grant_services, interaction_services, logout_services
from .claims import asked_claims
from .events import signal_services
from .interaction_services import Interaction
from .models import ConsentRow

TEXT_VERSION = "2026-11"  # of the sentences on the consent page: raise it when what they say changes
ONCE = (
    f"{TEXT_VERSION}-once"  # the page that does not say that the answer is remembered: it never covers another request
)


@dataclass(frozen=True, slots=True)
class Consent:
    """What a person lets an agency know, for one enterprise."""

    enterprise_id: str
    agency_id: str
    scopes: tuple[str, ...]
    given_at: datetime
    claims: tuple[str, ...] = ()

    def covers(self, scopes: frozenset[str], claims: frozenset[str]) -> bool:
        """Tell whether nothing more is asked; a claim that an agreed scope brings is nothing more."""
        known = frozenset(self.claims) | asked_claims.brought_by(self.scopes)
        return scopes <= frozenset(self.scopes) and claims <= known


def covered(person_id: str, agency_id: str, scopes: frozenset[str], claims: frozenset[str]) -> frozenset[str]:
    """Return the enterprises for which the person already consented to all of *scopes* and *claims* at the agency."""
    return frozenset(
        consent.enterprise_id
        for consent in _live(person_id, TEXT_VERSION, agency_id=agency_id)
        if consent.covers(scopes, claims)
    )


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
    """Note that the person consented to what *interaction* asks, for this time only unless it *is_remembered*."""
    claims = sorted(interaction.request.claims.disclosed())
    with transaction() as session:
        interaction_services.note_consent(interaction, enterprise_id, person_id=person_id)
        session.execute(
            insert(ConsentRow).values(
                id=new_id(),
                person_id=person_id,
                enterprise_id=enterprise_id,
                agency_id=agency_id,
                scopes=list(interaction.request.scopes),
                claims=claims or None,
                text_version=TEXT_VERSION if is_remembered else ONCE,
                given_at=now,
            )
        )
        scopes = list(interaction.request.scopes)
        _record(audit.Event.CONSENT_GIVEN, person_id, enterprise_id, agency_id, now, scopes, claims)


def refuse(
    interaction: Interaction, *, person_id: str, enterprise_id: str | None, agency_id: str, now: datetime
) -> bool:
    """Complete *interaction* with a refusal; tell whether it was still open."""
    with transaction():
        if not interaction_services.complete(interaction, now=now):
            return False
        _record(audit.Event.CONSENT_REFUSED, person_id, enterprise_id, agency_id, now, list(interaction.request.scopes))
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
        signal_services.tell_session_revoked(sessions, cause=f"consent:{ended[0]}", now=now)
        grant_services.revoke_for(person_id, enterprise_id, agency_id, now=now)
        interaction_services.forget_consents(person_id, enterprise_id, agency_id)
        _record(audit.Event.CONSENT_WITHDRAWN, person_id, enterprise_id, agency_id, now, [])
    return True


def end_all(person_id: str, now: datetime) -> None:
    """End every consent of a person and all that agencies hold of them, in the caller's transaction: their account closes.

    The agencies hear of it by the rights that end and the sessions that end, each told on its own.
    """
    with transaction() as session:
        ended = session.execute(
            update(ConsentRow)
            .where(ConsentRow.person_id == person_id, ConsentRow.withdrawn_at.is_(None))
            .values(withdrawn_at=now)
            .returning(ConsentRow.enterprise_id, ConsentRow.agency_id)
            .execution_options(synchronize_session=False)
        ).all()
        for enterprise_id, agency_id in sorted({(row.enterprise_id, row.agency_id) for row in ended}):
            interaction_services.forget_consents(person_id, enterprise_id, agency_id)
            _record(audit.Event.CONSENT_WITHDRAWN, person_id, enterprise_id, agency_id, now, [])
        grant_services.revoke_of_person(person_id, now=now)


def _live(person_id: str, *versions: str, agency_id: str | None = None) -> tuple[Consent, ...]:
    """Return one consent per enterprise and agency: what was agreed to at different times adds up."""
    wanted = (
        select(
            ConsentRow.enterprise_id, ConsentRow.agency_id, ConsentRow.scopes, ConsentRow.claims, ConsentRow.given_at
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
    together: dict[tuple[str, str], Consent] = {}
    for row in db.session.execute(wanted):
        before = together.get((row.enterprise_id, row.agency_id))
        scopes = set(row.scopes) | set(before.scopes if before else ())
        claims = set(row.claims or ()) | set(before.claims if before else ())
        together[row.enterprise_id, row.agency_id] = Consent(
            row.enterprise_id, row.agency_id, tuple(sorted(scopes)), row.given_at, tuple(sorted(claims))
        )
    return tuple(together.values())


def _record(
    event: audit.Event,
    person_id: str,
    enterprise_id: str | None,
    agency_id: str,
    now: datetime,
    scopes: list[str],
    claims: list[str] | None = None,
) -> None:
    audit.record(
        event,
        actor=audit.Actor.person(person_id),
        now=now,
        enterprise_id=enterprise_id,
        person_id=person_id,
        agency_id=agency_id,
        details=({"scopes": scopes} if scopes else {}) | ({"claims": claims} if claims else {}),
    )
