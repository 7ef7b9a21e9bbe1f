"""Whether two ways of writing a person's name are the same (domain.md §2.4).

Folded: Unicode NFKD, accents, case, hyphens, apostrophes and spaces; œ is oe. A second given name may be missing, and
given and family names may come in either order.
"""

from __future__ import annotations

import unicodedata

_LETTERS = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "đ": "d", "ł": "l", "ı": "i"})  # NFKD keeps these


def fold(text: str) -> str:
    """Return only the letters and digits of *text*, without accent or case."""
    decomposed = unicodedata.normalize("NFKD", text.casefold()).translate(_LETTERS)
    return "".join(sign for sign in decomposed if sign.isalnum())


def same_name(given: str, family: str, other_given: str, other_family: str) -> bool:
    """Return whether both pairs name the same person."""
    return bool(_writings(given, family) & _writings(other_given, other_family))


def _writings(given: str, family: str) -> frozenset[str]:
    """Return the folded ways to write a name; none when a part is missing, so that it equals nothing."""
    last = fold(family)
    firsts = {fold(given), fold(given.split()[0])} if given.split() else set()
    if not last or "" in firsts:
        return frozenset()
    return frozenset(writing for first in firsts for writing in (first + last, last + first))
