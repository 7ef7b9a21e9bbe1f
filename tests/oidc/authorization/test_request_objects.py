"""Signed requests (RFC 9101): only a JWT that the client signed for us, now, counts, and then only what is inside."""

from __future__ import annotations

import json
import re
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jwt as pyjwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jwt.utils import base64url_encode

from idp.db import db
from idp.oidc.authorization.domain import request_objects
from idp.oidc.authorization.domain.requests import Parameters
from idp.oidc.clients.domain import client_metadata, clients
from idp.oidc.models import InteractionRow
from idp.oidc.proofs.domain.foreign_jwts import RefusedJwtError
from tests.oidc.scenery import CALLBACK, ISSUER, SCOPES, RelyingParty, Scenery, error_code, keyed, private_key
from tests.oidc.signing import MINUTE, SigningRelyingParty, by_hand, signing_clients

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
T = int(NOW.timestamp())
HEADER = {"alg": "ES256", "typ": "oauth-authz-req+jwt"}


def client(client_id: str = "rp4", **changed: Any) -> clients.RelyingParty:
    return clients.relying_party(client_metadata.with_defaults(keyed(client_id, **changed)), "")


PLAIN, STRICT = client(), client(require_signed_request_object=True)


def claims(**changed: Any) -> dict[str, Any]:
    """Return what a good request object says; a claim changed to None is left out."""
    told = {
        **{"iss": "rp4", "client_id": "rp4", "aud": ISSUER, "nbf": T, "exp": T + MINUTE},
        **{"response_type": "code", "redirect_uri": CALLBACK, "scope": SCOPES, "state": "s-1"},
        **changed,
    }
    return {name: value for name, value in told.items() if value is not None}


def opened(text: str, by: clients.RelyingParty = STRICT) -> Parameters | None:
    """Return what a request object asks, None when it is refused, in words that may stand in error_description."""
    try:
        return request_objects.opened(text, by, keys_of=lambda client, _kid: client.keys, issuer=ISSUER, now=NOW)
    except RefusedJwtError as error:
        reason = str(error)
    assert re.fullmatch(r"[\x20-\x21\x23-\x5b\x5d-\x7e]+", reason), "RFC 6749 §4.1.2.1"
    return None


def asked(**changed: Any) -> Parameters | None:
    return opened(by_hand(HEADER, claims(**changed)))


def test_a_good_request_object_is_its_parameters() -> None:
    """RFC 9101 §4: texts as texts, JSON as JSON, numbers as numbers; what makes the JWT is no parameter."""
    told = asked(
        max_age=60, claims={"userinfo": {"name": None}}, authorization_details=[{"type": "é"}], resource=["a", "b"]
    )

    assert told == Parameters(
        {
            **{"client_id": "rp4", "response_type": "code", "redirect_uri": CALLBACK, "scope": SCOPES, "state": "s-1"},
            **{"max_age": "60", "claims": '{"userinfo":{"name":null}}', "authorization_details": '[{"type":"é"}]'},
        },
        ("a", "b"),
        is_signed=True,
    )


@pytest.mark.parametrize("typ", [None, "", "JWT", "jwt", "oauth-authz-req+jwt", "OautH-auThZ-REQ+jWt"])
def test_its_type_may_be_left_out(typ: str | None) -> None:
    """RFC 9101 §10.8: the media type in any case, or none: the OIDF suite sends both."""
    assert opened(by_hand({"alg": "ES256"} | ({} if typ is None else {"typ": typ}), claims()))


HEADERS: list[dict[str, Any]] = [
    *({"alg": alg} for alg in ("none", "None", "nOnE", "NONE", "", "es256", "ES384", "ES256K", "PS256", "HS256")),
    *({"alg": alg} for alg in (5, None, ["ES256"], {"ES256": 1}, True)),
    {"alg": None},
    {"crit": ["exp"], "exp": 1},
    {"crit": []},
    {"b64": False},
    {"zip": "DEF"},
    {"enc": "A128GCM", "alg": "dir"},
    {"jku": "http://127.0.0.1:1/jwks"},
    {"x5u": "http://127.0.0.1:1/cert"},
    {"x5c": ["MIIB"]},
    {"jwk": {"kty": "EC"}},
    *({"kid": kid} for kid in ("k-PS256", "nobody", "../../etc/passwd", "' OR 1=1", "http://x/", "", 1, [], {})),
    *({"typ": typ} for typ in ("at+jwt", "dpop+jwt", "logout+jwt", "secevent+jwt", "client-authentication+jwt", 5, [])),
]


