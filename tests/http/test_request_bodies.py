"""What a request may carry: only forms are forms, and neither size nor decoding is without a bound."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from idp.http.request_bodies import MAX_ESCAPES, MAX_MACHINE_BODY, MAX_PARTS, MAX_QUERY
from tests.world import csrf_token

OTHER_BODIES = {"oidc_registration.register", "oidc_registration.manage"}  # JSON, as are the streams of security events
WITH_FILES = {"enrollment.document"}


def _example(rule: Any) -> str:
    return re.sub(r"<any\((\w+)[^>]*>|<[^>]+>", lambda found: found.group(1) or "x", str(rule))


def _forms(app: Flask) -> list[Any]:
    return [
        rule
        for rule in app.url_map.iter_rules()
        if "POST" in (rule.methods or ())
        and rule.endpoint not in OTHER_BODIES
        and not rule.endpoint.startswith("oidc_streams.")
    ]


@pytest.mark.parametrize(
    "media_type",
    [
        "application/json",
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded-x",
        "multipart/form-data; boundary=b",
    ],
)
def test_only_a_form_is_a_form(app: Flask, client: FlaskClient, media_type: str) -> None:
    """Every route that means a form answers another body 415, with or without a CSRF header, before anything reads it."""
    token = csrf_token(client.get("/sign-in").text)
    body = b'{"username": true, "password": "x", "token": 1, "csrf_token": ["x"]}'
    wrong = []
    for rule in _forms(app):
        if rule.endpoint in WITH_FILES and media_type.startswith("multipart/"):
            continue
        for headers in ({}, {"X-CSRFToken": token}):
            answer = client.post(_example(rule), data=body, content_type=media_type, headers=headers)
            if answer.status_code != 415:
                wrong.append((rule.endpoint, answer.status_code))

    assert len(_forms(app)) > 80
    assert wrong == []


def test_a_json_endpoint_refuses_a_form(client: FlaskClient) -> None:
    """The other way round: registration and streams take no form."""
    for path in ("/register", "/ssf/streams"):
        assert client.post(path, data={"redirect_uris": "https://a.example/"}).status_code in (400, 401, 415), path


@pytest.mark.parametrize(
    "body",
    [
        b"&".join([b"a=1"] * (MAX_PARTS + 1)),
        b"a=" + b"%E9" * (MAX_ESCAPES + 1),
        b"&" * 1_700_000,
        b"a=" + b"%41" * 560_000,
    ],
    ids=["fields", "escapes", "separators", "a large form of escapes"],
)
@pytest.mark.parametrize("path", ["/sign-in", "/token", "/authorize"])
def test_decoding_a_form_has_a_bound(client: FlaskClient, path: str, body: bytes) -> None:
    """A form of too many fields or escapes is refused for its size, by an OAuth error where one is due."""
    answer = client.post(path, data=body, content_type="application/x-www-form-urlencoded")

    assert answer.status_code in ((400, 413) if path == "/token" else (413,))
    assert answer.status_code == 413 or answer.get_json()["error"] == "invalid_request"


def test_text_in_any_script_is_within_the_bound(client: FlaskClient) -> None:
    """Eight thousand characters of Inuktitut, nine escapes each written out, are no attack."""
    page = client.get("/sign-in")

    answer = client.post(
        "/sign-in", data={"csrf_token": csrf_token(page.text), "username": "ᐃ" * 8_000, "password": "x"}
    )

    assert answer.status_code in (200, 400)


def test_machine_endpoints_take_little(client: FlaskClient) -> None:
    """Programs send a request object or an assertion, not a document."""
    answer = client.post("/token", data={"grant_type": "x" * MAX_MACHINE_BODY})

    assert answer.status_code == 400
    assert answer.get_json()["error"] == "invalid_request"
    assert "too large" in answer.get_json()["error_description"]


def test_an_address_has_a_bound(client: FlaskClient) -> None:
    """A query that is longer than any request we take is 414."""
    assert client.get(f"/authorize?state={'x' * MAX_QUERY}").status_code == 414
