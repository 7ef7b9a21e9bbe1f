"""Several tabs, forms sent twice, sign-ins that are over: each has its own number, and each leads back to its agency."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from html import unescape
from urllib.parse import urlsplit

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.exceptions import RequestEntityTooLarge, ServiceUnavailable
from werkzeug.test import TestResponse

from idp.accounts.models import AttemptCounter, Challenge
from idp.db import db
from idp.oidc.authorization import interaction_services
from idp.oidc.models import GrantRow, InteractionRow
from tests.accounts.conftest import apart
from tests.oidc.scenery import CALLBACK, ISSUER, PASSWORD, TOTP_SECRET, RelyingParty, Scenery, csrf_token

SITE = "http://127.0.0.1:9999"


def form_of(page: TestResponse) -> dict[str, str]:
    """Return the hidden fields of the form of a page, as a browser sends them."""
    fields = re.findall(r'<input[^>]*type="hidden" name="([^"]+)" value="([^"]*)"', page.text)
    return {name: unescape(value) for name, value in fields} | {"csrf_token": csrf_token(page.text)}


def at_the_code(scenery: Scenery, rp: RelyingParty, browser: FlaskClient, **asked: str) -> str:
    """Begin at the client's and show the password; return the address of the page that asks for the code."""
    place = rp.authorize(browser, **asked).location
    typed = {"username": str(scenery.people["julie"].code), "password": PASSWORD}
    answer = browser.post(place, data={**form_of(browser.get(place)), **typed})
    assert answer.location.endswith("/sign-in/code"), answer.text
    return answer.location


def fresh(scenery: Scenery) -> FlaskClient:
    """Return a new browser, each of whose requests stands alone as on a server."""
    browser = scenery.browser()
    browser.open = partial(apart, browser.open)  # type: ignore[method-assign]
    return browser


def signed_in(scenery: Scenery, name: str) -> FlaskClient:
    browser = fresh(scenery)
    scenery.sign_in(browser, name)
    return browser


def otp(scenery: Scenery) -> str:
    scenery.clock.advance(timedelta(seconds=31))
    return pyotp.TOTP(TOTP_SECRET).at(scenery.clock.now())


def counted(table: type) -> int:
    return db.session.scalar(select(func.count()).select_from(table)) or 0


@pytest.mark.parametrize("tabs", [2, 5])
def test_each_tab_returns_to_its_own_agency_with_its_own_state(scenery: Scenery, rp: RelyingParty, tabs: int) -> None:
    """The code is given in the first tab; the others send theirs afterwards and go on with the sign-in there is."""
    browser = fresh(scenery)
    pages = [at_the_code(scenery, rp, browser, state=f"tab-{number}") for number in range(tabs)]
    forms = [form_of(browser.get(page)) for page in pages]
    code = otp(scenery)

    answers = [browser.post(page, data={**form, "otp": code}) for page, form in zip(pages, forms, strict=True)]

    states = [rp.answer(scenery.go_on(browser, answer, "julie")) for answer in answers]
    assert [each["state"] for each in states] == [f"tab-{number}" for number in range(tabs)]
    assert all("code" in each for each in states)
    assert db.session.scalar(select(AttemptCounter.failures).where(AttemptCounter.subject.startswith("person:"))) == 0


def test_a_browser_and_a_person_have_a_few_under_way_and_the_oldest_give_way(
    scenery: Scenery, rp: RelyingParty
) -> None:
    """A hundred tabs are eight interactions and eight sign-ins; the number of the first leads to the agency all the same."""
    browser = fresh(scenery)
    first = at_the_code(scenery, rp, browser, state="first")
    for _ in range(11):
        at_the_code(scenery, rp, browser)

    begun = db.session.scalar(select(func.count()).select_from(Challenge).where(Challenge.ended_at.is_(None)))
    assert begun <= 9
    names = [cookie.key for cookie in browser._cookies.values()]
    assert len([name for name in names if name.startswith("mandat-interaction-")]) == 8
    assert len([name for name in names if name.startswith("mandat-sign-in-")]) <= 8
    assert leads_to_the_agency(browser, browser.get(first))


def test_the_same_code_sent_twice_signs_in_once_and_ends_at_the_same_place(scenery: Scenery, rp: RelyingParty) -> None:
    """The browser gave up the first answer, cookies and all: the second brings them again (one sign-in, one grant)."""
    browser = fresh(scenery)
    page = at_the_code(scenery, rp, browser)
    form = form_of(browser.get(page)) | {"otp": otp(scenery)}
    given_up = fresh(scenery)
    for cookie in browser._cookies.values():
        given_up.set_cookie(cookie.key, cookie.value)
    first = given_up.post(page, data=form)

    second = browser.post(page, data=form)

    assert second.location == first.location
    assert browser.get_cookie("mandat") == given_up.get_cookie("mandat")
    assert rp.answer(scenery.go_on(browser, second, "julie"))["state"] == "s-1"
    assert counted(GrantRow) == 1
    other = {**form, "otp": "000000"}
    assert browser.post(page, data=other).status_code in (303, 403)
    stranger = fresh(scenery)
    assert stranger.post(page, data={**form, **form_of(stranger.get("/sign-in"))}).location.startswith("/sign-in")
    assert stranger.get_cookie("mandat") is None


