"""The desk of an agency's officer: the subscriptions that wait for a decision of their own agency."""

from __future__ import annotations

from flask import Blueprint, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ..accounts.sign_in.confirming import fresh_sign_in_required
from ..delegation.catalogue import catalogue_services
from ..delegation.catalogue.domain.catalogue import Agency
from ..delegation.subscriptions import change_services, subscription_services
from ..delegation.subscriptions.domain.states import DECIDED_BY_OFFICER, SubscriptionState
from ..delegation.subscriptions.subscription_services import SubscriptionView
from ..errors import ConflictError, NotFoundError
from ..http.web import now, see_other
from ..i18n import gettext as _
from . import subscription_presenting
from .access import desk_role_required
from .forms import SubscriptionDecision, SubscriptionDecisionForm
from .roles import DeskRole, OperatorView

blueprint = Blueprint("desk_subscriptions", __name__, url_prefix="/desk/subscriptions")


@blueprint.get("")
@desk_role_required(DeskRole.AGENCY_OFFICER)
def queue(operator: OperatorView) -> str:
    """Show the subscriptions that wait for a decision, oldest first."""
    agency = _agency(operator)
    lines = [subscription_presenting.line(waiting) for waiting in subscription_services.awaiting_decision(agency.id)]
    return render_template("support/subscriptions.html", agency=subscription_presenting.said(agency.name), lines=lines)


@blueprint.get("/<subscription_id>")
@desk_role_required(DeskRole.AGENCY_OFFICER)
def subscription(subscription_id: str, operator: OperatorView) -> str:
    """Show the answers of an enterprise."""
    found, agency = _of_this_agency(subscription_id, operator)
    return _page(found, agency, _form(agency, found))


@blueprint.post("/<subscription_id>")
@desk_role_required(DeskRole.AGENCY_OFFICER)
@fresh_sign_in_required
def decide(subscription_id: str, operator: OperatorView) -> ResponseReturnValue:
    """Accept or refuse, or show what the decision lacks."""
    found, agency = _of_this_agency(subscription_id, operator)
    if found.state not in DECIDED_BY_OFFICER:
        flash(_("This subscription was already decided or withdrawn. Nothing was changed."), "warning")
        return see_other(url_for(".queue"))
    form = _form(agency, found)
    if request.form.get("revision", found.revision, type=int) != found.revision:
        flash(_("The enterprise sent other answers since this page was shown: read them before you decide."), "warning")
        return see_other(url_for(".subscription", subscription_id=found.id))
    if not form.validate_on_submit():
        return _page(found, agency, form), 400
    accept = form.decision.data == SubscriptionDecision.ACCEPT
    reason = None if accept else form.reason.data
    try:
        subscription_services.decide(
            found.id,
            accept=accept,
            reason_code=reason,
            seen_revision=found.revision,
            actor=operator.actor,
            now=now(),
        )
    except ConflictError:
        flash(_("This subscription was already decided or withdrawn. Nothing was changed."), "warning")
        return see_other(url_for(".queue"))
    if found.state is SubscriptionState.CHANGING:
        flash(_("The change is accepted.") if accept else _("The change is refused."), "success")
    else:
        flash(_("The subscription is accepted.") if accept else _("The subscription is refused."), "success")
    return see_other(url_for(".queue"))


def _agency(operator: OperatorView) -> Agency:
    if operator.agency_id is None:
        raise NotFoundError("an officer without an agency")
    return catalogue_services.agency(operator.agency_id)


def _of_this_agency(subscription_id: str, operator: OperatorView) -> tuple[SubscriptionView, Agency]:
    agency = _agency(operator)
    found = subscription_services.subscription_by_id(subscription_id)
    if found.agency_id != agency.id:
        raise NotFoundError("another agency's subscription")
    return found, agency


def _form(agency: Agency, found: SubscriptionView) -> SubscriptionDecisionForm:
    may_decide = found.state in DECIDED_BY_OFFICER
    reasons = [(reason.code, subscription_presenting.said(reason.label)) for reason in agency.refusal_reasons]
    is_change = found.state is SubscriptionState.CHANGING
    return SubscriptionDecisionForm(reasons if may_decide else [], is_change=is_change)


def _page(found: SubscriptionView, agency: Agency, form: SubscriptionDecisionForm) -> str:
    return render_template(
        "support/subscription.html",
        form=form,
        page=subscription_presenting.page(found, agency, change_services.waiting(found.id)),
        revision=found.revision,
        may_decide=found.state in DECIDED_BY_OFFICER,
    )
