"""A poll for security events: what it asks, what it has received, what it could not take. Pure (RFC 8936 §2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .signals import ERROR_CODES
from .streams import MOST_EVENTS, bad

_MOST_NAMED = 1000  # identifiers in one poll
_OTHER = "other"


@dataclass(frozen=True, slots=True)
class Poll:
    """One poll, checked."""

    most: int
    received: tuple[str, ...]
    refused: Mapping[str, str]  # jti → a code of the registry


def read(body: Mapping[str, Any]) -> Poll:
    """Read a poll; no connection is held open, whatever ``returnImmediately`` says (RFC 8936 §2.4: "at its discretion").

    Raises:
        StreamRefusedError: a member is not what it should be.
    """
    most, received, errors = body.get("maxEvents", MOST_EVENTS), body.get("ack", []), body.get("setErrs", {})
    if isinstance(most, bool) or not isinstance(most, int) or most < 0:
        raise bad("maxEvents must be a number, 0 or more")
    if not isinstance(body.get("returnImmediately", False), bool):
        raise bad("returnImmediately must be true or false")
    if not isinstance(received, list) or not all(isinstance(jti, str) for jti in received):
        raise bad("ack must be a list of identifiers")
    if not isinstance(errors, Mapping) or not all(isinstance(told, Mapping) for told in errors.values()):
        raise bad("setErrs must be an object of objects")
    if len(received) + len(errors) > _MOST_NAMED:
        raise bad(f"at most {_MOST_NAMED} identifiers in one poll")
    if any("\x00" in jti for jti in (*received, *errors)):  # PostgreSQL refuses it in a text
        raise bad("an identifier holds a NUL")
    refused = {jti: _code(told.get("err")) for jti, told in errors.items()}
    return Poll(min(most, MOST_EVENTS), tuple(dict.fromkeys(received)), refused)


def _code(told: object) -> str:
    return told if isinstance(told, str) and told in ERROR_CODES else _OTHER
