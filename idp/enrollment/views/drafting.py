"""From "before you start" to "submit": one page per task, each saved once valid."""

from __future__ import annotations

from typing import Any

from flask import flash, render_template, request
from flask.typing import ResponseReturnValue

from ...connectors.enterprise_register import RegisterEntry
from ...http.limits import FORMS, limiter
from ...http.web import now, see_other
from ...i18n import current_language, long_date
from ...i18n import gettext as _
from ...identifiers import Neq
from .. import browser_services, email_code_services, services, words
from ..domain.files import FileView, Task, TaskState, missing, progress
from ..domain.positions import Basis, Position
from ..domain.rules import Unavailable, register_accepts
from ..domain.states import State
from ..domain.terms import TERMS_VERSION, sections
from ..email_code_services import CodeAnswer, CodePurpose
from ..errors import FileIncompleteError
from ..forms import CheckForm, CodeForm, EmptyForm, EnterpriseForm, RepresentativeForm, TaxNumberForm
from .blueprint import bound_file, device, draft_page, hold, pages

PATHS = {
    Task.ENTERPRISE: "/enrol/enterprise",
    Task.TAX_NUMBER: "/enrol/tax-number",
    Task.REPRESENTATIVE: "/enrol/representative",
    Task.PEOPLE: "/enrol/people",
    Task.CHECK: "/enrol/check",
}


@pages.get("")
def before_you_start() -> ResponseReturnValue:
    """Show what to prepare, who may enrol, and the next steps."""
    return render_template("enrollment/before.html", form=EmptyForm(), file=bound_file())


@pages.post("")
@limiter.limit(FORMS)
def start() -> ResponseReturnValue:
    """Open a draft, or continue the one this browser has."""
    file = bound_file()
    if file is None or file.state is not State.DRAFT:
        file_id = services.start(language=current_language(), now=now())
        hold(browser_services.begin(file_id, device=device(), now=now()))
    return see_other("/enrol/tasks")


@pages.get("/tasks")
@draft_page
def tasks(file: FileView) -> ResponseReturnValue:
    """Show the five tasks and the progress of each."""
    states = progress(file)
    items = [
        {
            "title": str(words.TASKS[task]),
            "href": None if state is TaskState.NOT_YET else PATHS[task],
            "status": str(words.TASK_STATES[state]),
            "status_colour": words.TASK_COLOURS[state],
        }
        for task, state in states.items()
    ]
    done = sum(state is TaskState.DONE for state in states.values())
    errors = correction_errors() if file.correction_asked else []
    return render_template("enrollment/tasks.html", file=file, items=items, done=done, errors=errors)


def correction_errors() -> list[dict[str, str]]:
    """Return the one message of a file sent back, linked to each field where the mistake may be."""
    return [
        {"text": disagreement(), "href": "/enrol/enterprise#neq"},
        {"text": _("Check the Revenu Québec number"), "href": "/enrol/tax-number#revenu_quebec_id"},
        {"text": _("Check your position and the notice of assessment"), "href": "/enrol/representative#position"},
    ]


def disagreement() -> str:
    """Return the message that the facts disagree, without saying which (domain.md §2.4, line 5)."""
    return str(_("What you entered does not agree with what is on file. Check the NEQ and the other numbers."))


@pages.route("/enterprise", methods=["GET", "POST"])
@draft_page
def enterprise(file: FileView) -> ResponseReturnValue:
    """Ask for the NEQ, and look it up."""
    form = EnterpriseForm(data={"neq": str(file.neq) if file.neq else ""})
    insist = False
    if form.validate_on_submit():
        entry = services.look_up(form.parsed)
        doubt = register_doubt(form.parsed, entry)
        if doubt is None or form.insist.data:
            services.save_neq(file.id, form.parsed, now=now())
            return see_other("/enrol/enterprise/confirm")
        form.neq.errors = [doubt]
        insist = True
    elif request.method == "GET" and file.correction_asked:
        form.neq.errors = [disagreement()]
    return render_template("enrollment/enterprise.html", form=form, insist=insist)


def register_doubt(neq: Neq, entry: RegisterEntry | Unavailable | None) -> str | None:
    """Return the objection that the register raises to this number, or None, as when the register is down."""
    if entry is None:
        return str(_("Our copy of the enterprise register does not know this NEQ. Check the number."))
    if isinstance(entry, Unavailable) or register_accepts(neq, entry):
        return None
    status = str(words.REGISTER_STATUSES.get(entry.status, entry.status_label))
    if entry.status_date is None:
        return str(_("According to the enterprise register, this enterprise is: %(status)s.", status=status))
    day = long_date(entry.status_date)
    return str(
        _(
            "According to the enterprise register, this enterprise is: %(status)s, since %(date)s.",
            status=status,
            date=day,
        )
    )


@pages.route("/enterprise/confirm", methods=["GET", "POST"])
@draft_page
def enterprise_confirm(file: FileView) -> ResponseReturnValue:
    """Show what the register says about this NEQ, so that the representative recognizes the enterprise."""
    if file.neq is None:
        return see_other("/enrol/enterprise")
    entry = services.look_up(file.neq)
    found = entry if isinstance(entry, RegisterEntry) else None
    form = EmptyForm()
    if form.validate_on_submit():
        services.confirm_neq(file.id, found, now=now())
        return see_other("/enrol/tasks")
    refused = found is not None and not register_accepts(file.neq, found)
    return render_template(
        "enrollment/enterprise_confirm.html",
        form=form,
        neq=file.neq,
        entry=found,
        unavailable=isinstance(entry, Unavailable),
        doubt=register_doubt(file.neq, entry) if refused else None,
    )


