"""JWTs that another person signed: read strictly, verified only with keys registered before. Pure.

Compact serialization only; nothing that a header brings (``jwk``, ``jku``, ``x5u``, ``x5c``) is ever followed, and a header that
asks for more than a plain signature (``crit``, ``zip``, ``b64``) is refused (security-bar.md S-15 to S-20).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError, UnsupportedAlgorithmError

from ...clients.domain.client_keys import ClientKey
from . import strict_json
from .strict_json import NotStrictJsonError

LONGEST_PROOF = 8 * 1024  # decisions.md §25: assertions and proofs
_DEEPEST = 32
_COMPACT = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")
_REFUSED_HEADERS = frozenset({"crit", "zip", "b64", "jwk", "jku", "x5u", "x5c"})


class RefusedJwtError(ValueError):
    """A JWT is malformed, or nobody we know signed it; the text says which rule failed."""


class _Registry(jws.JWSRegistry):
    """The allowed algorithms and no other; longer headers than joserfc's 512 bytes (protocol.md §3)."""

    max_header_length = 4096
    max_payload_length = 64 * 1024

    def get_alg(self, name: str) -> Any:
        """Return an allowed algorithm, without the warning that the name EdDSA is old: FAPI 2.0 asks for it."""
        if not self.allowed or name not in self.allowed or name not in self.algorithms:
            raise UnsupportedAlgorithmError(f"{name} is not allowed")
        return self.algorithms[name]


@dataclass(frozen=True, slots=True)
class ForeignJwt:
    """A JWT as it came: well formed, and not to be believed before :func:`verify`."""

    text: str = field(repr=False)
    header: Mapping[str, Any]
    claims: Mapping[str, Any]

    @property
    def alg(self) -> str:
        """Return the algorithm that the header names."""
        return str(self.header["alg"])


def read(text: str, *, longest: int = LONGEST_PROOF, own_key: bool = False) -> ForeignJwt:
    """Take a compact JWT apart; with *own_key* its header may bring the key it proves (DPoP, RFC 9449 §4.2).

    Raises:
        RefusedJwtError: it is too long, not compact, not strict JSON, or its header asks for more than a signature.
    """
    if len(text) > longest:
        raise RefusedJwtError("too long")
    parts = _COMPACT.fullmatch(text)
    if parts is None:
        raise RefusedJwtError("not a compact JWT")
    header, claims = _members(_decoded(parts[1])), _members(_decoded(parts[2]))
    _decoded(parts[3])
    if not isinstance(header.get("alg"), str) or not isinstance(header.get("kid", ""), str):
        raise RefusedJwtError("alg or kid is not text")
    if not isinstance(header.get("typ", ""), str):
        raise RefusedJwtError("typ is not text")
    if header.keys() & (_REFUSED_HEADERS - ({"jwk"} if own_key else set())):
        raise RefusedJwtError("the header asks for more than a signature")
    return ForeignJwt(text, header, claims)


def verify(token: ForeignJwt, keys: Collection[ClientKey], *, algorithms: Collection[str]) -> None:
    """Verify the signature with the key that ``kid`` names, or without one with each key that fits.

    Raises:
        RefusedJwtError: another algorithm, no such key, or the signature does not hold.
    """
    if token.alg not in algorithms:
        raise RefusedJwtError("algorithm")
    kid = token.header.get("kid")
    for key in keys:
        if (kid is None or key.kid == kid) and _holds(token, key):
            return
    raise RefusedJwtError("signature")


def verify_with(token: ForeignJwt, key: ClientKey, *, algorithms: Collection[str]) -> None:
    """Verify the signature with *key*, whatever ``kid`` says.

    Raises:
        RefusedJwtError: another algorithm, or the signature does not hold.
    """
    if token.alg not in algorithms or not _holds(token, key):
        raise RefusedJwtError("algorithm or signature")


def instant(value: object) -> datetime:
    """Return a time of a JWT (RFC 7519 §2, NumericDate).

    Raises:
        RefusedJwtError: it is missing, not a number, or beyond every calendar.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RefusedJwtError("a time is missing or not a number")
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        raise RefusedJwtError("a time is out of range") from None


def _holds(token: ForeignJwt, key: ClientKey) -> bool:
    if not key.fits(token.alg):
        return False
    registry = _Registry(algorithms=[token.alg], strict_check_header=False)
    try:
        jws.deserialize_compact(token.text, key.key, registry=registry)
    except (JoseError, ValueError):
        return False
    return True


def _decoded(segment: str) -> bytes:
    """Decode base64url written in its one canonical way."""
    try:
        found = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    except (binascii.Error, ValueError):
        raise RefusedJwtError("base64url") from None
    if base64.urlsafe_b64encode(found).rstrip(b"=").decode() != segment:
        raise RefusedJwtError("base64url")
    return found


def _members(text: bytes) -> dict[str, Any]:
    try:
        return strict_json.read_object(text, deepest=_DEEPEST)
    except NotStrictJsonError:
        raise RefusedJwtError("not a strict JSON object") from None
