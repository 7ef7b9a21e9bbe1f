"""JSON of another party, read so that every parser agrees: no member twice, no number that JSON has not. Pure."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

DEEPEST = 8  # levels: nothing we take is nested more


class NotStrictJsonError(ValueError):
    """The text is not JSON, or two readers could disagree on it."""


def read(text: bytes, *, deepest: int = DEEPEST) -> Any:
    """Return what *text* says.

    Raises:
        NotStrictJsonError: not UTF-8, not JSON, a member written twice, a number out of range, half a sign, or too deep.
    """
    try:
        found = json.loads(text.decode("utf-8"), object_pairs_hook=_once, parse_constant=_not_json, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise NotStrictJsonError(str(error)) from None
    _check(found, deepest)
    return found


def read_object(text: bytes, *, deepest: int = DEEPEST) -> dict[str, Any]:
    """Return the members of the JSON object *text*.

    Raises:
        NotStrictJsonError: as :func:`read`, or it is not an object.
    """
    found = read(text, deepest=deepest)
    if not isinstance(found, dict):
        raise NotStrictJsonError("not an object")
    return found


def _check(value: Any, left: int) -> None:
    """Refuse half a surrogate pair, which is no text that can be sent or hashed, and what lies too deep."""
    if isinstance(value, str):
        if not value.isascii() and any("\ud800" <= sign <= "\udfff" for sign in value):
            raise NotStrictJsonError("not Unicode")
        return
    if not isinstance(value, dict | list):
        return
    if left == 0:
        raise NotStrictJsonError("too deep")
    for each in (*value, *value.values()) if isinstance(value, dict) else value:
        _check(each, left - 1)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member is written twice")
    return found


def _not_json(name: str) -> NoReturn:
    raise ValueError(name)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number
