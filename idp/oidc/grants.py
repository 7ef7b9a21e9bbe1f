"""The grants that Authlib dispatches to. It validates form; what decides, signs and stores is ours."""

from __future__ import annotations

import hmac
import re
from typing import Any

from authlib.oauth2.rfc6749 import AuthorizationCodeGrant, InvalidGrantError, InvalidRequestError
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from ..web import now
from . import grant_services, issuing, possession
from .clients import RelyingParty
from .grant_services import Redeemed
from .issuing import NoRightError

_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")  # RFC 7636 §4.1


class CodeGrant(AuthorizationCodeGrant):  # type: ignore[misc]
    """The authorization code (RFC 6749 §4.1.3), with PKCE (RFC 7636)."""

    def authenticate_token_endpoint_client(self) -> RelyingParty:
        """Return the client, proven once, before the transaction of the redemption."""
        if self.request.client is None:
            self.request.client = self.server.authenticate_client(self.request)
        client: RelyingParty = self.request.client
        return client

    def validate_token_request(self) -> None:
        """Consume the code, then compare what it was bound to: a wrong verifier or address burns it (S-8)."""
        client = self.authenticate_token_endpoint_client()
        form = self.request.form
        code = form.get("code")
        if not code:
            raise InvalidRequestError("code is missing")
        shown = self.request.shown
        possession.require(client, shown)
        redeemed = grant_services.consume_code(code, client.client_id, cnf=shown.cnf, now=now())
        if redeemed is None:
            raise InvalidGrantError("the code is unknown, used or too old")
        self.request.authorization_code = redeemed
        if form.get("redirect_uri") != redeemed.redirect_uri:
            raise InvalidGrantError("redirect_uri is not the one of the authorization request")
        if redeemed.dpop_jkt is not None and shown.cnf.get("jkt") != redeemed.dpop_jkt:
            raise InvalidGrantError("the code is bound to another DPoP key")
        if not verifier_fits(form.get("code_verifier"), redeemed.code_challenge):
            raise InvalidGrantError("code_verifier does not fit")
        resources = form.getlist("resource")
        if resources and set(resources) - set(issuing.locations(client)):
            raise InvalidTargetError("the resource is not this agency")

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        """Read the rights again, sign, record: all in the transaction that consumed the code."""
        redeemed: Redeemed = self.request.authorization_code
        try:
            body = issuing.token_response(redeemed.grant, self.request.client, now=now())
        except NoRightError as error:
            raise InvalidGrantError(str(error)) from None
        return 200, body, self.TOKEN_RESPONSE_HEADER


class InvalidTargetError(InvalidRequestError):  # type: ignore[misc]
    """The resource is not one that this client may ask for (RFC 8707 §2)."""

    error = "invalid_target"


def verifier_fits(verifier: str | None, challenge: str | None) -> bool:
    """Compare a verifier with the challenge of the request; a verifier without a challenge is a downgrade (RFC 9700 §4.8)."""
    if challenge is None:
        return verifier is None
    if verifier is None or not _VERIFIER.fullmatch(verifier):
        return False
    return hmac.compare_digest(create_s256_code_challenge(verifier), challenge)