def test_a_header_is_never_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    """S-16, S-17, S-18: no other algorithm, nothing critical, no key of its own, and no socket is opened."""

    def connect(*_: object) -> None:
        raise AssertionError("something was fetched")

    monkeypatch.setattr(socket.socket, "connect", connect)
    for header in HEADERS:
        wrong = by_hand({**HEADER, **header}, claims())
        for by in (PLAIN, STRICT):
            assert opened(wrong, by) is None, header
            assert opened(wrong.rpartition(".")[0] + ".", by) is None, header

    assert opened(by_hand({**HEADER, "kid": "k-ES256"}, claims()))


def test_a_public_key_is_no_secret() -> None:
    """S-15: HMAC keyed with every writing of each public key."""
    written: list[bytes] = [json.dumps(each).encode() for each in keyed("rp4")["jwks"]["keys"]] + [b""]
    for alg in ("PS256", "ES256", "EdDSA"):
        public = private_key(alg).public_key()
        kinds, forms = serialization.Encoding, serialization.PublicFormat
        for encoding, form in (
            (kinds.PEM, forms.SubjectPublicKeyInfo),
            (kinds.DER, forms.SubjectPublicKeyInfo),
            (kinds.OpenSSH, forms.OpenSSH),
        ):
            written += [public.public_bytes(encoding, form), public.public_bytes(encoding, form).strip()]
    for name in ("HS256", "HS384", "HS512"):
        data = b".".join(base64url_encode(json.dumps(each).encode()) for each in ({"alg": name}, claims()))
        for secret in written:
            signature = base64url_encode(pyjwt.get_algorithm_by_name(name).sign(data, secret))
            for by in (PLAIN, STRICT):
                assert opened((data + b"." + signature).decode(), by) is None


def test_a_strangers_key_signs_nothing() -> None:
    """S-17: neither alone nor brought along, nor under our client's kid."""
    stranger = ec.generate_private_key(ec.SECP256R1())
    told = json.loads(pyjwt.algorithms.ECAlgorithm.to_jwk(stranger.public_key()))

    for headers in ({"jwk": told}, {"kid": "k-ES256"}, {}):
        assert opened(pyjwt.encode(claims(), stranger, algorithm="ES256", headers=headers)) is None


def test_algorithms_are_those_of_the_profile_or_the_one_pinned() -> None:
    """OIDC Registration §2 ``request_object_signing_alg``: every other is refused; RS256 is for baseline only."""
    fapi, pinned = client(profile="fapi2-message-signing"), client(request_object_signing_alg="PS256")
    for alg in ("PS256", "ES256", "EdDSA", "RS256"):
        text = pyjwt.encode(claims(), private_key(alg), algorithm=alg)
        assert opened(text, PLAIN), alg
        assert (opened(text, fapi) is not None) == (alg != "RS256"), alg
        assert (opened(text, pinned) is not None) == (alg == "PS256"), alg


