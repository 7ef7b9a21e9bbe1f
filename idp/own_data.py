"""What a context declares about the personal data it stores: the parts it returns, and the tables it reads.

Each context lists its parts in ``own_data_services.PARTS``; :mod:`idp.my_data` gathers them into one file. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class OwnDataPart:
    """One part of a person's data: the function that reads it, and the names of the tables it reads."""

    read: Callable[[str, datetime], Any]
    tables: tuple[str, ...]


Parts = Mapping[str, OwnDataPart]  # by the name of the part in ``idp.my_data.schema``


def actor_word(kind: str, actor_id: str | None, person_id: str) -> str:
    """Return the kind of actor of an act, ``you`` for the person; no other person is named."""
    return "you" if kind == "person" and actor_id == person_id else kind


def by_word(actor_id: str, person_id: str) -> str:
    """Return ``you``, ``another`` or ``system`` for an act of which only the actor's id is stored."""
    if actor_id == person_id:
        return "you"
    return "system" if actor_id == "system" else "another"
