"""Pages about people: the choice of the enterprise, the list, one person, the PES roster."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, Response, flash, render_template, request
from flask.typing import ResponseReturnValue

from ...accounts import services as accounts
from ...accounts.recovery.reproofing_services import latest as latest_reproofing
from ...accounts.sessions.sessions import open_to_weak_sign_in, safe_next
from ...accounts.sign_in.confirming import fresh_sign_in_required
from ...accounts.user_codes import slips
from ...accounts.user_codes.domain.states import CodeState
from ...db import sort_key
from ...errors import ConflictError, NotFoundError
from ...http.web import now, see_other
from ...http.web_forms import clean_line
from ...i18n import gettext as _
from .. import presenting, services
from ..acting import acting, ar_or_pes_required, authorized_representative_required, pes_required, signed_in
from ..forms import PersonForm, sentences
from ..people import question_services
from ..people.domain.finding import find
from ..people.domain.roles import MembershipStatus, Role
from ..people.newcomer_services import Newcomer
from ..people.people_services import MembershipView
from ..people.reproofing_services import may_reprove, may_unlock
from ..people.vouching_services import may_vouch_name, vouch_name
from ..rights.domain import rules

blueprint = Blueprint("people", __name__)

SAME_SUBMISSION = timedelta(minutes=10)  # a second submission of the same person within it is the same one


@blueprint.get("/enterprises")
@open_to_weak_sign_in
def choose() -> ResponseReturnValue:
    """Show the enterprises the person may act for; suspended ones with the reason."""
    sign_in, person = signed_in()
    views = services.best_memberships(services.memberships_of(person.id))
    usable = [view for view in views if view.counts]
    words = clean_line(request.args.get("q", ""))[:80]
    found = find(
        usable,
        words,
        request.args.get("page", 1, type=int),
        text=lambda view: f"{sort_key(view.enterprise_name)} {view.neq}",
        fold=sort_key,
    )
    return render_template(
        "delegation/enterprises.html",
        usable=usable,
        found=found,
        words=words,
        others=[view for view in views if not view.counts],
        current=sign_in.enterprise_id,
        next_path=safe_next(request.args.get("next")),
        roles=presenting.ROLES,
    )


@blueprint.post("/enterprises")
@open_to_weak_sign_in
def take_enterprise() -> ResponseReturnValue:
    """Act for one of the person's enterprises from now on."""
    sign_in, person = signed_in()
    wanted = request.form.get("enterprise", "")
    usable = {view.enterprise_id for view in services.memberships_of(person.id) if view.counts}
    if wanted not in usable:
        raise NotFoundError("not an enterprise of this person")
    accounts.set_enterprise(sign_in, wanted, now())
    following = safe_next(request.form.get("next"))
    return see_other("/home" if following == "/" else following)


_LAST_PAGE = 2000  # 50,000 people; a search finds the others
_STATUS_FILTERS = {status.value: status for status in (MembershipStatus.ACTIVE, MembershipStatus.SUSPENDED)}


@blueprint.get("/people")
@pes_required
def people() -> ResponseReturnValue:
    """List the people of the enterprise by name, 25 a page, with where they hold rights and until when."""
    enterprise_id = acting().enterprise_id
    words = clean_line(request.args.get("q", ""))[:80]
    status = _STATUS_FILTERS.get(request.args.get("status", ""))
    page = min(max(request.args.get("page", 1, type=int), 1), _LAST_PAGE)
    views, more = services.page_of_members(enterprise_id, words=words, status=status, page=page)
    return render_template(
        "delegation/people.html",
        people=presenting_people(views),
        words=words,
        status=status.value if status else "",
        page=page,
        more=more and page < _LAST_PAGE,
        any_user=services.count_members(enterprise_id, Role.USER) > 0,
    )


def presenting_people(views: tuple[MembershipView, ...]) -> list[dict[str, object]]:
    """Return what a list shows of each membership."""
    known = accounts.people({view.person_id for view in views})
    codes = accounts.user_codes({view.user_code for view in views})
    lockouts = accounts.lockouts_of(known, now=now())
    here = acting()
    held = services.rights_of_members(here.enterprise_id, now(), of=[view.id for view in views]) if here.is_pes else {}
    rows: list[dict[str, object]] = []
    for view in views:
        person, code = known[view.person_id], codes.get(view.user_code)
        access = held.get(view.id, ())
        lockout = accounts.Lockout() if view.is_removed else lockouts[view.person_id]
        rows.append(
            {
                "view": view,
                "last_sign_in": None if view.is_removed else person.last_sign_in_at,
                "role": presenting.ROLES[view.role],
                "status": presenting.STATUSES[view.status],
                "lockout": lockout,
                "closed": presenting.lockout_state(lockout),
                "code": presenting.code_state(code),
                "first_use": (code.first_used_at or code.activated_at) if code else None,
                "agencies": [(presenting.agency_name(agency), right) for agency, right in access],
                "next_end": min((right.until for _agency, right in access if right.until), default=None),
            }
        )
    return rows