def test_only_the_compact_form_and_strict_json() -> None:
    """S-19, S-20: JSON serializations, duplicate members, numbers that JSON has not, five parts, nesting, 32 KiB."""
    good = by_hand(HEADER, claims())
    head, body, signature = good.split(".")
    plain = json.dumps(claims())
    bodies = (
        *(
            plain[:-1] + f', "x": {wrong}}}'
            for wrong in ("1e309", "-1e309", "NaN", "Infinity", "[" * 6000 + "]" * 6000)
        ),
        *(
            plain[:-1] + f', "{name}": "{value}"}}'
            for name, value in (("state", "s-2"), ("iss", "rp4"), ("aud", ISSUER))
        ),
        plain[:-1] + ', "max_age": ' + "9" * 5000 + "}",
        f"[{plain}]",
        '"rp4"',
        "null",
        "",
        plain + plain,
        "\ufeff" + plain,
    )
    wrong = [
        "",
        "a.b.c",
        "http://127.0.0.1:1/x",
        json.dumps({"payload": body, "protected": head, "signature": signature}),
        json.dumps({"payload": body, "signatures": []}),
        json.dumps({"payload": body, "signatures": [{"protected": head, "signature": signature}]}),
        f"[{json.dumps(good)}]",
        f"{head}.{body}.",
        f"{head}..{signature}",
        f"{good}.{body}.{signature}",
        f"{good}=",
        f"{head}=.{body}.{signature}",
        f"{good} ",
        f"\n{good}",
        good.replace(".", ".\u200b", 1),
        f"{head}.{body}.{signature[::-1]}",
        by_hand(HEADER, claims(padding="x" * 32 * 1024)),
        by_hand({**HEADER, "padding": "x" * 8192}, claims()),
        *(by_hand(HEADER, each.encode()) for each in bodies),
        by_hand(HEADER, plain.encode("utf-16")),
        by_hand(HEADER, b'{"iss": "rp4\xff"}'),
        by_hand(b'{"alg":"ES256","alg":"none"}', claims()),
        by_hand(b'{"alg":"none","alg":"ES256"}', claims()),
    ]
    for each in wrong:
        for by in (PLAIN, STRICT):
            assert opened(each, by) is None, each[:200]

    assert opened(good)
    assert opened(by_hand(HEADER, claims(padding="x" * 16 * 1024)))


TYPED = (
    *("response_type", "response_mode", "redirect_uri", "scope", "state", "nonce", "display", "prompt"),
    *("code_challenge", "code_challenge_method", "login_hint", "id_token_hint", "acr_values"),
    *("ui_locales", "claims_locales", "dpop_jkt"),
)
WRONG: list[dict[str, Any]] = [
    *({name: value} for name in TYPED for value in (5, 1.5, True, [], ["openid"], {}, {"a": 1})),
    *({"max_age": value} for value in (1.5, True, [], {}, [60])),
    *({"claims": value} for value in (5, True, [], [{}])),
    *({"authorization_details": value} for value in (5, False, {}, {"type": "functional_blocks"})),
    *({"resource": value} for value in (5, True, {}, [5], ["a", None], [["a"]])),
    *({"iss": value} for value in (None, "rp5", ["rp4"], 1, "", "RP4", "rp4 ", True, {})),
    *({"client_id": value} for value in (None, "rp5", ["rp4"], 1, "", {})),
    *({"aud": value} for value in (None, "x", "", f"{ISSUER}/", ISSUER.upper(), [], ["x"], 1, True, {ISSUER: 1})),
    *({"aud": value} for value in ([ISSUER, 5], [[ISSUER]], [ISSUER, None], f"{ISSUER}/authorize", f"{ISSUER} x")),
    *({"sub": value} for value in ("rp4", "julie", "", 5, [])),
    *({"request": value} for value in ("x", "", 5, [], {})),
    *({"request_uri": value} for value in ("urn:ietf:params:oauth:request_uri:x", "https://a.example/", "", 5)),
    *({"state": value} for value in ("a\x00b", "a\ufffdb", "\ud800", "x\udfff")),
    *({"unknown": value} for value in ("a\x00b", "\ud800")),
    {"authorization_details": [{"type": "\ud800"}]},
    {"claims": {"userinfo": {"\udc00": None}}},
]


def test_every_member_is_of_its_type() -> None:
    """S-20 and the JAR trap of Authlib: ``scope: 5`` is refused, as is a list that would pass for a text."""
    for changed in WRONG:
        assert asked(**changed) is None, changed
    for name in (*TYPED, "max_age", "claims", "authorization_details", "resource"):
        null = {**claims(), name: None}
        assert opened(by_hand(HEADER, null)) is None, name


