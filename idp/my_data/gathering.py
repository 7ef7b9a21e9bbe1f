"""Gather what every context stores about one person into the file they may take away."""

from __future__ import annotations

from datetime import datetime
from types import MappingProxyType

from ..accounts.own_data_services import PARTS as ACCOUNTS
from ..delegation.own_data_services import PARTS as DELEGATION
from ..enrollment.own_data_services import PARTS as ENROLLMENT
from ..oidc.own_data_services import PARTS as OIDC
from ..own_data import Parts
from ..support.own_data_services import PARTS as SUPPORT
from .schema import FORMAT, MyData

PARTS: Parts = MappingProxyType(
    {
        **ACCOUNTS,
        **DELEGATION,
        **OIDC,
        **ENROLLMENT,
        **SUPPORT,
    }
)


def whole(person_id: str, made_at: datetime) -> MyData:
    """Return the file of a person; a part that no context returns, or that the schema does not know, is an error."""
    parts = {name: part.read(person_id, made_at) for name, part in PARTS.items()}
    return MyData.model_validate({"format": FORMAT, "made_at": made_at, **parts})
