"""The pages of an enterprise's home, of agencies and of subscriptions."""

from __future__ import annotations

from typing import Any, cast

from flask import Blueprint, Flask, flash, render_template, request
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue

from ...accounts import services as accounts
from ...accounts.sessions.sessions import open_to_weak_sign_in
from ...accounts.sign_in.confirming import fresh_sign_in_required
from ...http.web import now, see_other
from ...i18n import gettext as _
from ...i18n import ngettext
from ...identifiers import with_neq
from ...notices.domain.messages import Email
from ...notices.email import from_template
from ...notices.services import register_renderer
from .. import home_services
from ..acting import Acting, acting, ar_or_pes_required, pes_required
from ..catalogue import catalogue_services
from ..catalogue.domain.catalogue import Agency
from ..presenting import ROLES, block_labels, names, removal_state, text
from ..services import enterprise
from ..subscriptions import change_services, drafts, subscription_services
from ..subscriptions.change_services import ChangeOutcome, ChangeView
from ..subscriptions.domain.changes import Content
from ..subscriptions.domain.states import SubscriptionState
from ..subscriptions.drafts import Draft
from ..subscriptions.forms import (
    ConsentForm,
    WithdrawalForm,
    answers_compared,
    answers_in_words,
    blocks_compared,
    questions_form,
    read,
    still_fits,
    tree,
)
from ..subscriptions.subscription_services import NOTICE, SubscriptionView
from ..subscriptions.words import EVENTS, STATES

blueprint = Blueprint("subscriptions", __name__)


@blueprint.record_once
def _register_decision_mail(state: BlueprintSetupState) -> None:
    register_renderer(cast(Flask, state.app), NOTICE, decision_mail)


@blueprint.get("/home")
@open_to_weak_sign_in
def home() -> str:
    """Show where the enterprise stands, and what is to be done."""
    who = acting()
    role = str(ROLES[who.membership.role])
    if not (who.is_pes or who.is_authorized_representative):
        held = home_services.of_user(who.person.id, who.enterprise_id, now())
        in_charge = home_services.pes_of(who.enterprise_id)
        return render_template(
            "delegation/home_user.html",
            who=who,
            role=role,
            held=held,
            text=text,
            pes=in_charge,
            askable=home_services.askable_agencies(who.person.id, who.enterprise_id),
        )
    page = home_services.of_enterprise(who.enterprise_id, now())
    known = names(who.enterprise_id, [*(r.person_id for r in page.removals), *(e.person_id for e in page.endings)])
    labels = {id: block_labels(id) for id in {removal.agency_id for removal in page.removals}}
    return render_template(
        "delegation/home.html",
        who=who,
        role=role,
        page=page,
        names=known,
        labels=labels,
        agency_names={line.agency.id: text(line.agency.name) for line in page.lines},
        states=STATES,
        text=text,
        removal_state=removal_state,
    )


@blueprint.get("/agencies")
@ar_or_pes_required
def agencies() -> str:
    """List the catalogue with the state of each subscription."""
    who = acting()
    found = subscription_services.subscriptions_of(who.enterprise_id)
    rows = [(agency, found.get(agency.id)) for agency in catalogue_services.agencies()]
    return render_template("delegation/agencies.html", rows=rows, states=STATES, text=text, who=who)


@blueprint.get("/agencies/<agency_id>")
@ar_or_pes_required
def agency(agency_id: str) -> str:
    """Show one agency: state, reason, blocks, what happened."""
    who = acting()
    shown = catalogue_services.agency(agency_id)
    view = subscription_services.subscription(who.enterprise_id, agency_id)
    changes = change_services.changes(view.id) if view else ()
    return render_template(
        "delegation/agency.html",
        agency=shown,
        subscription=view,
        states=STATES,
        reason=_reason(shown, view),
        causes=_causes(shown, view),
        rows=answers_in_words(shown, view.answers, view.blocks) if view else [],
        steps=_steps(view, shown, changes) if view else [],
        **_change(shown, view, changes[-1] if changes else None),
        text=text,
        who=who,
    )