def test_the_same_wrong_code_sent_twice_counts_once(scenery: Scenery, rp: RelyingParty) -> None:
    """A double click on a wrong code is one failure; the same code typed again on a new page is another one."""
    browser = fresh(scenery)
    page = at_the_code(scenery, rp, browser)
    form = form_of(browser.get(page)) | {"otp": "000000"}

    for _ in range(3):
        assert "il reste 4 essais" in browser.post(page, data=form).text

    db.session.rollback()
    failures = select(func.max(AttemptCounter.failures))
    assert db.session.scalar(failures) == 1
    browser.post(page, data=form_of(browser.get(page)) | {"otp": "000000"})
    assert db.session.scalar(failures) == 2


@pytest.mark.parametrize("answer", ["allow", "deny"])
def test_a_consent_sent_twice_is_answered_twice_with_the_same(scenery: Scenery, rp: RelyingParty, answer: str) -> None:
    """The code is the same one, works once, and is not given again once the client has used it."""
    browser = signed_in(scenery, "julie")
    place = rp.authorize(browser, prompt="consent").location
    form = form_of(browser.get(place)) | {"answer": answer}
    once = browser.post(place, data=form)
    first = rp.answer(once if once.location.startswith(CALLBACK) else browser.get(once.location))

    second = rp.answer(browser.post(place, data=form))

    assert second == first
    assert counted(GrantRow) == (1 if answer == "allow" else 0)
    if answer == "allow":
        assert rp.token(first["code"]).status_code == 200
        late = browser.post(place, data=form)
        assert (late.status_code, leads_to_the_agency(browser, late)) == (400, True)


def leads_to_the_agency(browser: FlaskClient, answer: TestResponse) -> bool:
    """Tell whether an answer, or what its redirects and its one button lead to, is at the client's."""
    for _ in range(6):
        if answer.location:
            if answer.location.startswith(SITE):
                return True
            answer = browser.get(answer.location)
            continue
        found = re.search(
            r'id="(?:way-back|login-cancel)"[^>]*href="([^"]+)"|href="([^"]+)"[^>]*id="(?:way-back|login-cancel)"',
            answer.text,
        )
        if found is None:
            return False
        place = unescape(found[1] or found[2])
        if place.startswith(SITE):
            return True
        answer = browser.get(place)
    return False


Change = Callable[[Scenery, RelyingParty, FlaskClient, str], FlaskClient]


def _expired(scenery: Scenery, _rp: RelyingParty, browser: FlaskClient, _number: str) -> FlaskClient:
    scenery.clock.advance(timedelta(minutes=31))
    return browser


def _purged(scenery: Scenery, _rp: RelyingParty, browser: FlaskClient, _number: str) -> FlaskClient:
    scenery.clock.advance(timedelta(hours=20))
    interaction_services.forget_old(scenery.clock.now())
    assert (
        db.session.scalar(select(func.count()).select_from(InteractionRow).where(InteractionRow.request.is_not(None)))
        == 0
    )
    return browser


def _finished(_scenery: Scenery, _rp: RelyingParty, browser: FlaskClient, number: str) -> FlaskClient:
    assert browser.get(f"/interaction/cancel?interaction={number}").location.startswith(CALLBACK)
    return browser


def _foreign(scenery: Scenery, _rp: RelyingParty, _browser: FlaskClient, _number: str) -> FlaskClient:
    return signed_in(scenery, "pes")


def _no_cookie(scenery: Scenery, _rp: RelyingParty, _browser: FlaskClient, _number: str) -> FlaskClient:
    return fresh(scenery)


def _open(_scenery: Scenery, _rp: RelyingParty, browser: FlaskClient, _number: str) -> FlaskClient:
    return browser


CASES: dict[str, Change] = {
    each.__name__.strip("_"): each for each in (_open, _expired, _purged, _finished, _foreign, _no_cookie)
}
PAGES = (
    "/authorize?interaction={number}",
    "/sign-in?next=%2Fauthorize%3Finteraction%3D{number}",
    "/sign-in/passkey?next=%2Fauthorize%3Finteraction%3D{number}",
    "/~{number}/sign-in/code",
    "/~{number}/sign-in/code/recovery",
    "/~{number}/sign-in/code/passkey",
    "/interaction/enterprise?interaction={number}",
    "/interaction/consent?interaction={number}",
    "/interaction/no-right?interaction={number}",
    "/interaction/missing-block?interaction={number}",
    "/interaction/cancel?interaction={number}",
)


