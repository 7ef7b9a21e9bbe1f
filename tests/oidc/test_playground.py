"""The token playground: a relying party like another, whose developer sees all and keeps nothing."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from sqlalchemy import select, text
from werkzeug.test import TestResponse

from idp.cli.clients import clients as command
from idp.config import Settings
from idp.db import db
from idp.oidc import playground_services
from idp.oidc.claims import claim_words
from idp.oidc.clients import client_services
from idp.oidc.models import GrantRow
from tests.oidc.claims.test_claims_page import PAGE
from tests.oidc.scenery import RelyingParty, Scenery, csrf_token, details, error_code, hidden_inputs

CALLBACK = "http://localhost:8000/playground/callback"
ALL = ["profile", "email", "enterprise", "functional_blocks"]


@pytest.fixture
def scenery(scenery: Scenery) -> Scenery:
    """Add the playground's clients."""
    playground_services.register(now=scenery.clock.now())
    return scenery


def _begin(browser: FlaskClient, **chosen: Any) -> TestResponse:
    page = browser.get("/playground?lang=en")
    typed = {"agency": "amp", "scopes": ALL, "response_mode": "query", "prompt": "", "max_age": "", **chosen}
    return browser.post("/playground", data={"csrf_token": csrf_token(page.text), **typed})


def _run(scenery: Scenery, browser: FlaskClient, name: str = "julie", **chosen: Any) -> TestResponse:
    """Begin a test and follow it to the page that shows what came of it."""
    answer = scenery.go_on(browser, _begin(browser, **chosen), name)
    if answer.status_code == 200:
        return browser.post("/playground/callback", data=hidden_inputs(answer.text))
    assert answer.location.startswith(CALLBACK + "?")
    return browser.get(answer.location.removeprefix("http://localhost:8000"))


def _blocks(page: str) -> dict[str, tuple[bool, str]]:
    """Return code → whether it is in the tokens, and why."""
    part = page[page.index('id="blocks"') :]
    rows = re.findall(r'class="app-code">(\w+)</span>.*?<dd[^>]*>(.*?)</dd>', part, re.DOTALL)
    return {code: ("In the tokens" in said, unescape(re.sub(r"<[^>]+>|\s+", " ", said))) for code, said in rows}


@pytest.mark.parametrize("mode", ["query", "form_post"])
def test_a_developer_sees_request_answers_tokens_and_reasons(scenery: Scenery, mode: str) -> None:
    """Everything, each with its sentence; signatures hold; nobody keeps the page."""
    page = _run(scenery, scenery.signed_in("julie"), response_mode=mode)

    assert (page.status_code, page.headers["Cache-Control"]) == (200, "no-store")
    for words in ("What came of the test", "code_challenge_method", "Signature holds", "urn:mandat:aal:2", "at+jwt"):
        assert words in page.text, words
    assert page.text.count("Signature holds") == 2
    for claim in (*claim_words.ID_TOKEN, *claim_words.ACCESS_TOKEN, *claim_words.USERINFO):
        assert f'app-mono">{claim}</dt>' in page.text, claim
    assert "the person, by a number made for the agency" in page.text
    blocks = _blocks(page.text)
    assert {code for code, (there, _) in blocks.items() if there} == {"001", "008"}
    assert "Given by Pes Pontvert" in blocks["001"][1]
    assert "No access to this block was ever given." in blocks["005"][1]


def test_the_reason_of_a_block_is_the_one_that_decided(scenery: Scenery) -> None:
    """Narrowed by the request, revoked, held as a PES, or not asked for at all."""
    browser = scenery.signed_in("julie")
    narrowed = _blocks(_run(scenery, browser, authorization_details=details({"privileges": ["008"]})).text)
    assert (narrowed["008"][0], narrowed["001"][0]) == (True, False)
    assert "named other blocks" in narrowed["001"][1]
    unasked = _blocks(_run(scenery, browser, scopes=["profile"]).text)
    assert {there for there, _ in unasked.values()} == {False}
    assert "asked for no block" in unasked["001"][1]
    scenery.keep_only(("008",))
    scenery.clock.advance(timedelta(seconds=1))
    assert "The access was taken away." in _blocks(_run(scenery, browser).text)["001"][1]
    held = _blocks(_run(scenery, scenery.signed_in("pes"), "pes").text)
    assert {there for there, _ in held.values()} == {True}
    assert "holds every block of the subscription" in held["018"][1]


@pytest.mark.parametrize(
    ("chosen", "error"),
    [
        ({"max_age": "x"}, "invalid_request"),
        ({"authorization_details": "[1]"}, "invalid_authorization_details"),
        ({"authorization_details": details({"privileges": ["018"], "needs": "both"})}, "invalid_authorization_details"),
        ({"prompt": "none", "agency": "bac"}, "interaction_required"),
    ],
)
def test_what_is_wrong_is_shown_as_the_protocol_answers_it(
    scenery: Scenery, chosen: dict[str, str], error: str
) -> None:
    """A developer learns from the error itself."""
    page = _run(scenery, scenery.signed_in("julie"), **chosen)

    assert (page.status_code, error in page.text, "There is no token." in page.text) == (200, True, True)
    assert "Signature" not in page.text


def test_nothing_is_kept(scenery: Scenery, capfd: pytest.CaptureFixture[str]) -> None:
    """S-88: neither the cookie, nor the database, nor the logs hold a token afterwards; the page cannot be had again."""
    browser = scenery.signed_in("julie")
    answer = scenery.go_on(browser, _begin(browser), "julie")
    place = answer.location.removeprefix("http://localhost:8000")
    page = browser.get(place)
    token = max(re.findall(r"eyJ[\w-]+\.[\w-]+\.[\w-]+", page.text), key=len)

    with browser.session_transaction() as kept:
        assert not [name for name in kept if name == "oidc_playground"]
    again = browser.get(place)
    assert (again.status_code, error_code(again.text)) == (400, "playground_over")
    tables = db.session.scalars(text("SELECT name FROM sqlite_master WHERE type = 'table'")).all()
    for table in tables:
        for row in db.session.execute(text(f'SELECT * FROM "{table}"')):  # noqa: S608 (our own tables)
            assert token not in str(row), table
    assert token not in "".join(capfd.readouterr())