@blueprint.route("/people/new", methods=["GET", "POST"])
@pes_required
@fresh_sign_in_required
def new_user() -> ResponseReturnValue:
    """Create a user; their two slips follow, once."""
    return _add(Role.USER, back="/people")


@blueprint.route("/roster/new", methods=["GET", "POST"])
@authorized_representative_required
@fresh_sign_in_required
def new_pes() -> ResponseReturnValue:
    """Add a PES; their two slips follow, once."""
    return _add(Role.PES, back="/roster")


def _add(role: Role, *, back: str) -> ResponseReturnValue:
    form, here = PersonForm(), acting()
    if form.validate_on_submit():
        add = services.create_user if role is Role.USER else services.add_pes
        try:
            newcomer = add(
                here.enterprise_id,
                given_name=form.given_name.data,
                family_name=form.family_name.data,
                email=form.email.data,
                language=form.language.data,
                by=here.person.id,
                now=now(),
            )
        except ConflictError:
            again = _same_submission(form, role)
            if again is not None:
                return slips_of(again, back)
            form.email.errors = [_("A person of the enterprise already has this address")]
        else:
            return slips_of(newcomer, back)
    return render_template("delegation/person_new.html", form=form, role=role, back=back)


def _same_submission(form: PersonForm, role: Role) -> Newcomer | None:
    """Return a new password for the person who this form created a moment ago: a double submission is one creation."""
    here = acting()
    for view in services.known_here(here.enterprise_id, form.email.data):
        same = view.vouched_for == (form.given_name.data, form.family_name.data)
        fresh = view.role is role and view.appointed_at + SAME_SUBMISSION > now()
        code = accounts.user_codes([view.user_code]).get(view.user_code)
        if same and fresh and code is not None and code.first_used_at is None:
            return services.reissue(here.enterprise_id, view.id, by=here.person.id, now=now())
    return None


def slips_of(newcomer: Newcomer, back: str) -> ResponseReturnValue:
    """Show the slips of a person, once; a person who keeps their code has none."""
    name = services.membership(acting().enterprise_id, newcomer.membership_id).name
    if newcomer.temporary is None:
        flash(_("%(name)s keeps the user code they already have here.", name=name), "success")
        return see_other(back)
    page: Response = slips.slips_page(
        user_code=newcomer.user_code,
        person_name=name,
        enterprise_name=acting().membership.enterprise,
        temporary=newcomer.temporary,
        back_href=f"/people/{newcomer.membership_id}",
        now=now(),
    )
    return page


@blueprint.get("/people/<membership_id>")
@ar_or_pes_required
def person(membership_id: str) -> ResponseReturnValue:
    """Show one person: who they are, what they hold, what may be done."""
    here = acting()
    view = visible(membership_id)
    row = presenting_people((view,))[0]
    by = here.person.id
    return render_template(
        "delegation/person.html",
        row=row,
        view=view,
        linked_at=None if view.is_removed else services.linked_at(view),
        is_unreachable=not view.is_removed and accounts.contact(accounts.person(view.person_id).email).is_refused,
        may_suspend=bool(services.may_suspend(here.enterprise_id, view.id, by=by)),
        may_reactivate=bool(services.may_reactivate(here.enterprise_id, view.id, by=by)),
        may_remove=bool(services.may_remove(here.enterprise_id, view.id, by=by)),
        may_reissue=_may_reissue(view),
        may_reprove=may_reprove(here.enterprise_id, view.id, by=by),
        may_unlock=may_unlock(here.enterprise_id, view.id, by=by, now=now()),
        may_vouch_name=may_vouch_name(here.enterprise_id, view.id, by=by),
        reproofing=None if view.is_removed else latest_reproofing(view.person_id),
        last_pes=rules.DenialReason.LAST_PES in services.may_suspend(here.enterprise_id, view.id, by=by).reasons,
        rights=_rights(view),
        agency_name=presenting.agency_name,
        labels=presenting.block_labels,
        removals=_removals(view) if here.is_pes else (),
        is_pes=here.is_pes,
        back="/people" if here.is_pes else "/roster",
    )


def _rights(view: MembershipView) -> tuple[tuple[str, services.Right], ...]:
    """Return what a member was granted; only a PES sees it."""
    if not acting().is_pes:
        return ()
    return services.rights_of_members(view.enterprise_id, now()).get(view.id, ())


def visible(membership_id: str) -> MembershipView:
    """Return a member this person may see: a PES sees every person, the AR the PES and themself."""
    here = acting()
    view = services.membership(here.enterprise_id, membership_id)
    if here.is_pes or view.role is not Role.USER:
        return view
    raise NotFoundError("users are for the PES to see")


def _may_reissue(view: MembershipView) -> bool:
    here = acting()
    code = accounts.user_codes([view.user_code]).get(view.user_code)
    unused = code is not None and code.state not in (CodeState.ACTIVATED, CodeState.REVOKED)
    return unused and services.may_reissue(here.enterprise_id, view.id, by=here.person.id)


