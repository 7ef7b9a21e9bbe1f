"""``private_key_jwt``: a client proves itself by a JWT that only it could sign, for us only, once, for a short time."""

from __future__ import annotations

import base64
import json
import socket
import threading
from datetime import timedelta
from typing import Any

import jwt as pyjwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.utils import base64url_encode
from sqlalchemy import func, select

from idp.db import db, transaction
from idp.oidc.models import ReplayIdRow
from idp.oidc.proofs import replay_services
from tests.oidc.scenery import ISSUER, SECRET, STORY, RelyingParty, Scenery, private_key
from tests.oidc.token.test_token import counted, events


@pytest.fixture
def keyed(scenery: Scenery) -> RelyingParty:
    return RelyingParty(scenery, "rp4")


def refused(client: RelyingParty, assertion: str, **changed: Any) -> bool:
    """Tell whether an assertion proves nothing, with the answer that RFC 6749 §5.2 asks for."""
    answer = client.proven_token("x", assertion, **changed)
    told = (answer.status_code, answer.get_json()["error"], answer.headers["Cache-Control"])
    assert told in ((401, "invalid_client", "no-store"), (400, "invalid_grant", "no-store")), told
    assert "WWW-Authenticate" not in answer.headers
    return told[1] == "invalid_client"


def by_hand(header: dict[str, Any] | bytes, claims: dict[str, Any] | bytes, *, signed: bool = True) -> str:
    """Return a JWT that no library would write, signed with ES256 all the same."""
    parts = [
        base64url_encode(each if isinstance(each, bytes) else json.dumps(each).encode()) for each in (header, claims)
    ]
    data = b".".join(parts)
    alg = pyjwt.get_algorithm_by_name("ES256")
    signature = alg.sign(data, private_key("ES256")) if signed else b""
    return (data + b"." + base64url_encode(signature)).decode()


def claims_of(client: RelyingParty, **changed: Any) -> dict[str, Any]:
    told: dict[str, Any] = pyjwt.decode(client.assertion(), options={"verify_signature": False})
    return {**told, **changed}


def test_each_algorithm_of_the_profile_proves_the_client(keyed: RelyingParty) -> None:
    """With a kid and without one; the token is the client's own."""
    browser = keyed.scenery.browser()
    kids = {"PS256": "k-PS256", "ES256": "k-ES256", "EdDSA": "k-EdDSA", "RS256": "k-PS256"}
    headers: dict[str, str]
    for alg, headers in (
        *((alg, {"kid": kid}) for alg, kid in kids.items()),
        *((alg, {"typ": "client-authentication+jwt"}) for alg in kids),
    ):
        answer = keyed.proven_token(keyed.code(browser), keyed.assertion(alg, headers=headers))
        assert answer.status_code == 200, (headers, answer.text)
        assert keyed.read(answer.get_json()["id_token"])["aud"] == "rp4"


@pytest.mark.databases
def test_a_redemption_with_an_assertion_costs_at_most_six_statements(keyed: RelyingParty) -> None:
    """Decisions §34: the spent jti is one of them, in the one transaction."""
    code = keyed.code(keyed.scenery.browser())
    with counted() as seen:
        assert keyed.proven_token(code).status_code == 200

    assert seen["statements"] <= 6
    assert seen["commits"] <= 2  # one of them ends the reading of the client: nothing is written there


MINUTE = 60
WRONG_CLAIMS: list[dict[str, Any]] = [
    *({"aud": wrong} for wrong in ([ISSUER], [ISSUER, "x"], f"{ISSUER}/token", f"{ISSUER}/", ISSUER.upper(), "x", "")),
    *({"aud": wrong} for wrong in (None, 1, True, {}, [], {"iss": ISSUER})),
    *({"iss": wrong} for wrong in (None, "rp5", ["rp4"], 1, "", "RP4")),
    *({"sub": wrong} for wrong in (None, "rp5", ["rp4"], "", "rp1", "rp4\x00")),
    *({"iss": wrong, "sub": wrong} for wrong in ("rp1", "rp2", "nobody", "../rp4", "' OR 1=1 --", "x" * 3000, 4, [])),
    *({"jti": wrong} for wrong in (None, "", 7, ["a"], "x" * 256, True, "a\x00")),
    *({"exp": wrong} for wrong in (None, "soon", True, [], 10**30, -1, 0)),
    *({"iat": wrong} for wrong in ("now", False, {}, 10**30, -(10**30), 0)),
    {"nbf": "now"},
]


