"""A builder at an agency, who registers clients; and a host of theirs, on loopback, which serves documents."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from werkzeug.test import TestResponse

from idp.oidc.clients import initial_token_services
from tests.oidc.scenery import CALLBACK, RelyingParty, Scenery

ABOUT: dict[str, Any] = {"client_name": "Service du concepteur", "redirect_uris": [CALLBACK]}


def initial_token(scenery: Scenery, agency: str = "amp", *, uses: int = 50, days: int = 7) -> str:
    return initial_token_services.issue(agency, uses=uses, days=days, now=scenery.clock.now())


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@dataclass
class Builder:
    """Someone with an initial access token."""

    scenery: Scenery
    token: str

    def post(self, about: dict[str, Any] | None = None, *, token: str | None = None, **changed: Any) -> TestResponse:
        """Ask for a registration; a member changed to None is left out."""
        told = {name: value for name, value in {**(about or ABOUT), **changed}.items() if value is not None}
        return self.scenery.browser().post(
            "/register", json=told, headers=bearer(self.token if token is None else token)
        )

    def post_raw(self, body: bytes, content_type: str = "application/json") -> TestResponse:
        return self.scenery.browser().post(
            "/register", data=body, content_type=content_type, headers=bearer(self.token)
        )

    def registered(self, **changed: Any) -> dict[str, Any]:
        answer = self.post(**changed)
        assert answer.status_code == 201, answer.text
        told: dict[str, Any] = answer.get_json()
        return told

    def manage(self, method: str, told: dict[str, Any], *, token: str | None = None, **sent: Any) -> TestResponse:
        path = f"/register/{told['client_id']}"
        shown = told["registration_access_token"] if token is None else token
        return self.scenery.browser().open(path, method=method, headers=bearer(shown), **sent)

    def party(self, told: dict[str, Any], **changed: Any) -> RelyingParty:
        return RelyingParty(self.scenery, told["client_id"], told.get("client_secret", ""), **changed)


@dataclass
class Documents:
    """What a host answers, by path, and which paths were asked for."""

    port: int = 0
    bodies: dict[str, bytes] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    status: int = 200
    asked: list[str] = field(default_factory=list)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def put(self, path: str, told: Any) -> str:
        self.bodies[path] = told if isinstance(told, bytes) else json.dumps(told).encode()
        return self.url(path)


@contextmanager
def hosting() -> Iterator[Documents]:
    documents = Documents()

    class Host(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            documents.asked.append(self.path)
            etag = documents.headers.get("ETag")
            unchanged = etag is not None and self.headers.get("If-None-Match") == etag
            self.send_response(304 if unchanged else documents.status if self.path in documents.bodies else 404)
            for name, value in documents.headers.items():
                self.send_header(name, value)
            self.end_headers()
            if not unchanged:
                self.wfile.write(documents.bodies.get(self.path, b""))

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Host)
    documents.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield documents
    server.shutdown()
    thread.join()
    server.server_close()
