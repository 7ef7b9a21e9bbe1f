"""What an agency asks of an enterprise that subscribes, as data, and whether answers fit (domain.md §4.4).

A question is shown when its condition holds; what was answered to a question that is not shown does not count.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from .... import names
from ....addresses import InvalidAddressError, parse

LONGEST_ANSWER = 200
TICKED = "yes"  # the answer of a ticked checkbox

_PHONE = re.compile(r"\+?[0-9][0-9 ().\-\u00a0]{5,24}(?:(?:poste|ext\.?|x) ?[0-9]{1,6})?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class LocalizedText:
    """A text of an agency, in both languages."""

    fr: str
    en: str

    def in_language(self, language: str) -> str:
        """Return the text in *language*: French unless English is asked."""
        return self.en if language == "en" else self.fr


class QuestionKind(StrEnum):
    """How a question is answered."""

    CHOICE = "choice"
    TEXT = "text"
    DATE = "date"
    EMAIL = "email"
    PHONE = "phone"
    BLOCKS = "blocks"
    CHECKBOX = "checkbox"


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer to choose."""

    value: str
    label: LocalizedText


@dataclass(frozen=True, slots=True)
class Caution:
    """What an answer leads to, said beside the question before it is given."""

    value: str
    text: LocalizedText


@dataclass(frozen=True, slots=True)
class Question:
    """One question; *show_if* pairs questions with the answers that make this one appear."""

    id: str
    kind: QuestionKind
    label: LocalizedText
    help: LocalizedText | None = None
    choices: tuple[Choice, ...] = ()
    required: bool = True
    pattern: str | None = None
    show_if: tuple[tuple[str, str], ...] = ()
    cautions: tuple[Caution, ...] = ()

    def is_shown(self, answers: Mapping[str, str]) -> bool:
        """Return whether the question is asked, given the answers before it."""
        return all(answers.get(question) == value for question, value in self.show_if)


@dataclass(frozen=True, slots=True)
class ConsentText:
    """What the PES agrees to; the version and the digest are kept with the subscription."""

    version: str
    text: LocalizedText

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the version and both texts, in hexadecimal."""
        return hashlib.sha256(f"{self.version}\0{self.text.fr}\0{self.text.en}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Questionnaire:
    """The questions of an agency, in the order they are asked."""

    version: str
    questions: tuple[Question, ...]
    consent: ConsentText

    def question(self, question_id: str) -> Question | None:
        """Return the question with this id."""
        return next((question for question in self.questions if question.id == question_id), None)

    def asked(self, answers: Mapping[str, str]) -> tuple[Question, ...]:
        """Return the questions that are shown with these answers; a hidden one hides those that hang on it."""
        seen: dict[str, str] = {}
        shown = []
        for question in self.questions:
            if question.is_shown(seen):
                shown.append(question)
                if question.id in answers:
                    seen[question.id] = answers[question.id]
        return tuple(shown)


class AnswerFault(StrEnum):
    """Why an answer does not fit."""

    MISSING = "missing"
    NOT_A_CHOICE = "not_a_choice"
    PATTERN = "pattern"
    TOO_LONG = "too_long"
    EMAIL = "email"
    PHONE = "phone"
    DATE = "date"
    UNKNOWN_BLOCK = "unknown_block"


@dataclass(frozen=True, slots=True)
class Checked:
    """Answers that were looked at: what counts, and every fault by question; truthy when there is none."""

    answers: dict[str, str]
    blocks: tuple[str, ...]
    faults: dict[str, AnswerFault]

    def __bool__(self) -> bool:
        return not self.faults


def check(
    questionnaire: Questionnaire, answers: Mapping[str, str], blocks: Iterable[str], *, offered: frozenset[str]
) -> Checked:
    """Look at *answers* and *blocks*; *offered* holds the codes that may be chosen."""
    wanted = tuple(sorted(set(blocks)))
    given = {id: names.readable(str(value)) for id, value in answers.items()}
    shown = questionnaire.asked(given)
    faults = dict(_faults(shown, given, wanted, offered))
    kept = {question.id: _as_kept(question, given[question.id]) for question in shown if given.get(question.id)}
    return Checked(kept, wanted if any(q.kind is QuestionKind.BLOCKS for q in shown) else (), faults)


def _faults(
    shown: Iterable[Question], given: Mapping[str, str], blocks: tuple[str, ...], offered: frozenset[str]
) -> Iterator[tuple[str, AnswerFault]]:
    for question in shown:
        if question.kind is QuestionKind.BLOCKS:
            fault = _blocks_fault(question, blocks, offered)
        else:
            fault = _fault(question, given.get(question.id, ""))
        if fault is not None:
            yield question.id, fault


def _blocks_fault(question: Question, blocks: tuple[str, ...], offered: frozenset[str]) -> AnswerFault | None:
    if not blocks:
        return AnswerFault.MISSING if question.required else None
    return None if offered.issuperset(blocks) else AnswerFault.UNKNOWN_BLOCK


def _fault(question: Question, value: str) -> AnswerFault | None:
    if not value:
        return AnswerFault.MISSING if question.required else None
    if len(value) > LONGEST_ANSWER:
        return AnswerFault.TOO_LONG
    match question.kind:
        case QuestionKind.CHOICE:
            fits, fault = value in {choice.value for choice in question.choices}, AnswerFault.NOT_A_CHOICE
        case QuestionKind.CHECKBOX:
            fits, fault = value == TICKED, AnswerFault.NOT_A_CHOICE
        case QuestionKind.EMAIL:
            fits, fault = _is_email(value), AnswerFault.EMAIL
        case QuestionKind.PHONE:
            fits, fault = _PHONE.fullmatch(value) is not None, AnswerFault.PHONE
        case QuestionKind.DATE:
            fits, fault = _is_date(value), AnswerFault.DATE
        case _:
            fits, fault = (
                question.pattern is None or re.fullmatch(question.pattern, value) is not None,
                AnswerFault.PATTERN,
            )
    return None if fits else fault


def _as_kept(question: Question, value: str) -> str:
    return _address(value) or value if question.kind is QuestionKind.EMAIL else value


def _is_email(value: str) -> bool:
    return _address(value) is not None


def _address(value: str) -> str | None:
    """Return the address in *value* as it travels, or None; whether the agency has SMTPUTF8 is not known."""
    try:
        return parse(value, smtp_utf8=False)
    except InvalidAddressError:
        return None


def _is_date(value: str) -> bool:
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True
