"""The person of a notice, as a keyed digest: a person's notices are found without unsealing those of others."""

from __future__ import annotations

from typing import Any

from ..crypto.sealing import current_sealing

_PERSON, _ADDRESS = "notice:person", "notice:address"  # stored with the digests: never rename one


def subject_of(payload: dict[str, Any]) -> str:
    """Return the digest of the person a notice is about, or else of its address, if any."""
    if "person_id" in payload:
        return _digest(_PERSON, payload["person_id"])
    return _digest(_ADDRESS, payload.get("to") or payload.get("address"))


def subjects(person_id: str, address: str) -> frozenset[str]:
    """Return the digests that the notices of a person with this address may have; the empty address has none."""
    own = (_digest(_PERSON, person_id), _digest(_ADDRESS, address) if address else "")
    return frozenset(filter(None, own))


def _digest(kind: str, subject: object) -> str:
    return current_sealing().keyed_digest(str(subject or ""), kind)
