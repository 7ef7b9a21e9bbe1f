from __future__ import annotations

import base64
import hashlib
import hmac
import time
from typing import Any

import pytest
from flask.testing import FlaskClient

from examples.amp_portal.oidc import LOGOUT_EVENT, Provider, RefusedTokenError
from examples.amp_portal.sessions import find_session, open_session
from tests.portal.provider import FOREIGN, KEY, token_of


def _provider(browser: FlaskClient) -> Provider:
    found: Provider = browser.application.extensions["portal.provider"]
    return found


def _keyed_with_the_public_key(issuer: str) -> str:
    header = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"k1"}').rstrip(b"=").decode()
    signed = f"{header}.{token_of(issuer).split('.')[1]}"
    mac = hmac.new(KEY.as_pem(private=False), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def _logout_token(issuer: str, **changes: Any) -> str:
    changes = {"events": {LOGOUT_EVENT: {}}, "jti": "j-1", "nonce": None} | changes
    return token_of(issuer, header={"typ": "logout+jwt"}, **changes)


def test_a_good_id_token_is_accepted(browser: FlaskClient, issuer: str) -> None:
    """Signature, issuer, audience, life and nonce agree."""
    with browser.application.app_context():
        assert _provider(browser).verify_id_token(token_of(issuer), "n")["sub"] == "s"


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "http://elsewhere"},
        {"aud": "another"},
        {"aud": ["amp-portal", "another"]},
        {"exp": 1},
        {"exp": None},
        {"exp": "2000000000"},
        {"iat": 9_999_999_999},
        {"nonce": "other"},
        {"nonce": None},
        {"sid": None},
        {"sub": 7},
    ],
)
def test_a_wrong_id_token_is_refused(browser: FlaskClient, issuer: str, changes: dict[str, Any]) -> None:
    """Each single wrong claim refuses the token (rule 1)."""
    with browser.application.app_context(), pytest.raises(RefusedTokenError):
        _provider(browser).verify_id_token(token_of(issuer, **changes), "n")


def test_a_foreign_signature_or_algorithm_is_refused(browser: FlaskClient, issuer: str) -> None:
    """Another key under the same kid, an HMAC keyed with the public key, or no signature: refused."""
    unsigned = ".".join([token_of(issuer).replace("RS256", "none").split(".")[0], token_of(issuer).split(".")[1], ""])
    with browser.application.app_context():
        for token in (token_of(issuer, FOREIGN), _keyed_with_the_public_key(issuer), unsigned, "x", "a.b.c"):
            with pytest.raises(RefusedTokenError):
                _provider(browser).verify_id_token(token, "n")


def test_an_answer_of_another_issuer_is_refused(browser: FlaskClient) -> None:
    """RFC 9207: the answer must name our provider; an answer without a name is refused too."""
    assert browser.get("/callback?code=x&state=y&iss=http://evil").status_code == 400
    assert browser.get("/callback?code=x&state=y").status_code == 400


def test_a_logout_token_ends_the_session_once(browser: FlaskClient, issuer: str) -> None:
    """The session named by sid ends; the same token a second time changes nothing."""
    from datetime import UTC, datetime

    database = browser.application.extensions["portal.database"]
    claims = {"iss": issuer, "sub": "s", "sid": "S-1", "iat": int(time.time()), "exp": int(time.time()) + 300}
    cookie = open_session(database, claims, "id-token", asked_at=datetime.now(UTC), now=datetime.now(UTC))
    token = _logout_token(issuer)

    assert browser.post("/backchannel-logout", data={"logout_token": token}).status_code == 200

    ended = find_session(database, cookie)
    assert ended is not None
    assert ended.ended_at is not None
    assert browser.post("/backchannel-logout", data={"logout_token": token}).status_code == 200
    browser.set_cookie("portal", cookie, domain="localhost")
    page = browser.get("/invoices")
    assert page.status_code == 403
    assert 'id="removed"' in page.text


@pytest.mark.parametrize(
    "changes",
    [
        {"nonce": "n"},
        {"events": {}},
        {"events": {LOGOUT_EVENT: {"x": 1}}},
        {"events": None},
        {"jti": None},
        {"sid": None, "sub": None},
        {"aud": "another"},
    ],
)
def test_a_token_that_is_no_logout_token_ends_nothing(
    browser: FlaskClient, issuer: str, changes: dict[str, Any]
) -> None:
    """Each malformed logout token is a 400 (OIDC Back-Channel Logout §2.6)."""
    answer = browser.post("/backchannel-logout", data={"logout_token": _logout_token(issuer, **changes)})

    assert answer.status_code == 400


def test_an_id_token_is_no_logout_token(browser: FlaskClient, issuer: str) -> None:
    """The type is checked: an ID token posted as a signal is refused."""
    assert browser.post("/backchannel-logout", data={"logout_token": token_of(issuer)}).status_code == 400


def test_a_signal_that_overtakes_the_answer_still_counts(browser: FlaskClient, issuer: str) -> None:
    """A token asked for before the signal came opens no session; one asked for after it does, in the same second too."""
    from datetime import UTC, datetime

    database = browser.application.extensions["portal.database"]
    before = datetime.now(UTC)
    assert browser.post("/backchannel-logout", data={"logout_token": _logout_token(issuer)}).status_code == 200
    after, now = datetime.now(UTC), int(time.time())
    claims = {"iss": issuer, "sub": "s", "sid": "S-1", "iat": now, "exp": now + 300}

    stale = open_session(database, claims, "id-token", asked_at=before, now=after)
    fresh = open_session(database, claims, "id-token", asked_at=after, now=after)

    found = [find_session(database, cookie) for cookie in (stale, fresh)]
    assert [session is not None and session.ended_at is None for session in found] == [False, True]
