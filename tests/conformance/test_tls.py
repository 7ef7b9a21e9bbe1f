"""One run over real TLS: nginx with the shipped configuration in front of ``idp serve``, two hosts, certificates, loopback."""

from __future__ import annotations

import http.client
import socket
import ssl
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import jwt as pyjwt
import pytest

from idp.oidc.authorization.domain.requests import LONGEST
from tests.conformance.deployment import CALLBACK, Deployment, deployed, name_of
from tests.oidc.certificates import escaped, thumbprint
from tests.oidc.scenery import csrf_token

TLS, SELF_SIGNED = "tls_client_auth", "self_signed_tls_client_auth"


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory, keys_dir: Path) -> Iterator[Deployment]:
    with deployed(tmp_path_factory.mktemp("tls"), keys_dir) as running:
        yield running


@pytest.fixture(autouse=True)
def _localhost_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Resolve ``*.localhost`` to this machine, as browsers do (RFC 6761 §6.3), whatever the system does."""
    resolve = socket.getaddrinfo

    def local(host: Any, *rest: Any, **named: Any) -> Any:
        return resolve("127.0.0.1" if str(host).endswith(".localhost") else host, *rest, **named)

    monkeypatch.setattr(socket, "getaddrinfo", local)


def test_everything_is_https(deployment: Deployment) -> None:
    """protocol.md §6.22: https addresses in discovery, HSTS, ``__Host-`` cookies that are Secure; forged hosts change nothing."""
    with deployment.visitor(deployment.issuer) as browser:
        answer = browser.get("/.well-known/openid-configuration", headers={"X-Forwarded-Host": "evil.example"})
        page = browser.get("/sign-in", headers={"X-Forwarded-Proto": "http"})
    told = answer.get_json()
    addresses = [value for value in told.values() if isinstance(value, str) and "://" in value]

    assert told["issuer"] == deployment.issuer
    assert all(address.startswith(deployment.issuer) for address in addresses)
    assert told["mtls_endpoint_aliases"] == {
        name: deployment.alias + told[name].removeprefix(deployment.issuer) for name in told["mtls_endpoint_aliases"]
    }
    assert {"token_endpoint", "userinfo_endpoint"} <= told["mtls_endpoint_aliases"].keys()
    with deployment.visitor(deployment.alias) as program:
        answers = {url: program.post(url).status_code for url in told["mtls_endpoint_aliases"].values()}
    assert not {404, 405} & set(answers.values()), answers
    assert told["tls_client_certificate_bound_access_tokens"] is True
    for each in (answer, page):
        assert each.headers["Strict-Transport-Security"].startswith("max-age=31536000")
    cookies = page.headers.get_list("Set-Cookie")
    assert cookies
    for cookie in cookies:
        assert cookie.startswith("__Host-"), cookie
        assert {"Secure", "HttpOnly", "Path=/"} <= set(cookie.split("; ")), cookie
        assert "Domain" not in cookie


def test_a_client_proves_itself_and_binds_its_tokens_by_its_certificate(deployment: Deployment) -> None:
    """``happy-flow`` of the FAPI 2.0 plan with mTLS and mTLS, each hop over TLS; the token serves with the certificate alone."""
    with deployment.visitor(deployment.issuer) as browser:
        for method in (TLS, SELF_SIGNED):
            with deployment.client(method) as client:
                tokens = client.tokens(browser)  # type: ignore[arg-type]
                person = client.userinfo(tokens["access_token"])
            with deployment.client(method, "stranger") as other:
                stolen = other.userinfo(tokens["access_token"])
            at_issuer = browser.get("/userinfo", headers={"Authorization": f"Bearer {tokens['access_token']}"})
            key = _published_key(browser.get("/jwks").get_json(), tokens["access_token"])
            claims = pyjwt.decode(tokens["access_token"], key, algorithms=["ES256"], options={"verify_aud": False})
            assert (tokens["token_type"], claims["iss"]) == ("Bearer", deployment.issuer)
            assert claims["cnf"] == {"x5t#S256": thumbprint(deployment.certificates[method])}
            assert (person.status_code, person.get_json()["sub"]) == (200, claims["sub"])
            for refused in (at_issuer, stolen):
                assert (refused.status_code, refused.get_json()) == (401, {"error": "invalid_token"})


def _published_key(keys: dict[str, Any], token: str) -> pyjwt.PyJWK:
    kid = pyjwt.get_unverified_header(token)["kid"]
    return pyjwt.PyJWK(next(key for key in keys["keys"] if key["kid"] == kid))


def _push(deployment: Deployment, method: str = TLS) -> dict[str, str]:
    with deployment.client(method) as client:
        return {**client.parameters(), "client_id": client.client_id}


def test_who_shows_no_certificate_or_another_is_not_the_client(deployment: Deployment) -> None:
    """S-85 over real handshakes; at the issuer's host no certificate is asked for, so none counts."""
    for method in (TLS, SELF_SIGNED):
        form = _push(deployment, method)
        others = {None, "stranger", TLS, SELF_SIGNED} - {method}
        for shown in sorted(others, key=str):
            with deployment.visitor(deployment.alias, shown) as visitor:
                assert visitor.post("/par", data=form).status_code == 401, (method, shown)
        with deployment.visitor(deployment.issuer, method) as visitor:
            assert visitor.post("/par", data=form).status_code == 401
        with deployment.visitor(deployment.alias, method) as visitor:
            assert visitor.post("/par", data=form).status_code == 201


