"""Argon2id, bounded."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

import pytest
from flask import Flask

from idp.accounts.credentials import factor_services
from idp.accounts.credentials.hashing import Hasher
from idp.accounts.errors import BusyError
from idp.accounts.sign_in.sign_in_services import check_password
from idp.clock import MovableClock
from idp.config import Settings
from idp.crypto.sealing import Sealing

from ..conftest import PASSWORD, Account


@pytest.fixture
def sealing(settings: Settings) -> Sealing:
    return Sealing.load(settings.keys_dir)


def test_a_hash_is_worth_nothing_without_the_pepper(settings: Settings, sealing: Sealing) -> None:
    """Another installation's key does not verify it; composed and decomposed letters are the same password."""
    hasher = Hasher(settings, sealing)
    stored = hasher.hash("café noir et brûlant")

    assert hasher.verify(stored, "cafe\u0301 noir et bru\u0302lant")
    assert not hasher.verify(stored, "cafe noir et brulant")
    assert not hasher.verify(None, "nobody")
    assert not Hasher(settings, Sealing(sealing.key, b"x" * 32, b"", b"")).verify(stored, "café noir et brûlant")
    assert stored.startswith("$argon2id$")


def test_a_hash_gives_way_to_whoever_else_wants_the_core(settings: Settings, sealing: Sealing) -> None:
    """It is computed by a thread of its own, nicer than the rest of the process: a token is not late for it (S-78)."""
    hasher, told = Hasher(settings, sealing), dict[str, int]()

    class Told:
        def hash(self, material: str) -> str:
            told["hash"] = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
            return material

    hasher._argon2 = Told()  # type: ignore[assignment]
    hasher.hash("trois petits bateaux verts")

    assert told["hash"] > os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def test_more_passwords_at_once_than_there_is_room_for_are_refused_quickly(
    settings: Settings, sealing: Sealing
) -> None:
    """One slot and eight who wait: of forty at once, the others are told within a moment (S-78)."""
    slow = settings.model_copy(update={"argon2_memory_kib": 65536, "argon2_time": 3})
    hasher = Hasher(slow, sealing, slots=1)
    gate, refused, lock = threading.Barrier(40), list[float](), threading.Lock()

    def one() -> None:
        gate.wait()
        begun = time.monotonic()
        try:
            hasher.verify(None, "un mot de passe")
        except BusyError:
            with lock:
                refused.append(time.monotonic() - begun)

    threads = [threading.Thread(target=one) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert len(refused) >= 20
    assert hasher.calls <= 20


def test_a_password_is_hashed_again_when_the_parameters_changed(
    app: Flask, settings: Settings, sealing: Sealing, account: Callable[..., Account], clock: MovableClock
) -> None:
    """At the next sign-in, without the person noticing."""
    julie = account()
    former = factor_services.password_hash_of(julie.person_id)
    app.extensions["mandat.hasher"] = Hasher(settings.model_copy(update={"argon2_time": 2}), sealing)
    for _ in range(2):
        assert check_password(julie.code, PASSWORD, next_path="/", now=clock.now()).token
    renewed = factor_services.password_hash_of(julie.person_id)

    assert former is not None
    assert renewed is not None
    assert "t=1" in former
    assert "t=2" in renewed