TIMES: list[tuple[dict[str, Any], bool, bool]] = [  # claims, holds where requests must be signed, holds elsewhere
    ({}, True, True),
    ({"exp": None}, False, True),
    ({"nbf": None}, False, True),
    ({"exp": None, "nbf": None}, False, True),
    ({"exp": T - 9}, True, True),
    ({"exp": T - 10}, False, False),
    ({"exp": T - 300}, False, False),
    ({"nbf": T + 8}, True, True),
    ({"nbf": T + 10}, True, True),
    ({"nbf": T + 11}, False, False),
    ({"nbf": T + 61, "exp": T + 90}, False, False),
    ({"iat": T + 61}, False, False),
    ({"iat": T}, True, True),
    ({"nbf": T - 3600, "exp": T}, True, True),
    ({"nbf": T - 3601, "exp": T - 1}, False, True),
    ({"exp": T + 3600}, True, True),
    ({"exp": T + 3601}, False, True),
    ({"nbf": T - 0.5, "exp": T + 60.5}, True, True),
    *(
        ({name: wrong}, False, False)
        for name in ("exp", "nbf", "iat")
        for wrong in ("soon", True, [], {}, 10**30, "", str(T))
    ),
    *(({name: -(10**30)}, False, False) for name in ("exp", "nbf", "iat")),
    ({"exp": 0}, False, False),
]


def test_the_times_of_a_request_object() -> None:
    """FAPI 2.0 Message Signing §5.3.1: an hour at most, required; elsewhere they bind when they are there."""
    for changed, strict, plain in TIMES:
        text = by_hand(HEADER, claims(**changed))
        assert (opened(text, STRICT) is not None, opened(text, PLAIN) is not None) == (strict, plain), changed


def test_a_client_assertion_is_no_request(scenery: Scenery) -> None:
    """RFC 9101 §10.8: what proves a client at the token endpoint opens nothing here."""
    rp4 = RelyingParty(scenery, "rp4")
    assertion = rp4.assertion(client_id="rp4", nbf=T, **{n: v for n, v in rp4.parameters().items() if n != "client_id"})

    answer = scenery.browser().get("/authorize", query_string={"client_id": "rp4", "request": assertion})

    assert (answer.status_code, error_code(answer.text)) == (400, "invalid_request_object")


@pytest.fixture
def party(scenery: Scenery) -> SigningRelyingParty:
    """A client that need not sign, and does."""
    return SigningRelyingParty(scenery, "rp4", pushed=False)


def test_nothing_unsigned_names_where_an_error_goes(party: SigningRelyingParty) -> None:
    """RFC 9101 §6.1: an object that does not hold names no address; one beside it counts if it is registered, else a page."""
    bad = party.request_object()[:-4] + "AAAA"
    browser = party.scenery.browser()
    for outside in ({}, {"redirect_uri": "https://evil.example/"}, {"redirect_uri": f"{CALLBACK}/x", "state": "s"}):
        answer = party.authorize(browser, request=bad, outside=outside)
        assert (answer.status_code, answer.location) == (400, None)
        assert error_code(answer.text) == "invalid_request_object"
        assert answer.headers["Cache-Control"] == "no-store"

    answer = party.authorize(browser, request=bad, outside={"redirect_uri": CALLBACK, "state": "beside"})
    told = party.answer(answer)
    assert (told["error"], told["state"], told["iss"]) == ("invalid_request_object", "beside", ISSUER)


def test_a_wrong_request_object_is_never_a_failure_of_ours(party: SigningRelyingParty) -> None:
    """S-20 over HTTP: wrong types, clients without keys, other clients, repeated parameters: 400 or an error, never 5xx."""
    browser = party.scenery.browser()
    for changed in WRONG[::7]:
        signed = by_hand(HEADER, {**party.claims(), **changed})
        assert party.refusal(request=signed) == "invalid_request_object", changed
        posted = browser.post("/authorize", data=party.sent(signed))
        assert (posted.status_code, error_code(posted.text)) == (400, "invalid_request_object")
    for name in ("rp1", "rp5", "desktop"):
        answer = browser.get("/authorize", query_string={"client_id": name, "request": party.request_object()})
        assert error_code(answer.text) == "invalid_request_object", name
    for query, code in (
        ({"request": party.request_object()}, "missing_client_id"),
        ({"client_id": "nobody", "request": party.request_object()}, "unknown_client"),
        ({"client_id": "rp4", "request": [party.request_object()] * 2}, "invalid_request"),
        ({"client_id": "rp4", "request": ""}, "missing_redirect_uri"),
        ({"client_id": "rp4", "request": "\x00"}, "invalid_request"),
    ):
        answer = browser.get("/authorize", query_string=query)
        assert (answer.status_code, error_code(answer.text)) == (400, code), query


