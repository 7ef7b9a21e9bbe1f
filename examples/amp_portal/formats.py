"""Dates, numbers and amounts as a language writes them, and amounts as people type them. Pure."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from babel.numbers import format_currency, format_decimal

_TORONTO = ZoneInfo("America/Toronto")
_LOCALES = {"fr": "fr_CA", "en": "en_CA"}
_PATTERNS = {"fr": "d MMMM y 'à' H 'h' mm", "en": "MMMM d, y 'at' h:mm a"}
_AMOUNT = re.compile(r"(\d{1,12})(?:[.,](\d{1,2}))?")
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d{1,2})?")


def moment(value: str | datetime, language: str) -> str:
    """Return an instant in the time of Québec, or a date alone where *value* has no time."""
    if isinstance(value, str) and len(value) == len("2026-11-23"):
        return day(date.fromisoformat(value), language)
    instant = datetime.fromisoformat(value) if isinstance(value, str) else value
    local = instant.astimezone(_TORONTO)
    return _first(_glued(format_datetime(local, _PATTERNS[language], locale=_LOCALES[language])), language)


def day(value: str | date, language: str) -> str:
    """Return a date in full."""
    given = date.fromisoformat(value) if isinstance(value, str) else value
    return _first(_glued(format_date(given, "long", locale=_LOCALES[language])), language)


def dollars(cents: int, language: str) -> str:
    """Return an amount."""
    return str(format_currency(cents / 100, "CAD", locale=_LOCALES[language]))


def number(value: int, language: str) -> str:
    """Return a whole number."""
    return str(format_decimal(value, locale=_LOCALES[language]))


def read_dollars(text: str) -> int | None:
    """Return the cents of an amount as typed in either language (``1 250 000,50 $``, ``$1,250,000.50``), or None."""
    plain = "".join(sign for sign in unicodedata.normalize("NFKC", text) if not sign.isspace()).strip("$")
    if _GROUPED.fullmatch(plain):
        plain = plain.replace(",", "")
    found = _AMOUNT.fullmatch(plain)
    return int(found[1]) * 100 + int((found[2] or "").ljust(2, "0")) if found else None


def _glued(text: str) -> str:
    """Join the parts of a date with unbreakable spaces where a break would mislead (``14 h 03``, ``23 novembre``)."""
    return re.sub(r"(?<=\d) (?=\D)|(?<=h) (?=\d)|\u202f", "\u00a0", text)


def _first(text: str, language: str) -> str:
    """Write the first of a month as French does."""
    return re.sub(r"^1(?=\s)", "1er", text) if language == "fr" else text
