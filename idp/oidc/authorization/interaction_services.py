"""Interactions as rows: begun, bound to a browser, answered, completed once."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import bindparam, delete, insert, null, select, update

from ...db import db, new_id, table_of, transaction
from ..errors import OverError
from ..models import InteractionRow, RelyingPartyRow
from . import pushed_services
from .domain.interactions import LIFE, UNBOUND_LIFE, WAY_BACK_LIFE
from .domain.requests import AuthorizationRequest

_ID = re.compile(r"[0-9a-f]{32}")
_ROWS = table_of(InteractionRow)
_AGAIN = select(_ROWS.c.request, _ROWS.c.started_at, _ROWS.c.answered_by, _ROWS.c.chosen, _ROWS.c.consented_for).where(
    _ROWS.c.id == bindparam("id"),
    _ROWS.c.expires_at > bindparam("now"),
    _ROWS.c.completed_at.is_(None),
)
_FIND = _AGAIN.where(_ROWS.c.browser_digest == bindparam("browser"))
_WAY_BACK = select(
    _ROWS.c.client_id,
    _ROWS.c.redirect_uri,
    _ROWS.c.response_mode,
    _ROWS.c.state,
    _ROWS.c.browser_digest,
    _ROWS.c.completed_at,
).where(_ROWS.c.id == bindparam("id"), _ROWS.c.redirect_uri.is_not(None))


@dataclass(frozen=True, slots=True)
class Interaction:
    """An authorization request under way in one browser, with the answers given by ``answered_by``."""

    id: str
    request: AuthorizationRequest
    started_at: datetime
    answered_by: str | None = None
    chosen: str | None = None
    consented_for: str | None = None


@dataclass(frozen=True, slots=True)
class ResponseTarget:
    """Where the answer of an interaction goes, whatever became of it; ``is_own`` when this browser began it."""

    client_id: str
    redirect_uri: str
    response_mode: str
    state: str | None
    is_own: bool
    completed_at: datetime | None


def begin(request: AuthorizationRequest, *, browser_digest: str | None, now: datetime) -> Interaction:
    """Keep *request* under a new id; without a browser it waits for one, for a minute (decisions.md §24)."""
    interaction = Interaction(new_id(), request, now)
    with transaction() as session:
        session.execute(
            insert(InteractionRow).values(
                id=interaction.id,
                client_id=request.client_id,
                request=request.to_json(),
                redirect_uri=request.redirect_uri,
                response_mode=request.response_mode,
                state=request.state,
                browser_digest=browser_digest,
                started_at=now,
                expires_at=now + (LIFE if browser_digest else UNBOUND_LIFE),
            )
        )
    return interaction


def bind(interaction_id: str, *, browser_digest: str, now: datetime) -> bool:
    """Give an interaction that waits for a browser to this one; the first to come has it, and is answered True."""
    if not _ID.fullmatch(interaction_id):
        return False
    with transaction() as session:
        bound = session.execute(
            update(InteractionRow)
            .where(
                InteractionRow.id == interaction_id,
                InteractionRow.browser_digest.is_(None),
                InteractionRow.expires_at > now,
            )
            .values(browser_digest=browser_digest, expires_at=now + LIFE)
            .returning(InteractionRow.id)
            .execution_options(synchronize_session=False)
        ).first()
    return bound is not None


def find(interaction_id: str | None, *, browser_digest: str | None, now: datetime) -> Interaction | None:
    """Return an interaction of this browser that is still open; None for any other (S-10)."""
    if interaction_id is None or browser_digest is None or not _ID.fullmatch(interaction_id):
        return None
    row = db.session.execute(_FIND, {"id": interaction_id, "browser": browser_digest, "now": now}).first()
    if row is None:
        return None
    request = AuthorizationRequest.from_json(row.request)
    return Interaction(interaction_id, request, row.started_at, row.answered_by, row.chosen, row.consented_for)


def again(interaction: Interaction, *, now: datetime) -> Interaction:
    """Return an interaction with the answers that count now, in the caller's transaction; one without a page has none.

    Raises:
        OverError: it is no longer open.
    """
    if not interaction.id:
        return interaction
    row = db.session.execute(_AGAIN, {"id": interaction.id, "now": now}).first()
    if row is None:
        raise OverError
    return replace(interaction, answered_by=row.answered_by, chosen=row.chosen, consented_for=row.consented_for)


def way_back(interaction_id: str | None, *, browser_digest: str | None) -> ResponseTarget | None:
    """Return where an interaction leads back to, also when it is over or belongs to another browser."""
    if interaction_id is None or not _ID.fullmatch(interaction_id):
        return None
    row = db.session.execute(_WAY_BACK, {"id": interaction_id}).first()
    if row is None:
        return None
    is_own = browser_digest is not None and row.browser_digest == browser_digest
    return ResponseTarget(row.client_id, row.redirect_uri, row.response_mode, row.state, is_own, row.completed_at)


def is_unbound(interaction_id: str) -> bool:
    """Return whether an interaction waits for its browser."""
    if not _ID.fullmatch(interaction_id):
        return False
    wanted = select(InteractionRow.id).where(
        InteractionRow.id == interaction_id, InteractionRow.browser_digest.is_(None)
    )
    return db.session.scalar(wanted) is not None


def choose(interaction: Interaction, enterprise_id: str, *, person_id: str) -> None:
    """Note the enterprise that the person chose; a consent given before, for another one, no longer counts."""
    _answer(interaction, answered_by=person_id, chosen=enterprise_id, consented_for=None)


def note_consent(interaction: Interaction, enterprise_id: str, *, person_id: str) -> None:
    """Note, in the caller's transaction, that the person consented in this interaction."""
    _answer(interaction, answered_by=person_id, chosen=enterprise_id, consented_for=enterprise_id)


