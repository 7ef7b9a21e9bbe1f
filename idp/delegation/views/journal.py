"""The journal of an enterprise in plain sentences, and *why?* for any right."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from ... import audit
from ...accounts import services as accounts
from ...audit import Entry, Event
from ...audit.labels import label
from ...errors import NotFoundError
from ...http.web import now
from ...i18n import gettext as _
from ...i18n import lazy_gettext as _l
from ...i18n import long_date, long_datetime
from .. import presenting, services
from ..acting import acting, ar_or_pes_required
from ..catalogue import catalogue_services
from ..people.departure_services import ACCOUNT_CLOSED
from ..people.domain.roles import Role
from ..people.people_services import MembershipView
from ..rights import explanation_words, system_user_services
from ..rights.projection_services import RemovalReason

blueprint = Blueprint("journal", __name__)

PAGE = 50
MOST_LISTED = 100  # people in a choice; beyond, the page of a person leads to their journal and to “why?”
ROUTINE = (Event.SYSTEM_TOKEN_ISSUED,)  # software comes every five minutes: shown to who asks about that software

SENTENCES = {
    Event.GRANTED: _l("%(actor)s gave %(person)s access to %(blocks)s at %(agency)s until %(until)s."),
    Event.REVOKED: _l("%(actor)s took from %(person)s the access to %(blocks)s at %(agency)s."),
    Event.MEMBER_APPOINTED: _l("%(actor)s added %(person)s as: %(role)s."),
    Event.MEMBER_SUSPENDED: _l("%(actor)s suspended %(person)s."),
    Event.MEMBER_REACTIVATED: _l("%(actor)s reactivated %(person)s."),
    Event.MEMBER_REMOVED: _l("%(actor)s removed %(person)s from the enterprise."),
    Event.MEMBER_RENAMED: _l("%(former)s is now called %(new)s."),
    Event.MEMBER_VOUCHED: _l("%(actor)s vouched for the name of %(person)s."),
    Event.ENTERPRISE_REGISTERED: _l("The enterprise was registered; its authorized representative is %(person)s."),
    Event.ENTERPRISE_SUSPENDED: _l("%(actor)s suspended the enterprise."),
    Event.ENTERPRISE_REINSTATED: _l("%(actor)s reinstated the enterprise."),
    Event.PES_REMINDED: _l("%(actor)s reminded the persons in charge about %(agency)s."),
    Event.REQUEST_MADE: _l("%(person)s asked for access to %(blocks)s at %(agency)s until %(until)s."),
    Event.REQUEST_GRANTED: _l("%(actor)s granted the request of %(person)s for %(blocks)s at %(agency)s."),
    Event.REQUEST_REFUSED: _l("%(actor)s refused the request of %(person)s for %(blocks)s at %(agency)s."),
    Event.REQUEST_WITHDRAWN: _l("%(person)s withdrew the request for %(blocks)s at %(agency)s."),
    Event.REQUEST_EXPIRED: _l("The request of %(person)s for %(blocks)s at %(agency)s ended without an answer."),
    Event.SUBSCRIPTION_REQUESTED: _l("%(actor)s asked to subscribe the enterprise to %(agency)s, and consented."),
    Event.SUBSCRIPTION_ACCEPTED: _l("The subscription to %(agency)s was accepted."),
    Event.SUBSCRIPTION_REFUSED: _l("The subscription to %(agency)s was refused."),
    Event.SUBSCRIPTION_WITHDRAWN: _l("%(actor)s withdrew the subscription to %(agency)s."),
    Event.SUBSCRIPTION_SUSPENDED: _l("The subscription to %(agency)s was suspended."),
    Event.SUBSCRIPTION_CHANGE_ASKED: _l("%(actor)s asked to change the subscription to %(agency)s. %(change)s"),
    Event.SUBSCRIPTION_CHANGE_ACCEPTED: _l("The change of the subscription to %(agency)s was accepted. %(change)s"),
    Event.SUBSCRIPTION_CHANGE_REFUSED: _l(
        "The change of the subscription to %(agency)s was refused; it stays as it was."
    ),
    Event.SUBSCRIPTION_CHANGE_WITHDRAWN: _l("%(actor)s withdrew the change of the subscription to %(agency)s."),
    Event.SYSTEM_USER_APPROVED: _l(
        "%(actor)s approved the software %(person)s for %(blocks)s at %(agency)s until %(until)s."
    ),
    Event.SYSTEM_USER_REVOKED: _l("%(actor)s revoked the software %(person)s at %(agency)s."),
    Event.SYSTEM_TOKEN_ISSUED: _l("The software %(person)s came for %(blocks)s at %(agency)s."),
    Event.REMOVAL_CONFIRMED: _l("%(agency)s confirmed that %(person)s lost access."),
}
NO_SESSION = _l("%(person)s had no open session at %(agency)s: the removal is in force.")
LEFT = _l("%(person)s closed their account, and so left the enterprise.")
RENAMED_SINCE = _l("A person of the enterprise is now called %(new)s.")
DROPPED = _l(
    "%(person)s lost access to %(blocks)s at %(agency)s: %(actor)s changed the subscription of the enterprise."
)
ENDED = _l("The access of %(person)s to %(blocks)s at %(agency)s ended by itself.")


@blueprint.get("/journal")
@ar_or_pes_required
def journal() -> ResponseReturnValue:
    """Show the acts that concern the enterprise, newest first, one page at a time, perhaps about one person."""
    here = acting()
    about = request.args.get("person") or None
    systems = system_user_services.names_of(here.enterprise_id)
    if about is not None and about not in services.names_here(here.enterprise_id, [about]).keys() | systems.keys():
        raise NotFoundError("not a person of this enterprise")
    shown, older = _page(here.enterprise_id, about, _before(request.args.get("before")))
    listed = _listed(here.enterprise_id) | ({about} if about and about not in systems else set())
    names = presenting.names(here.enterprise_id, listed | _people_in(shown))
    changes = accounts.name_changes(str(entry.details["change"]) for entry in shown if "change" in entry.details)
    return render_template(
        "delegation/journal.html",
        events=[_event(entry, names, changes) for entry in shown],
        people=sorted(
            [*((id, name) for id, name in names.items() if id in listed or id in _people_in(shown)), *systems.items()],
            key=lambda named: named[1],
        ),
        about=about,
        older=older,
        first=request.args.get("before") is None,
    )


def _before(text: str | None) -> datetime | None:
    """Read where a page begins; an address that was tampered with begins at the top."""
    try:
        instant = datetime.fromisoformat(text) if text else None
        return instant.astimezone(UTC) if instant is not None and instant.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def _page(enterprise_id: str, about: str | None, before: datetime | None) -> tuple[tuple[Entry, ...], str | None]:
    """Return one page, and where the next begins; acts of one instant stay on one page."""
    hidden = () if about else ROUTINE
    found = audit.entries(enterprise_id=enterprise_id, person_id=about, limit=PAGE + 1, before=before, without=hidden)
    if len(found) <= PAGE:
        return found, None
    boundary = found[PAGE].at
    shown = tuple(entry for entry in found[:PAGE] if entry.at > boundary) or found[:PAGE]
    return shown, shown[-1].at.isoformat()


def _people_in(entries: tuple[Entry, ...]) -> set[str]:
    actors = {entry.actor_id for entry in entries if entry.actor_kind == "person" and entry.actor_id}
    return actors | {entry.person_id for entry in entries if entry.person_id}


def _listed(enterprise_id: str) -> set[str]:
    """Return the people that the choice of the page offers: the first by name; the page of a person leads to the others."""
    views, _more = services.page_of_members(enterprise_id, size=MOST_LISTED)
    return {view.person_id for view in views}


def _each_person(views: tuple[MembershipView, ...]) -> list[MembershipView]:
    return list({view.person_id: view for view in views}.values())


def _event(entry: Entry, names: dict[str, str], changes: dict[str, accounts.Renamed]) -> dict[str, str | None]:
    title, text = sentence(entry, names, changes.get(str(entry.details.get("change"))))
    return {"when": long_datetime(entry.at), "title": title, "text": text}


def sentence(entry: Entry, names: dict[str, str], change: accounts.Renamed | None = None) -> tuple[str, str | None]:
    """Return one entry as a sentence in the person's language, and who acted where the sentence does not say it."""
    event = Event(entry.event)
    template = SENTENCES.get(event)
    if event is Event.REVOKED and entry.actor_kind == audit.SYSTEM.kind:
        template = ENDED
    if event is Event.REVOKED and entry.details.get("reason") == RemovalReason.SUBSCRIPTION_CHANGED:
        template = DROPPED
    if event is Event.REMOVAL_CONFIRMED and entry.details.get("sessions") == 0:
        template = NO_SESSION
    if event is Event.MEMBER_RENAMED and not entry.details.get("known_by_former", True):
        template = RENAMED_SINCE
    if event is Event.MEMBER_REMOVED and entry.details.get("reason") == ACCOUNT_CLOSED:
        template = LEFT
    values = {
        "actor": _actor(entry, names),
        "person": names.get(entry.person_id or "", _("somebody")),
        "agency": _agency(entry.agency_id),
        "blocks": _blocks(entry.details.get("blocks")),
        "change": _changed(entry.details),
        "until": _until(entry.details.get("until")),
        "role": _role(entry.details.get("role")),
        "former": change.former if change else _("Somebody"),
        "new": change.name if change else _("somebody"),
    }
    if template is not None:
        return str(template) % values, None
    if entry.actor_kind == "person" and entry.actor_id:
        return label(entry.event), _("By %(actor)s.", actor=values["actor"])
    return label(entry.event), None


