"""Importing the tax agency's file, whole or not at all: ``idp taxfile import PATH``."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path

from ..crypto.sealing import current_sealing
from .csv_files import Source, check_header, rows
from .errors import Faults, ImportRefusedError
from .generations import TAX_FILE, load, new_generation, put_in_force, twice
from .models import TaxAccountRow, TaxNotice
from .tax_files import LAYOUT, accounts

_BATCH = 2_000


@dataclass(frozen=True, slots=True)
class TaxFileCounts:
    """How many rows were imported."""

    accounts: int
    notices: int


def import_tax_file(path: Path, now: datetime) -> TaxFileCounts:
    """Load the file at *path*, or the only file of a zip, and put it in force.

    Raises:
        ImportRefusedError: with up to twenty faults, and never a value of the file; the previous data stays in force.
    """
    source, faults = Source(path), Faults()
    names = source.names(faults)
    if len(names) != 1:
        faults.add(path.name, None, "one CSV file is expected")
    faults.refuse_any()
    check_header(source, names[0], LAYOUT, faults)
    faults.refuse_any()
    with new_generation(TAX_FILE, now) as generation:
        stored = accounts(rows(source, names[0], LAYOUT, faults), names[0], current_sealing(), faults)
        count = notices = 0
        while batch := list(islice(stored, _BATCH)):
            if faults:
                continue
            count += load(
                TaxAccountRow,
                generation,
                ((row.id, row.line, row.number_digest, row.pair_digest, row.sealed) for row in batch),
            )
            notices += load(TaxNotice, generation, ((row.id, digest) for row in batch for digest in row.notices))
        for first, last in twice(generation):
            faults.add(names[0], last, f"revenu_quebec_id: also on line {first}")
        faults.refuse_any()
        counts = TaxFileCounts(count, notices)
        put_in_force(TAX_FILE, generation, asdict(counts), now)
    return counts


__all__ = ["ImportRefusedError", "TaxFileCounts", "import_tax_file"]
