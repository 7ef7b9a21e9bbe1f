"""The forms of a subscription: the agency's own questions, then consent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from wtforms import BooleanField, EmailField, Field, RadioField, SelectMultipleField, StringField, TelField
from wtforms.validators import InputRequired
from wtforms.widgets import CheckboxInput, ListWidget

from ...http.web_forms import DatePartsField, MandatForm
from ...i18n import gettext as _
from ...i18n import lazy_gettext as _l
from ..catalogue.domain.catalogue import Agency
from ..catalogue.domain.questionnaire import TICKED, Checked, Question, QuestionKind, check
from ..presenting import text
from .domain.changes import Content, difference
from .words import FAULTS


class ConsentForm(MandatForm):
    """The last box before a subscription is sent."""

    consent = BooleanField(
        _l("I have read this text and I consent"), validators=[InputRequired(_l("Consent is needed to subscribe"))]
    )


class ChangeForm(MandatForm):
    """The confirmation of a change; what it asks depends on what changes."""

    extends = RadioField(
        _l("People with unrestricted access"),
        choices=[
            ("no", _l("They keep what they have now: their access becomes restricted to those blocks")),
            ("yes", _l("They get the added blocks too")),
        ],
        validate_choice=False,
    )
    consent = BooleanField(_l("I have read this text and I consent"))

    def fits(self, asks_extends: bool, asks_consent: bool) -> bool:
        """Put an error beside what is asked and was not answered; return whether there is none."""
        self.validate()
        if asks_extends and self.extends.data not in ("yes", "no"):
            self.extends.errors = [_("Choose what people with unrestricted access get")]
        if asks_consent and not self.consent.data:
            self.consent.errors = [_("Consent is needed to change the subscription")]
        return not self.errors


class WithdrawalForm(MandatForm):
    """The one box that stands between a click and the end of every person's access."""

    sure = BooleanField(
        _l("I understand that all access at this agency ends now"),
        validators=[InputRequired(_l("Tick the box to confirm the withdrawal"))],
    )


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """A question as the page shows it; *under* holds, by answer, what is said and asked once that answer is chosen."""

    question: Question
    field: Any
    under: Mapping[str, Under]
    hints: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Under:
    """What stands under one answer: a caution, and the questions it leads to."""

    cautions: tuple[str, ...]
    questions: tuple[AskedQuestion, ...]


def name_of(question: Question) -> str:
    """Return the name of a question's field; it never collides with those of the form itself."""
    return f"q-{question.id}"


def questions_form(agency: Agency, *, answers: Mapping[str, str], blocks: tuple[str, ...]) -> Any:
    """Return the form of an agency's questions, showing what was answered before."""
    questions = agency.questionnaire.questions
    fields = {name_of(question): _field(question, agency) for question in questions}
    shown = {name_of(question): _shown(question, answers, blocks) for question in questions}
    form_class = type("QuestionsForm", (MandatForm,), fields)
    return form_class(data=shown)


def read(form: Any, agency: Agency) -> Checked:
    """Check what was sent; every fault is put beside its field."""
    typed: dict[str, str] = {}
    blocks: tuple[str, ...] = ()
    for question in agency.questionnaire.questions:
        data = form[name_of(question)].data
        if question.kind is QuestionKind.BLOCKS:
            blocks = tuple(str(code) for code in data or ())
        elif question.kind is QuestionKind.CHECKBOX:
            typed[question.id] = TICKED if data else ""
        else:
            typed[question.id] = data.isoformat() if isinstance(data, date) else str(data or "")
    checked = check(agency.questionnaire, typed, blocks, offered=agency.offered)
    for question in agency.questionnaire.questions:
        field = form[name_of(question)]
        fault = checked.faults.get(question.id)
        if fault is None:
            field.errors = []
        elif not field.errors:
            field.errors = [_sentence(question, fault)]
    return checked


def still_fits(agency: Agency, answers: Mapping[str, str], blocks: tuple[str, ...]) -> bool:
    """Return whether answers given a while ago still fit: the agency may have changed its questions."""
    return bool(check(agency.questionnaire, answers, blocks, offered=agency.offered))


def tree(form: Any, agency: Agency) -> tuple[AskedQuestion, ...]:
    """Return the questions in order, those that hang on an answer under that answer."""
    questions = agency.questionnaire.questions
    choices = {question.id for question in questions if question.kind is QuestionKind.CHOICE}
    top = [question for question in questions if not question.show_if or question.show_if[-1][0] not in choices]
    return tuple(_asked(question, questions, form, agency) for question in top)


