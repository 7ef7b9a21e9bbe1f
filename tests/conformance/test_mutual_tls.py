"""Mutual TLS (RFC 8705) over the pages of the application: the certificate as the proxy hands it over.

The client authentication and sender-constraint cases of the OIDF FAPI 2.0 Security Profile plan, for
{private_key_jwt, self_signed_tls_client_auth, tls_client_auth} × {DPoP, certificate}; S-85.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from flask import Flask

from idp.app import create_app
from idp.clock import MovableClock
from idp.config import ConfigurationError, Settings, read_settings
from tests.conftest import AS_OF
from tests.oidc.certificates import (
    FROM,
    TestAuthority,
    byte_sequence,
    cn,
    dn,
    escaped,
    new_key,
    pem,
    self_signed,
    thumbprint,
)
from tests.oidc.fapi import thumbprint as key_thumbprint
from tests.oidc.mutual_tls import (
    AUTHORITY,
    BINDINGS,
    CERTIFICATES,
    DN,
    HEADER,
    KEYS,
    METHODS,
    MutualTlsRelyingParty,
    name_of,
    relying_party,
    told,
)
from tests.oidc.scenery import (
    ASSERTION_TYPE,
    CALLBACK,
    ISSUER,
    SCOPES,
    SECRET,
    RelyingParty,
    Scenery,
    load,
    make_scenery,
    registration,
)
from tests.oidc.software import approve, details

ALIAS = "http://127.0.0.1:8443"
RESOURCE = "https://portal.amp.example/"  # of the agency
TLS, SELF_SIGNED = "tls_client_auth", "self_signed_tls_client_auth"
REVOKED = AUTHORITY.issue(cn("client"), KEYS[TLS])
OTHERS = new_key()


@pytest.fixture
def settings(database_url: str, keys_dir: Path, tmp_path: Path) -> Settings:
    (tmp_path / "ca.pem").write_text(pem(AUTHORITY.certificate))
    (tmp_path / "crl.pem").write_bytes(AUTHORITY.revocations(REVOKED))
    return read_settings(
        issuer=ISSUER,
        database_url=database_url,
        keys_dir=keys_dir,
        outbox_dir=tmp_path / "outbox",
        argon2_memory_kib=1024,
        argon2_time=1,
        proxy_addresses="127.0.0.1",
        mtls_certificate_header=HEADER,
        mtls_ca_file=tmp_path / "ca.pem",
        mtls_crl_file=tmp_path / "crl.pem",
        mtls_issuer_alias=ALIAS,
    )


@pytest.fixture
def scenery(app: Flask, clock: MovableClock, tmp_path: Path) -> Scenery:
    made = make_scenery(app, clock, tmp_path)
    entries = [told(method, binding) for method in METHODS for binding in BINDINGS]
    other = {"jwks": told(SELF_SIGNED, "dpop")["jwks"], "client_id": "another"}
    load(app, clock, tmp_path, *entries, told(SELF_SIGNED, "certificate", **other))
    return made


def error_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, (answer.get_json() or {}).get("error", "")


@pytest.mark.parametrize("binding", BINDINGS)
def test_each_way_to_prove_oneself_goes_with_each_way_to_bind_tokens(scenery: Scenery, binding: str) -> None:
    """``happy-flow`` of each variant: PAR, code, tokens bound as asked, userinfo with the same key or certificate alone."""
    browser = scenery.browser()
    for method in METHODS:
        client = relying_party(scenery, method, binding)
        tokens = client.tokens(browser)
        claims = client.read(tokens["access_token"], "ES256", audience=RESOURCE)
        if binding == "certificate":
            assert (tokens["token_type"], claims["cnf"]) == ("Bearer", {"x5t#S256": thumbprint(CERTIFICATES[method])})
        else:
            assert (tokens["token_type"], claims["cnf"]) == ("DPoP", {"jkt": key_thumbprint(client.dpop_key)})
        told_of = client.userinfo(tokens["access_token"])
        assert (told_of.status_code, told_of.get_json()["sub"]) == (200, claims["sub"])
        as_bytes = client.showing(byte_sequence(CERTIFICATES[method]))
        assert as_bytes.userinfo(tokens["access_token"]).status_code == 200  # RFC 9440, the other spelling


def test_a_bound_token_is_of_no_use_without_its_certificate(scenery: Scenery) -> None:
    """RFC 8705 §3, S-85: no certificate, another one, one of the same key, several, a stranger's header, another scheme."""
    client = relying_party(scenery, TLS, "certificate")
    token = client.tokens(scenery.browser())["access_token"]
    own = CERTIFICATES[TLS]
    wrong: dict[str, MutualTlsRelyingParty] = {
        "none": client.showing(None),
        "empty": client.showing(""),
        "another client's": client.showing(CERTIFICATES[SELF_SIGNED]),
        "renewed": client.showing(AUTHORITY.issue(cn("client"), KEYS[TLS])),
        "two": client.showing(escaped(own) + escaped(own)),
        "two in a list": client.showing(f"{escaped(own)}, {escaped(own)}"),
        "from a stranger": client.showing(own, peer="127.0.0.2"),
        "cut": client.showing(escaped(own)[:-40]),
    }
    for case, bearer in wrong.items():
        answer = bearer.userinfo(token)
        assert error_of(answer) == (401, "invalid_token"), case
        assert answer.headers["WWW-Authenticate"].startswith('Bearer error="invalid_token"'), case
        assert answer.headers["Cache-Control"] == "no-store", case
    assert error_of(client.userinfo(token, scheme="DPoP")) == (401, "invalid_token")
    proof = client.dpop("GET", f"{ISSUER}/userinfo", access_token=token)
    headers = {"Authorization": f"DPoP {token}", "DPoP": proof}
    assert error_of(scenery.browser().get("/userinfo", headers=headers)) == (401, "invalid_token")
    assert client.userinfo(token, scheme="bearer").status_code == 200


