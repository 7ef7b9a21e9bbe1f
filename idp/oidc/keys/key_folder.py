"""The folder of signing keys: ``signing-<kid>.json``, mode 0600, each replaced in one step.

A key in clear, of before, is read only as long as there is no key-encryption key: afterwards a file that is not sealed may be
any person's, and only ``idp keys new``, a person's act, takes it in.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from ...config import Settings
from ...crypto.ciphers import SealError, decoded_key, random_key_line
from ...private_files import private_folder
from . import key_files, pkcs11_device
from .domain.key_rotation import KeyState
from .key_files import KeyDevice, SigningKey

KEK_NAME = "key-encryption.key"
_PATTERN = "signing-*.json"
_UNFINISHED = ".unfinished-"
_TRIES = 3  # a rotation may rename or remove a file between the listing and the reading

Stamp = tuple[tuple[str, int, int, int], ...]


class KeyFileError(RuntimeError):
    """A key file or the key-encryption key cannot be used; the text names the file and the cure."""


@dataclass(frozen=True, slots=True)
class KeyFolder:
    """Where signing keys lie, which file holds the key that seals them, and which device makes keys for some algorithms."""

    folder: Path
    kek_file: Path
    device: KeyDevice | None = None
    device_algs: frozenset[str] = frozenset()

    @classmethod
    def at(cls, folder: Path) -> Self:
        """Return the folder with its key-encryption key inside, and no device."""
        return cls(folder, folder / KEK_NAME)

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return the folder that the settings name."""
        kek_file = settings.key_encryption_key_file or settings.keys_dir / KEK_NAME
        return cls(
            settings.keys_dir, kek_file, pkcs11_device.of(settings), frozenset(settings.pkcs11_algorithms.split())
        )

    def read_keys(self, *, clear_too: bool = False) -> tuple[SigningKey, ...]:
        """Read every key, the last one made first; what another key revokes is revoked, whatever its own file says.

        Raises:
            KeyFileError: a file is not ours, was altered, or was sealed under another key.
        """
        for left in reversed(range(_TRIES)):
            try:
                return self._read_all(clear_too)
            except (FileNotFoundError, KeyFileError):
                if not left:
                    raise
        raise AssertionError("unreachable")

    def write(self, key: SigningKey) -> None:
        """Write the file of *key* in one step: the person who reads sees the old one or the new one, whole."""
        self.replace(self.path(key.kid), key_files.written(key, self.keks()[0]))

    def remove(self, key: SigningKey) -> None:
        """Forget a key, in the folder and in its device."""
        self.destroy_in_device(key)
        self.path(key.kid).unlink(missing_ok=True)
        _sync(self.folder)

    def destroy_in_device(self, key: SigningKey) -> None:
        """Have the device forget its half of *key*."""
        if key.reference is not None and self.device is not None:
            self.device.destroy(key.reference)

    def path(self, kid: str) -> Path:
        """Return the file of a key."""
        return self.folder / f"signing-{kid}.json"

    def keks(self) -> tuple[bytes, ...]:
        """Return the key-encryption keys, one a line: the first seals, each of them opens.

        Raises:
            KeyFileError: the file is missing or does not hold keys.
        """
        try:
            lines = self.kek_file.read_text(encoding="ascii").split()
            if not lines:
                raise ValueError(f"{self.kek_file.name} is empty")
            return tuple(decoded_key(line, self.kek_file.name) for line in lines)
        except FileNotFoundError:
            raise KeyFileError(f"{self.kek_file} is missing: put it back, or run idp keys new on a new ring") from None
        except (OSError, ValueError) as error:
            raise KeyFileError(f"{self.kek_file} does not hold a key-encryption key: {error}") from None

    def create_kek(self) -> bool:
        """Make the key-encryption key if there is none, and return whether it was made."""
        if self.kek_file.exists():
            return False
        if not all(key_files.is_clear(path.read_text(encoding="ascii")) for path in self.folder.glob(_PATTERN)):
            raise KeyFileError(f"{self.kek_file} is missing and keys are sealed under it: put it back")
        private_folder(self.kek_file.parent)
        self.replace(self.kek_file, random_key_line())
        return True

    def stamp(self) -> Stamp:
        """Return what changes when a file changes; costs a listing, no reading."""
        paths = [*self.folder.glob(_PATTERN), self.kek_file]
        return tuple(sorted(_stamp(path) for path in paths))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Let one process at a time change the folder; the lock falls with the process, however it ends."""
        private_folder(self.folder)
        descriptor = os.open(self.folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            for path in self.folder.glob(f"{_UNFINISHED}*"):
                path.unlink(missing_ok=True)
            yield
        finally:
            os.close(descriptor)

    def replace(self, path: Path, text: str) -> None:
        """Put *text* into *path*, mode 0600: written beside it, on the disk, then renamed."""
        unfinished = path.parent / f"{_UNFINISHED}{secrets.token_hex(8)}"
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.rename(unfinished, path)
        _sync(path.parent)

    def _read_all(self, clear_too: bool) -> tuple[SigningKey, ...]:
        keks = self.keks() if self.kek_file.exists() else ()
        keys = [self._read(path, keks, clear_too or not keks) for path in self.folder.glob(_PATTERN)]
        revoked_at = {kid: key.since for key in keys for kid in key.revokes}
        keys = [
            replace(key, state=KeyState.REVOKED, since=revoked_at[key.kid], signer=None, stale=True)
            if key.kid in revoked_at and key.state is not KeyState.REVOKED
            else key
            for key in keys
        ]
        return tuple(sorted(keys, key=lambda key: (key.created_at, key.kid), reverse=True))

    def _read(self, path: Path, keks: tuple[bytes, ...], clear_too: bool) -> SigningKey:
        text = path.read_text(encoding="ascii")
        try:
            if key_files.is_clear(text) and not clear_too:
                raise KeyFileError(f"{path} is not sealed; if you know it, idp keys new seals it, else remove it")
            key = key_files.read(text, keks, self.device)
        except SealError:
            raise KeyFileError(
                f"{path} does not open: it was altered, or {self.kek_file} is not the key it was sealed under"
            ) from None
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise KeyFileError(f"{path} is not a key file: {type(error).__name__}") from None
        if self.path(key.kid) != path:
            raise KeyFileError(f"{path} holds the key {key.kid}: give it its name back")
        return key


def _stamp(path: Path) -> tuple[str, int, int, int]:
    try:
        seen = path.stat()
    except FileNotFoundError:
        return path.name, 0, 0, 0
    return path.name, seen.st_ino, seen.st_mtime_ns, seen.st_size


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
