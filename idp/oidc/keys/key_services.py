"""Rotation as the worker does it: what is due for the folder of keys, and an entry in the log for each change."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from ... import audit
from ...db import transaction
from ...http.web import current_settings
from . import key_acts
from .domain.key_rotation import KeyState
from .key_acts import KeyChange
from .key_folder import KeyFolder


def rotate_due(now: datetime) -> None:
    """Do what is due for the signing keys; IDP_KEY_ROTATION_DAYS says how long one signs."""
    settings = current_settings()
    active_for = timedelta(days=settings.key_rotation_days) if settings.key_rotation_days else None
    record(key_acts.rotate_due(KeyFolder.of(settings), now, active_for=active_for), now)


def record(changes: Iterable[KeyChange], now: datetime) -> None:
    """Enter each change in the log. The files come first: an entry that is lost with the machine leaves a sound ring."""
    changes = list(changes)
    if not changes:
        return
    with transaction():
        for change in changes:
            revoked = change.state is KeyState.REVOKED
            audit.record(
                audit.Event.KEYS_REVOKED if revoked else audit.Event.KEYS_ROTATED,
                actor=audit.SYSTEM,
                now=now,
                details={"kid": change.kid, "alg": change.alg, "state": change.state or "removed"},
            )
