"""A very small agency, for what the portal does not do: another response mode, a callback that leads to another origin."""

from __future__ import annotations

import secrets
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import yaml

from idp.clock import SystemClock
from idp.oidc.clients import client_services
from tests.flows.installation import Installation

CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"  # RFC 7636, appendix B


@contextmanager
def agency_site(leads_to: str | None = None) -> Iterator[str]:
    """Run a site whose ``/callback`` shows what it received, or leads on to the origin *leads_to*; give its origin."""

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(urlsplit(self.path).query)

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers["Content-Length"])).decode())

        def _answer(self, received: str) -> None:
            if leads_to:
                self.send_response(303)
                self.send_header("Location", f"{leads_to}/workspace?{received}")
                self.end_headers()
                return
            names = ", ".join(sorted(parse_qs(received)))
            page = (
                "<!doctype html><html lang='fr'><title>Agence</title><link rel='icon' href='data:,'>"  # no request beside ours
                f"<h1>{self.command} {names}</h1></html>"
            ).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def register(installation: Installation, client_id: str, origin: str, further: tuple[str, ...] = ()) -> None:
    """Register a client of AMP whose callback is at *origin*."""
    client = {
        "client_id": client_id,
        "client_secret": secrets.token_urlsafe(32),
        "client_name": "Petite agence",
        "profile": "baseline",
        "agency": "amp",
        "redirect_uris": [f"{origin}/callback"],
        "scope": "openid enterprise functional_blocks",
        "further_origins": list(further),
    }
    with tempfile.TemporaryDirectory() as place, installation.app.app_context():
        path = Path(place) / "clients.yaml"
        path.write_text(yaml.safe_dump({"clients": [client]}), encoding="utf-8")
        client_services.load_clients(path, now=SystemClock().now())


def request_url(installation: Installation, client_id: str, origin: str, **more: str) -> str:
    """Return the address of an authorization request."""
    asked = {
        "client_id": client_id,
        "redirect_uri": f"{origin}/callback",
        "response_type": "code",
        "scope": "openid enterprise functional_blocks",
        "state": "a-state",
        "nonce": "a-nonce",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    return f"{installation.issuer}/authorize?{urlencode(asked | more)}"
