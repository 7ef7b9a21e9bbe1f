"""Names of people, and one-line texts shown to others: one rule for every form, file or command. Pure.

A name is written in letters of any script with their marks, in one to a hundred characters, with the separators used in
names. The given name may be empty: some people have one name. An invisible character (a control, a direction override,
a filler, a zero-width space; Unicode: Default_Ignorable_Code_Point) is not allowed in a name, and a line of only such
characters is empty.
"""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum

LONGEST = 100  # characters of a given name, and of a family name
_BETWEEN = frozenset(" -'’‘.·\u2010\u2011")
_MARKS_IN_A_ROW = 4
_IGNORABLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_JOINERS = re.compile("(?<=[^ -~])[\u200c\u200d\ufe0e\ufe0f](?![ -~])")  # inside a word of another script, or an emoji


class NameFault(StrEnum):
    """Why a text is not a name."""

    EMPTY = "empty"
    TOO_LONG = "too_long"
    CHARACTERS = "characters"
    NO_LETTER = "no_letter"


def normal(text: str) -> str:
    """Return *text* composed (Unicode NFC), with one space between its words and none around."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def full(given_name: str | None, family_name: str | None) -> str:
    """Return a name in full; a person with one name has no given name."""
    return f"{given_name or ''} {family_name or ''}".strip()


def fault(name: str) -> NameFault | None:
    """Return why *name*, already :func:`normal`, is not a given or family name; None when it is one."""
    if not name:
        return NameFault.EMPTY
    if len(name) > LONGEST:
        return NameFault.TOO_LONG
    kinds = [unicodedata.category(character) for character in name]
    allowed = all(kind[0] in "LM" or character in _BETWEEN for kind, character in zip(kinds, name, strict=True))
    if not allowed or _IGNORABLE.search(name) or _has_stray_mark(name, kinds):
        return NameFault.CHARACTERS
    return None if {"Lu", "Ll", "Lt", "Lo"} & set(kinds) else NameFault.NO_LETTER


def _has_stray_mark(name: str, kinds: list[str]) -> bool:
    """Return whether a mark has no letter under it, or a letter has too many."""
    shape = "".join("M" if kind[0] == "M" else " " if sign in _BETWEEN else "L" for kind, sign in zip(kinds, name))  # noqa: B905
    return " M" in f" {shape}" or "M" * (_MARKS_IN_A_ROW + 1) in shape


def readable(text: str) -> str:
    """Return *text* without invisible characters; empty when nothing visible is left.

    Joiners between letters of other scripts, or parts of an emoji, are kept.
    """
    if text.isascii():
        return text.strip()
    kept = _IGNORABLE.sub(lambda found: found[0] if _JOINERS.match(text, found.start()) else "", text)
    return kept.strip() if any(map(_is_seen, kept)) else ""


def _is_seen(character: str) -> bool:
    return unicodedata.category(character)[0] in "LNPS" and not _IGNORABLE.match(character)
