from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from idp.app import create_app
from idp.clock import MovableClock
from idp.config import Settings
from idp.db import db
from tests.accounts.conftest import page_of
from tests.authorization_matrix import NO_COOKIE_ROUTES
from tests.schema import create_schema
from tests.world import csrf_token, make_world


def _example(rule: Any) -> str:
    return re.sub(r"<any\((\w+)[^>]*>|<[^>]+>", lambda found: found.group(1) or "x", str(rule))


def _posts(app: Flask) -> list[Any]:
    return [rule for rule in app.url_map.iter_rules() if "POST" in (rule.methods or ())]


def test_every_page_carries_the_security_headers(client: FlaskClient, app: Flask) -> None:
    """Pages, redirects and errors alike: policy, no sniffing, no framing, no caching (S-38, S-81)."""
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.endpoint == "static":
            continue
        headers = client.get(_example(rule)).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"], rule
        assert "unsafe" not in headers["Content-Security-Policy"], rule
        assert headers["X-Content-Type-Options"] == "nosniff", rule
        assert headers["X-Frame-Options"] == "DENY", rule
        assert headers["Referrer-Policy"] in ("same-origin", "no-referrer"), rule
        assert headers["Cache-Control"], rule


@pytest.mark.bar("S-35")
def test_no_form_is_accepted_without_its_token(client: FlaskClient, app: Flask) -> None:
    """Every POST route that rests on a cookie refuses a post without, or with a foreign, CSRF token (S-35)."""
    accepted = []
    for rule in _posts(app):
        if rule.endpoint in NO_COOKIE_ROUTES:
            continue
        for form in ({}, {"csrf_token": "foreign"}):
            answer = client.post(_example(rule), data=form)
            if answer.status_code != 403 or "form_expired" not in answer.text:
                accepted.append((rule.endpoint, answer.status_code))

    assert accepted == []


FOREIGN = (
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost:8000"},
    {"Sec-Fetch-Site": "anything"},
    {"Origin": "https://evil.example"},  # a browser that does not say
)


@pytest.mark.bar("S-35")
@pytest.mark.parametrize("headers", FOREIGN)
def test_no_form_of_another_site_is_accepted_with_its_token(
    client: FlaskClient, app: Flask, headers: dict[str, str]
) -> None:
    """Every POST route that rests on a cookie refuses what another site posted, a valid CSRF token in it or not."""
    token = csrf_token(client.get("/sign-in").text)
    posts = [rule for rule in _posts(app) if rule.endpoint not in NO_COOKIE_ROUTES]

    answers = {
        rule.endpoint: client.post(_example(rule), data={"csrf_token": token}, headers=headers) for rule in posts
    }

    assert len(answers) > 70
    assert {name for name, answer in answers.items() if answer.status_code != 403} == set()
    assert {name for name, answer in answers.items() if "form_expired" not in answer.text} == set()


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://localhost:8000"},
        {"Origin": "null"},
    ],
)
def test_a_form_of_our_own_is_accepted(client: FlaskClient, headers: dict[str, str]) -> None:
    """What this site posted, or the person by hand, goes on; so does a browser that says nothing of use."""
    token = csrf_token(client.get("/sign-in").text)

    answer = client.post("/freeze", data={"csrf_token": token, "user_code": "QX4T-7712"}, headers=headers)

    assert (answer.status_code, page_of(answer.location)) == (303, "/freeze/code")


CANARY = "canary0123456789canary0123456789canary01234"
SECRETS = (
    *("id_token_hint", "id_token", "access_token", "refresh_token", "token", "code", "request", "client_secret"),
    *(
        "client_assertion",
        "code_verifier",
        "password",
        "temporary_password",
        "otp",
        "email_code",
        "secret",
        "undo_code",
    ),
    *("new_password", "logout_token", "credential", "recovery_code"),
)


@pytest.mark.parametrize("who", [None, "pes"])
def test_no_redirect_carries_a_secret_that_was_posted(app: Flask, clock: MovableClock, who: str | None) -> None:
    """Addresses go to the logs of proxies: whatever was posted to whatever route, no token, hint or secret stands in one."""
    world = make_world(app, clock)
    browser = world.browser(who)
    sent = {**dict.fromkeys(SECRETS, CANARY), "client_id": "portal", "response_type": "code", "scope": "openid"}
    carried, redirects = [], 0
    for old in (False, True) if who else (False,):
        clock.advance(timedelta(minutes=12 if old else 0))
        for rule in sorted(_posts(app), key=lambda rule: (rule.endpoint == "sign_in.sign_out", str(rule))):
            token = csrf_token(browser.get("/sign-in").text)
            answer = browser.post(_example(rule), data={**sent, "csrf_token": token})
            redirects += answer.location is not None
            carried += [rule.endpoint] if CANARY in (answer.location or "") else []

    assert carried == []
    assert redirects > 30