def test_a_certificate_written_in_a_header_is_ignored(deployment: Deployment) -> None:
    """Through nginx at either host, under every name, and directly by a stranger: only the proxy's word counts (S-84, S-85)."""
    form, own = _push(deployment), escaped(deployment.certificates[TLS])
    names = ("X-Client-Cert", "x-client-cert", "X_Client_Cert", "Client-Cert", "X-SSL-Client-Cert", "SSL_CLIENT_CERT")
    forged: list[dict[str, str]] = [{name: own} for name in names]
    forged.append({"X-Client-Cert": own, "X-Forwarded-For": "127.0.0.1", "Forwarded": "for=127.0.0.1"})
    for origin in (deployment.issuer, deployment.alias):
        with deployment.visitor(origin) as visitor:
            for headers in forged:
                assert visitor.post("/par", data=form, headers=headers).status_code == 401, (origin, headers.keys())
    for headers in forged:
        assert _directly(deployment, "127.0.0.2", form, headers) == 401, headers.keys()
    with deployment.visitor(deployment.alias, "stranger") as visitor:
        assert visitor.post("/par", data=form, headers={"X-Client-Cert": own}).status_code == 401

    assert (
        _directly(deployment, "127.0.0.1", form, {"X-Client-Cert": own}) == 201
    )  # as the proxy would: the header works


def _directly(
    deployment: Deployment, source: str, form: dict[str, str], headers: dict[str, str], path: str = "/par"
) -> int:
    """Post to the back end, past the proxy."""
    connection = http.client.HTTPConnection("127.0.0.1", deployment.backend, source_address=(source, 0), timeout=30)
    told = {"Content-Type": "application/x-www-form-urlencoded", **headers}
    connection.request("POST", path, urlencode(form), told)
    status = connection.getresponse().status
    connection.close()
    return status


def test_forged_addresses_do_not_move_the_limit(deployment: Deployment) -> None:
    """A new X-Forwarded-For at each try is one address still, through nginx and directly (S-84)."""
    tries = [(f"AAAA-{number:04}", f"203.0.113.{number}") for number in range(62)]  # each name once: no account locks
    with deployment.visitor(deployment.issuer, source="127.0.0.3") as browser:
        typed = {"password": "x", "csrf_token": csrf_token(browser.get("/sign-in").text)}
        through = [
            browser.post("/sign-in", data={**typed, "username": name}, headers={"X-Forwarded-For": forged}).status_code
            for name, forged in tries
        ]
    with deployment.visitor(deployment.issuer, source="127.0.0.4") as browser:
        typed["csrf_token"] = csrf_token(browser.get("/sign-in").text)
        elsewhere = browser.post("/sign-in", data={**typed, "username": "BBBB-0000"}).status_code
        cookies = {"Cookie": "; ".join(f"{name}={value}" for name, value in browser.http.cookies.items())}
    directly = [
        _directly(
            deployment,
            "127.0.0.2",
            {**typed, "username": name},
            {**cookies, "X-Forwarded-For": forged, "Forwarded": f"for={forged}"},
            path="/sign-in",
        )
        for name, forged in tries
    ]

    for statuses in (through, directly):
        assert (statuses[:60].count(200), statuses[60:]) == (60, [429, 429])
    assert elsewhere == 200


