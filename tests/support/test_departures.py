"""The people of the desk who close their accounts: the last one of each kind stays."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from idp import audit
from idp.accounts import services as accounts
from idp.accounts.leaving import closing_services
from idp.clock import MovableClock
from idp.db import db
from idp.errors import ConflictError
from idp.support import services
from tests.delegation.test_races import at_once

from .conftest import Staff, post

StaffFactory = Callable[..., Staff]


@pytest.mark.parametrize(
    ("role", "agency_id", "words"),
    [("operator", None, "Vous êtes le dernier opérateur."), ("agency_officer", "bac", "le dernier agent")],
)
def test_the_last_one_stays_until_another_is_there(
    staff: StaffFactory, clock: MovableClock, role: str, agency_id: str | None, words: str
) -> None:
    """The page says why; with a second one the first goes, and the desk knows them no more."""
    first = staff(role, agency_id)
    assert words in first.client.get("/account/close").text
    assert post(first.client, "/account/close", "/account", confirm="y").status_code == 200
    assert accounts.is_open(first.person_id)
    staff(role, agency_id, name="Oscar")

    answer = post(first.client, "/account/close", confirm="y")

    assert answer.location == "/closed"
    db.session.rollback()
    assert services.operator_of(first.person_id) is None
    events = [entry.event for entry in audit.entries(person_id=first.person_id)]
    assert events.count("operator:left") == 1


@pytest.mark.race
@pytest.mark.databases
def test_two_last_operators_who_leave_at_once_leave_one(app: Flask, staff: StaffFactory, clock: MovableClock) -> None:
    """One is told that they cannot."""
    pair = (staff(), staff(name="Oscar"))

    def close(person_id: str) -> Callable[[], None]:
        return lambda: closing_services.close(person_id, now=clock.now())

    outcomes = at_once(app, *(close(each.person_id) for each in pair))

    assert sorted(isinstance(outcome, ConflictError) for outcome in outcomes) == [False, True]
    assert sum(services.operator_of(each.person_id) is not None for each in pair) == 1
