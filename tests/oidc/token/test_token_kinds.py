"""No token passes for another, and nothing that somebody else made or altered passes at all."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
from collections.abc import Callable, Iterator
from typing import Any

import jwt as pyjwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from flask.testing import FlaskClient
from jwt.algorithms import RSAAlgorithm

from idp.oidc.token.domain import tokens
from idp.oidc.token.issuing import key_ring
from tests.oidc import mutants
from tests.oidc.scenery import ISSUER, SECRET, RelyingParty, Scenery, query_of

BYE = "http://127.0.0.1:9999/bye"
COOKIE = "mandat"


def _part(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _by_hmac(header: dict[str, Any], claims: dict[str, Any], key: bytes) -> str:
    signed = f"{_part(header)}.{_part(claims)}"
    kind = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}[header["alg"]]
    return f"{signed}.{_part(hmac.new(key, signed.encode(), kind).digest())}"


def _published_bytes(keys: list[dict[str, Any]]) -> Iterator[bytes]:
    """Yield every shape in which a public key was once taken for a shared secret."""
    encodings, formats = serialization.Encoding, serialization.PublicFormat
    for jwk in keys:
        public: Any = pyjwt.PyJWK(jwk).key
        shapes = [(encodings.PEM, formats.SubjectPublicKeyInfo), (encodings.DER, formats.SubjectPublicKeyInfo)]
        shapes += [(encodings.OpenSSH, formats.OpenSSH)]
        if jwk["kty"] == "RSA":
            shapes += [(encodings.PEM, formats.PKCS1), (encodings.DER, formats.PKCS1)]
        for shape in shapes:
            yield public.public_bytes(*shape)
            yield public.public_bytes(*shape).strip()
        yield json.dumps(jwk).encode()
        yield json.dumps(jwk, separators=(",", ":"), sort_keys=True).encode()
    yield b""


def forged(token: str, keys: list[dict[str, Any]]) -> dict[str, str]:
    """Return forgeries of *token*, by the mistake that each one hopes for."""
    header, claims = pyjwt.get_unverified_header(token), pyjwt.decode(token, options={"verify_signature": False})
    head, body, signature = token.split(".")
    mine: Any = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    curve = ec.generate_private_key(ec.SECP256R1())
    my_jwk = json.loads(RSAAlgorithm.to_jwk(mine.public_key()))
    found: dict[str, str] = {}
    for number, key in enumerate(_published_bytes(keys)):
        for alg in ("HS256", "HS384", "HS512"):
            found[f"S-15 {alg} {number}"] = _by_hmac({**header, "alg": alg}, claims, key)
    for none in ("none", "None", "nOnE", "NONE", "", None):
        for end in ("", signature):
            found[f"S-16 {none} {len(end)}"] = f"{_part({**header, 'alg': none})}.{body}.{end}"
    evil = "https://evil.example/jwks"
    certificate = {"x5c": [base64.b64encode(b"x").decode()]}
    for named, extra in {
        "jwk": {"jwk": my_jwk},
        "jwk without kid": {"jwk": my_jwk, "kid": None},
        "jku": {"jku": evil},
        "x5u": {"x5u": evil},
        "x5c": certificate,
        "kid path": {"kid": "../../../../dev/null"},
        "kid sql": {"kid": "' UNION SELECT 'x"},
        "kid address": {"kid": evil},
        "kid list": {"kid": [header["kid"]]},
        "kid unknown": {"kid": "x"},
        "kid is known": {},
    }.items():
        told = {name: value for name, value in {**header, **extra}.items() if value is not None}
        signed = f"{_part(told)}.{body}"
        made = RSAAlgorithm(RSAAlgorithm.SHA256).sign(signed.encode(), mine)
        found[f"S-17 {named}"] = f"{signed}.{_part(made)}"
    for extra in ({"crit": ["exp"]}, {"crit": ["x"], "x": 1}, {"crit": []}, {"b64": False, "crit": ["b64"]}):
        found[f"S-18 {extra}"] = f"{_part({**header, **extra})}.{body}.{signature}"
    whole = {"payload": body, "signatures": [{"protected": head, "signature": signature}]}
    found["S-19 general"] = json.dumps(whole)
    found["S-19 nothing signed"] = json.dumps({"payload": body, "signatures": []})
    found["S-19 flat"] = json.dumps({"payload": body, "protected": head, "signature": signature})
    found["S-19 list"] = json.dumps([token])
    found["S-19 five parts"] = f"{token}.{head}.{body}"
    found["S-19 detached"] = f"{head}..{signature}"
    found["typ"] = pyjwt.encode(claims, mine, algorithm="RS256", headers={**header, "alg": "RS256", "typ": "JWS"})
    found["another curve"] = pyjwt.encode(claims, curve, algorithm="ES256", headers={**header, "alg": "ES256"})
    found["signed by nobody"] = f"{head}.{body}."
    found["body altered"] = f"{head}.{_part({**claims, 'sub': 'x'})}.{signature}"
    return found


def mistyped(claims: dict[str, Any], names: tuple[str, ...]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield claims of which one is of another type: what lists, numbers and nulls once slipped through (S-20)."""
    for name in names:
        right = claims[name]
        for wrong in ([right], [right, "x"], {"x": right}, 1, True, None, "", str(right)[:-1], f"{right} ", 2**80):
            if wrong != right:
                yield f"{name}={wrong!r}", {**claims, name: wrong}


