"""The catalogue of agencies: loaded from files, kept in the database, read from memory.

Each process keeps the parsed agencies and asks the database at most once a second whether one was loaded again, so that a
reload is seen everywhere within that time and a token costs no statement for it.
"""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from flask import current_app
from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from ... import audit
from ...audit.domain.events import Event
from ...audit.services import SYSTEM, Actor
from ...db import db, in_transaction, sort_key, table_of, transaction
from ...errors import NotFoundError
from ..subscriptions.models import CatalogueAgency
from .catalogue_files import AgencyFile, CatalogueFileError, FileMistake, read_files
from .domain.catalogue import Agency, parse

STALE_AFTER = 1.0  # seconds a process may go on with what it knows
_EXTENSION = "mandat.catalogue"
_ROWS = table_of(CatalogueAgency)
_DIGESTS = select(_ROWS.c.id, _ROWS.c.digest)


@dataclass(frozen=True, slots=True)
class Loaded:
    """One agency after a load; ``change`` is ``new``, ``changed`` or ``unchanged``."""

    agency_id: str
    catalogue_version: str
    change: str


@dataclass(slots=True)
class _Known:
    """What a process knows, and when it last asked."""

    checked: float = 0.0
    digests: dict[str, str] = field(default_factory=dict)
    agencies: dict[str, Agency] = field(default_factory=dict)


def load_agencies(path: Path, *, now: datetime, actor: Actor = SYSTEM) -> tuple[Loaded, ...]:
    """Load the agency of a YAML file, or those of every ``*.yaml`` of a folder: all of them or none.

    Raises:
        CatalogueFileError: with every mistake of every file.
    """
    files = read_files(path)
    with transaction():
        mistakes = tuple(mistake for file in files for mistake in _dropped(file))
        if mistakes:
            raise CatalogueFileError(mistakes)
        loaded = tuple(_store(file, actor, now) for file in files)
    _forget()
    return loaded


def agency(agency_id: str) -> Agency:
    """Return an agency of the catalogue.

    Raises:
        NotFoundError: there is none with this id.
    """
    found = _known().agencies.get(agency_id)
    if found is None:
        raise NotFoundError(f"no agency {agency_id}")
    return found


def agencies() -> tuple[Agency, ...]:
    """Return every agency, by French name."""
    return tuple(sorted(_known().agencies.values(), key=lambda agency: sort_key(agency.name.fr)))


def _dropped(file: AgencyFile) -> list[FileMistake]:
    """Name the blocks that are gone: people may hold them, so a block is retired and never deleted."""
    stored = db.session.scalar(select(CatalogueAgency.document).where(CatalogueAgency.id == file.agency.id))
    if stored is None:
        return []
    gone = {block.code for block in parse(stored).blocks} - {block.code for block in file.agency.blocks}
    return [
        FileMistake(file.file, None, f"blocks: {code} was offered before; mark it retired instead")
        for code in sorted(gone)
    ]


def _store(file: AgencyFile, actor: Actor, now: datetime) -> Loaded:
    agency = file.agency
    digest = hashlib.sha256(json.dumps(file.document, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
    known = db.session.scalar(select(CatalogueAgency.digest).where(CatalogueAgency.id == agency.id))
    if known == digest:
        return Loaded(agency.id, agency.catalogue_version, "unchanged")
    values = {
        "catalogue_version": agency.catalogue_version,
        "digest": digest,
        "document": file.document,
        "loaded_at": now,
    }
    if known is None:
        try:
            with db.session.begin_nested():
                db.session.execute(insert(CatalogueAgency).values(id=agency.id, **values))
        except IntegrityError:  # loaded by another person meanwhile: the last one counts
            known = ""
    if known is not None:
        db.session.execute(update(CatalogueAgency).where(CatalogueAgency.id == agency.id).values(**values))
    audit.record(
        Event.CATALOGUE_LOADED,
        actor=actor,
        now=now,
        agency_id=agency.id,
        details={"catalogue": agency.catalogue_version, "sha256": digest},
    )
    return Loaded(agency.id, agency.catalogue_version, "new" if known is None else "changed")


def _known() -> _Known:
    """Return what this process knows, compared with the database when that is older than a second."""
    known: _Known = current_app.extensions.get(_EXTENSION) or _Known()
    if known.checked and time.monotonic() - known.checked < STALE_AFTER:
        return known
    stored = dict(db.session.execute(_DIGESTS).all())
    is_new = stored != known.digests
    if is_new:
        wanted = [id for id, digest in stored.items() if known.digests.get(id) != digest]
        rows = db.session.execute(
            select(CatalogueAgency.id, CatalogueAgency.document).where(CatalogueAgency.id.in_(wanted))
        )
        kept = {id: agency for id, agency in known.agencies.items() if id in stored and id not in wanted}
        known = _Known(digests=stored, agencies=kept | {id: parse(document) for id, document in rows})
    if not is_new or not in_transaction():  # what an open transaction changed may yet be undone
        known.checked = time.monotonic()
        current_app.extensions[_EXTENSION] = known
    return known


def _forget() -> None:
    """Ask the database again at the next reading in this process."""
    current_app.extensions.pop(_EXTENSION, None)