def test_a_certificate_does_not_stand_for_a_proof(scenery: Scenery) -> None:
    """``ensure-holder-of-key-required``: a token bound to a DPoP key needs the proof, whatever certificate comes along."""
    browser = scenery.browser()
    for method in METHODS:
        client = relying_party(scenery, method, "dpop")
        refused = client.redeem(client.code(browser), with_proof=False)
        token = client.tokens(browser)["access_token"]
        as_bearer = client.scenery.browser().get("/userinfo", headers={"Authorization": f"Bearer {token}"})
        assert error_of(refused) == (400, "invalid_dpop_proof"), method
        assert error_of(as_bearer) == (401, "invalid_token"), method


def test_who_binds_to_a_certificate_must_show_one(scenery: Scenery) -> None:
    """``ensure-holder-of-key-required``: proved by an assertion, yet nothing to bind the tokens to."""
    client = relying_party(scenery, "private_key_jwt", "certificate")
    code = client.code(scenery.browser())

    assert error_of(client.showing(None).redeem(code)) == (400, "invalid_request")
    assert error_of(client.showing(CERTIFICATES[TLS], peer="127.0.0.2").redeem(code)) == (400, "invalid_request")
    assert client.redeem(code).status_code == 200


def test_a_proof_binds_before_a_certificate(scenery: Scenery) -> None:
    """Who shows both has said by the proof which it means; the certificate may then change."""
    client = relying_party(scenery, "private_key_jwt", "certificate")
    client.binding = "dpop"
    tokens = client.tokens(scenery.browser())
    cnf = client.read(tokens["access_token"], "ES256", audience=RESOURCE)["cnf"]

    assert (tokens["token_type"], list(cnf)) == ("DPoP", ["jkt"])
    assert client.showing(None).userinfo(tokens["access_token"]).status_code == 200


