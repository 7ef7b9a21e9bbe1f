from __future__ import annotations

import base64
import hashlib
import hmac
import http.server
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import RSAKey

from examples.amp_portal.app import create_app
from examples.amp_portal.oidc import LOGOUT_EVENT, Provider, RefusedTokenError
from examples.amp_portal.sessions import find_session, open_session
from examples.amp_portal.settings import PortalSettings

KEY = RSAKey.generate_key(2048, parameters={"kid": "k1", "alg": "RS256", "use": "sig"})
FOREIGN = RSAKey.generate_key(2048, parameters={"kid": "k1", "alg": "RS256", "use": "sig"})


@pytest.fixture
def issuer() -> Iterator[str]:
    """Serve a discovery document and a key set, as a provider does."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            base = f"http://127.0.0.1:{self.server.server_address[1]}"
            document = {
                "issuer": base,
                "jwks_uri": f"{base}/jwks",
                "authorization_endpoint": f"{base}/authorize",
                "token_endpoint": f"{base}/token",
                "end_session_endpoint": f"{base}/end-session",
            }
            body = {"keys": [KEY.as_dict(private=False)]} if self.path == "/jwks" else document
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def browser(issuer: str, tmp_path: Path) -> FlaskClient:
    settings = PortalSettings(issuer, "http://127.0.0.1:8001", "amp-portal", "secret", tmp_path / "portal.sqlite3")
    return create_app(settings).test_client()


def _provider(browser: FlaskClient) -> Provider:
    found: Provider = browser.application.extensions["portal.provider"]
    return found


def _token(issuer: str, key: Any = KEY, header: dict[str, Any] | None = None, **changes: Any) -> str:
    now = int(time.time())
    claims = {"iss": issuer, "aud": "amp-portal", "sub": "s", "sid": "S-1", "iat": now, "exp": now + 300, "nonce": "n"}
    claims = {name: value for name, value in (claims | changes).items() if value is not None}
    protected = {"alg": "RS256", "kid": "k1"} | (header or {})
    return jwt.encode(protected, claims, key, algorithms=[protected["alg"]])


def _keyed_with_the_public_key(issuer: str) -> str:
    header = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"k1"}').rstrip(b"=").decode()
    signed = f"{header}.{_token(issuer).split('.')[1]}"
    mac = hmac.new(KEY.as_pem(private=False), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def _logout_token(issuer: str, **changes: Any) -> str:
    changes = {"events": {LOGOUT_EVENT: {}}, "jti": "j-1", "nonce": None} | changes
    return _token(issuer, header={"typ": "logout+jwt"}, **changes)


def test_a_good_id_token_is_accepted(browser: FlaskClient, issuer: str) -> None:
    """Signature, issuer, audience, life and nonce agree."""
    with browser.application.app_context():
        assert _provider(browser).verify_id_token(_token(issuer), "n")["sub"] == "s"


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
        _provider(browser).verify_id_token(_token(issuer, **changes), "n")


def test_a_foreign_signature_or_algorithm_is_refused(browser: FlaskClient, issuer: str) -> None:
    """Another key under the same kid, an HMAC keyed with the public key, or no signature: refused."""
    unsigned = ".".join([_token(issuer).replace("RS256", "none").split(".")[0], _token(issuer).split(".")[1], ""])
    with browser.application.app_context():
        for token in (_token(issuer, FOREIGN), _keyed_with_the_public_key(issuer), unsigned, "x", "a.b.c"):
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
    assert browser.post("/backchannel-logout", data={"logout_token": _token(issuer)}).status_code == 400


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
