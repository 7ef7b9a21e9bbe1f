"""What a caller shows possession of, read from its request: a certificate, or a DPoP proof with a nonce of this server.

A nonce is the keyed digest of a span of time: every worker knows it, none keeps it (RFC 9449 §8).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from authlib.oauth2.rfc6749 import InvalidRequestError, OAuth2Error
from werkzeug.datastructures import Headers

from ...crypto.sealing import current_sealing
from ..clients import mutual_tls
from ..clients.domain.clients import RelyingParty
from .domain import dpop
from .domain.dpop import Expected, MissingNonceError, Proof
from .domain.foreign_jwts import RefusedJwtError

NONCE_SPAN = 150  # seconds; a nonce is valid in its span and the next


class InvalidProofError(OAuth2Error):  # type: ignore[misc]
    """The DPoP proof proves nothing (RFC 9449 §5)."""

    error = "invalid_dpop_proof"
    status_code = 400


class UseNonceError(OAuth2Error):  # type: ignore[misc]
    """The proof lacks a nonce of ours; the answer brings one (RFC 9449 §8)."""

    error = "use_dpop_nonce"
    status_code = 400

    def __init__(self, nonce: str) -> None:
        super().__init__("the DPoP proof must hold the nonce given here")
        self.nonce = nonce

    def get_headers(self) -> list[tuple[str, str]]:
        """Return the headers of the answer."""
        return [("Content-Type", "application/json"), ("DPoP-Nonce", self.nonce)]


@dataclass(frozen=True, slots=True)
class SenderProof:
    """What was shown; nothing when the caller is a mere bearer. Of a proof and a certificate the proof binds."""

    proof: Proof | None = None
    certificate: bytes | None = None  # DER

    @property
    def cnf(self) -> dict[str, str]:
        """Return what tokens given now are bound to (RFC 7800 ``cnf``)."""
        return dpop.confirmation(self.proof, self.certificate)


def shown(
    method: str,
    url: str,
    headers: Headers,
    client: RelyingParty,
    *,
    now: datetime,
    access_token: str | None = None,
) -> SenderProof:
    """Read what a request shows possession of; whether it must show something is for the person who gives tokens to decide.

    Raises:
        InvalidProofError: there is a proof, and it does not hold.
        UseNonceError: it holds but for its nonce.
    """
    certificate = mutual_tls.certificate() if client.binds_to_certificate else None
    text = headers.get("DPoP")
    if text is None:
        return SenderProof(certificate=certificate.der if certificate else None)
    expected = Expected(
        method=method,
        urls=mutual_tls.addresses(url),
        now=now,
        nonces=frozenset(_nonce(now, back) for back in (0, 1)),
        nonce_required=client.profile.requires_dpop_nonce,
        access_token=access_token,
    )
    try:
        return SenderProof(dpop.check_proof(text, expected))
    except MissingNonceError:
        raise UseNonceError(current_nonce(now)) from None
    except RefusedJwtError as error:
        raise InvalidProofError(_spoken(error)) from error


def require(client: RelyingParty, given: SenderProof) -> None:
    """Refuse a bearer where the client's tokens are always bound.

    Raises:
        InvalidProofError: nothing was shown.
        InvalidRequestError: nothing was shown, and the client said it would show a certificate.
    """
    if client.requires_bound_tokens:
        require_always(client, given)


def require_always(client: RelyingParty, given: SenderProof) -> None:
    """Refuse a bearer, whatever the client registered.

    Raises:
        InvalidProofError: nothing was shown.
        InvalidRequestError: nothing was shown, and the client said it would show a certificate.
    """
    if given.cnf:
        return
    if client.binds_to_certificate:
        raise InvalidRequestError("a client certificate is required")
    raise InvalidProofError("a DPoP proof is required")


def current_nonce(now: datetime) -> str:
    """Return the nonce to give out."""
    return _nonce(now, 0)


def nonce_headers(headers: Headers, *, now: datetime) -> list[tuple[str, str]]:
    """Return a fresh nonce for the next proof of a caller that uses DPoP (RFC 9449 §8.2)."""
    return [("DPoP-Nonce", current_nonce(now))] if "DPoP" in headers else []


def _nonce(now: datetime, back: int) -> str:
    span = int(now.timestamp()) // NONCE_SPAN - back
    return current_sealing().keyed_digest(str(span), "dpop_nonce")


def _spoken(error: RefusedJwtError) -> str:
    """Return a description in characters that an error may hold (RFC 6749 §5.2)."""
    return f"the DPoP proof does not hold: {error}".replace('"', "'").replace("\\", "/")
