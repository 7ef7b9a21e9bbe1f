"""Characters missing from every letter font: left out or replaced, so that a name never blocks a letter.

PDF/UA-1 refuses characters without a glyph, one at a time. The marks of a letter are dropped first; then a box replaces
each character, together with the others of the same script. Pure: the coverage of the fonts is learned from the
refusals.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

BOX = "\u25a1"
_REFUSED = re.compile(r'(?:the text|the disallowed codepoint) `"(.+?)"`', re.DOTALL)
_ESCAPED = re.compile(r"\\u\{([0-9a-fA-F]+)\}|\\(.)")
_PLAIN = frozenset("\u00a0\u202f’–…«»œŒŸ" + "".join(map(chr, range(0xA1, 0x100))))
_SHARED = frozenset(
    {"LATIN", "COMBINING", "MODIFIER"}
)  # never replaced as a whole: the letter itself is written in them


def refused(message: str) -> str:
    """Return the characters that a compilation could not show, from its error; empty for another error."""
    found = _REFUSED.search(message)
    return _ESCAPED.sub(_character, found.group(1)) if found else ""


def replace(content: Any, missing: str) -> Any:
    """Return *content* (texts, lists and mappings of them) with the *missing* characters left out or replaced."""
    if isinstance(content, str):
        return _replace(content, missing)
    if isinstance(content, Mapping):
        return {name: replace(value, missing) for name, value in content.items()}
    return [replace(each, missing) for each in content] if isinstance(content, (list, tuple)) else content


def only_latin(content: Any) -> Any:
    """Return *content* with a box for every character outside Latin-1: the last resort."""
    if isinstance(content, str):
        kept = unicodedata.normalize("NFC", content)
        return "".join(each if each in _PLAIN or (each.isascii() and each.isprintable()) else BOX for each in kept)
    if isinstance(content, Mapping):
        return {name: only_latin(value) for name, value in content.items()}
    return [only_latin(each) for each in content] if isinstance(content, (list, tuple)) else content


def scripts(characters: str) -> tuple[str, ...]:
    """Return the scripts or kinds of *characters*, for the log: never the text itself."""
    return tuple(sorted({_kind(each) for each in characters if not each.isascii()}))


def _replace(text: str, missing: str) -> str:
    marks = {each for each in missing if unicodedata.category(each).startswith("M")}
    if marks:
        return "".join(each for each in unicodedata.normalize("NFD", text) if each not in marks)
    gone = {each for each in missing if not each.isalnum() or not each.isascii()}
    kinds = {_kind(each) for each in gone} - _SHARED
    return "".join(_stand_in(each) if each in gone or _kind(each) in kinds else each for each in text)


def _stand_in(character: str) -> str:
    if unicodedata.category(character).startswith("C"):
        return ""
    plain = unicodedata.normalize("NFKD", character)
    return plain if plain.isascii() else BOX


def _kind(character: str) -> str:
    """Return the script of a letter or digit, or the category of another character; ASCII has none."""
    if character.isascii():
        return ""
    category = unicodedata.category(character)
    return unicodedata.name(character, category).split()[0] if category[0] in "LMN" else category


def _character(escaped: re.Match[str]) -> str:
    if escaped.group(1):
        return chr(int(escaped.group(1), 16))
    return {"n": "\n", "r": "\r", "t": "\t"}.get(escaped.group(2), escaped.group(2))
