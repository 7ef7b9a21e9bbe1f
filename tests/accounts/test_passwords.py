"""Which passwords are taken, and how temporary ones are made."""

from __future__ import annotations

import pytest

from idp.accounts.passwords import (
    PasswordFault,
    draw_temporary,
    fits,
    group,
    judge,
    read_temporary,
)

ABOUT = ("Élise", "Tremblay", "QX4T7712", "1100000455")


@pytest.mark.parametrize(
    ("password", "fault"),
    [
        ("trois petits bateaux verts", None),
        ("x9!pQ2#vL7$k", None),
        ("Tremblay aime le fromage bleu", None),
        ("é" * 11, PasswordFault.TOO_SHORT),
        ("onze signes", PasswordFault.TOO_SHORT),
        ("", PasswordFault.TOO_SHORT),
        ("a" * 1025, PasswordFault.TOO_LONG),
        ("é" * 513, PasswordFault.TOO_LONG),
        ("motdepasse123", PasswordFault.KNOWN),
        ("MotDePasse123", PasswordFault.KNOWN),
        ("aaaaaaaaaaaa", PasswordFault.SAME_SIGN),
        ("abababababababab", PasswordFault.SAME_SIGN),
        ("Elise Tremblay 2026", PasswordFault.ABOUT_YOU),
        ("TREMBLAY-1100000455", PasswordFault.ABOUT_YOU),
        ("mandat qx4t-7712!", PasswordFault.ABOUT_YOU),
        ("Revenu Québec 2026", PasswordFault.ABOUT_YOU),
    ],
)
def test_a_password_is_judged_by_length_by_lists_and_by_its_person(password: str, fault: PasswordFault | None) -> None:
    """No rule of composition: length, known passwords, and the words a stranger would try."""
    decision = judge(password, about=ABOUT, year=2026)

    assert decision.reasons == (() if fault is None else (fault,))


def test_sixty_four_signs_and_more_are_taken() -> None:
    """Long passwords are welcome up to 1,024 bytes (ASVS 6.2.9)."""
    long = "une phrase que personne ne dirait jamais à voix haute " * 8

    assert judge(long, year=2026)
    assert fits("a" * 1024)
    assert not fits("a" * 1025)


def test_temporary_passwords_are_long_random_and_readable() -> None:
    """Twenty-four signs without look-alikes, never twice the same, read back as typed by hand."""
    drawn = {draw_temporary() for _ in range(200)}

    assert len(drawn) == 200
    assert all(len(secret) == 24 and not set(secret) & set("01O2I5") for secret in drawn)
    one = drawn.pop()
    assert group(one).count("-") == 5
    assert read_temporary(f"  {group(one).lower().replace('-', ' ')} ") == one
