"""Pages of requests for access: a user asks and follows, a person in charge answers."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from flask import Blueprint, Flask, current_app, flash, redirect, render_template, request
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from wtforms import SelectMultipleField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length
from wtforms.widgets import CheckboxInput, ListWidget

from ...accounts import services as accounts
from ...accounts.sign_in.confirming import fresh_sign_in_required
from ...errors import NotAllowedError
from ...http.bindings import current_interaction, resume_path
from ...http.limits import FORMS, limiter
from ...http.web import now, see_other
from ...http.web_forms import DatePartsField, MandatForm
from ...i18n import gettext as _
from ...i18n import lazy_gettext as _l
from ...identifiers import with_neq
from ...notices.domain.messages import Email
from ...notices.email import from_template
from ...notices.services import register_renderer
from .. import presenting, services
from ..acting import Acting, acting, pes_required
from ..catalogue import catalogue_services
from ..forms import REASONS
from ..people.domain.roles import Role
from ..requests import request_services
from ..requests.domain.states import AskObjection
from ..requests.request_services import AnsweredError, RequestView
from ..requests.words import OBJECTIONS, STATES
from ..rights import grant_services
from ..rights.domain import previews, rules
from ..rights.domain.authority import UNRESTRICTED

blueprint = Blueprint("requests", __name__)

_LAST_PAGE = 400  # 10,000 requests; beyond, the journal has them
_OF_BLOCKS = {AskObjection.NOTHING_ASKED, AskObjection.BLOCK_NOT_OFFERED, AskObjection.ALREADY_HELD}
_OF_END = {AskObjection.END_PAST, AskObjection.END_TOO_LATE}


def _blocks(label: Any) -> SelectMultipleField:
    """Return one box per block; whether a code may be asked for or granted is for the rules to say."""
    return SelectMultipleField(
        label, choices=[], validate_choice=False, widget=ListWidget(prefix_label=False), option_widget=CheckboxInput()
    )


def _until() -> DatePartsField:
    return DatePartsField(
        _l("Until (included)"),
        description=_l("Two years from now at most."),
        validators=[InputRequired(_l("Enter the last day"))],
    )


class AskForm(MandatForm):
    """The blocks that a user asks for, until when, and why."""

    blocks = _blocks(_l("Functional blocks"))
    until = _until()
    reason = TextAreaField(
        _l("Why you need this access"),
        [DataRequired(_l("Write why you need this access")), Length(max=600, message=_l("Use at most 600 characters"))],
        description=_l("The person in charge reads it."),
    )


class AnswerForm(MandatForm):
    """The blocks that a person in charge grants, and until when."""

    blocks = _blocks(_l("Blocks to grant"))
    until = _until()


class RefusalForm(MandatForm):
    """Why a request is refused."""

    reason = TextAreaField(
        _l("Why you refuse"),
        [DataRequired(_l("Write why you refuse")), Length(max=600, message=_l("Use at most 600 characters"))],
        description=_l("The person who asked reads it."),
    )


@blueprint.record_once
def _register_mails(state: BlueprintSetupState) -> None:
    app = cast(Flask, state.app)
    register_renderer(app, request_services.WAITING, _waiting_mail)
    register_renderer(app, request_services.ANSWERED, _answer_mail)


@blueprint.route("/agencies/<agency_id>/ask", methods=["GET", "POST"])
@limiter.limit(FORMS, methods=["POST"])
def ask(agency_id: str) -> ResponseReturnValue:
    """Ask for blocks at an agency; a user only."""
    here, agency = _user(), catalogue_services.agency(agency_id)
    available = request_services.askable(here.person.id, here.enterprise_id, agency.id, now())
    labels = presenting.block_labels(agency.id)
    if request.method == "GET":
        form = AskForm(
            formdata=None, data={"blocks": request.args.getlist("blocks"), "until": rules.default_end(now())}
        )
    else:
        form = AskForm()
    form.blocks.choices = [(code, f"{code} {labels.get(code, '')}") for code in available or ()]
    if request.method == "POST" and form.validate() and form.until.data is not None:
        decision = request_services.ask(
            here.enterprise_id,
            agency.id,
            person_id=here.person.id,
            blocks=frozenset(form.blocks.data or ()),
            until=form.until.data,
            reason=form.reason.data,
            now=now(),
        )
        if decision:
            return _after_asking()
        _object(form, decision.reasons)
    return render_template(
        "delegation/ask.html",
        form=form,
        agency=agency,
        available=available,
        latest=request_services.latest(here.person.id, here.enterprise_id, agency.id),
        states=STATES,
        text=presenting.text,
    )


@blueprint.get("/my-requests")
def mine() -> ResponseReturnValue:
    """List the requests that the user made in this enterprise."""
    here = _user()
    found = request_services.requests_by(here.person.id, here.enterprise_id)
    return render_template("delegation/my_requests.html", requests=[_shown(each) for each in found])


@blueprint.post("/my-requests/<request_id>/withdraw")
def withdraw(request_id: str) -> ResponseReturnValue:
    """Withdraw an open request of one's own."""
    here = _user()
    try:
        request_services.withdraw(request_id, person_id=here.person.id, now=now())
        flash(_("Your request is withdrawn."), "success")
    except AnsweredError:
        flash(_("This request was answered already, or is no longer open."), "info")
    return see_other("/my-requests")


