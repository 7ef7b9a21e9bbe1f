"""Relying parties that keep refresh tokens, introspect and revoke, in the manner of each kind of client."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jwt as pyjwt
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.oidc.fapi import FapiRelyingParty
from tests.oidc.scenery import ASSERTION_TYPE, SCOPES, RelyingParty, Scenery, csrf_token

OFFLINE_SCOPES = f"{SCOPES} offline_access"
RESOURCE = "https://portal.amp.example/"
NATIVE_CALLBACK = "http://127.0.0.1:50123/cb"


class Holder(RelyingParty):
    """What every kind does with the tokens it holds; how it proves itself is its own matter."""

    def post(self, path: str, form: dict[str, Any], **how: Any) -> TestResponse:
        headers = {"Authorization": self.basic(), **how.get("headers", {})}
        form = {name: value for name, value in form.items() if value is not None}
        return self.scenery.browser().post(path, data=form, headers=headers)

    def parameters(self, **changed: Any) -> dict[str, str]:
        return super().parameters(**{"scope": OFFLINE_SCOPES, **changed})

    def refresh(self, refresh_token: str | None, **changed: Any) -> TestResponse:
        how = changed.pop("how", {})
        return self.post("/token", {"grant_type": "refresh_token", "refresh_token": refresh_token, **changed}, **how)

    def refreshed(self, refresh_token: str, **changed: Any) -> dict[str, Any]:
        answer = self.refresh(refresh_token, **changed)
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.get_json()
        return told

    def introspect(self, token: str, **more: Any) -> dict[str, Any]:
        answer = self.post("/introspect", {"token": token, **more})
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store"), answer.text
        told: dict[str, Any] = answer.get_json()
        return told

    def revoke(self, token: str, **more: Any) -> TestResponse:
        return self.post("/revoke", {"token": token, **more})

    def access(self, token: str) -> dict[str, Any]:
        return self.read(token, "ES256", RESOURCE)


@dataclass
class Server(Holder):
    """A confidential client with a secret: a bearer, so that its refresh tokens rotate."""

    client_id: str = "offline1"


@dataclass
class Program(Holder):
    """A program on a person's device: it names itself and proves nothing."""

    client_id: str = "offline-desktop"
    redirect_uri: str = NATIVE_CALLBACK

    def post(self, path: str, form: dict[str, Any], **how: Any) -> TestResponse:
        form = {"client_id": self.client_id, **form}
        form = {name: value for name, value in form.items() if value is not None}
        return self.scenery.browser().post(path, data=form, headers=how.get("headers", {}))

    def token(self, code: str, *, authorization: str | None = None, **changed: Any) -> TestResponse:
        return super().token(code, authorization="", **{"client_id": self.client_id, **changed})


@dataclass
class Keyed(Holder):
    """A confidential client that proves itself by a key, a bearer all the same."""

    client_id: str = "offline-keyed"

    def post(self, path: str, form: dict[str, Any], **how: Any) -> TestResponse:
        proof = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": self.assertion()}
        form = {name: value for name, value in {**proof, **form}.items() if value is not None}
        return self.scenery.browser().post(path, data=form)

    def token(self, code: str, *, authorization: str | None = None, **changed: Any) -> TestResponse:
        proof = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": self.assertion()}
        return super().token(code, authorization="", **{**proof, **changed})


@dataclass
class Bound(FapiRelyingParty, Holder):
    """A client of the FAPI profile: its key proves it, another key binds its tokens."""

    client_id: str = "offline-fapi"


def signed_out(scenery: Scenery, browser: FlaskClient) -> None:
    page = browser.get("/end-session")
    browser.post("/end-session/confirm", data={"csrf_token": csrf_token(page.text)})


def unverified(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = pyjwt.decode(token, options={"verify_signature": False})
    return claims
