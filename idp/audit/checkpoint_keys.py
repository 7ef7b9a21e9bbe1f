"""The keys that sign checkpoints, in a folder of their own: one file each, the private half sealed.

They are sealed under a key-encryption key of their own, so that a process that signs tokens cannot sign checkpoints;
only the worker needs them. The newest key signs; after a rotation the previous one signs too, so that a verifier that
knows either can continue, until the next rotation removes its private half. Public halves are kept to verify old
checkpoints.
"""

from __future__ import annotations

import base64
import json
import os
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ..config import Settings
from ..crypto.ciphers import SealError, decoded_key, random_key_line, seal_under, unseal_under
from ..private_files import private_folder
from .domain.checkpoints import VerifierKey, origin_of

_SIGNING = 2  # the newest key, and the previous one


class CheckpointKeyError(RuntimeError):
    """A key file is missing, or cannot be unsealed."""


@dataclass(frozen=True, slots=True)
class CheckpointKey:
    """One key: its public half, its start, and its private half while it signs."""

    verifier: VerifierKey
    created_at: datetime
    revoked: bool = False
    private: Ed25519PrivateKey | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class CheckpointKeys:
    """The folder of these keys, and the file of the key that seals them."""

    folder: Path
    kek_file: Path

    @classmethod
    def of(cls, settings: Settings) -> CheckpointKeys:
        """Return the folder named by *settings*."""
        folder = settings.audit_keys_dir or settings.keys_dir / "audit"
        return cls(folder, settings.audit_key_encryption_key_file or folder / "key-encryption.key")

    def read(self) -> tuple[CheckpointKey, ...]:
        """Return the keys, the newest first, with the private halves that this process may open.

        Raises: CheckpointKeyError: a file cannot be unsealed.
        """
        keks = self._keks()
        found = [self._read(path, keks) for path in sorted(self.folder.glob("checkpoint-*.json"))]
        return tuple(sorted(found, key=lambda key: key.created_at, reverse=True))

    def verifiers(self) -> tuple[VerifierKey, ...]:
        """Return every public half, without opening a private one; revoked keys too."""
        return tuple(_verifier(json.loads(path.read_text())) for path in sorted(self.folder.glob("checkpoint-*.json")))

    def origin(self, issuer: str) -> str:
        """Return the name of the log: that of its keys, which stays when the address of the issuer changes."""
        return next((key.name for key in self.verifiers()), origin_of(issuer))

    def revoked(self) -> frozenset[str]:
        """Return the identifiers of the revoked keys, whose signatures are no longer accepted."""
        told = (json.loads(path.read_text()) for path in self.folder.glob("checkpoint-*.json"))
        return frozenset(_verifier(each).id for each in told if each["revoked"])

    def signing(self) -> list[tuple[VerifierKey, Ed25519PrivateKey]]:
        """Return the keys that sign now.

        Raises:
            CheckpointKeyError: there are none.
        """
        found = [(key.verifier, key.private) for key in self.read() if key.private is not None and not key.revoked]
        if not found:
            raise CheckpointKeyError(f"no key of {self.folder} signs checkpoints; run idp keys new")
        return found

    def create_missing(self, issuer: str, now: datetime) -> list[str]:
        """Create the first key, and the key that seals it, when missing; return what was written."""
        private_folder(self.folder)
        written = []
        if not self.kek_file.exists():
            _write(self.kek_file, random_key_line())
            written.append(str(self.kek_file.name))
        if not any(key.private for key in self.read()):
            written.append(self._make(issuer, now).name)
        return written

    def rotate(self, issuer: str, now: datetime, *, emergency: bool = False) -> VerifierKey:
        """Create the next key; older keys than the previous one stop signing, in an *emergency* all but the new one.

        Raises:
            CheckpointKeyError: a file cannot be unsealed.
        """
        self.create_missing(issuer, now)
        before, keks = self.read(), self._keks()
        made = json.loads(self._make(issuer, now).read_text())
        for place, key in enumerate(before, start=1):
            if emergency or place >= _SIGNING:
                self._store(key.verifier, key.created_at, keks[0], private=None, revoked=emergency or key.revoked)
        return _verifier(made)

    def rewrap(self) -> int:
        """Seal every private half under a new key-encryption key; return how many were sealed."""
        keys, former = self.read(), self.kek_file.read_text(encoding="ascii")
        _write(self.kek_file, random_key_line() + former)  # both keys unseal, in case this is interrupted
        kek = self._keks()[0]
        for key in keys:
            self._store(key.verifier, key.created_at, kek, private=key.private, revoked=key.revoked)
        _write(self.kek_file, self.kek_file.read_text(encoding="ascii").splitlines()[0] + "\n")
        return sum(key.private is not None for key in keys)

    def _make(self, issuer: str, now: datetime) -> Path:
        private = Ed25519PrivateKey.generate()
        verifier = VerifierKey(self.origin(issuer), private.public_key().public_bytes_raw())
        return self._store(verifier, now, self._keks()[0], private=private, revoked=False)

    def _store(
        self, key: VerifierKey, created_at: datetime, kek: bytes, *, private: Ed25519PrivateKey | None, revoked: bool
    ) -> Path:
        told: dict[str, Any] = {
            "version": 1,
            "name": key.name,
            "public": base64.b64encode(key.public).decode(),
            "created_at": created_at.isoformat(),
            "revoked": revoked,
        }
        secret = base64.b64encode(private.private_bytes_raw()).decode() if private else ""
        path = self.folder / f"checkpoint-{key.id}.json"
        _write(path, json.dumps(told | {"sealed": seal_under(kek, secret, _context(told))}))
        return path

    def _read(self, path: Path, keks: tuple[bytes, ...]) -> CheckpointKey:
        try:
            told = json.loads(path.read_text())
            sealed = told.pop("sealed")
            secret = _unsealed(keks, sealed, _context(told))
        except (SealError, ValueError, KeyError) as error:
            raise CheckpointKeyError(f"{path.name} does not open: altered, or sealed under another key") from error
        private = Ed25519PrivateKey.from_private_bytes(base64.b64decode(secret)) if secret else None
        return CheckpointKey(_verifier(told), datetime.fromisoformat(told["created_at"]), told["revoked"], private)

    def _keks(self) -> tuple[bytes, ...]:
        if not self.kek_file.exists():
            raise CheckpointKeyError(f"{self.kek_file} is missing: it seals the keys of checkpoints; run idp keys new")
        lines = self.kek_file.read_text(encoding="ascii").split()
        return tuple(decoded_key(line, self.kek_file.name) for line in lines)


def _verifier(told: dict[str, Any]) -> VerifierKey:
    return VerifierKey(told["name"], base64.b64decode(told["public"]))


def _context(told: dict[str, Any]) -> str:
    """Return the clear part of a key file, which its seal authenticates."""
    return "checkpoint-key:" + json.dumps(told, sort_keys=True, separators=(",", ":"))


def _unsealed(keks: tuple[bytes, ...], sealed: str, context: str) -> str:
    for kek in keks:
        try:
            return unseal_under(kek, sealed, context)
        except SealError:
            continue
    raise SealError("does not open")


def _write(path: Path, text: str) -> None:
    """Write a file whole or not at all, mode 0600."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
