"""Ten codes kept on paper for the day the other factors are lost; pure.

Each has 24 characters of our alphabet, 117 bits: no guess finds one, so a keyed digest keeps it safe at rest and one statement
finds and spends it. Shorter ones (NIST SP 800-63B-4 §3.1.2 allows 64 bits) would require a slow password hash for each of the
ten at every try (ASVS 6.5.2: below 112 bits), and that hash would be a lever against us.
"""

from __future__ import annotations

from .passwords import draw_temporary, group, read_temporary

COUNT = 10
FEW = 3  # from so many left on, pages and e-mails advise to make new ones


def draw() -> tuple[str, ...]:
    """Draw ten codes."""
    return tuple(draw_temporary() for _ in range(COUNT))


def shown(code: str) -> str:
    """Return *code* in groups of four."""
    return group(code)


def read(text: str) -> str:
    """Return what was typed, whatever its case, hyphens or spaces."""
    return read_temporary(text)
