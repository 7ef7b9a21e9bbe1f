"""A relying party that signs its requests and reads signed answers, written without any of the provider's code."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import jwt as pyjwt
from cryptography.hazmat.primitives.asymmetric import ec
from flask.testing import FlaskClient
from jwt.utils import base64url_encode
from werkzeug.test import TestResponse

from tests.oidc.fapi import SECOND_CALLBACK, FapiRelyingParty, public_jwk
from tests.oidc.scenery import ISSUER, Scenery, error_code, hidden_inputs, keyed, load, private_key

MINUTE = 60
SECOND_KEY = ec.generate_private_key(ec.SECP256R1())


@dataclass
class SigningRelyingParty(FapiRelyingParty):
    """A client that signs what it asks; *pushed* or by value in the browser's address."""

    client_id: str = "ms1"
    key: Any = field(default_factory=lambda: private_key("ES256"))
    pushed: bool = True

    def claims(self, **changed: Any) -> dict[str, Any]:
        """Return what a request object says; a claim changed to None is left out."""
        now = int(self.scenery.clock.now().timestamp())
        told = {
            **{"iss": self.client_id, "aud": ISSUER, "iat": now, "nbf": now, "exp": now + 5 * MINUTE, "jti": "j-1"},
            **self.parameters(),
            **changed,
        }
        return {name: value for name, value in told.items() if value is not None}

    def request_object(
        self, alg: str = "ES256", *, key: Any = None, headers: dict[str, Any] | None = None, **changed: Any
    ) -> str:
        signer = key if key is not None else self.key if alg == "ES256" else private_key(alg)
        told = {"typ": "oauth-authz-req+jwt", **(headers or {})}
        return pyjwt.encode(self.claims(**changed), signer, algorithm=alg, headers=told)

    def push(  # type: ignore[override]
        self,
        *,
        request: str | None = None,
        outside: dict[str, str] | None = None,
        with_proof: bool = False,
        **changed: Any,
    ) -> TestResponse:
        return self.post("/par", self.sent(request, outside, **changed), with_proof=with_proof)

    def sent(self, request: str | None, outside: dict[str, str] | None = None, **changed: Any) -> dict[str, str]:
        signed = self.request_object(**changed) if request is None else request
        return {"client_id": self.client_id, "request": signed, **(outside or {})}

    def authorize(
        self, browser: FlaskClient, *, request: str | None = None, outside: dict[str, str] | None = None, **changed: Any
    ) -> TestResponse:
        if not self.pushed:
            return browser.get("/authorize", query_string=self.sent(request, outside, **changed))
        answer = self.push(request=request, outside=outside, **changed)
        assert answer.status_code == 201, answer.text
        return self.visit(browser, answer.get_json()["request_uri"])

    def refusal(self, *, request: str | None = None, outside: dict[str, str] | None = None, **changed: Any) -> str:
        """Return the error of a request, nothing when it is taken; never a 5xx, never kept by a cache."""
        if self.pushed:
            answer = self.push(request=request, outside=outside, **changed)
            assert answer.status_code in (201, 400), answer.text
            error = "" if answer.status_code == 201 else answer.get_json()["error"]
        else:
            answer = self.authorize(self.scenery.browser(), request=request, outside=outside, **changed)
            assert answer.status_code in (303, 400), answer.text
            if answer.status_code == 400:
                error = error_code(answer.text)
                assert error
                assert answer.location is None
            else:
                error = "" if answer.location.startswith("/") else self.answer(answer)["error"]
        assert answer.headers["Cache-Control"] == "no-store"
        return str(error)

    def answer(self, response: TestResponse) -> dict[str, str]:
        """Return the parameters of an answer, whatever carries them, having verified a signed one."""
        told = self.carried(response)
        if "response" not in told:
            return told
        assert set(told) == {"response"}
        return self.verified(told["response"])

    def carried(self, response: TestResponse) -> dict[str, str]:
        """Return what came at our address, as it came."""
        if response.status_code == 200:
            return hidden_inputs(response.text[response.text.index('id="form-post"') :].split("</form>")[0])
        assert response.status_code == 303, response.text
        assert response.location.startswith(self.redirect_uri), response.location
        rest = response.location.removeprefix(self.redirect_uri).lstrip("?&#")
        return dict(parse_qsl(rest, keep_blank_values=True, strict_parsing=True))

    def verified(self, response: str) -> dict[str, Any]:
        """JARM §2.4, with the published keys and PyJWT."""
        header = pyjwt.get_unverified_header(response)
        keys = self.scenery.browser().get("/jwks").get_json()["keys"]
        key = next(each for each in keys if each["kid"] == header["kid"])
        claims: dict[str, Any] = pyjwt.decode(
            response,
            pyjwt.PyJWK(key),
            algorithms=[header["alg"]],
            audience=self.client_id,
            issuer=ISSUER,
            options={"verify_exp": False, "require": ["iss", "aud", "exp"]},
        )
        assert header["alg"] in ("PS256", "ES256", "EdDSA")
        assert 10 <= claims["exp"] - self.scenery.clock.now().timestamp() <= 10 * MINUTE
        return claims


def by_hand(header: dict[str, Any] | bytes, claims: dict[str, Any] | bytes, *, signed: bool = True) -> str:
    """Return a JWT that no library would write, signed with ES256 all the same."""
    parts = [
        base64url_encode(each if isinstance(each, bytes) else json.dumps(each).encode()) for each in (header, claims)
    ]
    data = b".".join(parts)
    signature = pyjwt.get_algorithm_by_name("ES256").sign(data, private_key("ES256")) if signed else b""
    return (data + b"." + base64url_encode(signature)).decode()


def signing_clients(scenery: Scenery, place: Path) -> tuple[SigningRelyingParty, SigningRelyingParty]:
    """Register and return a client whose signed requests are pushed, and one that sends them by value."""
    second = keyed("ms2", profile="fapi2-message-signing", redirect_uris=[SECOND_CALLBACK])
    second |= {"jwks": {"keys": [public_jwk(SECOND_KEY) | {"kid": "k-ms2"}]}}
    load(
        scenery.app,
        scenery.clock,
        place,
        keyed("ms1", profile="fapi2-message-signing"),
        second | {"authorization_signed_response_alg": "PS256"},
        keyed("jar1", require_signed_request_object=True),
    )
    return SigningRelyingParty(scenery), SigningRelyingParty(scenery, "jar1", pushed=False)


def second(scenery: Scenery) -> SigningRelyingParty:
    """The other pushing client: other keys, an address with a query of its own, answers signed with PS256."""
    return SigningRelyingParty(scenery, "ms2", redirect_uri=SECOND_CALLBACK, key=SECOND_KEY, kid="k-ms2")
