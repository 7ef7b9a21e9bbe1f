"""What other rooms end when a person leaves an enterprise, in the transaction that ends their last role there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from flask import Flask, current_app

_HOOKS = "mandat.departure_hooks"
DepartureHook = Callable[[str, str, datetime], None]


def add_departure_hook(app: Flask, hook: DepartureHook) -> None:
    """Let a room above end what it holds of a person in an enterprise that they leave."""
    app.extensions.setdefault(_HOOKS, []).append(hook)


def run_departure_hooks(person_id: str, enterprise_id: str, now: datetime) -> None:
    """Have every room end what it holds of a person in an enterprise, in the caller's transaction."""
    hooks: list[DepartureHook] = current_app.extensions.get(_HOOKS, [])
    for hook in hooks:
        hook(person_id, enterprise_id, now)
