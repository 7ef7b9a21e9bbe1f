"""When an unsent notice is retried, pure."""

from __future__ import annotations

from datetime import datetime, timedelta

LEASE = timedelta(minutes=2)  # one attempt ends well before: SMTP 15 s, a signal 5 s
PAUSES = (
    timedelta(seconds=1),
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=5),
    timedelta(hours=1),
    timedelta(hours=3),
    timedelta(hours=6),
    timedelta(hours=12),
    timedelta(hours=24),
    timedelta(hours=24),
)


def next_try(attempts: int, now: datetime) -> datetime | None:
    """Return when to retry after *attempts* failures, or None when the notice is dead."""
    if attempts > len(PAUSES):
        return None
    return now + PAUSES[attempts - 1]
