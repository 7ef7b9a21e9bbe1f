"""A file of clients is read whole: every mistake is told, and nothing is written unless all is right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from sqlalchemy import select

from idp.cli.clients import clients as command
from idp.cli.keys import keys as keys_command
from idp.config import Settings
from idp.db import db
from idp.oidc.clients import client_services
from idp.oidc.clients.domain import client_files, client_names
from idp.oidc.domain import uris
from idp.oidc.errors import ClientFileError
from idp.oidc.models import RelyingPartyRow
from tests.oidc.scenery import SECRET, Scenery, keyed, load, native, registration

HOME, HTTPS = "http://localhost:8000", "https://id.example"


def mistakes(entry: dict[str, Any], issuer: str = HTTPS) -> str:
    try:
        client_files.read(yaml.safe_dump({"clients": [entry]}), issuer=issuer, agencies=frozenset({"amp"}))
    except ClientFileError as error:
        return "\n".join(error.mistakes)
    return ""


NATIVE = {**native("x"), "client_secret": None}
SIGNING = {
    **keyed("x", profile="fapi2-message-signing", redirect_uris=["https://portal.example/callback"]),
    "client_secret": None,
}
GOOD = registration("x", redirect_uris=["https://portal.example/callback"])


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({}, ""),
        ({"client_id": "a b"}, "client_id"),
        ({"client_id": None}, "client_id"),
        ({"client_name": ""}, "client_name"),
        ({"client_name": "x" * 101}, "client_name"),
        ({"agency": "none"}, "agency"),
        ({"profile": "fapi1"}, "profile"),
        ({"profile": ["x"]}, "profile"),
        ({"client_secret": "short"}, "client_secret"),
        ({"client_secret": "é" * 40}, "client_secret"),
        ({"scope": "openid root"}, "root"),
        ({"scope": "email"}, "openid"),
        ({"scope": ["openid"]}, "scope"),
        ({"redirect_uris": []}, "redirect_uris"),
        ({"redirect_uris": "https://portal.example/"}, "redirect_uris"),
        ({"redirect_uris": [1]}, "redirect_uris"),
        ({"response_types": ["token"]}, "response_types"),
        ({"grant_types": ["password"]}, "grant_types"),
        ({"grant_types": ["refresh_token"]}, "grant_types"),
        ({"grant_types": ["authorization_code", 1]}, "grant_types"),
        ({"grant_types": "authorization_code"}, "grant_types"),
        ({"grant_types": None}, "grant_types"),
        ({"grant_types": ["authorization_code", "refresh_token"]}, ""),
        ({"grant_types": ["authorization_code", "refresh_token"], "scope": "openid offline_access"}, ""),
        ({"scope": "openid offline_access"}, "offline_access only with"),
        ({"refresh_grace_seconds": 10}, ""),
        ({"refresh_grace_seconds": 11}, "refresh_grace_seconds"),
        ({"refresh_grace_seconds": -1}, "refresh_grace_seconds"),
        ({"refresh_grace_seconds": True}, "refresh_grace_seconds"),
        ({"refresh_grace_seconds": "5"}, "refresh_grace_seconds"),
        ({"refresh_grace_seconds": 1.5}, "refresh_grace_seconds"),
        ({"introspection_signed_response_alg": "ES256"}, ""),
        ({"introspection_signed_response_alg": "none"}, "introspection_signed_response_alg"),
        ({"introspection_signed_response_alg": ["ES256"]}, "introspection_signed_response_alg"),
        ({"grant_types": []}, "grant_types"),
        ({"grant_types": ["authorization_code", "client_credentials"]}, "go together"),
        ({"scope": "openid ssf.manage"}, "go together"),
        ({"grant_types": ["client_credentials"], "scope": "ssf.read", "redirect_uris": []}, ""),
        (NATIVE | {"grant_types": ["authorization_code", "client_credentials"]}, "without a secret"),
        ({"client_id": "A" * 43}, "shape of a sub"),
        ({"client_id": "A" * 44}, ""),
        ({"application_type": "native"}, "application_type"),
        ({"id_token_signed_response_alg": "none"}, "id_token_signed_response_alg"),
        ({"userinfo_signed_response_alg": "none"}, "userinfo_signed_response_alg"),
        ({"userinfo_signed_response_alg": ["ES256"]}, "userinfo_signed_response_alg"),
        ({"userinfo_signed_response_alg": "ES256"}, ""),
        ({"token_endpoint_auth_method": "none"}, "token_endpoint_auth_method"),
        ({"requires_pkce": "no"}, "requires_pkce"),
        ({"allowed_origins": ["https://a.example/x"]}, "allowed_origins"),
        ({"allowed_origins": ["*"]}, "allowed_origins"),
        ({"backchannel_logout_uri": "http://portal.example/x"}, "backchannel_logout_uri"),
        ({"frontchannel_logout_uri": "https://portal.example/front?a=b"}, ""),
        ({"frontchannel_logout_uri": "https://other.example/front"}, "has not the origin"),
        ({"frontchannel_logout_uri": "https://portal.example:8443/front"}, "has not the origin"),
        ({"frontchannel_logout_uri": "https://portal.example/#x"}, "frontchannel_logout_uri"),
        ({"frontchannel_logout_uri": ["x"]}, "frontchannel_logout_uri"),
        (
            {"frontchannel_logout_uri": "https://portal.example/", "redirect_uris": ["https://[::1"]},
            "has not the origin",
        ),
        ({"frontchannel_logout_session_required": "yes"}, "frontchannel_logout_session_required"),
        ({"redirect_uris": ["https://portal.example;script-src/cb"]}, "names no host"),
        ({"logo_uri": "data:image/svg+xml,x"}, "logo_uri"),
        ({"policy_uri": "javascript:alert(1)"}, "policy_uri"),
        ({"post_logout_redirect_uris": ["https://u@portal.example/"]}, "post_logout_redirect_uris"),
        ({"surprise": 1}, "surprise"),
        ({"token_endpoint_auth_method": ["x"]}, "token_endpoint_auth_method"),
        ({"token_endpoint_auth_method": "private_key_jwt"}, "client_secret is of no use"),
        (NATIVE, ""),
        (NATIVE | {"application_type": "web"}, "go together"),
        (NATIVE | {"requires_pkce": False}, "requires_pkce"),
        (NATIVE | {"client_secret": SECRET}, "of no use"),
        (NATIVE | {"redirect_uris": ["http://localhost/cb"]}, "redirect_uris"),
        (NATIVE | {"redirect_uris": ["http://127.0.0.2/cb"]}, "redirect_uris"),
        (NATIVE | {"redirect_uris": ["http://127.0.0.1.evil.example/cb"]}, "redirect_uris"),
        (NATIVE | {"redirect_uris": ["example.app:/cb"]}, "redirect_uris"),
        ({"application_type": "other"}, "application_type"),
        ({"token_url_as_audience": True}, "for private_key_jwt"),
        ({"token_endpoint_auth_signing_alg": "ES256"}, "for private_key_jwt"),
        ({"require_signed_request_object": "yes"}, "require_signed_request_object"),
        ({"require_signed_request_object": True}, "register your public keys"),
        ({"request_object_signing_alg": "ES256"}, "register your public keys"),
        ({"request_object_signing_alg": "none"}, "request_object_signing_alg must be one of"),
        ({"request_object_signing_alg": ["ES256"]}, "request_object_signing_alg must be one of"),
        ({"authorization_signed_response_alg": "ES256"}, "of no use with this profile"),
        (SIGNING, ""),
        (SIGNING | {"request_object_signing_alg": "ES256", "authorization_signed_response_alg": "PS256"}, ""),
        (SIGNING | {"request_object_signing_alg": "RS256"}, "request_object_signing_alg must be one of"),
        (SIGNING | {"authorization_signed_response_alg": "RS256"}, "authorization_signed_response_alg must be one of"),
        (SIGNING | {"authorization_signed_response_alg": None}, "authorization_signed_response_alg must be one of"),
        ({"jwks_uri": "https://portal.example/jwks"}, ""),
        ({"jwks_uri": "https://portal.example/jwks", "jwks": {"keys": []}}, "may not both"),
        ({"jwks_uri": "http://portal.example/jwks"}, "jwks_uri"),
        ({"jwks_uri": ["https://portal.example/jwks"]}, "jwks_uri"),
        ({"sector_identifier_uri": "https://u@portal.example/x"}, "sector_identifier_uri"),
        ({"initiate_login_uri": "javascript:alert(1)"}, "initiate_login_uri"),
        ({"client_uri": "https://portal.example@evil.example/"}, "client_uri"),
        ({"tos_uri": "data:text/html,x"}, "tos_uri"),
        ({"tos_uri": None}, "tos_uri"),
        ({"logo_uri": "https://portal.example/logo.SVG?x"}, "SVG"),
        ({"logo_uri": "https://portal.example/logo.svgz"}, "SVG"),
        ({"logo_uri": "https://portal.example/logo.png"}, ""),
        ({"redirect_uris": [f"https://portal.example/{n}" for n in range(51)]}, "at most"),
        ({"redirect_uris": ["https://portal.example/", "http://portal.example/"]}, "redirect_uris"),
        ({"contacts": "a@b.example"}, "contacts"),
        ({"contacts": ["a b@c.example"]}, "contacts"),
        ({"contacts": [1]}, "contacts"),
        ({"contacts": ["a@b.example"] * 11}, "contacts"),
        ({"contacts": ["webmestre@portal.example"]}, ""),
        ({"backchannel_logout_session_required": "yes"}, "true or false"),
        ({"client_id": "x" * 43}, "shape of a sub"),
    ],
)
def test_each_mistake_is_named(changed: dict[str, Any], told: str) -> None:
    """S-2, S-3: the member at fault is in the sentence; a good file has none."""
    found = mistakes({**GOOD, **changed})

    assert (told in found) if told else found == ""


@pytest.mark.parametrize(
    "name",
    [
        "A\u202eB",
        "A\u200bB",
        "A\u200dB",
        "A\u2060B",
        "A\ufeffB",
        "A\u00adB",
        "A\nB",
        "A\x00B",
        "A\u2028B",
        "A\u115fB",
        "A\u3164B",
        "A\u2800B",
        "A\ufe0fB",
        "A\u034fB",
        "Ame\u0301lie\u0336",
        "Agence d\u0435s mythes",
        "\u0410\u041c\u0420",
        "\u0391\u039c\u03a1",
        "\uff21\uff2d\uff30",
        "\U0001d400MP",
        "AMP \u0661",
        "AMP \ud800",
        "AMP ✔",
        "AMP 🔒",
        "   ",
        "x" * 1_000_000,
        ["AMP"],
    ],
)
def test_a_name_that_imitates_or_hides_is_refused(name: Any) -> None:
    """S-33: controls, direction, zero width, stacked marks, letters and digits of other scripts, 1 MB."""
    assert client_names.fault(name)


@pytest.mark.parametrize(
    "name", ["Portail de l’AMP – n° 2 (essai)", "Œuvres & Cie, 5 $", "Québec", "Que\u0301bec", "ᓄᓇᕕᒃ 1"]
)
def test_a_name_that_people_here_write_is_kept(name: str) -> None:
    assert client_names.fault(name) is None


EC_KEY, RSA_KEY, ED_KEY = keyed("x")["jwks"]["keys"][1], keyed("x")["jwks"]["keys"][0], keyed("x")["jwks"]["keys"][2]


@pytest.mark.parametrize(
    ("jwks", "told"),
    [
        ({"keys": [EC_KEY]}, ""),
        ({"keys": [EC_KEY, RSA_KEY, ED_KEY]}, ""),
        ({"keys": [{name: EC_KEY[name] for name in ("kty", "crv", "x", "y")}]}, ""),
        ({"keys": [EC_KEY | {"use": "sig", "alg": "ES256"}, RSA_KEY | {"use": "enc"}]}, ""),
        (None, "jwks must hold keys"),
        ([], "jwks must hold keys"),
        ({"keys": []}, "jwks must hold keys"),
        ({"keys": [EC_KEY] * 11}, "jwks must hold keys"),
        ({"keys": [EC_KEY, EC_KEY]}, "written twice"),
        ({"keys": [EC_KEY, {**RSA_KEY, "kid": None}]}, "kid"),
        ({"keys": [EC_KEY, {name: RSA_KEY[name] for name in ("kty", "n", "e")}]}, "each needs a kid"),
        ({"keys": ["x"]}, "is not a JWK"),
        ({"keys": [EC_KEY | {"d": "AA"}]}, "private"),
        ({"keys": [{"kty": "oct", "k": "AA"}]}, "private"),
        ({"keys": [{"kty": "oct"}]}, "kty"),
        ({"keys": [{"kty": ["EC"]}]}, "is not a JWK"),
        ({"keys": [EC_KEY | {"crv": "P-384"}]}, "P-256"),
        ({"keys": [ED_KEY | {"crv": "X25519"}]}, "Ed25519"),
        ({"keys": [EC_KEY | {"x": "AA"}]}, "cannot be read"),
        ({"keys": [EC_KEY | {"y": 5}]}, "cannot be read"),
        ({"keys": [EC_KEY | {"use": "x"}]}, "use"),
        ({"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB"}]}, "bits"),
        ({"keys": [{"kty": "RSA", "e": "AQAB"}]}, "cannot be read"),
        ({"keys": [RSA_KEY | {"n": "x"}]}, "cannot be read"),
        ({"keys": [RSA_KEY | {"n": "é"}]}, "cannot be read"),
        ({"keys": [RSA_KEY | {"n": RSA_KEY["n"] + "\x00"}]}, "cannot be read"),
        ({"keys": [EC_KEY | {"kid": "k\x00"}]}, "kid"),
        ({"keys": [EC_KEY | {"kid": "k" * 300}]}, "kid"),
        ({"keys": [EC_KEY | {"alg": ["ES256"]}]}, "alg"),
    ],
)
def test_a_set_of_keys_is_judged_when_it_is_registered(jwks: Any, told: str) -> None:
    """protocol.md §6.14: public members only, our curves, RSA of 2048 bits and more, kids that tell keys apart."""
    found = mistakes(keyed("x", redirect_uris=["https://portal.example/callback"]) | {"jwks": jwks})

    assert (told in found) if told else found == ""


def test_a_client_that_moves_to_a_key_has_no_secret_left(scenery: Scenery, tmp_path: Path) -> None:
    """Its old secret opens nothing, and going back needs a new one."""
    load(scenery.app, scenery.clock, tmp_path, keyed("rp1"))
    assert client_services.find("rp1").secret_digest == ""  # type: ignore[union-attr]
    back = registration("rp1")
    del back["client_secret"]

    with pytest.raises(ClientFileError, match="client_secret is missing"):
        load(scenery.app, scenery.clock, tmp_path, back)


@pytest.mark.parametrize(
    "uri",
    [
        "https://portal.example/#x",
        "https://portal.example/#",
        "https://u:p@portal.example/",
        "https://@portal.example/",
        "https://*.portal.example/",
        "https://portal.example/*",
        "http://portal.example/",
        "http://127.0.0.1:9/",
        "javascript:alert(1)",
        "data:text/html,x",
        "//portal.example/",
        "/callback",
        "https://",
        "https:///x",
        "https://portal.example/a b",
        "https://portal.example\\x",
        "https://portal.example/\n",
        "https://portal.example/../x",
        "https://portal.example/%2e%2e/x",
        "https://portal.example:99999/",
        "https://[x/",
        "https://portal.example/é",
        "https://portal.example/" + "x" * 3000,
        "",
    ],
)
def test_what_is_not_a_plain_https_address_is_refused(uri: str) -> None:
    assert uris.fault(uri, issuer=HTTPS)


def test_http_is_for_loopback_while_the_issuer_is_there_too() -> None:
    """Decisions §22."""
    assert uris.fault("http://127.0.0.1:9/x", issuer=HOME) is None
    assert uris.fault("http://127.0.0.1:9/x", issuer=HTTPS)
    assert uris.fault("http://portal.example/x", issuer=HOME)


@pytest.mark.parametrize(
    "text", ["", "[]", "clients: 1", "clients: [1]", "clients: []", "{", "a: &a [*a]", "!!python/object:x y"]
)
def test_a_broken_file_is_a_sentence_never_a_crash(text: str) -> None:
    with pytest.raises(ClientFileError):
        client_files.read(text, issuer=HOME, agencies=frozenset({"amp"}))


def test_nothing_is_written_when_one_client_is_wrong(scenery: Scenery, tmp_path: Path) -> None:
    before = set(db.session.scalars(select(RelyingPartyRow.client_id)))

    with pytest.raises(ClientFileError):
        load(scenery.app, scenery.clock, tmp_path, registration("good"), registration("bad", redirect_uris=["x"]))

    assert set(db.session.scalars(select(RelyingPartyRow.client_id))) == before


def test_the_secret_is_kept_as_a_digest_and_stays_when_not_written(scenery: Scenery, tmp_path: Path) -> None:
    """A new client needs one; a known one keeps its own; a client never changes agency."""
    row = db.session.scalars(select(RelyingPartyRow).where(RelyingPartyRow.client_id == "rp1")).one()
    assert SECRET not in str(row.members) + row.secret_digest
    told = registration("rp1", client_name="New name")
    del told["client_secret"]
    load(scenery.app, scenery.clock, tmp_path, told)
    found = client_services.find("rp1")
    assert found is not None
    assert (found.name, found.secret_digest) == ("New name", row.secret_digest)
    with pytest.raises(ClientFileError, match="client_secret is missing"):
        load(scenery.app, scenery.clock, tmp_path, {**told, "client_id": "other"})
    with pytest.raises(ClientFileError, match="another agency"):
        load(scenery.app, scenery.clock, tmp_path, {**told, "agency": "bac"})


def test_the_commands_say_what_they_did(
    scenery: Scenery, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``idp clients load`` and ``idp keys new|list``, as an operator types them."""
    for name, value in (
        ("DATABASE_URL", settings.database_url),
        ("KEYS_DIR", str(settings.keys_dir)),
        ("ISSUER", HOME),
    ):
        monkeypatch.setenv(f"IDP_{name}", value)
    path = tmp_path / "told.yaml"
    path.write_text(yaml.safe_dump({"clients": [registration("fresh")]}), encoding="utf-8")
    assert "loaded fresh" in CliRunner().invoke(command, ["load", str(path)]).output
    path.write_text(yaml.safe_dump({"clients": [registration("fresh", agency="none")]}), encoding="utf-8")
    refused = CliRunner().invoke(command, ["load", str(path)])
    assert (refused.exit_code, "agency must be one of" in refused.output) == (1, True)
    assert "RS256" in CliRunner().invoke(keys_command, ["list"]).output
    monkeypatch.setenv("IDP_KEYS_DIR", str(tmp_path / "fresh"))
    made = CliRunner().invoke(keys_command, ["new"]).output
    assert (
        made.count("wrote") == 11
    )  # five files of secrets, a key for each algorithm, the checkpoint key and its own wrap
    assert "Nothing is missing." in CliRunner().invoke(keys_command, ["new"]).output
