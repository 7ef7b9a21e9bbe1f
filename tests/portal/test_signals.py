"""The portal hears of changes by its event stream: what it believes, and what it does then (rule 7)."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from examples.amp_portal.sessions import find_session, open_session
from examples.amp_portal.signals import CLAIMS_CHANGE, CREDENTIAL_CHANGE, SESSION_REVOKED
from tests.portal.provider import FOREIGN, KEY, FakeProvider, token_of

OURS, THEIRS = "neq:1100000455", "neq:3300000018"


def header_of(browser: FlaskClient) -> str:
    header: str = browser.application.extensions["portal.listening"].header
    return header


def event(issuer: str, kind: str = CLAIMS_CHANGE, content: Any = None, **changes: Any) -> str:
    told = {"events": {kind: changed() if content is None else content}, "sub_id": person(issuer), "jti": "e-1"}
    absent = dict.fromkeys(("sub", "sid", "exp", "nonce"))
    key, header = changes.pop("key", KEY), changes.pop("header", {"typ": "secevent+jwt"})
    return token_of(issuer, key, header=header, **{**absent, **told, **changes})


def person(issuer: str, sub: str = "s") -> dict[str, Any]:
    return {"format": "iss_sub", "iss": issuer, "sub": sub}


def changed(version: int = 5, enterprise: str = OURS) -> dict[str, Any]:
    claims = {"enterprise": {"id": enterprise}, "representation": {"version": version}, "functional_blocks": []}
    return {"claims": claims, "event_timestamp": 1}


def push(browser: FlaskClient, token: str, **changed_headers: str) -> TestResponse:
    headers = {"Authorization": header_of(browser), "Content-Type": "application/secevent+jwt", **changed_headers}
    return browser.post("/events", data=token, headers=headers)


def sign_in(browser: FlaskClient, issuer: str, version: int = 4, enterprise: str = OURS, sid: str = "S-1") -> str:
    now = int(time.time())
    claims = {
        **{"iss": issuer, "sub": "s", "sid": sid, "iat": now, "exp": now + 300},
        "enterprise": {"id": enterprise, "name": "Licorne", "neq": enterprise[4:], "status": "active"},
        "representation": {"role": "user", "basis": "direct", "version": version},
        "functional_blocks": ["008"],
    }
    present = datetime.now(UTC)
    return open_session(browser.application.extensions["portal.database"], claims, "t", asked_at=present, now=present)


def has_ended(browser: FlaskClient, cookie: str) -> bool:
    found = find_session(browser.application.extensions["portal.database"], cookie)
    assert found is not None
    return found.ended_at is not None


def test_a_higher_version_ends_the_session_and_says_why(browser: FlaskClient, issuer: str) -> None:
    """Rule 7: the next click shows that rights have changed, and the way to go on with the present ones."""
    cookie = sign_in(browser, issuer)

    answer = push(browser, event(issuer))

    assert (answer.status_code, answer.data) == (202, b"")
    browser.set_cookie("portal", cookie, domain="localhost")
    page = browser.get("/invoices")
    assert (page.status_code, 'id="removed"' in page.text, "/sign-in?next=/invoices" in page.text) == (403, True, True)


@pytest.mark.parametrize(
    ("version", "enterprise", "sub"), [(4, OURS, "s"), (3, OURS, "s"), (5, THEIRS, "s"), (5, OURS, "other")]
)
def test_what_is_not_newer_or_not_of_this_session_changes_nothing(
    browser: FlaskClient, issuer: str, version: int, enterprise: str, sub: str
) -> None:
    """An equal or older version, another enterprise, another person."""
    cookie = sign_in(browser, issuer)

    assert (
        push(browser, event(issuer, content=changed(version, enterprise), sub_id=person(issuer, sub))).status_code
        == 202
    )

    assert not has_ended(browser, cookie)


def test_an_event_counts_once(browser: FlaskClient, issuer: str) -> None:
    """The same jti again is accepted and has no effect, even on a session that it would concern."""
    push(browser, event(issuer, content=changed(3)))
    cookie = sign_in(browser, issuer)

    assert push(browser, event(issuer, content=changed(9))).status_code == 202

    assert not has_ended(browser, cookie)


def test_an_event_that_overtakes_the_answer_still_counts(browser: FlaskClient, issuer: str) -> None:
    """A token that says less than an event already said opens no session; a fresh one does, whatever the order of events."""
    push(browser, event(issuer, content=changed(7)))
    push(browser, event(issuer, content=changed(6), jti="e-2"))

    assert [has_ended(browser, sign_in(browser, issuer, version)) for version in (6, 7, 8)] == [True, False, False]
    assert not has_ended(browser, sign_in(browser, issuer, 1, THEIRS))


def test_a_revoked_session_ends_and_the_others_go_on(browser: FlaskClient, issuer: str) -> None:
    """CAEP session-revoked: the session of the complex subject, once; a sign-in of the same person elsewhere stays."""
    first, second = sign_in(browser, issuer), sign_in(browser, issuer, sid="S-2")
    subject = {"format": "complex", "user": person(issuer), "session": {"format": "opaque", "id": "S-1"}}

    assert push(browser, event(issuer, SESSION_REVOKED, {}, sub_id=subject)).status_code == 202

    assert (has_ended(browser, first), has_ended(browser, second)) == (True, False)


def test_other_events_are_accepted_and_shown(browser: FlaskClient, issuer: str) -> None:
    """A changed credential, and what is not known yet, end nothing (rule 5); the person sees that they came."""
    cookie = sign_in(browser, issuer)
    push(browser, event(issuer, CREDENTIAL_CHANGE, {"credential_type": "app", "change_type": "update"}))
    push(browser, event(issuer, "https://schemas.example/new", {}, jti="e-2"))
    browser.set_cookie("portal", cookie, domain="localhost")

    page = browser.get("/told").text

    assert "Mot de passe ou application modifié" in page
    assert "Autre signal" in page


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"iss": "http://elsewhere"}, "invalid_issuer"),
        ({"aud": "another"}, "invalid_audience"),
        ({"aud": None}, "invalid_audience"),
        ({"key": FOREIGN}, "invalid_key"),
        ({"header": {"typ": "JWT"}}, "invalid_request"),
        ({"header": {"typ": "logout+jwt"}}, "invalid_request"),
        ({"header": {}}, "invalid_request"),
        ({"exp": 9_999_999_999}, "invalid_request"),
        ({"sub": "s"}, "invalid_request"),
        ({"nonce": "n"}, "invalid_request"),
        ({"jti": None}, "invalid_request"),
        ({"iat": 9_999_999_999}, "invalid_request"),
        ({"events": {}}, "invalid_request"),
        ({"events": {CLAIMS_CHANGE: changed(), SESSION_REVOKED: {}}}, "invalid_request"),
        ({"events": [CLAIMS_CHANGE]}, "invalid_request"),
        ({"sub_id": "s"}, "invalid_request"),
        ({"content": {}}, "invalid_request"),
        ({"content": {"claims": {"enterprise": {"id": OURS}}}}, "invalid_request"),
        ({"content": {"claims": {"enterprise": {"id": OURS}, "representation": {"version": True}}}}, "invalid_request"),
        ({"content": []}, "invalid_request"),
    ],
)
def test_a_wrong_event_is_refused_and_ends_nothing(
    browser: FlaskClient, issuer: str, changes: dict[str, Any], code: str
) -> None:
    """RFC 8935 §2.3: 400 with the code of the registry, for each single fault."""
    cookie = sign_in(browser, issuer)

    answer = push(browser, event(issuer, **changes))

    assert (answer.status_code, answer.get_json()["err"]) == (400, code)
    assert not has_ended(browser, cookie)


def test_only_our_transmitter_may_post(browser: FlaskClient, issuer: str) -> None:
    """Without the header, with another, as a form, or as no token at all: refused before anything is believed."""
    cookie = sign_in(browser, issuer)
    for answer in (
        push(browser, event(issuer), Authorization=""),
        push(browser, event(issuer), Authorization=header_of(browser) + "x"),
        push(browser, event(issuer), Authorization="é"),
        push(browser, event(issuer), **{"Content-Type": "application/jwt"}),
        push(browser, "x"),
        push(browser, ""),
    ):
        assert answer.status_code == 400

    assert not has_ended(browser, cookie)
    assert browser.get("/events").status_code in (404, 405)


# The stream


def ensure(browser: FlaskClient) -> None:
    with browser.application.app_context():
        browser.application.extensions["portal.listening"].ensure()


def test_the_stream_is_made_once(browser: FlaskClient, provider: FakeProvider) -> None:
    """At the first need: a push stream to our address, with our header; a second need asks nothing."""
    ensure(browser)
    calls = list(provider.calls)
    ensure(browser)

    assert [(method, path) for method, path, _ in calls] == [
        ("POST", "/token"),
        ("GET", "/streams"),
        ("POST", "/streams"),
    ]
    assert provider.calls == calls
    assert provider.stream is not None
    delivery = provider.stream["delivery"]
    assert delivery["endpoint_url"] == "http://127.0.0.1:8001/events"
    assert delivery["authorization_header"] == header_of(browser)


def test_a_second_start_finds_its_stream(browser: FlaskClient, provider: FakeProvider) -> None:
    """The stream there is brought up to date and enabled; none is added."""
    provider.stream = {"stream_id": "st-1"}
    ensure(browser)

    assert [(method, path) for method, path, _ in provider.calls][2:] == [("PUT", "/streams"), ("POST", "/status")]


def test_without_streams_the_portal_works_on(browser: FlaskClient, provider: FakeProvider) -> None:
    """A provider that has none stops nothing; the next sign-in tries again."""
    provider.has_streams = False
    ensure(browser)
    assert provider.stream is None
    provider.has_streams = True
    ensure(browser)

    assert provider.stream is not None
