"""How many requests of a sign-in run at once, so that a burst never takes every thread (security-bar.md S-78).

Agencies redeem and refresh tokens in the same processes. Beside the hashes, which are bounded on their own, the pages of a
sign-in would fill every thread of the server: a few are at work, some wait before anything is read, the others are refused at
once to come back.
"""

from __future__ import annotations

import threading

from flask import Flask, request

from ..credentials.hashing import slots_of
from ..errors import BusyError

LONGEST_QUEUE = 62  # in each process; ``idp serve`` has more threads, so that some are left for other requests
LONGEST_WAIT = 5.0  # seconds
LIMITED_BLUEPRINTS = frozenset({"sign_in", "email_sign_in", "passkeys", "activation", "recovery"})  # open to visitors
UNLIMITED_ENDPOINTS = frozenset({"sign_in.sign_out"})  # signing out is never limited
_ADMITTED = "mandat.admitted"


class ConcurrencyLimit:
    """A limit on the requests that run at once, and on those that wait."""

    def __init__(self, at_work: int, waiting: int = LONGEST_QUEUE, patience: float = LONGEST_WAIT) -> None:
        self._at_work = threading.BoundedSemaphore(at_work)
        self._places = threading.BoundedSemaphore(at_work + waiting)
        self._patience = patience

    def enter(self) -> None:
        """Wait for a turn.

        Raises:
            BusyError: too many wait already, or no turn came in time.
        """
        if not self._places.acquire(blocking=False):
            raise BusyError("the concurrency limit is reached")
        if not self._at_work.acquire(timeout=self._patience):
            self._places.release()
            raise BusyError("no turn in time")

    def leave(self) -> None:
        """Let the next one in."""
        self._at_work.release()
        self._places.release()


def init_concurrency_limit(app: Flask, workers: int) -> None:
    """Limit the concurrent requests to the sign-in pages of *app*, before anything is read from the database."""
    # as many as hash: what a sign-in does beside its hash takes the same cores
    limit = ConcurrencyLimit(slots_of(workers))
    app.extensions["mandat.concurrency_limit"] = limit

    @app.before_request
    def enter() -> None:
        if request.blueprint in LIMITED_BLUEPRINTS and request.endpoint not in UNLIMITED_ENDPOINTS:
            limit.enter()
            request.environ[_ADMITTED] = True

    @app.teardown_request
    def leave(_error: BaseException | None) -> None:
        if request.environ.pop(_ADMITTED, False):
            limit.leave()
