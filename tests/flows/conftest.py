"""A whole installation for the flows: provider, worker and portal on loopback, one real Chromium, people who type.

The browser is Debian's own; any console error, policy report or request outside loopback fails the test that caused it.
"""

from __future__ import annotations

import email
import email.policy
import json
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyotp
import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from werkzeug.serving import BaseWSGIServer, make_server

from examples.amp_portal.app import create_app as create_portal
from examples.amp_portal.settings import PortalSettings
from idp.app import create_app
from idp.cli.demo_data import fill
from idp.clock import SystemClock
from idp.config import folder, read_settings
from idp.db import db
from idp.oidc import signing_keys
from idp.sealing import create_key_files

ROOT = Path(__file__).resolve().parents[2]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
AXE_RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}


@dataclass
class Installation:
    """A running Mandat and portal, and what its people know."""

    issuer: str
    portal: str
    outbox: Path
    app: Flask
    told: dict[str, Any]
    steps: dict[str, int] = field(default_factory=dict)

    def persona(self, key: str) -> dict[str, Any]:
        """Return what a ready-made person types."""
        return dict(next(persona for persona in self.told["personas"] if persona["key"] == key))

    def enrolment(self, key: str) -> dict[str, Any]:
        """Return what an AR types in one of the named cases."""
        return dict(next(case for case in self.told["enrolments"] if case["key"] == key))

    def code(self, secret: str) -> str:
        """Return a one-time code of *secret* that was not used yet; each step serves once."""
        totp = pyotp.TOTP(secret)
        while True:
            present = int(time.time()) // 30
            step = max(present, self.steps.get(secret, 0) + 1)
            if step <= present + 1:
                self.steps[secret] = step
                return totp.at(step * 30)
            time.sleep(1)  # both accepted steps are spent: wait for the next, as a person would

    def mails(self, to: str) -> list[str]:
        """Return the texts of the e-mails sent to an address, oldest first."""
        found = []
        for path in sorted(self.outbox.glob("*.eml"), key=lambda file: file.stat().st_mtime_ns):
            message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            if to in str(message["To"]):
                body = message.get_body(preferencelist=("plain",))
                found.append(f"{message['Subject']}\n{body.get_content() if body else ''}")
        return found

    def mailed_code(self, to: str, digits: int = 8, after: int = 0) -> str:
        """Wait for an e-mail to *to* that holds a code, beyond the first *after* ones, and return the code."""
        limit = time.monotonic() + 15
        while time.monotonic() < limit:
            codes = [
                re.sub(r"\D", "", match.group())
                for text in self.mails(to)
                for match in [re.search(rf"(?<!\d)\d(?:[ \u00a0]?\d){{{digits - 1}}}(?!\d)", text)]
                if match
            ]
            if len(codes) > after:
                return codes[-1]
            time.sleep(0.1)
        raise AssertionError(f"no e-mail with a code for {to}")


def _serve(app: Flask, host: str, port: int = 0) -> tuple[BaseWSGIServer, threading.Thread]:
    server = make_server(host, port, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    return server, thread


def _free_port(host: str) -> int:
    import socket

    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Run the provider on ``localhost``, the portal on ``127.0.0.1`` (another site), and the worker."""
    from idp.cli.worker import run_once

    place = tmp_path_factory.mktemp("installation")
    ports = _free_port("localhost"), _free_port("127.0.0.1")
    issuer, portal = f"http://localhost:{ports[0]}", f"http://127.0.0.1:{ports[1]}"
    settings = read_settings(
        issuer=issuer,
        database_url=f"sqlite:///{place / 'mandat.sqlite3'}",
        keys_dir=place / "keys",
        outbox_dir=place / "outbox",
        demo=True,
        argon2_memory_kib=1024,
        argon2_time=1,
    )
    settings.outbox_dir.mkdir()
    create_key_files(settings.keys_dir)
    signing_keys.create_key_ring(settings.keys_dir, SystemClock().now())
    app = create_app(settings)
    with app.app_context():
        db.create_all()
        told = fill(settings, portal, synthetic=ROOT / "examples" / "synthetic", agencies=folder("agencies"))
    client = told.pop("portal_client")
    server, _ = _serve(app, "localhost", ports[0])
    portal_settings = PortalSettings(
        issuer, portal, client["client_id"], client["client_secret"], place / "portal.sqlite3"
    )
    portal_server, _ = _serve(create_portal(portal_settings), "127.0.0.1", ports[1])
    stop = threading.Event()

    def work() -> None:
        while not stop.wait(0.2):
            with app.app_context():
                run_once(SystemClock().now())
                db.session.remove()

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    yield Installation(issuer, portal, settings.outbox_dir, app, json.loads(json.dumps(told)))
    stop.set()
    worker.join(timeout=10)
    for running in (server, portal_server):
        running.shutdown()
        running.server_close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start Debian's Chromium, once a run."""
    executable = shutil.which("chromium")
    assert executable, "Chromium is missing: bin/test installs it"
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield running
        running.close()


NewPage = Callable[..., Page]


@pytest.fixture
def new_page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[NewPage]:
    """Open pages of separate people; whatever the console or the network complains of fails the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_page(**options: Any) -> Page:
        context = browser.new_context(locale="fr-CA", viewport={"width": 1280, "height": 900}, **options)
        context.set_default_timeout(15_000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda entry: _note(complaints, entry.type, entry.text))
        page.on("pageerror", lambda error: complaints.append(f"script error: {error}"))
        page.on("request", lambda wanted: _outside(complaints, wanted.url))
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def _note(complaints: list[str], kind: str, text: str) -> None:
    answered = re.search(r"status of (400|403|404|409|429)\b", text)  # an error page on purpose is no complaint
    if kind == "error" and not answered:
        complaints.append(f"console: {text}")


def _outside(complaints: list[str], url: str) -> None:
    if not re.match(r"(https?://(localhost|127\.0\.0\.1)[:/]|data:|blob:|about:)", url):
        complaints.append(f"request outside: {url}")


@pytest.fixture
def page(new_page: NewPage) -> Page:
    """Open one page of one person."""
    return new_page()


def sign_in(page: Page, installation: Installation, persona: dict[str, Any]) -> None:
    """Type user code, password and one-time code, wherever the sign-in page stands."""
    page.fill("#username", persona["user_code"])
    page.fill("#password", persona["password"])
    page.click("#login")
    page.fill("#otp", installation.code(persona["totp_secret"]))
    page.click("#otp-submit")


def faults_of(page: Page) -> list[str]:
    """Return what axe finds wrong with the page, one line each."""
    found = Axe().run(page, options=AXE_RULES).response["violations"]
    return [
        f"{page.url} {fault['id']}: {node['html'][:200]} ({node['failureSummary'][:200]})"
        for fault in found
        for node in fault["nodes"]
    ]