def forget_consents(person_id: str, enterprise_id: str, agency_id: str) -> None:
    """Take back, in the caller's transaction, the consents noted in interactions that were not answered yet."""
    clients = select(RelyingPartyRow.client_id).where(RelyingPartyRow.agency_id == agency_id)
    db.session.execute(
        update(InteractionRow)
        .where(
            InteractionRow.answered_by == person_id,
            InteractionRow.consented_for == enterprise_id,
            InteractionRow.client_id.in_(clients),
            InteractionRow.completed_at.is_(None),
        )
        .values(consented_for=None)
        .execution_options(synchronize_session=False)
    )


def _answer(interaction: Interaction, **values: str | None) -> None:
    with transaction() as session:
        session.execute(
            update(InteractionRow)
            .where(InteractionRow.id == interaction.id, InteractionRow.completed_at.is_(None))
            .values(**values)
            .execution_options(synchronize_session=False)
        )


def complete(interaction: Interaction, *, now: datetime) -> bool:
    """End an interaction, in the caller's transaction if there is one; only the first caller receives True.

    One that never needed a page has no id; the request that a client pushed is used up either way.
    """
    pushed = interaction.request.pushed_digest
    with transaction() as session:
        if pushed is not None and not pushed_services.use_up(pushed, now=now):
            return False
        if not interaction.id:
            return True
        done = session.execute(
            update(InteractionRow)
            .where(InteractionRow.id == interaction.id, InteractionRow.completed_at.is_(None))
            .values(completed_at=now)
            .returning(InteractionRow.id)
            .execution_options(synchronize_session=False)
        ).first()
    return done is not None


def forget_old(now: datetime) -> int:
    """Forget what was asked in the interactions that are over, and delete those of the day before; return how many are gone."""
    with transaction() as session:
        session.execute(
            update(InteractionRow)
            .where(InteractionRow.expires_at < now - LIFE, InteractionRow.request.is_not(None))
            .values(request=null())
            .execution_options(synchronize_session=False)
        )
        gone = session.scalars(
            delete(InteractionRow)
            .where(InteractionRow.expires_at < now - WAY_BACK_LIFE)
            .returning(InteractionRow.id)
            .execution_options(synchronize_session=False)
        )
        return len(gone.all())
