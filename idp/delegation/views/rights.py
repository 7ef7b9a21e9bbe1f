"""The rights matrix of one agency: change, preview, confirm, see what the agency confirmed."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, current_app, flash, render_template, request
from flask.typing import ResponseReturnValue

from ...accounts.sign_in.confirming import fresh_sign_in_required
from ...errors import ConflictError, NotFoundError
from ...http.web import now, see_other
from ...http.web_forms import clean_line
from ...i18n import gettext as _
from ...i18n import long_date
from .. import presenting, services
from ..acting import acting, pes_required
from ..catalogue import catalogue_services
from ..forms import REASONS, RightsForm, read, shown
from ..people.domain.roles import Role
from ..requests import request_services
from ..requests.request_services import AnsweredError
from ..rights.domain import previews
from ..rights.domain.authority import UNRESTRICTED
from ..rights.facts_services import FactsReading, read_members
from ..rights.rights_services import Matrix, Right

blueprint = Blueprint("rights", __name__)

MOST_COLUMNS = 12  # users side by side; beyond, one at a time, found by name
_LAST_PAGE = 2000
_LONGEST_TOKEN = 6000  # beyond, the preview is shown without an address of its own


@dataclass(frozen=True, slots=True)
class PersonChange:
    """One person on the preview."""

    name: str
    blocks: tuple[previews.BlockChange, ...]
    before: Right
    after: Right
    everything_before: bool
    everything_after: bool
    both_ends: tuple[tuple[str, str], ...]
    told: str
    told_blocks: tuple[str, ...]

    @property
    def end_changed(self) -> bool:
        """Return whether the end date would move."""
        return bool(self.before.blocks and self.after.blocks) and self.before.until != self.after.until


@blueprint.get("/agencies/<agency_id>/rights")
@pes_required
def rights(agency_id: str) -> ResponseReturnValue:
    """Show users and blocks of one agency, every person or, with ``person``, one at a time."""
    one = request.args.get("person")
    if one is None and services.count_members(acting().enterprise_id, Role.USER) > MOST_COLUMNS:
        return _choice_page(agency_id)
    matrix = _matrix(agency_id, [one] if one is not None else None)
    return _matrix_page(matrix, shown(matrix, now()), one)


@blueprint.post("/agencies/<agency_id>/rights")
@pes_required
def check(agency_id: str) -> ResponseReturnValue:
    """Check what was chosen; nothing is written before the confirmation page."""
    sent = request.form.getlist("user")
    matrix, here = _matrix(agency_id, sent), acting()
    for membership_id in sent:
        services.membership(here.enterprise_id, membership_id)
        if matrix.user(membership_id) is None:
            raise NotFoundError("not a user of this matrix")
    names = _names(matrix)
    form = read(request.form, matrix, now(), names=names)
    if not form.errors:
        against = services.objections(here.enterprise_id, agency_id, form.wanted, granter_id=here.person.id, now=now())
        for membership_id, reasons in against.items():
            for reason in reasons:
                sentence = _("%(name)s: %(reason)s", name=names[membership_id], reason=REASONS[reason])
                form.object_to(membership_id, sentence)
    one = request.form.get("person")
    if form.errors:
        return _matrix_page(matrix, form, one)
    changed = tuple(right for right in form.wanted if not _unchanged(matrix, right))
    if not changed:
        return _matrix_page(matrix, form, one, nothing=True)
    token = _token(matrix, changed)
    if len(token) > _LONGEST_TOKEN:
        return _preview_page(matrix, token, changed)
    return see_other(f"/agencies/{agency_id}/rights/preview?changes={token}")


@blueprint.get("/agencies/<agency_id>/rights/preview")
@pes_required
def preview(agency_id: str) -> ResponseReturnValue:
    """Show what would change, what the agency would receive, and ask to confirm."""
    if "changes" not in request.args:  # the person who gives up confirming who they are
        return see_other(f"/agencies/{agency_id}/rights")
    previewed = _opened(request.args["changes"], agency_id)
    wanted = _wanted(previewed)
    matrix = _matrix(agency_id, [right.membership_id for right in wanted])
    if matrix.revision != previewed.revision and previewed.request_id is None:
        if all(_unchanged(matrix, right) for right in wanted):
            return see_other(f"/agencies/{agency_id}/rights/saved")
        return _conflict_page(matrix, wanted)
    if matrix.revision != previewed.revision:  # the page of the request starts from the rights that there are now
        return see_other(f"/requests/{previewed.request_id}")
    return _preview_page(matrix, request.args["changes"], wanted, previewed.request_id)


@blueprint.post("/agencies/<agency_id>/rights/preview")
@pes_required
@fresh_sign_in_required
def save(agency_id: str) -> ResponseReturnValue:
    """Save exactly what was shown; refuse when another person saved meanwhile."""
    here = acting()
    previewed = _opened(request.form.get("changes", ""), agency_id)
    wanted = _wanted(previewed)
    try:
        if previewed.request_id is not None:
            request_services.grant(
                previewed.request_id,
                wanted[0],
                enterprise_id=here.enterprise_id,
                by=here.person.id,
                seen_revision=previewed.revision,
                now=now(),
            )
            flash(_("The request is granted. The person receives an e-mail."), "success")
        else:
            services.set_rights(
                here.enterprise_id,
                agency_id,
                wanted,
                granter_id=here.person.id,
                seen_revision=previewed.revision,
                now=now(),
            )
    except AnsweredError:
        flash(_("This request was answered already, or is no longer open."), "info")
        return see_other(f"/requests/{previewed.request_id}")
    except ConflictError:
        return _conflict_page(_matrix(agency_id, [right.membership_id for right in wanted]), wanted)
    return see_other(f"/agencies/{agency_id}/rights/saved")


@blueprint.get("/agencies/<agency_id>/rights/saved")
@pes_required
def saved(agency_id: str) -> ResponseReturnValue:
    """Show what the last change took away, and whether the agency confirmed it."""
    here, matrix = acting(), _matrix(agency_id, ())
    found = services.removals(here.enterprise_id, agency_id=agency_id, since=matrix.changed_at, limit=50)
    names = presenting.names(here.enterprise_id, (removal.person_id for removal in found))
    removals = [
        {
            "name": names[removal.person_id],
            "blocks": removal.blocks,
            "state": presenting.removal_state(removal),
            "waiting": removal.confirmed_at is None,
        }
        for removal in found
    ]
    return render_template(
        "delegation/rights_saved.html",
        agency=_agency(agency_id),
        removals=removals if matrix.changed_at else [],
        waiting=any(removal["waiting"] for removal in removals),
        changed_at=matrix.changed_at,
        labels=presenting.block_labels(agency_id),
    )


def _agency(agency_id: str) -> dict[str, str]:
    return {"id": agency_id, "name": presenting.agency_name(agency_id)}


def _matrix(agency_id: str, of: Collection[str] | None) -> Matrix:
    """Return the rights of the users with the memberships *of*, or of every user."""
    catalogue_services.agency(agency_id)
    return services.matrix(acting().enterprise_id, agency_id, now(), of=of)


def _choice_page(agency_id: str) -> str:
    """Show the users by name, found by words and 25 a page: too many for the columns of one table."""
    here = acting()
    catalogue_services.agency(agency_id)
    words = clean_line(request.args.get("q", ""))[:80]
    page = min(max(request.args.get("page", 1, type=int), 1), _LAST_PAGE)
    views, more = services.page_of_members(here.enterprise_id, words=words, page=page, roles=(Role.USER,))
    held = services.rights_of_members(here.enterprise_id, now(), of=[view.id for view in views])
    return render_template(
        "delegation/matrix_people.html",
        agency=_agency(agency_id),
        people=[
            (view, next((right for agency, right in held.get(view.id, ()) if agency == agency_id), None))
            for view in views
        ],
        unrestricted=UNRESTRICTED,
        words=words,
        page=page,
        more=more and page < _LAST_PAGE,
    )


def _names(matrix: Matrix) -> dict[str, str]:
    """Return the names of the matrix's users by membership id."""
    people = presenting.names(acting().enterprise_id, (user.person_id for user in matrix.users))
    return {user.right.membership_id: people[user.person_id] for user in matrix.users}


