"""Importing the local copy of the register of enterprises, whole or not at all.

An operator downloads the open data in a browser; ``idp register import PATH`` reads the folder or the zip (domain.md §7).
The files are checked and loaded in one reading, a batch at a time, so that memory does not grow with them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from ..db import Base
from . import register_files
from .csv_files import Layout, Row, Source, check_header, find, rows
from .errors import Faults, ImportRefusedError
from .generations import REGISTER, load, new_generation, put_in_force
from .models import RegisterEnterprise, RegisterEstablishment, RegisterLabel, RegisterMerger, RegisterName

Keep = Callable[[Iterator[Row], str, register_files.NeqSet, Faults], register_files.Kept]
_STEPS: tuple[tuple[str, Layout, Keep, type[Base] | None], ...] = (
    ("labels", register_files.LABELS, register_files.labels, RegisterLabel),
    ("enterprises", register_files.ENTERPRISES, register_files.enterprises, RegisterEnterprise),
    ("names", register_files.NAMES, register_files.names, RegisterName),
    ("mergers", register_files.MERGERS, register_files.mergers, RegisterMerger),
    ("establishments", register_files.ESTABLISHMENTS, register_files.establishments, RegisterEstablishment),
    ("continuations", register_files.CONTINUATIONS, register_files.continuations, None),
)


@dataclass(frozen=True, slots=True)
class ImportCounts:
    """How many rows each file had."""

    labels: int
    enterprises: int
    names: int
    mergers: int
    establishments: int
    continuations: int

    @property
    def total(self) -> int:
        """Return the rows of all files."""
        return sum(asdict(self).values())


def import_register(path: Path, now: datetime) -> ImportCounts:
    """Load the folder or zip at *path* and put it in force.

    Raises:
        ImportRefusedError: with up to twenty faults; the previous data stays in force.
    """
    source, faults = Source(path), Faults()
    found = _files(source, faults)
    known = register_files.NeqSet()
    counts: dict[str, int] = {}
    with new_generation(REGISTER, now) as generation:
        for step, layout, keep, table in _STEPS:
            counted = _Counted(rows(source, found[layout], layout, faults))
            kept = keep(iter(counted), found[layout], known, faults)
            if table is None or faults:
                _exhaust(kept)
            else:
                load(table, generation, _until_fault(kept, faults))
                _exhaust(kept)
            counts[step] = counted.total
            if step == "enterprises" and not counted.total:
                faults.add(found[layout], None, "holds no enterprise")
        faults.refuse_any()
        put_in_force(REGISTER, generation, counts, now)
    return ImportCounts(**counts)


def _files(source: Source, faults: Faults) -> dict[Layout, str]:
    names = source.names(faults)
    faults.refuse_any()
    found = {layout: find(layout, names, source, faults) for layout in register_files.LAYOUTS}
    for layout, name in found.items():
        if name is not None:
            check_header(source, name, layout, faults)
    faults.refuse_any()
    return {layout: name for layout, name in found.items() if name is not None}


class _Counted:
    def __init__(self, source: Iterator[Row]) -> None:
        self._source, self.total = source, 0

    def __iter__(self) -> Iterator[Row]:
        for row in self._source:
            self.total += 1
            yield row


def _until_fault(kept: register_files.Kept, faults: Faults) -> register_files.Kept:
    for row in kept:
        if faults:
            return
        yield row


def _exhaust(kept: register_files.Kept) -> None:
    for _row in kept:
        pass


__all__ = ["ImportCounts", "ImportRefusedError", "import_register"]
