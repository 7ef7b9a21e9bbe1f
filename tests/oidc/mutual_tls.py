"""A relying party that shows certificates: to prove itself, to bind its tokens, or both (RFC 8705)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from cryptography import x509
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.oidc.certificates import TestAuthority, cn, escaped, new_key, self_signed
from tests.oidc.fapi import FapiRelyingParty, public_jwk
from tests.oidc.scenery import CALLBACK, Scenery, keyed

METHODS = ("private_key_jwt", "self_signed_tls_client_auth", "tls_client_auth")
BINDINGS = ("dpop", "certificate")
HEADER = "X-Client-Cert"
AUTHORITY = TestAuthority()
KEYS = {method: new_key() for method in METHODS}
CERTIFICATES: dict[str, x509.Certificate] = {
    "private_key_jwt": self_signed(KEYS["private_key_jwt"]),
    "self_signed_tls_client_auth": self_signed(KEYS["self_signed_tls_client_auth"]),
    "tls_client_auth": AUTHORITY.issue(cn("client"), KEYS["tls_client_auth"]),
}
DN = "CN=client,O=Agence,C=CA"


@dataclass
class CertifiedScenery(Scenery):
    """The same people and clients; what is sent comes through the proxy, which saw this certificate."""

    shown: str | None = None
    peer: str = "127.0.0.1"

    def browser(self) -> FlaskClient:
        browser = self.app.test_client()
        browser.environ_base["REMOTE_ADDR"] = self.peer
        if self.shown is not None:
            browser.environ_base[f"HTTP_{HEADER.upper().replace('-', '_')}"] = self.shown
        return browser


def through_proxy(scenery: Scenery, certificate: x509.Certificate | str | None, **given: Any) -> CertifiedScenery:
    shown = escaped(certificate) if isinstance(certificate, x509.Certificate) else certificate
    members = {name: getattr(scenery, name) for name in ("app", "clock", "story", "firm", "people", "memberships")}
    return CertifiedScenery(**members, shown=shown, **given)


@dataclass
class MutualTlsRelyingParty(FapiRelyingParty):
    """A client of the FAPI profile, by one of the three methods and one of the two bindings."""

    method: str = "tls_client_auth"
    binding: str = "certificate"

    def client_proof(self, **changed: Any) -> dict[str, str]:
        if self.method == "private_key_jwt":
            return super().client_proof(**changed)
        return {"client_id": self.client_id}

    def post(
        self, path: str, form: dict[str, Any], *, proof: str | None = None, with_proof: bool = True
    ) -> TestResponse:
        return super().post(path, form, proof=proof, with_proof=with_proof and self.binding == "dpop")

    def userinfo(self, access_token: str, *, proof: str | None = None, scheme: str | None = None) -> TestResponse:
        if self.binding == "dpop":
            return super().userinfo(access_token, proof=proof, scheme=scheme or "DPoP")
        headers = {"Authorization": f"{scheme or 'Bearer'} {access_token}"}
        return self.scenery.browser().get("/userinfo", headers=headers)

    def showing(self, certificate: x509.Certificate | str | None, **given: Any) -> MutualTlsRelyingParty:
        """Return the same client, now showing another certificate, or another way."""
        return replace(self, scenery=through_proxy(self.scenery, certificate, **given))


def name_of(method: str, binding: str) -> str:
    return f"{method}.{binding}".replace("_", "-")


def told(method: str, binding: str, **changed: Any) -> dict[str, Any]:
    """Return the registration of a client."""
    entry = keyed(name_of(method, binding), profile="fapi2", redirect_uris=[CALLBACK])
    entry |= {"token_endpoint_auth_method": method, "jwks": {"keys": [public_jwk(KEYS[method])]}}
    if binding == "certificate":
        entry["tls_client_certificate_bound_access_tokens"] = True
    if method == "tls_client_auth":
        del entry["jwks"]
        entry["tls_client_auth_subject_dn"] = DN
    return {**entry, **changed}


def relying_party(scenery: Scenery, method: str, binding: str) -> MutualTlsRelyingParty:
    return MutualTlsRelyingParty(
        through_proxy(scenery, CERTIFICATES[method]),
        name_of(method, binding),
        key=KEYS[method],
        kid=None,
        method=method,
        binding=binding,
    )
