"""The portal's sentences in both languages: French first."""

from __future__ import annotations

import re

from .application import APPLICATION
from .common import COMMON
from .entrance import ENTRANCE
from .services import SERVICES

WORDS: dict[str, tuple[str, str]] = {**COMMON, **ENTRANCE, **SERVICES, **APPLICATION}
_BEFORE, _AFTER = re.compile(r" (?=[:%$»])"), re.compile(r"(?<=«) ")
_THIN = re.compile(r" (?=[;!?])")


def word(key: str, language: str, **values: object) -> str:
    """Return sentence *key* in *language* (``fr`` or ``en``) with its *values*; French has unbreakable spaces."""
    french, english = WORDS[key]
    if language == "en":
        return english.format(**values)
    return _THIN.sub("\u202f", _AFTER.sub("\u00a0", _BEFORE.sub("\u00a0", french))).format(**values)
