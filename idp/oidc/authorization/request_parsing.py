"""From parameters to a checked request, however they came: in the browser's address or form, or pushed by the client."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from ...http.web import current_settings
from ..clients import client_key_services, client_services
from ..clients.domain.clients import RelyingParty
from ..errors import AuthorizationRefusedError, UnprovenRequestError
from ..proofs.domain.foreign_jwts import RefusedJwtError
from ..token import issuing
from . import next_step_services, pushed_services
from .domain import checks, request_objects
from .domain.requests import REQUEST_URI, AuthorizationRequest, Parameters


def client_of(client_id: str | None) -> RelyingParty:
    """Return the client that a request names.

    Raises:
        UnprovenRequestError: none is named, or there is no such client.
    """
    if client_id is None:
        raise UnprovenRequestError("missing_client_id")
    client = client_services.find(client_id)
    if client is None:
        raise UnprovenRequestError("unknown_client")
    return client


def opened(asked: Parameters, client: RelyingParty, *, now: datetime) -> Parameters:
    """Return what a signed request asks instead of what stands beside it (RFC 9101 §6.3); a plain request as it is.

    Raises:
        AuthorizationRefusedError: the request object does not hold.
    """
    text = asked.get("request")
    if text is None or asked.get("request_uri") is not None:  # both at once are refused for the second (RFC 9101 §5)
        return asked
    try:
        inside = request_objects.opened(
            text, client, keys_of=client_key_services.keys_of, issuer=current_settings().issuer, now=now
        )
    except RefusedJwtError as error:
        description = f"the request object does not hold: {error}"
        raise AuthorizationRefusedError("invalid_request_object", description) from None
    return replace(inside, is_pushed=asked.is_pushed)


def checked(asked: Parameters, client: RelyingParty) -> AuthorizationRequest:
    """Run every check on a request.

    Raises:
        UnprovenRequestError: it may not be answered by a redirect.
        AuthorizationRefusedError: with the error to answer.
    """
    request = checks.checked(asked, client, issuing.locations(client))
    next_step_services.check_hint(request, client)
    return request


def is_reference(asked: Parameters) -> bool:
    """Return whether the browser brings a reference to a pushed request: what stands beside it does not count (RFC 9126 §4)."""
    return (asked.get("request_uri") or "").startswith(REQUEST_URI)


def pushed(asked: Parameters, client: RelyingParty, *, now: datetime) -> AuthorizationRequest:
    """Return what the client pushed, held to what the client may do now.

    Raises:
        UnprovenRequestError: the reference is unknown, another client's, answered already or too old, or not allowed any more.
    """
    request = pushed_services.find(asked.get("request_uri") or "", client, now=now)
    if request is None:
        raise UnprovenRequestError("invalid_request_uri", f"client {client.client_id}")
    checks.check_still_allowed(request, client)
    return request
