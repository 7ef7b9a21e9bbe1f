"""Security event tokens: what an agency hears of a person, one event a token. Pure.

The tokens are those of SSF 1.0 §4 and RFC 8417: ``sub_id`` and never ``sub``, no ``exp`` (an event does not expire), an explicit
type. The events are those of CAEP 1.0, and the verification event of SSF itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

SET_TYPE = "secevent+jwt"  # RFC 8417 §2.3
SET_MEDIA_TYPE = "application/secevent+jwt"
PUSH = "urn:ietf:rfc:8935"
POLL = "urn:ietf:rfc:8936"
DELIVERY_METHODS = (PUSH, POLL)
_CAEP = "https://schemas.openid.net/secevent/caep/event-type/"
VERIFICATION = "https://schemas.openid.net/secevent/ssf/event-type/verification"
ERROR_CODES = frozenset(  # RFC 8935 §2.4: the registry; anything else that a receiver says is not kept
    {
        *("invalid_request", "invalid_key", "invalid_issuer", "invalid_audience"),
        *("authentication_failed", "access_denied"),
    }
)


class EventType(StrEnum):
    """The events that a stream may carry."""

    CLAIMS_CHANGE = _CAEP + "token-claims-change"  # CAEP 1.0 §3.2
    SESSION_REVOKED = _CAEP + "session-revoked"  # CAEP 1.0 §3.1
    CREDENTIAL_CHANGE = _CAEP + "credential-change"  # CAEP 1.0 §3.3


@dataclass(frozen=True, slots=True)
class SecurityEvent:
    """One event about one subject, ready to be signed for any stream."""

    kind: str
    subject: Mapping[str, Any]
    content: Mapping[str, Any]
    txn: str | None = None  # the same for all that one act caused (RFC 8417 §2.2)


def person(issuer: str, sub: str) -> dict[str, Any]:
    """Return the subject identifier of a person as this agency knows them (RFC 9493 §3.2.3)."""
    return {"format": "iss_sub", "iss": issuer, "sub": sub}


def session(issuer: str, sub: str, sid: str) -> dict[str, Any]:
    """Return the complex subject of one sign-in of a person (SSF 1.0 §3.3)."""
    return {
        "format": "complex",
        "user": person(issuer, sub),
        "session": {"format": "opaque", "id": sid},
    }


def claims_change(
    subject: Mapping[str, Any],
    claims: Mapping[str, Any],
    *,
    reason: str | None = None,
    by: str | None = None,
    at: datetime,
    txn: str,
) -> SecurityEvent:
    """Return that what tokens say of a person has changed, with what they say now (CAEP 1.0 §3.2)."""
    by = by or ("policy" if reason in _BY_POLICY else "admin")
    content = {"claims": dict(claims), "initiating_entity": by, "event_timestamp": _seconds(at)}
    return SecurityEvent(EventType.CLAIMS_CHANGE.value, subject, content, txn)


def session_revoked(subject: Mapping[str, Any], *, at: datetime, txn: str) -> SecurityEvent:
    """Return that a sign-in is over (CAEP 1.0 §3.1)."""
    return SecurityEvent(EventType.SESSION_REVOKED.value, subject, {"event_timestamp": _seconds(at)}, txn)


def credential_change(
    subject: Mapping[str, Any], *, credential: str, change: str, at: datetime, txn: str | None = None
) -> SecurityEvent:
    """Return that a person's credential has changed (CAEP 1.0 §3.3)."""
    content = {
        "credential_type": _CREDENTIALS.get(credential, credential),
        "change_type": change,
        "event_timestamp": _seconds(at),
    }
    return SecurityEvent(EventType.CREDENTIAL_CHANGE.value, subject, content, txn)


def verification(stream_id: str, state: str | None) -> SecurityEvent:
    """Return the proof that a stream works, with the receiver's own *state* (SSF 1.0 §8.1.4.1)."""
    return SecurityEvent(VERIFICATION, {"format": "opaque", "id": stream_id}, {} if state is None else {"state": state})


def set_claims(
    event: Mapping[str, Any], *, issuer: str, audience: str, jti: str, issued_at: datetime
) -> dict[str, Any]:
    """Return the claims of the token of *event* as it is kept: the same at each delivery (SSF 1.0 §4; RFC 8417 §2.2)."""
    claims = {
        "iss": issuer,
        "aud": audience,
        "iat": _seconds(issued_at),
        "jti": jti,
        "sub_id": event["subject"],
        "events": {event["kind"]: event["content"]},
    }
    return claims if event.get("txn") is None else claims | {"txn": event["txn"]}


def named_person(subject: object, issuer: str) -> str | None:
    """Return the ``sub`` that a subject of a request names: a person of ours, alone or in a complex subject."""
    if not isinstance(subject, Mapping):
        return None
    if subject.get("format") == "complex":
        return named_person(subject.get("user"), issuer)
    sub = subject.get("sub")
    if subject.get("format") != "iss_sub" or subject.get("iss") != issuer or not isinstance(sub, str):
        return None
    return sub if 1 <= len(sub) <= 255 and sub.isascii() and sub.isprintable() else None


_BY_POLICY = frozenset({"end_date", "catalogue_changed"})
_CREDENTIALS: Mapping[str, str] = {  # CAEP 1.0 §3.3.1
    **{"password": "password", "totp": "app", "passkey": "fido2-platform", "security_key": "fido2-roaming"}
}


def _seconds(instant: datetime) -> int:
    return int(instant.timestamp())
