"""What the desk stores about one person, for the copy of their data (:mod:`idp.my_data`)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select

from ..db import db
from ..own_data import OwnDataPart, Parts
from .models import Operator


def roles(person_id: str, _now: datetime) -> list[dict[str, Any]]:
    """Return the role of a person at the desk, if any."""
    rows = db.session.execute(
        select(Operator.role, Operator.agency_id.label("agency"), Operator.added_at).where(
            Operator.person_id == person_id
        )
    )
    return [dict(row._mapping) for row in rows]


PARTS: Parts = {"desk": OwnDataPart(roles, ("operator",))}
