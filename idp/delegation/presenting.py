"""Words and names for pages: roles, states, reasons; people and agencies looked up once for a page."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from ..accounts import services as accounts
from ..accounts.sessions.domain.sign_ins import UserCodeStatus
from ..accounts.user_codes.domain.states import CodeState
from ..clock import TORONTO
from ..i18n import current_language
from ..i18n import gettext as _
from ..i18n import lazy_gettext as _l
from .catalogue import catalogue_services
from .people import people_services
from .people.domain.roles import MembershipStatus, Role
from .rights import system_user_services
from .rights.projection_services import RemovalReason
from .rights.removal_services import RemovalView

ROLES = {
    Role.PES: _l("Person in charge of electronic services"),
    Role.AUTHORIZED_REPRESENTATIVE: _l("Authorized representative"),
    Role.USER: _l("User"),
    Role.SYSTEM: _l("Software"),
}
STATUSES = {
    MembershipStatus.ACTIVE: (_l("Active"), "green"),
    MembershipStatus.SUSPENDED: (_l("Suspended"), "orange"),
    MembershipStatus.REMOVED: (_l("Removed"), "grey"),
}
CODE_STATES = {
    CodeState.ISSUED: (_l("No password handed over yet"), "yellow"),
    CodeState.REVEALED: (_l("Waiting for the first sign-in"), "yellow"),
    CodeState.ACTIVATED: (_l("Activated"), "green"),
    CodeState.EXPIRED: (_l("Temporary password expired"), "red"),
    CodeState.REVOKED: (_l("Revoked"), "grey"),
}
REMOVAL_REASONS = {
    RemovalReason.BLOCK_REMOVED: _l("access removed"),
    RemovalReason.END_DATE: _l("end date reached"),
    RemovalReason.MEMBER_SUSPENDED: _l("person suspended"),
    RemovalReason.MEMBER_REMOVED: _l("person removed"),
    RemovalReason.SUBSCRIPTION_WITHDRAWN: _l("subscription withdrawn"),
    RemovalReason.SUBSCRIPTION_SUSPENDED: _l("subscription suspended"),
    RemovalReason.SUBSCRIPTION_CHANGED: _l("block dropped by the enterprise"),
    RemovalReason.ENTERPRISE_SUSPENDED: _l("enterprise suspended"),
    RemovalReason.CATALOGUE_CHANGED: _l("block no longer offered by the agency"),
    RemovalReason.APPROVAL_REVOKED: _l("software revoked"),
}


def lockout_state(lockout: accounts.Lockout) -> tuple[str, str] | None:
    """Return the word and the colour for what keeps a person from signing in; None when nothing does."""
    if lockout.is_frozen:
        return _("Access frozen"), "red"
    if lockout.locked_until is not None:
        return _("Sign-in blocked"), "orange"
    return (_("Password to renew"), "orange") if lockout.is_spent else None


def text(localized: object) -> str:
    """Return a text of the catalogue in the person's language."""
    return str(localized.fr if current_language() == "fr" else localized.en)  # type: ignore[attr-defined]


def agency_name(agency_id: str) -> str:
    """Return the name of an agency in the person's language."""
    return text(catalogue_services.agency(agency_id).name)


def block_labels(agency_id: str) -> dict[str, str]:
    """Return the labels of an agency's blocks by code, retired ones too."""
    return {block.code: text(block.label) for block in catalogue_services.agency(agency_id).blocks}


def names(enterprise_id: str, person_ids: Iterable[str]) -> dict[str, str]:
    """Return the names of people by id, as the enterprise knows them, whatever their accounts say elsewhere or later.

    An officer of an agency, or the row of a user code that was linked since, has the name of its account; a system user has
    its own; an unknown id has a word instead.
    """
    wanted = set(person_ids)
    known = people_services.names_here(enterprise_id, wanted)
    if others := wanted - known.keys():
        known |= {id: person.name for id, person in accounts.people(others).items()}
    if others := wanted - known.keys():
        known |= system_user_services.names(others)
    return {id: known.get(id) or _("somebody unknown") for id in wanted}


def name_in(payload: dict[str, Any]) -> str:
    """Return the name of the person of a notice, as its enterprise knows them."""
    person_id = str(payload["person_id"])
    return names(str(payload.get("enterprise_id", "")), (person_id,))[person_id]


def code_state(status: UserCodeStatus | None) -> tuple[str, str]:
    """Return where a user code is, in words, and the colour of its tag."""
    words, colour = CODE_STATES[status.state] if status else CODE_STATES[CodeState.ISSUED]
    return str(words), colour


def clock_time(instant: datetime, zone: ZoneInfo = TORONTO) -> str:
    """Return the hour with its seconds, as removals are confirmed within seconds: ``14 h 03 min 22 s``."""
    local = instant.astimezone(zone)
    if current_language() == "fr":
        return f"{local:%H}\u00a0h\u00a0{local:%M}\u00a0min\u00a0{local:%S}\u00a0s"
    return f"{local:%H:%M:%S}"


def removal_state(removal: RemovalView) -> tuple[str, str]:
    """Return how far the signal of a removal is, in words, and the colour of its tag."""
    if removal.confirmed_at is None:
        return _("Sent to the agency at %(time)s, not confirmed yet", time=clock_time(removal.at)), "yellow"
    if removal.sessions == 0:
        return _("In force: no session was open at the agency"), "green"
    return _("Confirmed by the agency at %(time)s", time=clock_time(removal.confirmed_at)), "green"
