"""A program that acts for enterprises, written without any of the provider's code: private_key_jwt, DPoP, no person."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from werkzeug.test import TestResponse

from idp.clock import local_date
from idp.delegation.rights import system_user_services
from idp.delegation.rights.domain.system_users import Wanted
from tests.oidc.fapi import FapiRelyingParty, public_jwk
from tests.oidc.scenery import STORY, Scenery, keyed, load

SOFTWARE = ("ledger", "ledger2", "ledger-bac", "ledger-fapi")
KEYS: dict[str, Any] = {name: ec.generate_private_key(ec.SECP256R1()) for name in SOFTWARE}


def registration_of(client_id: str, **changed: Any) -> dict[str, Any]:
    """Return the registration of a program that enterprises may approve."""
    told = keyed(
        client_id,
        **{
            "client_name": "Grand livre",
            "client_uri": "https://grandlivre.example/",
            "grant_types": ["client_credentials"],
            "scope": "enterprise functional_blocks",
            "offers_system_users": True,
            **changed,
        },
    )
    told.pop("redirect_uris")
    return {**told, "jwks": {"keys": [public_jwk(KEYS.get(client_id, KEYS["ledger"])) | {"kid": f"k-{client_id}"}]}}


def load_software(scenery: Scenery, place: Path) -> None:
    load(
        scenery.app,
        scenery.clock,
        place,
        registration_of("ledger"),
        registration_of("ledger2"),
        registration_of("ledger-bac", agency="bac"),
        registration_of("ledger-fapi", profile="fapi2"),
    )


def approve(
    scenery: Scenery,
    client_id: str = "ledger",
    *blocks: str,
    enterprise: str | None = None,
    days: int = 365,
    by: str = "pes",
) -> str:
    """Have the PES approve a program; return the id of the system user."""
    until = local_date(scenery.clock.now()) + timedelta(days=days)
    wanted = Wanted(client_id, "Progiciel comptable", frozenset(blocks or ("001", "008")), until)
    person = scenery.people[by].person_id
    return system_user_services.approve(enterprise or scenery.story, "amp", wanted, by=person, now=scenery.clock.now())


def details(neq: str = STORY, *privileges: str, **changed: Any) -> str:
    told: dict[str, Any] = {"type": "functional_blocks", "identifier": f"neq:{neq}"}
    if privileges:
        told["privileges"] = list(privileges)
    told.update(changed)
    return json.dumps([{name: value for name, value in told.items() if value is not None}])


@dataclass
class Software(FapiRelyingParty):
    """A program with keys of its own."""

    client_id: str = "ledger"
    key: Any = field(default_factory=lambda: KEYS["ledger"])
    kid: str | None = "k-ledger"

    def ask(self, neq: str = STORY, *privileges: str, with_proof: bool = True, **changed: Any) -> TestResponse:
        """Ask a token for an enterprise."""
        form = {"grant_type": "client_credentials", "authorization_details": details(neq, *privileges), **changed}
        return self.post("/token", form, with_proof=with_proof)

    def token(self, neq: str = STORY, *privileges: str, **changed: Any) -> str:  # type: ignore[override]
        answer = self.ask(neq, *privileges, **changed)
        assert answer.status_code == 200, answer.text
        told: str = answer.get_json()["access_token"]
        return told

    def introspect(self, token: str) -> dict[str, Any]:
        told: dict[str, Any] = self.post("/introspect", {"token": token}).get_json()
        return told


def software(scenery: Scenery, client_id: str = "ledger") -> Software:
    return Software(scenery, client_id, key=KEYS[client_id], kid=f"k-{client_id}")