def test_a_wrong_claim_proves_nothing(keyed: RelyingParty) -> None:
    """S-20, S-23: the audience is the issuer, one text; every claim is of its type; never a 500."""
    for changed in WRONG_CLAIMS:
        present = {name: value for name, value in claims_of(keyed, **changed).items() if value is not None}
        assert refused(keyed, by_hand({"alg": "ES256"}, present)), changed

    assert not refused(keyed, by_hand({"alg": "ES256"}, claims_of(keyed)))


TIMES: list[tuple[float | None, int | None, float, bool]] = [  # issued, begins, ends (seconds from now), does it hold
    (0, None, 60, True),
    (10, None, 60, True),
    (8, 8, 60, True),
    (0, 10, 60, True),
    (11, None, 71, False),
    (0, 11, 60, False),
    (61, 61, 120, False),
    (-500, None, 100, True),
    (0, None, 600, True),
    (0, None, 601, False),
    (-60, None, -9, True),
    (-60, None, -10, False),
    (-400, None, -300, False),
    (30, None, 20, False),
    (0, None, 0, False),
    (0.5, None, 60.5, True),
    (None, None, 60, True),  # RFC 7523 §3: iat is optional
    (None, None, 610, True),
    (None, None, 611, False),
    (None, None, 10**12, False),
    (None, None, -10, False),
    (None, 8, 60, True),
    (None, 11, 60, False),
]


def test_the_times_of_an_assertion(keyed: RelyingParty) -> None:
    """Ten minutes of life at most, ten seconds of tolerance in both directions (protocol.md §6.6, §6.7)."""
    now = keyed.scenery.clock.now().timestamp()
    for issued, begins, ends, holds in TIMES:
        times = {
            "iat": None if issued is None else now + issued,
            "exp": now + ends,
            "nbf": None if begins is None else now + begins,
        }
        assert refused(keyed, keyed.assertion(**times)) is not holds, (issued, begins, ends)


HEADERS: list[dict[str, Any]] = [
    *(
        {"alg": alg}
        for alg in ("none", "None", "nOnE", "", "es256", "ES384", "RS256", "PS256", "HS256", 5, None, ["ES256"])
    ),
    {},
    {"alg": "ES256", "crit": ["exp"], "exp": 1},
    {"alg": "ES256", "crit": []},
    {"alg": "ES256", "b64": False},
    {"alg": "ES256", "zip": "DEF"},
    {"alg": "ES256", "jku": "http://127.0.0.1:1/jwks"},
    {"alg": "ES256", "x5u": "http://127.0.0.1:1/cert"},
    {"alg": "ES256", "x5c": ["MIIB"]},
    {"alg": "ES256", "jwk": {"kty": "EC"}},
    *(
        {"alg": "ES256", "kid": kid}
        for kid in ("k-PS256", "nobody", "../../etc/passwd", "' OR 1=1", "http://x/", 1, [])
    ),
    *({"alg": "ES256", "typ": typ} for typ in ("at+jwt", "dpop+jwt", "logout+jwt", 5)),
]


def test_a_header_is_never_followed(keyed: RelyingParty, monkeypatch: pytest.MonkeyPatch) -> None:
    """S-16, S-17, S-18: no other algorithm, nothing critical, no key of its own, and no socket is opened."""

    def opened(*_: object) -> None:
        raise AssertionError("something was fetched")

    monkeypatch.setattr(socket.socket, "connect", opened)
    for header in HEADERS:
        wrong = by_hand(header, claims_of(keyed))
        assert refused(keyed, wrong), header
        assert refused(keyed, wrong.rpartition(".")[0] + "."), header


def test_a_key_that_the_header_brings_is_not_ours(keyed: RelyingParty) -> None:
    """S-17: signed well, by a stranger's key that comes along as jwk."""
    stranger = ec.generate_private_key(ec.SECP256R1())
    told = json.loads(pyjwt.algorithms.ECAlgorithm.to_jwk(stranger.public_key()))

    for headers in ({"jwk": told}, {"kid": "k-ES256"}, {}):
        assert refused(keyed, keyed.assertion(key=stranger, headers=headers))


