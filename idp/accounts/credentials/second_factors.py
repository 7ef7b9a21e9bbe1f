"""Which second factors that are typed prove a person who forgot their password; each is valid once.

Another kind is one more line here; a passkey, which nobody types, has a page of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from . import factor_services, recovery_code_services
from .domain.totp import read_code


def _application(person_id: str, typed: str, now: datetime) -> bool:
    digits = read_code(typed)
    return digits is not None and factor_services.spend_code(person_id, digits, now=now)


def _recovery_code(person_id: str, typed: str, now: datetime) -> bool:
    return recovery_code_services.spend(person_id, typed, now=now)


PROOFS: tuple[Callable[[str, str, datetime], bool], ...] = (_application, _recovery_code)


def spend(person_id: str, typed: str, *, now: datetime) -> bool:
    """Accept what was typed when one of the person's second factors made it, once; in the caller's transaction."""
    return any(proof(person_id, typed, now) for proof in PROOFS)
