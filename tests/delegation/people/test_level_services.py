"""The level a person must sign in with comes from their roles, by configuration (decisions.md §6)."""

from __future__ import annotations

import pytest
from flask import Flask

from idp.accounts.people.person_services import required_level
from idp.cli import worker
from idp.config import Settings
from idp.delegation import services
from idp.delegation.people import level_services
from idp.delegation.people.domain.roles import Role

from ..conftest import Business, World


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"factor_policy": "pes=3 operator=2"})


def test_whoever_is_appointed_must_show_what_the_role_asks(licorne: Business) -> None:
    """It is written on the person in the transaction that gives the role."""
    told = {name: required_level(getattr(licorne, name).person_id) for name in ("ar", "pes", "marc", "julie")}

    assert told == {"ar": 2, "pes": 3, "marc": 3, "julie": 2}


@pytest.mark.databases
def test_a_policy_raised_later_counts_for_those_who_have_the_role(
    app: Flask, world: World, licorne: Business, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker of the new configuration writes it once, in batches; lowering it again lowers nobody."""
    monkeypatch.setattr(level_services, "_BATCH", 1)
    users = {each.person_id for each in services.members(licorne.id) if each.role is Role.USER}
    people = {name: getattr(licorne, name).person_id for name in ("ar", "pes", "marc", "julie")}
    app.extensions["mandat.settings"] = app.extensions["mandat.settings"].model_copy(
        update={"factor_policy": "user=3 authorized_representative=2"}
    )

    raised = level_services.raise_levels(world.now)

    assert raised == len(users) > 1
    assert {name: required_level(each) for name, each in people.items()} == {"ar": 2, "pes": 3, "marc": 3, "julie": 3}
    assert level_services.raise_levels in worker.SWEEPS
    assert level_services.raise_levels(world.now) == 0
