"""What ``bin/demo --https`` and ``bin/demo-client`` promise an integrator."""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import pytest

from tests.snippets.sandbox import Sandbox

CALLBACK = "https://portal.example/callback"
SECRET = "a-secret-of-an-integrator-that-is-long-0123"
CLIENT = f"""
clients:
  - client_id: integrator
    client_secret: {SECRET}
    client_name: Essai
    agency: amp
    profile: baseline
    redirect_uris: [{CALLBACK}]
    token_endpoint_auth_method: client_secret_basic
    scope: openid profile enterprise functional_blocks
  - client_id: integrator-tls
    client_name: Essai par certificat
    agency: amp
    profile: baseline
    redirect_uris: [{CALLBACK}]
    token_endpoint_auth_method: tls_client_auth
    tls_client_auth_subject_dn: CN=demonstration-client
    tls_client_certificate_bound_access_tokens: true
    scope: openid enterprise functional_blocks
"""


@pytest.fixture(scope="module")
def loaded(sandbox: Sandbox) -> Sandbox:
    sandbox.load_client(CLIENT)
    time.sleep(1.1)  # a running provider knows a client within a second
    return sandbox


def _signed_in(sandbox: Sandbox, client_id: str) -> dict[str, str]:
    """Return the form that redeems the code of a sign-in."""
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    asked = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": CALLBACK,
        "scope": "openid enterprise functional_blocks",
        "state": "s",
        "nonce": "n",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    back = sandbox.sign_in(f"{sandbox.issuer}/authorize?{urlencode(asked)}", CALLBACK)
    answer = {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()}
    assert (answer["state"], answer["iss"]) == ("s", sandbox.issuer)
    return {
        "grant_type": "authorization_code",
        "code": answer["code"],
        "redirect_uri": CALLBACK,
        "code_verifier": verifier,
    }


def test_a_client_of_one_s_own_signs_a_person_in(loaded: Sandbox) -> None:
    """One command loads it into the running demonstration; a person signs in, and the claims come over https."""
    form = _signed_in(loaded, "integrator")

    with httpx2.Client(verify=loaded.trusting(), trust_env=False) as program:
        tokens = program.post(f"{loaded.issuer}/token", data=form, auth=("integrator", SECRET)).json()
        claims = program.get(
            f"{loaded.issuer}/userinfo", headers={"Authorization": f"Bearer {tokens['access_token']}"}
        ).json()

    assert claims["enterprise"]["neq"] == "1100000455"
    assert claims["functional_blocks"] == ["001", "008"]


def test_a_certificate_of_the_demonstration_proves_a_client(loaded: Sandbox) -> None:
    """The alias asks for a certificate; the one that lies beside the authority proves the client and binds its token."""
    form = _signed_in(loaded, "integrator-tls") | {"client_id": "integrator-tls"}
    context = loaded.trusting()
    context.load_cert_chain(loaded.place / "tls" / "client.pem", loaded.place / "tls" / "client.key")
    alias = loaded.told["mtls_issuer"]

    with httpx2.Client(verify=context, trust_env=False) as program:
        tokens = program.post(f"{alias}/token", data=form)
        token = {"Authorization": f"Bearer {tokens.json()['access_token']}"}
        bound = program.get(f"{alias}/userinfo", headers=token)
    with httpx2.Client(verify=loaded.trusting(), trust_env=False) as other:
        unbound = other.get(f"{alias}/userinfo", headers=token)

    assert (tokens.status_code, bound.status_code, unbound.status_code) == (200, 200, 401)


def test_the_portal_of_the_demonstration_is_signed_out_over_https(loaded: Sandbox) -> None:
    """The provider reaches the portal at its https address: its event stream and logout tokens are confirmed."""
    with httpx2.Client(verify=loaded.trusting(), trust_env=False, follow_redirects=True) as program:
        page = program.get(loaded.told["portal"])

    assert page.status_code == 200
    assert page.url.scheme == "https"
