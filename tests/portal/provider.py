"""A provider as the portal sees one: discovery, keys, and the management of one event stream, on loopback."""

from __future__ import annotations

import http.server
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from joserfc import jwt
from joserfc.jwk import RSAKey

KEY = RSAKey.generate_key(2048, parameters={"kid": "k1", "alg": "RS256", "use": "sig"})
FOREIGN = RSAKey.generate_key(2048, parameters={"kid": "k1", "alg": "RS256", "use": "sig"})


@dataclass
class FakeProvider:
    """What it was asked about streams, and the stream it keeps."""

    url: str = ""
    has_streams: bool = True
    stream: dict[str, Any] | None = None
    id_token: str = ""
    calls: list[tuple[str, str, Any]] = field(default_factory=list)

    def answer(self, method: str, path: str, authorization: str, body: bytes) -> tuple[int, Any]:
        base = self.url
        if path == "/jwks":
            return 200, {"keys": [KEY.as_dict(private=False)]}
        if path == "/.well-known/openid-configuration":
            names = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "jwks"}
            return 200, {"issuer": base} | {name: f"{base}/{place}" for name, place in names.items()}
        if not self.has_streams:
            return 404, {}
        if path == "/.well-known/ssf-configuration":
            endpoints = {"configuration_endpoint": f"{base}/streams", "status_endpoint": f"{base}/status"}
            return 200, {"issuer": base, **endpoints}
        self.calls.append((method, path, body if path == "/token" else json.loads(body or b"null")))
        if path == "/token":
            return 200, {"access_token": "T", "token_type": "Bearer", "id_token": self.id_token}
        if authorization != "Bearer T":
            return 401, {}
        if (method, path) == ("GET", "/streams"):
            return 200, [self.stream] if self.stream else []
        if path == "/streams":
            self.stream = {"stream_id": "st-1", **json.loads(body)}
        return 200, self.stream


@contextmanager
def running_provider() -> Iterator[FakeProvider]:
    provider = FakeProvider()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            given = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            authorization = self.headers.get("Authorization", "")
            status, told = provider.answer(self.command, self.path, authorization, given)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(told).encode())

        do_POST = do_PUT = do_GET  # noqa: N815 (names of the standard library)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    provider.url = f"http://127.0.0.1:{server.server_port}"
    yield provider
    server.shutdown()
    thread.join()
    server.server_close()


def token_of(issuer: str, key: Any = KEY, header: dict[str, Any] | None = None, **changes: Any) -> str:
    """Return an ID token, or another one by *changes*; a claim changed to None is left out."""
    now = int(time.time())
    claims = {"iss": issuer, "aud": "amp-portal", "sub": "s", "sid": "S-1", "iat": now, "exp": now + 300, "nonce": "n"}
    claims = {name: value for name, value in (claims | changes).items() if value is not None}
    protected = {"alg": "RS256", "kid": "k1"} | (header or {})
    return jwt.encode(protected, claims, key, algorithms=[protected["alg"]])
