"""Codes of an application."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from idp.accounts.credentials.domain import totp

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)


@pytest.mark.parametrize(("steps", "accepted"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_code_is_accepted_one_step_around(steps: int, accepted: bool) -> None:
    """Drift of one step, and the step the code belongs to is told."""
    at = NOW + timedelta(seconds=30 * steps)

    step = totp.step_of(SECRET, pyotp.TOTP(SECRET).at(at), NOW)

    assert step == (int(at.timestamp()) // 30 if accepted else None)


@pytest.mark.parametrize(
    ("typed", "code"),
    [("123456", "123456"), (" 123 456 ", "123456"), ("12345", None), ("1234567", None), ("12345a", None),
     ("１２３４５６", None), ("", None), ("1" * 1_000_000, None)],
)  # fmt: skip
def test_six_digits_are_read_with_spaces_and_nothing_else(typed: str, code: str | None) -> None:
    """What is not six ASCII digits is no code."""
    assert totp.read_code(typed) == code


def test_the_image_is_plain_svg() -> None:
    """No style, no script, nothing fetched: the page's policy blocks them (interface.md §6)."""
    offer = totp.offer(SECRET, "QX4T-7712")

    assert offer.svg.startswith("<svg")
    assert not re.search(r"style|script|href|on\w+=", offer.svg)
    assert "issuer=Mandat" in offer.address
    assert offer.grouped.replace(" ", "") == SECRET
    assert SECRET not in repr(offer)
