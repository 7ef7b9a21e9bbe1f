"""Keys at ``jwks_uri`` (protocol.md §6.14): fetched with care, kept for a while, asked for again at most once a minute."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt as pyjwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from idp.db import transaction
from idp.oidc.clients import client_key_services, client_services
from tests.oidc.registering import Documents, hosting
from tests.oidc.scenery import ISSUER, RelyingParty, Scenery, keyed, load, private_key, registration

KEYS: dict[str, Any] = keyed("x")["jwks"]
EC_KEY = KEYS["keys"][1]


@pytest.fixture
def documents() -> Iterator[Documents]:
    with hosting() as found:
        yield found


@pytest.fixture
def party(scenery: Scenery, documents: Documents, tmp_path: Path) -> RelyingParty:
    """A client whose keys lie at its own host."""
    told = keyed("remote")
    del told["jwks"]
    load(scenery.app, scenery.clock, tmp_path, {**told, "jwks_uri": documents.put("/jwks", KEYS)})
    return RelyingParty(scenery, "remote")


def is_known(party: RelyingParty, kid: str | None = "k-ES256", key: Any = None) -> bool:
    """Tell whether an assertion is believed; the code is wrong, so the answer is 400 when it is."""
    proof = party.assertion(key=key, headers={"kid": kid} if kid else None)
    return party.proven_token("x", proof).status_code == 400


def another_key(kid: str) -> tuple[Any, dict[str, Any]]:
    private = ec.generate_private_key(ec.SECP256R1())
    public = ECAlgorithm.to_jwk(private.public_key(), as_dict=True)
    return private, {**{name: public[name] for name in ("kty", "crv", "x", "y")}, "kid": kid}


def test_a_client_proves_itself_by_keys_at_its_address(party: RelyingParty, documents: Documents) -> None:
    """One call serves many requests; the grant itself works as with keys by value."""
    assert party.proven_token(party.code(party.scenery.signed_in("julie"))).status_code == 200
    assert is_known(party)
    assert is_known(party, kid=None)

    assert documents.asked == ["/jwks"]


def test_an_unknown_kid_is_asked_for_at_most_once_a_minute(party: RelyingParty, documents: Documents) -> None:
    """protocol.md §6.14: a new key works at once; a made-up one makes us call once a minute, however often it comes."""
    private, public = another_key("k-new")
    assert is_known(party)
    documents.put("/jwks", {"keys": [*KEYS["keys"], public]})
    party.scenery.clock.advance(timedelta(minutes=1))
    assert is_known(party, "k-new", private)
    assert len(documents.asked) == 2

    for number in range(10):
        assert not is_known(party, f"k-{number}", private)
    assert len(documents.asked) == 2
    party.scenery.clock.advance(timedelta(seconds=59))
    assert not is_known(party, "k-x", private)
    assert len(documents.asked) == 2
    party.scenery.clock.advance(timedelta(seconds=1))
    assert not is_known(party, "k-x", private)
    assert not is_known(party, "k-y", private)
    assert len(documents.asked) == 3
    assert is_known(party)


def test_a_key_taken_away_is_gone_when_the_set_is_read_again(party: RelyingParty, documents: Documents) -> None:
    """It counts for as long as the host said, and no longer."""
    documents.headers["Cache-Control"] = "max-age=120"
    assert is_known(party)
    _, public = another_key("k-other")
    documents.put("/jwks", {"keys": [public]})

    party.scenery.clock.advance(timedelta(seconds=119))
    assert is_known(party)
    party.scenery.clock.advance(timedelta(seconds=1))
    assert not is_known(party)


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        ("max-age=0", 60),
        ("no-store", 60),
        ("no-cache, max-age=900", 60),
        ("private, max-age=900", 900),
        ("max-age=31536000", 3600),
        ("max-age=999999999999999", 3600),
        ("s-maxage=900", 600),
        ("max-age=-5", 600),
        ("", 600),
    ],
)
def test_the_life_of_a_set_is_bounded(party: RelyingParty, documents: Documents, asked: str, seconds: int) -> None:
    """From a minute to an hour, ten minutes when nothing readable is said."""
    documents.headers["Cache-Control"] = asked
    client = client_services.find("remote")
    assert client is not None
    client_key_services.keys_of(client, None)

    party.scenery.clock.advance(timedelta(seconds=seconds - 1))
    client_key_services.keys_of(client, None)
    assert len(documents.asked) == 1
    party.scenery.clock.advance(timedelta(seconds=1))
    client_key_services.keys_of(client, None)
    assert len(documents.asked) == 2


def test_an_unchanged_set_is_kept_by_its_tag(party: RelyingParty, documents: Documents) -> None:
    """RFC 9110 §13.1.2: 304 without a body keeps what is known."""
    documents.headers["ETag"] = '"v1"'
    assert is_known(party)
    documents.put("/jwks", b"not sent again")

    for _ in range(3):
        party.scenery.clock.advance(timedelta(minutes=10))
        assert is_known(party)

    assert len(documents.asked) == 4


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"x",
        b"[]",
        b"{}",
        {"keys": []},
        {"keys": "x"},
        {"keys": [EC_KEY, EC_KEY]},
        {"keys": [{**EC_KEY, "d": "AA"}]},
        {"keys": [EC_KEY, {"kty": "oct", "k": "AA", "kid": "s"}]},
        {"keys": [EC_KEY, {name: EC_KEY[name] for name in ("kty", "crv", "x", "y")}]},
        {"keys": [{**EC_KEY, "kid": str(n)} for n in range(11)]},
        b'{"keys":[],"keys":[]}',
        {"keys": [EC_KEY], "pad": "x" * 70_000},
    ],
)
def test_a_set_with_a_fault_counts_for_nothing(party: RelyingParty, documents: Documents, body: Any) -> None:
    """protocol.md §6.14, S-29: duplicate kids, private or symmetric members, size, JSON: the client is unknown, never a 500."""
    documents.put("/jwks", body)

    assert not is_known(party)
    assert not is_known(party)

    assert documents.asked == ["/jwks"]


@pytest.mark.parametrize("status", [204, 301, 302, 304, 401, 404, 500])
def test_only_200_brings_keys(party: RelyingParty, documents: Documents, status: int) -> None:
    """No redirect is followed, and a 304 to a question without a tag is nonsense."""
    documents.status = status
    documents.headers["Location"] = documents.put("/elsewhere", KEYS)

    assert not is_known(party)

    assert documents.asked == ["/jwks"]


def test_a_host_that_is_down_signs_nobody_out_for_an_hour(party: RelyingParty, documents: Documents) -> None:
    """What was read before goes on, bounded, so that a key taken away does not live on for ever."""
    assert is_known(party)
    documents.status = 503
    party.scenery.clock.advance(timedelta(minutes=59))
    assert is_known(party)
    party.scenery.clock.advance(timedelta(minutes=1))

    assert not is_known(party)

    documents.status = 200
    party.scenery.clock.advance(timedelta(minutes=1))
    assert is_known(party)


def test_nothing_is_called_inside_a_transaction(party: RelyingParty, documents: Documents) -> None:
    """The writers' place is never held while somebody else thinks."""
    client = client_services.find("remote")
    assert client is not None
    with transaction():
        assert client_key_services.keys_of(client, "k-ES256") == ()
    assert documents.asked == []

    assert len(client_key_services.keys_of(client, "k-ES256")) == 3