@blueprint.route("/agencies/<agency_id>/subscribe", methods=["GET", "POST"])
@pes_required
def subscribe(agency_id: str) -> ResponseReturnValue:
    """Ask the agency's own questions."""
    who = acting()
    shown = catalogue_services.agency(agency_id)
    view = subscription_services.subscription(who.enterprise_id, agency_id)
    if view is not None and not view.may_send_again:
        return see_other(f"/agencies/{agency_id}")
    draft = drafts.kept(Draft.SUBSCRIPTION, who.enterprise_id, agency_id)
    answers, blocks = (draft.answers, draft.blocks) if draft else ((view.answers, view.blocks) if view else ({}, ()))
    form = questions_form(shown, answers=answers, blocks=blocks)
    if request.method == "POST":
        form.validate()
        checked = read(form, shown)
        if checked and not form.errors:
            content = Content(checked.blocks, checked.answers)
            if drafts.keep(Draft.SUBSCRIPTION, who.enterprise_id, agency_id, content):
                return see_other(f"/agencies/{agency_id}/subscribe/check")
            drafts.too_long(form, shown)
    page = render_template(
        "delegation/subscribe.html",
        agency=shown,
        subscription=view,
        form=form,
        questions=tree(form, shown),
        reason=_reason(shown, view),
        causes=_causes(shown, view),
        text=text,
    )
    return page, 422 if form.errors else 200


@blueprint.route("/agencies/<agency_id>/subscribe/check", methods=["GET", "POST"])
@pes_required
@fresh_sign_in_required
def check(agency_id: str) -> ResponseReturnValue:
    """Show the answers and the consent text; send when the PES consents."""
    who = acting()
    shown = catalogue_services.agency(agency_id)
    draft = drafts.kept(Draft.SUBSCRIPTION, who.enterprise_id, agency_id)
    if draft is None or not still_fits(shown, draft.answers, draft.blocks):
        if draft is not None:
            flash(_("The agency changed its questions or its blocks meanwhile. Look at your answers again."), "warning")
        return see_other(f"/agencies/{agency_id}/subscribe")
    answers, blocks = draft.answers, draft.blocks
    form = ConsentForm()
    digest = shown.consent.digest
    is_stale = request.method == "POST" and request.form.get("consent_digest", digest) != digest
    if is_stale:  # the text that was read is not the one that would be kept
        form.validate()
        form.consent.errors = [_("The agency changed this text meanwhile: read it again")]
    elif form.validate_on_submit():
        sent = subscription_services.subscribe(
            who.enterprise_id,
            agency_id,
            answers=answers,
            blocks=blocks,
            by=who.person.id,
            now=now(),
            consent_digest=request.form.get("consent_digest"),
        )
        _flash_result(sent, shown)
        return see_other(f"/agencies/{agency_id}")
    rows = answers_in_words(shown, answers, blocks)
    page = render_template("delegation/subscribe_check.html", agency=shown, form=form, rows=rows, text=text)
    return page, 409 if is_stale else 422 if form.errors else 200


@blueprint.route("/agencies/<agency_id>/withdraw", methods=["GET", "POST"])
@pes_required
@fresh_sign_in_required
def withdraw(agency_id: str) -> ResponseReturnValue:
    """Leave an agency, once the PES has read what ends."""
    who = acting()
    shown = catalogue_services.agency(agency_id)
    view = subscription_services.subscription(who.enterprise_id, agency_id)
    if view is None or not view.may_withdraw:
        return see_other(f"/agencies/{agency_id}")
    form = WithdrawalForm()
    if form.validate_on_submit():
        subscription_services.withdraw(who.enterprise_id, agency_id, by=who.person.id, now=now())
        flash(_("The enterprise has left %(agency)s. All access there has ended.", agency=text(shown.name)), "success")
        return see_other(f"/agencies/{agency_id}")
    people = _people_with_access(who, agency_id)
    warning = ngettext("%(num)s person loses access now.", "%(num)s persons lose access now.", people)
    page = render_template("delegation/withdraw.html", agency=shown, form=form, warning=warning, text=text)
    return page, 422 if form.errors else 200