def _actor(entry: Entry, names: dict[str, str]) -> str:
    if entry.actor_kind == "person":
        return names.get(entry.actor_id or "", _("Somebody"))
    kinds = {
        "operator": _("An operator of Mandat"),
        "officer": _("An officer of the agency"),
        "agency_officer": _("An officer of the agency"),
        "system": "Mandat",
    }
    return kinds.get(entry.actor_kind, _("Somebody"))


def _agency(agency_id: str | None) -> str:
    if agency_id is None:
        return _("an agency")
    try:
        return presenting.agency_name(agency_id)
    except NotFoundError:
        return agency_id


def _blocks(codes: Any) -> str:
    if not codes:
        return _("no block")
    return _("all blocks") if list(codes) == ["*"] else ", ".join(sorted(codes))


def _changed(details: Mapping[str, Any]) -> str:
    """Return the blocks that a change of a subscription adds and removes, as sentences."""
    added, removed = details.get("added"), details.get("removed")
    return " ".join(
        [
            *([_("Blocks added: %(codes)s.", codes=", ".join(added))] if added else []),
            *([_("Blocks removed: %(codes)s.", codes=", ".join(removed))] if removed else []),
            *([_("Unrestricted access includes the added blocks.")] if details.get("extends") else []),
        ]
    )


