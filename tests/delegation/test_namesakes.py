"""Two enterprises of one name are told apart by their NEQ wherever both can be meant; sentences are true in every state."""

from __future__ import annotations

from collections.abc import Callable
from html import unescape

import pytest
from sqlalchemy import update

from idp.accounts import services as accounts
from idp.accounts.people import name_services
from idp.accounts.recovery import lost_code_services
from idp.audit import SYSTEM
from idp.db import db, transaction
from idp.delegation import enterprise_services, services
from idp.delegation.models import Membership
from idp.delegation.people import departure_notices, departure_services
from idp.delegation.people.domain.roles import Role
from idp.delegation.people.linking_services import objections
from idp.identifiers import Neq, with_neq
from idp.notices.services import deliver_due

from ..accounts.conftest import payloads
from .conftest import Browser, Business, Member, World
from .people.test_linking_services import invite, link

SignInAs = Callable[[Member], Browser]
NAME = "Construction Haute-Licorne inc."


@pytest.fixture
def namesake(world: World, licorne: Business) -> Business:
    """Another enterprise of the same name; Julie of the first is a user there too."""
    business = world.business("3300000018", "Homonyme", NAME)
    world.subscribe(business)
    link(world, invite(world, business), licorne.julie)
    return business


def both(text: str, *businesses: Business) -> bool:
    """Tell whether the NEQ of each enterprise is in a text, spaces aside."""
    told = unescape(text).replace("\\xa0", " ").replace("\u00a0", " ")
    return all(str(Neq(each.neq)).replace("\u00a0", " ") in told for each in businesses)


def test_the_number_follows_the_name_once() -> None:
    """An enterprise that is known by its number alone has no name to put before it."""
    assert with_neq("Acme", "1100000455") == "Acme (NEQ\u00a01100\u00a0000\u00a0455)"
    for alone in ("1100000455", "NEQ 1100000455", "1100\u00a0000\u00a0455"):
        assert with_neq(alone, "1100000455") == "NEQ\u00a01100\u00a0000\u00a0455"


def test_pages_that_list_enterprises_name_both_numbers(
    world: World, licorne: Business, namesake: Business, sign_in: SignInAs
) -> None:
    """Account, chooser, and the frame of every page once one is chosen."""
    julie = sign_in(licorne.julie)

    assert both(julie.text("/account"), licorne, namesake)
    assert both(julie.text("/enterprises"), licorne, namesake)
    julie.post("/enterprises", {"enterprise": namesake.id}, page="/enterprises")
    for path in ("/home", "/why", "/account/name"):
        assert both(julie.text(path), namesake), path
    assert both(julie.text("/account/sessions"), namesake)


def test_messages_and_objections_name_the_number(world: World, licorne: Business, namesake: Business) -> None:
    """A linked code, a reminder of codes, a name corrected, a frozen or a closed account, what stands in the way."""
    assert both(str(payloads("user_code_linked")), namesake)
    codes = lost_code_services.enterprises_of_codes(licorne.julie.person_id).values()
    assert both(str([code.with_number for code in codes]), licorne, namesake)
    name_services.change(licorne.julie.person_id, given_name="Julie", family_name="Autre", now=world.now)
    assert both(str(payloads("member_renamed")), licorne, namesake)
    accounts.freeze(licorne.marc.person_id, actor=SYSTEM, now=world.now)
    while deliver_due(world.now):
        pass
    departure_services.leave(licorne.omar.person_id, world.now)
    assert both(str(payloads("member_left")), licorne)

    assert both(str(departure_notices.objections(licorne.ar.person_id)), licorne)
    assert both(str(objections(licorne.pes.person_id, licorne.ar.person_id)), licorne)
    assert both(enterprise_services.proved_for(licorne.ar.person_id) or "", licorne)


def test_slips_name_the_number(licorne: Business, sign_in: SignInAs) -> None:
    """Two slips of two namesakes lie on one table."""
    who = {"given_name": "Nadia", "family_name": "Roy", "email": "nadia@example.com", "language": "fr"}

    page = sign_in(licorne.pes).post("/people/new", who, page="/people/new")

    assert both(page.text, licorne)


def without_pes(world: World, business: Business) -> None:
    """Leave an enterprise without an active person in charge, as closed accounts and decisions from outside may."""
    with transaction():
        db.session.execute(
            update(Membership)
            .where(Membership.enterprise_id == business.id, Membership.role == Role.PES.value)
            .values(status="suspended")
        )


def test_nobody_is_sent_to_a_person_in_charge_who_is_not_there(
    world: World, licorne: Business, sign_in: SignInAs
) -> None:
    """With no active PES: the user is sent to the representative, the representative reads what it means."""
    user, representative = sign_in(licorne.julie), sign_in(licorne.ar)
    assert "Adressez-vous" in user.text("/home")
    assert "n’est active" not in representative.text("/home")

    without_pes(world, licorne)

    page = user.text("/home")
    assert "Adressez-vous" not in page
    assert "Son représentant autorisé peut en nommer une" in page
    assert "n’est active" in representative.text("/home")
    assert "Vous pouvez en ajouter une" in representative.text("/home")


@pytest.mark.parametrize(("act", "untrue"), [("suspend", "Choisir un organisme"), ("remove", "Aucun droit")])
def test_no_right_is_offered_to_who_can_have_none(
    world: World, licorne: Business, sign_in: SignInAs, act: str, untrue: str
) -> None:
    """The page of a person who is suspended, or who left, does not ask to choose an agency."""
    path = f"/people/{licorne.julie.membership_id}"
    pes = sign_in(licorne.pes)
    assert untrue in pes.text(path)

    change = services.suspend_member if act == "suspend" else services.remove_member
    change(licorne.id, licorne.julie.membership_id, by=licorne.pes.person_id, now=world.now)

    assert untrue not in pes.text(path)
