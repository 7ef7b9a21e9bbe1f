"""How ``verified_claims`` are asked, element by element, and what then is given (IDA). Pure.

OpenID Connect for Identity Assurance 1.0, "Requesting verified claims" and "Returning less data than requested".

A demand on the verification that is not met leaves the whole object out, one on a claim leaves that claim out; neither is an
error, whether ``essential`` or not. What was not asked is not given.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from .verified_claims import CLAIMS

_SCOPE_CLAIM = {"authority": "enterprise"}  # who may not know the enterprise may not know the authority over it
_OF_THE_ENTERPRISE = frozenset({"evidence", "verification_process"})  # the number is one for all its people, everywhere
_REPEATS = {  # what a member says besides: the enterprise's name stands in a vouch, its name and NEQ and the role in an authority
    "authority": ("enterprise", "representation"),
    "evidence": ("enterprise",),
    "verification_process": ("enterprise",),
}
_QUALIFIERS = frozenset({"value", "values", "max_age", "essential", "purpose"})
_MOST_REQUESTS = 10
_LONGEST_AGE = 10**10  # seconds, more than three centuries: what is larger asks for nothing more


class MalformedClaimsError(ValueError):
    """The ``claims`` parameter cannot be understood; the text says why."""


class _UnmetError(Exception):
    """A demand on the verification is not met."""


def answer(asked: str, stored: Mapping[str, Any], *, now: datetime) -> dict[str, Any] | list[dict[str, Any]] | None:
    """Return what of *stored* meets *asked*, None when nothing does: one object, or a list for a list (IDA §6)."""
    request = json.loads(asked)
    if isinstance(request, dict):
        return _one(request, stored, now)
    met = [found for found in (_one(each, stored, now) for each in request) if found]
    return met or None


def _one(request: Mapping[str, Any], stored: Mapping[str, Any], now: datetime) -> dict[str, Any] | None:
    try:
        verification = _part(request["verification"], stored["verification"], now)
    except _UnmetError:  # IDA, data not matching requirements: the whole object is left out
        return None
    claims = {
        name: stored["claims"][name]
        for name, wish in request["claims"].items()
        if name in stored["claims"] and _fits(wish, stored["claims"][name], now)
    }
    return {"verification": verification, "claims": claims} if claims else None


def _part(wish: Any, value: Any, now: datetime) -> Any:
    """Return what of *value* is asked, as deep as it is asked; null and ``{}`` ask for all of it."""
    if isinstance(wish, dict) and not _fits(wish, value, now):
        raise _UnmetError
    deeper = {name: each for name, each in wish.items() if name not in _QUALIFIERS} if isinstance(wish, dict) else wish
    if not deeper:
        return value
    if isinstance(deeper, list) and isinstance(value, list):
        return _elements(deeper, value, now)
    if isinstance(deeper, dict) and isinstance(value, dict):
        if any(_demands(each) for name, each in deeper.items() if name not in value):
            raise _UnmetError  # a demand on what does not exist
        return {name: _part(each, value[name], now) for name, each in deeper.items() if name in value}
    if _demands(deeper) or isinstance(value, dict | list):
        raise _UnmetError
    return value


def _elements(templates: list[Any], values: list[Any], now: datetime) -> list[Any]:
    """Return each value by the first template that it fits: templates are alternatives (IDA §6.2)."""
    found = []
    for value in values:
        for template in templates:
            try:
                found.append(_part(template, value, now))
                break
            except _UnmetError:
                continue
    if not found:
        raise _UnmetError
    return found


def _fits(wish: Mapping[str, Any] | None, value: object, now: datetime) -> bool:
    wish = wish or {}
    if "value" in wish and canonical(wish["value"]) != canonical(value):
        return False
    if "values" in wish and canonical(value) not in map(canonical, wish["values"]):
        return False
    return "max_age" not in wish or _is_recent(value, wish["max_age"], now)


def _is_recent(value: object, seconds: int, now: datetime) -> bool:
    """Compare ages; a date lasts until its last second (IDA, max_age)."""
    if not isinstance(value, str):
        return False
    try:
        if len(value) == len("2026-11-25"):
            instant = datetime.combine(date.fromisoformat(value), time.max, UTC)
        else:
            instant = datetime.fromisoformat(value)
    except ValueError:
        return False
    return now - instant <= timedelta(seconds=min(seconds, _LONGEST_AGE))


def _demands(wish: Any) -> bool:
    if isinstance(wish, list):
        return any(map(_demands, wish))
    if not isinstance(wish, dict):
        return False
    return bool(wish.keys() & {"value", "values", "max_age"}) or any(map(_demands, wish.values()))


def checked(request: object) -> str:
    """Return a request for verified claims as canonical text (IDA §6; schema ``verified_claims_request``).

    Raises:
        MalformedClaimsError: it lacks ``verification`` or ``claims``, or an element has the wrong shape.
    """
    listed = request if isinstance(request, list) else [request]
    if not 0 < len(listed) <= _MOST_REQUESTS:
        raise MalformedClaimsError("verified_claims must be an object or a short list")
    for each in listed:
        _check_request(each)
    return canonical(request)


def _check_request(request: object) -> None:
    if not isinstance(request, dict) or not isinstance(request.get("verification"), dict):
        raise MalformedClaimsError("verified_claims must hold verification")
    if not isinstance(request.get("claims"), dict) or not request["claims"]:
        raise MalformedClaimsError("verified_claims must hold claims")
    verification = request["verification"]
    if "trust_framework" not in verification:
        raise MalformedClaimsError("verification must hold trust_framework")
    if any(isinstance(wish, list) for name, wish in verification.items() if name in ("trust_framework", "time")):
        raise MalformedClaimsError("trust_framework and time are not lists")
    if "evidence" in verification:
        _check_evidence(verification["evidence"])
    for wish in (*verification.values(), *request["claims"].values()):
        _check_wish(wish)
    if any(isinstance(wish, list) for wish in request["claims"].values()):
        raise MalformedClaimsError("a verified claim is asked by null or an object")


def _check_evidence(evidence: object) -> None:
    """Each entry names its type by one value (IDA §6.2)."""
    if not isinstance(evidence, list) or not evidence:
        raise MalformedClaimsError("evidence must be a list")
    for entry in evidence:
        kind = entry.get("type") if isinstance(entry, dict) else None
        if not isinstance(kind, dict) or not isinstance(kind.get("value"), str) or "values" in kind:
            raise MalformedClaimsError("an entry of evidence must name its type by a value")


def _check_wish(wish: object) -> None:
    if isinstance(wish, list):
        for each in wish:
            if not isinstance(each, dict):
                raise MalformedClaimsError("verified_claims: a list holds objects")
            _check_wish(each)
    elif isinstance(wish, dict):
        _check_qualifiers(wish)
        for name, deeper in wish.items():
            if name not in _QUALIFIERS:
                _check_wish(deeper)
    elif wish is not None:
        raise MalformedClaimsError("verified_claims: an element is asked by null or an object")


def _check_qualifiers(wish: Mapping[str, Any]) -> None:
    if not isinstance(wish.get("essential", False), bool) or not isinstance(wish.get("purpose", ""), str):
        raise MalformedClaimsError("verified_claims: essential or purpose has the wrong type")
    age = wish.get("max_age", 0)
    if not isinstance(age, int) or isinstance(age, bool) or age < 0:
        raise MalformedClaimsError("verified_claims: max_age must be a number of seconds")
    if "values" in wish and (not isinstance(wish["values"], list) or not wish["values"]):
        raise MalformedClaimsError("verified_claims: values must be a list")


def within(asked: str | None, allowed: frozenset[str]) -> str | None:
    """Keep of a request the claims that exist and that a client who may know *allowed* may know.

    Evidence and the number of the verification speak of the enterprise: asked by a client that may not know it, nothing of that
    request can be given.
    """
    if asked is None:
        return None
    request = json.loads(asked)
    kept = []
    for each in request if isinstance(request, list) else [request]:
        claims = {n: wish for n, wish in each["claims"].items() if n in CLAIMS and _SCOPE_CLAIM.get(n, n) in allowed}
        if claims and ("enterprise" in allowed or not _OF_THE_ENTERPRISE & each["verification"].keys()):
            kept.append({**each, "claims": claims})
    if not kept:
        return None
    return canonical(kept if isinstance(request, list) else kept[0])


def disclosed(asked: str | None) -> frozenset[str]:
    """Return the names of all that would be disclosed, for consents and their page: each member, and the facts that it repeats.

    ``verified_claims`` alone stands for the framework and the time, the least that is returned.
    """
    if asked is None:
        return frozenset()
    request = json.loads(asked)
    names = {"verified_claims"}
    for each in request if isinstance(request, list) else [request]:
        members = ({*each["claims"]} & {*CLAIMS}) | ({*each["verification"]} & _OF_THE_ENTERPRISE)
        names |= {f"verified_claims.{name}" for name in members}
        names |= {fact for name in members for fact in _REPEATS.get(name, ())}
    return frozenset(names)


def canonical(value: object) -> str:
    """Return *value* as the one JSON text that stands for it."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
