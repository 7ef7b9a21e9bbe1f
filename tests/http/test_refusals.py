"""One log line a refusal: who, what, why and from where."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from idp.app import create_app
from idp.clock import MovableClock
from idp.config import Settings
from idp.db import db
from tests.world import csrf_token, make_world

ADDRESS = "203.0.113.77"


def _lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    return [line for line in told if line["event"] == "refused"]


PAGES = [  # who asks, what, and which rule refuses it
    (None, "POST", "/sign-in", 403, "form_expired"),
    (None, "POST", "/people/new", 403, "form_expired"),
    ("pes", "POST", "/account/sessions/end", 403, "form_expired"),
    ("user", "GET", "/people", 403, "not_allowed"),
    ("pes", "GET", "/desk", 404, "not_found"),
    ("pes", "POST", "/account/language", 400, "http_400"),
    (None, "GET", "/authorize?client_id=nobody", 400, "unknown_client"),
    (None, "GET", "/end-session?asked=forged", 400, "invalid_request"),
    (None, "DELETE", "/sign-in", 405, "http_405"),
]
MACHINES = [
    ("POST", "/token", 400, "invalid_request"),
    ("POST", "/introspect", 400, "invalid_request"),
    ("POST", "/par", 401, "invalid_client"),
    ("GET", "/userinfo", 401, "not_authenticated"),
    ("POST", "/register", 401, "not_authenticated"),
    ("GET", "/ssf/streams", 401, "not_authenticated"),
]


@pytest.mark.parametrize(("who", "method", "path", "status", "reason"), PAGES)
def test_a_page_refused_is_one_line_with_its_actor(
    app: Flask,
    clock: MovableClock,
    capsys: pytest.CaptureFixture[str],
    who: str | None,
    method: str,
    path: str,
    status: int,
    reason: str,
) -> None:
    """Actor, route, reason, request number and the address as a digest; nothing of the query or the form."""
    browser = make_world(app, clock).browser(who)
    sent = (
        {"csrf_token": csrf_token(browser.get("/sign-in").text)}
        if status == 400 and method == "POST"
        else {"x": "canary"}
    )
    capsys.readouterr()

    answer = browser.open(path, method=method, data=sent, environ_base={"REMOTE_ADDR": ADDRESS})

    (line,) = _lines(capsys)
    assert (answer.status_code, line["status"], line["reason"]) == (status, status, reason)
    assert line["actor"] == "anonymous" if who is None else line["actor"].startswith("person:")
    assert (line["method"], line["route"]) == (method, path.split("?")[0] if status != 405 else None)
    assert line["request_id"] in answer.text
    assert ADDRESS not in json.dumps(line)
    assert len(line["address"]) == 16
    assert "canary" not in json.dumps(line)


@pytest.mark.parametrize(("method", "path", "status", "reason"), MACHINES)
def test_a_program_refused_is_one_line(
    client: FlaskClient, capsys: pytest.CaptureFixture[str], method: str, path: str, status: int, reason: str
) -> None:
    """Whatever endpoint of programs refuses, it is written, with the error that the answer names."""
    answer = client.open(path, method=method, data={"client_secret": "canary"} if method == "POST" else None)

    (line,) = _lines(capsys)
    assert (answer.status_code, line["status"], line["reason"]) == (status, status, reason)
    assert line["actor"] == "anonymous"
    assert "canary" not in json.dumps(line)


def test_a_limit_reached_is_one_line(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    """Who sends too much is written too, in clear where the deployment says so."""
    app = create_app(settings.model_copy(update={"log_addresses": "plain"}))
    with app.app_context():
        db.create_all()
    browser = app.test_client()
    form = {"csrf_token": csrf_token(browser.get("/sign-in").text)}
    for _ in range(60):
        browser.post("/freeze", data=form, environ_base={"REMOTE_ADDR": ADDRESS})
    capsys.readouterr()

    answer = browser.post("/freeze", data=form, environ_base={"REMOTE_ADDR": ADDRESS})

    (line,) = _lines(capsys)
    assert answer.status_code == line["status"] == 429
    assert (line["reason"], line["route"]) == ("too_many_requests", "/freeze")
    assert (line["actor"], line["address"]) == ("anonymous", ADDRESS)
    with app.app_context():
        db.engine.dispose()


def test_an_answer_that_refuses_nothing_writes_nothing(client: FlaskClient, capsys: pytest.CaptureFixture[str]) -> None:
    """Pages, redirects, and addresses that do not exist are no refusals."""
    for path in ("/", "/account", "/nothing-here", "/.well-known/openid-configuration"):
        client.get(path)

    assert _lines(capsys) == []
