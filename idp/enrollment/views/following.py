"""The page of a submitted file and its representative's actions: code, letter, document, withdrawal, contest."""

from __future__ import annotations

from datetime import date

from flask import flash, render_template
from flask.typing import ResponseReturnValue

from ...accounts import services as accounts
from ...http.limits import FORMS, limiter
from ...http.request_bodies import takes_files
from ...http.web import now, see_other
from ...i18n import gettext as _
from ...i18n import long_date, ngettext
from .. import evidence_services, mailed_code_services, services, words
from ..domain.documents import DocumentKind
from ..domain.files import FileView
from ..domain.rules import FileRefusalReason
from ..domain.states import State
from ..errors import FileNotEditableError
from ..forms import ContestForm, DocumentForm, EmptyForm, MailedCodeForm
from ..mailed_code_services import MAILINGS, CodeAnswer, LetterAnswer
from .blueprint import current_file, file_page, pages, release
from .status import file_status, may_withdraw, timeline_items


@pages.get("/file")
def file() -> ResponseReturnValue:
    """Show the state of the file, who acts next and by when, and what happened."""
    current = current_file()
    if current.state is State.DRAFT:
        return see_other("/enrol/tasks")
    codes = [nominee.user_code.signs for nominee in current.nominees if nominee.user_code]
    if current.representative_code is not None:
        codes.append(current.representative_code.signs)
    return render_template(
        "enrollment/file.html",
        file=current,
        standing=file_status(current, now()),
        tag=str(words.STATES[current.state]),
        tag_colour=words.STATE_COLOURS.get(current.state),
        events=timeline_items(services.timeline(current.id)),
        statuses=accounts.user_codes(codes, now=now()),
        documents=evidence_services.listed(current.id),
        document_words=words.DOCUMENTS,
        refusal=refusal_sentence(current),
        refused_since=refused_since(current),
        register_words={str(status): str(label) for status, label in words.REGISTER_STATUSES.items()},
        may_withdraw=may_withdraw(current),
        form=EmptyForm(),
    )


def refusal_sentence(current: FileView) -> str:
    """Return why the file is refused, or an empty text."""
    return str(words.REFUSALS[FileRefusalReason(current.refusal_reason)]) if current.refusal_reason else ""


def refused_since(current: FileView) -> str:
    """Return the date, in full, of the status that caused the refusal, or an empty text."""
    day = current.public_facts.get("status_date")
    return long_date(date.fromisoformat(day)) if day else ""


@pages.route("/file/code", methods=["GET", "POST"])
@limiter.limit(FORMS, methods=["POST"])
@file_page
def mailed_code(file: FileView) -> ResponseReturnValue:
    """Ask for the code of the letter."""
    if file.state is not State.CODE_MAILED or file.letter is None:
        return see_other("/enrol/file")
    form = MailedCodeForm()
    letter = file.letter
    if form.validate_on_submit():
        answer = mailed_code_services.enter(file.id, form.code.data, now=now())
        if answer in (CodeAnswer.ACCEPTED, CodeAnswer.EXHAUSTED):
            return see_other("/enrol/file")
        left = max(0, letter.tries_left - 1) if answer is CodeAnswer.WRONG else letter.tries_left
        form.code.errors = [_code_refusal(answer, left)]
    return render_template(
        "enrollment/mailed_code.html", form=form, file=file, letter=letter, more=letter.mailings < MAILINGS
    )


def _code_refusal(answer: CodeAnswer, left: int) -> str:
    if answer is CodeAnswer.WRONG:
        sentence = ngettext(
            "This is not the code of the latest letter. %(num)s try is left.",
            "This is not the code of the latest letter. %(num)s tries are left.",
            left,
        )
        return str(sentence)
    return str(_("This code no longer works. Ask for another letter."))


@pages.post("/file/letter")
@limiter.limit(FORMS)
@file_page
def another_letter(file: FileView) -> ResponseReturnValue:
    """Order another letter, which revokes the code of the previous one."""
    sentences = {
        LetterAnswer.ORDERED: _("Another letter is on its way. The code of the previous one no longer works."),
        LetterAnswer.NO_MORE: _("Three letters were sent already. You can provide a document instead."),
        LetterAnswer.UNAVAILABLE: _("The tax agency does not answer for now. Try again later."),
        LetterAnswer.REFERRED: _("The address on file is no longer good. An operator takes over."),
    }
    flash(sentences[mailed_code_services.order_again(file.id, now=now())], "info")
    return see_other("/enrol/file")


@pages.route("/file/document", methods=["GET", "POST"])
@takes_files
@limiter.limit(FORMS, methods=["POST"])
@file_page
def document(file: FileView) -> ResponseReturnValue:
    """Receive a document that proves the mandate or the office."""
    if file.state not in (State.UNDER_REVIEW, State.CODE_MAILED):
        return see_other("/enrol/file")
    form = DocumentForm()
    if form.validate_on_submit():
        name = form.document.data.filename or ""
        kind = DocumentKind(form.kind.data)
        evidence_services.receive(file.id, kind=kind, name=name, content=form.content, now=now())
        flash(_("The document is received. An operator will read it."), "success")
        return see_other("/enrol/file")
    return render_template("enrollment/document.html", form=form, file=file)


@pages.route("/file/withdraw", methods=["GET", "POST"])
def withdraw() -> ResponseReturnValue:
    """Withdraw the file, once confirmed."""
    file = current_file()
    if not may_withdraw(file):
        return see_other("/enrol/file")
    form = EmptyForm()
    if form.validate_on_submit():
        services.withdraw(file.id, now=now())
        if file.submitted_at is None:
            release()
            flash(_("Your draft is withdrawn."), "success")
            return see_other("/enrol")
        return see_other("/enrol/file")
    return render_template("enrollment/withdraw.html", form=form, file=file)


@pages.route("/file/contest", methods=["GET", "POST"])
@limiter.limit(FORMS, methods=["POST"])
@file_page
def contest(file: FileView) -> ResponseReturnValue:
    """Contest a refusal."""
    if file.state is not State.REFUSED:
        return see_other("/enrol/file")
    form = ContestForm()
    if form.validate_on_submit():
        services.contest(file.id, form.because.data, now=now())
        return see_other("/enrol/file")
    return render_template("enrollment/contest.html", form=form, file=file)


@pages.post("/file/new")
@file_page
def another_file(file: FileView) -> ResponseReturnValue:
    """Leave a file that has ended, to begin another one."""
    if file.state not in (State.REFUSED, State.EXPIRED, State.WITHDRAWN):
        raise FileNotEditableError(file.id)
    release()
    return see_other("/enrol")
