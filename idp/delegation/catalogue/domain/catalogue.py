"""An agency as it is published: its blocks, its questions, its rule; parsed once from a document, then trusted.

``parse`` turns a document (what YAML or JSON gives) into an :class:`Agency` or lists every mistake with its place. The
format is described in ``agencies/README.md``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

from ...subscriptions.domain.rules import AcceptanceLine, RefusalCause, Ruling
from .questionnaire import Caution, Choice, ConsentText, LocalizedText, Question, QuestionKind, Questionnaire
from .reading import CatalogueError as CatalogueError
from .reading import Mistake as Mistake
from .reading import Node

_ID = re.compile(r"[a-z][a-z0-9_]{1,31}")
_CODE = re.compile(r"[0-9A-Z]{3}")
_MOST_QUESTIONS = 30
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class FunctionalBlock:
    """One right an agency defines. ``checker_of`` names the block this one checks: one person should not hold both."""

    code: str
    label: LocalizedText
    description: LocalizedText | None = None
    sensitive: bool = False
    retired: bool = False
    checker_of: str | None = None


@dataclass(frozen=True, slots=True)
class Agency:
    """An agency of the catalogue."""

    id: str
    name: LocalizedText
    summary: LocalizedText | None
    sector: str
    locations: tuple[str, ...]
    catalogue_version: str
    blocks: tuple[FunctionalBlock, ...]
    questionnaire: Questionnaire
    acceptance: tuple[AcceptanceLine, ...]
    refusal_reasons: tuple[RefusalCause, ...]

    @property
    def consent(self) -> ConsentText:
        """Return what a PES agrees to when subscribing."""
        return self.questionnaire.consent

    @property
    def offered(self) -> frozenset[str]:
        """Return the codes that may be subscribed to: those not retired."""
        return frozenset(block.code for block in self.blocks if not block.retired)

    def block(self, code: str) -> FunctionalBlock | None:
        """Return the block with this code, retired or not."""
        return next((block for block in self.blocks if block.code == code), None)

    def refusal_reason(self, code: str | None) -> RefusalCause | None:
        """Return the reason with this code."""
        return next((reason for reason in self.refusal_reasons if reason.code == code), None)


def parse(document: object) -> Agency:
    """Read an agency from *document*.

    Raises:
        CatalogueError: with every mistake and its place.
    """
    mistakes: list[Mistake] = []
    root = Node(document, (), mistakes)
    root.only(
        [
            "agency",
            "name",
            "summary",
            "sector",
            "locations",
            "catalogue",
            "blocks",
            "questionnaire",
            "acceptance",
            "refusal_reasons",
        ]
    )
    blocks = _all_different(root.at("blocks"), [_block(node) for node in root.at("blocks").items()], "code")
    questionnaire = _questionnaire(root.at("questionnaire"))
    reasons = [_reason(node, questionnaire) for node in root.items_or_none("refusal_reasons")]
    agency = Agency(
        id=root.at("agency").matching(_ID, "two to 32 signs a–z, 0–9 or _, beginning with a letter"),
        name=_localized(root.at("name")),
        summary=_optional_text(root, "summary"),
        sector=_https(root.at("sector")),
        locations=tuple(_https(node) for node in root.at("locations").items()),
        catalogue_version=root.at("catalogue").text(),
        blocks=blocks,
        questionnaire=questionnaire,
        acceptance=_acceptance(root.at("acceptance"), questionnaire, {reason.code for reason in reasons}),
        refusal_reasons=_all_different(root.at("refusal_reasons"), reasons, "code"),
    )
    _check_blocks(root.at("blocks"), agency)
    if mistakes:
        raise CatalogueError(tuple(dict.fromkeys(mistakes)))
    return agency


def _all_different(node: Node, found: list[_T], key: str) -> tuple[_T, ...]:
    seen: set[str] = set()
    for place, value in enumerate(found):
        id = getattr(value, key)
        if id and id in seen:
            node.index(place).wrong(f"{id} is there twice")
        seen.add(id)
    return tuple(found)


def _check_blocks(node: Node, agency: Agency) -> None:
    codes = {block.code for block in agency.blocks}
    for place, block in enumerate(agency.blocks):
        if block.checker_of is not None and (block.checker_of not in codes or block.checker_of == block.code):
            node.index(place).wrong("checker_of must name another block of this agency", "checker_of")
    if agency.blocks and not agency.offered:
        node.wrong("at least one block must not be retired")


def _localized(node: Node) -> LocalizedText:
    node.only(["fr", "en"])
    return LocalizedText(node.at("fr").text(), node.at("en").text())


def _optional_text(node: Node, key: str) -> LocalizedText | None:
    return _localized(node.at(key)) if node.has(key) else None


def _https(node: Node) -> str:
    address = node.text()
    parts = urlsplit(address)
    loopback = parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1")
    if address and (not parts.hostname or parts.fragment or not (parts.scheme == "https" or loopback)):
        node.wrong("an https address without a fragment is needed")
    return address


def _block(node: Node) -> FunctionalBlock:
    node.only(["code", "label", "description", "sensitive", "retired", "checker_of"])
    return FunctionalBlock(
        code=node.at("code").matching(_CODE, "three characters 0–9 or A–Z, in quotes"),
        label=_localized(node.at("label")),
        description=_optional_text(node, "description"),
        sensitive=node.flag("sensitive", default=False),
        retired=node.flag("retired", default=False),
        checker_of=node.at("checker_of").matching(_CODE, "the code of a block, in quotes")
        if node.has("checker_of")
        else None,
    )


def _questionnaire(node: Node) -> Questionnaire:
    node.only(["version", "questions", "consent"])
    questions: list[Question] = []
    place = node.at("questions")
    for item in place.items():
        questions.append(_question(item, tuple(questions)))
    if len(questions) > _MOST_QUESTIONS:
        place.wrong(f"at most {_MOST_QUESTIONS} questions")
    kinds = [question.kind for question in questions]
    if questions and kinds.count(QuestionKind.BLOCKS) != 1:
        place.wrong("exactly one question must be of the type blocks")
    asked = _all_different(place, questions, "id")
    consent = node.at("consent")
    consent.only(["version", "fr", "en"])
    text = LocalizedText(consent.at("fr").text(), consent.at("en").text())
    return Questionnaire(node.at("version").text(), asked, ConsentText(consent.at("version").text(), text))


def _question(node: Node, before: tuple[Question, ...]) -> Question:
    node.only(["id", "type", "label", "help", "choices", "required", "pattern", "show_if", "warn_when", "default"])
    kind = node.at("type").one_of(QuestionKind, QuestionKind.TEXT)
    choices = tuple(_choice(item) for item in node.items_or_none("choices"))
    if (kind is QuestionKind.CHOICE) != (len(choices) >= 2):
        node.wrong("a choice, and only a choice, has two choices or more", "choices")
    if node.has("default"):
        node.wrong("nothing is answered in advance: the person decides", "default")
    if kind is QuestionKind.BLOCKS and node.has("show_if"):
        node.wrong("the blocks are always asked", "show_if")
    return Question(
        id=node.at("id").matching(_ID, "two to 32 signs a–z, 0–9 or _, beginning with a letter"),
        kind=kind,
        label=_localized(node.at("label")),
        help=_optional_text(node, "help"),
        choices=_all_different(node.at("choices"), list(choices), "value"),
        required=node.flag("required", default=True),
        pattern=_pattern(node, kind),
        show_if=_conditions(node.at("show_if"), before) if node.has("show_if") else (),
        cautions=tuple(_caution(item, choices) for item in node.items_or_none("warn_when")),
    )


def _choice(node: Node) -> Choice:
    node.only(["value", "fr", "en"])
    value = node.at("value").matching(_ID, 'a short word such as "no", in quotes')
    return Choice(value, LocalizedText(node.at("fr").text(), node.at("en").text()))


def _caution(node: Node, choices: tuple[Choice, ...]) -> Caution:
    node.only(["is", "fr", "en"])
    value = node.at("is").text()
    if value and value not in {choice.value for choice in choices}:
        node.wrong("not one of the choices of this question", "is")
    return Caution(value, LocalizedText(node.at("fr").text(), node.at("en").text()))


def _pattern(node: Node, kind: QuestionKind) -> str | None:
    if not node.has("pattern"):
        return None
    pattern = node.at("pattern").text()
    if kind is not QuestionKind.TEXT:
        node.wrong("only a text has a pattern", "pattern")
    try:
        re.compile(pattern)
    except re.error as error:
        node.wrong(f"not a regular expression: {error}", "pattern")
    return pattern


def _conditions(node: Node, before: tuple[Question, ...]) -> tuple[tuple[str, str], ...]:
    """Read ``{question: answer}``; only answers to choices and checkboxes asked before can be compared."""
    known: dict[str, set[str]] = {}
    for question in before:
        if question.kind is QuestionKind.CHOICE:
            known[question.id] = {choice.value for choice in question.choices}
        elif question.kind is QuestionKind.CHECKBOX:
            known[question.id] = {"yes"}
    pairs: Mapping[str, Any] = node.mapping()
    for question_id in pairs:
        if question_id not in known:
            node.wrong("no choice or checkbox with this id is asked before", question_id)
        elif node.at(question_id).text() not in known[question_id]:
            node.wrong("not one of the answers to this question", question_id)
    return tuple((str(question_id), str(value)) for question_id, value in pairs.items())


def _reason(node: Node, questionnaire: Questionnaire) -> RefusalCause:
    node.only(["code", "label", "question"])
    question = node.at("question").text() if node.has("question") else None
    if question is not None and questionnaire.question(question) is None:
        node.wrong("no such question", "question")
    code = node.at("code").matching(_ID, "two to 32 signs a–z, 0–9 or _, beginning with a letter")
    return RefusalCause(code, _localized(node.at("label")), question)


def _acceptance(node: Node, questionnaire: Questionnaire, reasons: set[str]) -> tuple[AcceptanceLine, ...]:
    if node.value in (Ruling.ACCEPT.value, Ruling.REVIEW.value):
        return (AcceptanceLine(Ruling(node.value)),)
    return tuple(_line(item, questionnaire, reasons) for item in node.items())


def _line(node: Node, questionnaire: Questionnaire, reasons: set[str]) -> AcceptanceLine:
    node.only(["when", "decision", "refusal_reason"])
    ruling = node.at("decision").one_of(Ruling, Ruling.REVIEW)
    reason = node.at("refusal_reason").text() if node.has("refusal_reason") else None
    if reason is not None and reason not in reasons:
        node.wrong("not one of the refusal_reasons", "refusal_reason")
    if ruling is Ruling.REFUSE and reason is None:
        node.wrong("a refusal needs its refusal_reason")
    when = _conditions(node.at("when"), questionnaire.questions) if node.has("when") else ()
    return AcceptanceLine(ruling, when, reason)
