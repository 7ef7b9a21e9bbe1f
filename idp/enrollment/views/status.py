"""The state of a file, in a sentence, with who acts next and by when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ...i18n import gettext as _
from ...i18n import long_date, long_datetime
from .. import words
from ..domain.files import FileView, TimelineEntry
from ..domain.states import ENDED, LATE_AFTER, State, operator_due


@dataclass(frozen=True, slots=True)
class FileStatus:
    """The first sentence of a file's page; ``next_actor`` and ``until`` are empty when no action is expected."""

    sentence: str
    next_actor: str = ""
    until: str = ""


def file_status(file: FileView, now: datetime) -> FileStatus:
    """Return the standing of *file*."""
    until = long_date(file.deadline_at) if file.deadline_at else ""
    if file.state is State.SUBMITTED:
        late = now - file.state_since > LATE_AFTER
        slow = _("A verification service does not answer for now. Your file is kept; we try again by ourselves.")
        soon = _("We are checking your file with the enterprise register and the tax agency.")
        return FileStatus(slow if late else soon, _("Mandat, by itself"), _("within the hour") if not late else "")
    if file.state is State.CODE_MAILED:
        sentence = _("A letter with a code is on its way to the address the tax agency has for your enterprise.")
        return FileStatus(sentence, _("You: enter the code of the letter"), until)
    if file.state is State.UNDER_REVIEW:
        due = long_date(operator_due(file.state_since))
        if file.document_wanted:
            sentence = _("An operator has to read a document that proves you may represent the enterprise.")
            return FileStatus(sentence, _("You: provide the document"), until)
        return FileStatus(_("An operator is reading your file."), _("An operator of Mandat"), due)
    if file.state is State.VERIFIED:
        if file.representative_id is None:
            return FileStatus(_("Your identity is verified."), _("You: create your account"), until)
        return FileStatus(_("Your identity is verified and the enterprise is registered."), _("You: collect the slips"))
    sentences = {
        State.DRAFT: _("The file is being filled in."),
        State.ACTIVE: _("The enterprise is active. The persons in charge can sign in."),
        State.SUSPENDED: _("The enterprise is suspended. Call us."),
        State.REFUSED: _("The file is refused."),
        State.EXPIRED: _("Nobody acted in time: the file has expired."),
        State.WITHDRAWN: _("You withdrew the file."),
        State.DEACTIVATED: _("The enterprise’s registration is closed."),
    }
    return FileStatus(sentences[file.state])


def timeline_items(entries: tuple[TimelineEntry, ...]) -> list[dict[str, str]]:
    """Return the timeline in the form that the page displays."""
    labels = {str(event): label for event, label in words.EVENTS.items()}
    return [{"when": long_datetime(entry.at), "title": str(labels.get(entry.event, entry.event))} for entry in entries]


def may_withdraw(file: FileView) -> bool:
    """Return whether the representative may still withdraw the file."""
    return file.state not in ENDED and file.enterprise_id is None and file.state is not State.ACTIVE
