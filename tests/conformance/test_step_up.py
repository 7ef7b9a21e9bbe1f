"""Step-up (RFC 9470 §4, OIDC Core §3.1.2.1, §5.5.1.1): a fresher or surer sign-in, exactly when it is asked for."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import jwt as pyjwt
import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from idp.accounts.models import SignInRow
from idp.db import transaction
from tests.oidc.scenery import RelyingParty, Scenery, error_code

LEVEL = "urn:mandat:aal:"
ASKED_AGAIN = 'id="asked-again"'


def essential(*levels: int) -> str:
    wanted = [f"{LEVEL}{level}" for level in levels]
    return json.dumps({"id_token": {"acr": {"essential": True, "values": wanted}}})


def asks(rp: RelyingParty, browser: FlaskClient, **wanted: Any) -> bool:
    """Tell whether this request leads to the sign-in page; otherwise it is answered with a code."""
    answer = rp.authorize(browser, **wanted)
    if answer.location.startswith("/sign-in"):
        return True
    assert "code" in rp.answer(answer), answer.location
    return False


def claims_of(rp: RelyingParty, browser: FlaskClient, **wanted: Any) -> dict[str, Any]:
    """Return the claims of an ID token, and let a second pass: what follows does not begin at the instant of the sign-in."""
    claims = rp.read(rp.tokens(browser, **wanted)["id_token"])
    rp.scenery.clock.advance(timedelta(seconds=1))
    return claims


def weaken(scenery: Scenery, acr: str) -> None:
    """Let every sign-in be of another level, as another way of signing in would leave it."""
    with scenery.app.app_context(), transaction() as session:
        session.execute(update(SignInRow).values(acr=acr))


# --- freshness


def test_max_age_asks_from_its_first_second_on(scenery: Scenery, rp: RelyingParty) -> None:
    """max-age-1, max-age-10000: as old as max_age will do, a second more will not; 0 never does; no max_age never asks."""
    browser = scenery.browser()
    claims_of(rp, browser)
    scenery.clock.advance(timedelta(seconds=299))
    assert [asks(rp, browser, max_age=age) for age in ("300", "299", "0", None)] == [False, True, True, False]

    scenery.clock.advance(timedelta(seconds=1))

    assert [asks(rp, browser, max_age=age) for age in ("301", "300", "999999999")] == [False, True, False]


def test_the_age_is_that_of_the_auth_time_we_tell(scenery: Scenery, rp: RelyingParty) -> None:
    """An agency reads whole seconds: what it calls too old is never given back to it, for it would ask for ever."""
    scenery.clock.advance(timedelta(milliseconds=900))
    browser = scenery.browser()
    told = claims_of(rp, browser)["auth_time"]
    scenery.clock.advance(timedelta(milliseconds=298_700))  # 299.7 s of sign-in, and 300.6 s by the token
    assert scenery.clock.now().timestamp() - told > 300

    assert asks(rp, browser, max_age="300")


def test_signing_in_again_moves_auth_time_and_keeps_sid(scenery: Scenery, rp: RelyingParty) -> None:
    """The same person keeps ``sid`` (decisions.md §23), the cookie's secret changes (S-42), older tokens keep their claims."""
    browser = scenery.browser()
    first = rp.tokens(browser)
    before, cookie = rp.read(first["id_token"]), browser.get_cookie("mandat")
    assert cookie is not None
    scenery.clock.advance(timedelta(seconds=100))

    second = rp.tokens(browser, max_age="60")

    after = rp.read(second["id_token"])
    assert (after["sid"], after["sub"], after["acr"]) == (before["sid"], before["sub"], f"{LEVEL}2")
    assert after["auth_time"] > before["auth_time"]
    assert after["auth_time"] >= scenery.clock.now().timestamp() - 60
    renewed = browser.get_cookie("mandat")
    assert renewed is not None
    assert renewed.value != cookie.value
    for told, seen in ((first, before), (second, after)):
        access = pyjwt.decode(told["access_token"], options={"verify_signature": False})
        assert (access["auth_time"], access["acr"]) == (seen["auth_time"], seen["acr"])


