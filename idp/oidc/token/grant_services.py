"""Grants and their codes: issued once, redeemed once, revoked together with all they gave.

The hot path of the token endpoint; Core statements only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import JSON, Row, bindparam, case, delete, insert, select, update

from ... import audit
from ...accounts import services as accounts
from ...accounts.sessions.domain.sign_ins import SignIn
from ...crypto.sealing import digest, random_token
from ...db import UtcDateTime, db, new_id, table_of, transaction
from ..authorization import interaction_services
from ..authorization.domain.requests import OFFLINE, AskedBlocks
from ..authorization.interaction_services import Interaction
from ..claims.domain.asked_claims import NOTHING_ASKED, AskedClaims
from ..clients.domain.clients import RelyingParty
from ..models import GrantRow, RelyingPartyRow
from .domain import refresh_tokens
from .domain.refresh_tokens import RefreshToken
from .domain.tokens import TokenGrant

KEPT = refresh_tokens.LIFE + timedelta(days=1)  # by then every token of a grant is over
_GRANTS, _CLIENTS = table_of(GrantRow), table_of(RelyingPartyRow)
MEMBERS = (
    _GRANTS.c.id,
    _GRANTS.c.client_id,
    _GRANTS.c.agency_id,
    _GRANTS.c.person_id,
    _GRANTS.c.enterprise_id,
    _GRANTS.c.sid,
    _GRANTS.c.auth_time,
    _GRANTS.c.acr,
    _GRANTS.c.amr,
    _GRANTS.c.scopes,
    _GRANTS.c.nonce,
    _GRANTS.c.details,
    _GRANTS.c.cnf,
    _GRANTS.c.claims,
    _GRANTS.c.offline_until,
)
_CONSUME = (  # made once: building a statement costs more than running it
    update(_GRANTS)
    .where(
        _GRANTS.c.code_digest == bindparam("code"),
        _GRANTS.c.client_id == bindparam("client"),
        _GRANTS.c.code_used_at.is_(None),
        _GRANTS.c.code_expires_at > bindparam("instant", type_=UtcDateTime()),
        _GRANTS.c.revoked_at.is_(None),
    )
    .values(
        code_used_at=bindparam("instant", type_=UtcDateTime()),
        cnf=bindparam("shown", type_=JSON()),
        refresh_digest=case((_GRANTS.c.offline_until.is_not(None), bindparam("family"))),
        refresh_generation=0,
    )
    .returning(*MEMBERS, _GRANTS.c.redirect_uri, _GRANTS.c.code_challenge, _GRANTS.c.dpop_jkt)
)
_LIVE = (
    select(*MEMBERS)
    .join(_CLIENTS, _CLIENTS.c.client_id == _GRANTS.c.client_id)
    .where(
        _GRANTS.c.id == bindparam("grant"),
        _GRANTS.c.revoked_at.is_(None),
        _GRANTS.c.code_used_at.is_not(None),
        _CLIENTS.c.revoked_at.is_(None),
    )
)


@dataclass(frozen=True, slots=True)
class Redeemed:
    """A code that was just consumed: its grant, and what the token request must match."""

    grant: TokenGrant
    redirect_uri: str
    code_challenge: str | None
    dpop_jkt: str | None
    refresh_token: RefreshToken | None  # the first of its family, when the person agreed to offline access


def issue_code(
    interaction: Interaction,
    client: RelyingParty,
    sign_in: SignIn,
    enterprise_id: str,
    *,
    code: str | None = None,
    now: datetime,
) -> str | None:
    """Record a grant and return its code, *code* or a new one; None when the interaction was already completed elsewhere."""
    request, code = interaction.request, code or random_token()
    with transaction() as session:
        if not interaction_services.complete(interaction, now=now):
            return None
        grant_id = new_id()
        session.execute(
            insert(GrantRow).values(
                id=grant_id,
                client_id=client.client_id,
                agency_id=client.agency_id,
                person_id=sign_in.person_id,
                enterprise_id=enterprise_id,
                sid=sign_in.sid,
                auth_time=sign_in.auth_time,
                acr=sign_in.acr,
                amr=list(sign_in.amr),
                scopes=list(request.scopes),
                nonce=request.nonce,
                details=[asdict(asked) for asked in request.details],
                claims=request.claims.to_json() if request.claims != NOTHING_ASKED else None,
                redirect_uri=request.redirect_uri,
                code_challenge=request.code_challenge,
                dpop_jkt=request.dpop_jkt,
                code_digest=digest(code),
                code_expires_at=now + client.profile.code_life,
                created_at=now,
                offline_until=now + refresh_tokens.LIFE if OFFLINE in request.scopes else None,
            )
        )
        audit.record(
            audit.Event.CODE_ISSUED,
            actor=audit.Actor.person(sign_in.person_id),
            now=now,
            enterprise_id=enterprise_id,
            person_id=sign_in.person_id,
            agency_id=client.agency_id,
            details={"client_id": client.client_id, "grant": grant_id},
        )
    return code


def is_waiting(code: str, sid: str | None, *, now: datetime) -> bool | None:
    """Return whether a code still waits for its client, for the sign-in that it was given to; None when it was never issued."""
    row = db.session.execute(
        select(GrantRow.sid, GrantRow.code_used_at, GrantRow.code_expires_at, GrantRow.revoked_at).where(
            GrantRow.code_digest == digest(code)
        )
    ).first()
    if row is None:
        return None
    return row.sid == sid and row.code_used_at is None and row.revoked_at is None and bool(row.code_expires_at > now)


def consume_code(code: str, client_id: str, *, cnf: Mapping[str, str], now: datetime) -> Redeemed | None:
    """Consume a code, in the caller's transaction: one statement, so that one caller has it; *cnf* binds what it gives.

    The client is part of the condition: another client's try does not burn the code. A second redemption revokes the
    grant with all it gave (RFC 6749 §4.1.2).
    """
    first = RefreshToken(random_token(), 0)
    row = db.session.execute(
        _CONSUME,
        {
            "code": digest(code),
            "client": client_id,
            "instant": now,
            "shown": dict(cnf) or None,
            "family": digest(first.family),
        },
    ).first()
    if row is None:
        _punish_replay(code, client_id, now)
        return None
    family = first if row.offline_until is not None else None
    return Redeemed(grant_of_row(row), row.redirect_uri, row.code_challenge, row.dpop_jkt, family)


def live_grant(grant_id: str, *, now: datetime) -> TokenGrant | None:
    """Return a grant whose tokens still hold: not revoked, its client neither, and the sign-in it rests on is open."""
    row = db.session.execute(_LIVE, {"grant": grant_id}).first()
    if row is None:
        return None
    grant = grant_of_row(row)
    return grant if still_rests(grant, now=now) else None


def still_rests(grant: TokenGrant, *, now: datetime, hold: bool = False) -> bool:
    """Return whether what the grant rests on holds: the offline access the person agreed to, or their sign-in on that browser.

    With *hold* the sign-in lasts until the caller's transaction ends: an agency that learns of its end received what it gave.
    """
    if grant.offline_until is not None:
        return now < grant.offline_until and accounts.is_open(grant.person_id)
    is_signed_in = accounts.keep_signed_in if hold else accounts.is_signed_in
    return is_signed_in(grant.person_id, grant.sid, now=now)


def revoke_for(person_id: str, enterprise_id: str, agency_id: str, *, now: datetime) -> None:
    """Revoke the grants of a person for an enterprise at an agency, in the caller's transaction."""
    db.session.execute(
        update(GrantRow)
        .where(
            GrantRow.person_id == person_id,
            GrantRow.enterprise_id == enterprise_id,
            GrantRow.agency_id == agency_id,
            GrantRow.revoked_at.is_(None),
        )
        .values(revoked_at=now)
        .execution_options(synchronize_session=False)
    )