def _removals(view: MembershipView) -> list[dict[str, object]]:
    found = services.removals(view.enterprise_id, limit=50)
    mine = [removal for removal in found if removal.person_id == view.person_id][:5]
    return [
        {
            "removal": removal,
            "agency": presenting.agency_name(removal.agency_id),
            "reason": presenting.REMOVAL_REASONS[services.RemovalReason(removal.reason)],
            "state": presenting.removal_state(removal),
        }
        for removal in mine
    ]


@blueprint.post("/people/<membership_id>/slips")
@ar_or_pes_required
@fresh_sign_in_required
def new_slips(membership_id: str) -> ResponseReturnValue:
    """Issue a new temporary password for a person who has not activated their code."""
    here = acting()
    view = visible(membership_id)
    try:
        newcomer = services.reissue(here.enterprise_id, view.id, by=here.person.id, now=now())
    except ConflictError:
        flash(_("This code is already activated: no new password can be issued."), "warning")
        return see_other(f"/people/{view.id}")
    return slips_of(newcomer, f"/people/{view.id}")


@blueprint.get("/people/<membership_id>/vouch")
@ar_or_pes_required
def confirm_vouch(membership_id: str) -> ResponseReturnValue:
    """Show the name that would be vouched for, beside the one that was; a name that is covered has no such page."""
    view = visible(membership_id)
    if not may_vouch_name(view.enterprise_id, view.id, by=acting().person.id):
        return see_other(f"/people/{view.id}")
    return render_template("delegation/person_vouch.html", view=view)


@blueprint.post("/people/<membership_id>/vouch")
@ar_or_pes_required
@fresh_sign_in_required
def vouch(membership_id: str) -> ResponseReturnValue:
    """Vouch for the name that the page showed; doing it again changes nothing."""
    here, view = acting(), visible(membership_id)
    shown = {name: request.form.get(name, "") for name in ("given_name", "family_name")}
    try:
        vouch_name(here.enterprise_id, view.id, **shown, by=here.person.id, now=now())
    except ConflictError:
        flash(_("The name changed meanwhile: read it again before you vouch for it."), "warning")
        return see_other(f"/people/{view.id}/vouch")
    flash(_("You vouched for the name of %(name)s.", name=view.name), "success")
    return see_other(f"/people/{view.id}")


ACTS = {
    "suspend": (services.may_suspend, services.suspend_member),
    "reactivate": (services.may_reactivate, services.reactivate_member),
    "remove": (services.may_remove, services.remove_member),
}


@blueprint.get("/people/<membership_id>/<any(suspend, reactivate, remove):act>")
@ar_or_pes_required
def confirm_act(membership_id: str, act: str) -> ResponseReturnValue:
    """Ask before suspending, reactivating or removing a person, and say what will follow."""
    here = acting()
    view = visible(membership_id)
    decision = ACTS[act][0](here.enterprise_id, view.id, by=here.person.id)
    return _act_page(view, act, decision.reasons)


def _act_page(view: MembershipView, act: str, reasons: tuple[rules.DenialReason, ...]) -> str:
    return render_template(
        "delegation/person_act.html",
        view=view,
        act=act,
        name=view.name,
        reasons=sentences(reasons),
        rights=_rights(view),
        agency_name=presenting.agency_name,
        labels=presenting.block_labels,
    )


@blueprint.post("/people/<membership_id>/<any(suspend, reactivate, remove):act>")
@ar_or_pes_required
@fresh_sign_in_required
def do_act(membership_id: str, act: str) -> ResponseReturnValue:
    """Suspend, reactivate or remove a person; doing it again changes nothing."""
    here = acting()
    view = visible(membership_id)
    decision = ACTS[act][1](here.enterprise_id, view.id, by=here.person.id, now=now())
    name = view.name
    if not decision and set(decision.reasons) - {rules.DenialReason.ALREADY_SO, rules.DenialReason.MEMBER_REMOVED}:
        return _act_page(view, act, decision.reasons), 403
    flash(_done(act, name), "success")
    gone = act == "remove" or not here.is_pes
    return see_other(("/people" if here.is_pes else "/roster") if gone else f"/people/{view.id}")


def _done(act: str, name: str) -> str:
    sentences_of = {
        "suspend": _("%(name)s is suspended. The agencies concerned are being notified.", name=name),
        "reactivate": _("%(name)s is active again, with the rights still in force.", name=name),
        "remove": _(
            "%(name)s no longer acts for the enterprise. The agencies concerned are being notified.", name=name
        ),
    }
    return sentences_of[act]


@blueprint.get("/roster")
@ar_or_pes_required
def roster() -> ResponseReturnValue:
    """Show the authorized representative and the PES; the AR adds, both suspend."""
    here = acting()
    views = services.members(here.enterprise_id, roles=(Role.AUTHORIZED_REPRESENTATIVE, Role.PES))
    active = [v for v in views if v.role is Role.PES and v.status is MembershipStatus.ACTIVE]
    return render_template(
        "delegation/roster.html",
        waiting=question_services.count_open(here.enterprise_id),
        people=presenting_people(views),
        may_add=here.is_authorized_representative,
        active_pes=len(active),
    )
