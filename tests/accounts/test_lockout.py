"""When guessing must pause."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from idp.accounts.lockout import Counter, count_try, give_back, pause

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)


def test_every_fifth_failure_locks_for_twice_as_long() -> None:
    """15 minutes, 30, an hour… and never more than a day."""
    counter, locks = Counter(), []
    for _ in range(60):
        counter = count_try(counter, NOW)
        if counter.locked_until:
            locks.append(counter.locked_until - NOW)

    assert len(locks) == 12
    assert locks[:4] == [timedelta(minutes=minutes) for minutes in (15, 30, 60, 120)]
    assert locks[-1] == pause(10_000) == timedelta(hours=24)


def test_a_right_try_is_given_back_with_the_lock_it_made() -> None:
    """The fifth try locks before it is judged; being right, it opens again."""
    four = Counter(4)
    taken = count_try(four, NOW)

    assert taken.is_locked(NOW)
    assert give_back(taken, taken) == four


def test_a_right_try_does_not_lift_the_lock_of_another() -> None:
    """A try judged late leaves a lock that others made meanwhile."""
    taken = count_try(Counter(3), NOW)
    meanwhile = count_try(taken, NOW)

    assert give_back(meanwhile, taken).is_locked(NOW)
