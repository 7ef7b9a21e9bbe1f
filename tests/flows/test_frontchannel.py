"""Signing out in a real browser tells a client by a frame, under the real policy, and leads back; without scripts too."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import pytest
import yaml

from idp.clock import SystemClock
from idp.oidc.clients import client_services
from tests.flows import journeys
from tests.flows.installation import Installation, waited_for
from tests.flows.journeys import NewPage
from tests.oidc.scenery import SECRET, VERIFIER, challenge

pytestmark = pytest.mark.browser


@dataclass
class Client:
    """A client's site: it answers every address with a page that may be framed, and remembers what was asked."""

    url: str = ""
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def came(self, path: str) -> dict[str, str]:
        """Wait for *path* to be asked, and return its query."""
        return waited_for(lambda: next((query for where, query in reversed(self.asked) if where == path), None), path)


@pytest.fixture
def site(installation: Installation) -> Iterator[Client]:
    there = Client()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            there.asked.append((parts.path, {name: values[0] for name, values in parse_qs(parts.query).items()}))
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!DOCTYPE html><title>site</title><link rel=icon href='data:,'><p id=here>here</p>")

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    there.url = f"http://127.0.0.1:{server.server_port}"
    told = {
        **{"client_id": "framed", "client_secret": SECRET, "client_name": "Site encadré", "agency": "amp"},
        "redirect_uris": [f"{there.url}/callback"],
        "post_logout_redirect_uris": [f"{there.url}/bye"],
        "frontchannel_logout_uri": f"{there.url}/front",
    }
    with installation.app.app_context():
        client_services.load_text(yaml.safe_dump({"clients": [told]}), now=SystemClock().now())
    yield there
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_frame_tells_the_client_and_the_person_comes_back(
    installation: Installation, site: Client, new_page: NewPage, scripts: bool
) -> None:
    """frontchannel-rp-initiated-logout in Chromium: the frame is loaded with iss and sid; the page or its button leads on."""
    page = new_page(java_script_enabled=scripts)
    journeys.sign_in(page, installation, installation.persona("user"))
    asked = {
        **{"client_id": "framed", "response_type": "code", "redirect_uri": f"{site.url}/callback", "scope": "openid"},
        **{"state": "s", "code_challenge": challenge(), "code_challenge_method": "S256"},
    }
    page.goto(f"{installation.issuer}/authorize?{urlencode(asked)}")
    if page.locator("#consent-allow").count():  # the site's own page, or the consent: `goto` waited for either
        page.click("#consent-allow")
    code = site.came("/callback")["code"]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": asked["redirect_uri"]}
    basic = base64.b64encode(f"framed:{SECRET}".encode()).decode()
    told = httpx2.post(
        f"{installation.issuer}/token",
        data=form | {"code_verifier": VERIFIER},
        headers={"Authorization": f"Basic {basic}"},
        trust_env=False,
    ).json()
    leaving = {"id_token_hint": told["id_token"], "post_logout_redirect_uri": f"{site.url}/bye", "state": "back"}

    page.goto(f"{installation.issuer}/end-session?{urlencode(leaving)}")
    if not scripts:
        page.click("#logout-continue")

    assert site.came("/front").keys() == {"iss", "sid"}
    assert site.came("/front")["iss"] == installation.issuer
    assert site.came("/bye") == {"state": "back"}
    page.wait_for_url(f"{site.url}/bye**")