def answers_in_words(agency: Agency, answers: Mapping[str, str], blocks: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return each question asked with its answer, as the check page and the agency's officer read them."""
    rows = []
    for question in agency.questionnaire.asked(answers):
        if question.kind is QuestionKind.BLOCKS:
            known = [block for block in agency.blocks if block.code in blocks]
            rows.append((text(question.label), "\n".join(f"{block.code} {text(block.label)}" for block in known)))
        else:
            rows.append((text(question.label), _in_words(question, answers.get(question.id, ""))))
    return rows


def answers_compared(agency: Agency, before: Content, after: Content) -> list[tuple[str, str, str]]:
    """Return each question answered otherwise, with both answers."""
    rows = []
    for id in difference(before, after).answers:
        question = agency.questionnaire.question(id)
        label = text(question.label) if question else _("A question the agency no longer asks")
        both = [content.answers.get(id, "") for content in (before, after)]
        rows.append((label, *(_in_words(question, answer) if question and answer else answer for answer in both)))
    return [(label, former or "–", new or "–") for label, former, new in rows]


def blocks_compared(before: tuple[str, ...], after: tuple[str, ...]) -> list[tuple[str, bool, bool]]:
    """Return every code before or after a change, with whether it is there before, and after."""
    return [(code, code in before, code in after) for code in sorted({*before, *after})]


def contents_compared(
    agency: Agency, wanted: Content, there: Content, waiting: Content | None
) -> list[tuple[str, ...]]:
    """Return blocks and answers that differ anywhere: what was wanted, what counts now, and what waits for the agency."""
    contents = (wanted, there, waiting or there)
    rows: list[tuple[str, ...]] = [
        (_("Functional blocks"), *(", ".join(content.blocks) or "–" for content in contents))
    ]
    for question in agency.questionnaire.questions:
        answers = [content.answers.get(question.id, "") for content in contents]
        if len(set(answers)) > 1:
            rows.append((text(question.label), *(_in_words(question, answer) if answer else "–" for answer in answers)))
    return rows


def _in_words(question: Question, answer: str) -> str:
    if question.kind is QuestionKind.CHOICE:
        return next((text(choice.label) for choice in question.choices if choice.value == answer), answer)
    if question.kind is QuestionKind.CHECKBOX:
        return _("Yes") if answer else _("No")
    return answer


def _asked(question: Question, all_of_them: tuple[Question, ...], form: Any, agency: Agency) -> AskedQuestion:
    under = {}
    for choice in question.choices:
        cautions = tuple(text(caution.text) for caution in question.cautions if caution.value == choice.value)
        leads_to = [
            other for other in all_of_them if other.show_if and other.show_if[-1] == (question.id, choice.value)
        ]
        asked = tuple(_asked(other, all_of_them, form, agency) for other in leads_to)
        if cautions or asked:
            under[choice.value] = Under(cautions, asked)
    hints = {}
    if question.kind is QuestionKind.BLOCKS:
        hints = {block.code: text(block.description) for block in agency.blocks if block.description}
    return AskedQuestion(question, form[name_of(question)], under, hints)


def _shown(question: Question, answers: Mapping[str, str], blocks: tuple[str, ...]) -> object:
    if question.kind is QuestionKind.BLOCKS:
        return list(blocks)
    answer = answers.get(question.id)
    if question.kind is QuestionKind.DATE and answer:
        return _day(answer)
    return answer == TICKED if question.kind is QuestionKind.CHECKBOX else answer


def _field(question: Question, agency: Agency) -> Field:
    common = {"label": text(question.label), "description": text(question.help) if question.help else ""}
    match question.kind:
        case QuestionKind.CHOICE:
            choices = [(choice.value, text(choice.label)) for choice in question.choices]
            return RadioField(choices=choices, validate_choice=False, **common)
        case QuestionKind.BLOCKS:
            offered = [(b.code, f"{b.code} – {text(b.label)}") for b in agency.blocks if not b.retired]
            return SelectMultipleField(
                choices=offered,
                validate_choice=False,
                widget=ListWidget(prefix_label=False),
                option_widget=CheckboxInput(),
                **common,
            )
        case QuestionKind.CHECKBOX:
            return BooleanField(**common)
        case QuestionKind.DATE:
            return DatePartsField(**common)
        case QuestionKind.EMAIL:
            return EmailField(**common)
        case QuestionKind.PHONE:
            return TelField(**common)
        case _:
            return StringField(**common)


def _sentence(question: Question, fault: Any) -> str:
    if question.kind is QuestionKind.BLOCKS and fault == "missing":
        return _("Choose at least one block.")
    if question.kind is QuestionKind.CHECKBOX:
        return _("Tick this box to go on")
    return str(FAULTS[fault])


def _day(answer: str) -> date | None:
    """Read a day that was answered; the question may have been of another kind then."""
    try:
        return date.fromisoformat(answer)
    except ValueError:
        return None
