"""The portal's sign-ins: kept on the server, keyed by a hash, ended by a signal."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from .access import Rights, read_rights
from .database import Database


@dataclass(frozen=True, slots=True)
class PortalSession:
    """One sign-in at the portal."""

    sub: str
    sid: str
    claims: Mapping[str, Any]
    id_token: str
    rights: Rights | None
    ended_at: datetime | None
    ended_why: str | None

    def is_fresh(self, now: datetime) -> bool:
        """Tell whether what we were told may still be believed (rule 8: never past ``exp``)."""
        return datetime.fromtimestamp(int(self.claims["exp"]), UTC) > now


def _hash(identifier: str) -> str:
    return hashlib.sha256(identifier.encode()).hexdigest()


def open_session(
    database: Database, claims: Mapping[str, Any], id_token: str, *, asked_at: datetime, now: datetime
) -> str:
    """Keep a sign-in keyed on (``iss``, ``sub``) (rule 2) and return the cookie's value.

    ``asked_at`` is when this portal asked for the token: the provider signals after the change, so what was asked after a
    signal tells of it, and what was asked before may not. ``iat`` could not say so: it has whole seconds only.
    """
    identifier = secrets.token_urlsafe(32)
    row = (
        _hash(identifier),
        claims["iss"],
        claims["sub"],
        claims["sid"],
        json.dumps(claims),
        id_token,
        now.isoformat(),
    )
    with database.connect() as connection:
        connection.execute(
            "INSERT INTO session (id_hash, iss, sub, sid, claims, id_token, created_at) VALUES (?,?,?,?,?,?,?)", row
        )
        connection.execute(  # a signal may overtake the answer it speaks of
            "UPDATE session SET ended_at = ?, ended_why = 'signal' WHERE id_hash = ?"
            " AND EXISTS (SELECT 1 FROM event WHERE event.sid = session.sid AND event.received_at > ?)",
            (now.isoformat(), row[0], asked_at.isoformat()),
        )
    return identifier


def find_session(database: Database, identifier: str | None) -> PortalSession | None:
    """Return the sign-in of a cookie, even when it was ended (the page then says why)."""
    if not identifier:
        return None
    with database.connect() as connection:
        row = connection.execute("SELECT * FROM session WHERE id_hash = ?", (_hash(identifier),)).fetchone()
    if row is None:
        return None
    claims = json.loads(row["claims"])
    ended = datetime.fromisoformat(row["ended_at"]) if row["ended_at"] else None
    return PortalSession(row["sub"], row["sid"], claims, row["id_token"], read_rights(claims), ended, row["ended_why"])


def close_session(database: Database, identifier: str) -> None:
    """Forget a sign-in at sign-out."""
    with database.connect() as connection:
        connection.execute("DELETE FROM session WHERE id_hash = ?", (_hash(identifier),))


def end_by_signal(database: Database, claims: Mapping[str, Any], now: datetime) -> int:
    """End the sessions a logout token speaks of; return how many. The same token twice changes nothing."""
    sid, sub = claims.get("sid"), claims.get("sub")
    with database.connect() as connection:
        known = connection.execute("SELECT 1 FROM event WHERE jti = ?", (claims["jti"],)).fetchone()
        if known:
            return 0
        where, values = ("sid = ?", (sid,)) if sid else ("sub = ?", (sub,))
        ended = connection.execute(
            f"UPDATE session SET ended_at = ?, ended_why = 'signal' WHERE iss = ? AND ended_at IS NULL AND {where}",  # noqa: S608
            (now.isoformat(), claims["iss"], *values),
        ).rowcount
        connection.execute(
            "INSERT INTO event VALUES (?,?,?,?,?,?)",
            (claims["jti"], "backchannel-logout", sub, sid, now.isoformat(), ended),
        )
    return ended


def events_of(database: Database, sub: str) -> list[dict[str, Any]]:
    """Return the signals received about a person, newest first."""
    with database.connect() as connection:
        rows = connection.execute("SELECT * FROM event WHERE sub = ? ORDER BY received_at DESC LIMIT 20", (sub,))
        return [dict(row) for row in rows]
