"""The key ring: which keys sign, and which are published.

One file a key, ``signing-<kid>.json``, mode 0600, in the keys folder: a private JWK beside its state. A key serves one
algorithm only, under one ``kid`` (oidc §6.13). Keys are imported once, at start: importing an RSA key costs a hundred
times more than signing with it. All JWT work of the provider goes through here, with the algorithm named each time.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from joserfc import jwk, jws, jwt
from joserfc.errors import JoseError

ID_TOKEN_ALG = "RS256"  # noqa: S105 (OIDC Core §15.1; what clients expect first)
ACCESS_TOKEN_ALG = "ES256"  # noqa: S105
LOGOUT_TOKEN_ALG = ID_TOKEN_ALG  # Back-Channel Logout §2.6: the algorithm of the ID token
SET_ALG = "RS256"  # CAEP Interoperability Profile §2.6
ALGORITHMS = (ID_TOKEN_ALG, ACCESS_TOKEN_ALG)

_RSA_BITS = 2048
_PUBLIC_MEMBERS = {"RSA": ("kty", "n", "e"), "EC": ("kty", "crv", "x", "y")}
_LONGEST_TOKEN = 16 * 1024


class KeyState(StrEnum):
    """Where a key is in its life. Values are stored: never rename one."""

    NEXT = "next"  # published, does not sign yet
    ACTIVE = "active"
    RETIRING = "retiring"  # published, signs no more
    REVOKED = "revoked"


PUBLISHED = frozenset({KeyState.NEXT, KeyState.ACTIVE, KeyState.RETIRING})


class MissingSigningKeyError(RuntimeError):
    """The ring has no active key for an algorithm; ``idp keys new`` makes one."""


class UntrustedTokenError(ValueError):
    """A token is not one of ours, or not of this kind; the text says which rule failed."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One key of the ring."""

    kid: str
    alg: str
    state: KeyState
    created_at: datetime
    key: Any = field(repr=False)

    def public(self) -> dict[str, str]:
        """Return the public JWK: members are picked by name, so that no private one can slip through."""
        told = self.key.as_dict(private=False)
        members = {name: told[name] for name in _PUBLIC_MEMBERS[told["kty"]]}
        return members | {"kid": self.kid, "alg": self.alg, "use": "sig"}


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Every key of a provider, newest first."""

    keys: tuple[SigningKey, ...]

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the ring of *folder*.

        Raises:
            MissingSigningKeyError: an algorithm has no active key.
        """
        keys = [_read(path) for path in folder.glob("signing-*.json")]
        ring = cls(tuple(sorted(keys, key=lambda each: (each.created_at, each.kid), reverse=True)))
        for alg in ALGORITHMS:
            ring.signer(alg)
        return ring

    def signer(self, alg: str) -> SigningKey:
        """Return the newest active key for *alg*."""
        for each in self.keys:
            if each.alg == alg and each.state is KeyState.ACTIVE:
                return each
        raise MissingSigningKeyError(f"no active key for {alg}; run idp keys new")

    def public_set(self) -> dict[str, Any]:
        """Return the JWK set to publish."""
        return {"keys": [each.public() for each in self.keys if each.state in PUBLISHED]}

    def sign(self, claims: Mapping[str, Any], *, alg: str, typ: str) -> str:
        """Return *claims* as a signed compact JWT of type *typ*."""
        signer = self.signer(alg)
        header = {"alg": alg, "kid": signer.kid, "typ": typ}
        return jwt.encode(header, dict(claims), signer.key, algorithms=[alg])

    def read(self, token: str, *, alg: str, typ: str, issuer: str) -> dict[str, Any]:
        """Return the claims of a token that this provider signed; its life is the caller's matter.

        Raises:
            UntrustedTokenError: another algorithm, type or issuer, an unknown key, or a signature that does not hold.
        """
        key = self._named_by(token, alg=alg, typ=typ)
        try:
            claims = jwt.decode(token, key.key, algorithms=[alg]).claims
        except (JoseError, ValueError) as error:
            raise UntrustedTokenError("signature") from error
        if not isinstance(claims, dict) or claims.get("iss") != issuer:
            raise UntrustedTokenError("issuer")
        return claims

    def _named_by(self, token: str, *, alg: str, typ: str) -> SigningKey:
        """Return the key of our own ring that the header names; nothing else of the header is followed (S-17)."""
        if len(token) > _LONGEST_TOKEN or not token.isascii():
            raise UntrustedTokenError("size or signs")
        try:
            header = jws.extract_compact(token.encode("ascii")).headers()
        except (JoseError, ValueError) as error:
            raise UntrustedTokenError("not a compact JWT") from error
        if header.get("alg") != alg or header.get("typ") != typ or "crit" in header:
            raise UntrustedTokenError("algorithm or type")
        for each in self.keys:
            if each.kid == header.get("kid") and each.alg == alg and each.state in PUBLISHED:
                return each
        raise UntrustedTokenError("unknown key")


def create_key_ring(folder: Path, now: datetime) -> list[str]:
    """Make the signing keys that are missing in *folder*, mode 0600, and return their files' names."""
    folder.mkdir(parents=True, exist_ok=True)
    present = {each.alg for each in map(_read, folder.glob("signing-*.json")) if each.state is KeyState.ACTIVE}
    return [_create(folder, alg, now) for alg in ALGORITHMS if alg not in present]


def _create(folder: Path, alg: str, now: datetime) -> str:
    key: Any
    if alg == ID_TOKEN_ALG:
        key = jwk.RSAKey.generate_key(_RSA_BITS, private=True)
    else:
        key = jwk.ECKey.generate_key("P-256", private=True)
    kid = f"{alg.lower()}-{key.thumbprint()[:16]}"
    written = {
        "kid": kid,
        "alg": alg,
        "state": KeyState.ACTIVE.value,
        "created_at": now.astimezone(UTC).isoformat(timespec="seconds"),
        "key": key.as_dict(private=True),
    }
    name = f"signing-{kid}.json"
    descriptor = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        json.dump(written, file)
    return name


def _read(path: Path) -> SigningKey:
    written = json.loads(path.read_text(encoding="ascii"))
    kind: Any = jwk.RSAKey if written["key"]["kty"] == "RSA" else jwk.ECKey
    return SigningKey(
        kid=written["kid"],
        alg=written["alg"],
        state=KeyState(written["state"]),
        created_at=datetime.fromisoformat(written["created_at"]),
        key=kind.import_key(written["key"]),
    )
