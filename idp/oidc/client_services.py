"""Clients of agencies: loaded from a file, found by their identifier."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import insert, select, update

from .. import audit
from ..db import db, transaction
from ..delegation import catalogue_services
from ..sealing import digest
from ..web import current_settings
from . import clients, uris
from .clients import Registration, RelyingParty
from .errors import ClientFileError
from .models import RelyingPartyRow

_ID = re.compile(r"[A-Za-z0-9._~-]{1,100}")


@dataclass(frozen=True, slots=True)
class _Recorded:
    agency_id: str
    has_secret: bool


_NEW = _Recorded("", has_secret=False)


def load_clients(path: Path, *, now: datetime) -> tuple[str, ...]:
    """Read the file at *path* and write its clients, all or none; return their identifiers.

    Raises:
        ClientFileError: with every mistake of the file.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ClientFileError(("the file is not UTF-8 text",)) from None
    return load_text(text, now=now)


def load_text(text: str, *, now: datetime) -> tuple[str, ...]:
    """Write the clients of a text, all or none; return their identifiers.

    A client already known is replaced; without ``client_secret`` it keeps the one on record.

    Raises:
        ClientFileError: with every mistake of the text.
    """
    known = frozenset(agency.id for agency in catalogue_services.agencies())
    entries = clients.read(text, issuer=current_settings().issuer, agencies=known)
    with transaction():
        recorded = _recorded(entries)
        missing = [
            entry.client_id
            for entry in entries
            if entry.needs_secret and entry.secret is None and not recorded.get(entry.client_id, _NEW).has_secret
        ]
        if missing:
            raise ClientFileError(tuple(f"{name}: client_secret is missing" for name in missing))
        moved = [
            entry
            for entry in entries
            if entry.client_id in recorded and recorded[entry.client_id].agency_id != entry.members["agency"]
        ]
        if moved:
            raise ClientFileError(tuple(f"{entry.client_id}: belongs to another agency" for entry in moved))
        for entry in entries:
            _write(entry, is_known=entry.client_id in recorded, now=now)
    return tuple(entry.client_id for entry in entries)


def find(client_id: str | None) -> RelyingParty | None:
    """Return the client called *client_id*, None when there is none: one statement, always what is stored now."""
    if client_id is None or not _ID.fullmatch(client_id):
        return None
    row = db.session.execute(
        select(RelyingPartyRow.members, RelyingPartyRow.secret_digest).where(RelyingPartyRow.client_id == client_id)
    ).first()
    return clients.relying_party(row.members, row.secret_digest) if row else None


def doubtful_addresses(client_id: str) -> tuple[str, ...]:
    """Return the redirect URIs of a client that are right and still likely to be sent in another way."""
    client = find(client_id)
    return tuple(uri for uri in client.redirect_uris if uris.lacks_path(uri)) if client else ()


def has_origin(origin: str) -> bool:
    """Tell whether a client registered *origin* for calls from a browser."""
    rows = db.session.scalars(select(RelyingPartyRow.members))
    return any(origin in members.get("allowed_origins", ()) for members in rows)


def _recorded(entries: tuple[Registration, ...]) -> dict[str, _Recorded]:
    names = [entry.client_id for entry in entries]
    rows = db.session.execute(
        select(RelyingPartyRow.client_id, RelyingPartyRow.agency_id, RelyingPartyRow.secret_digest).where(
            RelyingPartyRow.client_id.in_(names)
        )
    )
    return {row.client_id: _Recorded(row.agency_id, has_secret=bool(row.secret_digest)) for row in rows}


def _write(entry: Registration, *, is_known: bool, now: datetime) -> None:
    values = {"agency_id": entry.members["agency"], "members": entry.members, "loaded_at": now}
    if not entry.needs_secret:
        values["secret_digest"] = ""
    elif entry.secret is not None:
        values["secret_digest"] = digest(entry.secret)
    if is_known:
        db.session.execute(
            update(RelyingPartyRow)
            .where(RelyingPartyRow.client_id == entry.client_id)
            .values(version=RelyingPartyRow.version + 1, **values)
            .execution_options(synchronize_session=False)
        )
    else:
        db.session.execute(insert(RelyingPartyRow).values(client_id=entry.client_id, version=1, **values))
    audit.record(
        audit.Event.CLIENT_LOADED,
        actor=audit.SYSTEM,
        now=now,
        agency_id=entry.members["agency"],
        details={"client_id": entry.client_id},
    )
