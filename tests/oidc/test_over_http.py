"""An independent relying party, over a real socket: Authlib's session redeems a code and reads userinfo."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from authlib.integrations.requests_client import OAuth2Session
from werkzeug.serving import make_server

from idp.db import db
from tests.oidc.scenery import CALLBACK, SCOPES, SECRET, VERIFIER, RelyingParty, Scenery


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


def test_a_stock_client_redeems_a_code_and_reads_userinfo(scenery: Scenery, rp: RelyingParty, address: str) -> None:
    """Nothing of the provider's code on the client's side."""
    code = rp.code(scenery.browser())
    with OAuth2Session("rp1", SECRET, scope=SCOPES, redirect_uri=CALLBACK) as session:
        session.trust_env = False
        told = session.fetch_token(f"{address}/token", code=code, code_verifier=VERIFIER)
        session.token["expires_at"] = 2**40  # the clock of this test stands still
        person = session.get(f"{address}/userinfo").json()

    assert told["token_type"] == "Bearer"
    assert person["sub"] == rp.read(told["id_token"])["sub"]
    assert person["functional_blocks"] == ["001", "008"]