@blueprint.get("/requests")
@pes_required
def requests() -> ResponseReturnValue:
    """List the requests of the enterprise: those that wait, or those that ended, one page at a time."""
    here, is_open = acting(), request.args.get("ended") != "1"
    page = request.args.get("page", 1, type=int)
    page = min(max(page, 1), _LAST_PAGE)
    found, more = request_services.requests_of(here.enterprise_id, is_open=is_open, page=page)
    names = presenting.names(here.enterprise_id, {each.person_id for each in found})
    return render_template(
        "delegation/requests.html",
        requests=[{**_shown(each), "name": names[each.person_id]} for each in found],
        is_open=is_open,
        page=page,
        more=more and page < _LAST_PAGE,
    )


@blueprint.get("/requests/<request_id>")
@pes_required
def one(request_id: str) -> ResponseReturnValue:
    """Show one request, and the ways to answer it."""
    found = request_services.request_of(acting().enterprise_id, request_id)
    return _page(found, _offered(found), RefusalForm())


@blueprint.post("/requests/<request_id>/grant")
@pes_required
def grant(request_id: str) -> ResponseReturnValue:
    """Check what would be granted; the preview shows the difference and asks to confirm."""
    here = acting()
    found = request_services.request_of(here.enterprise_id, request_id)
    form = AnswerForm()
    chosen = frozenset(form.blocks.data or ()) & frozenset(found.blocks)
    if not form.validate() or form.until.data is None or not chosen:
        if not chosen:
            form.blocks.errors = [str(REASONS[rules.DenialReason.NOTHING_GRANTED])]
        return _page(found, form, RefusalForm())
    if found.person_id == here.person.id:
        raise NotAllowedError("one's own request")
    wanted = request_services.proposed(found, chosen, form.until.data, now())
    against = services.objections(
        here.enterprise_id, found.agency_id, (wanted,), granter_id=here.person.id, now=now()
    ).get(wanted.membership_id, ())
    if against:
        _object_to_answer(form, against)
        return _page(found, form, RefusalForm())
    revision = grant_services.revision(here.enterprise_id, found.agency_id)
    previewed = previews.PreviewedRights(
        here.enterprise_id,
        found.agency_id,
        here.person.id,
        revision,
        ((wanted.membership_id, wanted.blocks, wanted.until),),
        found.id,
    )
    token = previews.sign(previewed, current_app.secret_key or b"", now())
    return see_other(f"/agencies/{found.agency_id}/rights/preview?changes={token}")


@blueprint.post("/requests/<request_id>/refuse")
@pes_required
@fresh_sign_in_required
def refuse(request_id: str) -> ResponseReturnValue:
    """Refuse a request with a reason."""
    here = acting()
    found = request_services.request_of(here.enterprise_id, request_id)
    form = RefusalForm()
    if not form.validate():
        return _page(found, _offered(found), form)
    try:
        request_services.refuse(
            request_id, enterprise_id=here.enterprise_id, by=here.person.id, reason=form.reason.data, now=now()
        )
        flash(_("The request is refused. The person receives your reason by e-mail."), "success")
    except AnsweredError:
        flash(_("This request was answered already, or is no longer open."), "info")
    return see_other("/requests")


