"""The key ring: which keys sign, and which are published.

A key has one algorithm and one ``kid`` (protocol.md §6.13). Keys are imported once, when the folder is read: importing an RSA
key costs a hundred times more than signing with it. All JWT work of the provider goes through here, with the algorithm named
each time.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from joserfc import jws, jwt
from joserfc.errors import JoseError, UnsupportedAlgorithmError

from . import key_acts
from .domain.key_rotation import ALGORITHMS as ALGORITHMS
from .domain.key_rotation import PUBLISHED, signing
from .domain.signers import Signer
from .key_files import SigningKey
from .key_folder import KeyFolder

ID_TOKEN_ALG = "RS256"  # noqa: S105 (OIDC Core §15.1; what clients expect first)
ACCESS_TOKEN_ALG = "ES256"  # noqa: S105
LOGOUT_TOKEN_ALG = ID_TOKEN_ALG  # Back-Channel Logout §2.6: the algorithm of the ID token
SET_ALG = "RS256"  # CAEP Interoperability Profile §2.6

_LONGEST_TOKEN = 16 * 1024


class MissingSigningKeyError(RuntimeError):
    """The ring has no active key for an algorithm; ``idp keys new`` makes one."""


class UntrustedTokenError(ValueError):
    """A token is not one of ours, or not of this kind; the text says which rule failed."""


class _OneAlgorithm(jws.JWSRegistry):
    """The algorithm asked for, and no other."""

    def get_alg(self, name: str) -> Any:
        """Return it, without the warning that the name EdDSA is old: FAPI 2.0 asks for it."""
        if not self.allowed or name not in self.allowed:
            raise UnsupportedAlgorithmError(f"{name} is not allowed")
        return self.algorithms[name]


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Every key of a provider, newest first."""

    keys: tuple[SigningKey, ...]

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the ring of *folder*, whose key-encryption key lies in it.

        Raises:
            MissingSigningKeyError: an algorithm has no active key.
        """
        return cls.of(KeyFolder.at(folder))

    @classmethod
    def of(cls, folder: KeyFolder) -> Self:
        """Read the ring of *folder*.

        Raises:
            MissingSigningKeyError: an algorithm has no key that signs.
            KeyFileError: a file does not open, or was altered.
        """
        ring = cls(folder.read_keys())
        for alg in ALGORITHMS:
            ring._signing(alg)
        return ring

    def signer(self, alg: str) -> SigningKey:
        """Return the key that signs for *alg*."""
        current = signing([each.life for each in self.keys if each.alg == alg])
        for each in self.keys:
            if current is not None and each.kid == current.kid:
                return each
        raise MissingSigningKeyError(f"no active key for {alg}; run idp keys new")

    def public_set(self) -> dict[str, Any]:
        """Return the JWK set to publish."""
        return {"keys": [each.public() for each in self.keys if each.state in PUBLISHED]}

    def sign(self, claims: Mapping[str, Any], *, alg: str, typ: str) -> str:
        """Return *claims* as a signed compact JWT of type *typ*."""
        return signed(claims, self._signing(alg), typ=typ)

    def read(self, token: str, *, alg: str, typ: str, issuer: str) -> dict[str, Any]:
        """Return the claims of a token that this provider signed; its life is the caller's matter.

        Raises:
            UntrustedTokenError: another algorithm, type or issuer, an unknown key, or a signature that does not hold.
        """
        key = self._named_by(token, alg=alg, typ=typ)
        try:
            claims = jwt.decode(token, key.key, registry=_OneAlgorithm(algorithms=[alg])).claims
        except (JoseError, ValueError) as error:
            raise UntrustedTokenError("signature") from error
        if not isinstance(claims, dict) or claims.get("iss") != issuer:
            raise UntrustedTokenError("issuer")
        return claims

    def _signing(self, alg: str) -> Signer:
        key = self.signer(alg)
        if key.signer is None:
            raise MissingSigningKeyError(f"{key.kid} lies in a PKCS#11 token: set IDP_PKCS11_MODULE")
        return key.signer

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


def signed(claims: Mapping[str, Any], signer: Signer, *, typ: str) -> str:
    """Return *claims* as a compact JWS (RFC 7515 §7.1), whatever holds the key; the header names alg, kid and type only."""
    header = {"alg": signer.alg, "kid": signer.kid, "typ": typ}
    message = b".".join((_segment(header), _segment(claims)))
    return b".".join((message, _base64url(signer.sign(message)))).decode("ascii")


def _segment(value: Mapping[str, Any]) -> bytes:
    return _base64url(json.dumps(value, separators=(",", ":"), allow_nan=False).encode())


def _base64url(value: bytes) -> bytes:
    return base64.urlsafe_b64encode(value).rstrip(b"=")


def create_key_ring(folder: Path, now: datetime) -> list[str]:
    """Make the signing keys that are missing in *folder*, with their key-encryption key, and return the files' names."""
    return key_acts.create_missing(KeyFolder.at(folder), now)
