"""A receiver of security events, written without any of the provider's code, and the address it is pushed to."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import jwt as pyjwt
from werkzeug.test import TestResponse

from idp.notices.services import deliver_due
from tests.oidc.scenery import ISSUER, SECRET, RelyingParty, Scenery

PUSH, POLL = "urn:ietf:rfc:8935", "urn:ietf:rfc:8936"
CAEP = "https://schemas.openid.net/secevent/caep/event-type/"
CLAIMS_CHANGE, SESSION_REVOKED, CREDENTIAL_CHANGE = (
    CAEP + name for name in ("token-claims-change", "session-revoked", "credential-change")
)
VERIFICATION = "https://schemas.openid.net/secevent/ssf/event-type/verification"


@dataclass
class Address:
    """Where events are pushed: a real HTTP server on loopback."""

    url: str = ""
    status: int = 202
    body: bytes = b""
    received: list[tuple[dict[str, str], str]] = field(default_factory=list)

    @property
    def tokens(self) -> list[str]:
        return [token for _, token in self.received]


@contextmanager
def listening_address() -> Iterator[Address]:
    there = Address()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            token = self.rfile.read(int(self.headers["Content-Length"])).decode()
            there.received.append(({name.lower(): value for name, value in self.headers.items()}, token))
            self.send_response(there.status)
            self.end_headers()
            self.wfile.write(there.body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    there.url = f"http://127.0.0.1:{server.server_port}/events"
    yield there
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass
class Listener:
    """A client of an agency that manages its stream."""

    scenery: Scenery
    client_id: str = "watcher"

    @property
    def rp(self) -> RelyingParty:
        return RelyingParty(self.scenery, self.client_id, SECRET)

    def ask_token(self, **changed: Any) -> TestResponse:
        form = {"grant_type": "client_credentials", "redirect_uri": None, "code_verifier": None}
        return self.rp.token("", **{**form, **changed})

    def token(self, scope: str = "ssf.manage ssf.read") -> str:
        told: str = self.ask_token(scope=scope).get_json()["access_token"]
        return told

    def call(self, method: str, path: str, body: Any = None, *, token: str | None = None, **more: Any) -> TestResponse:
        if token is None:
            token = self.token()
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if body is not None:
            more["data"] = body if isinstance(body, bytes) else json.dumps(body)
            more["content_type"] = "application/json"
        return self.scenery.browser().open(path, method=method, headers=headers, **more)

    def create(self, address: Address | None = None, **changed: Any) -> dict[str, Any]:
        delivery = {"method": PUSH, "endpoint_url": address.url} if address else {"method": POLL}
        answer = self.call("POST", "/ssf/streams", {"delivery": delivery, **changed})
        assert answer.status_code == 201, answer.text
        told: dict[str, Any] = answer.get_json()
        return told

    def set_status(self, stream: dict[str, Any], status: str) -> None:
        answer = self.call("POST", "/ssf/status", {"stream_id": stream["stream_id"], "status": status})
        assert answer.status_code == 200, answer.text

    def poll(self, stream: dict[str, Any], **body: Any) -> dict[str, Any]:
        answer = self.call("POST", path_of(stream), {"returnImmediately": True, **body})
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.get_json()
        return told

    def events(self, stream: dict[str, Any]) -> list[dict[str, Any]]:
        """Poll, read and acknowledge all that waits."""
        self.deliver()
        told = self.poll(stream)["sets"]
        self.poll(stream, ack=list(told), maxEvents=0)
        return [self.read(token) for token in told.values()]

    def deliver(self) -> None:
        while deliver_due(self.scenery.clock.now()):
            pass

    def read(self, token: str) -> dict[str, Any]:
        """Verify an event token by another library, and its form (SSF 1.0 §4)."""
        header = pyjwt.get_unverified_header(token)
        assert (header["typ"], header["alg"]) == ("secevent+jwt", "RS256")
        keys = self.scenery.browser().get("/jwks").get_json()["keys"]
        key = next(each for each in keys if each["kid"] == header["kid"])
        claims: dict[str, Any] = pyjwt.decode(
            token,
            pyjwt.PyJWK(key),
            algorithms=["RS256"],
            audience=self.client_id,
            issuer=ISSUER,
            options={"verify_iat": False, "require": ["iss", "aud", "iat", "jti"]},
        )
        assert claims.keys() - {"txn"} == {"iss", "aud", "iat", "jti", "sub_id", "events"}
        assert len(claims["events"]) == 1
        return claims


def path_of(stream: dict[str, Any]) -> str:
    url: str = stream["delivery"]["endpoint_url"]
    return url.removeprefix(ISSUER)


def kinds(events: list[dict[str, Any]]) -> list[str]:
    return [kind for event in events for kind in event["events"]]
