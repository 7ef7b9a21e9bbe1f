"""The outside places of checkpoints: folders, and addresses reached by ``egress``.

A folder keeps the last note as ``checkpoint``, and every note, one after the other, in a file a month; mount it from
another machine, with append-only storage. An address returns the last note to GET (404: none yet) and receives the next
one by PUT; the receiver should keep each, and refuse a smaller size.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

import httpx2

from ..config import Settings
from ..http import egress
from .domain.checkpoints import notes_of

LAST = "checkpoint"
_ABSENT = frozenset({404, 410})


class PlaceError(RuntimeError):
    """A place does not respond, or refuses a checkpoint."""


class Place(Protocol):
    """Where checkpoints are kept."""

    @property
    def name(self) -> str:
        """Return the place as the settings name it."""
        ...

    def last(self) -> str | None:
        """Return the last note, None when there is none."""
        ...

    def every(self) -> Iterator[str]:
        """Yield the notes the place returns, at least the last one."""
        ...

    def put(self, note: str, at: datetime) -> None:
        """Store another note."""
        ...


@dataclass(frozen=True, slots=True)
class FolderPlace:
    """A folder, which protects only when it is on another machine."""

    folder: Path

    @property
    def name(self) -> str:
        """Return the path."""
        return str(self.folder)

    def last(self) -> str | None:
        """Read the last note."""
        try:
            return (self.folder / LAST).read_text(encoding="utf-8")
        except FileNotFoundError:
            if not self.folder.is_dir():
                raise PlaceError("the folder does not exist") from None
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise PlaceError(f"cannot be read ({type(error).__name__})") from error

    def every(self) -> Iterator[str]:
        """Yield every month's notes, then the last note."""
        try:
            for path in sorted(self.folder.glob("*.notes")):
                yield from notes_of(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise PlaceError(f"cannot be read ({type(error).__name__})") from error
        last = self.last()
        if last is not None:
            yield last

    def put(self, note: str, at: datetime) -> None:
        """Append the note to its month, then make it the last one."""
        try:
            with self._locked():
                with (self.folder / f"{at:%Y-%m}.notes").open("a", encoding="utf-8") as file:
                    file.write(note)
                    file.flush()
                    os.fsync(file.fileno())
                draft = self.folder / f".{LAST}.{os.getpid()}"
                draft.write_text(note, encoding="utf-8")
                draft.replace(self.folder / LAST)
        except OSError as error:
            raise PlaceError(f"cannot be written ({type(error).__name__})") from error

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with (self.folder / ".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


@dataclass(frozen=True, slots=True)
class AddressPlace:
    """An address of another organization, or of another account of this one."""

    url: str
    settings: Settings

    @property
    def name(self) -> str:
        """Return the address."""
        return self.url

    def last(self) -> str | None:
        """Fetch the last note."""
        answer = self._called(lambda: egress.get(self.url, self.settings, headers=self._headers()))
        if answer.status in _ABSENT:
            return None
        if answer.status != 200:
            raise PlaceError(f"answers {answer.status}")
        return answer.body.decode("utf-8", "replace")

    def every(self) -> Iterator[str]:
        """Fetch the last note: an address returns no other."""
        last = self.last()
        if last is not None:
            yield last

    def put(self, note: str, at: datetime) -> None:
        """Send the next note."""
        headers = {"Content-Type": "text/plain; charset=utf-8", **self._headers()}
        answer = self._called(lambda: egress.put(self.url, note.encode(), headers, self.settings))
        if not 200 <= answer.status < 300:
            raise PlaceError(f"answers {answer.status} to a new checkpoint")

    def _headers(self) -> dict[str, str]:
        path = self.settings.audit_place_token_file
        try:
            return {"Authorization": f"Bearer {path.read_text(encoding='ascii').strip()}"} if path else {}
        except (OSError, UnicodeDecodeError) as error:
            raise PlaceError(f"IDP_AUDIT_PLACE_TOKEN_FILE cannot be read ({type(error).__name__})") from error

    def _called(self, call: egress.Call) -> egress.EgressResponse:
        try:
            return call()
        except (egress.ForbiddenAddressError, httpx2.HTTPError) as error:
            raise PlaceError(f"does not answer ({type(error).__name__}: {error})"[:200]) from error


def places(settings: Settings) -> tuple[Place, ...]:
    """Return the places named by *settings*."""
    return tuple(
        AddressPlace(each, settings) if "://" in each else FolderPlace(Path(each)) for each in settings.audit_places
    )
