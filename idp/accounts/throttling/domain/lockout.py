"""When guessing must pause, pure: five failures, then fifteen minutes, then longer (domain.md §3.3).

An attempt is counted *before* it is checked, and given back when it was right, so that a thousand attempts at once are no more
than five (security-bar.md S-48). One counter covers all user codes and factors of a person. After a hundred failures in a row
no password is checked until a recovery has renewed it: unlocking gives five attempts, not a hundred.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

FREE_TRIES = 5
FIRST_PAUSE = timedelta(minutes=15)
LONGEST_PAUSE = timedelta(hours=24)
LIFE_TRIES = 100  # NIST SP 800-63B-4 §3.2.2: failures in a row before the authenticator is disabled


@dataclass(frozen=True, slots=True)
class Counter:
    """How many attempts in a row were not right, and until when no other is checked.

    *in_all* is set on the counter of one known browser: what its person's counter says of all places together.
    """

    failures: int = 0
    locked_until: datetime | None = None
    in_all: int | None = None

    def is_locked(self, now: datetime) -> bool:
        """Return whether no attempt is checked at *now*."""
        return self.locked_until is not None and self.locked_until > now

    @property
    def total(self) -> int:
        """Return the attempts in a row against the secrets of this person, from everywhere."""
        return self.failures if self.in_all is None else self.in_all

    @property
    def is_spent(self) -> bool:
        """Return whether the password is no longer valid, and must be renewed."""
        return self.total >= LIFE_TRIES

    @property
    def tries_left(self) -> int:
        """Return how many attempts remain before the next pause."""
        return FREE_TRIES - self.failures % FREE_TRIES


def count_try(counter: Counter, now: datetime) -> Counter:
    """Return the counter after one more attempt; every fifth one closes the door, each time for twice as long."""
    failures = counter.failures + 1
    return Counter(failures, now + pause(failures) if failures % FREE_TRIES == 0 else None)


def count_elsewhere(counter: Counter, tries: int = 1) -> Counter:
    """Return the counter of a person after *tries* more (or fewer) from a known browser, which makes pauses of its own."""
    return Counter(max(0, counter.failures + tries), counter.locked_until)


def lift_pause(counter: Counter) -> Counter:
    """Return the counter once a person has opened the door again: the failures stay, and so does the length of the next pause."""
    return Counter(counter.failures)


def give_back(counter: Counter, taken: Counter) -> Counter:
    """Return the counter once the attempt that made *taken* proved right: it neither counts nor locks."""
    own_lock = taken.locked_until is not None and counter.locked_until == taken.locked_until
    return Counter(max(0, counter.failures - 1), None if own_lock else counter.locked_until)


def pause(failures: int) -> timedelta:
    """Return how long the door stays closed after *failures* in a row."""
    doublings = min(failures // FREE_TRIES - 1, 10)
    return min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)
