"""Why a client was refused, for the operator's log: who, by which method registered and shown, and which rule failed.

The answer to the client stays silent about it (RFC 6749 §5.2, RFC 7521 §4.2.1); the line carries the number of the request, which
the answer has in ``X-Request-Id``. What a client claims is bounded, and never shown where it could be a secret in a wrong place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from authlib.oauth2.rfc6749 import OAuth2Error

from ...http import refusals
from ..proofs.domain import foreign_jwts
from ..proofs.domain.foreign_jwts import RefusedJwtError
from . import client_auth, client_services
from .client_auth import UnknownClientError
from .domain import assertions
from .domain.clients import RelyingParty

_ID = re.compile(r"[A-Za-z0-9._~-]{1,100}")
_SHORTEST_SECRET = 32  # an unknown text of this length may be a secret that was sent as an identifier
_SHOWN = 8


def of_error(
    error: OAuth2Error, headers: Mapping[str, str], form: Mapping[str, str], client: RelyingParty | None = None
) -> None:
    """Note the refusal of a request that came with *headers* and *form*, from *client* if it was proven."""
    rule = error.rule if isinstance(error, UnknownClientError) else error.description
    named = client.client_id if client else claimed_client(headers, form)
    note(error.error, rule or error.error, named, shown=shown_method(headers, form), client=client)


def note(
    error: str,
    rule: str,
    client_id: str = "",
    *,
    shown: str = "",
    registered: str = "",
    client: RelyingParty | None = None,
) -> None:
    """Note which *rule* refuses the client that names itself *client_id*."""
    known = client or client_services.find(client_id)
    methods = " or ".join(sorted(known.auth_methods)) if known else ""
    refusals.note(
        error,
        rule=rule,
        client_id=known.client_id if known else _bounded(client_id),
        method_registered=registered or methods,
        method_shown=shown,
    )


def shown_method(headers: Mapping[str, str], form: Mapping[str, str]) -> str:
    """Return by which methods of client authentication a request attempts to prove itself."""
    header = headers.get("Authorization")
    found = [
        *(["client_secret_basic"] if header is not None and header.lower().startswith("basic ") else []),
        *(["another scheme"] if header is not None and not header.lower().startswith("basic ") else []),
        *(["client_secret_post"] if form.get("client_secret") else []),
        *(["private_key_jwt"] if form.get("client_assertion") else []),
    ]
    return " and ".join(found) or "none"


def claimed_client(headers: Mapping[str, str], form: Mapping[str, str]) -> str:
    """Return which client a request says it comes from; nothing of it is proven."""
    if form.get("client_assertion"):
        try:
            return assertions.claimed_client(foreign_jwts.read(form["client_assertion"]))
        except RefusedJwtError:
            return form.get("client_id", "")
    if "Authorization" in headers:
        try:
            return client_auth.credentials({"Authorization": headers["Authorization"]}, {}).readings[0][0]
        except OAuth2Error:
            return form.get("client_id", "")
    return form.get("client_id", "")


def _bounded(claimed: str) -> str:
    if not claimed:
        return ""
    if not _ID.fullmatch(claimed):
        return f"no identifier, {len(claimed)} characters"
    return claimed if len(claimed) < _SHORTEST_SECRET else f"{claimed[:_SHOWN]}… ({len(claimed)} characters)"