def _user() -> Acting:
    """Return who acts, a user of the enterprise; other roles have nothing to ask for."""
    here = acting()
    if Role.USER not in here.roles:
        raise NotAllowedError("a user is needed")
    return here


def _after_asking() -> ResponseReturnValue:
    number = current_interaction()
    if number is not None:  # the sign-in goes on from its own page, which shows that the request waits
        return redirect(resume_path(number), code=303)
    flash(_("Your request was sent to the persons in charge. You receive an e-mail when they answer."), "success")
    return see_other("/my-requests")


def _object(form: AskForm, reasons: tuple[AskObjection, ...]) -> None:
    """Show each objection beside the field that it is about."""
    for reason in reasons:
        field = form.blocks if reason in _OF_BLOCKS else form.until if reason in _OF_END else form.reason
        field.errors = [*field.errors, str(OBJECTIONS[reason])]


def _object_to_answer(form: AnswerForm, reasons: tuple[rules.DenialReason, ...]) -> None:
    for reason in reasons:
        field = form.until if reason in (rules.DenialReason.END_PAST, rules.DenialReason.END_TOO_LATE) else form.blocks
        field.errors = [*field.errors, str(REASONS[reason])]


def _offered(found: RequestView) -> AnswerForm:
    """Return the form with all that was asked for, until the later of that day and the end of what the user holds."""
    right = request_services.present_right(found, now())
    present = right.until if right else None
    until = max(found.until, present) if present else found.until
    return AnswerForm(formdata=None, data={"blocks": list(found.blocks), "until": until})


def _shown(each: RequestView) -> dict[str, Any]:
    labels = presenting.block_labels(each.agency_id)
    return {
        "request": each,
        "agency": presenting.agency_name(each.agency_id),
        "state": STATES[each.state],
        "blocks": [(code, labels.get(code, "")) for code in each.blocks],
        "granted": [(code, labels.get(code, "")) for code in each.granted],
    }


def _page(found: RequestView, form: AnswerForm, refusal: RefusalForm) -> str:
    here = acting()
    right = request_services.present_right(found, now())
    labels = presenting.block_labels(found.agency_id)
    form.blocks.choices = [(code, f"{code} {labels.get(code, '')}") for code in found.blocks]
    people = {found.person_id} | ({found.decided_by} if found.decided_by else set())
    return render_template(
        "delegation/request.html",
        **_shown(found),
        names=presenting.names(here.enterprise_id, people),
        form=form,
        refusal=refusal,
        is_own=found.person_id == here.person.id,
        present=sorted(right.blocks) if right else [],
        unrestricted=UNRESTRICTED,
    )


def _waiting_mail(payload: dict[str, Any], _now: datetime) -> Email | None:
    """Return the digest of one person in charge, or None when no request waits any more."""
    waiting = request_services.count_open(payload["enterprise_id"])
    if not waiting:
        return None
    of, reader = services.enterprise(payload["enterprise_id"]), accounts.person(payload["person_id"])
    return from_template(
        "delegation/mail_requests_waiting.txt",
        to=payload["to"],
        language=reader.language,
        name=reader.name,
        enterprise=with_neq(of.name, of.neq),
        count=waiting,
    )


def _answer_mail(payload: dict[str, Any], _now: datetime) -> Email | None:
    """Return the answer for the user who asked, or None when the request is no longer kept."""
    found = request_services.find(payload["request"])
    if found is None:
        return None
    of, reader = services.enterprise(found.enterprise_id), accounts.person(payload["person_id"])
    agency = catalogue_services.agency(found.agency_id)
    return from_template(
        "delegation/mail_request_answered.txt",
        to=payload["to"],
        language=reader.language,
        name=reader.name,
        enterprise=with_neq(of.name, of.neq),
        agency=agency.name.fr if reader.language == "fr" else agency.name.en,
        granted=", ".join(found.granted),
        is_whole=set(found.granted) == set(found.blocks),
        reason=found.answer,
    )
