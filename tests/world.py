"""Ready people and enterprises on an application under test, and signing in as one of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyotp
from flask import Flask
from flask.testing import FlaskClient

from idp.cli.demo_data import fill
from idp.clock import MovableClock
from idp.config import folder

ROOT = Path(__file__).resolve().parent.parent
PORTAL = "http://127.0.0.1:8001"


def csrf_token(page: str) -> str:
    """Return the CSRF token of a page's form."""
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert found, "the page has no form"
    return found.group(1)


@dataclass
class World:
    """The demonstration's people on an application under test, with a clock that can be moved."""

    app: Flask
    clock: MovableClock
    told: dict[str, Any]

    def persona(self, key: str) -> dict[str, Any]:
        """Return what a persona types."""
        return dict(next(persona for persona in self.told["personas"] if persona["key"] == key))

    def browser(self, key: str | None = None) -> FlaskClient:
        """Return a browser, signed in as a persona when one is named."""
        client = self.app.test_client()
        if key is not None:
            self.sign_in(client, self.persona(key))
        return client

    def sign_in(self, client: FlaskClient, persona: dict[str, Any], path: str = "/sign-in") -> Any:
        """Type user code, password and one-time code; return the last answer."""
        self.clock.advance(timedelta(seconds=30))  # a step of the one-time code serves once
        page = client.get(path)
        answer = client.post(
            path,
            data={
                "csrf_token": csrf_token(page.text),
                "username": persona["user_code"],
                "password": persona["password"],
            },
        )
        assert answer.status_code == 303, answer.text
        page = client.get(answer.location)
        code = pyotp.TOTP(persona["totp_secret"]).at(self.clock.now())
        answer = client.post(answer.location, data={"csrf_token": csrf_token(page.text), "otp": code})
        assert answer.status_code == 303, answer.text
        return answer


def make_world(app: Flask, clock: MovableClock) -> World:
    """Fill the application's database with the demonstration's people."""
    settings = app.extensions["mandat.settings"]
    told = fill(
        settings, PORTAL, synthetic=ROOT / "examples" / "synthetic", agencies=folder("agencies"), now=clock.now()
    )
    return World(app, clock, told)
