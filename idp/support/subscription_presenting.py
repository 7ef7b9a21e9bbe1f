"""What the officer's pages show, in words: values only, no decision."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from ..delegation import enterprise_services
from ..delegation.catalogue import Agency
from ..delegation.questionnaire import LocalizedText, Question, QuestionKind
from ..delegation.subscription_services import Awaiting, SubscriptionView
from ..i18n import current_language, long_date, long_datetime, show_neq
from ..i18n import gettext as _


@dataclass(frozen=True, slots=True)
class SubscriptionLine:
    """One subscription of the queue."""

    id: str
    enterprise: str
    neq: str
    since: str


@dataclass(frozen=True, slots=True)
class SubscriptionPage:
    """One subscription: who asks, what was answered, which blocks."""

    id: str
    enterprise: str
    facts: tuple[dict[str, str], ...]
    answers: tuple[dict[str, str], ...]
    blocks: tuple[tuple[str, str], ...]


def said(text: LocalizedText) -> str:
    """Return an agency's text in the language of the page."""
    return text.en if current_language() == "en" else text.fr


def line(waiting: Awaiting) -> SubscriptionLine:
    """Return one subscription of the queue, in words."""
    found = waiting.subscription
    return SubscriptionLine(found.id, waiting.enterprise_name, show_neq(waiting.neq), long_datetime(found.requested_at))


def page(found: SubscriptionView, agency: Agency) -> SubscriptionPage:
    """Return one subscription, in words."""
    enterprise = enterprise_services.enterprise(found.enterprise_id)
    facts = (
        {"key": str(_("Agency")), "value": said(agency.name)},
        {"key": str(_("Québec enterprise number (NEQ)")), "value": show_neq(enterprise.neq)},
        {"key": str(_("Requested on")), "value": long_datetime(found.requested_at)},
        {"key": str(_("Consent given to the text of version")), "value": found.consent_version},
    )
    questions = agency.questionnaire.asked(found.answers)
    return SubscriptionPage(
        id=found.id,
        enterprise=enterprise.name,
        facts=facts,
        answers=tuple(
            {"key": said(question.label), "value": _answer(question, found.answers.get(question.id, ""))}
            for question in questions
            if question.kind is not QuestionKind.BLOCKS
        ),
        blocks=tuple((code, _block(agency, code)) for code in found.blocks),
    )


def _answer(question: Question, value: str) -> str:
    chosen = next((said(choice.label) for choice in question.choices if choice.value == value), value)
    if question.kind is QuestionKind.CHECKBOX and value:
        return str(_("Yes"))
    if question.kind is QuestionKind.DATE and value:
        return long_date(date.fromisoformat(value))
    return chosen or "–"


def _block(agency: Agency, code: str) -> str:
    block = agency.block(code)
    return said(block.label) if block else "–"
