"""The findings of ``idp doctor`` about the signing keys."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import datetime, timedelta

from joserfc import jws

from ..config import Settings
from ..oidc.keys.domain.key_rotation import ALGORITHMS, KeyState, due
from ..oidc.keys.domain.signers import SignerError
from ..oidc.keys.key_files import SigningKey
from ..oidc.keys.key_folder import KeyFileError, KeyFolder

_LATE = timedelta(hours=1)  # the worker sweeps every minute


def remarks(settings: Settings, now: datetime) -> Iterator[str]:
    """Yield advice about what works and could be better."""
    folder = KeyFolder.of(settings)
    if settings.secure and folder.kek_file.resolve().parent == folder.folder.resolve():
        yield "the key that seals private keys lies beside them; set IDP_KEY_ENCRYPTION_KEY_FILE to another place"
    if settings.key_rotation_days == 0:
        yield "signing keys are rotated by hand only (IDP_KEY_ROTATION_DAYS is 0)"
    try:
        keys = folder.read_keys(clear_too=True)
    except KeyFileError:
        return
    for key in keys:
        if key.stale and key.state is not KeyState.REVOKED:
            yield f"{folder.path(key.kid).name} holds its private key in clear; run idp keys new"
    days = timedelta(days=settings.key_rotation_days) if settings.key_rotation_days else None
    if due([key.life for key in keys], now - _LATE, active_for=days):
        yield "a signing key should have been rotated; is idp worker running, and may it write in the keys folder?"


def findings(settings: Settings) -> Iterator[str]:
    """Yield what is wrong: a file that cannot be read, an algorithm without a key, a token that does not sign."""
    folder = KeyFolder.of(settings)
    try:
        keys = folder.read_keys()
    except (KeyFileError, OSError) as error:
        yield str(error)
        return
    missing = sorted(set(ALGORITHMS) - {key.alg for key in keys if key.state is KeyState.ACTIVE})
    if missing:
        yield f"no active key for {', '.join(missing)}; run idp keys new"
    for key in keys:
        if key.reference is not None and key.state in (KeyState.NEXT, KeyState.ACTIVE):
            yield from _device_findings(key)


def _device_findings(key: SigningKey) -> Iterator[str]:
    """Sign with the token, and verify with the published key."""
    if key.signer is None:
        yield f"{key.kid} lies in a PKCS#11 token; set IDP_PKCS11_MODULE, IDP_PKCS11_TOKEN and IDP_PKCS11_PIN_FILE"
        return
    message = secrets.token_bytes(32)
    try:
        signature = key.signer.sign(message)
    except SignerError as error:
        yield f"{key.kid}: {error}"
        return
    if not jws.JWSRegistry.algorithms[key.alg].verify(message, signature, key.key):
        yield f"{key.kid}: the token signs with another key than the one that is published"
