"""The persons named in charge: at least one; two are advised."""

from __future__ import annotations

from flask import flash, render_template
from flask.typing import ResponseReturnValue

from ...http.web import now, see_other
from ...i18n import gettext as _
from .. import services
from ..domain.files import FileView
from ..errors import NoSuchFileError
from ..forms import EmptyForm, NomineeForm
from .blueprint import draft_page, pages


@pages.get("/people")
@draft_page
def people(file: FileView) -> ResponseReturnValue:
    """List the named persons."""
    return render_template("enrollment/people.html", file=file, form=EmptyForm())


@pages.post("/people/me")
@draft_page
def name_myself(file: FileView) -> ResponseReturnValue:
    """Name the representative in charge."""
    if file.family_name is None:
        flash(_("First say who you are: the task “You, the authorized representative”."), "info")
        return see_other("/enrol/representative")
    services.add_representative_as_nominee(file.id, now=now())
    return see_other("/enrol/people")


@pages.route("/people/new", methods=["GET", "POST"])
@draft_page
def name_person(file: FileView) -> ResponseReturnValue:
    """Name another person in charge."""
    return _person_page(file, NomineeForm(), None)


@pages.route("/people/<nominee_id>", methods=["GET", "POST"])
@draft_page
def correct_person(file: FileView, nominee_id: str) -> ResponseReturnValue:
    """Correct the details of a named person."""
    nominee = file.nominee(nominee_id)
    if nominee is None:
        raise NoSuchFileError(nominee_id)
    if nominee.is_representative:
        return see_other("/enrol/representative")
    return _person_page(file, NomineeForm(obj=nominee), nominee_id)


def _person_page(file: FileView, form: NomineeForm, nominee_id: str | None) -> ResponseReturnValue:
    if form.validate_on_submit():
        facts = services.NomineeFacts(
            given_name=form.given_name.data,
            family_name=form.family_name.data,
            email=form.email.data,
            phone=form.phone.data,
        )
        if not services.is_named(file.id, facts, but=nominee_id, now=now()):
            services.save_nominee(file.id, facts, nominee_id=nominee_id, now=now())
            return see_other("/enrol/people")
        form.email.errors = [_("This person is already named: the name or the address is on the list")]
    return render_template("enrollment/person.html", form=form, nominee_id=nominee_id)


@pages.post("/people/<nominee_id>/remove")
@draft_page
def remove_person(file: FileView, nominee_id: str) -> ResponseReturnValue:
    """Remove a person from the list."""
    services.remove_nominee(file.id, nominee_id, now=now())
    return see_other("/enrol/people")