def revoke_of_member(person_id: str, enterprise_id: str, now: datetime) -> None:
    """Revoke all that agencies were given of a person who leaves an enterprise, in the caller's transaction."""
    db.session.execute(
        update(GrantRow)
        .where(GrantRow.person_id == person_id, GrantRow.enterprise_id == enterprise_id, GrantRow.revoked_at.is_(None))
        .values(revoked_at=now)
        .execution_options(synchronize_session=False)
    )


def agencies_of_sign_ins(sids: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return which agencies were given tokens in each sign-in that were not revoked since, by ``sid``."""
    rows = db.session.execute(
        select(GrantRow.sid, GrantRow.agency_id)
        .where(GrantRow.sid.in_(tuple(sids)), GrantRow.revoked_at.is_(None))
        .distinct()
        .order_by(GrantRow.sid, GrantRow.agency_id)
    ).all()
    return {sid: tuple(row.agency_id for row in rows if row.sid == sid) for sid in {row.sid for row in rows}}


def end_offline_access(person_id: str, *, before: datetime, now: datetime) -> None:
    """Revoke what agencies hold while a person is away, in the caller's transaction, as far as it was given up to *before*."""
    db.session.execute(
        update(GrantRow)
        .where(
            GrantRow.person_id == person_id,
            GrantRow.offline_until.is_not(None),
            GrantRow.created_at <= before,
            GrantRow.revoked_at.is_(None),
        )
        .values(revoked_at=now)
        .execution_options(synchronize_session=False)
    )


def revoke_of_person(person_id: str, *, now: datetime) -> None:
    """Revoke all that agencies were given of a person, in the caller's transaction."""
    db.session.execute(
        update(GrantRow)
        .where(GrantRow.person_id == person_id, GrantRow.revoked_at.is_(None))
        .values(revoked_at=now)
        .execution_options(synchronize_session=False)
    )


def revoke_of_client(client_id: str, *, now: datetime) -> None:
    """Revoke all that a client was given, in the caller's transaction."""
    db.session.execute(
        update(GrantRow)
        .where(GrantRow.client_id == client_id, GrantRow.revoked_at.is_(None))
        .values(revoked_at=now)
        .execution_options(synchronize_session=False)
    )


def revoke(grant_id: str, *, now: datetime) -> bool:
    """Revoke one grant with all it gave, in the caller's transaction; only the first caller receives True."""
    revoked = db.session.execute(
        update(GrantRow)
        .where(GrantRow.id == grant_id, GrantRow.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(GrantRow.id)
        .execution_options(synchronize_session=False)
    ).first()
    return revoked is not None


def forget_old(now: datetime) -> int:
    """Delete the grants none of whose tokens can be alive; return how many. What they gave stays in the log."""
    with transaction() as session:
        gone = session.scalars(
            delete(GrantRow)
            .where(GrantRow.created_at < now - KEPT)
            .returning(GrantRow.id)
            .execution_options(synchronize_session=False)
        )
        return len(gone.all())


def _punish_replay(code: str, client_id: str, now: datetime) -> None:
    replayed = db.session.execute(
        update(GrantRow)
        .where(
            GrantRow.code_digest == digest(code),
            GrantRow.client_id == client_id,
            GrantRow.code_used_at.is_not(None),
            GrantRow.revoked_at.is_(None),
        )
        .values(revoked_at=now)
        .returning(GrantRow.id, GrantRow.person_id, GrantRow.enterprise_id, GrantRow.agency_id)
        .execution_options(synchronize_session=False)
    ).first()
    if replayed is None:
        return
    audit.record(
        audit.Event.CODE_REPLAYED,
        actor=audit.Actor("client", client_id),
        now=now,
        enterprise_id=replayed.enterprise_id,
        person_id=replayed.person_id,
        agency_id=replayed.agency_id,
        details={"client_id": client_id, "grant": replayed.id},
    )


def grant_of_row(row: Row[*tuple[Any, ...]]) -> TokenGrant:
    """Return the grant of a row that holds :data:`MEMBERS`."""
    return TokenGrant(
        id=row.id,
        client_id=row.client_id,
        agency_id=row.agency_id,
        person_id=row.person_id,
        enterprise_id=row.enterprise_id,
        sid=row.sid,
        auth_time=row.auth_time,
        acr=row.acr,
        amr=tuple(row.amr),
        scopes=frozenset(row.scopes),
        nonce=row.nonce,
        cnf=row.cnf or {},
        offline_until=row.offline_until,
        details=tuple(
            AskedBlocks(tuple(each["privileges"]), each["identifier"], each["needs"]) for each in row.details
        ),
        claims=AskedClaims.from_json(row.claims),
    )
