"""The file of one signing key, as text: what is kept in clear, and the private half sealed.

A file says what a key is and where it is in its life, and holds its private half sealed with AES-256-GCM under the
key-encryption key. All the rest is authenticated with it: a state, a date or a public key that a person edits makes the file
unreadable. Files of before, with a clear private key, are read as well; the folder decides when that is allowed.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Protocol

from ...crypto.ciphers import SealError, seal_under, unseal_under
from .domain.key_rotation import KeyLife, KeyState
from .domain.signers import FileSigner, Signer, imported_key, private_key, public_members


class KeyDevice(Protocol):
    """A device that makes keys and characters with them, and never gives them out."""

    def generate(self, alg: str) -> tuple[str, dict[str, str]]:
        """Make a key pair; return its reference in the device and its public JWK."""
        ...

    def signer(self, reference: str, *, kid: str, alg: str, public: dict[str, str]) -> Signer:
        """Return what signs with the key called *reference*."""
        ...

    def destroy(self, reference: str) -> None:
        """Forget the key called *reference*, if it is there."""
        ...


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One key of the ring: its life, its public half, and what signs with it when this process may."""

    kid: str
    alg: str
    state: KeyState
    created_at: datetime
    since: datetime
    key: Any = field(repr=False)  # joserfc's, for verification
    signer: Signer | None = field(default=None, repr=False)
    reference: str | None = None  # of a key in a device
    revokes: frozenset[str] = frozenset()  # kids that this key put out of use when it was made, in one write
    stale: bool = False  # its file says something else: a private key in clear, or a key revoked since by another one

    @property
    def life(self) -> KeyLife:
        """Return what the rule of rotation sees."""
        return KeyLife(self.kid, self.alg, self.state, self.created_at, self.since)

    def entering(self, state: KeyState, now: datetime) -> SigningKey:
        """Return the key in its next state; a revoked one has nothing left to sign with."""
        if state is KeyState.REVOKED:
            return replace(self, state=state, since=now, signer=None, reference=None)
        return replace(self, state=state, since=now)

    def public(self) -> dict[str, str]:
        """Return the JWK to publish."""
        return public_members(self.key.as_dict(private=False)) | {"kid": self.kid, "alg": self.alg, "use": "sig"}


def written(key: SigningKey, kek: bytes) -> str:
    """Return the text of the file of *key*, sealed under *kek*."""
    told = {
        "version": 2,
        "kid": key.kid,
        "alg": key.alg,
        "state": key.state.value,
        "created_at": key.created_at.astimezone(UTC).isoformat(),
        "since": key.since.astimezone(UTC).isoformat(),
        "revokes": sorted(key.revokes),
        "public": public_members(key.key.as_dict(private=False)),
    }
    return json.dumps(told | {"sealed": seal_under(kek, json.dumps(_secret(key)), _context(told))})


def is_clear(text: str) -> bool:
    """Return whether a file is one of before, with its private key in clear."""
    told = json.loads(text)
    return isinstance(told, dict) and "sealed" not in told


def read(text: str, keks: Collection[bytes], device: KeyDevice | None) -> SigningKey:
    """Return the key of a file.

    Raises:
        SealError: it was altered, or none of *keks* sealed it.
        ValueError: it is no key file.
    """
    told = json.loads(text)
    if "sealed" not in told:
        return _clear(told)
    secret = json.loads(_unsealed(keks, told.pop("sealed"), _context(told)))
    kid, alg, public = told["kid"], told["alg"], told["public"]
    signer: Signer | None = None
    if "pkcs8" in secret:
        signer = FileSigner(kid, alg, private_key(alg, base64.b64decode(secret["pkcs8"])))
    elif "device" in secret and device is not None:
        signer = device.signer(secret["device"], kid=kid, alg=alg, public=public)
    return SigningKey(
        kid=kid,
        alg=alg,
        state=KeyState(told["state"]),
        created_at=datetime.fromisoformat(told["created_at"]),
        since=datetime.fromisoformat(told["since"]),
        key=imported_key(public),
        signer=signer,
        reference=secret.get("device"),
        revokes=frozenset(told["revokes"]),
    )


def _clear(told: dict[str, Any]) -> SigningKey:
    """Return a key of before: its private half is in clear, and it signs since it was made."""
    key = imported_key(told["key"])
    made = datetime.fromisoformat(told["created_at"])
    signer = FileSigner(told["kid"], told["alg"], key)
    return SigningKey(told["kid"], told["alg"], KeyState(told["state"]), made, made, key, signer, stale=True)


def _secret(key: SigningKey) -> dict[str, str]:
    if key.reference is not None:
        return {"device": key.reference}
    if isinstance(key.signer, FileSigner) and key.state is not KeyState.REVOKED:
        return {"pkcs8": base64.b64encode(key.signer.private_der()).decode()}
    return {}


def _context(told: dict[str, Any]) -> str:
    """Return all that is kept in clear, as the seal authenticates it."""
    return "signing-key:" + json.dumps(told, sort_keys=True, separators=(",", ":"))


def _unsealed(keks: Collection[bytes], sealed: str, context: str) -> str:
    for kek in keks:
        try:
            return unseal_under(kek, sealed, context)
        except SealError:
            continue
    raise SealError("does not open")
