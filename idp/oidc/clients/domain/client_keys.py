"""The public keys that a client registers by value (``jwks``, RFC 7591 §2): checked, then imported once. Pure."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from joserfc import jwk
from joserfc.errors import JoseError

_MOST_KEYS = 10
_RSA_BITS = range(2048, 8193)
_PUBLIC = ("kty", "use", "alg", "kid", "crv", "x", "y", "n", "e")
_LONGEST_KID = 255
_NUMBER = re.compile(r"[A-Za-z0-9_-]{1,1400}")  # RSA of 8192 bits has 1366 signs
_UNREADABLE = "cannot be read as a key that verifies signatures"
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_CURVES = {"EC": "P-256", "OKP": "Ed25519"}
_ALGORITHMS = {"RSA": ("RS256", "PS256"), "EC": ("ES256",), "OKP": ("EdDSA", "Ed25519")}
_KINDS: Mapping[str, Any] = {"RSA": jwk.RSAKey, "EC": jwk.ECKey, "OKP": jwk.OKPKey}


class RefusedKeyError(ValueError):
    """A key is not one that verifies signatures; the text says why."""


@dataclass(frozen=True, slots=True)
class ClientKey:
    """One public key of a client, with the algorithms it may verify."""

    kid: str | None
    algorithms: tuple[str, ...]
    key: Any = field(repr=False)

    def fits(self, alg: str) -> bool:
        """Return whether the key may verify signatures made with *alg*."""
        return alg in self.algorithms


def only_public(jwks: object) -> object:
    """Return a set with the members that we read and no other: certificates and the like are never followed."""
    if not isinstance(jwks, dict) or not isinstance(jwks.get("keys"), list):
        return jwks
    return {
        "keys": [
            {name: each[name] for name in (*_PUBLIC, *sorted(_PRIVATE)) if name in each}
            if isinstance(each, dict)
            else each
            for each in jwks["keys"]
        ]
    }


def mistakes(jwks: object) -> Iterator[str]:
    """Yield what is wrong with a JWK set, one sentence each (protocol.md §6.14)."""
    listed = jwks.get("keys") if isinstance(jwks, dict) else None
    if not isinstance(listed, list) or not 1 <= len(listed) <= _MOST_KEYS:
        yield f"jwks must hold keys, a list of 1 to {_MOST_KEYS} public keys"
        return
    for place, each in enumerate(listed, start=1):
        wrong = _fault(each)
        if wrong:
            yield f"jwks: key {place} {wrong}"
    kids = [each["kid"] for each in listed if isinstance(each, dict) and isinstance(each.get("kid"), str)]
    if len(set(kids)) != len(kids):
        yield "jwks: a kid is written twice"
    if len(listed) > 1 and len(kids) != len(listed):
        yield "jwks: with several keys each needs a kid"


def own_key(key: object) -> ClientKey:
    """Import the public key that a DPoP proof brings (RFC 9449 §4.2): asymmetric, and nothing private in it.

    Raises:
        RefusedKeyError: it is not such a key.
    """
    wrong = _fault(key)
    if wrong or not isinstance(key, dict):
        raise RefusedKeyError(f"jwk {wrong}")
    return ClientKey(None, _serves(key), _KINDS[key["kty"]].import_key(key))


def imported(jwks: Mapping[str, Any] | None) -> tuple[ClientKey, ...]:
    """Return the keys of a set that :func:`mistakes` found good; importing happens once per set and process."""
    return _imported(json.dumps(jwks, sort_keys=True)) if jwks else ()


@lru_cache(maxsize=1024)
def _imported(text: str) -> tuple[ClientKey, ...]:
    listed = json.loads(text)["keys"]
    return tuple(
        ClientKey(each.get("kid"), _serves(each), _KINDS[each["kty"]].import_key(each))
        for each in listed
        if each.get("use", "sig") == "sig"
    )


def _serves(key: Mapping[str, Any]) -> tuple[str, ...]:
    of_kind = _ALGORITHMS[key["kty"]]
    named = key.get("alg")
    if named is None or (key["kty"] == "OKP" and named in of_kind):  # two names of one algorithm (RFC 9864)
        return of_kind
    return tuple(alg for alg in of_kind if alg == named)


def _fault(key: object) -> str | None:
    if not isinstance(key, dict) or not isinstance(key.get("kty"), str):
        return "is not a JWK"
    if key.keys() & _PRIVATE:
        return "holds a private or symmetric member: make a new key, this one is no longer secret"
    if key["kty"] not in _KINDS:
        return "must be of kty RSA, EC or OKP"
    if key["kty"] in _CURVES and key.get("crv") != _CURVES[key["kty"]]:
        return f"must be on the curve {_CURVES[key['kty']]}"
    if not _is_short_text(key.get("kid", "")) or key.get("use", "sig") not in ("sig", "enc"):
        return "has a kid that is not text, or a use that is neither sig nor enc"
    if not _is_short_text(key.get("alg", "")):
        return "has an alg that is not text"
    if not all(
        isinstance(key[name], str) and _NUMBER.fullmatch(key[name]) for name in ("x", "y", "n", "e") if name in key
    ):
        return _UNREADABLE
    try:
        if key["kty"] == "RSA" and _bits(key["n"]) not in _RSA_BITS:
            return f"must have {_RSA_BITS.start} to {_RSA_BITS.stop - 1} bits"
        _KINDS[key["kty"]].import_key(key).get_op_key("verify")
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        return _UNREADABLE
    return None


def _is_short_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST_KID and value.isprintable()


def _bits(modulus: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(modulus + "=" * (-len(modulus) % 4))).bit_length()
