"""The grants that Authlib dispatches to. It validates form; what decides, signs and stores is ours."""

from __future__ import annotations

import hmac
import re
from typing import Any

from authlib.oauth2.rfc6749 import (
    AuthorizationCodeGrant,
    BaseGrant,
    InvalidGrantError,
    InvalidRequestError,
    InvalidScopeError,
    TokenEndpointMixin,
)
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from werkzeug.datastructures import MultiDict

from ...http.web import now
from ..clients.domain.clients import RelyingParty
from ..proofs import possession
from . import grant_services, issuing, refresh_grant, refresh_services
from .domain.narrowing import WiderDetailsError, WiderScopeError
from .grant_services import Redeemed
from .issuing import NoRightError
from .refresh_grant import SpentTokenError

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
        self.request.resources = resources_of(form, client)

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        """Read the rights again, sign, record: all in the transaction that consumed the code."""
        redeemed: Redeemed = self.request.authorization_code
        try:
            body = issuing.token_response(
                redeemed.grant, self.request.client, now=now(), resources=self.request.resources
            )
        except NoRightError as error:
            raise InvalidGrantError(str(error)) from None
        if redeemed.refresh_token is not None:
            body["refresh_token"] = refresh_services.text_of(redeemed.refresh_token)
        return 200, body, self.TOKEN_RESPONSE_HEADER


class RefreshGrant(BaseGrant, TokenEndpointMixin):  # type: ignore[misc]
    """The refresh token (RFC 6749 §6): checked and narrowed first, used up last, so that a slip of the client burns nothing."""

    GRANT_TYPE = "refresh_token"

    def validate_token_request(self) -> None:
        """Find what the token rests on, and see that no more is asked than was granted."""
        client, form, shown = self.request.client, self.request.form, self.request.shown
        text = form.get("refresh_token")
        if not text:
            raise InvalidRequestError("refresh_token is missing")
        possession.require(client, shown)
        family = refresh_services.usable(text, client, cnf=shown.cnf, now=now())
        if family is None or not refresh_grant.still_fits(family.grant, client):
            raise InvalidGrantError("the refresh token is unknown, used, too old, or bound to something else")
        self.request.resources = resources_of(form, client)
        self.request.family = family

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        """Read the rights again, narrow, use the token up, sign: one transaction."""
        asked, client = self.request, self.request.client
        try:
            body = refresh_grant.response(
                asked.family, client, asked.form, cnf=asked.shown.cnf, resources=asked.resources, now=now()
            )
        except (NoRightError, SpentTokenError) as error:
            raise InvalidGrantError(str(error)) from None
        except WiderScopeError as error:
            raise InvalidScopeError(str(error)) from None
        except WiderDetailsError as error:
            raise InvalidDetailsError(str(error)) from None
        return 200, body, self.TOKEN_RESPONSE_HEADER


class InvalidDetailsError(InvalidRequestError):  # type: ignore[misc]
    """The authorization details are not within those granted (RFC 9396 §5, §6)."""

    error = "invalid_authorization_details"


class InvalidTargetError(InvalidRequestError):  # type: ignore[misc]
    """The resource is not one that this client may ask for (RFC 8707 §2)."""

    error = "invalid_target"


def resources_of(form: MultiDict[str, str], client: RelyingParty) -> frozenset[str]:
    """Return the resources a token is asked for, each the agency's (RFC 8707 §2.2); none named means all of them.

    Raises:
        InvalidTargetError: one is not.
    """
    asked = frozenset(filter(None, form.getlist("resource")))
    if asked and asked - set(issuing.locations(client)):
        raise InvalidTargetError("the resource is not this agency")
    return asked


def verifier_fits(verifier: str | None, challenge: str | None) -> bool:
    """Compare a verifier with the challenge of the request; a verifier without a challenge is a downgrade (RFC 9700 §4.8)."""
    if challenge is None:
        return verifier is None
    if verifier is None or not _VERIFIER.fullmatch(verifier):
        return False
    return hmac.compare_digest(create_s256_code_challenge(verifier), challenge)
