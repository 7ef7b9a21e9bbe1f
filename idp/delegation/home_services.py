"""What the home of an enterprise shows, read for one person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from ..clock import local_date
from ..db import sort_key
from .catalogue import catalogue_services
from .catalogue.domain.catalogue import Agency
from .people.domain.roles import MembershipStatus, Role
from .people.people_services import MembershipView, members
from .requests import request_services
from .rights.domain.authority import Authority
from .rights.removal_services import RemovalView, removals
from .rights.rights_services import authority, matrix
from .subscriptions.domain.states import COUNTING, SubscriptionState
from .subscriptions.subscription_services import SubscriptionView, subscriptions_of

ENDING_WITHIN = timedelta(days=60)


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
    lines: list[AgencyLine] = []
    endings: list[Ending] = []
    last_day = local_date(now + ENDING_WITHIN)
    for agency in catalogue_services.agencies():
        found = subscriptions.get(agency.id)
        if found is None or not found.counts:
            lines.append(AgencyLine(agency, found))
            continue
        holding = [
            user
            for user in matrix(enterprise_id, agency.id, now).users
            if user.right.blocks and user.status is MembershipStatus.ACTIVE
        ]
        lines.append(AgencyLine(agency, found, len(holding)))
        endings += [
            Ending(agency, user.person_id, user.right.membership_id, user.right.until)
            for user in holding
            if user.right.until is not None and user.right.until <= last_day
        ]
    people = members(enterprise_id)
    return HomeOfEnterprise(
        lines=tuple(lines),
        endings=tuple(sorted(endings, key=lambda ending: ending.until)),
        removals=removals(enterprise_id, limit=5),
        users=sum(member.role is Role.USER for member in people),
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
    found = (member for member in members(enterprise_id) if member.role is Role.PES and member.counts)
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