def test_a_public_key_is_no_secret(keyed: RelyingParty) -> None:
    """S-15: HMAC keyed with every writing of each public key, the client's and the provider's."""
    written: list[bytes] = []
    for alg in ("PS256", "ES256", "EdDSA"):
        public = private_key(alg).public_key()
        kinds, forms = serialization.Encoding, serialization.PublicFormat
        for encoding, form in (
            (kinds.PEM, forms.SubjectPublicKeyInfo),
            (kinds.DER, forms.SubjectPublicKeyInfo),
            (kinds.OpenSSH, forms.OpenSSH),
        ):
            written += [public.public_bytes(encoding, form), public.public_bytes(encoding, form).strip()]
    keys = keyed.scenery.browser().get("/jwks")
    written += [keys.data, *(json.dumps(each).encode() for each in keys.get_json()["keys"]), SECRET.encode(), b""]
    signers = {name: pyjwt.get_algorithm_by_name(name) for name in ("HS256", "HS384", "HS512")}
    for name, signer in signers.items():
        parts = [base64url_encode(json.dumps(each).encode()) for each in ({"alg": name}, claims_of(keyed))]
        for secret in written:
            signature = base64url_encode(signer.sign(b".".join(parts), secret))
            assert refused(keyed, b".".join([*parts, signature]).decode())


def test_only_the_compact_form_and_strict_json(keyed: RelyingParty) -> None:
    """S-19, S-20: JSON serializations, duplicate members, numbers that JSON has not, five parts, nesting, eight KiB."""
    good = keyed.assertion()
    head, body, signature = good.split(".")
    plain = json.dumps(claims_of(keyed))
    bodies = (
        plain[:-1] + ', "sub": "rp4"}',
        plain[:-1] + ', "x": 1e309}',
        plain[:-1] + ', "x": NaN}',
        plain[:-1] + ', "x": ' + "[" * 2500 + "]" * 2500 + "}",
        "[" + plain + "]",
        '"rp4"',
        "null",
        "",
    )
    wrong = [
        "",
        "a.b.c",
        json.dumps({"payload": body, "protected": head, "signature": signature}),
        json.dumps({"payload": body, "signatures": []}),
        json.dumps({"payload": body, "signatures": [{"protected": head, "signature": signature}]}),
        f"[{json.dumps(good)}]",
        f"{head}.{body}.",
        f"{head}..{signature}",
        f"{good}.{body}.{signature}",
        f"{head}.{body}.{signature}=",
        f"{head}=.{body}.{signature}",
        f"{head}.{body}.{signature} ",
        f"\n{good}",
        f"{head}.{body}.{signature[::-1]}",
        keyed.assertion(padding="x" * 8 * 1024),
        *(by_hand({"alg": "ES256"}, each.encode()) for each in bodies),
        by_hand(b'{"alg":"ES256","alg":"none"}', claims_of(keyed)),
        by_hand(b'{"alg":"\xff"}', claims_of(keyed)),
    ]
    for each in wrong:
        assert refused(keyed, each), each[:80]
    assert not refused(keyed, good)
    assert not refused(keyed, keyed.assertion(padding="x" * 5 * 1024))


def test_every_variant_of_an_assertion_is_another_text(keyed: RelyingParty) -> None:
    """S-24: prefixes, suffixes, and other writings of the last signs prove nothing."""
    good = keyed.assertion()
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    variants = {good[:-count] for count in range(1, 6)} | {good + sign for sign in "A=_."} | {good.swapcase()}
    variants |= {good[:-1] + sign for sign in last} - {good}

    assert [each for each in variants if not refused(keyed, each)] == []
    assert not refused(keyed, good)


