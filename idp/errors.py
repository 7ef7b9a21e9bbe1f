"""The base of every refusal.

An error a person can correct is a *decision* with reasons and never an exception. The exceptions here are broken
invariants and refused acts: each has a stable code, an HTTP status, a public sentence and a private detail for the log.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

Reason = TypeVar("Reason", bound=StrEnum)


class MandatError(Exception):
    """A refusal with a stable code; the detail is for the log only and never shown."""

    code = "error"
    status = 400

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail or self.code)
        self.detail = detail


class NotAllowedError(MandatError):
    """The person may not do this (403)."""

    code = "not_allowed"
    status = 403


class NotFoundError(MandatError):
    """It does not exist, or this person may not see it (404): both look the same."""

    code = "not_found"
    status = 404


class ConflictError(MandatError):
    """The thing was changed meanwhile (409)."""

    code = "conflict"
    status = 409


class TooManyTriesError(MandatError):
    """A limit that protects a secret was reached (429)."""

    code = "too_many_tries"
    status = 429


class UnavailableError(MandatError):
    """A component the response depends on does not respond (503)."""

    code = "unavailable"
    status = 503


@dataclass(frozen=True, slots=True)
class Decision(Generic[Reason]):
    """The result of a rule: truthy when allowed, with every reason when not."""

    reasons: tuple[Reason, ...] = ()

    def __bool__(self) -> bool:
        return not self.reasons
