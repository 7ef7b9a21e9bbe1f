"""The software of an enterprise at an agency: which programs act for it, and the pages on which a PES approves and revokes them.

The representative reads the list; only a PES of the enterprise changes it. Nothing counts before the page that shows exactly what
the software will receive.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, current_app, flash, render_template, request
from flask.typing import ResponseReturnValue

from ...accounts.sign_in.confirming import fresh_sign_in_required
from ...clock import end_of_day
from ...delegation import presenting
from ...delegation import services as delegation
from ...delegation.acting import acting, ar_or_pes_required, pes_required
from ...delegation.catalogue import catalogue_services
from ...delegation.forms import REASONS
from ...delegation.people.domain.roles import Role
from ...delegation.rights import system_user_services
from ...delegation.rights.domain import rights_claims, rules, system_users
from ...delegation.rights.domain.authority import Authority, HeldBlocks, approval_id
from ...delegation.rights.domain.rules import DenialReason
from ...delegation.rights.domain.system_users import PreviewedSystemUser, SystemUserState, Wanted
from ...delegation.rights.system_user_services import SystemUserView
from ...errors import ConflictError, NotFoundError
from ...http.web import now, see_other
from ...i18n import gettext as _
from ...i18n import lazy_gettext as _l
from ..clients import software_services
from ..clients.software_services import Software
from ..forms import SystemUserForm

blueprint = Blueprint("oidc_systems", __name__)
STATES = {
    SystemUserState.ACTIVE: (_l("Active"), "green"),
    SystemUserState.ENDED: (_l("Ended"), "grey"),
    SystemUserState.REVOKED: (_l("Revoked"), "grey"),
}
_BESIDE = {  # which field an objection is about
    DenialReason.ALREADY_APPROVED: "software",
    DenialReason.BLOCK_NOT_HELD: "blocks",
    DenialReason.NOTHING_GRANTED: "blocks",
    DenialReason.END_PAST: "until",
    DenialReason.END_TOO_LATE: "until",
}


@dataclass(frozen=True, slots=True)
class SystemUserRow:
    """One system user on the list: what it may do now, or why it may do nothing."""

    view: SystemUserView
    software: Software | None
    approved_by: str
    usable: tuple[str, ...]
    stopped: str | None

    @property
    def is_active(self) -> bool:
        """Return whether there is something to revoke."""
        return self.view.state is SystemUserState.ACTIVE


@blueprint.get("/agencies/<agency_id>/systems")
@ar_or_pes_required
def systems(agency_id: str) -> str:
    """List the software that acts, or acted, for the enterprise at an agency."""
    who = acting()
    found = system_user_services.system_users(who.enterprise_id, agency_id, now=now())
    lines = _lines(who.enterprise_id, agency_id, found)
    return render_template(
        "oidc/systems.html",
        agency=_agency(agency_id),
        active=[line for line in lines if line.is_active],
        over=[line for line in lines if not line.is_active],
        states=STATES,
        labels=presenting.block_labels(agency_id),
        offered=bool(software_services.offered_by(agency_id)),
        subscribed=system_user_services.usable_blocks(who.enterprise_id, agency_id) is not None,
        who=who,
    )


@blueprint.route("/agencies/<agency_id>/systems/new", methods=["GET", "POST"])
@pes_required
def approve(agency_id: str) -> ResponseReturnValue:
    """Choose the software, its name here, its blocks and its last day; nothing is written before the next page."""
    who, agency = acting(), _agency(agency_id)
    usable = system_user_services.usable_blocks(who.enterprise_id, agency_id)
    offered = software_services.offered_by(agency_id)
    if usable is None or not offered:
        return see_other(f"/agencies/{agency_id}/systems")
    labels = presenting.block_labels(agency_id)
    form = SystemUserForm(until=rules.default_end(now()))
    form.software.choices = [(each.client_id, each.name) for each in offered]
    form.blocks.choices = [(code, f"{code} – {labels[code]}") for code in sorted(usable)]
    if form.validate_on_submit():
        wanted = Wanted(form.software.data, form.label.data, frozenset(form.blocks.data), form.last_day)
        if _agreed(form, agency_id, wanted):
            shown = PreviewedSystemUser(who.enterprise_id, agency_id, who.person.id, wanted)
            return see_other(
                f"/agencies/{agency_id}/systems/check?approval={system_users.sign(shown, _secret(), now())}"
            )
    approved = system_user_services.system_users(who.enterprise_id, agency_id, now=now())
    taken = {each.client_id for each in approved if each.state is SystemUserState.ACTIVE}
    hints = {each.client_id: _hint(each, is_approved=each.client_id in taken) for each in offered}
    page = render_template("oidc/system_new.html", agency=agency, form=form, hints=hints)
    return page, 422 if form.errors else 200


@blueprint.get("/agencies/<agency_id>/systems/check")
@pes_required
def check(agency_id: str) -> ResponseReturnValue:
    """Show who will come, for what, until when, and exactly what each token will say."""
    if "approval" not in request.args:  # the person who gives up confirming who they are
        return see_other(f"/agencies/{agency_id}/systems/new")
    who, wanted = acting(), _opened(request.args["approval"], agency_id)
    software = _software(agency_id, wanted.client_id)
    if system_user_services.objections(who.enterprise_id, agency_id, wanted, by=who.person.id, now=now()):
        raise ConflictError("what was shown may not be approved any more")
    return render_template(
        "oidc/system_check.html",
        agency=_agency(agency_id),
        wanted=wanted,
        software=software,
        proof=proof_of(software),
        told=json.dumps(_previewed_claims(agency_id, wanted), ensure_ascii=False, indent=2),
        labels=presenting.block_labels(agency_id),
        token=request.args["approval"],
        who=who,
    )


@blueprint.post("/agencies/<agency_id>/systems/check")
@pes_required
@fresh_sign_in_required
def confirm(agency_id: str) -> ResponseReturnValue:
    """Approve exactly what was shown."""
    who, wanted = acting(), _opened(request.form.get("approval", ""), agency_id)
    software = _software(agency_id, wanted.client_id)
    if system_user_services.objections(who.enterprise_id, agency_id, wanted, by=who.person.id, now=now()):
        raise ConflictError("what was shown may not be approved any more")
    system_user_services.approve(who.enterprise_id, agency_id, wanted, by=who.person.id, now=now())
    flash(
        _("%(name)s may now act for the enterprise (%(software)s).", name=wanted.name, software=software.name),
        "success",
    )
    return see_other(f"/agencies/{agency_id}/systems")


@blueprint.route("/agencies/<agency_id>/systems/<system_user_id>/revoke", methods=["GET", "POST"])
@pes_required
@fresh_sign_in_required
def revoke(agency_id: str, system_user_id: str) -> ResponseReturnValue:
    """Take an approval back, once the PES has read what ends."""
    who = acting()
    found = system_user_services.system_user(who.enterprise_id, system_user_id, now=now())
    if found.agency_id != agency_id:
        raise NotFoundError("at another agency")
    if found.state is not SystemUserState.ACTIVE:
        return see_other(f"/agencies/{agency_id}/systems")
    if request.method == "POST":
        system_user_services.revoke(who.enterprise_id, system_user_id, by=who.person.id, now=now())
        flash(_("%(name)s was revoked: it is given nothing any more.", name=found.name), "success")
        return see_other(f"/agencies/{agency_id}/systems")
    (line,) = _lines(who.enterprise_id, agency_id, (found,))
    return render_template(
        "oidc/system_revoke.html", agency=_agency(agency_id), line=line, labels=presenting.block_labels(agency_id)
    )


def _agency(agency_id: str) -> dict[str, str]:
    return {"id": agency_id, "name": presenting.agency_name(agency_id)}


def _agreed(form: SystemUserForm, agency_id: str, wanted: Wanted) -> bool:
    """Put what stands against *wanted* beside its fields."""
    who = acting()
    for reason in system_user_services.objections(who.enterprise_id, agency_id, wanted, by=who.person.id, now=now()):
        field = form[_BESIDE.get(reason, "software")]
        field.errors = [*field.errors, str(REASONS[reason])]
    return not form.errors


def _lines(enterprise_id: str, agency_id: str, found: tuple[SystemUserView, ...]) -> list[SystemUserRow]:
    programs = software_services.named(frozenset(view.client_id for view in found))
    names = presenting.names(enterprise_id, {view.approved_by for view in found})
    usable = system_user_services.usable_blocks(enterprise_id, agency_id)
    return [_line(view, programs.get(view.client_id), names[view.approved_by], usable) for view in found]


def _line(view: SystemUserView, software: Software | None, by: str, usable: frozenset[str] | None) -> SystemUserRow:
    """Return a line with what the approval is worth now: the same facts as a token rests on."""
    left = tuple(code for code in view.blocks if code in (usable or ()))
    stopped = None
    if view.state is SystemUserState.ACTIVE:
        if software is None or not software.is_offered:
            stopped = _("The agency has withdrawn this software: it is given nothing.")
        elif usable is None:
            stopped = _("The subscription to the agency is not active: the software is given nothing.")
        elif not left:
            stopped = _("The enterprise holds none of these blocks any more: the software is given nothing.")
    return SystemUserRow(view, software, by, () if stopped else left, stopped)


def _hint(software: Software, *, is_approved: bool) -> str:
    """Return what distinguishes a program from another one of the same name: its publisher, and by what it proves itself."""
    parts = [_("Already approved")] if is_approved else []
    parts += [_("Publisher: %(host)s", host=software.publisher)] if software.publisher else []
    return ". ".join([*parts, *proof_of(software)])


def proof_of(software: Software) -> list[str]:
    """Return by what a program proves itself, in words."""
    if software.certificate:
        return [_("Certificate: %(name)s", name=software.certificate)]
    if software.keys:
        return [_("Key: %(thumbprint)s", thumbprint=spaced(thumbprint)) for thumbprint in software.keys]
    return [_("Keys published at: %(host)s", host=software.jwks_host)]


def spaced(thumbprint: str) -> str:
    """Return a thumbprint in groups, to be compared by eye and to fit a narrow screen."""
    return " ".join(thumbprint[start : start + 8] for start in range(0, len(thumbprint), 8))


def _software(agency_id: str, client_id: str) -> Software:
    found = next((each for each in software_services.offered_by(agency_id) if each.client_id == client_id), None)
    if found is None:
        raise NotFoundError("no software of this agency that may be approved")
    return found


def _previewed_claims(agency_id: str, wanted: Wanted) -> dict[str, Any]:
    """Return what the agency would receive in each token, from the same projection as the token itself."""
    agency = catalogue_services.agency(agency_id)
    enterprise = delegation.enterprise(acting().enterprise_id)
    end: datetime = end_of_day(wanted.until)
    authority = Authority(
        person_id="…",
        enterprise_id=enterprise.id,
        neq=enterprise.neq,
        enterprise_name=enterprise.name,
        enterprise_status=enterprise.status,
        role=Role.SYSTEM,
        agency_id=agency_id,
        locations=tuple(agency.locations),
        catalogue_version=agency.catalogue_version,
        held=(HeldBlocks(tuple(sorted(wanted.blocks)), end, (approval_id("…"),)),),
        version=1,
    )
    compact = rights_claims.project(authority, frozenset({rights_claims.SCOPE_ENTERPRISE}))
    return {**compact, "authorization_details": rights_claims.authorization_details(authority)}


def _opened(token: str, agency_id: str) -> Wanted:
    """Return what a token holds, when it was made for this person, enterprise and agency."""
    who, shown = acting(), system_users.open_token(token, _secret(), now())
    if shown is None:
        raise ConflictError("the preview is forged or too old")
    if (shown.enterprise_id, shown.agency_id, shown.person_id) != (who.enterprise_id, agency_id, who.person.id):
        raise NotFoundError("the preview is somebody else's")
    return shown.wanted


def _secret() -> bytes | str:
    secret: bytes | str | None = current_app.secret_key
    if not secret:
        raise RuntimeError("no secret key")
    return secret
