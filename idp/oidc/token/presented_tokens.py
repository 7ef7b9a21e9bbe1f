"""An access token as it is presented at an endpoint of ours.

By a bearer (RFC 6750), with a DPoP proof (RFC 9449 §7) or over mutual TLS (RFC 8705 §3).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from werkzeug.datastructures import Headers

from ...db import transaction
from ..clients import client_services, mutual_tls
from ..proofs import possession, replay_services
from ..proofs.domain import dpop
from ..proofs.possession import InvalidProofError, UseNonceError
from . import issuing
from .domain import tokens

_SAID = {
    "invalid_token": "the token is not valid any more",
    "invalid_dpop_proof": "the DPoP proof does not hold",
    "use_dpop_nonce": "the DPoP proof must hold the nonce given here",
}


class RefusedTokenError(Exception):
    """The token gives no access; ``code`` is empty when none was presented (RFC 6750 §3.1).

    ``rule`` and ``claims``, those of a token of ours, are for the log.
    """

    def __init__(
        self, scheme: str, code: str = "", nonce: str = "", *, rule: str = "", claims: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(code)
        self.scheme, self.code, self.nonce = scheme, code, nonce
        self.rule, self.claims = rule, claims or {}

    @property
    def challenge(self) -> str:
        """Return the ``WWW-Authenticate`` of the answer."""
        parts = [f'error="{self.code}"', f'error_description="{_SAID[self.code]}"'] if self.code else []
        if self.scheme == "DPoP":
            parts.append(f'algs="{" ".join(dpop.PROOF_ALGS)}"')  # RFC 9449 §7.1
        return f"{self.scheme} {', '.join(parts)}".strip()


@dataclass(frozen=True, slots=True)
class PresentedToken:
    """A token of ours that is alive and presented by who may use it; whether its grant still holds is another matter."""

    claims: Mapping[str, Any]
    client_id: str


def presented_token(method: str, url: str, headers: Headers, *, now: datetime) -> PresentedToken:
    """Read the access token of a request.

    Raises:
        RefusedTokenError: none is there, it is not ours or has ended, or it is bound to something that was not shown.
    """
    scheme, _, text = headers.get("Authorization", "").partition(" ")
    known = {"bearer": "Bearer", "dpop": "DPoP"}.get(scheme.lower())
    if known is None or not text.strip():
        raise RefusedTokenError("Bearer", rule="no access token in the Authorization header")
    claims = _claims(text.strip(), known, now)
    cnf: Mapping[str, str] = claims.get("cnf", {})
    if known != tokens.token_type(cnf):  # a bound token is no bearer token, and the other way round
        raise RefusedTokenError(
            known, "invalid_token", rule=f"sent as {known}, bound as {tokens.token_type(cnf)}", claims=claims
        )
    if cnf:
        _check_possession(method, url, headers, text.strip(), claims, now)
    return PresentedToken(claims, str(claims["client_id"]))


def _claims(text: str, scheme: str, now: datetime) -> dict[str, Any]:
    claims = issuing.living_claims(text, now=now)
    if claims is None:
        raise RefusedTokenError(scheme, "invalid_token", rule="not a living access token of this provider")
    return claims


def _check_possession(
    method: str, url: str, headers: Headers, text: str, claims: Mapping[str, Any], now: datetime
) -> None:
    """Compare what the token is bound to with what was shown, and use the proof up."""
    if "jkt" not in claims["cnf"]:
        _check_certificate(claims)
        return
    client = client_services.find(str(claims["client_id"]))
    if client is None:
        raise RefusedTokenError("DPoP", "invalid_token", rule="the client is gone", claims=claims)
    try:
        shown = possession.shown(method, url, headers, client, now=now, access_token=text)
    except UseNonceError as error:
        rule = "the DPoP proof lacks a current nonce"
        raise RefusedTokenError("DPoP", "use_dpop_nonce", error.nonce, rule=rule, claims=claims) from None
    except InvalidProofError as error:
        raise RefusedTokenError("DPoP", "invalid_dpop_proof", rule=error.description, claims=claims) from None
    if shown.proof is None:
        raise RefusedTokenError("DPoP", "invalid_dpop_proof", rule="no DPoP proof", claims=claims)
    if not dpop.fits(claims["cnf"], shown.cnf):
        rule = "the proof is of another key than the token"
        raise RefusedTokenError("DPoP", "invalid_token", rule=rule, claims=claims)  # RFC 9449 §7.1
    with transaction():
        fresh = replay_services.spend(f"dpop:{shown.proof.jkt}", shown.proof.jti, until=shown.proof.until)
    if not fresh:
        raise RefusedTokenError("DPoP", "invalid_dpop_proof", rule="the proof was used before", claims=claims)


def _check_certificate(claims: Mapping[str, Any]) -> None:
    """Compare the certificate of the token with the one of the handshake (RFC 8705 §3)."""
    shown = mutual_tls.certificate()
    if not dpop.fits(claims["cnf"], dpop.confirmation(None, shown.der if shown else None)):
        rule = "the certificate is not the one of the token"
        raise RefusedTokenError("Bearer", "invalid_token", rule=rule, claims=claims)
