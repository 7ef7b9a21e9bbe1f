"""The life of a file is exactly the table of domain.md §2.5 with decisions.md §11."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from idp.enrollment.domain.states import (
    ENDED,
    TRANSITIONS,
    ForbiddenTransitionError,
    State,
    StateEvent,
    after,
    deadline,
    operator_due,
)

# domain.md §2.5 as written, one line a state: event→state
TABLE = {
    "draft": "submitted→submitted withdrawn→withdrawn deadline→expired",
    "submitted": "correction_needed→draft checks_passed→verified code_ordered→code_mailed review_needed→under_review "
    "checks_refused→refused withdrawn→withdrawn connector_unavailable→submitted deadline→under_review",
    "code_mailed": "code_accepted→verified code_ordered→code_mailed tries_exhausted→under_review "
    "letter_returned→under_review document_offered→under_review withdrawn→withdrawn deadline→expired",
    "under_review": "approved→verified code_ordered→code_mailed correction_needed→draft rejected→refused "
    "withdrawn→withdrawn deadline→expired",
    "verified": "slips_collected→active register_changed→under_review withdrawn→withdrawn deadline→expired",
    "active": "suspended→suspended deactivated→deactivated",
    "suspended": "reinstated→active deactivated→deactivated",
    "refused": "contested→under_review",
    "deactivated": "reopening_asked→under_review",
    "expired": "",
    "withdrawn": "",
}
NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)


def test_the_table_is_the_one_of_the_domain() -> None:
    """Every line written in domain.md §2.5 exists, and no other."""
    written = {(state, *move.split("→")) for state, moves in TABLE.items() for move in moves.split()}

    assert {(str(state), str(event), str(to)) for (state, event), to in TRANSITIONS.items()} == written
    assert set(TABLE) == {str(state) for state in State}


@pytest.mark.parametrize("state", sorted(ENDED))
def test_a_file_that_ended_is_never_verified(state: State) -> None:
    """No event leads from an ended file to a verified one."""
    for event in (StateEvent.APPROVED, StateEvent.CHECKS_PASSED, StateEvent.CODE_ACCEPTED, StateEvent.SLIPS_COLLECTED):
        with pytest.raises(ForbiddenTransitionError):
            after(state, event)


def test_only_the_representative_delay_ends_a_review() -> None:
    """A file under review lapses after thirty days when a document is owed, never because an operator is late."""
    assert deadline(State.UNDER_REVIEW, NOW) is None
    assert deadline(State.UNDER_REVIEW, NOW, awaits_document=True) == NOW + timedelta(days=30)
    assert deadline(State.SUBMITTED, NOW) == NOW + timedelta(days=5)
    assert deadline(State.ACTIVE, NOW) is None


def test_working_days_skip_the_weekend() -> None:
    """Five working days after a Monday end on the next Monday."""
    assert operator_due(NOW) == NOW + timedelta(days=7)