@pytest.mark.bar(
    *("S-15", "S-16", "S-17", "S-18", "S-19", "S-20", "CVE-2024-37568", "CVE-2026-28802", "CVE-2026-27962"),
    *("CVE-2025-59420", "CVE-2026-102946", "CVE-2026-75509", "CVE-2026-85394"),
)
def test_no_forged_hint_names_anybody_or_ends_anything(
    scenery: Scenery, rp: RelyingParty, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At /authorize each is refused; at /end-session each counts for nothing: the person is asked. No socket is opened."""
    browser = scenery.browser()
    hint = rp.tokens(browser)["id_token"]
    claims = rp.read(hint)
    signed = {
        f"S-20 {name}": key_ring().sign(changed, alg="RS256", typ="JWT")
        for name, changed in mistyped(claims, ("iss", "aud", "sub"))
    }
    keys = browser.get("/jwks").get_json()["keys"]
    sockets: list[Any] = []
    monkeypatch.setattr(socket.socket, "connect", lambda _self, address: sockets.append(address))
    for name, wrong in (forged(hint, keys) | signed).items():
        refused = rp.authorize(browser, prompt="none", id_token_hint=wrong)
        assert query_of(refused)["error"] in ("invalid_request", "login_required"), name
    ending = {
        f"S-20 {name}": key_ring().sign(changed, alg="RS256", typ="JWT")
        for name, changed in mistyped(claims, ("iss", "aud", "sid"))
    }
    for name, wrong in (forged(hint, keys) | ending).items():
        asked = {"id_token_hint": wrong, "client_id": "rp1", "post_logout_redirect_uri": BYE}
        page = browser.get("/end-session", query_string=asked)
        assert (page.status_code, page.location) == (200, None), name
        assert 'id="logout-confirm"' in page.text, name
    assert "code" in rp.answer(rp.authorize(browser, prompt="none", id_token_hint=hint))
    assert sockets == []


@pytest.mark.bar("S-15", "S-16", "S-17", "S-18", "S-19", "S-20", "CVE-2022-29217", "CVE-2026-102273")
def test_no_forged_access_token_opens_userinfo(scenery: Scenery, rp: RelyingParty) -> None:
    """Each of the same mistakes at /userinfo: 401, never a 500."""
    browser = scenery.browser()
    token = rp.tokens(browser)["access_token"]
    claims = rp.read(token, "ES256", "https://portal.amp.example/")
    signed = {
        name: key_ring().sign(changed, alg="ES256", typ="at+jwt")
        for name, changed in mistyped(claims, ("iss", "exp"))
        if not name.startswith("exp=1208925819614629174706176")  # far away, and ours
    }
    for name, wrong in (forged(token, browser.get("/jwks").get_json()["keys"]) | signed).items():
        assert rp.userinfo(wrong.encode().decode("latin-1")).status_code == 401, name

    assert rp.userinfo(token).status_code == 200


@pytest.mark.bar("S-43", "CVE-2019-3868")
def test_only_the_diagonal_of_the_cross_use_matrix_works(scenery: Scenery, rp: RelyingParty) -> None:
    """S-43: each of nine values at each of eight places; a value opens its own place and no other."""
    browser = scenery.browser()
    told = rp.tokens(browser)
    sid = rp.read(told["id_token"])["sid"]
    cookie = browser.get_cookie(COOKIE)
    assert cookie is not None
    waiting = rp.authorize(browser, prompt="consent").location.partition("interaction=")[2]
    person = scenery.people["julie"].person_id
    logout = tokens.logout_token(
        issuer=ISSUER, client_id="rp1", sub=rp.read(told["id_token"])["sub"], sid=sid, now=scenery.clock.now()
    )
    values = {
        "cookie": cookie.value,
        "code": rp.code(browser),
        "id_token": told["id_token"],
        "access_token": told["access_token"],
        "logout_token": key_ring().sign(logout, alg="RS256", typ="logout+jwt"),
        "interaction": waiting,
        "client_secret": SECRET,
        "sid": sid,
        "person": person,
    }
    opened = {
        (name, place)
        for place, opens in _places(scenery, rp, browser).items()
        for name in values
        if opens(values[name])
    }

    assert opened == {
        ("cookie", "cookie"),
        ("code", "token"),
        ("id_token", "hint"),
        ("id_token", "logout hint"),
        ("access_token", "userinfo"),
        ("interaction", "interaction"),
        ("client_secret", "secret"),
    }


def _places(scenery: Scenery, rp: RelyingParty, julie: FlaskClient) -> dict[str, Callable[[str], bool]]:
    """Return what each place does with a value: True when it takes it."""

    def as_cookie(value: str) -> bool:
        other = scenery.browser()
        other.set_cookie(COOKIE, value)
        return other.get("/account").status_code == 200

    def as_hint(value: str) -> bool:
        return "error" not in query_of(rp.authorize(julie, prompt="none", id_token_hint=value))

    def as_logout_hint(value: str) -> bool:
        asked = {"id_token_hint": value, "post_logout_redirect_uri": BYE}  # where nobody is, so that nothing ends
        return (scenery.browser().get("/end-session", query_string=asked).location or "").startswith(BYE)

    def at_interaction(value: str) -> bool:
        return "interaction_over" not in julie.get("/authorize", query_string={"interaction": value}).text

    def as_secret(value: str) -> bool:
        return rp.token("x", authorization=rp.basic(value)).status_code != 401

    return {
        "cookie": as_cookie,
        "hint": as_hint,
        "logout hint": as_logout_hint,
        "interaction": at_interaction,
        "secret": as_secret,
        "userinfo": lambda value: rp.userinfo(value).status_code == 200,
        "verifier": lambda value: rp.token(rp.code(julie), code_verifier=value).status_code == 200,
        "token": lambda value: rp.token(value).status_code == 200,
    }


@pytest.mark.bar("S-24", "CVE-2026-27840")
def test_no_variant_of_an_opaque_value_is_the_value(scenery: Scenery, rp: RelyingParty) -> None:
    """S-24: prefixes, suffixes, case, paddings of code, cookie, secret, interaction and access token."""
    browser = scenery.browser()
    told = rp.tokens(browser)
    code = rp.code(browser)
    cookie = browser.get_cookie(COOKIE)
    assert cookie is not None
    waiting = rp.authorize(browser, prompt="consent").location.partition("interaction=")[2]
    places = _places(scenery, rp, browser)
    for place, value in (
        ("token", code),
        ("cookie", cookie.value),
        ("secret", SECRET),
        ("interaction", waiting),
        ("userinfo", told["access_token"]),
    ):
        for variant in mutants.of_opaque(value):
            if place == "cookie" or variant.isascii():
                assert not places[place](variant), (place, variant)
        assert places[place](value), place
