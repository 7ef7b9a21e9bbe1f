"""Secrets at rest: sealed values, and values stored only as digests.

- ``seal``/``unseal``: AES-256-GCM under a key that is not in the database; the context is authenticated, so a value
  moved to another row does not open (security-bar.md S-89).
- ``digest``: SHA-256 of a random value of at least 256 bits.
- ``keyed_digest``: HMAC-SHA256 under a pepper, for values a person types (codes, notice numbers).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from flask import current_app

from ..private_files import private_folder
from .ciphers import SealError as SealError
from .ciphers import decoded_key, random_key_line, seal_under, unseal_under

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
KEY_FILES = ("sealing.key", "pepper.key", "pairwise.salt", "cookie.key")


@dataclass(frozen=True)
class Sealing:
    """The keys that protect data at rest; each is 32 random bytes in a file of the keys folder."""

    key: bytes = field(repr=False)
    pepper: bytes = field(repr=False)
    pairwise_salt: bytes = field(
        repr=False
    )  # decisions.md §15: kept, backed up and escrowed; losing it orphans accounts
    cookie_key: bytes = field(repr=False)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the key files of *folder*.

        Raises:
            FileNotFoundError: a file is missing (run ``idp keys new``).
        """
        return cls(*(_read_key(folder / name) for name in KEY_FILES))

    def seal(self, text: str, context: str) -> str:
        """Encrypt *text* for *context* (for example ``totp:<row id>``)."""
        return seal_under(self.key, text, context)

    def unseal(self, sealed: str, context: str) -> str:
        """Return the text sealed for *context*.

        Raises:
            SealError: it was sealed for another context, under another key, or altered.
        """
        return unseal_under(self.key, sealed, context)

    def keyed_digest(self, value: str, context: str) -> str:
        """Return the HMAC of a value a person types, in hexadecimal; *context* separates its uses."""
        message = f"{len(context)}:{context}{value}".encode()
        return hmac.new(self.pepper, message, hashlib.sha256).hexdigest()

    def derived_token(self, secret: str, context: str) -> str:
        """Return the token derived from a random *secret* for *context*: always the same one."""
        message = f"{len(context)}:{context}{secret}".encode()
        made = hmac.new(self.pepper, b"token:" + message, hashlib.sha256).digest()
        return base64.urlsafe_b64encode(made).rstrip(b"=").decode()


def _read_key(path: Path) -> bytes:
    return decoded_key(path.read_text(encoding="ascii"), path.name)


def create_key_files(folder: Path) -> list[str]:
    """Write the key files that are missing in *folder*, mode 0600, and return their names."""
    private_folder(folder)
    created = []
    for name in KEY_FILES:
        path = folder / name
        if path.exists():
            continue
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(random_key_line())
        created.append(name)
    return created


def random_token() -> str:
    """Return 256 random bits as 43 URL-safe characters."""
    return secrets.token_urlsafe(32)


def is_token(text: str) -> bool:
    """Return whether *text* has the shape of a random token: 43 characters of base64url."""
    return _TOKEN.fullmatch(text) is not None


def digest(token: str) -> str:
    """Return the SHA-256 of a random value of at least 256 bits, in hexadecimal."""
    return hashlib.sha256(token.encode()).hexdigest()


def current_sealing() -> Sealing:
    """Return the keys of the running application."""
    sealing: Sealing = current_app.extensions["mandat.sealing"]
    return sealing
