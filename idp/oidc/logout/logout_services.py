"""Telling agencies that a session is over: from a neutral notice to one logout token per (client, sid), and back.

``sign_in_ended`` and ``rights_removed`` are written by accounts and delegation; their renderers here fan them out into
``backchannel_logout`` notices, each delivered at least once (OIDC Back-Channel Logout 1.0).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from flask import current_app
from sqlalchemy import ColumnElement, and_, insert, or_, select, update

from ... import audit
from ...crypto.sealing import current_sealing
from ...db import db, new_id, transaction
from ...http.web import current_settings
from ...notices import services as notices
from ...notices.domain.messages import Signal
from ..clients import client_services
from ..domain import uris
from ..events import confirmation_services, signal_services
from ..events.signal_services import LONGEST_SESSION, ClientSession
from ..keys.live_keys import LiveKeyRing
from ..models import GrantRow, LogoutRow
from ..token.domain import tokens

KIND = "backchannel_logout"


def sessions_of_rights(
    person_id: str, enterprise_id: str, agency_id: str, now: datetime, *, at: datetime | None = None
) -> tuple[ClientSession, ...]:
    """Return the open sessions in which a person acts for an enterprise at an agency, and what it holds while they are away.

    What it held *at* an instant, and was revoked since, counts too.
    """
    return _sessions(
        GrantRow.person_id == person_id,
        GrantRow.enterprise_id == enterprise_id,
        GrantRow.agency_id == agency_id,
        or_(GrantRow.auth_time > now - LONGEST_SESSION, GrantRow.offline_until > now),
        at=at or now,
    )


def queue(sessions: Iterable[ClientSession], *, cause: str, removal_id: str | None, now: datetime) -> None:
    """Write one notice per session whose client can be notified, in the caller's transaction.

    The second fan-out of the same cause writes nothing.
    """
    written = db.session.execute(select(LogoutRow.client_id, LogoutRow.sid).where(LogoutRow.cause == cause))
    told = {(client_id, sid) for client_id, sid in written}
    for session in sessions:
        client = client_services.find(session.client_id)
        if client is None or client.backchannel_logout_uri is None or (session.client_id, session.sid) in told:
            continue
        logout_id = new_id()
        db.session.execute(
            insert(LogoutRow).values(
                id=logout_id,
                cause=cause,
                removal_id=removal_id,
                client_id=session.client_id,
                agency_id=session.agency_id,
                person_id=session.person_id,
                sid=session.sid,
                queued_at=now,
            )
        )
        notices.enqueue(KIND, {"logout_id": logout_id}, now=now)


def fan_out_sign_in_ended(payload: dict[str, Any], now: datetime) -> None:
    """Notify every client that has tokens of a sign-in that has ended, and revoke its grants but for offline access.

    Back-Channel Logout §2.7: a refresh token with ``offline_access`` outlives the session.
    """
    sid = str(payload["sid"])
    with transaction() as session:
        sessions = _sessions(GrantRow.sid == sid, at=now)
        queue(sessions, cause=f"sign_in:{sid}", removal_id=None, now=now)
        signal_services.emit_session_revoked(sessions, cause="sign_in", now=now)
        session.execute(
            update(GrantRow)
            .where(GrantRow.sid == sid, GrantRow.revoked_at.is_(None), GrantRow.offline_until.is_(None))
            .values(revoked_at=now)
            .execution_options(synchronize_session=False)
        )


def fan_out_rights_removed(payload: dict[str, Any], now: datetime) -> None:
    """Report a removed right: the streams of the agency, and the sessions of clients without one (decisions.md §18).

    Without a receiver, that is the confirmation.
    """
    removal_id = str(payload["removal_id"])
    who = (payload["person_id"], payload["enterprise_id"], payload["agency_id"])
    with transaction():
        heard = signal_services.emit_claims_change(
            *who, removal_id=removal_id, reason=payload.get("reason"), at=payload.get("at"), now=now
        )
        at = datetime.fromtimestamp(payload["at"], UTC) if isinstance(payload.get("at"), int) else now
        sessions = [each for each in sessions_of_rights(*who, now, at=at) if each.client_id not in heard]
        queue(sessions, cause=f"removal:{removal_id}", removal_id=removal_id, now=now)
        confirmation_services.confirm_when_all_know(removal_id, now)


def front_channel_addresses(sid: str) -> tuple[str, ...]:
    """Return the addresses that the farewell page loads: one for each client that holds tokens of the sign-in *sid*.

    A client notified by the back channel is among them: its cookies are in the browser (Front-Channel Logout 1.0 §2, §3).
    """
    told = {"iss": current_settings().issuer, "sid": sid}
    holders = db.session.scalars(
        select(GrantRow.client_id).where(GrantRow.sid == sid, GrantRow.code_used_at.is_not(None)).distinct()
    )
    found = (client_services.find(client_id) for client_id in sorted(holders))
    return tuple(
        uris.with_parameters(client.frontchannel_logout_uri, told)
        for client in found
        if client is not None and client.frontchannel_logout_uri is not None
    )


def render(payload: dict[str, Any], now: datetime) -> Signal | None:
    """Make the logout token of one notice, at the moment it leaves (its life is two minutes)."""
    row = db.session.execute(
        select(LogoutRow.client_id, LogoutRow.agency_id, LogoutRow.person_id, LogoutRow.sid).where(
            LogoutRow.id == payload["logout_id"]
        )
    ).one()
    client = client_services.find(row.client_id)
    db.session.commit()  # nothing is held open while the agency is called
    if client is None or client.backchannel_logout_uri is None:
        return None
    ring: LiveKeyRing = current_app.extensions["mandat.key_ring"]
    claims = tokens.logout_token(
        issuer=current_settings().issuer,
        client_id=row.client_id,
        sub=tokens.pairwise_sub(current_sealing().pairwise_salt, row.agency_id, row.person_id),
        sid=row.sid,
        now=now,
    )
    token = ring.sign(claims, alg=client.id_token_alg, typ=tokens.LOGOUT_TOKEN_TYPE)
    return Signal(client.backchannel_logout_uri, {"logout_token": token})


def note_delivered(payload: dict[str, Any], now: datetime) -> None:
    """Note that a client knows; when it was the last one of a removal, the removal is confirmed."""
    delivered = db.session.execute(
        update(LogoutRow)
        .where(LogoutRow.id == payload["logout_id"], LogoutRow.delivered_at.is_(None))
        .values(delivered_at=now)
        .returning(
            LogoutRow.removal_id,
            LogoutRow.client_id,
            LogoutRow.agency_id,
            LogoutRow.person_id,
            LogoutRow.sid,
            LogoutRow.queued_at,
        )
        .execution_options(synchronize_session=False)
    ).first()
    if delivered is None:
        return
    db.session.execute(
        update(GrantRow)
        .where(
            GrantRow.client_id == delivered.client_id,
            GrantRow.sid == delivered.sid,
            GrantRow.code_used_at <= delivered.queued_at,
            GrantRow.session_ended_at.is_(None),
        )
        .values(session_ended_at=now)
        .execution_options(synchronize_session=False)
    )
    audit.record(
        audit.Event.LOGOUT_SENT,
        actor=audit.SYSTEM,
        now=now,
        person_id=delivered.person_id,
        agency_id=delivered.agency_id,
        details={"client_id": delivered.client_id, "sid": delivered.sid},
    )
    if delivered.removal_id is not None:
        confirmation_services.confirm_when_all_know(delivered.removal_id, now)


def _sessions(*which: ColumnElement[bool], at: datetime) -> tuple[ClientSession, ...]:
    lasting = and_(  # outlives the end of its session
        GrantRow.offline_until.is_not(None), or_(GrantRow.revoked_at.is_(None), GrantRow.revoked_at >= at)
    )
    rows = db.session.execute(
        select(GrantRow.client_id, GrantRow.agency_id, GrantRow.person_id, GrantRow.sid)
        .where(*which, GrantRow.code_used_at.is_not(None), or_(GrantRow.session_ended_at.is_(None), lasting))
        .distinct()
    )
    return tuple(ClientSession(row.client_id, row.agency_id, row.person_id, row.sid) for row in rows)
