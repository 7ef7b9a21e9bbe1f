"""How an agency's rule decides a subscription: the first line whose conditions all hold (domain.md §4.4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from ...catalogue.domain.questionnaire import LocalizedText


class Ruling(StrEnum):
    """What a line of the rule answers."""

    ACCEPT = "accept"
    REVIEW = "review"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class AcceptanceLine:
    """One line: when every answer is the one named, this is the ruling; no condition holds always."""

    ruling: Ruling
    when: tuple[tuple[str, str], ...] = ()
    refusal_reason: str | None = None

    def holds(self, answers: Mapping[str, str]) -> bool:
        """Return whether the line applies to *answers*."""
        return all(answers.get(question) == value for question, value in self.when)


@dataclass(frozen=True, slots=True)
class RefusalCause:
    """A reason an agency may give; *question* is the answer it points at, if any."""

    code: str
    label: LocalizedText
    question: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rule answers; on a refusal, its reason and the questions whose answers caused it."""

    ruling: Ruling
    reason: str | None = None
    causes: tuple[str, ...] = ()


def rule(lines: tuple[AcceptanceLine, ...], answers: Mapping[str, str]) -> Verdict:
    """Apply an agency's rule; when no line holds, a person at the agency decides."""
    line = next((line for line in lines if line.holds(answers)), None)
    if line is None:
        return Verdict(Ruling.REVIEW)
    if line.ruling is not Ruling.REFUSE:
        return Verdict(line.ruling)
    return Verdict(Ruling.REFUSE, line.refusal_reason, tuple(question for question, _ in line.when))
