"""Two readers of the same JSON never disagree, and no text of it surprises what comes after (S-20, S-29)."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.oidc.clients.domain import client_keys
from idp.oidc.proofs.domain import strict_json
from idp.oidc.proofs.domain.strict_json import NotStrictJsonError
from tests.oidc.scenery import RelyingParty, keyed

KEYS: list[dict[str, Any]] = keyed("x")["jwks"]["keys"]
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(("kty", "use", "alg", "kid", "crv", "x", "y", "n", "e", "d", "k", "key_ops", "x5c"))


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"x",
        b"\xff",
        b"\xef\xbb\xbf{}",
        b'{"a":1,"a":1}',
        b'{"a":{"b":1,"b":2}}',
        b"NaN",
        b"[Infinity]",
        b"[1e999]",
        b"9" * 5000,
        b'"\\ud800"',
        b'["\\udc00x"]',
        b'{"\\ud800":1}',
        b'{"a":["\\ude00\\ud83d"]}',
        b"[" * 9 + b"]" * 9,
        b"[" * 100_000,
        b'{"a":1}x',
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(text: bytes) -> None:
    with pytest.raises(NotStrictJsonError):
        strict_json.read(text)


def test_what_is_json_is_read() -> None:
    """Pairs of surrogates are signs; eight levels are enough."""
    assert strict_json.read(b'{"a":[1,2.5,null,"\\ud83d\\ude00"]}') == {"a": [1, 2.5, None, "😀"]}
    assert strict_json.read(b"[" * 8 + b"]" * 8)
    with pytest.raises(NotStrictJsonError):
        strict_json.read_object(b"[]")


@given(st.binary(max_size=60))
def test_no_bytes_raise_anything_else(text: bytes) -> None:
    """S-29."""
    with suppress(NotStrictJsonError):
        strict_json.read(text)


@given(st.sampled_from(KEYS), st.dictionaries(NAMES, ANYTHING, min_size=1, max_size=3))
def test_a_set_of_keys_is_judged_whatever_it_holds(key: dict[str, Any], changed: dict[str, Any]) -> None:
    """S-29, CVE-2026-102274: a sentence, never an exception; and what is found good can be imported."""
    told = client_keys.only_public({"keys": [{**key, **changed}]})
    assert isinstance(told, dict)

    if not list(client_keys.mistakes(told)):
        assert isinstance(client_keys.imported(told), tuple)
        json.dumps(told)


@given(ANYTHING)
def test_anything_in_the_place_of_a_set_is_judged(told: Any) -> None:
    """S-29."""
    assert list(client_keys.mistakes(client_keys.only_public(told)))
    assert list(client_keys.mistakes(client_keys.only_public({"keys": told})))
    assert list(client_keys.mistakes(client_keys.only_public({"keys": [told]})))


def test_an_assertion_with_half_a_sign_is_refused(rp: RelyingParty) -> None:
    """S-20: it could not even be hashed; 401, never a 500."""
    party = RelyingParty(rp.scenery, "rp4")

    for changed in ({"jti": "\ud800"}, {"surprise": "\udc00"}):
        assert party.proven_token("x", party.assertion(**changed)).status_code == 401
