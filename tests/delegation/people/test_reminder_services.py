"""The representative reminds those in charge: each of them once a day, and nobody else may."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import update

from idp.db import transaction
from idp.delegation.models import Membership
from idp.delegation.people import people_services, reminder_services
from idp.delegation.people.domain.roles import MembershipStatus, Role
from idp.errors import NotAllowedError
from tests.accounts.conftest import payloads

from ..conftest import Browser, Business, Member, World

SignIn = Callable[[Member], Browser]


def remind(business: Business, world: World, by: Member, agency: str = "amp") -> object:
    return reminder_services.remind(business.id, agency, message="Les factures", by=by.person_id, now=world.now)


@pytest.mark.databases
def test_a_reminder_reaches_each_active_person_in_charge_once_a_day(licorne: Business, world: World) -> None:
    """A suspended person in charge receives nothing; the bound is per agency, and ends after a day."""
    people_services.suspend_member(licorne.id, licorne.marc.membership_id, by=licorne.ar.person_id, now=world.now)

    assert remind(licorne, world, licorne.ar) is None
    assert {each["person_id"] for each in payloads(reminder_services.REMINDED)} == {licorne.pes.person_id}
    assert remind(licorne, world, licorne.ar) == world.now + timedelta(days=1)
    assert remind(licorne, world, licorne.ar, "bac") is None
    world.clock.advance(timedelta(days=1))
    assert remind(licorne, world, licorne.ar) is None
    assert len(payloads(reminder_services.REMINDED)) == 3


def test_only_the_representative_reminds(licorne: Business, plumedor: Business, world: World) -> None:
    """A user, a person in charge, and the representative of another enterprise are refused; nothing leaves."""
    for by in (licorne.julie, licorne.pes, plumedor.ar):
        with pytest.raises(NotAllowedError):
            remind(licorne, world, by)

    assert payloads(reminder_services.REMINDED) == []


def test_the_page_names_who_receives_it_and_sends_it(licorne: Business, sign_in: SignIn) -> None:
    """The text is bounded; a second reminder says when the next may leave; a text too long is said beside its field."""
    ar = sign_in(licorne.ar)
    assert licorne.pes.name in ar.text("/agencies/amp/remind")
    path = "/agencies/amp/remind"

    answer = ar.post(path, {"message": "x" * 601}, page=path)
    assert "au plus 600" in answer.text
    assert ar.post(path, {"message": "Les factures"}, page=path).location == "/agencies/amp"
    assert "Un courriel a été envoyé" in ar.text("/agencies/amp")
    ar.post(path, {"message": ""}, page=path)
    assert "Un rappel a déjà été envoyé" in ar.text("/agencies/amp")
    assert len(payloads(reminder_services.REMINDED)) == 2
    assert sign_in(licorne.julie).get(path).status_code == 403


def test_without_a_person_in_charge_one_is_named_first(licorne: Business, sign_in: SignIn) -> None:
    """The page leads to the form that names one."""
    with transaction() as session:  # the last one is never suspended on a page: their account was closed
        away = update(Membership).where(Membership.enterprise_id == licorne.id, Membership.role == Role.PES.value)
        session.execute(away.values(status=MembershipStatus.REMOVED.value))

    assert sign_in(licorne.ar).get("/agencies/amp/remind").location == "/roster/new"
