"""The portal's sign-ins: kept on the server, keyed by a hash, ended by a signal."""

from __future__ import annotations

import hashlib
import json
import secrets
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from .access import Rights, read_rights
from .database import Database


@dataclass(frozen=True, slots=True)
class PortalSession:
    """One sign-in at the portal."""

    id_hash: str
    account: int
    sub: str
    sid: str
    claims: Mapping[str, Any]
    id_token: str
    rights: Rights | None
    ended_at: datetime | None
    ended_why: str | None

    def is_fresh(self, now: datetime) -> bool:
        """Return whether the claims of this session may still be used (rule 8: never past ``exp``)."""
        return datetime.fromtimestamp(int(self.claims["exp"]), UTC) > now

    def signed_in_at(self) -> datetime | None:
        """Return when the person last authenticated, according to the token."""
        told = self.claims.get("auth_time")
        return datetime.fromtimestamp(told, UTC) if isinstance(told, int) else None


class RightLostError(Exception):
    """The session ended or its claims expired between the opening of a page and its write."""


@dataclass(frozen=True, slots=True)
class Acting:
    """The person who writes, the enterprise, the block and the instant."""

    session: str
    account: int
    enterprise: str
    block: str
    now: datetime


@contextmanager
def writing(database: Database, acting: Acting) -> Iterator[sqlite3.Connection]:
    """Open a transaction that reads the right to write under the lock that a signal needs to end it.

    Raises:
        RightLostError: the session ended or expired, or no longer has the block; nothing is written.
    """
    with database.writing() as connection:
        row = connection.execute(
            "SELECT claims FROM session WHERE id_hash = ? AND ended_at IS NULL", (acting.session,)
        ).fetchone()
        claims = json.loads(row["claims"]) if row else {}
        rights = read_rights(claims) if row else None
        if rights is None or rights.expires_at <= acting.now or rights.refusal(acting.block) is not None:
            raise RightLostError
        if rights.enterprise_id != acting.enterprise:
            raise RightLostError
        yield connection


def _hash(identifier: str) -> str:
    return hashlib.sha256(identifier.encode()).hexdigest()