@pages.route("/tax-number", methods=["GET", "POST"])
@draft_page
def tax_number(file: FileView) -> ResponseReturnValue:
    """Ask for the Revenu Québec number, or that there is none."""
    answers = {None: None, True: "number", False: "none"}
    form = TaxNumberForm(data={"answer": answers[file.has_revenu_quebec_id]})
    form.kept = file.has_revenu_quebec_id is True
    if form.validate_on_submit():
        if form.answer.data == "none" or form.parsed is not None:
            services.save_revenu_quebec_id(file.id, form.parsed, now=now())
        if form.parsed is not None and not form.parsed.check_digit_holds:
            flash(
                _("The last digit of the Revenu Québec number is unusual. Check it; if it is right, go on."), "warning"
            )
        return see_other("/enrol/tasks")
    if request.method == "GET" and file.correction_asked and form.kept:
        form.revenu_quebec_id.errors = [disagreement()]
    return render_template("enrollment/tax_number.html", form=form)


@pages.route("/representative", methods=["GET", "POST"])
@draft_page
def representative(file: FileView) -> ResponseReturnValue:
    """Ask for the representative's details."""
    form = RepresentativeForm(data=_known(file))
    form.notice_kept = file.has_notice
    if form.validate_on_submit():
        if form.birth_date.data is None:  # cannot happen: the field is required
            raise FileIncompleteError(file.id)
        facts = services.Representative(
            given_name=form.given_name.data,
            family_name=form.family_name.data,
            birth_date=form.birth_date.data,
            position=Position(form.position.data),
            basis=Basis(form.basis.data),
            notice_number="".join(form.notice_number.data.split()).upper() if form.notice_number.data else None,
            notice_year=form.year,
            email=form.email.data,
            phone=form.phone.data,
        )
        if services.save_representative(file.id, facts, now=now()):
            if file.email_confirmed:
                flash(_("The address has changed: enter the Revenu Québec number and the notice again."), "info")
            if not email_code_services.send(file.id, CodePurpose.CONFIRM, now=now()):
                flash(too_many_codes(), "warning")
            return see_other("/enrol/email")
        return see_other("/enrol/tasks")
    if request.method == "GET" and file.correction_asked and file.has_notice:
        form.notice_number.errors = [disagreement()]
    return render_template("enrollment/representative.html", form=form)


def _known(file: FileView) -> dict[str, Any]:
    return {
        "given_name": file.given_name,
        "family_name": file.family_name,
        "birth_date": file.birth_date,
        "basis": file.basis,
        "position": file.position,
        "notice_year": str(file.notice_year) if file.notice_year else "",
        "email": file.email,
        "phone": file.phone,
    }


@pages.route("/email", methods=["GET", "POST"])
@draft_page
def confirm_email(file: FileView) -> ResponseReturnValue:
    """Confirm the representative's address by the code sent there."""
    if file.email is None:
        return see_other("/enrol/representative")
    if file.email_confirmed:
        return see_other("/enrol/tasks")
    form = CodeForm()
    if form.validate_on_submit():
        answer = email_code_services.confirm(file.id, form.code.data, now=now())
        if answer is CodeAnswer.ACCEPTED:
            flash(_("Your e-mail address is confirmed."), "success")
            return see_other("/enrol/tasks")
        form.code.errors = [code_refusal(answer)]
    return render_template("enrollment/email.html", form=form, email=file.email)


def code_refusal(answer: CodeAnswer) -> str:
    """Return the sentence for a refused code."""
    if answer is CodeAnswer.WRONG:
        return str(_("This is not the code we sent. Check the latest e-mail."))
    return str(_("This code no longer works. Ask for another one."))


def too_many_codes() -> str:
    """Show that no code was sent: the file or its address has reached the hourly limit."""
    return str(_("No code was sent: there were too many within the hour. Wait a little, then ask again."))


@pages.post("/email/again")
@draft_page
def email_again(file: FileView) -> ResponseReturnValue:
    """Send another code to the representative's address."""
    if file.email_confirmed:
        return see_other("/enrol/tasks")
    if email_code_services.send(file.id, CodePurpose.CONFIRM, now=now()):
        flash(_("A new code is on its way. The previous one no longer works."), "info")
    else:
        flash(too_many_codes(), "warning")
    return see_other("/enrol/email")


@pages.route("/check", methods=["GET", "POST"])
@draft_page
def check(file: FileView) -> ResponseReturnValue:
    """Show every answer, take the acceptance of the terms, and submit."""
    if missing(file):
        return see_other("/enrol/tasks")
    form = CheckForm()
    if form.validate_on_submit():
        if form.terms_version.data == TERMS_VERSION:
            services.submit(file.id, terms_version=TERMS_VERSION, language=current_language(), now=now())
            services.check(file.id, now=now())
            return see_other("/enrol/file")
        form.terms.errors = [_("The terms of use have changed: read them again, then accept them")]
    form.terms_version.data = TERMS_VERSION
    return render_template(
        "enrollment/check.html", form=form, file=file, words=words, sections=sections(current_language())
    )
