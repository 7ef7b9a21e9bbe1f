"""An issuer with a path is served there: every page, redirect, form and document."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask

from idp.app import create_app
from idp.clock import MovableClock
from idp.config import ConfigurationError, Settings, read_settings
from idp.db import db
from tests.conftest import TEMPLATES, Browser
from tests.schema import create_schema
from tests.world import World, csrf_token, make_world

PREFIX = "/mandat"
ISSUER = f"http://localhost:8000{PREFIX}"


@pytest.fixture
def mounted(settings: Settings, clock: MovableClock) -> Any:
    app = create_app(settings.model_copy(update={"issuer": ISSUER}), clock=clock, testing=True)
    app.test_client_class = Browser
    app.jinja_env.bytecode_cache = TEMPLATES
    with app.app_context():
        create_schema()
        yield app
        db.session.remove()
        db.engine.dispose()


def _example(rule: Any) -> str:
    return re.sub(r"<any\((\w+)[^>]*>|<[^>]+>", lambda found: found.group(1) or "x", str(rule))


def _outside(text: str) -> list[str]:
    """Return the addresses of a page that begin at the root and leave the prefix."""
    found = re.findall(r'(?:href|src|action)="(/[^"]*)"', text)
    return [address for address in found if not re.match(rf"{PREFIX}(/|$|\?)", address)]


@pytest.mark.parametrize("persona", [None, "pes", "ar", "operator"])
def test_no_address_leaves_the_prefix(mounted: Flask, clock: MovableClock, persona: str | None) -> None:
    """Every link, form, script and redirect of every page that answers a GET is under the path of the issuer."""
    world: World = make_world(mounted, clock)
    browser = world.browser(persona)
    seen, wrong = 0, []
    for rule in mounted.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.endpoint == "static":
            continue
        answer = browser.get(PREFIX + _example(rule))
        location = answer.headers.get("Location", "")
        bad = _outside(answer.text) if answer.mimetype == "text/html" else []
        if location.startswith("/") and not location.startswith(PREFIX):
            bad.append(location)
        wrong += [(rule.endpoint, address) for address in bad]
        seen += answer.status_code == 200

    assert wrong == []
    assert seen > 10


def test_a_form_of_a_page_works_under_the_prefix(mounted: Flask) -> None:
    """The form of the sign-in page is sent to where the page says, and is answered."""
    browser = mounted.test_client()
    page = browser.get(f"{PREFIX}/sign-in")

    answer = browser.post(
        f"{PREFIX}/sign-in", data={"csrf_token": csrf_token(page.text), "username": "AAAA-0000", "password": "x"}
    )

    assert answer.status_code == 200
    assert 'id="error-summary"' in answer.text


@pytest.mark.parametrize(
    "path",
    [
        f"{PREFIX}/.well-known/openid-configuration",
        f"/.well-known/oauth-authorization-server{PREFIX}",
        f"{PREFIX}/.well-known/oauth-authorization-server",
        f"/.well-known/ssf-configuration{PREFIX}",
        "/.well-known/openid-configuration",
    ],
)
def test_documents_are_found_and_name_addresses_under_the_prefix(mounted: Flask, path: str) -> None:
    """Appended (OIDC Discovery §4), inserted (RFC 8414 §3.1), or where the proxy cuts the prefix off."""
    told = mounted.test_client().get(path).get_json()

    assert told["issuer"] == ISSUER
    assert told["jwks_uri"] == f"{ISSUER}/jwks"
    assert mounted.test_client().get(f"{PREFIX}/jwks").status_code == 200


def test_without_a_path_nothing_changes(app: Flask) -> None:
    """An issuer without a path serves the root alone."""
    browser = app.test_client()

    assert browser.get("/sign-in").status_code == 200
    assert browser.get(f"{PREFIX}/sign-in").status_code == 404


@pytest.mark.parametrize("path", ["//", "/a//b", "/a b", "/%41", "/..", "/a/../b", "/a;b", '/a"b'])
def test_a_path_that_could_be_read_in_two_ways_is_refused_at_start(path: str) -> None:
    """Only plain segments are taken."""
    with pytest.raises(ConfigurationError, match="IDP_ISSUER"):
        read_settings(issuer=f"https://id.example{path}")
