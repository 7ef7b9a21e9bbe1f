"""Where pieces meet: what each of them holds, held by all of them together."""

from __future__ import annotations

from tests.oidc.registering import ABOUT, Builder, initial_token
from tests.oidc.scenery import Scenery


def test_nobody_registers_themselves_to_hear_of_an_agencys_people(scenery: Scenery) -> None:
    """ASVS 10.4.7, S-32: a stream hears of everybody whom the agency knows, so that only an operator gives one."""
    builder = Builder(scenery, initial_token(scenery))
    told = builder.registered()
    wish = {"grant_types": ["authorization_code", "client_credentials"], "scope": "openid ssf.manage ssf.read"}

    refused = (
        builder.post(**wish),
        builder.post(grant_types=["client_credentials"], scope="ssf.read", redirect_uris=None),
        builder.manage("PUT", told, json={"client_id": told["client_id"], **ABOUT, **wish}),
    )

    for answer in refused:
        assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_client_metadata")
        assert "operator" in answer.get_json()["error_description"]
