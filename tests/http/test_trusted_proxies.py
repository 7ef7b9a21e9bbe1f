"""Whom the server believes: forwarding headers and client certificates, by the address of the connection (S-84, S-85)."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.test import EnvironBuilder, run_wsgi_app

from idp.app import create_app
from idp.config import ConfigurationError, Settings, read_settings
from idp.http.trusted_proxies import CERTIFICATE, TrustedProxies
from tests.schema import create_schema

PROXY, STRANGER = "10.1.2.3", "10.9.9.9"
FORWARDED = {
    "X-Forwarded-For": "203.0.113.7",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Port": "1",
    "X-Forwarded-Prefix": "/evil",
    "Forwarded": "for=203.0.113.7;host=evil.example",
    "X-Real-IP": "203.0.113.7",
}
CERTIFIED = {
    "X-Client-Cert": "written by anyone",
    "Client-Cert": ":AAAA:",
    "Client-Cert-Chain": ":AAAA:",
    "X-SSL-Client-Cert": "x",
    "X-SSL-Client-Verify": "SUCCESS",
    "SSL-Client-Cert": "x",
}


def seen(headers: dict[str, str], peer: str, environ: dict[str, Any] | None = None, **given: Any) -> dict[str, Any]:
    """Return what an application behind the layer is told of a request."""
    told: dict[str, Any] = {}

    def application(inner: dict[str, Any], start_response: Any) -> list[bytes]:
        told.update(inner)
        start_response("200 OK", [])
        return []

    with_defaults = {"trusted_proxies": 1, "proxy_addresses": "10.1.0.0/16, 2001:db8::/32", **given}
    layer = TrustedProxies(application, read_settings(**with_defaults))
    request = EnvironBuilder(headers=headers, environ_overrides={"REMOTE_ADDR": peer, **(environ or {})}).get_environ()
    run_wsgi_app(layer, request)
    return told


def headers_in(told: dict[str, Any]) -> set[str]:
    return {name for name in told if name.startswith("HTTP_") and name not in ("HTTP_HOST",)}


@pytest.mark.parametrize(
    "peer",
    [STRANGER, "10.2.0.1", "127.0.0.1", "", "unix:", "::1", "2001:db9::1", "10.1.2.3, 1.1.1.1", "::ffff:10.9.9.9"],
)
def test_a_stranger_forwards_nothing(peer: str) -> None:
    """Every forwarding and certificate header of anyone but the named proxies is gone, the address is that of the connection."""
    told = seen({**FORWARDED, **CERTIFIED}, peer, mtls_certificate_header="X-Client-Cert")

    assert headers_in(told) == set()
    assert (told["REMOTE_ADDR"], told["wsgi.url_scheme"], told["HTTP_HOST"]) == (peer, "http", "localhost")
    assert CERTIFICATE not in told


@pytest.mark.parametrize("peer", [PROXY, "10.1.255.1", "2001:db8::5", "::ffff:10.1.2.3"])
def test_a_named_proxy_is_believed_for_address_and_scheme(peer: str) -> None:
    """ProxyFix takes one hop; host, port and prefix are of no effect even from the proxy."""
    told = seen(FORWARDED, peer)

    assert (told["REMOTE_ADDR"], told["wsgi.url_scheme"], told["HTTP_HOST"]) == ("203.0.113.7", "https", "localhost")
    assert told["SCRIPT_NAME"] == ""


def test_only_the_last_hops_count() -> None:
    """What stands before the counted hops was written by anyone."""
    chain = {"X-Forwarded-For": "1.1.1.1, 2.2.2.2, 203.0.113.7"}

    assert seen(chain, PROXY)["REMOTE_ADDR"] == "203.0.113.7"
    assert seen(chain, PROXY, trusted_proxies=2)["REMOTE_ADDR"] == "2.2.2.2"


def test_a_named_proxy_may_show_a_certificate_in_the_configured_header_only() -> None:
    """Other names are dropped from the proxy as well; the header leaves the request for a place of its own."""
    told = seen(CERTIFIED, PROXY, mtls_certificate_header="X-Client-Cert")

    assert told[CERTIFICATE] == "written by anyone"
    assert headers_in(told) == set()
    assert CERTIFICATE not in seen(CERTIFIED, PROXY)
    assert headers_in(seen({"My-Cert": "x"}, STRANGER, mtls_certificate_header="My-Cert")) == set()


def test_no_header_and_no_environment_is_believed_by_default() -> None:
    """Neither a header nor the server's own variable counts until the configuration says so."""
    given = {"SSL_CLIENT_CERT": "x", CERTIFICATE: "put there by something else"}

    assert CERTIFICATE not in seen(CERTIFIED, PROXY, given)
    assert CERTIFICATE not in seen(CERTIFIED, PROXY, given, trusted_proxies=0, proxy_addresses="")


def test_a_server_that_ends_tls_itself_may_give_the_certificate() -> None:
    """``SSL_CLIENT_CERT`` of the WSGI environment counts when configured, and headers then never do."""
    given = {"SSL_CLIENT_CERT": "from the server"}

    assert seen(CERTIFIED, STRANGER, given, mtls_certificate_from_server=True)[CERTIFICATE] == "from the server"
    assert CERTIFICATE not in seen(CERTIFIED, STRANGER, mtls_certificate_from_server=True)


def test_a_stranger_cannot_move_the_limit_of_requests(settings: Settings) -> None:
    """A new X-Forwarded-For each time is still one address: the coarse shield holds (S-84)."""
    app = create_app(settings)
    app.config["WTF_CSRF_ENABLED"] = False
    with app.app_context():
        create_schema()
    client = app.test_client()
    answers = [
        client.post("/enrol", headers={"X-Forwarded-For": f"203.0.113.{number}"}).status_code for number in range(125)
    ]

    assert answers[:120].count(429) == 0
    assert answers[120:] == [429] * 5


@pytest.mark.parametrize(
    "given",
    [
        {"trusted_proxies": 1},
        {"proxy_addresses": "0.0.0.0/0"},
        {"proxy_addresses": "10.0.0.0/8, ::/0"},
        {"proxy_addresses": "proxy.example"},
        {"proxy_addresses": "10.0.0.1/8"},
        {"mtls_certificate_header": "X-Client-Cert"},
        {"mtls_certificate_header": "Authorization", "proxy_addresses": "10.0.0.1"},
        {"mtls_certificate_header": "X_Client_Cert", "proxy_addresses": "10.0.0.1"},
        {"mtls_certificate_header": "X-Cert", "proxy_addresses": "10.0.0.1", "mtls_certificate_from_server": True},
        {"mtls_ca_file": "ca.pem"},
        {"mtls_issuer_alias": "https://mtls.id.example"},
        {"mtls_crl_file": "crl.pem", "mtls_certificate_from_server": True},
        {"mtls_issuer_alias": "http://mtls.id.example", "mtls_certificate_from_server": True},
        {"mtls_issuer_alias": "https://mtls.id.example/", "mtls_certificate_from_server": True},
        {"mtls_issuer_alias": "http://localhost:8000", "mtls_certificate_from_server": True},
    ],
)
def test_a_configuration_that_believes_everyone_does_not_start(given: dict[str, Any]) -> None:
    """Hops without addresses, the whole internet, names, a header of other use, settings without effect: refused at start."""
    with pytest.raises(ConfigurationError):
        read_settings(**given)
