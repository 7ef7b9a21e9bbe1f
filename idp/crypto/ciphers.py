"""AES-256-GCM, and 32-byte keys as lines of a file. Pure, but for the randomness."""

from __future__ import annotations

import base64
import os
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_VERSION = "v1"


class SealError(ValueError):
    """A sealed value cannot be opened: wrong key, wrong context, or altered."""


def seal_under(key: bytes, text: str, context: str) -> str:
    """Encrypt *text* with AES-256-GCM under *key*, for *context*."""
    nonce = os.urandom(12)
    sealed = AESGCM(key).encrypt(nonce, text.encode(), context.encode())
    return f"{_VERSION}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"


def unseal_under(key: bytes, sealed: str, context: str) -> str:
    """Return the text sealed under *key* for *context*.

    Raises:
        SealError: it was sealed for another context, under another key, or altered.
    """
    version, _, body = sealed.partition(".")
    if version != _VERSION:
        raise SealError("unknown version")
    try:
        raw = base64.urlsafe_b64decode(body)
        return AESGCM(key).decrypt(raw[:12], raw[12:], context.encode()).decode()
    except (InvalidTag, ValueError) as error:
        raise SealError("does not open") from error


def decoded_key(text: str, name: str) -> bytes:
    """Return the 32 bytes encoded in a line of the file *name*."""
    key = base64.urlsafe_b64decode(text.strip())
    if len(key) != 32:
        raise ValueError(f"{name} does not hold 32 bytes")
    return key


def random_key_line() -> str:
    """Return 32 random bytes as a line of a key file."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode() + "\n"
