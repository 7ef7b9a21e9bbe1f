"""Files with personal data or secrets: mode 0600, in folders of mode 0700, whatever the umask was."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

OTHERS = 0o077  # permissions that the group and others must not have
_SIDES = ("", "-wal", "-shm", "-journal")  # SQLite gives the last three the mode of the first


def keep_private() -> None:
    """Make this process, and those it starts, create files that only its user can read."""
    os.umask(OTHERS)


def private_folder(path: Path) -> None:
    """Create a folder, mode 0700; an existing one is left as it is, and ``idp doctor`` checks it."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)


def private_database(path: Path) -> None:
    """Create the file of a SQLite database, or remove permissions that an older version gave to others."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError:
        return  # SQLite reports it better
    for each in of_database(path):
        status = each.stat()
        if status.st_mode & OTHERS and status.st_uid == os.geteuid():
            each.chmod(stat.S_IMODE(status.st_mode) & ~OTHERS)


def of_database(path: Path) -> list[Path]:
    """Return the existing files of a SQLite database."""
    return [side for suffix in _SIDES if (side := path.with_name(path.name + suffix)).exists()]


def loose(paths: Iterable[Path]) -> Iterator[str]:
    """Yield which of these files and folders others can read, with the fix."""
    for path in paths:
        if path.exists() and path.stat().st_mode & OTHERS:
            yield f"{path} can be read by others; chmod {'700' if path.is_dir() else '600'}"
