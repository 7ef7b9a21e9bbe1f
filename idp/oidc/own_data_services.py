"""What oidc keeps about one person, for the file that they may take away (:mod:`idp.my_data`)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select

from ..db import db, table_of
from ..delegation import services as delegation
from ..own_data import OwnDataPart, Parts
from .models import ConsentRow, EventStreamRow, GrantRow, LogoutRow, SecurityEventRow

_CONSENTS, _GRANTS, _LOGOUTS = table_of(ConsentRow), table_of(GrantRow), table_of(LogoutRow)
_EVENTS, _STREAMS = table_of(SecurityEventRow), table_of(EventStreamRow)


def consents(person_id: str, _now: datetime) -> list[dict[str, Any]]:
    """Return each consent of a person, those withdrawn too, oldest first."""
    rows = db.session.execute(
        select(_CONSENTS).where(_CONSENTS.c.person_id == person_id).order_by(_CONSENTS.c.given_at)
    )
    return [
        {
            "agency": row.agency_id,
            "enterprise": delegation.enterprise(row.enterprise_id).neq,
            "scopes": row.scopes,
            "claims": row.claims or [],
            "blocks": row.blocks or [],
            "text_version": row.text_version,
            "given_at": row.given_at,
            "withdrawn_at": row.withdrawn_at,
        }
        for row in rows
    ]


def authorizations(person_id: str, _now: datetime) -> list[dict[str, Any]]:
    """Return what clients of agencies were allowed at sign-ins, oldest first."""
    rows = db.session.execute(select(_GRANTS).where(_GRANTS.c.person_id == person_id).order_by(_GRANTS.c.created_at))
    return [
        {
            "agency": row.agency_id,
            "client": row.client_id,
            "enterprise": row.enterprise_id,
            "scopes": row.scopes,
            "level": row.acr,
            "factors": row.amr,
            "signed_in_at": row.auth_time,
            "given_at": row.created_at,
            "offline_until": row.offline_until,
            "last_refreshed_at": row.refreshed_at,
            "revoked_at": row.revoked_at,
            "session_ended_at": row.session_ended_at,
        }
        for row in rows
    ]


def signals(person_id: str, _now: datetime) -> list[dict[str, Any]]:
    """Return the sign-outs and security events about a person that agencies were sent, oldest first."""
    logouts = db.session.execute(select(_LOGOUTS).where(_LOGOUTS.c.person_id == person_id))
    events = db.session.execute(
        select(_EVENTS.c.event, _EVENTS.c.queued_at, _EVENTS.c.delivered_at, _STREAMS.c.agency_id)
        .join(_STREAMS, _STREAMS.c.id == _EVENTS.c.stream_id)
        .where(_EVENTS.c.person_id == person_id)
    )
    told = [(row, "backchannel-logout") for row in logouts] + [(row, row.event["kind"]) for row in events]
    return [
        {"agency": row.agency_id, "event": event, "queued_at": row.queued_at, "delivered_at": row.delivered_at}
        for row, event in sorted(told, key=lambda each: each[0].queued_at)
    ]


PARTS: Parts = {
    "consents": OwnDataPart(consents, ("consent",)),
    "authorizations": OwnDataPart(authorizations, ("authorization_grant",)),
    "signals": OwnDataPart(signals, ("backchannel_logout", "security_event")),
}  # each with the tables that it is read from
