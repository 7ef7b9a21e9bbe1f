"""The pages of operators: the queue, one file beside the answers of the sources, its documents, the decision."""

from __future__ import annotations

from urllib.parse import quote

from flask import Blueprint, Response, flash, make_response, render_template, url_for
from flask.typing import ResponseReturnValue

from ..accounts import services as accounts
from ..accounts.sign_in.confirming import fresh_sign_in_required
from ..enrollment import review_services
from ..enrollment.domain.states import State
from ..enrollment.errors import SameOperatorError
from ..enrollment.review_services import Approval, ReviewFile
from ..errors import ConflictError, NotFoundError
from ..http.web import now, see_other
from ..i18n import gettext as _
from . import presenting
from .access import desk_role_required
from .comparison import is_unavailable
from .forms import FileDecision, FileDecisionForm
from .roles import DeskRole, OperatorView

blueprint = Blueprint("desk", __name__, url_prefix="/desk")


@blueprint.get("")
@desk_role_required(DeskRole.OPERATOR)
def queue(operator: OperatorView) -> str:
    """Show the files under review, oldest first."""
    files = review_services.queue()
    proposers = accounts.people(file.proposed_by for file in files if file.proposed_by)
    lines = [presenting.queue_line(file, operator, proposers, now()) for file in files]
    return render_template("support/queue.html", lines=lines, alarm=accounts.current_alarm(now()))


@blueprint.get("/files/<file_id>")
@desk_role_required(DeskRole.OPERATOR)
def file(file_id: str, operator: OperatorView) -> str:
    """Show one file; the reading is logged."""
    review = _review(file_id, operator)
    return _file_page(review, operator, FileDecisionForm(allowed(review, operator)))


@blueprint.post("/files/<file_id>")
@desk_role_required(DeskRole.OPERATOR)
@fresh_sign_in_required
def decide(file_id: str, operator: OperatorView) -> ResponseReturnValue:
    """Record the decision, or show what it lacks."""
    review = _review(file_id, operator)
    if review.file.state is not State.UNDER_REVIEW:
        flash(_("This file was already decided. Nothing was changed."), "warning")
        return see_other(url_for(".file", file_id=file_id))
    form = FileDecisionForm(allowed(review, operator))
    if not form.validate_on_submit():
        return _file_page(review, operator, form), 400
    try:
        told = _apply(review, operator, form)
    except SameOperatorError:
        flash(_("Another operator must agree: you proposed this approval yourself."), "warning")
        return see_other(url_for(".file", file_id=file_id))
    except ConflictError:
        flash(_("This file changed meanwhile. Nothing was done: read it again, then decide."), "warning")
        return see_other(url_for(".file", file_id=file_id))
    flash(told, "success")
    return see_other(url_for(".queue"))


@blueprint.get("/files/<file_id>/documents/<evidence_id>")
@desk_role_required(DeskRole.OPERATOR)
def document(file_id: str, evidence_id: str, operator: OperatorView) -> Response:
    """Send a document as a download, never shown inside the site; the reading is logged."""
    media_type, content = review_services.evidence(file_id, evidence_id, operator_id=operator.person_id, now=now())
    kind = {"application/pdf": "pdf", "image/png": "png", "image/jpeg": "jpg"}.get(media_type, "bin")
    response = make_response(content)
    response.headers["Content-Type"] = media_type
    response.headers["Content-Disposition"] = f"attachment; filename=document-{quote(evidence_id[:12])}.{kind}"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cache-Control"] = "no-store"
    return response


def allowed(review: ReviewFile, operator: OperatorView) -> tuple[FileDecision, ...]:
    """Return what this operator may do with this file now; nothing while a source does not respond."""
    if review.file.state is not State.UNDER_REVIEW or is_unavailable(review):
        return ()
    rest = (FileDecision.REFUSE, FileDecision.SEND_BACK, FileDecision.ASK_DOCUMENT)
    own_proposal = review.needs_second_operator and review.summary.proposed_by == operator.person_id
    if review.already_enrolled or own_proposal:
        return rest
    return (FileDecision.APPROVE, *rest)


def _review(file_id: str, operator: OperatorView) -> ReviewFile:
    review = review_services.file_for_review(file_id, operator_id=operator.person_id, now=now())
    if review.file.submitted_at is None:
        raise NotFoundError("a draft that was never submitted is nobody's to read")
    return review


def _apply(review: ReviewFile, operator: OperatorView, form: FileDecisionForm) -> str:
    who, number, note, at = operator.person_id, review.file.number, form.note.data or "", now()
    match FileDecision(form.decision.data):
        case FileDecision.APPROVE:
            done = review_services.approve(review.file.id, operator_id=who, note=note, now=at)
            if done is Approval.PROPOSED:
                return str(_("File %(number)s: approval proposed. Another operator must agree.", number=number))
            return str(_("File %(number)s is approved.", number=number))
        case FileDecision.REFUSE:
            review_services.refuse(review.file.id, operator_id=who, reason=form.reason.data, note=note, now=at)
            return str(_("File %(number)s is refused.", number=number))
        case FileDecision.SEND_BACK:
            review_services.send_back(review.file.id, operator_id=who, note=note, now=at)
            return str(_("File %(number)s is sent back for correction.", number=number))
        case FileDecision.ASK_DOCUMENT:
            review_services.ask_document(review.file.id, operator_id=who, now=at)
            return str(_("File %(number)s: a document is asked.", number=number))


def _file_page(review: ReviewFile, operator: OperatorView, form: FileDecisionForm) -> str:
    proposer = review.summary.proposed_by
    people = accounts.people([proposer] if proposer else [])
    return render_template(
        "support/file.html",
        form=form,
        may_decide=bool(form.decision.choices),
        page=presenting.file_page(review, operator, people, now()),
    )
