"""The playground's clients, and the redemption of a code that one of them received.

The code is redeemed here and not over HTTP: a process that waits for another of the same small pool can starve it, and
the client's secret would have to be kept where it can be read. What the token endpoint calls is called, in one
transaction, with the same bindings (client, redirect URI, verifier) and the same entries in the log; only the client's
proof of itself is left out, because the client is this process.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import yaml

from .. import audit
from ..crypto.sealing import random_token
from ..db import transaction
from ..delegation.catalogue import catalogue_services
from ..delegation.catalogue.domain.catalogue import Agency
from ..http.web import absolute_url
from .clients import client_services
from .clients.domain.clients import RelyingParty
from .domain import playground
from .domain.playground import PlaygroundTest
from .token import grant_services, issuing
from .token.domain.tokens import TokenGrant
from .token.grants import verifier_fits
from .token.issuing import NoRightError

CALLBACK = "/playground/callback"


@dataclass(frozen=True, slots=True)
class Redemption:
    """What came of a code: the grant and the answer of the token endpoint, or the error in its place."""

    grant: TokenGrant | None
    body: dict[str, Any]
    refusal: str = ""


def register(*, now: datetime) -> tuple[str, ...]:
    """Register the playground's client at each agency of the catalogue; its secret is drawn and forgotten."""
    told = [
        {
            "client_id": playground.client_id(agency.id),
            "client_secret": random_token(),
            "client_name": "Banc d’essai des jetons",
            "agency": agency.id,
            "redirect_uris": [absolute_url(CALLBACK)],
            "scope": " ".join(playground.SCOPES),
        }
        for agency in catalogue_services.agencies()
    ]
    return client_services.load_text(yaml.safe_dump({"clients": told}, allow_unicode=True), now=now) if told else ()


def agencies() -> tuple[Agency, ...]:
    """Return the agencies at which the playground is registered."""
    return tuple(agency for agency in catalogue_services.agencies() if client_of(agency.id) is not None)


def client_of(agency_id: str) -> RelyingParty | None:
    """Return the playground's client at an agency."""
    return client_services.find(playground.client_id(agency_id))


def redeem(attempt: PlaygroundTest, client: RelyingParty, code: str, *, now: datetime) -> Redemption:
    """Redeem *code* as the token endpoint does; what a refusal has decided is kept (decisions.md §34)."""
    with transaction():
        redeemed = grant_services.consume_code(code, client.client_id, cnf={}, now=now)
        if redeemed is None or redeemed.redirect_uri != attempt.parameters["redirect_uri"]:
            return _refused(client, "the code is unknown, used or too old", now)
        if not verifier_fits(attempt.verifier, redeemed.code_challenge):
            return _refused(client, "code_verifier does not fit", now)
        try:
            body = issuing.token_response(redeemed.grant, client, now=now)
        except NoRightError as error:
            return _refused(client, str(error), now)
    return Redemption(redeemed.grant, body)


def _refused(client: RelyingParty, description: str, now: datetime) -> Redemption:
    audit.record(
        audit.Event.TOKEN_REFUSED,
        actor=audit.Actor("client", client.client_id),
        now=now,
        agency_id=client.agency_id,
        details={"client_id": client.client_id, "error": "invalid_grant"},
    )
    return Redemption(None, {"error": "invalid_grant", "error_description": description}, description)
