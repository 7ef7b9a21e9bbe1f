"""The demonstration's software for tools: its keys in ``personas.json`` get it a token, and wait for a PES where they should."""

from __future__ import annotations

import pytest
from flask import Flask
from jwt import PyJWK

from idp.clock import MovableClock
from tests.oidc.scenery import STORY, Scenery
from tests.oidc.software import Software
from tests.world import make_world


@pytest.mark.parametrize(("client_id", "status"), [("tools-system", 200), ("tools-system-new", 400)])
def test_the_keys_of_the_demonstration_serve(app: Flask, clock: MovableClock, client_id: str, status: int) -> None:
    """Approved for block 008 of the story's enterprise; the other one is registered and not approved."""
    told = make_world(app, clock).told["clients"][client_id]
    (jwk,) = told["jwks"]["keys"]
    program = Software(Scenery(app, clock), client_id, key=PyJWK(jwk).key, kid=jwk["kid"])

    answer = program.ask(STORY)

    assert answer.status_code == status, answer.text
    if status == 200:
        assert answer.get_json()["authorization_details"][0]["privileges"] == ["008"]
