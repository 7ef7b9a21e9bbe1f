"""Time, as an argument.

Rules and services receive ``now``; only the edge of the program reads a clock, and it reads this one.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

TORONTO = ZoneInfo("America/Toronto")  # decisions.md §14: a day ends at 23:59:59 in this zone


class Clock(Protocol):
    """A source of the current time."""

    def now(self) -> datetime:
        """Return the current instant, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the current instant, aware, in UTC."""
        return datetime.now(UTC)


class MovableClock:
    """A clock that stands still until it is moved; for tests and demonstrations."""

    def __init__(self, start: datetime) -> None:
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        """Return the instant it was set to."""
        return self._now

    def advance(self, step: timedelta) -> datetime:
        """Move forward by *step* and return the new instant."""
        self._now += step
        return self._now


def end_of_day(day: date) -> datetime:
    """Return the last second of *day* in Québec, in UTC."""
    return datetime.combine(day, time(23, 59, 59), tzinfo=TORONTO).astimezone(UTC)


def local_date(instant: datetime) -> date:
    """Return the date of *instant* as it is written in Québec."""
    return instant.astimezone(TORONTO).date()
