"""The chain of the log, pure: what is hashed, and how two entries are linked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class Entry:
    """One act as it is hashed and read."""

    id: str
    at: datetime
    event: str
    actor_kind: str
    actor_id: str | None
    enterprise_id: str | None
    file_id: str | None
    person_id: str | None
    agency_id: str | None
    details: Mapping[str, Any]
    position: int | None = None
    hash: str | None = None


def canonical(entry: Entry) -> bytes:
    """Return the entry as canonical JSON: sorted members, no space, UTC instant; position and hash are excluded."""
    members = {
        "id": entry.id,
        "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "event": entry.event,
        "actor_kind": entry.actor_kind,
        "actor_id": entry.actor_id,
        "enterprise_id": entry.enterprise_id,
        "file_id": entry.file_id,
        "person_id": entry.person_id,
        "agency_id": entry.agency_id,
        "details": dict(entry.details),
    }
    return json.dumps(members, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def link(previous: str, position: int, entry: Entry) -> str:
    """Return the hash of *entry* at *position*, chained to the *previous* hash (leaf prefix of RFC 9162 §2.1.1)."""
    return hashlib.sha256(b"\x00" + f"{previous}:{position}:".encode() + canonical(entry)).hexdigest()