def not_the_client() -> Iterator[tuple[str, str, Any]]:
    """Every certificate that is not the client's own: the method, what is wrong, what is shown."""
    yesterday, tomorrow = AS_OF - timedelta(days=1), AS_OF + timedelta(days=1)
    for method in (TLS, SELF_SIGNED):
        own = CERTIFICATES[method]
        yield method, "none", None
        yield method, "empty", ""
        yield (
            method,
            "another client's, of the other method",
            CERTIFICATES[TLS if method == SELF_SIGNED else SELF_SIGNED],
        )
        yield method, "two", escaped(own) * 2
        yield method, "two, each escaped, in a list", f"{escaped(own)},{escaped(own)}"
        yield method, "two byte sequences", f"{byte_sequence(own)}, {byte_sequence(own)}"
        yield method, "cut", escaped(own)[:-60]
        yield method, "cut byte sequence", byte_sequence(own)[:-5] + ":"
        yield method, "not base64", byte_sequence(own).replace("M", "!", 1)
        yield method, "something after it", escaped(own) + "x"
        yield method, "escaped twice", escaped(own).replace("%", "%25")
        yield method, "a key", "-----BEGIN PUBLIC KEY-----%0AAAAA%0A-----END PUBLIC KEY-----"
        yield method, "noise", "x" * 100
        yield method, "too long", ":" + "A" * 20_000 + ":"
        yield method, "its subject as text", DN
        yield method, "SUCCESS", "SUCCESS"
    key = KEYS[SELF_SIGNED]
    yield SELF_SIGNED, "expired", self_signed(key, ends=yesterday)
    yield SELF_SIGNED, "not yet valid", self_signed(key, begins=tomorrow)
    yield SELF_SIGNED, "same name, another key", self_signed(OTHERS)
    yield SELF_SIGNED, "same name, signed by an authority", AUTHORITY.issue(cn("client"), OTHERS)
    key = KEYS[TLS]
    yield TLS, "expired", AUTHORITY.issue(cn("client"), key, ends=yesterday)
    yield TLS, "not yet valid", AUTHORITY.issue(cn("client"), key, begins=tomorrow)
    yield TLS, "self-signed", self_signed(key)
    yield TLS, "revoked", REVOKED
    yield TLS, "of another authority", TestAuthority(cn("Autre")).issue(cn("client"), key)
    yield TLS, "of another authority of the same name", TestAuthority(AUTHORITY.name).issue(cn("client"), key)
    yield TLS, "issued by a mere client", _issued_by_a_client(key)
    yield TLS, "the authority itself", AUTHORITY.certificate
    yield TLS, "for servers", AUTHORITY.issue(cn("client"), key, purpose=ExtendedKeyUsageOID.SERVER_AUTH)
    yield TLS, "another person", AUTHORITY.issue(cn("client2"), key)
    yield TLS, "another case", AUTHORITY.issue(cn("Client"), key)
    yield TLS, "a space more", AUTHORITY.issue(cn("client "), key)
    org, country, name = NameOID.ORGANIZATION_NAME, NameOID.COUNTRY_NAME, NameOID.COMMON_NAME
    yield TLS, "one attribute that reads like three", AUTHORITY.issue(dn((name, DN.removeprefix("CN="))), key)
    yield TLS, "another order", AUTHORITY.issue(dn((name, "client"), (org, "Agence"), (country, "CA")), key)
    yield TLS, "a part more", AUTHORITY.issue(dn((country, "CA"), (org, "Agence"), (org, "x"), (name, "client")), key)
    yield TLS, "a part less", AUTHORITY.issue(dn((org, "Agence"), (name, "client")), key)
    yield (
        TLS,
        "another kind",
        AUTHORITY.issue(dn((country, "CA"), (org, "Agence"), (NameOID.ORGANIZATIONAL_UNIT_NAME, "client")), key),
    )
    yield TLS, "one set instead of two", AUTHORITY.issue(_one_set(), key)
    yield TLS, "the name as alternative name", AUTHORITY.issue(cn("x"), key, "uri:CN=client,O=Agence,C=CA")


def _one_set() -> x509.Name:
    attributes = [
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Agence"),
        x509.NameAttribute(NameOID.COMMON_NAME, "client"),
    ]
    country = x509.RelativeDistinguishedName([x509.NameAttribute(NameOID.COUNTRY_NAME, "CA")])
    return x509.Name([country, x509.RelativeDistinguishedName(attributes)])


def _issued_by_a_client(key: Any) -> x509.Certificate:
    """What a client with a good certificate could issue with it, were basicConstraints not looked at."""
    false_authority = TestAuthority(cn("client"), OTHERS)
    false_authority.certificate = AUTHORITY.issue(cn("client"), OTHERS)
    return false_authority.issue(cn("client"), key)


def test_no_other_certificate_proves_the_client(scenery: Scenery) -> None:
    """RFC 8705 §2, S-85: each is ``invalid_client`` at PAR and burns nothing; the own one then still does."""
    clients = {method: relying_party(scenery, method, "certificate") for method in (TLS, SELF_SIGNED)}
    let_in = []
    for method, case, shown in not_the_client():
        answer = clients[method].showing(shown).push()
        if error_of(answer) != (401, "invalid_client") or answer.headers["Cache-Control"] != "no-store":
            let_in.append((method, case, answer.status_code, answer.text))
    strangers = [client.showing(CERTIFICATES[method], peer="127.0.0.2").push() for method, client in clients.items()]

    assert let_in == []
    assert [error_of(answer) for answer in strangers] == [(401, "invalid_client")] * 2
    assert {client.push().status_code for client in clients.values()} == {201}


