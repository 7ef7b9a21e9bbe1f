"""Showing again who one is before an act that matters, and forms that wait for their person."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape

import pytest
from flask import Flask, request
from werkzeug.test import TestResponse

from idp import audit
from idp.accounts import services
from idp.accounts.sessions.sessions import sign_in_required
from idp.accounts.sign_in.confirming import fresh_sign_in_required
from idp.clock import MovableClock
from idp.db import db
from tests.accounts.conftest import Account, Browser

STALE = timedelta(minutes=5)


@pytest.fixture
def done(app: Flask) -> list[list[tuple[str, str]]]:
    """Two pages of another room: an act that matters, and a form that anybody signed in may send."""
    seen: list[list[tuple[str, str]]] = []

    @app.route("/act", methods=["GET", "POST"])
    @fresh_sign_in_required
    def act() -> str:
        if request.method == "POST":
            seen.append(list(request.form.items(multi=True)))
        return "done"

    @app.post("/form")
    @sign_in_required
    def form() -> str:
        seen.append(list(request.form.items(multi=True)))
        return "saved"

    return seen


def send(browser: Browser, path: str, **fields: str | list[str]) -> TestResponse:
    return browser.client.post(path, data={"csrf_token": browser.token("/sign-in"), **fields})


def hidden(page: str) -> list[tuple[str, str]]:
    """Return the hidden fields of the form that goes on, its token first."""
    form = page[page.index('id="form-post"') :]
    found = re.findall(r'<input type="hidden" name="([^"]+)"[^>]* value="([^"]*)"', form)
    return [(unescape(name), unescape(value)) for name, value in found]


def confirm(browser: Browser, address: str, account: Account, clock: MovableClock) -> TestResponse:
    clock.advance(timedelta(seconds=30))
    return browser.post(address, otp=account.otp(clock.now()))


def go_on(browser: Browser, address: str, target: str) -> TestResponse:
    fields: dict[str, list[str]] = {}
    for name, value in hidden(browser.get(address).text):
        fields.setdefault(name, []).append(value)
    return browser.client.post(target, data=fields)


def without_token(fields: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in fields if name != "csrf_token"]


def test_a_fresh_sign_in_goes_on_and_a_stale_one_shows_a_factor_first(
    account: Callable[..., Account], clock: MovableClock, browser: Browser, done: list[list[tuple[str, str]]]
) -> None:
    """The whole way without scripts: stale, code, the same fields arrive once, and then not again (decisions.md §28)."""
    julie = account()
    browser.sign_in(julie, clock.now())
    clock.advance(STALE - timedelta(seconds=1))
    assert send(browser, "/act", name="a").text == "done"
    clock.advance(timedelta(seconds=1))
    former = browser.cookie()
    asked = send(browser, "/act", block=["001", "008"], note="é « & » <b>", password="never kept", otp="123456")
    assert asked.status_code == 303
    assert asked.location.startswith("/confirm?next=%2Fact&form=")
    assert len(done) == 1
    confirmed = confirm(browser, asked.location, julie, clock)
    assert confirmed.status_code == 303
    assert browser.cookie() != former

    went_on = go_on(browser, confirmed.location, "/act")

    assert went_on.text == "done"
    assert without_token(done[-1]) == [("block", "001"), ("block", "008"), ("note", "é « & » <b>")]
    again = browser.get(confirmed.location)
    assert (again.status_code, again.location) == (302, "/act")


def test_posting_directly_does_not_skip_the_question(
    account: Callable[..., Account], clock: MovableClock, browser: Browser, done: list[list[tuple[str, str]]]
) -> None:
    """Neither the page that goes on, opened without the code, nor its fields sent again make a sign-in fresh."""
    julie = account()
    browser.sign_in(julie, clock.now())
    clock.advance(STALE)
    asked = send(browser, "/act", name="a")
    form_id = asked.location.split("form=")[1]

    skipped = go_on(browser, f"/continue?form={form_id}", "/act")

    assert skipped.location.startswith("/confirm")
    assert send(browser, "/act", name="a", form=form_id).location.startswith("/confirm")
    assert browser.get("/act").location == "/confirm?next=%2Fact"
    assert done == []


def test_a_step_up_serves_its_own_sign_in_alone(
    app: Flask,
    account: Callable[..., Account],
    clock: MovableClock,
    browser: Browser,
    done: list[list[tuple[str, str]]],
) -> None:
    """Another session of the same person stays stale, and does not get the form; nor does another person (S-45)."""
    julie, nadia = account("Julie"), account("Nadia")
    elsewhere, other = Browser(app), Browser(app)
    browser.sign_in(julie, clock.now())
    clock.advance(timedelta(seconds=30))
    elsewhere.sign_in(julie, clock.now())
    other.sign_in(nadia, clock.now())
    clock.advance(STALE)
    asked = send(browser, "/act", name="a")
    confirmed = confirm(browser, asked.location, julie, clock)

    assert send(elsewhere, "/act", name="b").location.startswith("/confirm")
    assert elsewhere.get(confirmed.location).status_code == 302
    assert other.get(confirmed.location).status_code == 302
    assert go_on(browser, confirmed.location, "/act").text == "done"


def test_a_wrong_used_or_foreign_code_confirms_nothing(
    account: Callable[..., Account], clock: MovableClock, browser: Browser, done: list[list[tuple[str, str]]]
) -> None:
    """Tries count with those of the sign-in: five close the door for every page, and the sign-in itself stays (S-48)."""
    julie = account()
    browser.sign_in(julie, clock.now())
    used = julie.otp(clock.now())
    browser.client.delete_cookie("mandat-browser")  # else it has tries of its own (S-50)
    clock.advance(STALE)
    wrong = f"{(int(julie.otp(clock.now())) + 1) % 10**6:06d}"
    for typed in (used, wrong, "abc", wrong):
        assert browser.post("/confirm", otp=typed).status_code == 200
    assert browser.post("/confirm", otp=wrong).status_code == 429

    right = confirm(browser, "/confirm", julie, clock)

    assert right.status_code == 429
    assert browser.get("/act").location.startswith("/confirm")
    assert browser.get("/account").status_code == 200
    locked = Browser(browser.client.application).post("/sign-in", username=str(julie.code), password=julie.password)
    assert locked.status_code == 429


def test_confirming_renews_the_cookie_and_the_sid_stays(
    account: Callable[..., Account], clock: MovableClock, browser: Browser, done: list[list[tuple[str, str]]]
) -> None:
    """The former cookie and the tokens of older forms are worthless; auth_time is new; one entry in the log (§23, S-36)."""
    julie = account()
    browser.sign_in(julie, clock.now())
    (before,) = services.open_sign_ins(julie.person_id, now=clock.now())
    former, token = browser.cookie(), browser.token("/account")
    clock.advance(STALE)
    confirm(browser, "/confirm?next=/account", julie, clock)

    assert [one.sid for one in services.open_sign_ins(julie.person_id, now=clock.now())] == [before.sid]
    assert browser.client.post("/act", data={"csrf_token": token}).status_code == 403
    stolen = Browser(browser.client.application)
    stolen.client.set_cookie("mandat", former or "")
    assert stolen.get("/account").status_code == 302
    assert [entry.event for entry in audit.entries(person_id=julie.person_id)].count("person:stepped_up") == 1


def test_confirming_does_not_lengthen_a_sign_in(
    account: Callable[..., Account], clock: MovableClock, browser: Browser, done: list[list[tuple[str, str]]]
) -> None:
    """Twelve hours in all, however often a factor was shown in between."""
    julie = account()
    browser.sign_in(julie, clock.now())
    for _ in range(14):
        clock.advance(timedelta(minutes=50))
        confirm(browser, "/confirm", julie, clock)
    assert browser.get("/account").status_code == 200
    clock.advance(timedelta(minutes=20))

    assert browser.get("/account").status_code == 302


def test_an_abandoned_form_never_goes_on_by_itself(
    account: Callable[..., Account], clock: MovableClock, browser: Browser, done: list[list[tuple[str, str]]]
) -> None:
    """Confirming for another page afterwards leads to that page; ten minutes later the form is gone."""
    julie = account()
    browser.sign_in(julie, clock.now())
    clock.advance(STALE)
    asked = send(browser, "/act", name="abandoned")
    assert confirm(browser, browser.get("/act").location, julie, clock).location == "/act"
    clock.advance(timedelta(minutes=10))
    assert browser.get("/account").status_code == 200

    late = confirm(browser, asked.location, julie, clock)

    assert browser.get(late.location).location == "/act"
    assert done == []


def test_what_was_typed_waits_for_the_next_sign_in(
    account: Callable[..., Account], clock: MovableClock, browser: Browser, done: list[list[tuple[str, str]]]
) -> None:
    """A form sent after the sign-in lapsed is offered again to its person, once, without its secrets (WCAG 2.2.1, 2.2.5)."""
    julie = account()
    browser.sign_in(julie, clock.now())
    clock.advance(timedelta(hours=2))
    turned_away = send(browser, "/form", name="Émile", note="line\r\nline", secret="x", new_password="y")
    assert turned_away.location.startswith("/sign-in?next=%2Fcontinue")
    query = turned_away.location.removeprefix("/sign-in")
    again = browser.sign_in(julie, clock.now(), query=query)
    page = browser.get(again.location)
    assert "form-post.js" not in page.text
    assert done == []

    fields = hidden(page.text)

    assert without_token(fields) == [("name", "Émile"), ("note", "line\r\nline")]
    assert browser.client.post("/form", data=dict(fields)).text == "saved"
    assert browser.get(again.location).status_code == 302


def test_what_was_typed_waits_for_nobody_else(
    account: Callable[..., Account], clock: MovableClock, browser: Browser, done: list[list[tuple[str, str]]]
) -> None:
    """Another person on the same browser, a sign-in that was ended, and somebody never signed in: nothing is kept (S-42)."""
    julie, nadia = account("Julie"), account("Nadia")
    assert send(browser, "/form", name="x").location == "/sign-in?next=%2Fform"
    browser.sign_in(julie, clock.now())
    clock.advance(timedelta(hours=2))
    turned_away = send(browser, "/form", name="Julie's")
    other = browser.sign_in(nadia, clock.now(), query=turned_away.location.removeprefix("/sign-in"))
    assert browser.get(other.location).status_code == 302
    services.end_sign_ins_of(nadia.person_id, now=clock.now())
    db.session.remove()

    assert send(browser, "/form", name="x").location == "/sign-in?next=%2Fform"
    assert done == []
