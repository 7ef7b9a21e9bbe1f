"""Every route that changes something, against its row in ``idp.acts``."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from urllib.parse import urlsplit

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from idp import audit
from idp.accounts.sign_in.confirming import is_guarded
from idp.acts import ROWS, SAFE_METHODS, Need, asks_for_factor
from idp.http.web import csrf
from tests.authorization_matrix import ALLOWED, NO_COOKIE_ROUTES
from tests.test_authorization_matrix import _KEYS, _enter, values, world  # noqa: F401 (fixtures)
from tests.world import World, csrf_token

OLD = timedelta(minutes=12)  # older than a factor stays fresh, younger than an operator's sign-in may be idle
ELSEWHERE = {"enrollment.slip"}  # its file needs an enrolment: tests/enrollment/views/test_journeys.py
_DOORS = {"desk_reproofing.agree": "operator", "reproofing.start": "pes", "linking.link": "pes"}
TYPED = {"decision": "accept", "reason": "incomplete", "note": "vérifié « au téléphone »", "user_code": "QX4T-7712"}


def _unsafe(rule: Rule) -> set[str]:
    return set(rule.methods or ()) - SAFE_METHODS


def _asking(app: Flask) -> list[tuple[Rule, str]]:
    return [
        (rule, method)
        for rule in sorted(app.url_map.iter_rules(), key=str)
        for method in sorted(set(rule.methods or ()) & {"GET", "POST"})
        if rule.endpoint in ROWS and asks_for_factor(rule.endpoint, method) and rule.endpoint not in ELSEWHERE
    ]


def _actor(endpoint: str) -> str:
    """Return who gets as far as the question of a factor."""
    able = ALLOWED[endpoint] - {"reader", "suspended", "pes_elsewhere"}
    return _DOORS.get(endpoint) or next(
        who for who in ("pes", "ar", "operator", "agency_officer") if who in able or not able
    )


def _stale(world: World, endpoint: str) -> FlaskClient:  # noqa: F811
    browser = _enter(world, _actor(endpoint))
    world.clock.advance(OLD)
    return browser


def _address(rule: Rule, given: dict[str, str]) -> str:
    built = rule.build(given, append_unknown=False)
    return built[1] if built else str(rule)


def _acts() -> list[str]:
    return [entry.event for entry in audit.entries(limit=10_000)]


def test_every_route_that_changes_something_has_a_row(app: Flask) -> None:
    """A new route comes with its row, a row names a route that exists, and what asks for nothing says why."""
    routes = {rule.endpoint for rule in app.url_map.iter_rules()}
    changing = {rule.endpoint for rule in app.url_map.iter_rules() if _unsafe(rule)}

    assert sorted(changing - set(ROWS)) == []
    assert sorted(set(ROWS) - routes) == []
    assert sorted(endpoint for endpoint, row in ROWS.items() if (row.need is Need.NONE) != bool(row.reason)) == []


def test_the_rows_and_the_views_agree(app: Flask) -> None:
    """The views that ask for a factor are those of the rows; so are the views that ask no CSRF token."""
    views = {endpoint: app.view_functions[endpoint] for endpoint in ROWS}
    exempt = {
        endpoint for endpoint, view in views.items() if f"{view.__module__}.{view.__name__}" in csrf._exempt_views
    }
    asking = {endpoint for endpoint, row in ROWS.items() if row.need in (Need.ACT, Need.PAGE)}
    machines = {endpoint for endpoint, row in ROWS.items() if row.need is Need.MACHINE}

    assert {endpoint for endpoint, view in app.view_functions.items() if is_guarded(view)} == asking
    assert exempt == machines == {e for e in NO_COOKIE_ROUTES if e in ROWS}


def test_a_route_without_a_row_is_asked_for_everything() -> None:
    """A row that is forgotten closes, and never opens."""
    assert asks_for_factor("nobody.wrote_it", "GET")


def test_an_old_sign_in_is_asked_for_a_factor_and_nothing_is_written(
    world: World,  # noqa: F811
    values: dict[str, str],  # noqa: F811
) -> None:
    """Each act, twelve minutes after the sign-in: the page that asks for a factor, and no entry in the log."""
    browsers: dict[str, FlaskClient] = {}
    wrong, asked = [], 0
    for rule, _method in _asking(world.app):
        actor = _actor(rule.endpoint)
        browsers.setdefault(actor, _enter(world, actor))
    world.clock.advance(OLD)
    for rule, method in _asking(world.app):
        browser, address, before = browsers[_actor(rule.endpoint)], _address(rule, values), _acts()
        token = csrf_token(browser.get("/sign-in").text)
        answer = browser.get(address) if method == "GET" else browser.post(address, data={"csrf_token": token})
        asked += 1
        led = urlsplit(answer.location or "").path
        if answer.status_code not in (302, 303) or led not in ("/confirm", "/sign-in") or _acts() != before:
            wrong.append(f"{method} {address} as {_actor(rule.endpoint)}: {answer.status_code} {answer.location}")

    assert "\n".join(wrong) == ""
    assert asked > 30


@pytest.mark.parametrize("endpoint", sorted(name for name, row in ROWS.items() if row.need is Need.ACT))
def test_after_the_factor_the_act_goes_on_with_what_was_typed(
    world: World,  # noqa: F811
    values: dict[str, str],  # noqa: F811
    endpoint: str,
) -> None:
    """What was posted waits, comes back once, and is taken without another question."""
    browser = _stale(world, endpoint)
    rule = next(rule for rule in world.app.url_map.iter_rules(endpoint) if "POST" in (rule.methods or ()))
    address = _address(rule, values)
    asked = browser.post(address, data={"csrf_token": csrf_token(browser.get("/sign-in").text), **TYPED})
    world.clock.advance(timedelta(seconds=30))
    secret = world.persona(_KEYS.get(_actor(endpoint), _actor(endpoint)))["totp_secret"]
    code = pyotp.TOTP(secret).at(world.clock.now())
    page = browser.get(asked.location).text
    confirmed = browser.post(asked.location, data={"csrf_token": csrf_token(page), "otp": code})
    form = browser.get(confirmed.location).text
    fields = re.findall(
        r'<input type="hidden" name="([^"]+)"[^>]* value="([^"]*)"', form[form.index('id="form-post"') :]
    )
    kept = {unescape(name): unescape(value) for name, value in fields}

    answer = browser.post(address, data=kept)

    assert {name: kept[name] for name in TYPED} == TYPED
    assert not (answer.location or "").startswith(("/confirm", "/sign-in"))
