"""One person, many enterprises: a user code that joins the account its person has (decisions.md §2); pure.

Both are proved first: the new code by its slip and a code by e-mail, the account by a fresh sign-in. The code is not activated
yet, so nothing of two accounts is ever merged: a row without any credential hands over what rooms hold of it, and is closed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ....errors import Decision
from ...leaving.domain.closing import Objection


class LinkingObstacle(StrEnum):
    """Why a user code does not join an account."""

    WEAK_SIGN_IN = "weak_sign_in"
    SAME_PERSON = "same_person"
    ACCOUNT_NOT_OPEN = "account_not_open"
    HAS_CREDENTIAL = "has_credential"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class LinkingFacts:
    """What counts about the person of a new code and the account they say they have."""

    is_weak: bool
    is_same_person: bool
    is_account_open: bool
    has_credential: bool
    is_operator: bool


@dataclass(frozen=True, slots=True)
class Succession:
    """How a room hands over what it holds of a person to the account they turn out to have.

    ``hand_over`` runs in the transaction of the linking and raises a ``ConflictError`` when something stands in the way.
    """

    hand_over: Callable[[str, str, datetime], None]
    objections: Callable[[str, str], Sequence[Objection]]


def may_link(facts: LinkingFacts) -> Decision[LinkingObstacle]:
    """Decide whether a user code may join an account, apart from what other rooms object."""
    hindrances = (
        (facts.is_weak, LinkingObstacle.WEAK_SIGN_IN),
        (facts.is_same_person, LinkingObstacle.SAME_PERSON),
        (not facts.is_account_open, LinkingObstacle.ACCOUNT_NOT_OPEN),
        (facts.has_credential, LinkingObstacle.HAS_CREDENTIAL),
        (
            facts.is_operator,
            LinkingObstacle.OPERATOR,
        ),  # the person who works at the desk never reaches an agency (security-bar.md)
    )
    return Decision(tuple(hindrance for stands, hindrance in hindrances if stands))
