"""The life of a user code."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from idp.accounts.user_codes.domain.states import TRANSITIONS, CodeEvent, CodeState, after, as_of
from idp.errors import ConflictError

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)


def test_only_the_table_changes_a_code() -> None:
    """Every pair of state and event outside the table is refused."""
    refused = 0
    for state in CodeState:
        for event in CodeEvent:
            if (state, event) in TRANSITIONS:
                assert after(state, event) is TRANSITIONS[state, event]
            else:
                with pytest.raises(ConflictError):
                    after(state, event)
                refused += 1

    assert refused == len(CodeState) * len(CodeEvent) - len(TRANSITIONS)


def test_nothing_leaves_revoked_and_an_activated_code_gets_no_secret() -> None:
    """A revoked code is dead, and no slip is ever made for a code that signs in."""
    assert not [state for state, _ in TRANSITIONS if state is CodeState.REVOKED]
    assert (CodeState.ACTIVATED, CodeEvent.REVEAL) not in TRANSITIONS


@pytest.mark.parametrize(
    ("state", "expires_in", "used", "expected"),
    [
        (CodeState.REVEALED, timedelta(seconds=1), False, CodeState.REVEALED),
        (CodeState.REVEALED, timedelta(0), False, CodeState.EXPIRED),
        (CodeState.REVEALED, timedelta(0), True, CodeState.REVEALED),
        (CodeState.ACTIVATED, timedelta(0), False, CodeState.ACTIVATED),
        (CodeState.ISSUED, None, False, CodeState.ISSUED),
    ],
)
def test_an_unused_temporary_password_expires(
    state: CodeState, expires_in: timedelta | None, used: bool, expected: CodeState
) -> None:
    """Only a secret nobody used in time makes a code expire."""
    expires_at = None if expires_in is None else NOW + expires_in

    assert as_of(state, expires_at=expires_at, used_at=NOW if used else None, now=NOW) is expected
