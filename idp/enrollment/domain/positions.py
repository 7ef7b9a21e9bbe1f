"""The positions a representative may declare, and those that are sufficient by themselves (domain.md §2.4)."""

from __future__ import annotations

from enum import StrEnum


class Position(StrEnum):
    """The representative's position in the enterprise. Values are stored and compared with the tax agency's."""

    PRESIDENT = "president"
    VICE_PRESIDENT = "vice_president"
    SECRETARY = "secretary"
    TREASURER = "treasurer"
    SOLE_DIRECTOR = "sole_director"
    DIRECTOR = "director"
    OWNER = "owner"
    PARTNER = "partner"
    TRUSTEE = "trustee"
    GENERAL_MANAGER = "general_manager"
    CLERK = "clerk"
    OTHER = "other"


class Basis(StrEnum):
    """Where the representative's authority comes from."""

    OFFICE = "office"
    MANDATE = "mandate"


ENOUGH_BY_OFFICE: dict[str, frozenset[Position]] = {
    "11": frozenset(
        {
            Position.PRESIDENT,
            Position.VICE_PRESIDENT,
            Position.SECRETARY,
            Position.TREASURER,
            Position.SOLE_DIRECTOR,  # a plain director is not enough
        }
    ),
    "22": frozenset({Position.OWNER}),
    "33": frozenset({Position.PARTNER, Position.TRUSTEE}),
    "88": frozenset(),  # the officers of a public body are not in the tax file: a document
}


def is_enough_by_office(family: str, position: str) -> bool:
    """Return whether *position* in an enterprise of this NEQ family proves authority without a document."""
    return position in ENOUGH_BY_OFFICE.get(family, frozenset())
