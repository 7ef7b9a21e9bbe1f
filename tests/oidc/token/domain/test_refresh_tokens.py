"""Which use of a generation of refresh tokens is the first, comes again, or is a replay."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from idp.oidc.token.domain.refresh_tokens import Use, use_of

ROTATED = datetime(2026, 3, 2, 14, tzinfo=UTC)


@pytest.mark.parametrize(
    ("generation", "grace", "later", "use"),
    [
        (4, 0, 0.0, Use.FIRST),
        (3, 10, 9.9, Use.AGAIN),
        (3, 10, 10.0, Use.REPLAY),
        (2, 10, 1.0, Use.REPLAY),
        (3, 0, 0.0, Use.REPLAY),
        (3, 0, -0.5, Use.REPLAY),  # the loser of a race read its clock before the winner wrote, or on another machine
        (3, 10, -0.5, Use.AGAIN),
    ],
)
def test_a_use_is_judged(generation: int, grace: int, later: float, use: Use) -> None:
    """RFC 9700 §4.14.2: without a grace no clock makes a second use of a token good."""
    now = ROTATED + timedelta(seconds=later)
    assert use_of(generation, current=4, rotated_at=ROTATED, grace=timedelta(seconds=grace), now=now) is use
