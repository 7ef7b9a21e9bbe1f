"""An application for authorization: its steps, what is missing in it, and its states as one table. Pure.

Holders of block 018 fill in the draft and its business relationships. Holders of block 019 disclose the relationships and end
the data entry, which submits the application. Its fee is then to be paid (block 008); once it is, the agency examines the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

FEE_CENTS = 61_400  # invented, as every amount here
TIME_TO_PAY = timedelta(days=30)
MAX_RELATIONSHIPS = 500
CATEGORIES = ("construction", "services", "ppp")
RELATIONSHIP_KINDS = ("shareholder", "director", "officer", "financial_institution", "establishment")
THRESHOLDS = {
    "construction": 500_000_000,
    "ppp": 500_000_000,
    "services": 100_000_000,
}  # cents; C-65.1, orders of the government


class State(StrEnum):
    """Where an application is. Values are stored: never rename one."""

    DRAFT = "draft"
    AWAITING_PAYMENT = "awaiting_payment"
    UNDER_REVIEW = "under_review"


class Event(StrEnum):
    """What happens to an application."""

    CHANGED = "changed"
    SUBMITTED = "submitted"
    FEE_PAID = "fee_paid"


TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.DRAFT, Event.CHANGED): State.DRAFT,
    (State.DRAFT, Event.SUBMITTED): State.AWAITING_PAYMENT,
    (State.AWAITING_PAYMENT, Event.FEE_PAID): State.UNDER_REVIEW,
}
BLOCK_OF = {Event.CHANGED: ("018", "019"), Event.SUBMITTED: ("019",), Event.FEE_PAID: ("008",)}


class RequestState(StrEnum):
    """Where a request for information is; the values are stored."""

    RECEIVED = "received"
    COMPLETED = "completed"  # the enterprise answered a message about it


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a step or of a form."""

    name: str
    longest: int = 200
    choices: tuple[str, ...] = ()
    is_required: bool = True
    is_money: bool = False
    rows: int = 0  # lines of the box; 0 is one line


STEPS: dict[str, tuple[Field, ...]] = {
    "contract": (
        Field("category", choices=CATEGORIES),
        Field("respondent"),
        Field("description", 2000, rows=6),
    ),
    "details": (Field("value", 40, is_required=False, is_money=True), Field("public_body", is_required=False)),
}
RELATIONSHIP = (
    Field("kind", choices=RELATIONSHIP_KINDS),
    Field("name"),
    Field("detail", is_required=False),
)


class Missing(StrEnum):
    """What prevents the submission; the values are keys of sentences."""

    CATEGORY = "missing_category"
    RESPONDENT = "missing_respondent"
    DESCRIPTION = "missing_description"
    RELATIONSHIP = "missing_relationship"
    DISCLOSURE = "missing_disclosure"


def follow(state: State, event: Event) -> State | None:
    """Return the state after *event*, or None when it cannot happen in *state*."""
    return TRANSITIONS.get((state, event))


def missing(steps: Mapping[str, Mapping[str, str]], relationships: int, undisclosed: int) -> tuple[Missing, ...]:
    """Return everything that an application lacks before it may be submitted."""
    required = [(step, field.name) for step, fields in STEPS.items() for field in fields if field.is_required]
    found = [Missing(f"missing_{name}") for step, name in required if not steps.get(step, {}).get(name)]
    if not relationships:
        found.append(Missing.RELATIONSHIP)
    if undisclosed:
        found.append(Missing.DISCLOSURE)
    return tuple(found)


def is_below_threshold(contract: Mapping[str, str], cents: int | None) -> bool:
    """Return whether a contract of this category and value needs no authorization."""
    threshold = THRESHOLDS.get(contract.get("category", ""))
    return threshold is not None and cents is not None and cents < threshold