def test_a_posted_request_object_is_kept_for_its_browser(party: SigningRelyingParty) -> None:
    """Decisions §24 for a signed request: stored, 303 to GET, and then answered as any other."""
    browser = party.scenery.browser()

    posted = browser.post("/authorize", data=party.sent(None, state="posted"))

    assert party.answer(party.scenery.go_on(browser, posted, "julie"))["state"] == "posted"


def test_the_duplicates_that_openid_connect_wants_are_tolerated(party: SigningRelyingParty) -> None:
    """OIDC Core §6.1: response_type and scope stand outside too; they count for nothing."""
    outside = {"response_type": "code", "scope": "openid", "nonce": "n-9"}

    assert party.refusal(outside=outside) == ""
    assert party.refusal(outside=outside, response_type=None) == "invalid_request"
    assert party.refusal(outside=outside, scope=None) == "invalid_scope"


def test_the_redirect_uri_inside_wins(party: SigningRelyingParty) -> None:
    """ensure-request-object-with-redirect-uri: the one inside, or a page; never the one beside it."""
    browser = party.scenery.browser()
    for inside, outside, code in (
        (CALLBACK, "https://evil.example/", ""),
        ("https://evil.example/", CALLBACK, "invalid_redirect_uri"),
        (None, CALLBACK, "missing_redirect_uri"),
    ):
        answer = party.authorize(browser, redirect_uri=inside, outside={"redirect_uri": outside}, prompt="none")
        assert error_code(answer.text) == code
        assert (answer.location or "").startswith(CALLBACK) == (not code)


OUTSIDE = "outside-"
_NAMES = st.sampled_from(
    [
        *("state", "nonce", "scope", "redirect_uri", "response_mode", "prompt", "max_age", "login_hint", "ui_locales"),
        *("code_challenge", "code_challenge_method", "authorization_details", "claims", "resource", "response_type"),
        *("dpop_jkt", "registration", "id_token_hint", "acr_values", "display", "unknown"),
    ]
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    outside=st.dictionaries(_NAMES, st.text(st.characters(codec="utf-8", exclude_characters="\x00\ufffd"), max_size=8)),
    left_out=st.sets(st.sampled_from(["state", "nonce", "prompt", "max_age"])),
)
def test_nothing_that_stands_outside_leaks_in(
    party: SigningRelyingParty, outside: dict[str, str], left_out: set[str]
) -> None:
    """RFC 9101 §6.3, as a property: whatever stands beside a signed request, the answer is that of the request alone."""
    inside = {"prompt": "none", "max_age": 60, **dict.fromkeys(left_out)}
    browser = party.scenery.browser()
    alone = party.authorize(browser, **inside)

    beside = party.authorize(
        party.scenery.browser(), outside={name: OUTSIDE + value for name, value in outside.items()}, **inside
    )

    assert OUTSIDE not in str(beside.headers)
    assert OUTSIDE not in beside.text
    if "prompt" in left_out:
        assert beside.location.startswith("/sign-in?")
    else:
        assert (beside.status_code, beside.location) == (alone.status_code, alone.location)


def test_what_is_kept_of_a_request_is_what_was_inside(party: SigningRelyingParty) -> None:
    """protocol.md §6.1: the one stored value holds nothing of what stood beside it."""
    wanted = {name: OUTSIDE + name for name in ("state", "nonce", "login_hint", "code_challenge", "dpop_jkt", "scope")}
    party.authorize(party.scenery.browser(), outside=wanted | {"ui_locales": "en", "max_age": "1"})

    stored = db.session.query(InteractionRow).one().request

    assert OUTSIDE not in json.dumps(stored)
    assert (stored["max_age"], stored["ui_language"], stored["state"]) == (None, None, "s-1")


def test_a_client_that_must_sign_sends_no_plain_request(scenery: Scenery, tmp_path: Path) -> None:
    """RFC 9101 §10.5 ``require_signed_request_object``: for one client, whatever its profile."""
    _, strict = signing_clients(scenery, tmp_path)

    plain = scenery.browser().get("/authorize", query_string=strict.parameters())

    assert strict.answer(plain)["error"] == "invalid_request"
    assert strict.refusal() == ""