@pytest.mark.parametrize("case", CASES)
def test_every_page_of_the_sign_in_leads_to_the_agency(scenery: Scenery, rp: RelyingParty, case: str) -> None:
    """Opened, sent with a form that is too old, and sent twice: there is a way to the client from each answer."""
    lost = []
    for page in PAGES:
        browser = fresh(scenery)
        place = at_the_code(scenery, rp, browser, state="mine")
        number = place.split("/")[1].removeprefix("~")
        stale = form_of(browser.get(place)) | {"otp": "000000", "answer": "allow", "credential": "{}"}
        here = CASES[case](scenery, rp, browser, number)
        address = page.format(number=number)
        if case != "open" and not leads_to_the_agency(here, here.get(address)):
            lost.append(f"GET {address}")
        for _ in range(2):
            posts = "/cancel" not in page and "/no-right" not in page and "/missing-block" not in page
            if case != "open" and posts and not page.startswith("/authorize"):
                answer = here.post(address, data=stale)
                if answer.status_code in (403, 500) or not leads_to_the_agency(here, answer):
                    lost.append(f"POST {address} {answer.status_code}")
        assert case == "finished" or "mine" not in here.get(f"/authorize?interaction={number}").text or here is browser

    assert lost == []


def test_the_client_is_answered_with_its_state_by_its_own_browser_only(scenery: Scenery, rp: RelyingParty) -> None:
    """After half an hour the button answers the client: error, state and iss. Another browser is shown the site, no state."""
    browser = fresh(scenery)
    number = at_the_code(scenery, rp, browser, state="mine").split("/")[1].removeprefix("~")
    scenery.clock.advance(timedelta(minutes=31))
    page = browser.get(f"/authorize?interaction={number}")
    found = re.search(r'href="([^"]+)"[^>]*id="way-back"', page.text)
    assert found, page.text

    answered = rp.answer(browser.get(unescape(found[1])))

    assert (answered["error"], answered["state"], answered["iss"]) == ("access_denied", "mine", ISSUER)
    elsewhere = fresh(scenery).get(f"/interaction/cancel?interaction={number}&over=1")
    assert elsewhere.status_code == 400
    assert f'href="{SITE}/"' in elsewhere.text
    assert "mine" not in elsewhere.text
    made_up = fresh(scenery).get(f"/interaction/cancel?interaction={'0' * 32}&over=1")
    assert 'href="/help"' in made_up.text


def test_a_number_opens_nothing_without_its_cookie(scenery: Scenery, rp: RelyingParty) -> None:
    """Neither the number of an interaction nor that of a sign-in, nor the cookie of another number (S-34)."""
    mine, other = fresh(scenery), fresh(scenery)
    page, theirs = at_the_code(scenery, rp, mine), at_the_code(scenery, rp, other)
    number = page.split("/")[1].removeprefix("~")
    for cookie in list(other._cookies.values()):
        if cookie.key.endswith(theirs.split("/")[1].removeprefix("~")):
            other.set_cookie(cookie.key.replace(theirs.split("/")[1].removeprefix("~"), number), cookie.value)
    form = form_of(other.get("/sign-in")) | {"otp": otp(scenery)}

    answer = other.post(page, data=form)

    ended = other.get("/account")
    assert answer.status_code == 303
    assert ended.location is None or other.get_cookie("mandat") is not None  # their own sign-in, under whatever name
    assert interaction_services.find(number, browser_digest=None, now=scenery.clock.now()) is None
    assert mine.get(page).status_code == 200  # and what is mine is still there


@pytest.mark.parametrize("error", [RequestEntityTooLarge(), ServiceUnavailable()])
def test_an_error_page_on_the_way_keeps_the_way_to_the_agency(
    scenery: Scenery, rp: RelyingParty, app: Flask, error: Exception
) -> None:
    """413, 503, 403 and 404: each has the button, by the address alone."""
    browser = fresh(scenery)
    page = at_the_code(scenery, rp, browser)

    def broken() -> None:
        raise error

    kept = app.view_functions["sign_in.second_factor"]
    app.view_functions["sign_in.second_factor"] = broken
    pages = [browser.get(page)]
    app.view_functions["sign_in.second_factor"] = kept
    pages += [browser.post(page, data={"otp": "000000"}), browser.get(f"{page}/nowhere")]

    assert [each.status_code for each in pages] == [error.code, 403, 404]  # type: ignore[attr-defined]
    assert all('id="way-back"' in each.text for each in pages)
    assert leads_to_the_agency(browser, pages[0])


def test_a_forgotten_password_leads_back_to_the_agency(scenery: Scenery, rp: RelyingParty) -> None:
    """The way to the agency goes through the pages of recovery and of activation."""
    browser = fresh(scenery)
    place = rp.authorize(browser).location
    first = browser.get(place)
    links = re.findall(r'href="(/~[0-9a-f]{32}/(?:recover|activate)[^"]*)"', first.text)
    assert len(links) == 4

    begun = browser.post(
        links[1], data=form_of(browser.get(links[1])) | {"user_code": str(scenery.people["julie"].code)}
    )

    assert re.fullmatch(r"/~[0-9a-f]{32}/recover/code", begun.location)
    number = begun.location.split("/")[1].removeprefix("~")
    for link in (links[0], links[2], begun.location.replace("code", "lost-factor")):
        assert f"%3Finteraction%3D{number}" in browser.get(link).text, link
    assert urlsplit(browser.get("/recover/code").location or "").path in ("", "/recover/code")
