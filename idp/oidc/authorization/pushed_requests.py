"""The pushed authorization request endpoint (RFC 9126): the client proves itself, its request is checked now, kept, and named.

What is wrong is returned to the client at once, as JSON: no browser is involved yet.
"""

from __future__ import annotations

from dataclasses import replace

from authlib.oauth2.rfc6749 import InvalidRequestError, OAuth2Error

from ...http.web import now
from ..clients import client_key_services
from ..clients.domain.clients import RelyingParty
from ..errors import AuthorizationRefusedError, UnprovenRequestError
from ..proofs import possession
from ..proofs.domain import foreign_jwts
from ..proofs.domain.foreign_jwts import RefusedJwtError
from ..token.server import Answer, BackChannelRequest
from . import pushed_services, request_parsing
from .domain import request_objects
from .domain.requests import Parameters, parameters

_OF_THE_CLIENT = frozenset({"client_secret", "client_assertion", "client_assertion_type"})


class RefusedRequestError(OAuth2Error):  # type: ignore[misc]
    """The pushed request is refused as the authorization endpoint would refuse it (RFC 9126 §2.3)."""

    status_code = 400


def fetch_keys(asked: BackChannelRequest, client: RelyingParty) -> None:
    """Have at hand the key that a signed request names: once the transaction is open, no address is called."""
    text = asked.form.get("request")
    if not text:
        return
    try:
        token = foreign_jwts.read(text, longest=request_objects.LONGEST_REQUEST_OBJECT)
    except RefusedJwtError:  # it is refused in its place
        return
    client_key_services.keys_of(client, token.header.get("kid"))


def push(asked: BackChannelRequest, client: RelyingParty) -> Answer:
    """Check a request and keep it; the answer names it for ninety seconds."""
    try:
        request = request_parsing.checked(_parameters(asked, client), client)
    except UnprovenRequestError as error:
        raise InvalidRequestError(f"{error.code.replace('_', ' ')}") from None
    except AuthorizationRefusedError as error:
        raise RefusedRequestError(description=error.description, error=error.error) from None
    reference = pushed_services.push(request, client, now=now())
    return 201, {"request_uri": reference, "expires_in": int(pushed_services.LIFE.total_seconds())}, []


def _parameters(asked: BackChannelRequest, client: RelyingParty) -> Parameters:
    """Return what was asked, without what proves the client; a proof sent along binds the code to its key (RFC 9449 §10.1)."""
    pairs = [(name, value) for name, value in asked.form.items(multi=True) if name not in _OF_THE_CLIENT]
    try:
        given = parameters(pairs)
    except UnprovenRequestError as error:
        raise InvalidRequestError(error.detail) from None
    given = request_parsing.opened(replace(given, is_pushed=True), client, now=now())
    values = {**given.values, "client_id": client.client_id}
    jkt, named = asked.shown.cnf.get("jkt"), values.get("dpop_jkt")
    if jkt is not None and named not in (None, jkt):
        raise possession.InvalidProofError("dpop_jkt is of another key than the proof")
    return replace(given, values={**values, **({"dpop_jkt": jkt} if jkt else {})})
