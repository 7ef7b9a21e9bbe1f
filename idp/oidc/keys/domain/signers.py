"""What signs: one interface, whether the private key lies in a file or in a device that never gives it out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from cryptography.hazmat.primitives import serialization
from joserfc import jwk, jws

RSA_BITS = 2048  # decisions.md §21

_PUBLIC_MEMBERS = {"RSA": ("kty", "n", "e"), "EC": ("kty", "crv", "x", "y"), "OKP": ("kty", "crv", "x")}
_KINDS: dict[str, Any] = {"RSA": jwk.RSAKey, "EC": jwk.ECKey, "OKP": jwk.OKPKey}
_KIND_OF = {"RS256": "RSA", "PS256": "RSA", "ES256": "EC", "EdDSA": "OKP"}


class SignerError(RuntimeError):
    """The device that holds a key does not sign; the text says what it answered, never a PIN."""


class Signer(Protocol):
    """Anything that signs with one key under one algorithm."""

    @property
    def kid(self) -> str:
        """Return the name of the key."""
        ...

    @property
    def alg(self) -> str:
        """Return the one JWS algorithm of the key."""
        ...

    def public(self) -> dict[str, str]:
        """Return the public JWK, without kid, alg and use."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Return the signature as JWS requires it (RFC 7518 §3: for ECDSA r and s, 32 bytes each).

        Raises:
            SignerError: the device does not answer.
        """
        ...


@dataclass(frozen=True, slots=True)
class FileSigner:
    """A private key in memory, read from the folder of keys."""

    kid: str
    alg: str
    key: Any = field(repr=False)

    def public(self) -> dict[str, str]:
        """Return the public JWK: members are picked by name, so that no private one can slip through."""
        return public_members(self.key.as_dict(private=False))

    def sign(self, message: bytes) -> bytes:
        """Return the signature of *message*."""
        signature: bytes = jws.JWSRegistry.algorithms[self.alg].sign(message, self.key)
        return signature

    def private_der(self) -> bytes:
        """Return the private key as PKCS #8, to be sealed."""
        der: bytes = self.key.raw_value.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return der


def generated_key(alg: str) -> Any:
    """Make a private key for *alg* alone: the two RSA algorithms never share one (protocol.md §6.13)."""
    if _KIND_OF[alg] == "RSA":
        return jwk.RSAKey.generate_key(RSA_BITS, private=True)
    if _KIND_OF[alg] == "EC":
        return jwk.ECKey.generate_key("P-256", private=True)
    return jwk.OKPKey.generate_key("Ed25519", private=True)


def private_key(alg: str, der: bytes) -> Any:
    """Return the private key of a PKCS #8 text that was sealed here.

    The seal vouches for it, so OpenSSL's primality checks, a hundred times the cost of a signature, are not run again.
    """
    raw = serialization.load_der_private_key(der, None, unsafe_skip_rsa_key_validation=True)
    return _KINDS[_KIND_OF[alg]](raw, raw)


def imported_key(members: dict[str, Any]) -> Any:
    """Return the key of a JWK, public or private, checked in full."""
    return _KINDS[members["kty"]].import_key(members)


def public_members(told: dict[str, Any]) -> dict[str, str]:
    """Return the members of a JWK that every person may know."""
    return {name: told[name] for name in _PUBLIC_MEMBERS[told["kty"]]}


def kid_of(alg: str, key: Any) -> str:
    """Return the name of a key: its algorithm and the head of its thumbprint (RFC 7638)."""
    return f"{alg.lower()}-{key.thumbprint()[:16]}"
