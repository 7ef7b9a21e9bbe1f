"""The coarse shield, switched on: what an address may ask, as whom it counts, and what happens without the storage."""

from __future__ import annotations

from collections.abc import Iterator
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from idp.app import create_app
from idp.config import Settings
from idp.db import db
from idp.http.limits import counted_address, limiter, storage_of
from tests.flows.installation import free_port
from tests.oidc.scenery import csrf_token
from tests.schema import create_schema

LIMIT = 60


@pytest.fixture
def shielded(settings: Settings) -> Iterator[Flask]:
    yield from _application(settings)


@pytest.fixture
def unshared(settings: Settings) -> Iterator[Flask]:
    """An application whose storage is configured and does not answer."""
    yield from _application(
        settings.model_copy(update={"rate_limit_storage": f"valkey://:hunter2@127.0.0.1:{free_port()}/0"})
    )


def _application(settings: Settings) -> Iterator[Flask]:
    app = create_app(settings)
    with app.app_context():
        create_schema()
        db.session.remove()
    yield app
    with app.app_context():
        db.engine.dispose()


def client_at(app: Flask, address: str) -> FlaskClient:
    client = app.test_client()
    client.environ_base = {**client.environ_base, "REMOTE_ADDR": address}
    return client


def tries(client: FlaskClient, many: int) -> list[TestResponse]:
    form = {"csrf_token": csrf_token(client.get("/sign-in").text), "username": "", "password": ""}
    return [client.post("/sign-in", data=form) for _ in range(many)]


@pytest.mark.bar("S-84")
def test_the_sixty_first_request_of_a_minute_is_told_when_to_come_back(shielded: Flask) -> None:
    """429, Retry-After within the minute, a page that says it in both languages; another address goes on (RFC 6585 §4)."""
    client = client_at(shielded, "203.0.113.7")
    answers = tries(client, LIMIT + 1)

    assert [answer.status_code for answer in answers] == [200] * LIMIT + [429]
    refused = answers[-1]
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert "Attendez une minute, puis réessayez." in unescape(refused.text)
    assert refused.headers["Cache-Control"] == "no-store"
    client.get("/sign-in?lang=en")
    form = {"csrf_token": csrf_token(client.get("/sign-in").text)}
    assert "Wait a minute, then try again." in client.post("/sign-in", data=form).text
    assert tries(client_at(shielded, "203.0.113.8"), 1)[0].status_code == 200


@pytest.mark.bar("S-84")
def test_an_ipv6_network_counts_as_one(shielded: Flask) -> None:
    """Whoever changes address within their /64 is the same sender; the network beside it is another."""
    one, other = client_at(shielded, "2001:db8:1:2::1"), client_at(shielded, "2001:db8:1:2:ffff:ffff:ffff:ffff")
    tries(one, LIMIT)

    assert tries(other, 1)[0].status_code == 429
    assert tries(client_at(shielded, "2001:db8:1:3::1"), 1)[0].status_code == 200


@pytest.mark.parametrize(
    ("shown", "counted"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unix:", "unix:"),
        ("", "nobody"),
    ],
)
def test_as_whom_an_address_counts(app: Flask, shown: str, counted: str) -> None:
    """IPv4 whole, IPv6 by its network, anything else as it is."""
    with app.test_request_context(environ_base={"REMOTE_ADDR": shown}):
        assert counted_address() == counted


def test_without_its_storage_the_shield_opens(unshared: Flask, capfd: pytest.CaptureFixture[str]) -> None:
    """Pages answer as ever; the log says why, and never the password of the storage."""
    answers = tries(client_at(unshared, "203.0.113.7"), LIMIT + 5)

    assert {answer.status_code for answer in answers} == {200}
    assert "hunter2" not in "".join(capfd.readouterr())


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("memory://", "memory://"),
        ("valkey://cache:6379/1", "valkey://cache:6379/1"),
        ("redis://u:p@cache", "valkey://u:p@cache"),
        ("rediss://cache", "valkeys://cache"),
        ("redis+unix:///run/redis.sock", "valkey+unix:///run/redis.sock"),
    ],
)
def test_one_client_speaks_to_both_servers(given: str, used: str) -> None:
    """Only the package of Valkey is installed; its protocol is that of Redis."""
    assert storage_of(given) == used


def _asked(client: FlaskClient, method: str, path: str, many: int) -> list[TestResponse]:
    return [client.open(path, method=method) for _ in range(many)]


@pytest.mark.parametrize("path", ["/authorize", "/end-session"])
def test_a_stranger_s_authorizations_are_counted(shielded: Flask, path: str) -> None:
    """Beyond 240 in a minute an address is told when to come back, before anything is kept for it."""
    client = client_at(shielded, "203.0.113.21")

    answers = _asked(client, "GET", path, 241)

    assert {answer.status_code for answer in answers[:240]} & {429} == set()
    assert answers[240].status_code == 429
    assert 1 <= int(answers[240].headers["Retry-After"]) <= 60


def test_refused_calls_of_programs_are_counted_together_and_the_others_are_not(shielded: Flask) -> None:
    """600 refusals over all machine endpoints turn an address away; what is answered well counts for nothing."""
    client = client_at(shielded, "203.0.113.22")
    fine = _asked(client, "GET", "/jwks", 700)

    refused = [*_asked(client, "POST", "/token", 300), *_asked(client, "POST", "/introspect", 300)]
    turned_away = client.post("/revoke")

    assert {answer.status_code for answer in fine} == {200}
    assert 429 not in {answer.status_code for answer in refused}
    assert (turned_away.status_code, turned_away.get_json()) == (429, {"error": "too_many_requests"})
    assert 1 <= int(turned_away.headers["Retry-After"]) <= 60
    assert client_at(shielded, "203.0.113.23").post("/revoke").status_code != 429


def test_every_openid_endpoint_stands_behind_a_limit(shielded: Flask) -> None:
    """Each endpoint that a stranger can call is counted: by its refusals, or by every request."""
    strangers = ("oidc.", "oidc_machine.", "oidc_registration.", "oidc_streams.", "oidc_end_session.end_session")
    endpoints = [name for name in shielded.view_functions if name.startswith(strangers)]
    by_request = {key.rpartition(".views.")[2] for key in limiter.limit_manager._decorated_limits}

    open_ones = [
        name
        for name in endpoints
        if not getattr(shielded.view_functions[name], "machine", False)
        and not any(limited.endswith(f".{name.rpartition('.')[2]}") for limited in by_request)
    ]

    assert len(endpoints) > 10
    assert open_ones == []
