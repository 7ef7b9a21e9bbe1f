"""Argon2id, a bounded number at a time: without the bound, the hash is the denial of service (security-bar.md S-78)."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError
from flask import Flask, current_app

from ...config import Settings
from ...crypto.sealing import Sealing
from ..errors import BusyError
from .domain.passwords import fits, normalize

_WAITING = 8  # for each one that runs; any more are refused at once
_PATIENCE = 3.0  # seconds one waits for its turn
_NICENESS = 5  # a quarter of the core when a token is made at the same time, all of it when nothing else is asked


class Hasher:
    """Hash and verify passwords with the parameters of the settings, over a digest keyed by the pepper."""

    def __init__(self, settings: Settings, sealing: Sealing, slots: int | None = None) -> None:
        running = slots or slots_of(settings.workers)
        self._argon2 = PasswordHasher(
            time_cost=settings.argon2_time, memory_cost=settings.argon2_memory_kib, parallelism=1, type=Type.ID
        )
        self._sealing = sealing
        self._pool = ThreadPoolExecutor(running, "argon2", initializer=_step_back)
        self._slots = threading.BoundedSemaphore(running)
        self._places = threading.BoundedSemaphore(running * (1 + _WAITING))
        self._nobody = self._argon2.hash("nobody")
        self._count = threading.Lock()
        self.calls = 0  # how many hashes were computed, for figures and tests

    def hash(self, password: str) -> str:
        """Return the hash to store.

        Raises:
            BusyError: too many are being computed.
            ValueError: the password is too long to be hashed.
        """
        material = self._material(password)
        with self._turn():
            return self._pool.submit(self._argon2.hash, material).result()

    def verify(self, stored: str | None, password: str) -> bool:
        """Return whether *password* belongs to *stored*; a code that does not exist costs as much.

        Raises:
            BusyError: too many are being computed.
            ValueError: the password is too long to be hashed.
        """
        material = self._material(password)
        with self._turn():
            try:
                self._pool.submit(self._argon2.verify, stored or self._nobody, material).result()
            except (VerificationError, InvalidHashError):
                return False
        return stored is not None

    def is_outdated(self, stored: str) -> bool:
        """Return whether *stored* was made with other parameters than today's."""
        return self._argon2.check_needs_rehash(stored)

    def _material(self, password: str) -> str:
        if not fits(password):
            raise ValueError("too long to be hashed")
        return self._sealing.keyed_digest(normalize(password), "password")

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._places.acquire(blocking=False):
            raise BusyError("too many passwords at once")
        try:
            if not self._slots.acquire(timeout=_PATIENCE):
                raise BusyError("no turn in time")
            try:
                with self._count:
                    self.calls += 1
                yield
            finally:
                self._slots.release()
        finally:
            self._places.release()


def _step_back() -> None:
    """Yield this core to other threads: a hash is long, and tokens must not wait for it (Linux only)."""
    if sys.platform == "linux":
        own = threading.get_native_id()  # the nice value of sched(7) belongs to each thread there
        os.setpriority(os.PRIO_PROCESS, own, os.getpriority(os.PRIO_PROCESS, own) + _NICENESS)


def slots_of(workers: int) -> int:
    """Return how many hashes one of *workers* processes computes at once: together no more than there are cores."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, cores // workers)


def init_hasher(app: Flask, settings: Settings, sealing: Sealing) -> None:
    """Give *app* its hasher."""
    app.extensions["mandat.hasher"] = Hasher(settings, sealing)


def current_hasher() -> Hasher:
    """Return the hasher of the running application."""
    hasher: Hasher = current_app.extensions["mandat.hasher"]
    return hasher
