"""The pages that change an active subscription: its questions again, what the change does, one confirmation."""

from __future__ import annotations

import hashlib
import json

from flask import Blueprint, flash, render_template, request
from flask.typing import ResponseReturnValue

from ...accounts.sign_in.confirming import fresh_sign_in_required
from ...errors import ConflictError
from ...http.web import now, see_other
from ...i18n import gettext as _
from ..acting import acting, pes_required
from ..catalogue import catalogue_services
from ..catalogue.domain.catalogue import Agency
from ..presenting import block_labels, names, text
from ..rights import grant_services
from ..subscriptions import change_services, drafts, impact_services, subscription_services
from ..subscriptions.change_services import ChangeOutcome
from ..subscriptions.domain.changes import Content, difference
from ..subscriptions.domain.states import SubscriptionState
from ..subscriptions.drafts import Draft
from ..subscriptions.forms import (
    ChangeForm,
    answers_compared,
    blocks_compared,
    contents_compared,
    questions_form,
    read,
    still_fits,
    tree,
)
from ..subscriptions.subscription_services import SubscriptionView
from ..subscriptions.words import EVENTS

blueprint = Blueprint("changes", __name__)


@blueprint.route("/agencies/<agency_id>/change", methods=["GET", "POST"])
@pes_required
def change(agency_id: str) -> ResponseReturnValue:
    """Ask the agency's questions again, filled with what stands, or with what was refused or not sent yet."""
    shown, view = _changeable(agency_id)
    if view is None:
        return see_other(f"/agencies/{agency_id}")
    filled = _filled(view)
    form = questions_form(shown, answers=filled.answers, blocks=filled.blocks)
    nothing = False
    if request.method == "POST":
        form.validate()
        checked = read(form, shown)
        if checked and not form.errors:
            wanted = Content(checked.blocks, checked.answers)
            changed = difference(change_services.content_of(view), wanted)
            nothing = not changed and not change_services.consent_needed(view, changed, shown)
            if not nothing:
                if drafts.keep(Draft.CHANGE, view.enterprise_id, agency_id, wanted, revision=view.revision):
                    return see_other(f"/agencies/{agency_id}/change/check")
                drafts.too_long(form, shown)
    page = render_template(
        "delegation/change.html", agency=shown, form=form, questions=tree(form, shown), nothing=nothing, text=text
    )
    return page, 422 if form.errors else 200


@blueprint.get("/agencies/<agency_id>/change/check")
@pes_required
def check(agency_id: str) -> ResponseReturnValue:
    """Show what would change, who would lose what, who would get what; nothing is sent yet."""
    shown, view = _changeable(agency_id)
    wanted = drafts.kept(Draft.CHANGE, acting().enterprise_id, agency_id)
    if view is None or wanted is None:
        return see_other(f"/agencies/{agency_id}" if view is None else f"/agencies/{agency_id}/change")
    if not still_fits(shown, wanted.answers, wanted.blocks):
        return _asked_otherwise(agency_id)
    if drafts.seen_revision(Draft.CHANGE) != view.revision:
        return _conflict_page(shown, view, wanted)
    return _check_page(shown, view, wanted, ChangeForm(), 200)


@blueprint.post("/agencies/<agency_id>/change/check")
@pes_required
@fresh_sign_in_required
def send(agency_id: str) -> ResponseReturnValue:
    """Send exactly what was shown; show it again when anything it rests on changed meanwhile."""
    here = acting()
    shown = catalogue_services.agency(agency_id)
    view = subscription_services.subscription(here.enterprise_id, agency_id)
    wanted = drafts.kept(Draft.CHANGE, here.enterprise_id, agency_id)
    if view is None or wanted is None:  # sent already, by a first click
        return see_other(f"/agencies/{agency_id}")
    if not still_fits(shown, wanted.answers, wanted.blocks):
        return _asked_otherwise(agency_id)
    seen_revision, seen_rights = (
        drafts.seen_revision(Draft.CHANGE),
        grant_services.revision(view.enterprise_id, agency_id),
    )
    form = ChangeForm()
    if view.revision == seen_revision and view.may_change:
        if request.form.get("seen") != _seen(view, shown, wanted, seen_rights):
            return _check_page(shown, view, wanted, form, 409)
        if not form.fits(*_asks(view, shown, wanted)):
            return _check_page(shown, view, wanted, form, 422)
    try:
        sent = change_services.ask(
            here.enterprise_id,
            agency_id,
            answers=wanted.answers,
            blocks=wanted.blocks,
            extends=form.extends.data == "yes",
            by=here.person.id,
            seen_revision=seen_revision,
            seen_rights=seen_rights,
            consent_digest=shown.consent.digest if form.consent.data else None,
            now=now(),
        )
    except ConflictError:
        there = subscription_services.subscription(here.enterprise_id, agency_id) or view
        if there.revision == seen_revision:  # the rights of people, or the consent text
            return _check_page(shown, there, wanted, form, 409)
        return _conflict_page(shown, there, wanted)
    drafts.drop(Draft.CHANGE)
    return _sent(sent, shown)