def test_an_assertion_serves_once(keyed: RelyingParty) -> None:
    """S-23: the second use is refused and in the log, whatever became of the first; then it is forgotten."""
    browser, clock = keyed.scenery.browser(), keyed.scenery.clock
    code, proof = keyed.code(browser), keyed.assertion()
    assert keyed.proven_token("unknown", proof).get_json()["error"] == "invalid_grant"

    assert refused(keyed, proof)
    assert keyed.proven_token(code, proof).status_code == 401
    assert events().count("oidc:token_refused") == 3
    assert keyed.proven_token(code).status_code == 200
    other = RelyingParty(keyed.scenery, "rp5")
    assert not refused(other, other.assertion(jti="same")), "another client has its own identifiers"
    assert not refused(keyed, keyed.assertion(jti="same"))
    assert replay_services.forget_old(clock.now()) == 0
    clock.advance(timedelta(minutes=2))
    assert replay_services.forget_old(clock.now()) > 0
    assert db.session.scalar(select(func.count()).select_from(ReplayIdRow)) == 0


@pytest.mark.databases
def test_of_eight_uses_at_once_one_is_the_first(scenery: Scenery) -> None:
    """The constraint decides, between workers too."""
    gate, seen = threading.Barrier(8), []
    until = scenery.clock.now() + timedelta(minutes=1)

    def use() -> None:
        with scenery.app.app_context():
            gate.wait()
            with transaction():
                seen.append(replay_services.spend("rp4", "j", until=until))

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(seen) == [False] * 7 + [True]


def test_the_token_url_is_an_audience_for_whom_it_was_allowed(scenery: Scenery) -> None:
    """A switch per client, off by default; never a list, never another path."""
    old = RelyingParty(scenery, "rp5")

    assert not refused(old, old.assertion(aud=f"{ISSUER}/token"))
    assert not refused(old, old.assertion())
    for wrong in ([f"{ISSUER}/token"], f"{ISSUER}/token/", f"{ISSUER}/authorize", "http://evil.example/token"):
        assert refused(old, old.assertion(aud=wrong)), wrong


def test_a_client_may_name_its_one_algorithm(scenery: Scenery) -> None:
    """``token_endpoint_auth_signing_alg`` (OIDC Registration §2)."""
    client = RelyingParty(scenery, "rp6")

    assert [alg for alg in ("PS256", "ES256", "EdDSA", "RS256") if not refused(client, client.assertion(alg))] == [
        "ES256"
    ]


def test_a_method_is_the_clients_own_and_alone(scenery: Scenery, rp: RelyingParty, keyed: RelyingParty) -> None:
    """RFC 6749 §2.3: a secret does not open a client with a key, nor an assertion one with a secret; never both."""
    for empty in ("", SECRET):
        assert keyed.token("x", authorization=keyed.basic(empty)).status_code == 401
        assert keyed.token("x", authorization="", client_id="rp4", client_secret=empty).status_code == 401
    assert refused(rp, rp.assertion())
    assert refused(keyed, keyed.assertion(), client_id="rp5")
    assert refused(
        keyed, keyed.assertion(), client_assertion_type="urn:ietf:params:oauth:client-assertion-type:saml2-bearer"
    )
    assert refused(keyed, keyed.assertion(), client_assertion_type=None)
    assert refused(keyed, keyed.assertion(), client_assertion=None)
    for both in ({"authorization": rp.basic()}, {"authorization": "", "client_secret": SECRET}):
        proof = {"client_assertion": keyed.assertion(), "client_assertion_type": "x"}
        answer = rp.token("x", **both, **proof)
        assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_request")
    answer = scenery.browser().post(
        f"/token?client_assertion={keyed.assertion()}", data={"grant_type": "authorization_code"}
    )
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_request")


def test_another_clients_code_is_not_redeemed(scenery: Scenery, keyed: RelyingParty) -> None:
    code = keyed.code(scenery.browser(), neq=STORY)
    other = RelyingParty(scenery, "rp5")

    assert other.proven_token(code).get_json()["error"] == "invalid_grant"
    assert keyed.proven_token(code).status_code == 200


def test_no_assertion_reaches_the_logs(keyed: RelyingParty, capfd: pytest.CaptureFixture[str]) -> None:
    proof = keyed.assertion()
    keyed.proven_token("x", proof)
    keyed.proven_token("x", proof)

    assert proof not in "".join(capfd.readouterr())
    assert base64.b64encode(proof.encode()).decode() not in "".join(capfd.readouterr())
