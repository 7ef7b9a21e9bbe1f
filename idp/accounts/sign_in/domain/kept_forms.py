"""Which fields of a form may wait for their person, and how long; pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from enum import StrEnum

Fields = tuple[tuple[str, str], ...]

LARGEST = 64 * 1024  # characters; a longer form is not kept
_SECRETS = ("password", "otp", "secret", "code", "credential", "csrf_token")
_NAMES = frozenset({"user_code"})  # it says who is meant and proves nothing: at the desk, whose sign-in is to be opened


class Wait(StrEnum):
    """What a form waits for."""

    STEP_UP = "step_up"
    SIGN_IN = "sign_in"


LIVES: dict[Wait, timedelta] = {
    Wait.STEP_UP: timedelta(minutes=10),
    Wait.SIGN_IN: timedelta(hours=4),  # lunch, and a meeting
}


def keepable(fields: Iterable[tuple[str, str]]) -> Fields | None:
    """Return *fields* without what is secret, None when there is too much; a secret is typed again, never kept."""
    kept = tuple((name, value) for name, value in fields if not _is_secret(name))
    return kept if sum(len(name) + len(value) for name, value in kept) <= LARGEST else None


def _is_secret(name: str) -> bool:
    return name not in _NAMES and any(mark in name.casefold() for mark in _SECRETS)