def _matrix_page(matrix: Matrix, form: RightsForm, one: str | None, *, nothing: bool = False) -> ResponseReturnValue:
    if one is not None and matrix.user(one) is None:
        raise NotFoundError("not a user of this matrix")
    names = _names(matrix)
    users = sorted(matrix.users, key=lambda user: names[user.right.membership_id].casefold())
    return render_template(
        "delegation/matrix.html",
        agency=_agency(matrix.agency_id),
        matrix=matrix,
        users=[user for user in users if one in (None, user.right.membership_id)],
        everybody=users,
        one=one,
        names=names,
        labels=presenting.block_labels(matrix.agency_id),
        typed=form.typed,
        problems=form.errors,
        nothing=nothing,
        statuses=presenting.STATUSES,
    )


def _unchanged(matrix: Matrix, right: Right) -> bool:
    user = matrix.user(right.membership_id)
    return user is not None and right.same_as(user.right)


def _token(matrix: Matrix, wanted: tuple[Right, ...]) -> str:
    here = acting()
    triples = tuple((right.membership_id, right.blocks, right.until) for right in wanted)
    previewed = previews.PreviewedRights(here.enterprise_id, matrix.agency_id, here.person.id, matrix.revision, triples)
    return previews.sign(previewed, _secret(), now())


