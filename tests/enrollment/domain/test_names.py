"""Two writings of a name are compared as domain.md §2.4 says."""

from __future__ import annotations

import pytest

from idp.enrollment.domain.names import fold, same_name


@pytest.mark.parametrize(
    ("given", "family", "on_file"),
    [
        ("helene", "cote l'heureux", ("Hélène", "Côté-L’Heureux")),
        ("HÉLÈNE", "COTE L’HEUREUX", ("Hélène", "Côté-L'Heureux")),
        ("Francoise", "Coeurvaillant", ("Françoise", "Cœurvaillant")),
        ("Jean Francois", "St Onde", ("Jean-François", "St-Onde")),
        ("Nguyen", "Thi Lamerveille", ("Thị Lamerveille", "Nguyễn")),
        ("Thi Lamerveille", "Nguyen", ("Thị Lamerveille", "Nguyễn")),
        ("Marie", "Lune", ("Marie Ève", "Lune")),
        ("Marie Ève", "Lune", ("Marie", "Lune")),
        ("Lune", "Marie", ("Marie", "Lune")),
        ("Đặng", "Vũ", ("Dang", "Vu")),
    ],
)
def test_the_same_person(given: str, family: str, on_file: tuple[str, str]) -> None:
    """Accents, case, hyphens, apostrophes, œ, order and a second given name do not matter."""
    assert same_name(given, family, *on_file)


@pytest.mark.parametrize(
    ("given", "family", "on_file"),
    [
        ("Marie", "Lune", ("Marie", "Dune")),
        ("Ève", "Lune", ("Marie Ève", "Lune")),
        ("", "Commandité Ventdoux inc.", ("", "Commandité Ventdoux inc.")),
        ("Marie", "", ("Marie", "")),
        ("-", "-", ("-", "-")),
        ("Jean", "St-Onde", ("Jean-François", "St-Onde")),
    ],
)
def test_another_person(given: str, family: str, on_file: tuple[str, str]) -> None:
    """A missing part equals nothing, a compound first name is one name, another letter is another name."""
    assert not same_name(given, family, *on_file)


def test_folding_keeps_letters_alone() -> None:
    """What is folded holds neither space nor accent."""
    assert fold("  L’Œuvre d’Été-Ÿ ") == "loeuvredetey"
