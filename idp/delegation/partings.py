"""What other rooms end when a person acts for an enterprise no more, in the transaction that ends it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from flask import Flask, current_app

_PARTINGS = "mandat.partings"
End = Callable[[str, str, datetime], None]


@dataclass(frozen=True, slots=True)
class Parting:
    """What a room ends of a person in an enterprise: when no role of theirs is active there, and when none is left."""

    pause: End
    leave: End


def add_parting(app: Flask, parting: Parting) -> None:
    """Let a room above end what it holds of people who act for an enterprise no more."""
    app.extensions.setdefault(_PARTINGS, []).append(parting)


def part(person_id: str, enterprise_id: str, now: datetime, *, for_good: bool) -> None:
    """Have every room end what it holds of a person in an enterprise, in the caller's transaction."""
    partings: list[Parting] = current_app.extensions.get(_PARTINGS, [])
    for parting in partings:
        (parting.leave if for_good else parting.pause)(person_id, enterprise_id, now)
