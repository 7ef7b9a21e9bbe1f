"""Correcting one's own name, through real HTTP."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from idp import audit
from idp.accounts import services
from idp.accounts.models import NameChange
from idp.accounts.people import name_services
from idp.accounts.people.name_services import A_DAY, DAY, NameOutcome
from idp.clock import MovableClock
from idp.db import db

from ..conftest import Account, Browser
from ..sign_in.test_sign_in_services import at_once

PAGE = "/account/name"


@pytest.fixture
def julie(account: Callable[..., Account], browser: Browser, clock: MovableClock) -> Account:
    someone = account()
    browser.sign_in(someone, clock.now())
    return someone


def name_of(account: Account) -> tuple[str, str]:
    db.session.commit()
    found = services.person(account.person_id)
    return found.given_name, found.family_name


@pytest.mark.databases
@pytest.mark.parametrize(
    ("given", "family", "kept"),
    [
        ("Julie", "Tremblay-Nguyễn", ("Julie", "Tremblay-Nguyễn")),
        ("", "Suharto", ("", "Suharto")),
        ("  Anne  Marie ", "O’Neil", ("Anne Marie", "O’Neil")),
        ("ᐊᓯᕙᒃ", "李", ("ᐊᓯᕙᒃ", "李")),
        ("x" * 100, "Roy", ("x" * 100, "Roy")),
    ],
)
def test_a_name_is_corrected_in_any_script(
    julie: Account, browser: Browser, given: str, family: str, kept: tuple[str, str]
) -> None:
    """Also a single one; the log says that it changed, never what it was."""
    answer = browser.post(PAGE, given_name=given, family_name=family)

    assert answer.location == "/account"
    assert name_of(julie) == kept
    assert services.person(julie.person_id).name in browser.get("/account").text
    (entry,) = [each for each in audit.entries(person_id=julie.person_id) if each.event == "person:name_changed"]
    assert entry.details.keys() == {"change"}
    assert services.name_changes((entry.details["change"],))[entry.details["change"]].former == "Julie Tremblay"


@pytest.mark.parametrize(
    ("given", "family", "sentence"),
    [
        ("Julie", "", "Entrez votre nom de famille"),
        ("Julie", "   ", "Entrez votre nom de famille"),
        ("Julie", "x" * 101, "au plus 100"),
        ("Julie", "Roy2", "seulement des lettres"),
        ("<b>", "Roy", "seulement des lettres"),
        ("Julie", "Roy\u202eyoR", "seulement des lettres"),
        ("Ju\u2066lie", "Roy", "seulement des lettres"),
        ("Julie", "-", "au moins une lettre"),
    ],
)
def test_what_is_no_name_is_refused(julie: Account, browser: Browser, given: str, family: str, sentence: str) -> None:
    """Digits, signs, controls of direction; each with a sentence, and nothing is written."""
    answer = browser.post(PAGE, given_name=given, family_name=family)

    assert (answer.status_code, sentence in answer.text) == (200, True)
    assert name_of(julie) == ("Julie", "Tremblay")


@pytest.mark.bar("S-45")
def test_a_correction_wants_a_fresh_sign_in(julie: Account, browser: Browser, clock: MovableClock) -> None:
    """After five minutes the page asks for a factor first, before its form is shown (ASVS 7.5.1)."""
    token = browser.token(PAGE)
    clock.advance(timedelta(minutes=6))

    assert browser.get(PAGE).location.startswith("/confirm?")
    posted = browser.client.post(PAGE, data={"csrf_token": token, "given_name": "Ève", "family_name": "Roy"})
    assert posted.location.startswith("/confirm?")
    assert name_of(julie) == ("Julie", "Tremblay")


def test_three_corrections_a_day_and_no_more(julie: Account, browser: Browser, clock: MovableClock) -> None:
    """The fourth is refused with a sentence; saving what is already there is none; the next day it goes on."""
    for family in ("Roy", "Roi", "Roi", "Rouai"):
        assert browser.post(PAGE, given_name="Julie", family_name=family).location == "/account"

    answer = browser.post(PAGE, given_name="Julie", family_name="Reine")

    assert "Réessayez demain" in answer.text
    assert name_of(julie) == ("Julie", "Rouai")
    assert len(name_services.of_person(julie.person_id)) == A_DAY
    clock.advance(DAY)
    browser.sign_in(julie, clock.now())
    assert browser.post(PAGE, given_name="Julie", family_name="Reine").location == "/account"


def test_former_names_are_in_the_file_of_ones_data(julie: Account, browser: Browser) -> None:
    """What is kept about a person is theirs to take away."""
    browser.post(PAGE, given_name="Julie", family_name="Roy")

    told = browser.get("/account/data.json").get_json()

    assert told["person"]["family_name"] == "Roy"
    assert [(each["given_name"], each["family_name"]) for each in told["former_names"]] == [("Julie", "Tremblay")]


@pytest.mark.race
@pytest.mark.databases
def test_corrections_at_once_follow_one_another(julie: Account, app: Flask, clock: MovableClock) -> None:
    """The same correction eight times at once: one change, and one former name."""
    outcomes = at_once(
        app,
        8,
        lambda: name_services.change(julie.person_id, given_name="Julie", family_name="Roy", now=clock.now()),
    )

    assert sorted(map(str, outcomes)) == [NameOutcome.CHANGED] + [NameOutcome.SAME] * 7
    assert db.session.scalar(select(func.count()).select_from(NameChange)) == 1
