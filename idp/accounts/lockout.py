"""When guessing must pause, pure: five failures, then fifteen minutes, then longer (domain §3.3).

A try is counted *before* it is judged, and given back when it was right, so that a thousand tries at once are no more
than five (security S-48). One counter serves a person over all their codes and factors.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

FREE_TRIES = 5
FIRST_PAUSE = timedelta(minutes=15)
LONGEST_PAUSE = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Counter:
    """How many tries in a row were not right, and until when no other is judged."""

    failures: int = 0
    locked_until: datetime | None = None

    def is_locked(self, now: datetime) -> bool:
        """Tell whether no try is judged at *now*."""
        return self.locked_until is not None and self.locked_until > now

    @property
    def tries_left(self) -> int:
        """Return how many tries remain before the next pause."""
        return FREE_TRIES - self.failures % FREE_TRIES


def count_try(counter: Counter, now: datetime) -> Counter:
    """Return the counter after one more try; every fifth one closes the door, each time for twice as long."""
    failures = counter.failures + 1
    return Counter(failures, now + pause(failures) if failures % FREE_TRIES == 0 else None)


def give_back(counter: Counter, taken: Counter) -> Counter:
    """Return the counter once the try that made *taken* proved right: it neither counts nor locks."""
    own_lock = taken.locked_until is not None and counter.locked_until == taken.locked_until
    return Counter(max(0, counter.failures - 1), None if own_lock else counter.locked_until)


def pause(failures: int) -> timedelta:
    """Return how long the door stays closed after *failures* in a row."""
    doublings = min(failures // FREE_TRIES - 1, 10)
    return min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)