def open_session(
    database: Database, claims: Mapping[str, Any], id_token: str, *, asked_at: datetime, now: datetime
) -> str:
    """Keep a sign-in keyed on (``iss``, ``sub``) (rule 2) and return the cookie's value.

    An event with a higher version takes precedence over the token (rule 7). A logout token has no version: ``asked_at``
    is when this portal asked for the token. The provider signals after the change, so a token requested after a signal
    includes the change, and one requested before may not. ``iat`` cannot show this: it has whole seconds only.
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
    name = claims.get("name")
    with database.writing() as connection:
        connection.execute(
            "INSERT INTO account (iss, sub, name, seen_at) VALUES (?,?,?,?) ON CONFLICT (iss, sub) DO UPDATE"
            " SET seen_at = excluded.seen_at, name = CASE excluded.name WHEN '' THEN name ELSE excluded.name END",
            (claims["iss"], claims["sub"], name[:200] if isinstance(name, str) else "", now.isoformat()),
        )
        connection.execute(
            "INSERT INTO session (id_hash, iss, sub, sid, claims, id_token, created_at) VALUES (?,?,?,?,?,?,?)", row
        )
        connection.execute(  # a signal may arrive before the response it concerns
            "UPDATE session SET ended_at = ?, ended_why = 'signal' WHERE id_hash = ?"
            " AND EXISTS (SELECT 1 FROM event WHERE event.sid = session.sid AND event.received_at > ?)",
            (now.isoformat(), row[0], asked_at.isoformat()),
        )
        connection.execute(
            "UPDATE session SET ended_at = ?, ended_why = 'signal' WHERE id_hash = ? AND EXISTS (SELECT 1 FROM told_version"
            " AS told WHERE told.iss = session.iss AND told.sub = session.sub AND told.enterprise = ? AND told.version > ?)",
            (now.isoformat(), row[0], *_version(claims)),
        )
    return identifier


def _version(claims: Mapping[str, Any]) -> tuple[str, int]:
    """Return the enterprise a session acts for, and the version of its claims."""
    rights = read_rights(claims)
    return (rights.enterprise_id, rights.version) if rights else ("", 0)


def find_session(database: Database, identifier: str | None) -> PortalSession | None:
    """Return the sign-in of a cookie, even when it was ended (the page then says why)."""
    if not identifier:
        return None
    with database.connect() as connection:
        row = connection.execute(
            "SELECT session.*, account.id AS account FROM session JOIN account USING (iss, sub) WHERE id_hash = ?",
            (_hash(identifier),),
        ).fetchone()
    if row is None:
        return None
    claims = json.loads(row["claims"])
    ended = datetime.fromisoformat(row["ended_at"]) if row["ended_at"] else None
    return PortalSession(
        id_hash=row["id_hash"],
        account=row["account"],
        sub=row["sub"],
        sid=row["sid"],
        claims=claims,
        id_token=row["id_token"],
        rights=read_rights(claims),
        ended_at=ended,
        ended_why=row["ended_why"],
    )


def close_session(database: Database, identifier: str) -> None:
    """Forget a sign-in at sign-out."""
    with database.connect() as connection:
        connection.execute("DELETE FROM session WHERE id_hash = ?", (_hash(identifier),))


def end_by_signal(
    database: Database, claims: Mapping[str, Any], now: datetime, *, kind: str = "backchannel-logout"
) -> int:
    """End the sessions named by a logout token or an event; return how many. A repeated token changes nothing."""
    sid, sub = claims.get("sid"), claims.get("sub")
    with database.writing() as connection:
        if not _is_new(connection, claims["jti"]):
            return 0
        where, values = ("sid = ?", (sid,)) if sid else ("sub = ?", (sub,))
        ended = connection.execute(
            f"UPDATE session SET ended_at = ?, ended_why = 'signal' WHERE iss = ? AND ended_at IS NULL AND {where}",  # noqa: S608
            (now.isoformat(), claims["iss"], *values),
        ).rowcount
        connection.execute(
            "INSERT INTO event VALUES (?,?,?,?,?,?)",
            (claims["jti"], kind, sub, sid, now.isoformat(), ended),
        )
    return ended


def note_version(
    database: Database, event: Mapping[str, Any], sub: str, enterprise: str, version: int, now: datetime
) -> int:
    """End a person's sessions for an enterprise that have an older version; return how many (rule 7).

    A repeated event, or an older one that arrives late, changes nothing.
    """
    with database.writing() as connection:
        if not _is_new(connection, event["jti"]):
            return 0
        connection.execute(
            "INSERT INTO told_version VALUES (?,?,?,?) ON CONFLICT (iss, sub, enterprise)"
            " DO UPDATE SET version = max(version, excluded.version)",
            (event["iss"], sub, enterprise, version),
        )
        found = connection.execute(
            "SELECT id_hash, claims FROM session WHERE iss = ? AND sub = ? AND ended_at IS NULL", (event["iss"], sub)
        ).fetchall()
        stale = [row["id_hash"] for row in found if _is_older(json.loads(row["claims"]), enterprise, version)]
        for id_hash in stale:
            connection.execute(
                "UPDATE session SET ended_at = ?, ended_why = 'signal' WHERE id_hash = ?", (now.isoformat(), id_hash)
            )
        row = (event["jti"], "token-claims-change", sub, None, now.isoformat(), len(stale))
        connection.execute("INSERT INTO event VALUES (?,?,?,?,?,?)", row)
    return len(stale)


def note_event(database: Database, jti: str, kind: str, sub: str | None, now: datetime) -> None:
    """Record an event that changes nothing here."""
    with database.writing() as connection:
        if _is_new(connection, jti):
            row = (jti, kind, sub, None, now.isoformat(), 0)
            connection.execute("INSERT INTO event VALUES (?,?,?,?,?,?)", row)


def _is_new(connection: sqlite3.Connection, jti: str) -> bool:
    return connection.execute("SELECT 1 FROM event WHERE jti = ?", (jti,)).fetchone() is None


def _is_older(claims: Mapping[str, Any], enterprise: str, version: int) -> bool:
    acting_for, told = _version(claims)
    return acting_for == enterprise and told < version


def events_of(database: Database, sub: str) -> list[dict[str, Any]]:
    """Return the signals received about a person, newest first."""
    with database.connect() as connection:
        rows = connection.execute("SELECT * FROM event WHERE sub = ? ORDER BY received_at DESC LIMIT 20", (sub,))
        return [dict(row) for row in rows]