def test_a_certificate_never_answers_for_another_client(scenery: Scenery) -> None:
    """Two clients of one method: each has its own certificate, and naming the other does not help."""
    client = relying_party(scenery, SELF_SIGNED, "certificate")
    client.client_id = "another"
    assert client.push().status_code == 201  # registered with the same key

    for named in (name_of("private_key_jwt", "certificate"), name_of(TLS, "certificate"), "rp1", "nobody", ""):
        client.client_id = named
        assert error_of(client.push()) == (401, "invalid_client"), named
    code = relying_party(scenery, SELF_SIGNED, "certificate").code(scenery.browser())
    client.client_id = "another"
    assert error_of(client.redeem(code)) == (400, "invalid_grant")


def test_one_method_at_a_time(scenery: Scenery) -> None:
    """A secret, an assertion or Basic beside the certificate is refused (RFC 6749 §2.3)."""
    client = relying_party(scenery, SELF_SIGNED, "certificate")
    assert client.push(client_secret=SECRET).status_code in (400, 401)
    assert client.push(client_secret="").status_code == 201  # empty is absent (RFC 6749 §3.2)
    assertion = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": client.assertion("ES256", client.key)}
    with_assertion = client.post("/par", {**client.parameters(), **assertion})  # by the very key of the certificate
    basic = client.scenery.browser().post("/par", data=client.parameters(), headers={"Authorization": client.basic()})

    assert error_of(with_assertion) == (401, "invalid_client")
    assert error_of(basic) == (401, "invalid_client")


def test_a_certificate_is_no_method_of_a_client_that_has_another(scenery: Scenery) -> None:
    """A certificate, even a good one, opens neither private_key_jwt nor secrets."""
    client = relying_party(scenery, "private_key_jwt", "certificate")
    client.method = TLS
    assert error_of(client.push()) == (401, "invalid_client")

    client.client_id = "rp1"
    assert error_of(client.push()) == (401, "invalid_client")


