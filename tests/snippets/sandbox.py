"""The demonstration at https as an integrator runs it: ``idp demo --https``, ``idp demo-client``, and a person who signs in."""

from __future__ import annotations

import json
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx2
import pyotp

from tests.flows.installation import free_port

ROOT = Path(__file__).resolve().parents[2]
STEPS = 15  # pages between the agency and the agency, at most
PATIENCE = 120


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A running demonstration and what its ``personas.json`` tells."""

    place: Path
    told: dict[str, Any]
    cookies: dict[str, httpx2.Cookies] = field(default_factory=dict)  # of each persona: a one-time code works once

    @property
    def issuer(self) -> str:
        return str(self.told["issuer"])

    @property
    def authority(self) -> str:
        return str(self.told["authority"])

    def trusting(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.authority)

    def persona(self, key: str) -> dict[str, Any]:
        return next(persona for persona in self.told["personas"] if persona["key"] == key)

    def load_client(self, registration: str) -> str:
        """Load a client as an integrator does, and return what the command says."""
        file = self.place / "client.yaml"
        file.write_text(registration, encoding="utf-8")
        run = subprocess.run(
            [sys.executable, "-m", "idp", "demo-client", str(file), "--dir", str(self.place)],
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        )
        return run.stdout

    def sign_in(self, address: str, callback: str, *, as_: str = "user") -> str:
        """Go to *address* of the provider, sign in and agree; return the address of the agency where it ends."""
        persona = self.persona(as_)
        cookies = self.cookies.setdefault(as_, httpx2.Cookies())
        with httpx2.Client(verify=self.trusting(), trust_env=False, timeout=30, cookies=cookies) as browser:
            answer = browser.get(address)
            for _step in range(STEPS):
                if answer.is_redirect:
                    address = urljoin(str(answer.request.url), answer.headers["location"])
                    if address.startswith(callback):
                        cookies.update(browser.cookies)
                        return address
                    answer = browser.get(address)
                    continue
                form = _main_form(answer.text)
                typed = {
                    "username": persona["user_code"],
                    "password": persona["password"],
                    "otp": pyotp.TOTP(persona["totp_secret"]).now(),
                    "answer": "allow",
                }
                values = {name: typed.get(name, value) for name, value in form.items()}
                assert values.keys() - {"csrf_token"}, answer.text
                here = str(answer.request.url)
                answer = browser.post(here, data=values, headers={"Referer": here})
        raise AssertionError(f"no way to {callback}: {answer.status_code} {answer.text}")


def _main_form(page: str) -> dict[str, str]:
    """Return the fields of the first form of the content, with the name of its first button."""
    content = page[page.index('id="main-content"') :]
    form = re.search(r"<form[^>]*method=\"post\".*?</form>", content, re.S)
    assert form, page
    fields = {}
    for tag in re.findall(r"<(?:input|button)[^>]*>", form.group()):
        name, value = re.search(r' name="([^"]*)"', tag), re.search(r' value="([^"]*)"', tag)
        if name:
            fields.setdefault(name.group(1), unescape(value.group(1)) if value else "")
    return fields


@contextmanager
def running(place: Path) -> Iterator[Sandbox]:
    """Run ``idp demo --https`` in *place* on free ports until the block ends."""
    ports = ("--port", str(free_port()), "--portal-port", str(_two_free_ports()))
    log = place / "demo.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "idp", "demo", "--https", "--dir", str(place), *ports],
            cwd=ROOT,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        limit = time.monotonic() + PATIENCE
        while b"bin/demo-client" not in log.read_bytes():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < limit, log.read_text()
            time.sleep(0.2)
        yield Sandbox(place, json.loads((place / "personas.json").read_text(encoding="utf-8")))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


def _two_free_ports() -> int:
    """Return a free port whose next one is free too: the portal's, and that of mutual TLS."""
    while True:
        port = free_port()
        if _is_free(port + 1):
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