@pytest.mark.bar("S-10", "S-36", "S-40")
def test_an_answer_that_was_not_asked_for_is_refused(scenery: Scenery) -> None:
    """Another state, issuer or browser, or none begun: an error page, and the code is not even tried."""
    browser, other = scenery.signed_in("julie"), scenery.signed_in("julie")
    answer = scenery.go_on(browser, _begin(browser), "julie")
    place = answer.location.removeprefix("http://localhost:8000")
    for wrong, who in (
        (re.sub(r"state=[^&]+", "state=x", place), browser),
        (re.sub(r"&iss=[^&]+", "", place), browser),
        (re.sub(r"&iss=[^&]+", "&iss=https%3A%2F%2Fevil.example", place), browser),
        (place + "&state=x", browser),
        ("/playground/callback", browser),
        (place, other),
    ):
        refused = who.get(wrong)
        assert (refused.status_code, error_code(refused.text)) == (400, "playground_over"), wrong
    assert db.session.scalars(select(GrantRow.code_used_at)).all() == [None]

    assert "Signature holds" in browser.get(place + "&lang=en").text


def test_tokens_of_somebody_else_are_not_shown(scenery: Scenery) -> None:
    """S-42: the code is Julie’s; another person on whose browser her test is put sees nothing of hers."""
    browser, other = scenery.signed_in("julie"), scenery.signed_in("pes")
    place = scenery.go_on(browser, _begin(browser), "julie").location.removeprefix("http://localhost:8000")
    with browser.session_transaction() as kept:
        under_way = kept["oidc_playground"]
    with other.session_transaction() as kept:
        kept["oidc_playground"] = under_way

    page = other.get(place + "&lang=en")

    assert "There is no token." in page.text
    assert "julie" not in page.text.lower()


def test_its_code_is_of_no_use_elsewhere(scenery: Scenery) -> None:
    """Nobody knows its secret: at /token the code is refused, and another client cannot have it."""
    browser = scenery.signed_in("julie")
    place = scenery.go_on(browser, _begin(browser), "julie").location
    code = re.search(r"code=([^&]+)", place)
    assert code is not None
    thief = RelyingParty(scenery, "playground-amp", redirect_uri=CALLBACK)

    assert thief.token(code[1]).status_code == 401
    assert RelyingParty(scenery).token(code[1], redirect_uri=CALLBACK).get_json()["error"] == "invalid_grant"


def test_who_may_enter(scenery: Scenery) -> None:
    """Members; nobody else sees that there is such a page, and the account page leads only members there."""
    anonymous = scenery.browser().get("/playground")
    assert (anonymous.status_code, anonymous.location) == (302, "/sign-in?next=%2Fplayground")
    stranger, member = scenery.signed_in("nobody"), scenery.signed_in("julie")
    for path in ("/playground", "/playground/callback"):
        assert stranger.get(path).status_code == 404
    assert ("/playground" in stranger.get("/account").text, "/playground" in member.get("/account").text) == (
        False,
        True,
    )
    wrong = _begin(member, agency="elsewhere")
    assert (wrong.status_code, 'id="error-summary"' in wrong.text) == (400, True)
    assert _begin(member, authorization_details="[" * 1001).status_code == 400


def test_where_it_is_off_there_is_no_such_page(scenery: Scenery, settings: Settings) -> None:
    """IDP_PLAYGROUND: off by default, on in a demonstration."""
    assert [
        Settings().has_playground,
        Settings(demo=True).has_playground,
        Settings(playground=True).has_playground,
    ] == [*(False, True, True)]
    browser = scenery.signed_in("julie")
    scenery.app.extensions["mandat.settings"] = settings.model_copy(update={"playground": False})
    for path in ("/playground", "/playground/callback"):
        assert (browser.get(path).status_code, scenery.browser().get(path).status_code) == (404, 404)
    assert "/playground" not in browser.get("/account").text


def test_the_command_registers_a_client_at_each_agency(scenery: Scenery, monkeypatch: pytest.MonkeyPatch) -> None:
    """Confidential, one redirect URI, PKCE required; again is harmless."""
    monkeypatch.setattr("idp.cli.clients.create_app", lambda: scenery.app)
    for _ in range(2):
        ran = CliRunner().invoke(command, ["playground"])
        assert (ran.exit_code, ran.output.split()) == (
            0,
            ["registered", "playground-amp", "registered", "playground-bac"],
        )

    client = client_services.find("playground-amp")
    assert client is not None
    assert (client.redirect_uris, client.requires_pkce, client.auth_method) == (
        (CALLBACK,),
        True,
        "client_secret_basic",
    )


def test_the_words_are_those_of_the_page_of_claims() -> None:
    """docs/claims.md and the playground say the same of each claim, in the same words."""
    page = Path(PAGE).read_text(encoding="utf-8")
    for section, meaning in claim_words.SECTIONS.items():
        part = page.split(f"\n## {section}")[1].split("\n## ")[0].split("\n### ")[0]
        rows = dict(re.findall(r"^\| `(\w+)` \| `\w+` \| (.*) \|$", part, re.MULTILINE))
        said = {name: str(sentence._args[0]) for name, sentence in meaning.items()}
        assert {name: words.replace("`", "").replace("'", "’") for name, words in rows.items()} == said, section
