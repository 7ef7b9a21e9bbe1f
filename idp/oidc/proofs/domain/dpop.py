"""What binds a token to who may use it: a DPoP key (RFC 9449) or a certificate (RFC 8705). Pure.

A DPoP proof is the one JWT whose key comes in its own header: it proves possession of that key and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from ...clients.domain import client_keys
from ...clients.domain.client_keys import RefusedKeyError
from . import foreign_jwts
from .foreign_jwts import RefusedJwtError

PROOF_TYPE = "dpop+jwt"
PROOF_ALGS = ("PS256", "ES256", "EdDSA", "Ed25519")  # FAPI 2.0 §5.4.1; RS256 never, whatever the profile
_WINDOW = timedelta(seconds=60)  # S-94: iat at most so far from our clock, either way
_LONGEST_JTI = 255
_THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}")  # a SHA-256 in base64url
_DEFAULT_PORTS = {"https": 443, "http": 80}


class MissingNonceError(ValueError):
    """The proof is good but for its nonce, which must be one of ours (RFC 9449 §8)."""


@dataclass(frozen=True, slots=True)
class Proof:
    """Possession of the key with thumbprint ``jkt``, shown once: ``jti`` must not have been seen until ``until``."""

    jkt: str
    jti: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Expected:
    """What a proof must be about: the request's method and one of its configured addresses, and a token if one comes along."""

    method: str
    urls: tuple[str, ...]
    now: datetime
    nonces: frozenset[str] = frozenset()  # those that may still be used
    nonce_required: bool = False
    access_token: str | None = None


def check_proof(text: str, expected: Expected) -> Proof:
    """Verify a DPoP proof, all but its single use (RFC 9449 §4.3).

    Raises:
        RefusedJwtError: with the rule that failed.
        MissingNonceError: a nonce of ours is required, or the one given is not current.
    """
    token = foreign_jwts.read(text, own_key=True)
    if str(token.header.get("typ", "")) != PROOF_TYPE:
        raise RefusedJwtError("typ")
    try:
        key = client_keys.own_key(token.header.get("jwk"))
    except RefusedKeyError as error:
        raise RefusedJwtError(str(error)) from None
    foreign_jwts.verify_with(token, key, algorithms=PROOF_ALGS)
    claims = token.claims
    if claims.get("htm") != expected.method or not any(is_same_address(claims.get("htu"), u) for u in expected.urls):
        raise RefusedJwtError("htm or htu is about another request")
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 1 <= len(jti) <= _LONGEST_JTI or "\x00" in jti:
        raise RefusedJwtError("jti")
    issued = _checked_times(claims, expected.now)
    if expected.access_token is not None and not _is_digest(claims.get("ath"), expected.access_token):
        raise RefusedJwtError("ath is of another token")
    _check_nonce(claims.get("nonce"), expected)
    return Proof(key.key.thumbprint(), jti, issued + 2 * _WINDOW)


def is_thumbprint(text: object) -> bool:
    """Return whether *text* looks like a JWK thumbprint (RFC 7638, SHA-256)."""
    return isinstance(text, str) and _THUMBPRINT.fullmatch(text) is not None


def confirmation(proof: Proof | None, certificate: bytes | None = None) -> dict[str, str]:
    """Return the ``cnf`` of tokens given to who showed *proof*, or *certificate* (DER): empty when nothing was shown."""
    if proof is not None:
        return {"jkt": proof.jkt}  # RFC 9449 §6.1
    if certificate is not None:
        return {"x5t#S256": _base64url(hashlib.sha256(certificate).digest())}  # RFC 8705 §3.1
    return {}


def fits(cnf: Mapping[str, str], shown: Mapping[str, str]) -> bool:
    """Return whether what was *shown* is what a token is bound to; an unbound token fits whatever is shown."""
    return all(hmac.compare_digest(value, shown.get(name, "")) for name, value in cnf.items())


def is_same_address(htu: object, url: str) -> bool:
    """Compare an ``htu`` with the address of a request: case of scheme and host, default port, query and fragment aside."""
    if not isinstance(htu, str) or len(htu) > 2048:
        return False
    try:
        return _normalized(htu) == _normalized(url)
    except ValueError:
        return False


def _normalized(url: str) -> tuple[str, str, int, str]:
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    if scheme not in _DEFAULT_PORTS or not parts.hostname or "@" in parts.netloc:
        raise ValueError(url)
    return scheme, parts.hostname, parts.port or _DEFAULT_PORTS[scheme], parts.path or "/"


def _checked_times(claims: Mapping[str, Any], now: datetime) -> datetime:
    issued = foreign_jwts.instant(claims.get("iat"))
    if abs(issued - now) > _WINDOW:
        raise RefusedJwtError("iat is too far from now")
    if "nbf" in claims and foreign_jwts.instant(claims["nbf"]) > now + _WINDOW:
        raise RefusedJwtError("nbf is in the future")
    if "exp" in claims and foreign_jwts.instant(claims["exp"]) <= now - timedelta(seconds=10):
        raise RefusedJwtError("exp is past")
    return issued


def _check_nonce(nonce: object, expected: Expected) -> None:
    if nonce is None and not expected.nonce_required:
        return
    if not isinstance(nonce, str) or not _is_one_of(nonce, expected.nonces):
        raise MissingNonceError("a nonce of this server is required")


def _is_one_of(text: str, known: Collection[str]) -> bool:
    return any(hmac.compare_digest(text.encode(), each.encode()) for each in known)


def _is_digest(value: object, of: str) -> bool:
    wanted = _base64url(hashlib.sha256(of.encode()).digest())
    return isinstance(value, str) and value.isascii() and hmac.compare_digest(value, wanted)


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")