def test_revocation_lists_are_read_again_and_fail_closed(
    scenery: Scenery, settings: Settings, clock: MovableClock
) -> None:
    """Revoked after the start, no list, a list that ended, a list of another's hand: refused; a broken file changes nothing."""
    client = relying_party(scenery, TLS, "certificate")
    path, own = settings.mtls_crl_file, CERTIFICATES[TLS]
    assert path is not None
    stranger = TestAuthority(cn("Autre"))
    lists: dict[str, tuple[bytes, int]] = {
        "revoked": (AUTHORITY.revocations(own), 401),
        "not revoked": (AUTHORITY.revocations(), 201),
        "revoked in the second list": (AUTHORITY.revocations() + AUTHORITY.revocations(own), 401),
        "of another authority only": (stranger.revocations(), 401),
        "ended": (AUTHORITY.revocations(begins=FROM, ends=clock.now()), 401),
        "not begun": (AUTHORITY.revocations(begins=clock.now() + timedelta(minutes=5)), 401),
        "signed by another": (AUTHORITY.revocations(key=OTHERS), 401),
        "again": (AUTHORITY.revocations(REVOKED), 201),
        "broken": (b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n", 201),
        "emptied": (b"", 201),
    }
    seen = {}
    for number, (case, (content, _)) in enumerate(lists.items(), start=1):
        path.write_bytes(content)
        os.utime(path, (number, number))
        seen[case] = client.push().status_code

    assert seen == {case: status for case, (_, status) in lists.items()}


def test_an_authority_below_the_known_one_may_answer(scenery: Scenery, settings: Settings) -> None:
    """An intermediate authority in the file is enough, with or without its root; unknown, it is not."""
    below = TestAuthority(cn("Intermédiaire"), above=AUTHORITY)
    leaf = below.issue(cn("client"), KEYS[TLS])
    client = relying_party(scenery, TLS, "certificate").showing(leaf)
    assert error_of(client.push()) == (401, "invalid_client")

    ca, crl = settings.mtls_ca_file, settings.mtls_crl_file
    assert ca is not None
    assert crl is not None
    crl.write_bytes(AUTHORITY.revocations() + below.revocations())
    for number, known in enumerate(([below], [AUTHORITY, below]), start=1):
        ca.write_text("".join(pem(each.certificate) for each in known))
        os.utime(ca, (number, number))
        assert client.push().status_code == 201, number


def test_a_proof_may_be_about_either_address(scenery: Scenery) -> None:
    """``htu`` is the address of the issuer or of its alias, both from the configuration; the Host header names neither."""
    client = relying_party(scenery, TLS, "dpop")
    code = client.code(scenery.browser())
    client.redeem("x")  # learn a nonce
    for url in ("http://localhost:8443/token", f"{ALIAS}/token/", f"{ALIAS}/par", "http://127.0.0.1/token"):
        proof = client.dpop("POST", url)
        assert error_of(client.redeem(code, proof=proof)) == (400, "invalid_dpop_proof"), url
    tokens = client.redeem(code, proof=client.dpop("POST", f"{ALIAS}/token")).get_json()
    access = tokens["access_token"]

    assert tokens["token_type"] == "DPoP"
    proof = client.dpop("GET", f"{ALIAS}/userinfo", access_token=access)
    assert client.userinfo(access, proof=proof).status_code == 200


def test_discovery_tells_it_where_it_works_and_nowhere_else(
    scenery: Scenery, settings: Settings, clock: MovableClock
) -> None:
    """``discovery-end-point-verification`` with mTLS: aliases, bound tokens, methods; nothing of it without a source."""
    document = scenery.browser().get("/.well-known/openid-configuration").get_json()
    assert document["tls_client_certificate_bound_access_tokens"] is True
    assert document["mtls_endpoint_aliases"] == {
        f"{name}_endpoint": ALIAS + document[f"{name}_endpoint"].removeprefix(ISSUER)
        for name in ("token", "pushed_authorization_request", "userinfo", "introspection", "revocation")
        if f"{name}_endpoint" in document
    }
    assert {TLS, SELF_SIGNED} <= set(document["token_endpoint_auth_methods_supported"])

    def told_with(**given: Any) -> dict[str, Any]:
        app = create_app(settings.model_copy(update=given), clock=clock, testing=True)
        answer: dict[str, Any] = app.test_client().get("/.well-known/openid-configuration").get_json()
        return answer

    without_authorities = told_with(mtls_ca_file=None, mtls_crl_file=None)
    assert SELF_SIGNED in without_authorities["token_endpoint_auth_methods_supported"]
    assert TLS not in without_authorities["token_endpoint_auth_methods_supported"]
    without = told_with(mtls_certificate_header=None, mtls_ca_file=None, mtls_crl_file=None, mtls_issuer_alias=None)
    assert not {TLS, SELF_SIGNED} & set(without["token_endpoint_auth_methods_supported"])
    assert not {"tls_client_certificate_bound_access_tokens", "mtls_endpoint_aliases"} & without.keys()


@pytest.mark.parametrize("content", [b"", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", None])
def test_authorities_that_cannot_be_read_stop_the_start(settings: Settings, content: bytes | None) -> None:
    """A missing, empty or broken file is a mistake of the configuration, never an open door."""
    assert settings.mtls_ca_file is not None
    settings.mtls_ca_file.unlink() if content is None else settings.mtls_ca_file.write_bytes(content)

    with pytest.raises(ConfigurationError, match="IDP_MTLS_CA_FILE"):
        create_app(settings)


def test_without_authorities_nobody_is_proved_by_one(scenery: Scenery, settings: Settings, clock: MovableClock) -> None:
    """CVE-2023-2422: a certificate whose chain nobody follows is any client's; here it is nobody's."""
    given = {"mtls_ca_file": None, "mtls_crl_file": None}
    scenery.app = create_app(settings.model_copy(update=given), clock=clock, testing=True)

    with scenery.app.app_context():
        assert error_of(relying_party(scenery, TLS, "certificate").push()) == (401, "invalid_client")
        assert relying_party(scenery, SELF_SIGNED, "certificate").push().status_code == 201


def test_a_bearer_client_is_left_alone_by_a_certificate(scenery: Scenery) -> None:
    """Whoever did not ask for bound tokens gets bearer tokens, whatever certificate its TLS library shows."""
    client = relying_party(scenery, TLS, "certificate")
    plain = RelyingParty(client.scenery)

    tokens = plain.tokens(scenery.browser())

    assert tokens["token_type"] == "Bearer"
    assert RelyingParty(scenery).userinfo(tokens["access_token"]).status_code == 200


def test_a_baseline_client_may_bind_its_tokens_too(scenery: Scenery, clock: MovableClock, tmp_path: Path) -> None:
    """``tls_client_certificate_bound_access_tokens`` makes bound tokens required (RFC 8705 §3.4), a secret or not."""
    entry = registration("bound", redirect_uris=[CALLBACK], tls_client_certificate_bound_access_tokens=True)
    load(scenery.app, clock, tmp_path, entry)
    shown = relying_party(scenery, TLS, "certificate").scenery
    with_it, without = RelyingParty(shown, "bound"), RelyingParty(scenery, "bound")
    browser = scenery.browser()

    assert error_of(without.token(without.code(browser))) == (400, "invalid_request")
    token = with_it.tokens(browser)["access_token"]
    assert with_it.userinfo(token).status_code == 200
    assert error_of(without.userinfo(token)) == (401, "invalid_token")


@pytest.mark.bar("S-64")
@pytest.mark.parametrize("binding", BINDINGS)
def test_a_refresh_token_goes_on_for_its_client_with_a_certificate(
    scenery: Scenery, clock: MovableClock, tmp_path: Path, binding: str
) -> None:
    """``refresh-token`` of each variant: the presented one still works, without a certificate it does not.

    Another certificate is refused where it is what proves the client; elsewhere the new token is bound to it (RFC 8705 §7.1).
    """
    lasting = {"grant_types": ["authorization_code", "refresh_token"], "scope": f"{SCOPES} offline_access"}
    load(scenery.app, clock, tmp_path, *[told(method, binding, **lasting) for method in METHODS])
    for method in METHODS:
        client = relying_party(scenery, method, binding)
        tokens = client.tokens(scenery.browser(), scope=lasting["scope"], prompt="consent")
        form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        fresh = client.post("/token", form).get_json()
        assert fresh["refresh_token"] == tokens["refresh_token"], method
        old, new = (client.read(each["access_token"], "ES256", audience=RESOURCE) for each in (tokens, fresh))
        assert new["cnf"] == old["cnf"], method
        if binding == "certificate" or method != "private_key_jwt":
            another = CERTIFICATES[TLS if method == SELF_SIGNED else SELF_SIGNED]
            if method == "private_key_jwt":
                bound = client.showing(another).post("/token", form).get_json()["access_token"]
                confirmed = client.read(bound, "ES256", audience=RESOURCE)["cnf"]
                assert set(confirmed) == {"x5t#S256"}
                assert confirmed != old["cnf"]
            for shown in (None, *([another] if method != "private_key_jwt" else [])):
                answer = client.showing(shown).post("/token", form)
                assert answer.status_code in (400, 401), method
                assert answer.get_json()["error"] in ("invalid_grant", "invalid_client", "invalid_request"), method
        assert client.post("/token", form).status_code == 200, method


@pytest.mark.parametrize("method", METHODS)
def test_a_certificate_proves_and_binds_a_program_of_an_enterprise(
    scenery: Scenery, clock: MovableClock, tmp_path: Path, method: str
) -> None:
    """RFC 8705 §3 with ``client_credentials``: the token of a system user is bound to the certificate of the handshake."""
    entry = told(method, "certificate", profile="baseline", grant_types=["client_credentials"])
    entry |= {"scope": "enterprise functional_blocks", "offers_system_users": True}
    entry.pop("redirect_uris")
    load(scenery.app, clock, tmp_path, entry)
    approve(scenery, entry["client_id"], "008")
    program = relying_party(scenery, method, "certificate")
    form = {"grant_type": "client_credentials", "authorization_details": details()}

    answer = program.post("/token", form)

    assert answer.status_code == 200, answer.text
    claims = program.read(answer.get_json()["access_token"], "ES256", "https://portal.amp.example/")
    assert (answer.get_json()["token_type"], list(claims["cnf"])) == ("Bearer", ["x5t#S256"])
    assert claims["representation"]["role"] == "system"
    without = error_of(program.showing(None).post("/token", form))
    assert without == ((400, "invalid_request") if method == "private_key_jwt" else (401, "invalid_client"))