def test_a_route_that_writes_does_not_answer_a_get(client: FlaskClient, app: Flask) -> None:
    """A route made only for posts is 405 by GET, and says what is allowed."""
    addresses = app.url_map.bind("localhost")
    for rule in _posts(app):
        if addresses.test(_example(rule), "GET"):
            continue  # the same address is also a page
        answer = client.get(_example(rule))
        assert (answer.status_code, "POST" in answer.headers.get("Allow", "")) == (405, True), rule


def test_a_forged_host_changes_nothing(client: FlaskClient, settings: Settings) -> None:
    """Host and forwarding headers reach no address that we write (S-61)."""
    for name in ("Host", "X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded", "X-Forwarded-For", "X-Forwarded-Prefix"):
        answer = client.get("/.well-known/openid-configuration", headers={name: "evil.example"})
        assert "evil" not in answer.text
        assert answer.get_json()["issuer"] == settings.issuer


@pytest.mark.parametrize(("path", "is_page"), [("/sign-in", True), ("/token", False)])
@pytest.mark.databases
def test_who_finds_no_connection_is_told_to_come_back(
    settings: Settings, clock: MovableClock, monkeypatch: pytest.MonkeyPatch, path: str, is_page: bool
) -> None:
    """Every connection is taken for too long: 503 with Retry-After, a page for people, JSON for programs; then all goes on."""
    monkeypatch.setattr("idp.db.CONNECTIONS", 1)
    monkeypatch.setattr("idp.db.PATIENCE_FOR_ONE", 0.1)
    app = create_app(settings, clock=clock, testing=True)
    with app.app_context():
        create_schema()
        taken = db.engine.connect()
    browser = app.test_client()
    token = csrf_token(browser.get("/sign-in").text)
    sent = {"username": "QX4T-7712", "password": "trois petits bateaux verts", "csrf_token": token}
    asked = {"grant_type": "refresh_token", "refresh_token": "x", "client_id": "x", "client_secret": "x"}

    starved = browser.post(path, data=sent if is_page else asked)
    taken.close()
    after = browser.post(path, data=sent if is_page else asked)

    assert (starved.status_code, starved.headers["Retry-After"], starved.is_json) == (503, "5", not is_page)
    assert "sqlalchemy" not in starved.text.lower()
    assert after.status_code in (200, 401)
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.mark.parametrize("path", ["/nothing", "/people/x", "/agencies/none"])
def test_an_error_page_shows_no_inside(client: FlaskClient, path: str) -> None:
    """No stack, no path, no version; a stable code or the sign-in page."""
    answer = client.get(path)

    assert answer.status_code in (302, 303, 404)
    assert not re.search(r"Traceback|/idp/|sqlalchemy|werkzeug", answer.text, re.IGNORECASE)


def test_the_language_is_french_until_english_is_chosen_and_is_kept(client: FlaskClient) -> None:
    """Accept-Language never switches; the choice is remembered."""
    first = client.get("/", headers={"Accept-Language": "en"})
    client.get("/?lang=en")
    kept = client.get("/")

    assert '<html lang="fr"' in first.text
    assert '<html lang="en"' in kept.text


def test_a_form_of_a_megabyte_is_refused_in_plain_words(client: FlaskClient) -> None:
    """A field of 1 MB is a 413 page, never a 500."""
    answer = client.post("/sign-in", data={"username": "A" * 1_000_000})

    assert answer.status_code in (403, 413)
    assert "Traceback" not in answer.text


def test_a_static_file_is_cached_and_its_address_changes_with_it(client: FlaskClient) -> None:
    """The page names the style with its digest."""
    page = client.get("/").text
    found = re.search(r'href="(/static/css/app\.css\?v=[0-9a-f]{8})"', page)

    assert found
    with client.get(found.group(1)) as style:
        assert "max-age=3600" in style.headers["Cache-Control"]


def test_the_world_signs_in(app: Flask, clock: MovableClock) -> None:
    """A ready person passes password and one-time code and sees their enterprise."""
    browser = make_world(app, clock).browser("pes")

    page = browser.get("/home")

    assert page.status_code == 200
    assert "Construction Haute-Licorne" in page.text
