"""What other rooms end when a person leaves an enterprise, in the transaction that ends their last role there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from flask import Flask, current_app

_PARTINGS = "mandat.partings"
Parting = Callable[[str, str, datetime], None]


def add_parting(app: Flask, parting: Parting) -> None:
    """Let a room above end what it holds of a person in an enterprise that they leave."""
    app.extensions.setdefault(_PARTINGS, []).append(parting)


def part(person_id: str, enterprise_id: str, now: datetime) -> None:
    """Have every room end what it holds of a person in an enterprise, in the caller's transaction."""
    partings: list[Parting] = current_app.extensions.get(_PARTINGS, [])
    for parting in partings:
        parting(person_id, enterprise_id, now)
