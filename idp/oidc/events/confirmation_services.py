"""When an agency knows that a right is gone: all its sessions were ended, all its streams heard of it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select

from ...db import db
from ...delegation import services as delegation
from ..models import LogoutRow, SecurityEventRow


def confirm_when_all_know(removal_id: str, now: datetime) -> None:
    """Confirm a removal, in the caller's transaction, once nothing about it is left to deliver."""
    told, left = 0, 0
    for table in (LogoutRow, SecurityEventRow):
        total, delivered = db.session.execute(
            select(func.count(), func.count(table.delivered_at)).where(table.removal_id == removal_id)
        ).one()
        told, left = told + total, left + total - delivered
    if left == 0:
        delegation.confirm_removal(removal_id, confirmed_at=now, sessions=told)
