"""What a person may be shown as the name of a service: one line that cannot pass for another (security-bar.md S-33). Pure."""

from __future__ import annotations

import unicodedata

LONGEST = 100
_SCRIPTS = ("LATIN", "CANADIAN SYLLABICS")  # French, English and most indigenous languages; Inuktitut and Cree
_KINDS = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Nd", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sm", "Sc", "Zs"})
_SYMBOLS = "°©®™"


def fault(name: object) -> str | None:
    """Say why *name* may not be shown as the name of a service, or None.

    Controls, direction overrides and zero-width signs change what one reads; letters of another script imitate Latin ones,
    alone or mixed, so a name is written in one script that people here read.
    """
    if not isinstance(name, str) or not 1 <= len(name.strip()) <= LONGEST or len(name) > LONGEST:
        return f"must be a name of 1 to {LONGEST} signs"
    composed = unicodedata.normalize("NFC", name)
    if not composed.isprintable() or any(map(_is_odd, composed)):
        return "holds a sign that is not seen, or that stands on another"
    if any(sign.isdigit() and not sign.isascii() for sign in composed):
        return "has digits other than 0 to 9"
    scripts = {_script(sign) for sign in composed if sign.isalpha()}
    if None in scripts or len(scripts) > 1:
        return "must be written in Latin letters, or in syllabics, and not in both"
    return None


def _is_odd(sign: str) -> bool:
    return unicodedata.category(sign) not in _KINDS and sign not in _SYMBOLS


def _script(letter: str) -> str | None:
    name = unicodedata.name(letter, "")
    if letter in "ªº":
        return "LATIN"
    return next((script for script in _SCRIPTS if name.startswith(script + " ")), None)
