"""Gather what every context stores about one person into the file they may take away."""

from __future__ import annotations

from datetime import datetime
from types import MappingProxyType

from ..accounts import own_data_services as accounts_data
from ..delegation import own_data_services as delegation_data
from ..enrollment import own_data_services as enrollment_data
from ..oidc import own_data_services as oidc_data
from ..own_data import Parts
from ..support import own_data_services as support_data
from .schema import FORMAT, MyData

PARTS: Parts = MappingProxyType(
    {
        **accounts_data.PARTS,
        **delegation_data.PARTS,
        **oidc_data.PARTS,
        **enrollment_data.PARTS,
        **support_data.PARTS,
    }
)


def whole(person_id: str, made_at: datetime) -> MyData:
    """Return the file of a person; a part that no context returns, or that the schema does not know, is an error."""
    parts = {name: part.read(person_id, made_at) for name, part in PARTS.items()}
    return MyData.model_validate({"format": FORMAT, "made_at": made_at, **parts})
