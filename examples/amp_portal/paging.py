"""Lists of 25 rows."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

SIZE = 25


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list."""

    rows: list[sqlite3.Row]
    number: int
    last: int
    total: int


def page_of(connection: sqlite3.Connection, query: str, values: tuple[object, ...], number: int) -> Page:
    """Return page *number* of the rows that *query* finds, or the nearest existing page."""
    total = connection.execute(f"SELECT count(*) FROM ({query})", values).fetchone()[0]  # noqa: S608 (queries of this package)
    last = max(1, -(-total // SIZE))
    shown = min(max(number, 1), last)
    rows = connection.execute(f"{query} LIMIT {SIZE} OFFSET ?", (*values, (shown - 1) * SIZE)).fetchall()
    return Page(rows, shown, last, total)
