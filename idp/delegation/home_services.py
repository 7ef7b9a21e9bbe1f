"""What the home of an enterprise shows, read for one person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from ..clock import end_of_day, local_date
from ..db import sort_key
from .catalogue import catalogue_services
from .catalogue.domain.catalogue import Agency
from .people.domain.roles import Role
from .people.people_services import MembershipView, count_members, members
from .requests import request_services
from .rights.domain.authority import Authority
from .rights.removal_services import RemovalView, removals
from .rights.rights_services import authority, ending_access, users_with_access
from .subscriptions.domain.states import COUNTING, SubscriptionState
from .subscriptions.subscription_services import SubscriptionView, subscriptions_of

ENDING_WITHIN = timedelta(days=60)
MOST_ENDINGS = 10  # shown on the home; the others are on the pages of the agencies


@dataclass(frozen=True, slots=True)
class AgencyLine:
    """An agency of the catalogue as it stands for the enterprise; *people* counts the users with access."""

    agency: Agency
    subscription: SubscriptionView | None
    people: int = 0


@dataclass(frozen=True, slots=True)
class Ending:
    """A person's access that ends soon."""

    agency: Agency
    person_id: str
    membership_id: str
    until: date


@dataclass(frozen=True, slots=True)
class HomeOfEnterprise:
    """What its PES and its authorized representative see."""

    lines: tuple[AgencyLine, ...]
    endings: tuple[Ending, ...]
    removals: tuple[RemovalView, ...]
    users: int
    pes: tuple[str, ...]
    requests: int

    @property
    def subscribed(self) -> bool:
        """Return whether the enterprise is subscribed, or waits for an answer, somewhere."""
        alive = COUNTING | {SubscriptionState.IN_PROGRESS, SubscriptionState.TO_COMPLETE}
        return any(line.subscription is not None and line.subscription.state in alive for line in self.lines)

    @property
    def active(self) -> tuple[AgencyLine, ...]:
        """Return the agencies at which access can be given."""
        return tuple(line for line in self.lines if line.subscription is not None and line.subscription.counts)

    @property
    def refused(self) -> tuple[AgencyLine, ...]:
        """Return the agencies that refused."""
        return tuple(
            line
            for line in self.lines
            if line.subscription is not None and line.subscription.state is SubscriptionState.REFUSED
        )


@dataclass(frozen=True, slots=True)
class AgencyRights:
    """What a user holds at one agency."""

    agency: Agency
    authority: Authority


def of_enterprise(enterprise_id: str, now: datetime) -> HomeOfEnterprise:
    """Read what a PES or the authorized representative sees."""
    subscriptions = subscriptions_of(enterprise_id)
    agencies = {agency.id: agency for agency in catalogue_services.agencies()}
    counting = {id for id in agencies if (found := subscriptions.get(id)) is not None and found.counts}
    people = users_with_access(enterprise_id, now)
    last = end_of_day(local_date(now + ENDING_WITHIN))
    endings = ending_access(enterprise_id, counting, before=last, now=now, limit=MOST_ENDINGS)
    return HomeOfEnterprise(
        lines=tuple(
            AgencyLine(agency, subscriptions.get(id), people.get(id, 0) if id in counting else 0)
            for id, agency in agencies.items()
        ),
        endings=tuple(
            Ending(agencies[agency_id], person_id, right.membership_id, right.until)
            for agency_id, person_id, right in endings
            if right.until is not None
        ),
        removals=removals(enterprise_id, limit=5),
        users=count_members(enterprise_id, Role.USER),
        pes=in_charge(enterprise_id),
        requests=request_services.count_open(enterprise_id),
    )


def of_user(person_id: str, enterprise_id: str, now: datetime) -> tuple[AgencyRights, ...]:
    """Read what a user holds at each agency."""
    held = []
    for agency in catalogue_services.agencies():
        found = authority(person_id, enterprise_id, agency.id, now)
        if found is not None and found.blocks:
            held.append(AgencyRights(agency, found))
    return tuple(held)


def in_charge(enterprise_id: str) -> tuple[str, ...]:
    """Return the active persons in charge of electronic services of an enterprise."""
    return tuple(member.person_id for member in pes_of(enterprise_id))


def pes_of(enterprise_id: str) -> tuple[MembershipView, ...]:
    """Return the active PES of an enterprise by name, with how they are reached."""
    found = (member for member in members(enterprise_id, roles=(Role.PES,)) if member.counts)
    return tuple(sorted(found, key=lambda member: sort_key(member.name)))


def askable_agencies(person_id: str, enterprise_id: str) -> tuple[Agency, ...]:
    """Return the agencies at which a user may ask for access: those the enterprise is subscribed to."""
    if request_services.user_membership(person_id, enterprise_id) is None:
        return ()
    subscribed = subscriptions_of(enterprise_id)
    return tuple(
        agency
        for agency in catalogue_services.agencies()
        if (found := subscribed.get(agency.id)) is not None and found.counts
    )
