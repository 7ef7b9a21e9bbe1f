"""Reading large CSV files from outside sources: streamed, strict, each fault with its line.

A source is a folder or a zip. A file that is truncated, wrongly encoded or has a broken row is reported, never
repaired.
"""

from __future__ import annotations

import csv
import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from operator import itemgetter
from pathlib import Path
from typing import IO, Any

from .errors import Faults

_BLOCK = 256 * 1024
# zipfile raises RuntimeError for an encrypted member and NotImplementedError for an unknown compression
_BROKEN_SOURCE = (OSError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError)
Row = tuple[int, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Layout:
    """One file: the prefix of its name, its required columns, and the columns that are kept (in this order)."""

    prefix: str
    columns: tuple[str, ...]
    kept: tuple[str, ...]

    @property
    def dates(self) -> tuple[str, ...]:
        """Return the columns that contain dates."""
        return tuple(name for name in self.columns if name.startswith("DAT_") or name.endswith(("_on", "_date")))


def columns(names: str) -> tuple[str, ...]:
    """Return the columns named in *names*, separated by spaces."""
    return tuple(names.split())


class Source:
    """The CSV files of a folder, of a zip, or one file alone."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._members: dict[str, str] = {}

    def names(self, faults: Faults) -> tuple[str, ...]:
        """Return the names of the CSV files found."""
        try:
            if self.path.is_dir():
                found = [str(file.name) for file in self.path.iterdir() if file.is_file()]
            elif self.path.suffix.lower() == ".zip" or zipfile.is_zipfile(self.path):
                with zipfile.ZipFile(self.path) as archive:
                    self._members = {name.rsplit("/", 1)[-1]: name for name in archive.namelist()}
                found = list(self._members)
            else:
                found = [self.path.name] if self.path.is_file() else []
        except _BROKEN_SOURCE as error:
            faults.add(self.path.name, None, f"cannot be opened: {_reason(error)}")
            return ()
        if not found:
            faults.add(self.path.name, None, "nothing to read there")
        return tuple(sorted(name for name in found if name.lower().endswith(".csv")))

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """Open one file for reading bytes."""
        if self._members:
            with zipfile.ZipFile(self.path) as archive, archive.open(self._members[name]) as member:
                yield member
            return
        with (self.path / name if self.path.is_dir() else self.path).open("rb") as file:
            yield file


class _NulError(ValueError):
    """The file contains a NUL, which is not allowed in text."""


class _WithoutNul(io.RawIOBase):
    """A byte stream that checks, one block at a time, that no NUL occurs."""

    def __init__(self, inner: IO[bytes]) -> None:
        self._inner = inner

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        block = self._inner.read(len(buffer))
        if b"\0" in block:
            raise _NulError
        buffer[: len(block)] = block
        return len(block)


def find(layout: Layout, names: tuple[str, ...], source: Source, faults: Faults) -> str | None:
    """Return the one file whose name begins as *layout* says (names are singular or plural, domain.md §7)."""
    found = [name for name in names if name.lower().startswith(layout.prefix.lower())]
    if len(found) == 1:
        return found[0]
    problem = "is missing" if not found else f"is there more than once: {', '.join(found)}"
    faults.add(source.path.name, None, f"{layout.prefix}….csv {problem}")
    return None


def check_header(source: Source, name: str, layout: Layout, faults: Faults) -> None:
    """Record the columns that are missing from the first line, by name."""
    for _row in _read(source, name, layout, faults, only_header=True):
        break


def rows(source: Source, name: str, layout: Layout, faults: Faults) -> Iterator[Row]:
    """Yield the line number and the kept values of each row without a fault, in file order."""
    return _read(source, name, layout, faults, only_header=False)


def _read(source: Source, name: str, layout: Layout, faults: Faults, *, only_header: bool) -> Iterator[Row]:
    reader = None
    try:
        with source.open(name) as binary:
            blocks = io.BufferedReader(_WithoutNul(binary), _BLOCK)
            reader = csv.reader(io.TextIOWrapper(blocks, encoding="utf-8-sig", newline=""), strict=True)
            header = next(reader, [])
            if _header_holds(header, name, layout, faults) and not only_header:
                yield from _checked(reader, header, name, layout, faults)
    except (UnicodeDecodeError, _NulError):
        line, problem = _locate(source, name)
        faults.add(name, line, problem)
    except csv.Error as error:
        faults.add(name, reader.line_num if reader else 1, f"not a CSV row, or the file is cut: {error}")
    except _BROKEN_SOURCE as error:
        faults.add(name, reader.line_num + 1 if reader else None, f"cannot be read further: {_reason(error)}")


def _header_holds(header: list[str], name: str, layout: Layout, faults: Faults) -> bool:
    missing = [column for column in layout.columns if column not in header]
    twice = sorted({column for column in header if header.count(column) > 1})
    if missing:
        faults.add(name, 1, f"columns missing: {', '.join(missing)}")
    if twice:
        faults.add(name, 1, f"columns there twice: {', '.join(twice)}")
    return not missing and not twice


def _checked(reader: Any, header: list[str], name: str, layout: Layout, faults: Faults) -> Iterator[Row]:
    width = len(header)
    places = {column: header.index(column) for column in layout.columns}
    keep = itemgetter(*(places[column] for column in layout.kept))
    dates = tuple((column, places[column]) for column in layout.dates)
    line = reader.line_num + 1
    for row in reader:
        if len(row) == width:
            wrong = [column for column, place in dates if row[place] and not is_iso_date(row[place])]
            if not wrong:
                yield line, keep(row)
            else:
                faults.add(name, line, f"not a date (YYYY-MM-DD): {', '.join(wrong)}")
        elif row:
            faults.add(name, line, f"{len(row)} values instead of {width}")
        line = reader.line_num + 1


def is_iso_date(text: str) -> bool:
    """Return whether *text* is a date written YYYY-MM-DD."""
    if len(text) != 10 or text[4] != "-" or text[7] != "-":
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _locate(source: Source, name: str) -> tuple[int | None, str]:
    with source.open(name) as binary:
        for number, line in enumerate(binary, 1):
            if b"\0" in line:
                return number, "holds a NUL: not a text file in UTF-8"
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                return number, "is not UTF-8"
    return None, "is not UTF-8"


def _reason(error: BaseException) -> str:
    return error.strerror if isinstance(error, OSError) and error.strerror else str(error)
