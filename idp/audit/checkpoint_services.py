"""Publishing checkpoints, and comparing the log with published ones.

A new checkpoint is published in a place only when the log still contains the last one there: as many entries, and the
same hash at that entry. A log that was emptied, cut, restored from a backup or recomputed is therefore never published
over its past: that is refused, logged as an error, and found by :func:`compared`, which ``idp audit verify`` and ``idp
doctor`` call.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from flask import current_app
from sqlalchemy import select

from ..config import Settings
from ..db import db, release_connection, table_of
from ..private_files import private_folder
from .checkpoint_keys import CheckpointKeyError, CheckpointKeys, _write
from .checkpoint_places import Place, PlaceError, places
from .domain.chain import GENESIS
from .domain.checkpoints import CHAIN, Checkpoint, NoteError, opened, signed
from .models import AuditEntry, AuditHead
from .services import Published, Verification, verify

log = structlog.get_logger("mandat.audit")

_LOG, _HEAD = table_of(AuditEntry), table_of(AuditHead)
_LATE = 3  # periods after which a place without the newest entries is late
_MEMORY = "published.json"

Doubt = Callable[[str, datetime], object]


@dataclass(frozen=True, slots=True)
class PlaceReading:
    """What one place returned: its checkpoints, oldest first, and what is wrong with them or with the place."""

    place: str
    checkpoints: tuple[Checkpoint, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def last(self) -> Checkpoint | None:
        """Return the largest checkpoint."""
        return max(self.checkpoints, key=lambda each: each.size, default=None)


@dataclass(frozen=True, slots=True)
class CheckpointComparison:
    """The result of comparing the log with its outside places."""

    log: Verification
    readings: tuple[PlaceReading, ...]
    problems: tuple[str, ...]
    uncovered: int  # entries after the last valid checkpoint: those that could still be changed without detection


def publish_due(now: datetime, *, on_doubt: Doubt | None = None) -> int:
    """Publish a checkpoint in each place where one is due; return the number of places.

    *on_doubt* is called when a place cannot be continued: its notes or the log were altered.
    """
    settings: Settings = current_app.extensions["mandat.settings"]
    if not settings.audit_places:
        return 0
    folder = CheckpointKeys.of(settings).folder
    private_folder(folder)
    with _alone(folder) as alone:
        return _publish_due(settings, now, on_doubt) if alone else 0


def _publish_due(settings: Settings, now: datetime, on_doubt: Doubt | None) -> int:
    position, digest = _head()
    memory, origin = _remembered(settings), CheckpointKeys.of(settings).origin(settings.issuer)
    made = 0
    for place in places(settings):
        known = memory.get(place.name, {})
        if not _is_due(settings, (position, digest), known, now):
            continue
        try:
            _publish(place, Checkpoint(origin, position, digest, now), settings, known)
        except (PlaceError, NoteError, CheckpointKeyError) as error:
            log.error("checkpoint not published", place=place.name, size=position, reason=str(error))
            if on_doubt is not None and isinstance(error, NoteError):
                on_doubt(place.name, now)
            continue
        memory[place.name] = {"size": position, "hash": digest, "at": now.isoformat()}
        _remember(settings, memory)
        made += 1
    return made


def compared(now: datetime, published: Published | None = None) -> CheckpointComparison:
    """Recompute the log, and compare it with every checkpoint of every place."""
    settings: Settings = current_app.extensions["mandat.settings"]
    readings = tuple(_read(place, settings) for place in places(settings))  # before the log, which only grows
    known = [Published(each.size, each.hash, r.place) for r in readings for each in r.checkpoints if each.kind == CHAIN]
    found = verify([*known, *([published] if published else [])])
    covered = max((each.size for r in readings for each in r.checkpoints), default=0)
    problems = [f"{r.place}: {problem}" for r in readings for problem in r.problems]
    problems += _forks(known)
    problems += [f"{r.place}: {why}" for r in readings for why in _behind(r, found, settings, now)]
    uncovered = max(0, found.verified - covered) + found.unsequenced
    return CheckpointComparison(found, readings, tuple(problems), uncovered)


@contextmanager
def _alone(folder: Path) -> Iterator[bool]:
    """Return whether no other worker of this machine is publishing; none starts until the block ends."""
    with (folder / ".lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def _publish(place: Place, checkpoint: Checkpoint, settings: Settings, known: dict[str, Any]) -> None:
    """Publish in one place a checkpoint that continues its last one.

    Raises:
        NoteError: the log does not continue the last checkpoint of the place, or none of our keys signed that one.
        PlaceError: the place does not respond.
    """
    keys = CheckpointKeys.of(settings)
    note = place.last()
    if note is None and known:
        raise NoteError(f"the place had {known['size']} entries and is empty now")
    if note is not None:
        last = _ours(note, keys, checkpoint.origin)
        if known and last.size < known["size"]:
            raise NoteError(f"the place went back from {known['size']} entries to {last.size}")
        if last.size > checkpoint.size:
            raise NoteError(f"the log has {checkpoint.size} entries, fewer than the {last.size} published there")
        if last.kind == CHAIN and _hash_at(last.size) != last.hash:
            raise NoteError(f"entry {last.size} of the log is another one than was published there")
        if last.size == checkpoint.size:
            return
    place.put(signed(checkpoint, keys.signing()), checkpoint.at)


def _ours(note: str, keys: CheckpointKeys, origin: str) -> Checkpoint:
    read = opened(note, keys.verifiers())
    if read.checkpoint.origin != origin:
        raise NoteError(f"is of another log: {read.checkpoint.origin}"[:200])
    if not read.signed_by:
        raise NoteError("bears no signature of ours")
    return read.checkpoint


def _read(place: Place, settings: Settings) -> PlaceReading:
    keys = CheckpointKeys.of(settings)
    origin = keys.origin(settings.issuer)
    found: list[Checkpoint] = []
    problems: list[str] = []
    try:
        for note in place.every():
            try:
                found.append(_ours(note, keys, origin))
            except NoteError as error:
                problems.append(f"a checkpoint {error}")
        last = place.last()
    except PlaceError as error:
        return PlaceReading(place.name, tuple(found), (*dict.fromkeys(problems), str(error)))
    known = _remembered(settings).get(place.name)
    if last is None:
        problems.append("is empty, and was not" if known or found else "holds no checkpoint yet")
    elif found and not problems:
        newest, largest = _ours(last, keys, origin), max(each.size for each in found)
        if opened(last, keys.verifiers()).signed_by <= keys.revoked():
            problems.append("ends with a checkpoint that only a revoked key signed")
        largest = max(largest, known["size"] if known else 0)
        if newest.size < largest:
            problems.append(f"went back from {largest} entries to {newest.size}")
    return PlaceReading(place.name, tuple(found), tuple(dict.fromkeys(problems)))


def _forks(known: list[Published]) -> Iterator[str]:
    """Yield the contradictions between places: the same number of entries, another hash."""
    first: dict[int, Published] = {}
    for each in known:
        other = first.setdefault(each.position, each)
        if other.hash != each.hash:
            yield f"{other.where} and {each.where} contradict one another at {each.position} entries"


def _behind(reading: PlaceReading, found: Verification, settings: Settings, now: datetime) -> Iterator[str]:
    last = reading.last
    late = timedelta(seconds=settings.audit_checkpoint_seconds * _LATE)
    if last is None or last.size >= found.verified or found.fault:
        return
    if now - last.at > late:
        yield (
            f"is behind: {last.size} entries of {found.verified}, since {last.at:%Y-%m-%d %H:%M} UTC;"
            " is idp worker running, and what does its log say?"
        )


def _is_due(settings: Settings, head: tuple[int, str], known: dict[str, Any], now: datetime) -> bool:
    position, digest = head
    if not known:
        return position > 0
    if position == known["size"]:
        return bool(digest != known["hash"])  # another log: it is refused and logged
    old = now - datetime.fromisoformat(known["at"]) >= timedelta(seconds=settings.audit_checkpoint_seconds)
    return old or position < known["size"] or position - known["size"] >= settings.audit_checkpoint_entries


def _head() -> tuple[int, str]:
    row = db.session.execute(select(_HEAD.c.position, _HEAD.c.hash).where(_HEAD.c.id == 1)).first()
    release_connection()  # no database connection is kept while a place is queried
    return (row.position, row.hash) if row else (0, GENESIS)


def _hash_at(position: int) -> str | None:
    found: str | None = db.session.scalar(select(_LOG.c.hash).where(_LOG.c.position == position))
    release_connection()
    return found if position else GENESIS


def _remembered(settings: Settings) -> dict[str, dict[str, Any]]:
    """Return what was published last in each place, stored beside the keys, where the database cannot change it."""
    try:
        told: dict[str, dict[str, Any]] = json.loads((CheckpointKeys.of(settings).folder / _MEMORY).read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return told


def _remember(settings: Settings, memory: dict[str, dict[str, Any]]) -> None:
    _write(CheckpointKeys.of(settings).folder / _MEMORY, json.dumps(memory, indent=1))
