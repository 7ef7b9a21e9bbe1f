"""The content of the officer's pages, in words: values only, no decision."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import date

from ..delegation import enterprise_services
from ..delegation.catalogue.domain.catalogue import Agency
from ..delegation.catalogue.domain.questionnaire import LocalizedText, Question, QuestionKind
from ..delegation.subscriptions.change_services import ChangeView
from ..delegation.subscriptions.domain.states import SubscriptionState
from ..delegation.subscriptions.subscription_services import Awaiting, SubscriptionView
from ..i18n import current_language, long_date, long_datetime, show_neq
from ..i18n import gettext as _
from ..identifiers import with_neq


@dataclass(frozen=True, slots=True)
class SubscriptionLine:
    """One subscription of the queue, or one change of a subscription."""

    id: str
    enterprise: str
    neq: str
    kind: str
    since: str


@dataclass(frozen=True, slots=True)
class SubscriptionPage:
    """One subscription: the enterprise, its answers, its blocks; for a change, its effect beside the current state."""

    id: str
    enterprise: str
    facts: tuple[dict[str, str], ...]
    answers: tuple[dict[str, str], ...]
    blocks: tuple[tuple[str, str], ...]
    is_change: bool = False
    changed_blocks: tuple[tuple[str, str, bool, bool], ...] = ()
    changed_answers: tuple[tuple[str, str, str], ...] = ()


def said(text: LocalizedText) -> str:
    """Return an agency's text in the language of the page."""
    return text.en if current_language() == "en" else text.fr


def line(waiting: Awaiting) -> SubscriptionLine:
    """Return one subscription of the queue, in words."""
    found = waiting.subscription
    kind = _("Change of a subscription") if found.state is SubscriptionState.CHANGING else _("Subscription")
    neq, since = show_neq(waiting.neq), long_datetime(waiting.since)
    return SubscriptionLine(found.id, waiting.enterprise_name, neq, str(kind), since)


def page(found: SubscriptionView, agency: Agency, change: ChangeView | None = None) -> SubscriptionPage:
    """Return one subscription, in words, with its pending *change*."""
    enterprise = enterprise_services.enterprise(found.enterprise_id)
    asked_at, consent = found.requested_at, found.consent_version
    if change is not None:
        asked_at, consent = change.asked_at, change.consent_version or consent
    facts = (
        {"key": str(_("Agency")), "value": said(agency.name)},
        {"key": str(_("Québec enterprise number (NEQ)")), "value": show_neq(enterprise.neq)},
        {"key": str(_("Requested on")), "value": long_datetime(asked_at)},
        {"key": str(_("Consent given to the text of version")), "value": consent},
    )
    questions = agency.questionnaire.asked(found.answers)
    return SubscriptionPage(
        id=found.id,
        enterprise=with_neq(enterprise.name, enterprise.neq),
        facts=facts,
        answers=tuple(
            {"key": said(question.label), "value": _answer(question, found.answers.get(question.id, ""))}
            for question in questions
            if question.kind is not QuestionKind.BLOCKS
        ),
        blocks=tuple((code, _block(agency, code)) for code in found.blocks),
        is_change=change is not None,
        changed_blocks=_blocks(change, agency) if change else (),
        changed_answers=_answers(change, agency) if change else (),
    )


def _blocks(change: ChangeView, agency: Agency) -> tuple[tuple[str, str, bool, bool], ...]:
    before, after = frozenset(change.before.blocks), frozenset(change.after.blocks)
    return tuple((code, _block(agency, code), code in before, code in after) for code in sorted(before | after))


def _answers(change: ChangeView, agency: Agency) -> tuple[tuple[str, str, str], ...]:
    """Return every answer, current and proposed; a question without either is left out."""
    before, after = change.before.answers, change.after.answers
    return tuple(
        (
            said(question.label),
            _answer(question, before.get(question.id, "")),
            _answer(question, after.get(question.id, "")),
        )
        for question in agency.questionnaire.questions
        if question.id in {*before, *after}
    )


def _answer(question: Question, value: str) -> str:
    chosen = next((said(choice.label) for choice in question.choices if choice.value == value), value)
    if question.kind is QuestionKind.CHECKBOX and value:
        return str(_("Yes"))
    if question.kind is QuestionKind.DATE and value:
        with suppress(ValueError):  # the question may have had another kind when it was answered
            return long_date(date.fromisoformat(value))
    return chosen or "–"


def _block(agency: Agency, code: str) -> str:
    block = agency.block(code)
    return said(block.label) if block else "–"
