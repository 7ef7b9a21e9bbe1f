"""Somebody corrects their name: who proved it decides, the journal keeps both, and who answers for them hears."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from idp import audit
from idp.accounts import services as accounts
from idp.accounts.leaving import closing_services
from idp.accounts.leaving.domain.closing import NAME_KEPT
from idp.accounts.people import name_services
from idp.accounts.people.name_services import NameOutcome
from idp.db import db
from idp.delegation import services
from idp.notices.services import deliver_due
from tests.accounts.conftest import payloads

from ..conftest import Browser, Business, Member, World


def rename(member: Member, world: World, family_name: str = "Nouveaunom") -> NameOutcome:
    given_name = accounts.person(member.person_id).given_name
    return name_services.change(member.person_id, given_name=given_name, family_name=family_name, now=world.now)


@pytest.mark.databases
def test_those_who_answer_for_a_person_are_told_and_the_journal_shows_both_names(
    world: World, licorne: Business, sign_in: Callable[[Member], Browser]
) -> None:
    """The PES for a user, the other PES and the representative for a PES; once each, in mails that leave."""
    assert rename(licorne.julie, world) is NameOutcome.CHANGED
    assert rename(licorne.marc, world, "Autrenom") is NameOutcome.CHANGED

    told = [each["to"] for each in payloads("member_renamed")]

    assert sorted(told[:2]) == sorted([licorne.pes.person_id, licorne.marc.person_id])
    assert sorted(told[2:]) == sorted([licorne.pes.person_id, licorne.ar.person_id])
    while deliver_due(world.now):
        pass
    journal = sign_in(licorne.pes).text("/journal")
    assert "Julie Licorne s’appelle maintenant Julie Nouveaunom." in journal
    assert "Marc Licorne s’appelle maintenant Marc Autrenom." in journal
    entries = [each for each in audit.entries(enterprise_id=licorne.id) if each.event == "membership:renamed"]
    assert len(entries) == 2
    assert all("Licorne" not in str(each.details) for each in entries)


def test_a_proved_name_is_not_corrected_alone(
    world: World, licorne: Business, sign_in: Callable[[Member], Browser]
) -> None:
    """The representative sees why and what to do; no form, and a forged post changes nothing."""
    browser = sign_in(licorne.ar)

    page = browser.text("/account/name")

    assert "a été prouvé à l’inscription de Construction Haute-Licorne" in page
    assert 'id="name-submit"' not in page
    browser.post("/account/name", {"given_name": "Ada", "family_name": "Lovelace"})
    db.session.rollback()
    assert accounts.person(licorne.ar.person_id).name == "Ada Licorne"
    assert rename(licorne.ar, world) is NameOutcome.PROVED
    assert payloads("member_renamed") == []


def test_rights_and_their_version_stay(world: World, licorne: Business) -> None:
    """A name is no right: it is read at userinfo, and ``version`` grows with the projection only (claims invariant 5)."""
    world.grant(licorne, licorne.julie, "001")
    version = world.version(licorne, licorne.julie)

    rename(licorne.julie, world)

    assert world.version(licorne, licorne.julie) == version
    assert services.removals(licorne.id) == ()


def test_former_names_are_forgotten_with_the_name(
    world: World, licorne: Business, sign_in: Callable[[Member], Browser]
) -> None:
    """Seven years after the account was closed the journal still tells what happened, and nobody’s name."""
    rename(licorne.julie, world)
    closing_services.close(licorne.julie.person_id, now=world.now)
    world.clock.advance(NAME_KEPT + timedelta(days=1))

    accounts.sweep(world.now)

    assert name_services.of_person(licorne.julie.person_id) == ()
    journal = sign_in(licorne.pes).text("/journal")
    assert "Julie" not in journal
    assert "Nouveaunom" not in journal