def test_another_person_gets_another_sid(scenery: Scenery, rp: RelyingParty) -> None:
    """Who confirms in the place of somebody else is told as who they are, with a ``sid`` of their own (CVE-2023-6787)."""
    browser = scenery.browser()
    before = claims_of(rp, browser)

    after = claims_of(rp, browser, name="pes", max_age="0")

    assert before["sub"] != after["sub"]
    assert before["sid"] != after["sid"]


def test_replaying_neither_loops_nor_skips(scenery: Scenery, rp: RelyingParty) -> None:
    """Once signed in, the interaction goes on however late; the same request sent again asks again; its page is over."""
    browser = scenery.browser()
    claims_of(rp, browser)
    scenery.clock.advance(timedelta(seconds=5))
    for asked in ({"max_age": "1"}, {"max_age": "0"}, {"prompt": "login"}):
        place = rp.authorize(browser, **asked).location
        assert place.startswith("/sign-in"), asked
        assert browser.get(place).status_code == 200
        resumed = scenery.sign_in(browser, "julie", place).location
        scenery.clock.advance(timedelta(minutes=20))  # older than max_age again, while the person reads

        answered = rp.answer(scenery.go_on(browser, browser.get(resumed), "nobody"))  # signing in once more would fail

        assert "code" in answered, asked
        assert error_code(browser.get(resumed).text) == "interaction_over"
        assert asks(rp, browser, **asked), asked


def test_giving_up_changes_nothing(scenery: Scenery, rp: RelyingParty) -> None:
    """Cancelled, the agency is told access_denied; whoever was signed in still is, and no fresher."""
    browser = scenery.browser()
    before = claims_of(rp, browser)
    scenery.clock.advance(timedelta(seconds=100))
    place = rp.authorize(browser, max_age="60").location

    cancelled = rp.answer(browser.get(f"/interaction/cancel?interaction={place.rpartition('%3D')[2]}"))

    assert (cancelled["error"], cancelled["state"]) == ("access_denied", "s-1")
    after = claims_of(rp, browser)
    assert (after["sid"], after["auth_time"]) == (before["sid"], before["auth_time"])
    assert asks(rp, browser, max_age="60")


def test_a_wrong_password_is_no_step_up(scenery: Scenery, rp: RelyingParty) -> None:
    """A first factor alone, or none, leaves the request where it was (GHSA-hp74-gm6m-2qm5)."""
    browser = scenery.browser()
    claims_of(rp, browser)
    place = rp.authorize(browser, max_age="0").location
    back = f"/authorize?interaction={place.rpartition('%3D')[2]}"

    assert browser.get(back).location == place
    scenery.press(browser, place, username=str(scenery.people["julie"].code), password="wrong wrong wrong")
    assert browser.get(back).location == place
    half = scenery.press(
        browser, place, username=str(scenery.people["julie"].code), password="trois petits bateaux verts"
    )
    assert half.location.endswith("/sign-in/code")
    assert browser.get(back).location == place


# --- level


@pytest.mark.parametrize("asked", [{"acr_values": f"{LEVEL}2"}, {"claims": essential(2)}, {"claims": essential(3, 2)}])
def test_a_level_above_that_of_the_sign_in_is_reached_by_signing_in(
    scenery: Scenery, rp: RelyingParty, asked: dict[str, str]
) -> None:
    """RFC 9470 §4: a weaker sign-in is asked again, however fresh, and the token then shows the level."""
    browser = scenery.browser()
    claims_of(rp, browser)
    weaken(scenery, f"{LEVEL}1")

    told = claims_of(rp, browser, max_age="10000", **asked)

    assert told["acr"] == f"{LEVEL}2"
    assert not asks(rp, browser, **asked)


