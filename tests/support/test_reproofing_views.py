"""The desk for lost second factors: two operators, one slip, nobody of the desk itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask

from idp.accounts.recovery import reproofing_services as reproofings
from idp.accounts.recovery.domain.reproofing_states import ReproofingState
from idp.clock import MovableClock
from idp.db import db
from idp.errors import NotAllowedError
from idp.identifiers import UserCode
from idp.support import reproofing_services
from idp.support import services as support

from .conftest import Staff, post, somebody

StaffFactory = Callable[..., Staff]
DESK = "/desk/lost-factors"


@pytest.fixture
def ada(app: Flask, clock: MovableClock) -> tuple[str, UserCode]:
    """A representative who lost their application."""
    return somebody(clock)


def state_of(person_id: str) -> ReproofingState | None:
    db.session.rollback()
    found = reproofings.latest(person_id)
    return found.state if found else None


def test_one_proposes_and_another_makes_the_slip(staff: StaffFactory, ada: tuple[str, UserCode]) -> None:
    """No secret exists before the second; the first cannot be the second."""
    person_id, code = ada
    first, second = staff(), staff(name="Oscar")
    assert post(first.client, DESK, user_code=str(code)).location == DESK
    assert state_of(person_id) is ReproofingState.PROPOSED
    found = reproofings.latest(person_id)
    assert found is not None
    own = post(first.client, f"{DESK}/{found.id}", DESK)
    assert own.location == DESK
    assert state_of(person_id) is ReproofingState.PROPOSED
    assert f"agree-{found.id}" not in first.client.get(DESK).text
    assert f"agree-{found.id}" in second.client.get(DESK).text

    page = post(second.client, f"{DESK}/{found.id}", DESK)

    assert page.status_code == 200
    assert str(code) in page.text
    assert state_of(person_id) is ReproofingState.WAITING
    assert post(second.client, f"{DESK}/{found.id}", DESK).status_code == 404


def test_agreeing_asks_again_who_one_is(staff: StaffFactory, ada: tuple[str, UserCode], clock: MovableClock) -> None:
    """The second operator's slip opens an account: five minutes after the sign-in it wants a second factor first."""
    first, second = staff(), staff(name="Oscar")
    post(first.client, DESK, user_code=str(ada[1]))
    found = reproofings.latest(ada[0])
    assert found is not None
    clock.advance(timedelta(minutes=5))

    asked = post(second.client, f"{DESK}/{found.id}", DESK)

    assert asked.status_code == 303
    assert asked.location.startswith("/confirm?next=")
    assert state_of(ada[0]) is ReproofingState.PROPOSED


@pytest.mark.bar("S-59")
def test_the_service_refuses_what_the_page_hides(
    staff: StaffFactory, ada: tuple[str, UserCode], clock: MovableClock
) -> None:
    """One's own proposal is refused by the service (S-59)."""
    first = staff()
    post(first.client, DESK, user_code=str(ada[1]))
    found, operator = reproofings.latest(ada[0]), support.operator_of(first.person_id)
    assert found is not None
    assert operator is not None

    with pytest.raises(NotAllowedError):
        reproofing_services.agree(found.id, operator=operator, now=clock.now())


def test_the_desk_is_not_proved_anew_by_itself(staff: StaffFactory) -> None:
    """Two operators cannot take the account of a third, nor anyone's who does not exist."""
    first, third = staff(), staff(name="Oscar")

    for code in (str(third.user_code), str(first.user_code), "AAAA-0000", "", "faux"):
        assert post(first.client, DESK, user_code=code).status_code == 400
    assert state_of(third.person_id) is None


@pytest.mark.parametrize("role", ["agency_officer", None])
def test_nobody_else_finds_the_page(staff: StaffFactory, ada: tuple[str, UserCode], role: str | None) -> None:
    """An officer of an agency or an ordinary person: no such page, and nothing begins."""
    other = staff(role=role, agency_id="bac" if role else None)

    assert other.client.get(DESK).status_code == 404
    assert post(other.client, DESK, "/account", user_code=str(ada[1])).status_code == 404
    assert state_of(ada[0]) is None
