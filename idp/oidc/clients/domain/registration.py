"""What a client that registers itself may say, and what it receives (RFC 7591 §2 and §3, RFC 7592 §2). Pure.

The agency is that of the initial access token, never of the body; switches that weaken something are for operators alone and are
ignored here like any member that nobody knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ...domain import uris
from ...domain.metadata import SERVICE_GRANT, SERVICE_SCOPES
from ...domain.profiles import DEFAULT_METHOD, SECRET_METHODS
from ...errors import RegistrationError
from ...proofs.domain import strict_json
from ...proofs.domain.strict_json import NotStrictJsonError
from . import client_keys, client_metadata
from .client_metadata import Grounds

LARGEST_BODY = 32 * 1024
_OF_OPERATORS = frozenset(
    {
        *("client_id", "client_secret", "agency", "requires_pkce", "omits_iss", "refresh_grace_seconds"),
        *("token_url_as_audience", "allowed_origins", "further_origins", "offers_system_users"),
    }
)
TAKEN = client_metadata.MEMBERS - _OF_OPERATORS
_ISSUED = ("registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at")
_LONGEST_DESCRIPTION = 500


@dataclass(frozen=True, slots=True)
class Registered:
    """A client as it is stored, with the digests of its secret and of its registration token."""

    client_id: str
    agency_id: str
    members: Mapping[str, Any]
    registered_at: datetime
    secret_digest: str = field(repr=False)
    token_digest: str = field(repr=False)


def read(body: bytes) -> dict[str, Any]:
    """Return the members of a posted registration; one that is null is one that is missing (RFC 7592 §2.2).

    Raises:
        RegistrationError: it is too large or not strict JSON, or brings a program statement.
    """
    if len(body) > LARGEST_BODY:
        raise refusal("the registration is too large", status=413)
    try:
        told = strict_json.read_object(body)
    except NotStrictJsonError:
        raise refusal("the body must be one JSON object, no member twice, not deep") from None
    if told.get("software_statement") is not None:  # RFC 7591 §2.3: we would not honour what it says, so we say so
        raise refusal("software statements are not taken", error="unapproved_software_statement")
    return {name: value for name, value in told.items() if value is not None}


def checked_members(told: Mapping[str, Any], *, client_id: str, agency_id: str, issuer: str) -> dict[str, Any]:
    """Return the members to store, defaults included.

    Raises:
        RegistrationError: with the first mistakes (RFC 7591 §3.2.2).
    """
    entry = client_metadata.with_defaults(
        {
            **{name: value for name, value in told.items() if name in TAKEN or client_metadata.is_localized(name)},
            **{"client_id": client_id, "agency": agency_id},
        }
    )
    if "jwks" in entry:
        entry["jwks"] = client_keys.only_public(entry["jwks"])
    grounds = Grounds(issuer, frozenset({agency_id}))
    if not isinstance(entry["application_type"], str):
        raise refusal("application_type must be web or native")
    wrong = list(client_metadata.check_redirect_uris(entry, grounds))
    at_home = [] if wrong else [uri for uri in entry.get("redirect_uris", ()) if uris.is_same_site(uri, issuer)]
    wrong += [
        f"redirect_uris: {uri!r} is at this provider" for uri in at_home
    ]  # its consent page would show our own host
    if wrong:
        raise refusal("; ".join(wrong), error="invalid_redirect_uri")
    wrong = list(client_metadata.mistakes(entry, grounds))
    if wrong:
        raise refusal("; ".join(wrong))
    if SERVICE_GRANT in entry["grant_types"] or set(entry["scope"].split()) & set(SERVICE_SCOPES):
        # a stream hears of every person whom the agency knows: nobody gives that to themselves (ASVS 10.4.7)
        raise refusal(f"{SERVICE_GRANT} and the scopes {', '.join(SERVICE_SCOPES)} are given by an operator")
    return client_metadata.as_named(entry, told)


def check_replacement(told: Mapping[str, Any], current: Registered) -> None:
    """Refuse a replacement that names another client or attempts to write what we issue (RFC 7592 §2.2).

    Raises:
        RegistrationError: it does.
    """
    written = [name for name in _ISSUED if name in told]
    if written:
        raise refusal(f"{', '.join(written)} may not be sent")
    if told.get("client_id") != current.client_id:
        raise refusal("client_id must be that of the client")


def needs_secret(members: Mapping[str, Any]) -> bool:
    """Return whether the client proves itself by a secret."""
    return members.get("token_endpoint_auth_method", DEFAULT_METHOD) in SECRET_METHODS


def answer(
    client_id: str,
    members: Mapping[str, Any],
    *,
    registered_at: datetime,
    token: str,
    issuer: str,
    new_secret: str | None = None,
) -> dict[str, Any]:
    """Return the client information response (RFC 7591 §3.2.1, RFC 7592 §3); a secret is returned once, when it is made."""
    issued: dict[str, Any] = {
        "client_id": client_id,
        "client_id_issued_at": int(registered_at.timestamp()),
        "registration_access_token": token,
        "registration_client_uri": f"{issuer}/register/{client_id}",
    }
    if new_secret is not None:
        issued["client_secret"] = new_secret
    if needs_secret(members):
        issued["client_secret_expires_at"] = 0
    return {"token_endpoint_auth_method": DEFAULT_METHOD, **members, **issued}


def refusal(description: str, *, error: str = "invalid_client_metadata", status: int = 400) -> RegistrationError:
    """Return a refusal whose description is printable ASCII without quotes or backslashes (RFC 6749 §5.2)."""
    plain = "".join(
        sign if sign.isascii() and sign.isprintable() and sign not in '"\\' else "?" for sign in description
    )
    return RegistrationError(error, plain[:_LONGEST_DESCRIPTION], status)
