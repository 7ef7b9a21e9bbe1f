"""Which passwords are taken, and how temporary ones are made."""

from __future__ import annotations

import random
import string

import pytest

from idp.accounts.credentials.domain import passwords
from idp.accounts.credentials.domain.passwords import PasswordFault, check, draw_temporary, fits, group, read_temporary

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
    decision = check(password, about=ABOUT, year=2026)

    assert decision.reasons == (() if fault is None else (fault,))


@pytest.mark.parametrize(
    ("password", "about", "fault"),
    [
        ("Motdepasse2026!", (), PasswordFault.KNOWN),
        ("2026 Mot de passe", (), PasswordFault.KNOWN),
        ("Mötdépàsse1234", (), PasswordFault.KNOWN),
        ("m0td3p@$$e2026", (), PasswordFault.KNOWN),
        ("**azertyuiop**", (), PasswordFault.KNOWN),
        ("mandat azertyuiop", (), PasswordFault.KNOWN),
        ("motdepasse Tremblay", ("Tremblay",), PasswordFault.KNOWN),
        ("motdepassemotdepasse", (), PasswordFault.SAME_SIGN),
        ("licorne licorne", (), PasswordFault.SAME_SIGN),
        ("Password password 1", (), PasswordFault.SAME_SIGN),
        ("montreal12345", (), PasswordFault.TOO_LITTLE),
        ("!!Montréal 1642", (), PasswordFault.TOO_LITTLE),
        ("canadiens1234", (), PasswordFault.TOO_LITTLE),
        ("P@ssw0rd#12345", (), PasswordFault.TOO_LITTLE),
        ("MontRéal #1642", (), PasswordFault.TOO_LITTLE),
        ("CANADIENS 1234", (), PasswordFault.TOO_LITTLE),
        ("mandat12345678", (), PasswordFault.ABOUT_YOU),
        ("Mandat!mandat!", (), PasswordFault.SAME_SIGN),
        ("tremblay password", ("Tremblay",), PasswordFault.ABOUT_YOU),
        ("roy roy roy roy1", ("Roy",), PasswordFault.SAME_SIGN),
        ("roy bleu roy roy", ("Roy",), PasswordFault.ABOUT_YOU),
        ("licorne haute 77", ("Construction Haute-Licorne inc.",), PasswordFault.ABOUT_YOU),
        ("andreandreandre1", ("Marc-André",), PasswordFault.SAME_SIGN),
        ("Marc et André 99", ("Marc-André",), PasswordFault.ABOUT_YOU),
        ("x9!pQ 1100000455", ("1100000455",), PasswordFault.ABOUT_YOU),
    ],
)
def test_what_a_program_tries_first_is_refused(password: str, about: tuple[str, ...], fault: PasswordFault) -> None:
    """A known word, a name or ours with the usual figures, signs, accents, capitals and repetitions."""
    assert check(password, about=about, year=2026).reasons == (fault,)


@pytest.mark.parametrize(
    "password",
    [
        "trois petits bateaux verts",
        "mon mot de passe sent la cannelle",
        "un password oublié sous la neige",
        "Montréal dort sous la pluie",
        "les canadiens mangent des pommes",
        "le royaume des vents du nord",
        "la licorne de Julie boit du thé",
        "azertyuiop et puis le vent",
        "Tremblay aime le fromage bleu",
        "mandat pour une girafe mauve",
        "quatre vents 2026 sur la grève",
        "correct cheval pile agrafe",
        "x9!pQ2#vL7$k",
        "kqz81mpw4429",
        "829-kfw-771-zt",
        "trois petits bateaux " * 4,
        "зелёные кораблики плывут",
        "四艘绿色的小船驶向大海去了吧",
    ],
)
def test_a_phrase_that_only_holds_a_common_word_is_taken(password: str) -> None:
    """Several words, several alphabets, and what a safe of passwords draws."""
    about = ("Julie", "Tremblay-Roy", "QX4T7712", "1100000455", "Construction Haute-Licorne inc.")

    assert check(password, about=about, year=2026).reasons == ()


@pytest.mark.parametrize(
    ("signs", "length", "most"),
    [
        (string.ascii_letters + string.digits, 12, 20),
        (string.ascii_letters + string.digits + string.punctuation, 12, 20),
        (string.ascii_lowercase, 14, 0),
    ],
)
def test_random_passwords_are_hardly_ever_refused(signs: str, length: int, most: int) -> None:
    """Of two thousand, those that happen to be letters and then figures: at most one in a hundred."""
    draw = random.Random(12)  # noqa: S311 (the same ones at every run)
    drawn = ["".join(draw.choices(signs, k=length)) for _ in range(2000)]

    assert sum(not check(password, about=ABOUT, year=2026) for password in drawn) <= most


def test_few_look_ups_judge_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """The list is asked for at most seven forms, however long the password."""
    asked: list[str] = []
    monkeypatch.setattr(passwords, "is_bad_password", lambda form: bool(asked.append(form)))

    for password in ("m0td3p@$$e Tremblay 2026", "É" + "aé1" * 250):
        asked.clear()
        check(password, about=ABOUT, year=2026)
        assert len(asked) <= 7


def test_sixty_four_signs_and_more_are_taken() -> None:
    """Long passwords are welcome up to 1,024 bytes (ASVS 6.2.9)."""
    long = "une phrase que personne ne dirait jamais à voix haute " * 8

    assert check(long, year=2026)
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
