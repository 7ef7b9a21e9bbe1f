"""How a secret is read aloud: the words of the radio alphabet, the same in both languages, and digits as words."""

from __future__ import annotations

from ..i18n import gettext as _

_WORDS = """Alfa Bravo Charlie Delta Echo Foxtrot Golf Hotel India Juliett Kilo Lima Mike November Oscar Papa Quebec Romeo
    Sierra Tango Uniform Victor Whiskey X-ray Yankee Zulu"""
_LETTERS = {word[0].upper(): word for word in _WORDS.split()}


def groups(text: str, size: int) -> list[str]:
    """Return *text* in groups of *size* characters; spaces and hyphens in it are ignored."""
    signs = text.replace("-", "").replace("\u00a0", "").replace(" ", "")
    return [signs[start : start + size] for start in range(0, len(signs), size)]


def spell(text: str, size: int) -> list[list[str]]:
    """Return each group of *text* and how to say it in the current language."""
    return [[group, ", ".join(_say(sign) for sign in group)] for group in groups(text, size)]


def _say(sign: str) -> str:
    digits: tuple[str, ...] = (
        _("zero"),
        _("one"),
        _("two"),
        _("three"),
        _("four"),
        _("five"),
        _("six"),
        _("seven"),
        _("eight"),
        _("nine"),
    )
    if sign.isascii() and sign.isdigit():
        return digits[int(sign)]
    word = _LETTERS.get(sign.upper())
    if word is None:
        return sign
    return word if sign.isupper() else str(_("small %(word)s", word=word))