@blueprint.post("/agencies/<agency_id>/change/withdraw")
@pes_required
@fresh_sign_in_required
def withdraw(agency_id: str) -> ResponseReturnValue:
    """Take back the change that waits; what stands goes on counting."""
    here, seen = acting(), request.form.get("revision", -1, type=int)
    catalogue_services.agency(agency_id)
    try:
        change_services.withdraw(here.enterprise_id, agency_id, by=here.person.id, seen_revision=seen, now=now())
        flash(_("The change was withdrawn. The subscription stays as it was."), "success")
    except ConflictError:
        flash(_("The change was decided or withdrawn meanwhile. What counts now is below."), "warning")
    return see_other(f"/agencies/{agency_id}")


def _changeable(agency_id: str) -> tuple[Agency, SubscriptionView | None]:
    """Return an agency and the subscription to change; None, with the reason as a notice, when it cannot be changed now."""
    shown = catalogue_services.agency(agency_id)
    view = subscription_services.subscription(acting().enterprise_id, agency_id)
    if view is not None and view.may_change:
        return shown, view
    if view is not None and view.state is SubscriptionState.CHANGING:
        flash(_("A change already waits for the agency: withdraw it first, or wait for the answer."), "warning")
    else:
        flash(_("Only an active subscription can be changed."), "warning")
    return shown, None


def _filled(view: SubscriptionView) -> Content:
    """Return what the form shows: what stands, unless the address asks for what was not sent yet or not accepted."""
    asked, last = request.args.get("from"), change_services.last(view.id)
    draft = drafts.kept(Draft.CHANGE, view.enterprise_id, view.agency_id)
    if asked == "draft" and draft is not None:
        return draft
    if asked == "last" and last is not None:
        return last.after
    return change_services.content_of(view)


def _asked_otherwise(agency_id: str) -> ResponseReturnValue:
    flash(
        _("The agency changed its questions or its blocks meanwhile. Your answers are kept: look at them again."),
        "warning",
    )
    return see_other(f"/agencies/{agency_id}/change?from=draft")


def _asks(view: SubscriptionView, shown: Agency, wanted: Content) -> tuple[bool, bool]:
    """Return whether the confirmation asks what unrestricted access becomes, and for consent."""
    changed = difference(change_services.content_of(view), wanted)
    extends = (
        bool(changed.added)
        and impact_services.of_change(view.enterprise_id, view.agency_id, changed, now()).unrestricted.total > 0
    )
    return extends, change_services.consent_needed(view, changed, shown)


def _seen(view: SubscriptionView, shown: Agency, wanted: Content, rights: int) -> str:
    """Return the digest of all that the confirmation rests on: another tab, another person and the agency all change it."""
    basis = [view.revision, rights, shown.consent.digest, wanted.blocks, sorted(wanted.answers.items())]
    return hashlib.sha256(json.dumps(basis).encode()).hexdigest()


def _check_page(
    shown: Agency, view: SubscriptionView, wanted: Content, form: ChangeForm, status: int
) -> ResponseReturnValue:
    before = change_services.content_of(view)
    changed = difference(before, wanted)
    impact = impact_services.of_change(
        view.enterprise_id,
        shown.id,
        changed,
        now(),
        page=request.args.get("page", 1, type=int),
        further=request.args.get("further", 1, type=int),
    )
    concerned = (*impact.losing.shown, *impact.software.shown, *impact.unrestricted.shown)
    page = render_template(
        "delegation/change_check.html",
        agency=shown,
        form=form,
        blocks=blocks_compared(before.blocks, wanted.blocks),
        labels=block_labels(shown.id),
        answers=answers_compared(shown, before, wanted),
        impact=impact,
        names=names(view.enterprise_id, (holder.id for holder in concerned)),
        changed=changed,
        consent=change_services.consent_needed(view, changed, shown),
        seen=_seen(view, shown, wanted, grant_services.revision(view.enterprise_id, shown.id)),
        meanwhile=status == 409,
        text=text,
    )
    return page, status


def _conflict_page(shown: Agency, view: SubscriptionView, wanted: Content) -> ResponseReturnValue:
    """Say that the subscription changed meanwhile, with what was wanted beside what is there now."""
    waiting = change_services.waiting(view.id)
    last = subscription_services.history(view.id)[-1]
    there = change_services.content_of(view)
    page = render_template(
        "delegation/change_conflict.html",
        agency=shown,
        rows=contents_compared(shown, wanted, there, waiting.after if waiting else None),
        waiting=waiting is not None,
        may_change=view.may_change,
        what=EVENTS[last.event],
        who=names(view.enterprise_id, [last.actor.id])[last.actor.id] if last.actor.id else _("the agency’s rule"),
        at=last.at,
        text=text,
    )
    return page, 409


def _sent(sent: SubscriptionView, shown: Agency) -> ResponseReturnValue:
    last, agency_name = change_services.last(sent.id), text(shown.name)
    if sent.state is SubscriptionState.CHANGING:
        words = _(
            "The change was sent. A person at %(agency)s will decide; until then nothing changes.", agency=agency_name
        )
        flash(words, "success")
    elif last is not None and last.outcome is ChangeOutcome.REFUSED:
        words = _(
            "%(agency)s refused the change. The subscription stays as it was; the reason is below.", agency=agency_name
        )
        flash(words, "warning")
    else:
        flash(_("The change is in force."), "success")
        if last is not None and last.difference.removed:
            return see_other(f"/agencies/{shown.id}/rights/saved")
    return see_other(f"/agencies/{shown.id}")
