"""The snippets of docs/relying-parties.md as programs: taken from the page, put into the smallest server, and run."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx2

from tests.flows.installation import free_port
from tests.snippets.sandbox import ROOT, Sandbox

PAGE = (ROOT / "docs" / "relying-parties.md").read_text(encoding="utf-8")
HERE = Path(__file__).parent
PORTAL = "https://portal.example"
PATIENCE = 240


def snippets(title: str, sandbox: Sandbox, client_id: str) -> list[str]:
    """Return the code under the heading *title*, with the issuer and the client of the sandbox."""
    section = re.search(rf"^### {re.escape(title)}\n(.*?)(?=^### |^## |\Z)", PAGE, re.S | re.M)
    assert section, f"the page has no snippet {title}"
    blocks = re.findall(r"^```\w+\n(.*?)^```", section.group(1), re.S | re.M)
    assert blocks, title
    return [block.replace("https://id.example", sandbox.issuer).replace("amp-portal", client_id) for block in blocks]


@contextmanager
def serving(command: list[str], folder: Path, environment: dict[str, str]) -> Iterator[str]:
    """Run *command* in *folder* with ``PORT``, until the block ends; yield its address."""
    port = free_port()
    log = folder / "program.log"
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("IDP_", "PORTAL_"))}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=folder, env={**kept, **environment, "PORT": str(port)}, stdout=output, stderr=output
        )
    try:
        limit = time.monotonic() + PATIENCE
        while not _listens(port):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < limit, log.read_text()
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=30)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def claims_of(
    sandbox: Sandbox, address: str, *, login: str = "/login", callback: str = "/callback", page: str | None = None
) -> httpx2.Response:
    """Sign in through the program at *address*, which believes that it is ``https://portal.example``.

    Return its answer at the callback or, when that leads on, at *page* or where it leads.
    """
    host = {"Host": "portal.example", "X-Forwarded-Proto": "https", "X-Forwarded-Port": "443"}
    with httpx2.Client(base_url=address, headers=host, trust_env=False, timeout=60) as person:
        begun = person.get(login)
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in person.cookies.jar)
        assert begun.status_code in (302, 303), begun.text
        back = sandbox.sign_in(begun.headers["location"], PORTAL + callback)
        parts = urlsplit(back)
        answer = person.get(f"{parts.path}?{parts.query}", headers={"Cookie": cookies} if cookies else {})
        if answer.is_redirect:
            jar = {**dict(pair.split("=", 1) for pair in cookies.split("; ") if pair), **_set(answer)}
            where = urlsplit(answer.headers["location"])
            cookie = "; ".join(f"{name}={value}" for name, value in jar.items())
            answer = person.get(page or where.path or "/", headers={"Cookie": cookie})
        return answer


def _set(answer: httpx2.Response) -> dict[str, str]:
    return dict(
        header.split(";", 1)[0].split("=", 1) for header in answer.headers.get_list("set-cookie") if "=" in header
    )
