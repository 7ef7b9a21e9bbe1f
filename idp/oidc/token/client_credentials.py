"""The ``client_credentials`` grant: a client in its own name, for event streams; or a program that an enterprise approved.

With ``authorization_details`` it speaks for an enterprise (``system_token_services``), without them for itself. Its own access
token differs from a person's by audience (``<issuer>/ssf``) and by subject: ``sub`` is the ``client_id``, which never has the
shape of a person's ``sub`` (security-bar.md S-97). Nothing is stored: a token lasts five minutes, and each call reads the
registration again.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from authlib.oauth2.rfc6749 import (
    ClientCredentialsGrant,
    InvalidRequestError,
    InvalidScopeError,
    UnauthorizedClientError,
)

from ... import audit
from ...http.web import current_settings, now
from ..clients import client_services
from ..clients.domain.clients import RelyingParty
from ..keys.signing_keys import ACCESS_TOKEN_ALG, UntrustedTokenError
from ..proofs import possession
from . import system_token_services
from .domain import tokens
from .grants import InvalidTargetError
from .issuing import key_ring

DETAILS = "authorization_details"  # with them the client speaks for an enterprise
LIFE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Service:
    """A client that calls in its own name, and what it may do there."""

    client: RelyingParty
    scopes: frozenset[str]


class ServiceGrant(ClientCredentialsGrant):  # type: ignore[misc]
    """The client credentials grant (RFC 6749 §4.4): confidential clients registered for it."""

    def authenticate_token_endpoint_client(self) -> RelyingParty:
        """Return the client, proven once, before the transaction."""
        if self.request.client is None:
            self.request.client = self.server.authenticate_client(self.request)
        client: RelyingParty = self.request.client
        return client

    def validate_token_request(self) -> None:
        """Refuse a client without this grant, a scope that is not its own, another resource than the streams."""
        client, form = self.authenticate_token_endpoint_client(), self.request.form
        if not client.check_grant_type(self.GRANT_TYPE):
            raise UnauthorizedClientError("this client may not act in its own name")
        if DETAILS in form:
            return  # checked as a whole when the token is made
        if not client.service_scopes:
            raise InvalidRequestError("authorization_details must name the enterprise")
        possession.require(client, self.request.shown)
        asked = frozenset(form.get("scope", "").split())
        if not asked <= client.service_scopes:
            raise InvalidScopeError()
        if set(form.getlist("resource")) - {audience()}:
            raise InvalidTargetError("the resource is not the management of event streams")
        self.request.scopes = asked or client.service_scopes

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        """Sign an access token for a system user, or for the client itself; no refresh token (RFC 6749 §4.4.3)."""
        client, instant, shown = self.request.client, now(), self.request.shown
        if DETAILS in self.request.form:
            told = system_token_services.token_response(client, self.request.form, shown, now=instant)
            return 200, told, self.TOKEN_RESPONSE_HEADER
        issuer = current_settings().issuer
        claims = access_token(client.client_id, self.request.scopes, issuer=issuer, cnf=shown.cnf, now=instant)
        body = {
            "access_token": key_ring().sign(claims, alg=ACCESS_TOKEN_ALG, typ=tokens.ACCESS_TOKEN_TYPE),
            "token_type": tokens.token_type(shown.cnf),
            "expires_in": claims["exp"] - claims["iat"],
            "scope": claims["scope"],
        }
        audit.record(
            audit.Event.SERVICE_TOKEN_ISSUED,
            actor=audit.Actor("client", client.client_id),
            now=instant,
            agency_id=client.agency_id,
            details={"client_id": client.client_id, "scope": claims["scope"], "jti": claims["jti"]},
        )
        return 200, body, self.TOKEN_RESPONSE_HEADER


def audience() -> str:
    """Return the resource that these tokens are for (RFC 8707)."""
    return f"{current_settings().issuer}/ssf"


def access_token(
    client_id: str, scopes: frozenset[str], *, issuer: str, cnf: Mapping[str, str], now: datetime
) -> dict[str, Any]:
    """Return the claims of the access token of a client in its own name (RFC 9068 §2.2), bound when it showed something."""
    issued = int(now.timestamp())
    claims = {
        "iss": issuer,
        "sub": client_id,
        "aud": f"{issuer}/ssf",
        "client_id": client_id,
        "iat": issued,
        "exp": issued + int(LIFE.total_seconds()),
        "jti": secrets.token_urlsafe(24),
        "scope": tokens.scope_text(scopes),
    }
    return claims | ({"cnf": dict(cnf)} if cnf else {})


def service_of(claims: Mapping[str, Any]) -> Service:
    """Return who presents a living token of ours with *claims*, as the client is registered now.

    Raises:
        UntrustedTokenError: not a token of this kind, or the client may no longer have it.
    """
    if claims.get("aud") != audience() or claims.get("sub") != claims.get("client_id"):
        raise UntrustedTokenError("for another resource")
    client = client_services.find(str(claims["sub"]))
    if client is None or not client.check_grant_type(ServiceGrant.GRANT_TYPE):
        raise UntrustedTokenError("the client is gone")
    if client.requires_bound_tokens and not claims.get("cnf"):
        raise UntrustedTokenError("given before the client had to bind its tokens")
    return Service(client, tokens.scopes_of(str(claims.get("scope", ""))) & client.service_scopes)
