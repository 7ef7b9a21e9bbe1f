"""What other rooms have to say when a person closes their account; pure.

A room says what stands in the way, and how to get past it. When nothing does, it ends in the transaction of the closing what
it holds of the person, and is asked once more, under the lock of the person, whether something is left.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

ADDRESS_KEPT = timedelta(days=1)  # the last messages leave within it
NAME_KEPT = timedelta(days=7 * 365 + 2)  # as long as the log, which names people by it (docs/privacy.md)


@dataclass(frozen=True, slots=True)
class Objection:
    """Why an account cannot be closed now, and the way out; two sentences in the language of the page."""

    why: str
    way_out: str


def _none(_person_id: str) -> tuple[Objection, ...]:
    return ()


def _nothing(_person_id: str) -> bool:
    return False


def _no_names(_person_ids: Collection[str]) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Departure:
    """How a room parts with a person.

    ``leave`` runs in the transaction of the closing and raises a ``ConflictError`` when something stands in the way.
    ``forget`` forgets the names of people, by id, in the transaction in which the account forgets them.
    """

    leave: Callable[[str, datetime], None]
    objections: Callable[[str], Sequence[Objection]] = _none
    holds: Callable[[str], bool] = _nothing
    forget: Callable[[Collection[str]], None] = _no_names