def _until(day: Any) -> str:
    return long_date(datetime.fromisoformat(day).date()) if day else _("an unstated date")


def _role(role: Any) -> str:
    return str(presenting.ROLES[Role(role)]) if role else ""


@blueprint.get("/why")
def why() -> ResponseReturnValue:
    """Explain why a person may or may not use a block; a user asks about themself only."""
    here = acting()
    people, systems = _askable(request.args.get("person", "")), _askable_systems()
    agencies = catalogue_services.agencies()
    asked = {name: request.args.get(name, "") for name in ("person", "agency", "block")}
    found, chain = None, []
    if all(asked.values()):
        who = next((view.person_id for view in people if view.id == asked["person"]), None)
        if who is None and asked["person"] not in systems:
            raise NotFoundError("not a person one may ask about")
        found = services.explanation(who or asked["person"], here.enterprise_id, asked["agency"], asked["block"], now())
        chain = (
            list(explanation_words.chain(found, here.enterprise_id, here.membership.enterprise_name, asked["agency"]))
            if found
            else []
        )
    names = presenting.names(here.enterprise_id, (view.person_id for view in people))
    named = {view.id: names[view.person_id] for view in people} | systems
    return render_template(
        "delegation/why.html",
        people=list(named.items()),
        agencies=[
            (agency.id, presenting.text(agency.name), [(b.code, presenting.text(b.label)) for b in agency.blocks])
            for agency in agencies
        ],
        asked=asked,
        answer=found,
        name=named.get(asked["person"], ""),
        agency=presenting.agency_name(asked["agency"]) if found else "",
        chain=chain,
    )


def _askable_systems() -> dict[str, str]:
    """Return the software of the enterprise by name, for the AR and the PES."""
    here = acting()
    in_charge = here.roles & {Role.PES, Role.AUTHORIZED_REPRESENTATIVE}
    return system_user_services.names_of(here.enterprise_id) if in_charge else {}


def _askable(asked: str = "") -> list[MembershipView]:
    """Return one membership a person, the first by name and *asked*, for the AR and the PES; oneself for a user."""
    here = acting()
    if not here.roles & {Role.PES, Role.AUTHORIZED_REPRESENTATIVE}:
        own = services.memberships_of(here.person.id)
        return _each_person(tuple(view for view in own if view.enterprise_id == here.enterprise_id))
    views, more = services.page_of_members(here.enterprise_id, size=MOST_LISTED)
    if more and asked and asked not in {view.id for view in views}:
        with suppress(NotFoundError):
            views = (*views, services.membership(here.enterprise_id, asked))
    return _each_person(views)