def test_many_requests_at_once_make_one_call(party: RelyingParty, documents: Documents) -> None:
    """Whoever comes while another request is calling waits for what it brings."""
    client, app = client_services.find("remote"), party.scenery.app
    assert client is not None
    together = threading.Barrier(8)

    def ask(_: int) -> int:
        together.wait()
        with app.app_context():
            return len(client_key_services.keys_of(client, "k-ES256"))

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(ask, range(8)))

    assert (found, documents.asked) == ([3] * 8, ["/jwks"])


def test_nothing_of_the_token_is_followed(party: RelyingParty, documents: Documents) -> None:
    """S-17: ``jku``, ``jwk``, ``x5u`` of a header call nobody, and another client's set does not serve."""
    evil = documents.put("/evil", KEYS)
    for header in ({"jku": evil}, {"x5u": evil}, {"jwk": EC_KEY}):
        proof = party.assertion(headers={"kid": "k-ES256", **header})
        assert party.proven_token("x", proof).status_code == 401
    assert "/evil" not in documents.asked
    unknown = pyjwt.encode({"iss": "nobody", "sub": "nobody"}, private_key("ES256"), algorithm="ES256")
    assert party.proven_token("x", unknown).status_code == 401
    assert documents.asked == []


def test_a_set_serves_the_algorithms_of_the_client_only(party: RelyingParty) -> None:
    """S-15, S-16: what the profile does not name is refused before any key is tried."""
    for alg in ("PS256", "ES256", "EdDSA"):
        assert party.proven_token("x", party.assertion(alg)).status_code == 400, alg
    forged = party.assertion("HS256", key="k" * 64)
    assert party.proven_token("x", forged).status_code == 401


def test_a_signed_request_is_pushed_by_keys_at_an_address(
    scenery: Scenery, documents: Documents, tmp_path: Path
) -> None:
    """RFC 9101 with RFC 9126: the keys are fetched before the transaction opens, also for a client that has a secret."""
    address = documents.put("/jwks", KEYS)
    load(scenery.app, scenery.clock, tmp_path, registration("far", jwks_uri=address))
    party, now = RelyingParty(scenery, "far"), int(scenery.clock.now().timestamp())
    claims = {**party.parameters(), "iss": "far", "aud": ISSUER, "exp": now + 60, "nbf": now}
    signed = pyjwt.encode(claims, private_key("ES256"), algorithm="ES256", headers={"kid": "k-ES256"})
    headers = {"Authorization": party.basic()}

    answers = [
        scenery.browser().post("/par", data={"client_id": "far", "request": text}, headers=headers)
        for text in (signed, "x", signed[:-4] + "AAAA")
    ]

    assert [answer.status_code for answer in answers] == [201, 400, 400]
    assert documents.asked == ["/jwks"]