def test_each_level_against_each_request(scenery: Scenery, rp: RelyingParty) -> None:
    """Higher meets lower; a sign-in below what people need is none; a wish for what this person cannot show is passed over."""
    browser = scenery.browser()
    claims_of(rp, browser)
    expected = {  # level of the sign-in: which of acr_values 1, 2, 3, then essential 1, 2 ask
        f"{LEVEL}1": [True, True, True, True, True],
        f"{LEVEL}2": [False, False, False, False, False],
        f"{LEVEL}3": [False, False, False, False, False],
        "urn:else:9": [True, True, True, True, True],
    }
    requests = [{"acr_values": f"{LEVEL}{level}"} for level in (1, 2, 3)]
    requests += [{"claims": essential(1)}, {"claims": essential(2)}]

    for acr, asked in expected.items():
        weaken(scenery, acr)
        assert [asks(rp, browser, **request) for request in requests] == asked, acr

    weaken(scenery, f"{LEVEL}2")
    assert rp.authorize(browser, claims=essential(3)).location.startswith("/sign-in")
    assert rp.answer(rp.authorize(browser, claims=essential(3), prompt="none"))["error"] == "login_required"


def test_silence_never_steps_up(scenery: Scenery, rp: RelyingParty) -> None:
    """prompt=none: too old or an essential level is login_required; a wished level is passed over, and told as it is."""
    browser = scenery.browser()
    claims_of(rp, browser)
    scenery.clock.advance(timedelta(seconds=2))

    for asked in ({"max_age": "1"}, {"max_age": "0"}, {"claims": essential(3)}):
        assert rp.answer(rp.authorize(browser, prompt="none", **asked))["error"] == "login_required", asked
    wished = rp.answer(rp.authorize(browser, prompt="none", acr_values=f"{LEVEL}3"))
    assert rp.read(rp.token(wished["code"]).get_json()["id_token"])["acr"] == f"{LEVEL}2"
    weaken(scenery, f"{LEVEL}1")
    assert rp.answer(rp.authorize(browser, prompt="none"))["error"] == "login_required"


# --- what people and resources are told


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "The agency asks you to sign in again"), ("fr", "L’organisme vous demande de vous connecter de nouveau")],
)
def test_the_sign_in_page_says_why_it_asks_again(scenery: Scenery, rp: RelyingParty, language: str, said: str) -> None:
    """On both pages of the sign-in, in both languages; not at a first sign-in, nor when nobody asked for it."""
    browser = scenery.browser()
    first = rp.authorize(browser, max_age="0").location
    assert ASKED_AGAIN not in browser.get(first).text
    back = scenery.sign_in(browser, "julie", first)
    browser.get(back.location)
    assert ASKED_AGAIN not in browser.get(first).text  # signed in, and back on this page by themselves
    scenery.go_on(browser, back, "julie")
    scenery.clock.advance(timedelta(seconds=1))
    again = rp.authorize(browser, max_age="0").location

    page = browser.get(f"{again}&lang={language}").text

    assert ASKED_AGAIN in page
    assert said in page
    typed = {"username": str(scenery.people["julie"].code), "password": "trois petits bateaux verts"}
    second = browser.get(scenery.press(browser, again, **typed).location).text
    assert said in second


def test_a_resource_server_learns_freshness_and_level(scenery: Scenery, rp: RelyingParty) -> None:
    """RFC 9470 §6: acr and auth_time stand in the access token and in the answer of introspection, and are the same."""
    browser = scenery.browser()
    rp.tokens(browser)
    scenery.clock.advance(timedelta(seconds=100))
    told = rp.tokens(browser, max_age="60", acr_values=f"{LEVEL}2")

    form = {"token": told["access_token"]}
    answer = scenery.browser().post("/introspect", data=form, headers={"Authorization": rp.basic()}).get_json()

    identity = rp.read(told["id_token"])
    assert answer["active"] is True
    assert (answer["acr"], answer["auth_time"]) == (identity["acr"], identity["auth_time"]) != (None, None)
    assert rp.userinfo(told["access_token"]).status_code == 200
