from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from idp.app import create_app
from idp.clock import MovableClock
from idp.config import Settings
from idp.db import db
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
