"""Compile the French catalogues: each ``.po`` file becomes the ``.mo`` file beside it, which is built and never committed.

``bin/test``, ``bin/demo`` and the build of the wheel (``setup.py``) call this. English needs no catalogue: the source is English.
"""

from __future__ import annotations

from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

FOLDER = Path(__file__).resolve().parent.parent / "idp" / "translations"


def compile_catalogues(folder: Path = FOLDER) -> list[Path]:
    """Write the ``.mo`` file of every catalogue under *folder* that changed since it was compiled; return those written."""
    written = []
    for source in sorted(folder.glob("*/LC_MESSAGES/*.po")):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime_ns > source.stat().st_mtime_ns:
            continue
        with source.open("rb") as file:
            catalog = read_po(file, locale=source.parent.parent.name, domain=source.stem)
        with target.open("wb") as file:
            write_mo(file, catalog)
        written.append(target)
    return written


if __name__ == "__main__":
    compile_catalogues()
