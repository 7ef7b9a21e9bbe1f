"""The key ring of a running process: it notices that the folder has changed, and reads it again.

The folder is looked at, not read, at most once in :data:`LOOKED_AT_EVERY`; so a rotation, and a revocation, is in effect in every
process a few seconds later. A folder that cannot be read, because a file was damaged, leaves the keys as they were.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import structlog

from ...clock import Clock
from .key_files import SigningKey
from .key_folder import KeyFileError, KeyFolder, Stamp
from .signing_keys import KeyRing, MissingSigningKeyError

LOOKED_AT_EVERY = timedelta(seconds=5)  # issue: an emergency revocation is in effect within 60 s

log = structlog.get_logger("mandat.keys")


class LiveKeyRing:
    """What :class:`KeyRing` does, with the keys that the folder holds now."""

    def __init__(
        self, folder: KeyFolder, clock: Clock, *, on_change: Callable[[dict[str, Any]], None] = lambda _keys: None
    ) -> None:
        """Read the ring of *folder*; *on_change* is given the JWK set each time that it changes later.

        Raises:
            MissingSigningKeyError: an algorithm has no key that signs.
            KeyFileError: a file does not open.
        """
        self._folder, self._clock, self._on_change = folder, clock, on_change
        self._lock = threading.Lock()
        self._stamp: Stamp = folder.stamp()
        self._complained = self._stamp
        self._ring = KeyRing.of(folder)
        self._looked_at = clock.now()

    @property
    def keys(self) -> tuple[SigningKey, ...]:
        """Return every key, newest first."""
        return self.refresh().keys

    def signer(self, alg: str) -> SigningKey:
        """Return the key that signs for *alg*."""
        return self.refresh().signer(alg)

    def public_set(self) -> dict[str, Any]:
        """Return the JWK set to publish."""
        return self.refresh().public_set()

    def sign(self, claims: Mapping[str, Any], *, alg: str, typ: str) -> str:
        """Return *claims* as a signed compact JWT of type *typ*."""
        return self.refresh().sign(claims, alg=alg, typ=typ)

    def read(self, token: str, *, alg: str, typ: str, issuer: str) -> dict[str, Any]:
        """Return the claims of a token that this provider signed.

        Raises:
            UntrustedTokenError: another algorithm, type or issuer, an unknown key, or a signature that does not hold.
        """
        return self.refresh().read(token, alg=alg, typ=typ, issuer=issuer)

    def refresh(self) -> KeyRing:
        """Return the ring, read again when the folder has changed; one thread looks, the others go on."""
        now = self._clock.now()
        if abs(now - self._looked_at) >= LOOKED_AT_EVERY and self._lock.acquire(blocking=False):
            try:
                self._looked_at = now
                self._look()
            finally:
                self._lock.release()
        return self._ring

    def _look(self) -> None:
        try:
            stamp = self._folder.stamp()
            if stamp == self._stamp:
                return
            ring = KeyRing.of(self._folder)
        except (OSError, KeyFileError, MissingSigningKeyError) as error:
            self._complain(error)
            return
        self._ring, self._stamp = ring, stamp
        self._on_change(ring.public_set())
        log.info("signing keys changed", kids=[each.kid for each in ring.keys])

    def _complain(self, error: Exception) -> None:
        """Log once for each state of the folder that cannot be used; it is tried again at every look."""
        stamp = self._folder.stamp()
        if stamp != self._complained:
            self._complained = stamp
            log.error("signing keys not read again", error=str(error))
