"""Where a person goes on who has no access at the agency that sent them: by role, and by the state of the subscription.

What is done there does not end the interaction: every page of the enterprise then leads back to the agency, without another
sign-in (``views.browser.show_way_back``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from ..accounts import services as accounts
from ..delegation import services as delegation
from ..delegation.people.domain.roles import Role
from ..delegation.rights.rights_services import EnterpriseChoice
from ..delegation.subscriptions import subscription_services
from ..delegation.subscriptions.domain.states import COUNTING, SubscriptionState
from ..i18n import gettext as _
from ..identifiers import with_neq


@dataclass(frozen=True, slots=True)
class PersonInCharge:
    """A person in charge, as the people of their enterprise know them, and how to reach them."""

    name: str
    email: str


@dataclass(frozen=True, slots=True)
class WayOn:
    """What is missing for one enterprise, what the person can do about it, or whom they can ask."""

    enterprise: str
    text: str
    action: str | None = None
    href: str | None = None
    contacts: tuple[PersonInCharge, ...] = ()


def way_on(choice: EnterpriseChoice, agency_id: str, agency: str, *, several: bool) -> WayOn:
    """Return the way on for a person who has no block at the agency for the enterprise of *choice*.

    With *several* enterprises the person first says that they act for this one.
    """
    view = subscription_services.subscription(choice.enterprise_id, agency_id)
    state = view.state if view else None
    text = _missing(state, agency)
    if choice.role is Role.PES:
        action, path = _act(state, agency_id)
        return WayOn(with_neq(choice.name, choice.neq), text, action, _acting_for(path) if several else path)
    contacts = in_charge(choice.enterprise_id)
    if choice.role is Role.AUTHORIZED_REPRESENTATIVE:
        path = f"/agencies/{agency_id}/remind" if contacts else "/roster/new"
        action = _("Remind the persons in charge") if contacts else _("Name a person in charge")
        text = f"{text} {_('A person in charge of electronic services can act on it.')}"
        return WayOn(with_neq(choice.name, choice.neq), text, action, _acting_for(path) if several else path, contacts)
    if state not in COUNTING or choice.role is not Role.USER:
        return WayOn(with_neq(choice.name, choice.neq), text, contacts=contacts)
    text = _("You have no access there yet. A person in charge of electronic services of your enterprise can give it.")
    path = f"/agencies/{agency_id}/ask"
    where = _acting_for(path) if several else path
    return WayOn(with_neq(choice.name, choice.neq), text, _("Ask for access"), where, contacts)


def in_charge(enterprise_id: str) -> tuple[PersonInCharge, ...]:
    """Return the active persons in charge of an enterprise, by name, with their e-mail addresses."""
    ids = delegation.in_charge(enterprise_id)
    names, people = delegation.names_here(enterprise_id, ids), accounts.people(set(ids))
    contacts = (PersonInCharge(names.get(id, people[id].name), people[id].email) for id in ids if id in people)
    return tuple(sorted(contacts, key=lambda contact: contact.name))


def states_at(agency_id: str, choices: Iterable[EnterpriseChoice]) -> dict[str, SubscriptionState]:
    """Return the state of the subscription of each enterprise that has one, by enterprise id, in one statement."""
    return subscription_services.states_at(agency_id, [choice.enterprise_id for choice in choices])


def _missing(state: SubscriptionState | None, agency: str) -> str:
    match state:
        case SubscriptionState.IN_PROGRESS | SubscriptionState.TO_COMPLETE:
            return _(
                "The subscription to %(agency)s waits for the agency’s decision: an e-mail says when it is taken.",
                agency=agency,
            )
        case SubscriptionState.REFUSED:
            return _("%(agency)s refused the subscription. It can be corrected and sent again.", agency=agency)
        case SubscriptionState.SUSPENDED:
            return _("The subscription to %(agency)s is suspended: the agency can say why.", agency=agency)
        case SubscriptionState.ACTIVE | SubscriptionState.CHANGING:
            return _("The enterprise is subscribed to %(agency)s, without a block that you may use.", agency=agency)
        case _:
            return _("The enterprise is not subscribed to %(agency)s.", agency=agency)


def _act(state: SubscriptionState | None, agency_id: str) -> tuple[str, str]:
    """Return what a person in charge can do about *state*, and where."""
    page = f"/agencies/{agency_id}"
    if state in (None, SubscriptionState.WITHDRAWN):
        return _("Subscribe the enterprise"), f"{page}/subscribe"
    if state is SubscriptionState.REFUSED:
        return _("See why, correct and send again"), page
    return _("See where the subscription stands"), page


def _acting_for(path: str) -> str:
    return f"/enterprises?{urlencode({'next': path})}"