def _opened(token: str, agency_id: str) -> previews.PreviewedRights:
    """Return what a token holds, when it was made for this person, enterprise and agency."""
    here = acting()
    previewed = previews.open_token(token, _secret(), now())
    if previewed is None:
        raise ConflictError("the preview is forged or too old")
    if (previewed.enterprise_id, previewed.agency_id, previewed.person_id) != (
        here.enterprise_id,
        agency_id,
        here.person.id,
    ):
        raise NotFoundError("the preview is somebody else's")
    return previewed


def _secret() -> bytes | str:
    secret: bytes | str | None = current_app.secret_key
    if not secret:
        raise RuntimeError("no secret key")
    return secret


def _wanted(previewed: previews.PreviewedRights) -> tuple[Right, ...]:
    return tuple(Right(membership_id, blocks, until) for membership_id, blocks, until in previewed.wanted)


def _preview_page(
    matrix: Matrix, token: str, wanted: tuple[Right, ...], request_id: str | None = None
) -> ResponseReturnValue:
    agency = catalogue_services.agency(matrix.agency_id)
    readings = _by_membership(
        read_members(acting().enterprise_id, matrix.agency_id, [right.membership_id for right in wanted], now=now())
    )
    pairs = tuple((other, block.code) for block in agency.blocks if (other := block.checker_of))
    names = _names(matrix)
    return render_template(
        "delegation/preview.html",
        agency=_agency(matrix.agency_id),
        changes=[_person_change(matrix, right, readings, pairs, names) for right in wanted],
        token=token,
        labels=presenting.block_labels(matrix.agency_id),
        back=f"/requests/{request_id}" if request_id else f"/agencies/{matrix.agency_id}/rights",
    )


def _by_membership(readings: tuple[FactsReading, ...]) -> dict[str, FactsReading]:
    return {fact.id: reading for reading in readings for fact in reading.facts.memberships}


def _person_change(
    matrix: Matrix,
    right: Right,
    readings: dict[str, FactsReading],
    pairs: tuple[tuple[str, str], ...],
    names: dict[str, str],
) -> PersonChange:
    reading, user = readings[right.membership_id], matrix.user(right.membership_id)
    if user is None:
        raise NotFoundError("not a user of this matrix")
    facts = previews.as_if(reading.facts, right.membership_id, right.blocks, right.until, now())
    version = (reading.projected.version if reading.projected else 0) + 1
    authority, told = previews.previewed_claims(facts, now(), version=version)
    after = matrix.codes(right)
    return PersonChange(
        name=names[right.membership_id],
        blocks=previews.differences(matrix.available, matrix.codes(user.right), after),
        before=user.right,
        after=right,
        everything_before=UNRESTRICTED in user.right.blocks,
        everything_after=UNRESTRICTED in right.blocks,
        both_ends=previews.both_ends(pairs, after),
        told=json.dumps(told, ensure_ascii=False, indent=2),
        told_blocks=authority.blocks if authority else (),
    )


def _conflict_page(matrix: Matrix, wanted: tuple[Right, ...]) -> ResponseReturnValue:
    """Say that another person saved, with what was wanted beside what is there now."""
    names = _names(matrix)
    rows: list[dict[str, Any]] = []
    for right in wanted:
        user = matrix.user(right.membership_id)
        there = user.right if user else Right(right.membership_id, frozenset(), None)
        name = names.get(right.membership_id, "")
        rows.append({"name": name, "wanted": in_words(matrix, right), "present": in_words(matrix, there)})
    by = presenting.names(acting().enterprise_id, [matrix.changed_by]) if matrix.changed_by else {}
    page = render_template(
        "delegation/rights_conflict.html",
        agency=_agency(matrix.agency_id),
        rows=rows,
        changed_by=by.get(matrix.changed_by or ""),
        changed_at=matrix.changed_at,
    )
    return page, 409


def in_words(matrix: Matrix, right: Right) -> str:
    """Return what a right gives, as one phrase."""
    if not right.blocks or right.until is None:
        return _("No access")
    until = long_date(right.until)
    if UNRESTRICTED in right.blocks:
        return _("Unrestricted access until %(date)s", date=until)
    return _("Blocks %(codes)s until %(date)s", codes=", ".join(sorted(matrix.codes(right))), date=until)
