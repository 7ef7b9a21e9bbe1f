"""Anything at all at the protocol's endpoints: never a failure of ours, never a way to a strange address, JSON for programs.

Bounded by default; ``--deep`` runs two thousand examples of each instead of some eighty (B1).
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from idp.oidc.domain.metadata import document
from tests.oidc.fapi import public_jwk
from tests.oidc.scenery import (
    ASSERTION_TYPE,
    CALLBACK,
    ISSUER,
    SECRET,
    VERIFIER,
    RelyingParty,
    Scenery,
    details,
    native,
)
from tests.oidc.signing import SigningRelyingParty, by_hand, signing_clients

EXAMPLES = 80
REGISTERED = (CALLBACK, "http://127.0.0.1:9999/cb?dummy1=lorem&dummy2=ipsum", *native("desktop")["redirect_uris"])
LEFT_AFTER_SIGNING_OUT = "http://127.0.0.1:9999/bye"
NAMES = (
    *(
        "client_id",
        "response_type",
        "redirect_uri",
        "scope",
        "state",
        "nonce",
        "code_challenge",
        "code_challenge_method",
    ),
    *(
        "response_mode",
        "prompt",
        "max_age",
        "login_hint",
        "id_token_hint",
        "ui_locales",
        "claims",
        "resource",
        "display",
    ),
    *(
        "authorization_details",
        "request",
        "request_uri",
        "registration",
        "dpop_jkt",
        "acr_values",
        "interaction",
        "lang",
    ),
    *("grant_type", "code", "code_verifier", "client_secret", "client_assertion", "client_assertion_type", "token"),
    *("refresh_token", "post_logout_redirect_uri", "logout_hint", "answer", "csrf_token", "next"),
)
KNOWN = (
    *(
        "",
        "rp1",
        "rp4",
        "ms1",
        "jar1",
        "desktop",
        "nobody",
        "code",
        "token",
        "code id_token",
        CALLBACK,
        "https://evil.example/",
    ),
    *("javascript:alert(1)", "//evil.example", f"{CALLBACK}/../x", f"{CALLBACK}#x", "http://127.0.0.1:1/cb", "openid"),
    *(
        "S256",
        "plain",
        "query",
        "fragment",
        "form_post",
        "jwt",
        "query.jwt",
        "none",
        "login",
        "consent",
        "-1",
        "9" * 400,
    ),
    *(
        "urn:ietf:params:oauth:request_uri:x",
        "authorization_code",
        VERIFIER,
        SECRET,
        ASSERTION_TYPE,
        "%",
        "%00",
        "é" * 600,
    ),
    *(
        "a\r\nSet-Cookie: x=1",
        "[]",
        "{}",
        "[" * 3000,
        '{"a":1e309}',
        details({"privileges": ["001"]}),
        "0" * 32,
        "x" * 5000,
    ),
)
WRITTEN = st.one_of(st.sampled_from(KNOWN), st.text(st.characters(codec="utf-8"), max_size=40))
PAIRS = st.lists(st.tuples(st.one_of(st.sampled_from(NAMES), WRITTEN), WRITTEN), max_size=8)
CHANGES = st.dictionaries(st.sampled_from(NAMES), st.one_of(st.none(), WRITTEN), max_size=3)
JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**20), 10**20),
        st.floats(),
        st.sampled_from((*KNOWN, ISSUER, "\ud800", "a\x00")),
        st.text(max_size=12),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(NAMES), inner, max_size=3)),
    max_leaves=6,
)
OF_A_JWT = (
    *("iss", "sub", "aud", "exp", "nbf", "iat", "jti", "htm", "htu", "ath", "nonce"),
    *("alg", "typ", "kid", "crit"),
)
ODD = st.sampled_from(
    (5, True, -1, 1.5, 10**30, -(10**30), [], {}, [ISSUER, 5], "\ud800", "a\x00", None)
)  # each broke a library
CLAIMS = st.dictionaries(
    st.one_of(st.sampled_from(OF_A_JWT), st.sampled_from(NAMES[:20])), st.one_of(ODD, ODD, JSON), max_size=2
)
HEADER_TEXT = st.text(st.characters(codec="latin-1", exclude_characters="\r\n"), max_size=60)
HEADERS = st.dictionaries(
    st.sampled_from(
        (
            *(
                "Authorization",
                "DPoP",
                "Cookie",
                "Origin",
                "Accept",
                "Accept-Language",
                "If-None-Match",
                "Host",
                "Range",
            ),
            *("X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "Referer", "Content-Type", "Content-Length"),
        )
    ),
    st.one_of(
        HEADER_TEXT,
        st.sampled_from(
            (
                *(
                    "Basic",
                    "Basic ",
                    "Basic é",
                    "Basic OjpA",
                    "Basic cnAxOg==",
                    "Bearer",
                    "Bearer x.y.z",
                    "DPoP a b",
                    "*",
                    "*/*",
                ),
                *(
                    "evil.example",
                    "application/json",
                    "multipart/form-data",
                    "multipart/form-data; boundary=x",
                    "-1",
                    "10" * 20,
                ),
                *(
                    "application/x-www-form-urlencoded; charset=utf-16",
                    "text/plain",
                    "fr;q=x",
                    "W/",
                    "bytes=0-",
                    "session=x",
                ),
            )
        ),
    ),
    max_size=3,
)

fuzzed = settings(
    max_examples=max(EXAMPLES, settings().max_examples if settings().max_examples > 100 else 0),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def party(scenery: Scenery, tmp_path: Path) -> SigningRelyingParty:
    """Two clients that sign their requests, beside those of the scenery; this one sends them by value."""
    return signing_clients(scenery, tmp_path)[1]


def sent(scenery: Scenery, method: str, path: str, **more: Any) -> TestResponse:
    """Send a request and hold its answer to what every answer must be; an exception of ours would come through here."""
    headers = dict(more.pop("headers", {}))
    length = headers.pop("Content-Length", None)  # the server in front of us refuses a wrong one
    if length is not None and length.isascii() and length.isdigit() and len(length) < 10:
        headers["Content-Length"] = length
    answer = scenery.browser().open(path, method=method, headers=headers, **more)
    assert answer.status_code < 500, answer.text
    place = answer.location
    if place is not None:
        assert is_ours(place) or leads_home(place), place
    return answer


def is_ours(place: str) -> bool:
    return place.startswith("/") and not place.startswith(("//", "/\\"))


def leads_home(place: str) -> bool:
    """Tell whether *place* is an address of a client with an answer behind it, and nothing else."""
    for uri in REGISTERED:
        rest = place.removeprefix(uri)
        if rest != place and rest[:1] in ("?", "&", "#"):
            return True
    return place.startswith(LEFT_AFTER_SIGNING_OUT)


def is_for_programs(answer: TestResponse, *, may_be_kept: bool = False) -> None:
    """JSON and ``no-store``, whatever happened; never a cookie."""
    if answer.status_code not in (204, 304) and answer.data:
        assert answer.mimetype in ("application/json", "application/jwk-set+json"), answer.text
        assert isinstance(json.loads(answer.data), dict)
    assert may_be_kept or answer.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in answer.headers


def proof(party: SigningRelyingParty, method: str, path: str, header: dict[str, Any], claims: dict[str, Any]) -> str:
    """Return a DPoP proof of this request, signed well, that says anything besides."""
    jwk = {name: value for name, value in public_jwk(party.key).items() if name != "kid"}
    now = int(party.scenery.clock.now().timestamp())
    good = {"jti": secrets.token_hex(8), "htm": method, "htu": ISSUER + path, "iat": now}
    return by_hand({"alg": "ES256", "typ": "dpop+jwt", "jwk": jwk, **header}, {**good, **claims})


@fuzzed
@given(changes=CHANGES, pairs=PAIRS, headers=HEADERS, method=st.sampled_from(["GET", "POST"]))
def test_any_authorization_request(
    party: SigningRelyingParty,
    changes: dict[str, Any],
    pairs: list[tuple[str, str]],
    headers: dict[str, str],
    method: str,
) -> None:
    """A good request with some parameters changed, and more of anything beside it, in the address or in a form."""
    asked = MultiDict(RelyingParty(party.scenery).parameters(**changes).items())
    for name, value in pairs:
        asked.add(name, value)
    place = "query_string" if method == "GET" else "data"

    answer = sent(party.scenery, method, "/authorize", headers=headers, **{place: asked})

    assert answer.status_code in (200, 303, 400, 403, 404, 413, 415)
    assert answer.headers["Cache-Control"] == "no-store"


@fuzzed
@given(
    raw=st.text(st.characters(codec="ascii", exclude_characters="#\r\n\t "), max_size=80),
    path=st.sampled_from(
        ["/authorize", "/end-session", "/token", "/userinfo", "/jwks", "/interaction/consent", "/par"]
    ),
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH", "X"]),
    body=st.binary(max_size=80),
    headers=HEADERS,
)
def test_any_query_method_and_body(
    party: SigningRelyingParty, raw: str, path: str, method: str, body: bytes, headers: dict[str, str]
) -> None:
    """Bytes that are no UTF-8, broken escapes, other methods, bodies of any type."""
    sent(party.scenery, method, f"{path}?client_id=rp1&{raw}", data=body, headers=headers)


@st.composite
def neighbours(draw: st.DrawFn, uri: str) -> str:
    """Return an address that differs a little from a registered one."""
    place, text = draw(st.integers(0, len(uri))), draw(st.one_of(st.sampled_from(LURES), WRITTEN))
    return uri[:place] + text + uri[place + draw(st.integers(0, 3)) :] if draw(st.booleans()) else uri + text


LURES = (
    *(
        "/",
        ".",
        "..",
        "/..",
        "/../x",
        "//",
        "\\",
        "@evil.example",
        ".evil.example",
        ":80",
        ":9999",
        "#",
        "#x",
        "?",
        "?x=1",
        "&x=1",
    ),
    *(
        "%2e%2e",
        "%00",
        "\t",
        "\n",
        " ",
        "\u3002",
        "\u2044",
        "\uff0f",
        "CALLBACK",
        "http://evil.example/",
        "javascript:",
    ),
)


@fuzzed
@given(
    uri=neighbours(CALLBACK),
    left=neighbours(LEFT_AFTER_SIGNING_OUT),
    mode=st.sampled_from(["query", "fragment", "form_post"]),
)
def test_any_address_near_a_registered_one(party: SigningRelyingParty, uri: str, left: str, mode: str) -> None:
    """B4: plain, signed, pushed and at the end of the session: only what is registered, to the byte."""
    rp = RelyingParty(party.scenery)
    for answer in (
        sent(
            party.scenery,
            "GET",
            "/authorize",
            query_string=rp.parameters(redirect_uri=uri, response_mode=mode, prompt="none"),
        ),
        sent(party.scenery, "GET", "/authorize", query_string=party.sent(None, redirect_uri=uri, prompt="none")),
    ):
        assert answer.status_code == 400 or uri == CALLBACK
    if uri:
        assert (SigningRelyingParty(party.scenery).push(redirect_uri=uri).status_code == 400) == (uri != CALLBACK)
    asked = {"client_id": "rp1", "post_logout_redirect_uri": left}
    answer = sent(party.scenery, "GET", "/end-session", query_string=asked)
    assert left == LEFT_AFTER_SIGNING_OUT or left not in str(answer.headers).split()


@fuzzed
@given(claims=CLAIMS, header=CLAIMS, pairs=PAIRS)
def test_any_claims_in_a_signed_request(
    party: SigningRelyingParty, claims: dict[str, Any], header: dict[str, Any], pairs: list[tuple[str, str]]
) -> None:
    """S-20: signed well, of any type; by value, with anything beside it."""
    outside = [(name, value) for name, value in pairs if name not in ("interaction", "client_id", "request")]
    for told in ({"alg": "ES256"}, {"alg": "ES256", **header}):
        signed = by_hand(told, {**party.claims(prompt="none"), **claims})  # answered at once: the state travels back
        asked = MultiDict([("client_id", "jar1"), ("request", signed), *outside])
        answer = sent(party.scenery, "GET", "/authorize", query_string=asked)
        assert answer.status_code in (200, 303, 400)


@fuzzed
@given(claims=CLAIMS, header=CLAIMS, changes=CHANGES)
def test_any_claims_in_a_pushed_request(
    party: SigningRelyingParty, claims: dict[str, Any], header: dict[str, Any], changes: dict[str, Any]
) -> None:
    """The same, pushed: JSON always."""
    pushing = SigningRelyingParty(party.scenery)
    proof = {name: value for name, value in changes.items() if value is not None and name != "request"}
    for told in ({"alg": "ES256"}, {"alg": "ES256", **header}):
        signed = by_hand(told, {**pushing.claims(), **claims})
        form = {**pushing.client_proof(), "request": signed, **proof}
        answer = sent(party.scenery, "POST", "/par", data=form)
        assert answer.status_code in (201, 400, 401)
        is_for_programs(answer)


@fuzzed
@given(
    path=st.sampled_from(["/token", "/par"]),
    changes=CHANGES,
    pairs=PAIRS,
    headers=HEADERS,
    claims=CLAIMS,
    header=CLAIMS,
    method=st.sampled_from(["form", "secret", "assertion", "proof"]),
)
def test_any_back_channel_request(
    party: SigningRelyingParty,
    path: str,
    changes: dict[str, Any],
    pairs: list[tuple[str, str]],
    headers: dict[str, str],
    claims: dict[str, Any],
    header: dict[str, Any],
    method: str,
) -> None:
    """A redemption or a push with anything changed, its client proven by a secret, an assertion of any claims, or not at all."""
    form = {"grant_type": "authorization_code", "code": "x" * 43, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    if method == "assertion":
        told = {
            "iss": "rp4",
            "sub": "rp4",
            "aud": ISSUER,
            "exp": int(party.scenery.clock.now().timestamp()) + 60,
            **claims,
        }
        form |= {"client_assertion_type": ASSERTION_TYPE, "client_assertion": by_hand({"alg": "ES256", **header}, told)}
    elif method == "secret":
        headers = {"Authorization": RelyingParty(party.scenery).basic(), **headers}
    elif method == "proof":
        headers = {
            "Authorization": RelyingParty(party.scenery).basic(),
            "DPoP": proof(party, "POST", path, header, claims),
        }
    sending = MultiDict({name: value for name, value in {**form, **changes}.items() if value is not None})
    for name, value in pairs:
        sending.add(name, value)

    answer = sent(party.scenery, "POST", path, data=sending, headers=headers)

    assert answer.status_code in (201, 400, 401, 413, 415)
    is_for_programs(answer)
    assert path == "/par" or isinstance(answer.get_json()["error"], str)


@fuzzed
@given(claims=CLAIMS, header=CLAIMS, scheme=st.sampled_from(["Bearer", "DPoP", "bearer", "Basic", ""]), headers=HEADERS)
def test_any_token_and_proof(
    party: SigningRelyingParty, claims: dict[str, Any], header: dict[str, Any], scheme: str, headers: dict[str, str]
) -> None:
    """Tokens and proofs of any claims at userinfo and at the token endpoint: 400 or 401, with a challenge."""
    token = by_hand({"alg": "ES256", "typ": "at+jwt", **header}, {"iss": ISSUER, "aud": "x", "exp": 2**40, **claims})
    pushing = SigningRelyingParty(party.scenery)
    good = pushing.dpop("GET", f"{ISSUER}/userinfo", access_token=token)
    odd = proof(party, "GET", "/userinfo", header, claims)
    for sending in (
        headers,
        {"Authorization": f"{scheme} {token}", "DPoP": odd},
        {"Authorization": f"DPoP {token}", "DPoP": good},
    ):
        answer = sent(party.scenery, "GET", "/userinfo", headers=sending)
        assert answer.status_code in (400, 401)
        assert answer.status_code == 400 or answer.headers["WWW-Authenticate"]
        is_for_programs(answer)


@fuzzed
@given(changes=CHANGES, pairs=PAIRS, headers=HEADERS, method=st.sampled_from(["GET", "POST"]), claims=CLAIMS)
def test_any_request_to_end_the_session(
    party: SigningRelyingParty,
    changes: dict[str, Any],
    pairs: list[tuple[str, str]],
    headers: dict[str, str],
    method: str,
    claims: dict[str, Any],
) -> None:
    """A page or a registered address, whoever signed the hint."""
    hint = by_hand({"alg": "ES256", "typ": "JWT", "kid": "x"}, {"iss": ISSUER, "aud": "rp1", **claims})
    good = {"id_token_hint": hint, "post_logout_redirect_uri": LEFT_AFTER_SIGNING_OUT, "state": "s", **changes}
    asked = MultiDict({name: value for name, value in good.items() if value is not None})
    for name, value in pairs:
        asked.add(name, value)
    place = "query_string" if method == "GET" else "data"

    answer = sent(party.scenery, method, "/end-session", headers=headers, **{place: asked})

    assert answer.status_code in (200, 303, 400, 413, 415)


@fuzzed
@given(headers=HEADERS, path=st.sampled_from(["/.well-known/openid-configuration", "/jwks"]), pairs=PAIRS)
def test_what_is_published_never_changes(
    party: SigningRelyingParty, headers: dict[str, str], path: str, pairs: list[tuple[str, str]]
) -> None:
    """Whatever Host, Accept or query: the same document, of the configured issuer (interop problem 3)."""
    answer = sent(party.scenery, "GET", path, headers=headers, query_string=MultiDict(pairs))

    is_for_programs(answer, may_be_kept=True)
    assert answer.status_code in (200, 206, 304, 416)
    if answer.status_code == 200 and path != "/jwks":
        assert answer.get_json() == document(ISSUER)


Probe = Callable[[SigningRelyingParty], TestResponse]
PROBES: tuple[tuple[Probe, int], ...] = (
    (
        lambda party: sent(party.scenery, "GET", "/authorize", query_string=RelyingParty(party.scenery).parameters()),
        303,
    ),
    (lambda party: sent(party.scenery, "GET", "/authorize", query_string=party.sent(None)), 303),
    (lambda party: SigningRelyingParty(party.scenery).push(), 201),
    (lambda party: sent(party.scenery, "GET", "/authorize"), 400),
)


@pytest.mark.parametrize(("probe", "status"), PROBES)
def test_the_inputs_start_from_requests_that_work(party: SigningRelyingParty, probe: Probe, status: int) -> None:
    """Otherwise the fuzzing above would stop at the first check and prove nothing."""
    assert probe(party).status_code == status
