"""The desk for somebody who cannot sign in: looked up by user code, opened for anybody but oneself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from idp.accounts import services as accounts
from idp.accounts.sign_in.sign_in_services import check_password
from idp.audit import Actor
from idp.audit.models import AuditEntry
from idp.clock import MovableClock
from idp.db import db
from idp.errors import NotAllowedError
from idp.identifiers import UserCode
from idp.support import lockout_services
from idp.support import services as support

from .conftest import Staff, post, somebody

StaffFactory = Callable[..., Staff]
DESK = "/desk/sign-ins"


@pytest.fixture
def ada(app: Flask, clock: MovableClock) -> tuple[str, UserCode]:
    """A representative whose sign-in waits after five wrong tries."""
    person_id, code = somebody(clock)
    lock(code, clock)
    return person_id, code


def lock(code: UserCode, clock: MovableClock) -> None:
    for _ in range(5):
        check_password(code, "faux mot de passe", next_path="/", now=clock.now())
    db.session.commit()


def is_locked(person_id: str, clock: MovableClock) -> bool:
    db.session.rollback()
    return accounts.lockout_of(person_id, now=clock.now()).locked_until is not None


def events(person_id: str) -> list[tuple[str, str | None]]:
    rows = db.session.execute(
        select(AuditEntry.event, AuditEntry.actor_id).where(
            AuditEntry.person_id == person_id, AuditEntry.actor_kind == "operator"
        )
    ).all()
    db.session.commit()
    return [(row.event, row.actor_id) for row in rows]


def test_an_operator_looks_up_and_opens(staff: StaffFactory, ada: tuple[str, UserCode], clock: MovableClock) -> None:
    """The page says until when and after how many tries; the look and the act are in the log under the operator's name."""
    person_id, code = ada
    operator = staff()

    found = post(operator.client, DESK, user_code=str(code))

    assert found.status_code == 200
    assert "Ada Licorne" in found.text
    assert "bloquée jusqu’au" in found.text
    assert 'id="unlock"' in found.text
    assert is_locked(person_id, clock)
    assert post(operator.client, f"{DESK}/unlock", DESK, user_code=str(code)).location == DESK
    assert not is_locked(person_id, clock)
    assert events(person_id) == [
        ("person:sign_in_read", operator.person_id),
        ("person:unlocked", operator.person_id),
    ]
    assert 'id="unlock"' not in post(operator.client, DESK, user_code=str(code)).text


def test_opening_asks_again_who_one_is(staff: StaffFactory, ada: tuple[str, UserCode], clock: MovableClock) -> None:
    """Five minutes after the sign-in it wants a second factor first; looking does not."""
    operator = staff()
    clock.advance(timedelta(minutes=5))
    assert post(operator.client, DESK, user_code=str(ada[1])).status_code == 200

    asked = post(operator.client, f"{DESK}/unlock", DESK, user_code=str(ada[1]))

    assert asked.location.startswith("/confirm?next=")
    assert is_locked(ada[0], clock)


def test_nobody_opens_their_own(staff: StaffFactory, clock: MovableClock) -> None:
    """Not on the page, nor in the service; a colleague does."""
    first, second = staff(), staff(name="Oscar")
    lock(first.user_code, clock)
    own = post(first.client, DESK, user_code=str(first.user_code))
    assert "Un autre opérateur" in own.text
    assert 'id="unlock"' not in own.text
    view = support.operator_of(first.person_id)
    assert view is not None

    with pytest.raises(NotAllowedError):
        lockout_services.unlock(first.user_code, operator=view, now=clock.now())

    post(first.client, f"{DESK}/unlock", DESK, user_code=str(first.user_code))
    assert is_locked(first.person_id, clock)
    post(second.client, f"{DESK}/unlock", DESK, user_code=str(first.user_code))
    assert not is_locked(first.person_id, clock)


def test_the_fourth_time_of_a_day_is_refused(
    staff: StaffFactory, ada: tuple[str, UserCode], clock: MovableClock
) -> None:
    """With a sentence; the pause stays."""
    operator = staff()
    for _ in range(3):
        post(operator.client, f"{DESK}/unlock", DESK, user_code=str(ada[1]))
        lock(ada[1], clock)

    post(operator.client, f"{DESK}/unlock", DESK, user_code=str(ada[1]))

    assert "trois fois en une journée" in operator.client.get(DESK).text
    assert is_locked(ada[0], clock)


@pytest.mark.parametrize("code", ["AAAA-0000", "", "faux"])
def test_a_code_nobody_has_is_said_to_the_operator(staff: StaffFactory, code: str) -> None:
    """They have the caller on the line; nothing is written."""
    operator = staff()

    for path in (DESK, f"{DESK}/unlock"):
        assert post(operator.client, path, DESK, user_code=code).status_code in (400, 404)


def test_a_code_that_was_revoked_is_one_nobody_has(
    staff: StaffFactory, ada: tuple[str, UserCode], clock: MovableClock
) -> None:
    """Somebody who left or closed their account is not named by their old code, and nothing is opened by it."""
    operator = staff()
    accounts.revoke_user_code(ada[1], now=clock.now())

    found = post(operator.client, DESK, user_code=str(ada[1]))

    assert "Ada" not in found.text
    assert 'id="error-summary"' in found.text
    post(operator.client, f"{DESK}/unlock", DESK, user_code=str(ada[1]))
    assert is_locked(ada[0], clock)


def test_a_frozen_account_is_shown_with_the_way_back(
    staff: StaffFactory, ada: tuple[str, UserCode], clock: MovableClock
) -> None:
    """Here, and beside a proposal that waits for a second operator."""
    operator = staff()
    accounts.freeze(ada[0], actor=Actor.person(ada[0]), now=clock.now())
    db.session.commit()

    found = post(operator.client, DESK, user_code=str(ada[1]))

    assert "gelé par la personne" in found.text
    assert 'href="/desk/lost-factors"' in found.text
    post(operator.client, "/desk/lost-factors", user_code=str(ada[1]))
    assert "Accès gelé" in operator.client.get("/desk/lost-factors").text


@pytest.mark.parametrize("role", ["agency_officer", None])
def test_nobody_else_finds_the_page(
    staff: StaffFactory, ada: tuple[str, UserCode], clock: MovableClock, role: str | None
) -> None:
    """An officer of an agency or an ordinary person: no such page, and the pause stays."""
    other = staff(role=role, agency_id="bac" if role else None)

    assert other.client.get(DESK).status_code == 404
    for path in (DESK, f"{DESK}/unlock"):
        assert post(other.client, path, "/account", user_code=str(ada[1])).status_code == 404
    assert is_locked(ada[0], clock)


def test_an_alarm_is_seen_at_the_desk_while_it_lasts(staff: StaffFactory, app: Flask, clock: MovableClock) -> None:
    """On both pages where operators begin, not on others' pages; ten minutes later it is gone."""
    operator = staff()
    given = app.extensions["mandat.settings"].model_copy(update={"alarm_tries": 3})
    app.extensions["mandat.settings"] = given
    assert 'id="alarm"' not in operator.client.get("/desk").text
    for number in range(3):
        check_password(UserCode.parse(f"AAAA000{number}"), "Automne2026!", next_path="/", now=clock.now())
    accounts.watch_failed_tries(clock.now())

    pages = [operator.client.get(path).text for path in ("/desk", DESK)]

    assert all('id="alarm"' in page and "3 essais erronés" in page for page in pages)
    clock.advance(timedelta(minutes=10))
    assert 'id="alarm"' not in operator.client.get("/desk").text
