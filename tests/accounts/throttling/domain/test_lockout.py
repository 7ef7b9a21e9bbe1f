"""When guessing must pause."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.accounts.throttling.domain.lockout import (
    FREE_TRIES,
    LIFE_TRIES,
    Counter,
    count_elsewhere,
    count_try,
    give_back,
    lift_pause,
    pause,
)

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


@pytest.mark.bar("S-49")
def test_a_hundred_failures_in_a_row_spend_the_password() -> None:
    """The hundredth is judged, the hundred and first is not, also once the pause is over (NIST SP 800-63B-4 §3.2.2)."""
    before = Counter(LIFE_TRIES - 1)

    last = count_try(before, NOW)

    assert not before.is_spent
    assert last.is_spent
    assert give_back(last, last) == before


def test_tries_from_a_known_browser_add_up_in_the_total_alone() -> None:
    """They make no pause for the others, and count towards the hundred."""
    locked = count_try(Counter(4), NOW)

    assert count_elsewhere(locked) == replace(locked, failures=6)
    assert count_elsewhere(Counter(), -1) == Counter()
    assert Counter(2, in_all=LIFE_TRIES).is_spent
    assert not Counter(2, in_all=LIFE_TRIES - 1).is_spent


def test_a_lifted_pause_keeps_what_was_counted() -> None:
    """Five more tries, then a pause that is longer than the one lifted: opening the door is no fresh start."""
    counter = Counter()
    for _ in range(5):
        counter = count_try(counter, NOW)

    opened = lift_pause(counter)

    assert not opened.is_locked(NOW)
    assert opened.tries_left == 5
    for _ in range(5):
        opened = count_try(opened, NOW)
    assert opened.locked_until == NOW + timedelta(minutes=30)


@given(st.lists(st.sampled_from(["wrong", "right", "unlock", "wait"]), max_size=400))
def test_no_order_of_tries_and_unlocks_judges_more_than_a_hundred_in_a_row(acts: list[str]) -> None:
    """Whatever helpers do: a right try is given back and forgets nothing, an unlock gives five tries at most."""
    counter, now, judged, since_pause = Counter(), NOW, 0, 0
    for act in acts:
        if act == "wait":
            now += timedelta(days=1)
        elif act == "unlock":
            counter = lift_pause(counter)
        elif not counter.is_locked(now) and not counter.is_spent:
            taken = count_try(counter, now)
            counter = give_back(taken, taken) if act == "right" else taken
            judged += act == "wrong"
            since_pause = 0 if counter.is_locked(now) else since_pause + (act == "wrong")
        assert since_pause < FREE_TRIES

    assert judged <= LIFE_TRIES
