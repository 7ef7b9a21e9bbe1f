"""What a person typed, cleaned and bounded on input, with the fault of each field."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from .applications import Field
from .formats import read_dollars

_UNSEEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
BIGGEST_ROW = 2**53
SHOWN_AGAIN = 20_000  # characters shown and kept of a field that is far too long


@dataclass(frozen=True, slots=True)
class Typed:
    """The values of a form, and the key of a sentence for each field at fault."""

    values: Mapping[str, str]
    faults: Mapping[str, str]


def read(form: Mapping[str, str], fields: tuple[Field, ...], *, is_draft: bool = False) -> Typed:
    """Read *fields*; in a draft, required fields may be empty."""
    values = {field.name: clean(form.get(field.name, ""), keeps_lines=bool(field.rows)) for field in fields}
    found = {field.name: _fault(field, values[field.name], is_draft) for field in fields}
    return Typed(values, {name: fault for name, fault in found.items() if fault})


def clean(text: str, *, keeps_lines: bool = False) -> str:
    """Return a text in composed form without invisible characters; names of every script are unchanged."""
    seen = _UNSEEN.sub("", unicodedata.normalize("NFC", text[: SHOWN_AGAIN * 2])).replace("\r\n", "\n").strip()
    return (seen if keeps_lines else re.sub(r"\s+", " ", seen))[:SHOWN_AGAIN]


def whole(text: str | None, default: int = 0) -> int:
    """Return the whole number in a text, or *default* when there is none or it exceeds any row number."""
    if text and re.fullmatch(r"[0-9]{1,16}", text):
        return min(int(text), BIGGEST_ROW)
    return default


def _fault(field: Field, value: str, is_draft: bool) -> str | None:
    if not value:
        if is_draft or not field.is_required:
            return None
        return "error_choice" if field.choices else "error_required"
    if field.choices:
        return None if value in field.choices else "error_choice"
    if len(value) > field.longest:
        return f"error_long_{field.longest}"
    if field.is_money and read_dollars(value) is None:
        return "error_money"
    if not field.is_money and not any(sign.isalnum() for sign in value):
        return "error_letters"
    return None
