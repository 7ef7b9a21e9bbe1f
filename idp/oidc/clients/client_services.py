"""Clients of agencies: loaded from a file, found by their identifier, removed.

A process keeps what it read for a second (protocol.md §5): a client removed elsewhere is out within that time, here at once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

from flask import current_app
from sqlalchemy import Text, cast, insert, select, update

from ... import audit
from ...crypto.sealing import digest
from ...db import db, transaction
from ...delegation.catalogue import catalogue_services
from ...http.web import current_settings, now
from ..domain import uris
from ..errors import ClientFileError
from ..models import RelyingPartyRow
from ..token import grant_services
from . import sector_services
from .domain import client_files, clients
from .domain.client_files import Registration
from .domain.clients import RelyingParty

_ID = re.compile(r"[A-Za-z0-9._~-]{1,100}")
_CACHE, _ORIGINS = "mandat.oidc_clients", "mandat.oidc_origins"
_LONGEST_ORIGIN = 300
_FRESH = timedelta(seconds=1)
_MOST_KEPT = 1000


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
    return load_text(_text(path), now=now)


def unused_members(path: Path) -> dict[str, tuple[str, ...]]:
    """Return, by client, the members of the file at *path* that a registry knows and that change nothing here.

    Raises:
        ClientFileError: with every mistake of the file.
    """
    return {entry.client_id: entry.unused for entry in _entries(_text(path))}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ClientFileError(("the file is not UTF-8 text",)) from None


def _entries(text: str) -> tuple[Registration, ...]:
    known = frozenset(agency.id for agency in catalogue_services.agencies())
    return client_files.read(text, issuer=current_settings().issuer, agencies=known)


def load_text(text: str, *, now: datetime) -> tuple[str, ...]:
    """Write the clients of a text, all or none; return their identifiers.

    A client already known is replaced; without ``client_secret`` it keeps the one on record.

    Raises:
        ClientFileError: with every mistake of the text.
    """
    entries = _entries(text)
    faults = [(entry.client_id, sector_services.fault(entry.members)) for entry in entries]
    if any(wrong for _, wrong in faults):
        raise ClientFileError(tuple(f"{client_id}: {wrong}" for client_id, wrong in faults if wrong))
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
    for entry in entries:
        forget(entry.client_id)
    return tuple(entry.client_id for entry in entries)


def find(client_id: str | None) -> RelyingParty | None:
    """Return the client called *client_id*, None when there is none; what was read within a second counts."""
    kept = _cache().get(client_id or "")
    if kept is not None and timedelta(0) <= now() - kept[0] < _FRESH:
        return kept[1]
    return find_again(client_id)


def login_start(client_id: str) -> str | None:
    """Return where a client begins a sign-in on request, with our issuer, or None (OIDC Core §4).

    Only the address that an operator registered: a client that registered itself vouches for nothing.
    """
    members = db.session.scalar(
        select(RelyingPartyRow.members).where(
            RelyingPartyRow.client_id == client_id,
            RelyingPartyRow.revoked_at.is_(None),
            RelyingPartyRow.registered_at.is_(None),
        )
    )
    address = (members or {}).get("initiate_login_uri")
    if not isinstance(address, str):
        return None
    return f"{address}{'&' if '?' in address else '?'}{urlencode({'iss': current_settings().issuer})}"


def find_again(client_id: str | None) -> RelyingParty | None:
    """Return the client called *client_id* as it is stored now: one statement."""
    return _read(client_id, hold=False)


def held(client_id: str | None) -> RelyingParty | None:
    """Return the same, and keep the client as it is until the caller's transaction ends."""
    return _read(client_id, hold=True)


def _read(client_id: str | None, *, hold: bool) -> RelyingParty | None:
    if client_id is None or not _ID.fullmatch(client_id):
        return None
    wanted = select(RelyingPartyRow.members, RelyingPartyRow.secret_digest, RelyingPartyRow.registered_at).where(
        RelyingPartyRow.client_id == client_id, RelyingPartyRow.revoked_at.is_(None)
    )
    row = db.session.execute(wanted.with_for_update(read=True) if hold else wanted).first()
    if row is None:
        forget(client_id)
        return None
    found = clients.relying_party(row.members, row.secret_digest, is_dynamic=row.registered_at is not None)
    if len(_cache()) >= _MOST_KEPT:
        _cache().clear()
    _cache()[client_id] = (now(), found)
    return found


def forget(client_id: str) -> None:
    """Read the client again next time: it was changed."""
    _cache().pop(client_id, None)
    _origins().clear()


def revoke(client_id: str, *, actor: audit.Actor, now: datetime) -> bool:
    """Remove a client, with all it was given; return whether there was one."""
    with transaction() as session:
        agency_id = session.scalar(
            update(RelyingPartyRow)
            .where(RelyingPartyRow.client_id == client_id, RelyingPartyRow.revoked_at.is_(None))
            .values(revoked_at=now, registration_digest=None, version=RelyingPartyRow.version + 1)
            .returning(RelyingPartyRow.agency_id)
            .execution_options(synchronize_session=False)
        )
        if agency_id is None:
            return False
        grant_services.revoke_of_client(client_id, now=now)
        audit.record(
            audit.Event.CLIENT_REVOKED, actor=actor, now=now, agency_id=agency_id, details={"client_id": client_id}
        )
    forget(client_id)
    return True


def _cache() -> dict[str, tuple[datetime, RelyingParty]]:
    kept: dict[str, tuple[datetime, RelyingParty]] = current_app.extensions.setdefault(_CACHE, {})
    return kept


def _origins() -> dict[str, tuple[datetime, bool]]:
    kept: dict[str, tuple[datetime, bool]] = current_app.extensions.setdefault(_ORIGINS, {})
    return kept


def doubtful_addresses(client_id: str) -> tuple[str, ...]:
    """Return the redirect URIs of a client that are right and still likely to be sent in another way."""
    client = find(client_id)
    return tuple(uri for uri in client.redirect_uris if uris.lacks_path(uri)) if client else ()


def has_origin(origin: str) -> bool:
    """Return whether a client registered *origin* for calls from a browser."""
    if len(origin) > _LONGEST_ORIGIN or not origin.isascii():
        return False
    kept = _origins().get(origin)
    if kept is not None and timedelta(0) <= now() - kept[0] < _FRESH:
        return kept[1]
    named = cast(RelyingPartyRow.members, Text).contains(
        origin, autoescape=True
    )  # few rows are read, whatever their number
    rows = db.session.scalars(select(RelyingPartyRow.members).where(named, RelyingPartyRow.revoked_at.is_(None)))
    found = any(origin in members.get("allowed_origins", ()) for members in rows)
    if len(_origins()) >= _MOST_KEPT:
        _origins().clear()
    _origins()[origin] = (now(), found)
    return found


def _recorded(entries: tuple[Registration, ...]) -> dict[str, _Recorded]:
    names = [entry.client_id for entry in entries]
    rows = db.session.execute(
        select(RelyingPartyRow.client_id, RelyingPartyRow.agency_id, RelyingPartyRow.secret_digest).where(
            RelyingPartyRow.client_id.in_(names)
        )
    )
    return {row.client_id: _Recorded(row.agency_id, has_secret=bool(row.secret_digest)) for row in rows}


def _write(entry: Registration, *, is_known: bool, now: datetime) -> None:
    values = {
        **{"agency_id": entry.members["agency"], "members": entry.members, "loaded_at": now},
        **{"registered_at": None, "registration_digest": None, "revoked_at": None},  # the file takes over
    }
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