def decision_mail(payload: dict[str, Any], _now: object) -> Email | None:
    """Return the e-mail of the decision for one PES."""
    person = accounts.person(payload["person_id"])
    shown = catalogue_services.agency(payload["agency_id"])
    reason = shown.refusal_reason(payload["reason"])
    language = person.language
    name = shown.name.fr if language == "fr" else shown.name.en
    of = enterprise(payload["enterprise_id"])
    label = (reason.label.fr if language == "fr" else reason.label.en) if reason else ""
    about = "change" if payload.get("is_change") else "subscription"
    return from_template(
        f"delegation/mail_{about}_{'accepted' if payload['accepted'] else 'refused'}.txt",
        to=person.email,
        language=language,
        agency=name,
        agency_id=shown.id,
        enterprise=with_neq(of.name, of.neq),
        name=person.name,
        reason=label,
    )


def _people_with_access(who: Acting, agency_id: str) -> int:
    page = home_services.of_enterprise(who.enterprise_id, now())
    users = next((line.people for line in page.lines if line.agency.id == agency_id), 0)
    return users + len(page.pes)


def _flash_result(sent: SubscriptionView, shown: Agency) -> None:
    drafts.drop(Draft.SUBSCRIPTION)
    name = text(shown.name)
    if sent.state is SubscriptionState.ACTIVE:
        flash(_("%(agency)s accepted the subscription. You may now give access to people.", agency=name), "success")
    elif sent.state is SubscriptionState.REFUSED:
        flash(_("%(agency)s refused the subscription. The reason is below.", agency=name), "warning")
    else:
        flash(_("The subscription was sent. A person at %(agency)s will decide.", agency=name), "success")


def _reason(shown: Agency, view: SubscriptionView | None) -> str | None:
    found = shown.refusal_reason(view.reason) if view else None
    return text(found.label) if found else None


def _causes(shown: Agency, view: SubscriptionView | None) -> list[str]:
    causes = view.causes if view else ()
    return [text(question.label) for question in shown.questionnaire.questions if question.id in causes]


def _change(shown: Agency, view: SubscriptionView | None, last: ChangeView | None) -> dict[str, Any]:
    """Return the change that waits for the agency, or that it refused while nothing else happened, as the page shows it."""
    if view is None or last is None or not view.counts or last.outcome not in (None, ChangeOutcome.REFUSED):
        return {"change": None}
    found = shown.refusal_reason(last.reason)
    labels = [text(question.label) for question in shown.questionnaire.questions if question.id in last.causes]
    return {
        "change": last,
        "change_blocks": blocks_compared(last.before.blocks, last.after.blocks),
        "change_answers": answers_compared(shown, last.before, last.after),
        "change_reason": text(found.label) if found else None,
        "change_causes": labels,
        "change_by": names(view.enterprise_id, [last.asked_by])[last.asked_by],
    }


def _steps(view: SubscriptionView, shown: Agency, changes: tuple[ChangeView, ...]) -> list[dict[str, Any]]:
    steps = subscription_services.history(view.id)
    known = names(view.enterprise_id, (step.actor.id for step in steps if step.actor.id))
    asked = {change.revision: change for change in changes}
    lines = []
    for step in steps:
        by = known[step.actor.id] if step.actor.id else _("the agency’s rule")
        parts = [_("By: %(who)s", who=by)]
        if step.revision in asked:
            parts += _in_short(shown, asked[step.revision])
        found = shown.refusal_reason(step.reason)
        parts += [text(found.label)] if found else []
        lines.append({"at": step.at, "title": str(EVENTS[step.event]), "text": " · ".join(parts)})
    return lines


def _in_short(shown: Agency, change: ChangeView) -> list[str]:
    changed = change.difference
    labels = [text(question.label) for question in shown.questionnaire.questions if question.id in changed.answers]
    parts = []
    if changed.added:
        parts.append(_("Added: %(codes)s", codes=", ".join(changed.added)))
    if changed.removed:
        parts.append(_("Removed: %(codes)s", codes=", ".join(changed.removed)))
    if labels:
        parts.append(_("Answered otherwise: %(questions)s", questions=", ".join(labels)))
    return parts
