"""How many requests of a sign-in run at once, so that a burst never takes every thread (security-bar.md S-78).

Agencies redeem and refresh tokens in the same processes. Beside the hashes, which are bounded on their own, the pages of a
sign-in would fill every thread of the server: a few are at work, some wait before anything is read, the others are told at
once to come back.
"""

from __future__ import annotations

import threading

from flask import Flask, request

from ..credentials.hashing import slots_of
from ..errors import BusyError

WAITING = 62  # in each process; ``idp serve`` has more threads than that, so that some are left for everybody else
PATIENCE = 5.0  # seconds one waits for its turn
DOORS = frozenset({"sign_in", "email_sign_in", "passkeys", "activation", "recovery"})  # blueprints open to strangers
OPEN = frozenset({"sign_in.sign_out"})  # a crowd keeps nobody from leaving
_INSIDE = "mandat.at_the_door"


class Crowd:
    """A bounded number at work, a bounded number that wait."""

    def __init__(self, at_work: int, waiting: int = WAITING, patience: float = PATIENCE) -> None:
        self._at_work = threading.BoundedSemaphore(at_work)
        self._places = threading.BoundedSemaphore(at_work + waiting)
        self._patience = patience

    def enter(self) -> None:
        """Wait for a turn.

        Raises:
            BusyError: too many wait already, or no turn came in time.
        """
        if not self._places.acquire(blocking=False):
            raise BusyError("a crowd at the door")
        if not self._at_work.acquire(timeout=self._patience):
            self._places.release()
            raise BusyError("no turn in time")

    def leave(self) -> None:
        """Let the next one in."""
        self._at_work.release()
        self._places.release()


def init_crowd(app: Flask, workers: int) -> None:
    """Guard the doors of *app*, before anything is read from the database."""
    crowd = Crowd(slots_of(workers))  # as many as hash: what a sign-in does beside its hash takes the same cores
    app.extensions["mandat.crowd"] = crowd

    @app.before_request
    def enter() -> None:
        if request.blueprint in DOORS and request.endpoint not in OPEN:
            crowd.enter()
            request.environ[_INSIDE] = True

    @app.teardown_request
    def leave(_error: BaseException | None) -> None:
        if request.environ.pop(_INSIDE, False):
            crowd.leave()
