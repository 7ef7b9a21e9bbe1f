"""The rule of rotation: whoever holds a JWK set no older than its cache life can verify every token, at every instant."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt as pyjwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import KeySet

from idp.oidc.domain.profiles import PROFILES
from idp.oidc.keys import key_acts
from idp.oidc.keys.domain.key_rotation import (
    ALGORITHMS,
    CLOCK_SKEW,
    JWKS_MAX_AGE,
    KEPT_AFTER,
    LONGEST_TOKEN_USE,
    PUBLISHED_BEFORE,
    Act,
    KeyLife,
    KeyState,
    Move,
    Publish,
    Remove,
    due,
    signing,
)
from idp.oidc.keys.key_folder import KeyFolder
from idp.oidc.keys.signing_keys import KeyRing
from idp.oidc.logout.logout_services import LONGEST_SESSION
from idp.oidc.token.domain import tokens
from idp.oidc.views import machine

START = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NEXT, ACTIVE, RETIRING, REVOKED = KeyState


def a_key(kid: str, state: KeyState, age: timedelta = timedelta(0), alg: str = "ES256") -> KeyLife:
    return KeyLife(kid, alg, state, START - age, START - age)


def others(alg: str) -> list[KeyLife]:
    return [a_key(each, ACTIVE, alg=each) for each in ALGORITHMS if each != alg]


def test_the_windows_are_as_long_as_what_they_guard() -> None:
    """Published a day and longer than the cache of /jwks; kept longer than any token is used, a cache and a skew (R-30)."""
    assert max(DAY, 2 * JWKS_MAX_AGE) <= PUBLISHED_BEFORE
    assert JWKS_MAX_AGE.total_seconds() == machine._MAX_AGE
    lives = [profile.token_life for profile in PROFILES.values()]
    assert max(*lives, tokens.LOGOUT_LIFE, LONGEST_SESSION) <= LONGEST_TOKEN_USE
    assert KEPT_AFTER >= LONGEST_TOKEN_USE + JWKS_MAX_AGE + CLOCK_SKEW


@pytest.mark.parametrize(
    ("keys", "active_for", "wanted"),
    [
        ([a_key("a", ACTIVE, 88 * DAY)], 90 * DAY, ()),
        ([a_key("a", ACTIVE, 89 * DAY)], 90 * DAY, (Publish("ES256"),)),
        ([a_key("a", ACTIVE, 900 * DAY)], None, ()),
        ([a_key("a", ACTIVE, 91 * DAY), a_key("b", NEXT, 23 * HOUR)], 90 * DAY, ()),
        ([a_key("a", ACTIVE), a_key("b", NEXT, DAY)], None, (Move("b", ACTIVE), Move("a", RETIRING))),
        ([a_key("b", NEXT, HOUR)], None, (Move("b", ACTIVE),)),
        ([a_key("a", ACTIVE, 9 * DAY), a_key("b", ACTIVE, HOUR)], None, (Move("a", RETIRING),)),
        ([a_key("a", ACTIVE), a_key("b", RETIRING, KEPT_AFTER - HOUR)], None, ()),
        ([a_key("a", ACTIVE), a_key("b", RETIRING, KEPT_AFTER)], None, (Remove("b"),)),
        ([a_key("a", ACTIVE), a_key("b", REVOKED, 900 * DAY)], None, ()),
        ([a_key("b", REVOKED), a_key("c", RETIRING)], 90 * DAY, ()),
    ],
)
def test_what_is_due(keys: list[KeyLife], active_for: timedelta | None, wanted: tuple[Act, ...]) -> None:
    """One line a case: not yet, due, off, cut in the middle, lost, kept, gone, revoked."""
    assert due([*keys, *others("ES256")], START, active_for=active_for) == wanted


def test_an_algorithm_does_not_wait_for_another() -> None:
    """Each has its own life; acts come in the order of the algorithms, the successor before the retirement."""
    keys = [a_key(f"{alg}-old", ACTIVE, 80 * DAY, alg) for alg in ALGORITHMS]
    keys += [a_key("RS256-new", NEXT, DAY, "RS256"), a_key("EdDSA-new", NEXT, HOUR, "EdDSA")]

    assert due(keys, START, active_for=90 * DAY) == (Move("RS256-new", ACTIVE), Move("RS256-old", RETIRING))


def _after(keys: list[KeyLife], act: Act, now: datetime, number: int) -> list[KeyLife]:
    if isinstance(act, Publish):
        return [*keys, KeyLife(f"k{number}", act.alg, NEXT, now, now)]
    left = [key for key in keys if key.kid != act.kid]
    if isinstance(act, Remove):
        return left
    moved = next(key for key in keys if key.kid == act.kid)
    return [*left, KeyLife(moved.kid, moved.alg, act.state, moved.created_at, now)]


@given(
    st.lists(st.tuples(st.integers(1, 40 * 60), st.booleans(), st.integers(0, 3)), max_size=60),
    st.integers(1, 4).map(lambda days: days * DAY) | st.none(),
)
def test_no_history_breaks_the_windows(steps: list[tuple[int, bool, int]], active_for: timedelta | None) -> None:
    """Whatever the pauses of the worker, rotations by hand and cuts after any act: one key signs, and it is known.

    It was published longer than a cache lives before it signed, and nothing that signed is removed before its tokens are.
    """
    now, number = START, 0
    keys = [KeyLife("k", "ES256", ACTIVE, START, START)]
    published = {"k": START - 2 * JWKS_MAX_AGE}
    signed: dict[str, datetime] = {}
    for minutes, by_hand, cut in steps:
        signed[signing(keys).kid] = now + timedelta(minutes=minutes)  # type: ignore[union-attr]
        now += timedelta(minutes=minutes)
        acts = list(due(keys, now, active_for=active_for))
        if by_hand and Publish("ES256") not in acts and NEXT not in {key.state for key in keys}:
            acts.append(Publish("ES256"))
        for act in acts[: len(acts) - cut if cut < len(acts) else None]:
            number += 1
            before = {key.kid for key in keys}
            keys = _after(keys, act, now, number)
            published |= {key.kid: now for key in keys if key.kid not in before}
            for gone in before - {key.kid for key in keys}:
                assert gone not in signed or now >= signed[gone] + LONGEST_TOKEN_USE + JWKS_MAX_AGE
        current = signing(keys)
        assert current is not None
        assert now >= published[current.kid] + JWKS_MAX_AGE
        assert len([key for key in keys if key.state is NEXT]) <= 1


def _verify(token: str, published: dict[str, Any], alg: str) -> None:
    """Verify with two libraries that know nothing but the JWK set."""
    kid = pyjwt.get_unverified_header(token)["kid"]
    assert pyjwt.decode(token, pyjwt.PyJWKSet.from_dict(published)[kid], algorithms=[alg])["n"] == 1
    if alg != "EdDSA":  # joserfc warns of this name; PyJWT has judged it
        assert jws.deserialize_compact(token, KeySet.import_key_set(published), algorithms=[alg])


def test_five_rotations_hour_by_hour(keys_dir: Path, tmp_path: Path) -> None:
    """Each token verifies with every JWK set that a verifier may hold while the token is in use: from a cache filled just
    before it was signed to the last minute of its use (R-30, B11; connect2id's and openidconnect-rs #232's cached sets)."""
    shutil.copytree(keys_dir, tmp_path / "keys")
    folder = KeyFolder.at(tmp_path / "keys")
    sets: list[dict[str, Any]] = [KeyRing.of(folder).public_set()]
    issued: list[tuple[int, str, str]] = []
    now, hours = START, 0
    kids: set[str] = set()
    while len(kids) < 6 * len(ALGORITHMS):
        key_acts.rotate_due(folder, now, active_for=2 * DAY)
        ring = KeyRing.of(folder)
        sets.append(ring.public_set())
        for alg in ALGORITHMS:
            if hours % 6 == 0 or ring.signer(alg).kid not in kids:
                issued.append((len(sets) - 1, alg, ring.sign({"n": 1}, alg=alg, typ="JWT")))
            kids.add(ring.signer(alg).kid)
        hours, now = hours + 1, now + HOUR
    used = int(LONGEST_TOKEN_USE / HOUR)

    for at, alg, token in issued:
        window = sets[at - 1 : at + used + 1]  # sets[at - 1] is one hour old: the oldest a cache holds
        kid = pyjwt.get_unverified_header(token)["kid"]
        assert all(kid in {key["kid"] for key in each["keys"]} for each in window)
        for each in (window[0], window[-1]):
            _verify(token, each, alg)
    assert len({key["kid"] for each in sets for key in each["keys"]}) >= 6 * len(ALGORITHMS)
    assert len(list(folder.folder.glob("signing-*"))) <= 3 * len(ALGORITHMS), "old keys are removed"
