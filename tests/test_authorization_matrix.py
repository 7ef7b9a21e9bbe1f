"""Every route × every actor, against the table of ``authorization_matrix``."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient

from idp import audit
from idp.accounts import services as accounts
from idp.accounts.people.contact_services import note_confirmed
from idp.clock import MovableClock
from idp.delegation import services as delegation
from idp.delegation.people.domain.roles import Role
from idp.delegation.requests import request_services
from idp.delegation.rights import system_user_services
from idp.delegation.rights.domain import rules
from idp.delegation.rights.domain.system_users import Wanted
from idp.delegation.subscriptions import subscription_services
from tests.accounts.conftest import latest_email_code, switch_on
from tests.authorization_matrix import ACTORS, ALLOWED, MACHINES
from tests.world import World, csrf_token, make_world

_TURNED_AWAY = (
    "/sign-in",
    "/confirm",
    "/freeze",
    "/enterprises",
    "/enrol",
    "/enrol/resume",
    "/activate",
    "/recover",
    "/desk",
    "/desk/subscriptions",
)
_LAST = {"enrollment.start": 1, "people.do_act": 2, "people.take_enterprise": 3}  # they change what the others see
_END_THE_SESSION = (
    "sign_in.sign_out",
    "oidc_end_session.confirm",
    "devices.end_all",
    "freezing.own",
    "linking.other_account",
)  # of whoever asks
_KEYS = {"pes_elsewhere": "two_enterprises"}


def _story(world: World) -> str:
    return next(
        view.enterprise_id for view in delegation.memberships_of(_person(world, "pes")) if view.role == Role.PES
    )


def _person(world: World, key: str) -> str:
    code = world.persona(key)["user_code"].replace("-", "")
    return str(accounts.user_codes([code])[code].person_id)


@pytest.fixture
def world(app: Flask, clock: MovableClock) -> World:
    return make_world(app, clock)


@pytest.fixture
def values(world: World) -> dict[str, str]:
    """Real ids of the story's enterprise, for every place of an address."""
    story = _story(world)
    newcomer = delegation.create_user(
        story,
        given_name="Noé",
        family_name="Bruinevent",
        email="noe@licorne.example",
        language="fr",
        by=_person(world, "pes"),
        now=world.clock.now(),
    )
    waiting = subscription_services.subscribe(
        story,
        "bac",
        answers={"creature": "licorne", "opening": "2027-01-04", "phone": "418 555-0123", "insured": "yes"},
        blocks=("018",),
        by=_person(world, "pes"),
        now=world.clock.now(),
    )
    until = rules.default_end(world.clock.now())
    user, codes = _person(world, "user"), frozenset({"005"})
    assert request_services.ask(
        story, "amp", person_id=user, blocks=codes, until=until, reason="Je remplace Omar", now=world.clock.now()
    )
    (asked, *_others), _more = request_services.requests_of(story, is_open=True)
    return {
        "agency_id": "amp",
        "request_id": asked.id,
        "enterprise_id": story,
        "membership_id": newcomer.membership_id,
        "system_user_id": system_user_services.approve(
            story,
            "amp",
            Wanted("ledger", "Progiciel", frozenset({"008"}), until),
            by=_person(world, "pes"),
            now=world.clock.now(),
        ),
        "act": "suspend",
        "kind": "application",
        "factor_id": "none",
        "subscription_id": waiting.id,
        "file_id": "none",
        "reproofing_id": "none",
        "evidence_id": "none",
        "nominee_id": "none",
        "question_id": "none",
        "filename": "css/app.css",
    }


def _enter(world: World, actor: str) -> FlaskClient:
    if actor == "reader":
        return _enter_with_email(world)
    browser = world.browser(None if actor == "anonymous" else _KEYS.get(actor, actor))
    if actor == "pes_elsewhere":
        firm = next(
            view.enterprise_id
            for view in delegation.memberships_of(_person(world, "two_enterprises"))
            if view.role == Role.PES
        )
        token = csrf_token(browser.get("/enterprises").text)
        answer = browser.post("/enterprises", data={"csrf_token": token, "enterprise": firm})
        assert answer.status_code == 303
    return browser


def _enter_with_email(world: World) -> FlaskClient:
    switch_on(world.app)
    persona, browser = world.persona("pes"), world.browser()
    note_confirmed(accounts.person(_person(world, "pes")).email, now=world.clock.now())
    fields = {"username": persona["user_code"], "password": persona["password"]}
    for path, typed in (("/sign-in", fields), ("/sign-in/code/email/send", {}), ("/sign-in/code/email", None)):
        token = csrf_token(browser.get(path.removesuffix("/send")).text)
        typed = {"email_code": latest_email_code()} if typed is None else typed
        answer = browser.post(path, data={"csrf_token": token, **typed})
    assert answer.location == "/home"
    return browser


def _past_the_door(browser: FlaskClient, answer: Any, path: str) -> bool:
    """Follow where the answer leads; a door is closed by an error page, or by one of the pages one is turned away to."""
    for _ in range(5):
        if answer.status_code not in (301, 302, 303):
            break
        target = urlsplit(answer.location).path
        if target in _TURNED_AWAY and target != path:
            return False
        answer = browser.get(answer.location)
    return answer.status_code not in (401, 403, 404) and "interaction_over" not in answer.text


def test_every_route_has_a_row(app: Flask) -> None:
    """A new route comes with its row, and a row names a route that exists."""
    routes = {rule.endpoint for rule in app.url_map.iter_rules()} - {"static"}

    assert sorted(routes - set(ALLOWED) - MACHINES) == []
    assert sorted((set(ALLOWED) | MACHINES) - routes) == []


@pytest.mark.parametrize("actor", ACTORS)
def test_each_actor_gets_past_the_doors_of_the_table_and_no_other(
    world: World, values: dict[str, str], actor: str
) -> None:
    """GET and POST of every route; whoever is turned away leaves no trace of an act in the log."""
    browser = _enter(world, actor)
    wrong: list[str] = []
    checked = 0
    for rule in sorted(world.app.url_map.iter_rules(), key=lambda rule: (_LAST.get(rule.endpoint, 0), str(rule))):
        if rule.endpoint not in ALLOWED or rule.endpoint in _END_THE_SESSION:
            continue
        for method in sorted((rule.methods or set()) & {"GET", "POST"}):
            path = rule.build(values, append_unknown=False)
            address = path[1] if path else str(rule)
            before = _acts()
            if method == "GET":
                answer = browser.get(address)
            else:
                token = csrf_token(browser.get("/sign-in").text)
                answer = browser.post(address, data={"csrf_token": token, "enterprise": values["enterprise_id"]})
            allowed = actor in ALLOWED[rule.endpoint]
            missing_row = answer.status_code == 404 and allowed and "none" in address
            opened = missing_row or _past_the_door(browser, answer, address)
            checked += 1
            if answer.status_code >= 500 or (not allowed and _acts() != before):
                wrong.append(f"{method} {address}: {answer.status_code}, acts {before} → {_acts()}")
            elif opened != allowed:
                wrong.append(
                    f"{method} {address} as {actor}: {answer.status_code} {answer.location or ''}, wanted {allowed}"
                )

    assert "\n".join(wrong) == ""
    assert checked > 80


def _acts() -> int:
    return len(audit.entries(limit=10_000))
