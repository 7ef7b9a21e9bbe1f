"""A relying party of the FAPI 2.0 profile, written without any of the provider's code: PAR, private_key_jwt, DPoP."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

import jwt as pyjwt
from cryptography.hazmat.primitives.asymmetric import ec
from flask.testing import FlaskClient
from jwt.algorithms import ECAlgorithm
from werkzeug.test import TestResponse

from tests.oidc.scenery import ASSERTION_TYPE, CALLBACK, ISSUER, STORY, VERIFIER, RelyingParty, Scenery, private_key

SECOND_CALLBACK = "http://127.0.0.1:9999/cb?dummy1=lorem&dummy2=ipsum"
KINDS: dict[str, Any] = {"fapi1": private_key("ES256"), "fapi2": ec.generate_private_key(ec.SECP256R1())}


def public_jwk(key: Any) -> dict[str, Any]:
    """Return the public JWK of an EC key, or of a certificate with one, as another library writes it."""
    told: dict[str, Any] = json.loads(ECAlgorithm.to_jwk(key.public_key()))
    told.pop("key_ops", None)
    return told


def thumbprint(key: Any) -> str:
    """RFC 7638, for an EC key."""
    jwk = public_jwk(key)
    text = json.dumps({name: jwk[name] for name in ("crv", "kty", "x", "y")}, separators=(",", ":"))
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


@dataclass
class FapiRelyingParty(RelyingParty):
    """A client that pushes its requests, proves itself by a key and binds its tokens to another one."""

    client_id: str = "fapi1"
    key: Any = field(default_factory=lambda: KINDS["fapi1"])
    kid: str | None = "k-ES256"
    dpop_key: Any = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    nonce: str | None = None

    def client_proof(self, **changed: Any) -> dict[str, str]:
        headers = {"kid": self.kid} if self.kid else None
        return {
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self.assertion("ES256", self.key, headers, **changed),
        }

    def dpop(
        self,
        method: str,
        url: str,
        *,
        access_token: str | None = None,
        key: Any = None,
        alg: str = "ES256",
        headers: dict[str, Any] | None = None,
        **changed: Any,
    ) -> str:
        """Return a proof; a claim or header changed to None is left out."""
        key = self.dpop_key if key is None else key
        claims: dict[str, Any] = {
            "jti": secrets.token_hex(8),
            "htm": method,
            "htu": url,
            "iat": int(self.scenery.clock.now().timestamp()),
            "nonce": self.nonce,
        }
        if access_token is not None:
            digest = hashlib.sha256(access_token.encode()).digest()
            claims["ath"] = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        claims.update(changed)
        told = {"typ": "dpop+jwt", "jwk": public_jwk(key) if alg == "ES256" else None, **(headers or {})}
        return pyjwt.encode(
            {name: value for name, value in claims.items() if value is not None},
            key,
            algorithm=alg,
            headers={name: value for name, value in told.items() if value is not None or name == "typ"},
        )

    def post(
        self, path: str, form: dict[str, Any], *, proof: str | None = None, with_proof: bool = True
    ) -> TestResponse:
        """Post a form with client assertion and DPoP proof, taking the server's nonce when it asks for one."""
        form = {name: value for name, value in form.items() if value is not None}
        headers = {}
        if with_proof:
            headers["DPoP"] = self.dpop("POST", ISSUER + path) if proof is None else proof
        proven = form if "client_assertion" in form else {**self.client_proof(), **form}
        answer = self.scenery.browser().post(path, data=proven, headers=headers)
        if with_proof and proof is None and (answer.get_json() or {}).get("error") == "use_dpop_nonce":
            self.nonce = answer.headers["DPoP-Nonce"]
            return self.post(path, form, with_proof=True)
        return answer

    def push(self, *, with_proof: bool = False, **changed: Any) -> TestResponse:
        return self.post("/par", self.parameters(**changed), with_proof=with_proof)

    def authorize(self, browser: FlaskClient, **changed: Any) -> TestResponse:
        answer = self.push(**changed)
        assert answer.status_code == 201, answer.text
        return self.visit(browser, answer.get_json()["request_uri"])

    def visit(self, browser: FlaskClient, request_uri: str, **more: str) -> TestResponse:
        return browser.get("/authorize", query_string={"client_id": self.client_id, "request_uri": request_uri, **more})

    def redeem(self, code: str, *, proof: str | None = None, with_proof: bool = True, **changed: Any) -> TestResponse:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": VERIFIER,
            **changed,
        }
        return self.post("/token", form, proof=proof, with_proof=with_proof)

    def tokens(self, browser: FlaskClient, name: str = "julie", neq: str = STORY, **changed: Any) -> dict[str, Any]:
        answer = self.redeem(self.code(browser, name, neq, **changed))
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.get_json()
        return told

    def userinfo(self, access_token: str, *, proof: str | None = None, scheme: str = "DPoP") -> TestResponse:
        if proof is None:
            proof = self.dpop("GET", f"{ISSUER}/userinfo", access_token=access_token)
        headers = {"Authorization": f"{scheme} {access_token}", "DPoP": proof}
        return self.scenery.browser().get("/userinfo", headers=headers)


def first(scenery: Scenery) -> FapiRelyingParty:
    return FapiRelyingParty(scenery, redirect_uri=CALLBACK)


def second(scenery: Scenery) -> FapiRelyingParty:
    """Another client, of other keys, whose address has a query of its own."""
    return FapiRelyingParty(scenery, "fapi2", redirect_uri=SECOND_CALLBACK, key=KINDS["fapi2"], kid="k-fapi2")
