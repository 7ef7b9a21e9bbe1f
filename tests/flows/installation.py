"""A whole installation on loopback: the provider on ``localhost``, the AMP portal on ``127.0.0.1``, and the worker.

The two hosts are two sites for a browser, as in a real deployment. Used by the flows and by ``tools/screenshots.py``.
"""

from __future__ import annotations

import email
import email.policy
import json
import re
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pyotp
from flask import Flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from examples.amp_portal.app import create_app as create_portal
from examples.amp_portal.settings import PortalSettings
from idp.accounts import services as accounts
from idp.app import create_app
from idp.audit import SYSTEM
from idp.cli.demo_data import fill
from idp.cli.worker import run_once
from idp.clock import SystemClock
from idp.config import folder, read_settings
from idp.crypto.sealing import create_key_files
from idp.db import db
from idp.oidc.keys import signing_keys
from tests.schema import create_schema

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

ROOT = Path(__file__).resolve().parents[2]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
STEP = 30  # seconds of a one-time code
Found = TypeVar("Found")


def waited_for(what: Callable[[], Found | None], said: str, seconds: float = 60) -> Found:
    """Return what *what* finds, as soon as it finds something."""
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        found = what()
        if found is not None:
            return found
        time.sleep(0.1)
    raise AssertionError(f"{said} did not come within {seconds:g} s")


@dataclass(frozen=True, slots=True)
class Slips:
    """What the two slips of a person say."""

    user_code: str
    temporary_password: str


@dataclass
class Installation:
    """A running Mandat and portal, and what its people know."""

    issuer: str
    portal: str
    outbox: Path
    app: Flask
    portal_app: Flask
    told: dict[str, Any]
    steps: dict[str, int] = field(default_factory=dict)

    def persona(self, key: str) -> dict[str, Any]:
        """Return what a ready-made person types."""
        return dict(next(persona for persona in self.told["personas"] if persona["key"] == key))

    def enrolment(self, key: str) -> dict[str, Any]:
        """Return what an AR types in one of the named cases."""
        return dict(next(case for case in self.told["enrolments"] if case["key"] == key))

    def newcomer(self, email: str) -> Slips:
        """Create somebody with this address who has never signed in, and return their slips."""
        now = SystemClock().now()
        with self.app.app_context():
            person = accounts.create_person(
                given_name="Aube", family_name="Clairon", email=email, language="fr", now=now
            )
            code = accounts.issue_user_code(person, now=now)
            temporary = accounts.reveal_temporary_password(code, actor=SYSTEM, now=now)
        return Slips(str(code), temporary.grouped)

    def code(self, secret: str) -> str:
        """Return a one-time code of *secret* that was not used yet; each step serves once."""
        while True:
            present = int(time.time()) // STEP
            step = max(present, self.steps.get(secret, 0) + 1)
            if step <= present + 1:
                self.steps[secret] = step
                return pyotp.TOTP(secret).at(step * STEP)
            time.sleep(1)  # both accepted steps are spent: wait for the next, as a person would

    def mails(self, to: str) -> list[str]:
        """Return subject and text of the e-mails sent to an address, oldest first."""
        found = []
        for path in sorted(self.outbox.glob("*.eml")):  # the names begin with the instant
            message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            if to in str(message["To"]):
                body = message.get_body(preferencelist=("plain",))
                found.append(f"{message['Subject']}\n{body.get_content() if body else ''}")
        return found

    def codes_sent(self, to: str) -> int:
        """Return how many codes of eight digits were sent to an address."""
        return sum(len(_codes(text, 8)) for text in self.mails(to))

    def emailed_code(self, to: str, after: int = 0) -> str:
        """Wait for an e-mail with a code of eight digits, beyond the first *after* codes, and return the code."""

        def latest() -> str | None:
            codes = [code for text in self.mails(to) for code in _codes(text, 8)]
            return codes[-1] if len(codes) > after else None

        return waited_for(latest, f"an e-mail with a code for {to}")

    def mailed_code(self) -> str:
        """Wait for a letter in the outbox, read it as a person would, and return its code of ten digits."""

        def latest() -> str | None:
            letters = sorted(self.outbox.glob("*.pdf"), key=lambda path: path.stat().st_mtime_ns)
            codes = [code for path in letters for code in _codes(words_of(path), 10)]
            return codes[-1] if codes else None

        return waited_for(latest, "a letter with a code")


def words_of(path: Path) -> str:
    """Return the text of a PDF file, as it lies on the page."""
    return subprocess.run(["pdftotext", "-layout", str(path), "-"], capture_output=True, text=True, check=True).stdout


def _codes(text: str, digits: int) -> list[str]:
    """Return the numbers of exactly *digits* digits that stand alone on their line or in a sentence, in groups or not."""
    runs = re.findall(r"(?<![\d-])\d(?:[ \u00a0\u202f]*\d)+(?![\d-])", text)
    return [plain for run in runs if len(plain := re.sub(r"\D", "", run)) == digits]


@contextmanager
def running_installation(place: Path) -> Iterator[Installation]:
    """Run everything in the folder *place*, with the demonstration's people, until the block ends."""
    ports = free_port(), free_port()
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
    synthetic = ROOT / "examples" / "synthetic"
    with app.app_context():
        create_schema()
        told = fill(settings, portal, synthetic=synthetic, agencies=folder("agencies"), now=SystemClock().now())
    client = told.pop("portal_client")
    portal_app = create_portal(
        PortalSettings(issuer, portal, client["client_id"], client["client_secret"], place / "portal.sqlite3")
    )
    servers = _serve(app, "localhost", ports[0]), _serve(portal_app, "127.0.0.1", ports[1])
    stop = threading.Event()
    worker = threading.Thread(target=_work, args=(app, stop), daemon=True)
    worker.start()
    try:
        yield Installation(issuer, portal, settings.outbox_dir, app, portal_app, json.loads(json.dumps(told)))
    finally:
        stop.set()
        worker.join(timeout=10)
        for server in servers:
            server.shutdown()
            server.server_close()
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


def free_port() -> int:
    """Return a port of loopback that nobody listens to."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class _Quiet(WSGIRequestHandler):
    """Serves without a line per request."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


def _whole(app: WSGIApplication) -> WSGIApplication:
    """Return *app* with each response read and closed before it is sent.

    The server of these tests leaves a file open when the browser drops the connection; the one of ``idp serve`` does not.
    """

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        parts = app(environ, start_response)
        try:
            return [b"".join(parts)]
        finally:
            if hasattr(parts, "close"):
                parts.close()

    return answer


def _serve(app: Flask, host: str, port: int) -> BaseWSGIServer:
    server = make_server(host, port, _whole(app), threaded=True, request_handler=_Quiet)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    return server


def _work(app: Flask, stop: threading.Event) -> None:
    while not stop.wait(0.2):
        with app.app_context():
            run_once(SystemClock().now())
            db.session.remove()