def test_the_proxy_carries_what_the_provider_takes(deployment: Deployment) -> None:
    """The longest state, claims and details come through, and the longest answer comes back: no 414 or 502 of nginx."""
    asked = {
        "response_type": "code",
        "client_id": name_of(TLS, "certificate"),
        "redirect_uri": CALLBACK,
        "scope": "openid",
        "prompt": "none",
        "state": "%" * LONGEST["state"],
        "nonce": "é" * (LONGEST["nonce"] // 2),
        "claims": '{"userinfo":{"name":null' + " " * (LONGEST["claims"] - 30) + "}}",
        "code_challenge": "A" * 43,
        "code_challenge_method": "S256",
    }
    with deployment.visitor(deployment.issuer, source="127.0.0.5") as browser:
        answer = browser.get("/authorize", query_string=asked)

    assert answer.status_code == 303
    assert parse_qs(urlsplit(answer.location).query)["state"] == ["%" * LONGEST["state"]]


def test_the_proxy_carries_the_largest_document(deployment: Deployment) -> None:
    """A form of 5 MiB and more reaches the provider, whose own page refuses it here; beyond 6 MiB it is 413."""
    with deployment.visitor(deployment.issuer, source="127.0.0.6") as browser:
        csrf_token(browser.get("/sign-in").text)
        answers = [
            browser.http.post(
                "/enrol/file/document",
                files={"document": ("a.pdf", b"x" * size)},
                headers={"Referer": deployment.issuer + "/enrol/file/document"},
            )
            for size in (5 * 1024 * 1024 + 500_000, 7 * 1024 * 1024)
        ]

    assert [answer.status_code for answer in answers] == [403, 413]
    assert "form_expired" in answers[0].text


def test_the_alias_has_no_pages(deployment: Deployment) -> None:
    """Only what programs call is at the host where certificates are shown: no sign-in, no cookie."""
    with deployment.visitor(deployment.alias, TLS) as visitor:
        for path in ("/", "/sign-in", "/authorize", "/jwks", "/token/", "/tokens", "/.well-known/openid-configuration"):
            answer = visitor.get(path)
            assert (answer.status_code, "Set-Cookie" in answer.headers) == (404, False), path
        assert visitor.get("/token").status_code == 405


def test_a_host_is_the_one_of_the_handshake(deployment: Deployment) -> None:
    """A certificate shown to one host is not carried to the other by the Host header; unknown names get no handshake."""
    form = _push(deployment)
    host = {"Host": f"id.localhost:{deployment.port}"}
    with deployment.visitor(deployment.alias, TLS) as visitor:
        assert visitor.post("/par", data=form, headers=host).status_code == 401
    with deployment.visitor(deployment.issuer, TLS) as visitor:
        answer = visitor.post("/par", data=form, headers={"Host": f"mtls.localhost:{deployment.port}"})
        assert answer.status_code == 421
    with (
        deployment.visitor(f"https://other.localhost:{deployment.port}") as visitor,
        pytest.raises(httpx2.ConnectError, match="unrecognized name"),
    ):
        visitor.get("/")


def _handshake(deployment: Deployment, host: str, version: ssl.TLSVersion, suites: str) -> str:
    """Return the suite agreed on, or the alert with which the server refused."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(deployment.place / "ca.pem")
    context.set_ciphers(f"{suites}:@SECLEVEL=0")  # our side would accept anything
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = version
    with socket.create_connection(("127.0.0.1", deployment.port)) as plain:
        try:
            with context.wrap_socket(plain, server_hostname=host) as connection:
                agreed = connection.cipher()
                return agreed[0] if agreed else ""
        except ssl.SSLError as error:
            return str(error.reason)


@pytest.mark.parametrize("host", ["id.localhost", "mtls.localhost"])
def test_only_good_protocols_and_suites_are_agreed_on(deployment: Deployment, host: str) -> None:
    """BCP 195 (RFC 9325): TLS 1.2 and 1.3; forward secrecy and authenticated encryption; the refusals are the server's."""
    v12 = ssl.TLSVersion.TLSv1_2
    for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
        assert _handshake(deployment, host, version, "ALL") == "TLSV1_ALERT_PROTOCOL_VERSION", version
    for weak in (
        *("AES128-SHA", "AES256-SHA256", "AES128-GCM-SHA256", "CAMELLIA128-SHA"),
        *("ECDHE-RSA-AES128-SHA", "ECDHE-RSA-AES256-SHA384", "DHE-RSA-AES128-GCM-SHA256", "ADH-AES128-SHA", "NULL-SHA"),
    ):
        assert _handshake(deployment, host, v12, weak) == "SSLV3_ALERT_HANDSHAKE_FAILURE", weak
    for good in ("ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-CHACHA20-POLY1305"):
        assert _handshake(deployment, host, v12, good) == good
    assert _handshake(deployment, host, ssl.TLSVersion.TLSv1_3, "ALL").startswith("TLS_")
