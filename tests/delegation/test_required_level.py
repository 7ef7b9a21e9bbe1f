"""The level a person must sign in with comes from their roles, by configuration (decisions §6)."""

from __future__ import annotations

import pytest

from idp.accounts.services_people import required_level
from idp.config import Settings

from .conftest import Business


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"factor_policy": "pes=3 operator=2"})


def test_whoever_is_appointed_must_show_what_the_role_asks(licorne: Business) -> None:
    """It is written on the person in the transaction that gives the role."""
    told = {name: required_level(getattr(licorne, name).person_id) for name in ("ar", "pes", "marc", "julie")}

    assert told == {"ar": 2, "pes": 3, "marc": 3, "julie": 2}
