"""Measure ``import_register``: rows per second and peak memory, at two sizes, on SQLite.

``python bench/register_import.py [ENTERPRISES]`` writes invented rows in the real format into a temporary folder (200 000
enterprises unless told, and a quarter of that), imports each in a process of its own, twice with ``--again`` (the second
import replaces the first), and prints the figures. Memory is flat when both sizes peak alike; "idle" is what the
process holds before it begins.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from idp.connectors import register_files as files
from idp.connectors.csv_files import Layout
from idp.identifiers import Neq

ADDRESS = ("101 rue de la Démonstration", "Saint-Exemple-de-l'Anse (Québec)", "", "H0A1A1")


def main() -> None:
    """Generate, import, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("enterprises", type=int, nargs="?", default=200_000)
    parser.add_argument("--again", action="store_true", help="import twice: the second time replaces the first")
    parser.add_argument("--import", dest="folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.folder:
        _import(given.folder, 2 if given.again else 1)
        return
    print(f"{'enterprises':>12} {'rows':>10} {'seconds':>8} {'rows/s':>8} {'idle MB':>8} {'peak MB':>8}")
    for size in (given.enterprises // 4, given.enterprises):
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            write(folder / "req", size)
            environment = os.environ | {
                "IDP_DATABASE_URL": f"sqlite:///{folder / 'bench.sqlite3'}",
                "IDP_KEYS_DIR": str(folder / "keys"),
                "IDP_OUTBOX_DIR": str(folder / "outbox"),
            }
            command = [sys.executable, __file__, "--import", str(folder), *(["--again"] if given.again else [])]
            done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
        told = json.loads(done.stdout)
        speed = told["rows"] / told["seconds"]
        memory = f"{told['idle_mb']:>8.0f} {told['peak_mb']:>8.0f}"
        print(f"{size:>12} {told['rows']:>10} {told['seconds']:>8.1f} {speed:>8.0f} {memory}")


def _import(folder: Path, times: int) -> None:
    import idp.connectors.models  # noqa: F401 (its tables)
    from idp.app import create_app
    from idp.clock import SystemClock
    from idp.connectors.register_import import import_register
    from idp.crypto.sealing import create_key_files
    from idp.db import db

    create_key_files(folder / "keys")
    with create_app(contexts=()).app_context():
        db.create_all()
        idle = _peak_mb()
        begun, rows = time.perf_counter(), 0
        for _ in range(times):
            rows += import_register(folder / "req", SystemClock().now()).total
        seconds = time.perf_counter() - begun
    print(json.dumps({"rows": rows, "seconds": seconds, "idle_mb": idle, "peak_mb": _peak_mb()}))


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # kilobytes on Linux


def write(folder: Path, size: int) -> None:
    """Write the six files for *size* enterprises: two names for every second one, one establishment and a half each."""
    folder.mkdir(parents=True)
    statuses = (("STAT_IMMAT", "IM", "Immatriculée"), ("FORM_JURI", "CIE", "Société par actions ou compagnie"))
    _write(
        folder / "DomaineValeur.csv",
        files.LABELS,
        (dict(zip(files.LABELS.columns, row, strict=True)) for row in statuses),
    )
    _write(folder / "Entreprise.csv", files.ENTERPRISES, (_enterprise(neq) for neq in numbers(size)))
    _write(folder / "Nom.csv", files.NAMES, _names(size))
    _write(folder / "Etablissements.csv", files.ESTABLISHMENTS, _establishments(size))
    _write(folder / "FusionScissions.csv", files.MERGERS, ())
    _write(folder / "ContinuationsTransformations.csv", files.CONTINUATIONS, ())


def numbers(size: int) -> Iterator[str]:
    """Give *size* invented NEQ with a right check digit, third digit 0."""
    for serial in range(size):
        head = f"11{serial:07d}"
        yield next(head + last for last in "0123456789" if Neq(head + last).check_digit_holds)


def _enterprise(neq: str) -> dict[str, str]:
    dates = {"DAT_IMMAT": "2009-05-04", "DAT_STAT_IMMAT": "2009-05-04", "DAT_LIMIT_PROD": "2027-05-01"}
    lines = {f"ADR_DOMCL_LIGN{place}_ADR": line for place, line in enumerate(ADDRESS, 1)}
    codes = {"COD_STAT_IMMAT": "IM", "COD_FORME_JURI": "CIE", "IND_FAIL": "N", "DESC_ACT_ECON_ASSUJ": "Toits (fictif)"}
    return {"NEQ": neq, **dates, **lines, **codes}


def _names(size: int) -> Iterator[dict[str, str]]:
    for serial, neq in enumerate(numbers(size)):
        name = {"NEQ": neq, "NOM_ASSUJ": f"Entreprise inventée {serial} inc.", "STAT_NOM": "V", "TYP_NOM_ASSUJ": "N"}
        yield {**name, "DAT_INIT_NOM_ASSUJ": "2009-05-04"}
        if serial % 2:
            yield {**name, "NOM_ASSUJ": f"Les inventions {serial}", "TYP_NOM_ASSUJ": "A"}


def _establishments(size: int) -> Iterator[dict[str, str]]:
    lines = {f"LIGN{place}_ADR": line for place, line in enumerate(ADDRESS, 1)}
    for serial, neq in enumerate(numbers(size)):
        yield {"NEQ": neq, "NO_SUF_ETAB": "1", "IND_ETAB_PRINC": "O", "NOM_ETAB": f"Comptoir {serial}", **lines}
        if serial % 2:
            yield {"NEQ": neq, "NO_SUF_ETAB": "2", "IND_ETAB_PRINC": "N", **lines}


def _write(path: Path, layout: Layout, rows: Iterable[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        file.write(",".join(layout.columns) + "\n")
        writer = csv.DictWriter(file, layout.columns, restval="", quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerows(rows)


if __name__ == "__main__":
    main()
