"""Returning to a file with its number and a code sent by e-mail; the pages never disclose whether the file exists."""

from __future__ import annotations

from flask import flash, render_template, session
from flask.typing import ResponseReturnValue

from ...http.limits import FORMS, limiter
from ...http.web import now, see_other
from ...i18n import current_language
from ...i18n import gettext as _
from .. import email_code_services
from ..domain.terms import TERMS_VERSION, sections, terms_digest
from ..forms import CodeForm, ResumeForm
from .blueprint import device, hold, pages, release

_NUMBER = "enrolment_number"


@pages.route("/resume", methods=["GET", "POST"])
@limiter.limit(FORMS, methods=["POST"])
def resume() -> ResponseReturnValue:
    """Ask for the number of the file."""
    form = ResumeForm()
    if form.validate_on_submit():
        session[_NUMBER] = form.number.data
        email_code_services.ask_to_return(form.number.data, now=now())
        return see_other("/enrol/resume/code")
    return render_template("enrollment/resume.html", form=form)


@pages.route("/resume/code", methods=["GET", "POST"])
@limiter.limit(FORMS, methods=["POST"])
def resume_code() -> ResponseReturnValue:
    """Ask for the code sent to the address of the file, if the file exists."""
    number: str | None = session.get(_NUMBER)
    if number is None:
        return see_other("/enrol/resume")
    form = CodeForm()
    if form.validate_on_submit():
        token = email_code_services.come_back(number, form.code.data, device=device(), now=now())
        if token is not None:
            session.pop(_NUMBER, None)
            hold(token)
            return see_other("/enrol/file")
        form.code.errors = [_("This code does not open this file, or it no longer works. Ask for another one.")]
    return render_template("enrollment/resume_code.html", form=form)


@pages.post("/resume/again")
@limiter.limit(FORMS)
def resume_again() -> ResponseReturnValue:
    """Send another code, if the file exists."""
    number: str | None = session.get(_NUMBER)
    if number is None:
        return see_other("/enrol/resume")
    email_code_services.ask_to_return(number, now=now())
    flash(_("If this file exists, a new code is on its way to its e-mail address."), "info")
    return see_other("/enrol/resume/code")


@pages.post("/leave")
def leave() -> ResponseReturnValue:
    """Close the file on this device: to open it again takes its number and a code sent by e-mail."""
    release()
    session.pop(_NUMBER, None)
    flash(_("The file is closed on this device."), "success")
    return see_other("/")


def terms_page() -> ResponseReturnValue:
    """Show the terms of use in force, with their version and their digest."""
    language = current_language()
    return render_template(
        "enrollment/terms.html",
        sections=sections(language),
        version=TERMS_VERSION,
        digest=terms_digest(language),
    )
