"""What an enterprise knows of a person is what was given for it, and what it vouched for covers that name alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import update

from idp.accounts import services as accounts
from idp.accounts.models import Person
from idp.accounts.people import contact_services, name_services
from idp.db import db, transaction
from idp.delegation import services
from idp.delegation.people.domain.roles import Role
from idp.delegation.people.domain.verification import Assurance
from idp.notices.services import deliver_due

from ...accounts.conftest import payloads
from ..conftest import Browser, Business, Member, World
from .test_linking_services import invite, link

SignInAs = Callable[[Member], Browser]
PRESENT = "present.address@elsewhere.example"


def rename(world: World, person_id: str, given_name: str = "Ada", family_name: str = "Licorne") -> None:
    """Correct a name as its person does: here into that of the representative."""
    name_services.change(person_id, given_name=given_name, family_name=family_name, now=world.now)


def covered(business: Business, person_id: str) -> tuple[str, str]:
    found = services.assurance(person_id, business.id)
    assert isinstance(found, Assurance)
    return found.names


def use_elsewhere(person_id: str) -> None:
    """Give the account another address and a last sign-in."""
    with transaction():
        changed = update(Person).where(Person.id == person_id).values(email=PRESENT, last_sign_in_at=Person.created_at)
        db.session.execute(changed)


def test_a_corrected_name_is_not_covered_until_it_is_vouched_for_again(
    world: World, licorne: Business, sign_in: SignInAs
) -> None:
    """The evidence of before carries the name of before; the page shows both, and the vouch is for the name it showed."""
    rename(world, licorne.julie.person_id)
    before = services.assurance(licorne.julie.person_id, licorne.id)
    assert covered(licorne, licorne.julie.person_id) == ("Julie", "Licorne")
    page, path = sign_in(licorne.pes), f"/people/{licorne.julie.membership_id}/vouch"
    assert "Julie Licorne" in page.text(path)
    wrong = page.post(path, {"given_name": "Julie", "family_name": "Licorne"}, page=path)
    assert wrong.headers["Location"] == path
    assert covered(licorne, licorne.julie.person_id) == ("Julie", "Licorne")
    world.clock.advance(timedelta(minutes=1))

    page.post(path, {"given_name": "Ada", "family_name": "Licorne"}, page=path)

    after = services.assurance(licorne.julie.person_id, licorne.id)
    assert before is not None
    assert after is not None
    assert after.names == ("Ada", "Licorne")
    assert after.roles[0].vouched > before.roles[0].vouched
    assert page.get(path).status_code == 303
    assert "a attesté le nom de Ada Licorne" in page.text("/journal")


@pytest.mark.parametrize("who", ["omar", "julie", "ar"])
def test_a_name_is_vouched_for_by_who_answers_for_the_person(
    world: World, licorne: Business, sign_in: SignInAs, who: str
) -> None:
    """No user, not oneself, and not the representative for a user."""
    rename(world, licorne.julie.person_id)
    path = f"/people/{licorne.julie.membership_id}/vouch"

    answer = sign_in(getattr(licorne, who)).post(path, {"given_name": "Ada", "family_name": "Licorne"})

    assert answer.status_code in (403, 404)
    assert covered(licorne, licorne.julie.person_id) == ("Julie", "Licorne")


@pytest.mark.databases
def test_a_linked_code_lends_its_voucher_to_no_name_given_elsewhere(
    world: World, licorne: Business, plumedor: Business
) -> None:
    """Each enterprise vouched for the name it gave, before and after the codes belong to one account."""
    newcomer = invite(world, plumedor, "Juliette Pontvert")

    link(world, newcomer, licorne.julie)

    assert accounts.person(licorne.julie.person_id).name == "Julie Licorne"
    assert covered(licorne, licorne.julie.person_id) == ("Julie", "Licorne")
    assert covered(plumedor, licorne.julie.person_id) == ("Juliette", "Pontvert")
    rename(world, licorne.julie.person_id, "Julie", "Nouveaunom")
    assert covered(plumedor, licorne.julie.person_id) == ("Juliette", "Pontvert")


def test_vouches_that_do_not_agree_cover_no_name(world: World, licorne: Business) -> None:
    """A user is named in charge under the name that the representative writes: one name, or none."""
    address = accounts.person(licorne.julie.person_id).email
    services.add_pes(
        licorne.id,
        given_name="Juliana",
        family_name="Licorne",
        email=address,
        language="fr",
        by=licorne.ar.person_id,
        now=world.now,
    )

    assert covered(licorne, licorne.julie.person_id) == ("", "")


def test_the_representative_keeps_the_name_that_was_proved(world: World, licorne: Business) -> None:
    """Even when the account says otherwise some day: the register of evidence has its own."""
    with transaction():
        db.session.execute(update(Person).where(Person.id == licorne.ar.person_id).values(family_name="Autre"))

    assert covered(licorne, licorne.ar.person_id) == ("Ada", "Licorne")


def pages_about(member_id: str, person_id: str) -> tuple[str, ...]:
    return (f"/people/{member_id}", "/people", "/roster", "/journal", f"/journal?person={person_id}")


def test_nothing_of_the_present_account_is_on_the_pages_about_a_person_who_left(
    world: World, licorne: Business, sign_in: SignInAs
) -> None:
    """After a removal: no address, no sign-in, no later name, no frozen or blocked account."""
    julie = licorne.julie
    services.remove_member(licorne.id, julie.membership_id, by=licorne.pes.person_id, now=world.now)
    use_elsewhere(julie.person_id)
    rename(world, julie.person_id, "Marie", "Apres")
    accounts.freeze(julie.person_id, actor=name_services.audit.SYSTEM, now=world.now)
    contact_services.note_refused(PRESENT, 550, world.now)

    pes = sign_in(licorne.pes)
    shown = {path: pes.text(path) for path in pages_about(julie.membership_id, julie.person_id)}

    for path, page in shown.items():
        for secret in (PRESENT, "Apres", "julie.licorne@example.com", "nous reviennent", "gelé"):
            assert secret not in page, (path, secret)
    person = shown[f"/people/{julie.membership_id}"]
    assert "Julie Licorne" in person
    assert "Dernière connexion" not in person


def test_an_enterprise_reads_the_name_and_the_address_given_for_it(
    world: World, licorne: Business, plumedor: Business, sign_in: SignInAs
) -> None:
    """A linked account: neither enterprise reads what the other one gave, on a page or in a mail."""
    newcomer = invite(world, plumedor, "Juliette Pontvert")
    link(world, newcomer, licorne.julie)
    use_elsewhere(licorne.julie.person_id)
    elsewhere = {
        plumedor.id: ("julie.licorne@example.com", "Julie Licorne", PRESENT),
        licorne.id: ("julie@firme.example", "Juliette Pontvert", PRESENT),
    }

    pes = {business.id: sign_in(business.pes) for business in (plumedor, licorne)}

    for business, member_id in ((plumedor, newcomer.membership_id), (licorne, licorne.julie.membership_id)):
        rest = ("/home", "/why", "/agencies/amp/rights", f"/people/{member_id}/suspend")
        for path in (*pages_about(member_id, licorne.julie.person_id), *rest):
            page = pes[business.id].text(path)
            assert not [secret for secret in elsewhere[business.id] if secret in page], path
    assert "julie@firme.example" in pes[plumedor.id].text(f"/people/{newcomer.membership_id}")

    rename(world, licorne.julie.person_id, "Julie", "Nouveaunom")
    assert {each["former"] for each in payloads("member_renamed")} == {"Julie Licorne", "Juliette Pontvert"}
    assert "Julie Licorne" not in pes[plumedor.id].text("/journal")
    while deliver_due(world.now):
        pass


def test_an_address_given_elsewhere_is_no_answer_here(world: World, licorne: Business, plumedor: Business) -> None:
    """Adding a person by the address of their account, which this enterprise never gave, says nothing of it."""
    newcomer = invite(world, plumedor)
    link(world, newcomer, licorne.julie)

    assert services.known_here(plumedor.id, accounts.person(licorne.julie.person_id).email) == ()
    assert [view.role for view in services.known_here(plumedor.id, "JULIE@firme.example")] == [Role.USER]
