"""The diagrams of docs/flows.md are those of the code."""

from __future__ import annotations

import runpy
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_the_page_is_drawn_from_the_tables() -> None:
    """A transition that is added, removed or renamed makes the page stale (run ``python tools/flows.py``)."""
    page = runpy.run_path(str(ROOT / "tools" / "flows.py"))["page"]

    assert (ROOT / "docs" / "flows.md").read_text(encoding="utf-8") == page()
