"""docs/relying-parties.md: what it shows is what works."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml
from authlib.integrations.flask_client import OAuth
from flask import Flask
from werkzeug.serving import make_server

from idp.db import db
from idp.oidc.clients.domain import client_files
from idp.oidc.domain import metadata
from tests.oidc.scenery import Scenery

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "relying-parties.md"


def blocks(kind: str) -> list[str]:
    """Return the guide's pieces of code in a language."""
    return re.findall(rf"```{kind}\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture
def address(scenery: Scenery) -> Iterator[str]:
    db.session.remove()
    server = make_server("127.0.0.1", 0, scenery.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_python_snippet_connects(address: str) -> None:
    """The very lines of the guide: discovery is read, and the request has PKCE, state and nonce."""
    snippet = blocks("python")[0]
    portal = Flask("portal")
    portal.secret_key = "x" * 32
    oauth = OAuth(portal)
    exec(snippet.replace("https://id.example", address), {"oauth": oauth, "secret": "x"})  # noqa: S102 (our own guide)
    with portal.test_request_context():
        oauth.mandat.client_kwargs["trust_env"] = False
        made = oauth.mandat.create_authorization_url("https://portal.example/callback")

    asked = {name: values[0] for name, values in parse_qs(urlsplit(made["url"]).query).items()}
    assert (asked["code_challenge_method"], asked["scope"]) == ("S256", "openid enterprise functional_blocks")
    assert {"state", "nonce", "code_challenge"} <= asked.keys()


def test_the_registration_of_the_guide_is_accepted() -> None:
    """Both ways of proof, with real values where the guide has dots."""
    example, keyed = blocks("yaml")[:2]
    entry = yaml.safe_load(example.replace("…at least 32 random characters…", "r" * 32))["clients"][0]
    told = yaml.safe_dump({"clients": [entry]})
    assert client_files.read(told, issuer="https://id.example", agencies=frozenset({"amp"}))
    assert "private_key_jwt" in keyed


def test_the_software_of_the_guide_is_accepted() -> None:
    """A program that enterprises may approve, as the guide writes it."""
    (example,) = [each for each in blocks("yaml") if "offers_system_users" in each]

    assert client_files.read(example, issuer="https://id.example", agencies=frozenset({"amp"}))


def test_every_snippet_asks_what_discovery_offers() -> None:
    """Scopes, PKCE method and algorithm of each snippet are advertised; the issuer has no final slash."""
    told = metadata.document("https://id.example")
    text = GUIDE.read_text(encoding="utf-8")
    for kind in ("python", "java", "js", "go", "csharp", "php", "apache"):
        snippet = "\n".join(blocks(kind))
        assert "functional_blocks" in snippet or kind == "java"
        for method in re.findall(r"S\d{3}\b", snippet):
            assert method in told["code_challenge_methods_supported"] or method in ("RS256",), kind
    assert not re.search(r"https://id\.example/[\"'`]", text)
    for link in re.findall(r"\]\(#([^)]+)\)", text):
        headings = [
            re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in re.findall(r"^#+ (.*)$", text, re.M)
        ]
        assert link in headings, link
