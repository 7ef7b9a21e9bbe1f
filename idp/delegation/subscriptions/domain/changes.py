"""What a change of a subscription is: what differs, and whether the person in charge must consent again. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Content:
    """What an enterprise is subscribed to, and what it answered."""

    blocks: tuple[str, ...]
    answers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Difference:
    """What a change adds and removes, and the ids of the questions answered otherwise; truthy when there is any."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    answers: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.answers)


def difference(before: Content, after: Content) -> Difference:
    """Compare two contents; an answer that appears or disappears differs too."""
    former, new = frozenset(before.blocks), frozenset(after.blocks)
    questions = before.answers.keys() | after.answers.keys()
    return Difference(
        added=tuple(sorted(new - former)),
        removed=tuple(sorted(former - new)),
        answers=tuple(sorted(id for id in questions if before.answers.get(id) != after.answers.get(id))),
    )


def needs_consent(changed: Difference, *, consented: str, consent_now: str) -> bool:
    """Return whether consent is asked again: its text changed, or it would cover an added block or another answer.

    *consented* and *consent_now* are digests of the text agreed to and of the agency's present one.
    """
    return consented != consent_now or bool(changed.added or changed.answers)
