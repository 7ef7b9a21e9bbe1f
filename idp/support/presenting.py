"""The content of the pages of the desk, in words: values only, no decision."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from ..accounts.sessions.domain.sign_ins import PersonView
from ..enrollment.domain.rules import AssessmentReason, FileRefusalReason
from ..enrollment.domain.states import State
from ..enrollment.review_services import FileSummary, ReviewFile
from ..enrollment.words import BASES_SHORT, DOCUMENTS, EVENTS, REASONS, REFUSALS, STATE_COLOURS, STATES
from ..i18n import gettext as _
from ..i18n import long_date, long_datetime
from .comparison import ComparedFact, compare, is_unavailable
from .roles import OperatorView
from .words import MATCH_COLOURS, MATCHES, SUBJECTS, answered, declared


@dataclass(frozen=True, slots=True)
class Tag:
    """A word with a colour, which never conveys meaning alone."""

    text: str
    colour: str | None = None


@dataclass(frozen=True, slots=True)
class QueueLine:
    """One file of the queue."""

    id: str
    number: str
    enterprise: str
    neq: str
    representative: str
    since: str
    due: str
    tags: tuple[Tag, ...]


@dataclass(frozen=True, slots=True)
class ComparisonRow:
    """One line of the comparison, in words."""

    subject: str
    declared: str
    answered: str
    match: Tag


@dataclass(frozen=True, slots=True)
class FilePage:
    """One file, in words."""

    id: str
    number: str
    enterprise: str
    state: Tag
    reasons: tuple[str, ...]
    comparison: tuple[ComparisonRow, ...]
    facts: tuple[dict[str, str], ...]
    nominees: tuple[tuple[str, str, str], ...]
    documents: tuple[dict[str, str], ...]
    timeline: tuple[dict[str, str], ...]
    proposal: str
    is_own_proposal: bool
    note: str
    contested_because: str
    refusal: str
    needs_second_operator: bool
    already_enrolled: bool
    is_unavailable: bool
    is_under_review: bool


def queue_line(file: FileSummary, operator: OperatorView, people: Mapping[str, PersonView], now: datetime) -> QueueLine:
    """Return one file of the queue, in words."""
    return QueueLine(
        id=file.id,
        number=file.number,
        enterprise=file.enterprise_name or str(_("Name not known")),
        neq=str(file.neq) if file.neq else "–",
        representative=file.representative_name,
        since=long_date(file.since),
        due="–" if file.awaits_document else long_date(file.due_at),
        tags=tuple(_queue_tags(file, operator, now)),
    )


def _queue_tags(file: FileSummary, operator: OperatorView, now: datetime) -> Iterable[Tag]:
    if file.awaits_document:
        yield Tag(str(_("Waits for a document")), "grey")
    elif file.proposed_by == operator.person_id:
        yield Tag(str(_("Proposed by you")), "grey")
    elif file.proposed_by:
        yield Tag(str(_("Second approval")), "purple")
    else:
        yield Tag(str(_("To decide")), None)
    if file.contested:
        yield Tag(str(_("Contested")), "orange")
    if file.due_at < now and not file.awaits_document:
        yield Tag(str(_("Late")), "red")


def file_page(review: ReviewFile, operator: OperatorView, people: Mapping[str, PersonView], now: datetime) -> FilePage:
    """Return one file, in words."""
    file, summary = review.file, review.summary
    proposer = people.get(summary.proposed_by or "")
    return FilePage(
        id=file.id,
        number=file.number,
        enterprise=file.enterprise_name or str(_("Name not known")),
        state=Tag(str(STATES[file.state]), STATE_COLOURS.get(file.state)),
        reasons=tuple(str(REASONS[AssessmentReason(reason)]) for reason in summary.reasons),
        comparison=tuple(_compared(line) for line in compare(review)),
        facts=tuple(_facts(review)),
        nominees=tuple((nominee.name, nominee.email, nominee.phone or "–") for nominee in file.nominees),
        documents=tuple(_documents(review)),
        timeline=tuple(
            {"when": long_datetime(entry.at), "title": str(EVENTS.get(entry.event, entry.event))}
            for entry in review.timeline
        ),
        proposal=proposer.name if proposer else "",
        is_own_proposal=summary.proposed_by == operator.person_id,
        note=review.note or "",
        contested_because=review.contested_because or "",
        refusal=str(REFUSALS[FileRefusalReason(file.refusal_reason)]) if file.refusal_reason else "",
        needs_second_operator=review.needs_second_operator,
        already_enrolled=review.already_enrolled,
        is_unavailable=is_unavailable(review),
        is_under_review=file.state is State.UNDER_REVIEW,
    )


def _compared(line: ComparedFact) -> ComparisonRow:
    match = Tag(str(MATCHES[line.match]), MATCH_COLOURS[line.match])
    return ComparisonRow(str(SUBJECTS[line.subject]), declared(line), answered(line), match)


def _facts(review: ReviewFile) -> Iterable[dict[str, str]]:
    file = review.file
    confirmed = _("%(email)s, confirmed", email=file.email) if file.email_confirmed else file.email
    basis = next((str(label) for key, label in BASES_SHORT.items() if key == file.basis), "–")
    yield {"key": str(_("Québec enterprise number (NEQ)")), "value": str(file.neq) if file.neq else "–"}
    yield {"key": str(_("Authority to represent")), "value": basis}
    yield {"key": str(_("E-mail")), "value": str(confirmed or "–")}
    yield {"key": str(_("Telephone")), "value": file.phone or "–"}
    if file.submitted_at:
        yield {"key": str(_("Submitted on")), "value": long_datetime(file.submitted_at)}
    if file.letter:
        yield {"key": str(_("Letters sent")), "value": str(file.letter.mailings)}


def _documents(review: ReviewFile) -> Iterable[dict[str, str]]:
    for document in review.evidence:
        yield {
            "id": "" if document.wiped else document.id,
            "kind": str(DOCUMENTS[document.kind]),
            "name": document.file_name,
            "size": str(_("%(size)s kB", size=max(1, round(document.size / 1024)))),
            "received": long_datetime(document.received_at),
        }
