"""Who represents whom, kept right: what those in charge say of themselves, and the enterprise beside the register."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from idp.accounts.people.contact_services import note_confirmed
from idp.audit.models import AuditEntry
from idp.connectors.enterprise_register import RegisterEntry, RegisterUnavailableError, RegistrationStatus
from idp.db import db, in_transaction
from idp.delegation import contact_services
from idp.delegation.contact_services import Details
from idp.delegation.people import people_services
from idp.errors import NotAllowedError
from idp.identifiers import Neq
from tests.delegation.conftest import Browser, Business, Member, World, licorne, plumedor, sign_in, world

__all__ = ["licorne", "plumedor", "sign_in", "world"]  # fixtures of delegation
SignIn = Callable[[Member], Browser]
ENTRY = RegisterEntry(
    neq=Neq("1100000455"),
    name="Construction Haute-Licorne inc.",
    other_names=(),
    status=RegistrationStatus.IM,
    status_date=None,
    status_label="Immatriculée",
    legal_form_label="Société par actions",
    bankrupt=False,
    address_lines=("1, rue des Licornes", "Québec"),
    merged_into=None,
)


@dataclass
class Register:
    """A register that answers what it is given, or not at all."""

    entry: RegisterEntry | None = ENTRY
    is_down: bool = False

    def look_up(self, neq: Neq) -> RegisterEntry | None:
        """Return the entry, or say that nobody can tell."""
        assert not in_transaction(), "asked inside a transaction"
        if self.is_down:
            raise RegisterUnavailableError("down")
        return self.entry


@pytest.fixture
def register(app: Flask) -> Register:
    app.extensions["mandat.register"] = Register()
    return app.extensions["mandat.register"]


def test_the_differences_are_marked_with_what_to_do(licorne: Business, register: Register, sign_in: SignIn) -> None:
    """The same; another name and form; struck off; unknown: each is said, and nothing on record changes."""
    browser = sign_in(licorne.pes)
    assert "Différent" not in browser.text("/enterprise")
    assert "1, rue des Licornes" in browser.text("/enterprise")

    register.entry = replace(ENTRY, name="Constructions Licorne inc.", legal_form_label="Coopérative")
    page = browser.text("/enterprise")
    assert page.count("Différent") == 2
    assert "produisez une correction" in page
    register.entry = replace(ENTRY, status=RegistrationStatus.RO)
    assert "rétablir l’immatriculation" in browser.text("/enterprise").replace("&#39;", "’")
    register.entry = None
    assert "ne connaît pas ce NEQ" in browser.text("/enterprise")
    assert people_services.membership(licorne.id, licorne.pes.membership_id).enterprise_name == ENTRY.name


def test_a_register_that_is_down_gives_the_last_known(
    licorne: Business, register: Register, sign_in: SignIn, world: World
) -> None:
    """First nothing is known; afterwards what it said last, with the day."""
    browser = sign_in(licorne.ar)
    register.is_down = True
    assert "n’a pas encore été consulté" in browser.text("/enterprise")
    register.is_down = False
    register.entry = replace(ENTRY, name="Constructions Licorne inc.")
    browser.get("/enterprise")
    register.is_down = True

    page = browser.text("/enterprise")

    assert "Voici ce qu’il disait le" in page
    assert "Constructions Licorne inc." in page


@pytest.mark.databases
def test_one_keeps_ones_own_details_right(licorne: Business, sign_in: SignIn, world: World) -> None:
    """Position, telephone and a confirmed address, in every role here; in the journal; seen by the others; once."""
    note_confirmed("pia.licorne@example.com", now=world.now)
    browser = sign_in(licorne.pes)
    fields: dict[str, object] = {
        "position": "secretary", "phone": "418 555-0123", "email": "pia.licorne@example.com"
    }  # fmt: skip

    for _again in range(2):
        assert browser.post("/my-details", fields, page="/my-details").location == "/my-details"

    kept = Details("secretary", "+1 418-555-0123", "pia.licorne@example.com")
    assert contact_services.details(licorne.id, licorne.pes.person_id) == kept
    told = db.session.scalars(select(AuditEntry).where(AuditEntry.event == "membership:details_changed")).all()
    assert [(entry.person_id, entry.details) for entry in told] == [
        (licorne.pes.person_id, {"changed": ["phone", "position"]})
    ]
    assert "418-555-0123" in sign_in(licorne.ar).text("/roster")


def test_only_a_confirmed_address_is_taken(licorne: Business, plumedor: Business, world: World) -> None:
    """A forged address, another enterprise, a user: nothing is written."""
    wanted = Details("", "", "elsewhere@example.com")
    for enterprise, member in ((licorne, licorne.pes), (plumedor, licorne.pes), (licorne, licorne.julie)):
        with pytest.raises(NotAllowedError):
            contact_services.change(enterprise.id, member.person_id, wanted, now=world.now)


@pytest.mark.parametrize(
    "changes",
    [{"phone": "abc"}, {"phone": "1" * 1000}, {"position": "king"}, {"email": "forged@example.com"}, {"email": ""}],
)
def test_a_mistake_is_said_and_nothing_is_saved(
    licorne: Business, sign_in: SignIn, world: World, changes: dict[str, object]
) -> None:
    """The page comes back with the message beside the field."""
    before = contact_services.details(licorne.id, licorne.pes.person_id)
    fields = {"position": "", "phone": "", "email": "pia.licorne@example.com", **changes}

    answer = sign_in(licorne.pes).post("/my-details", fields, page="/my-details")

    assert answer.status_code == 200
    assert 'id="error-summary"' in answer.text
    assert contact_services.details(licorne.id, licorne.pes.person_id) == before


def test_it_asks_again_who_one_is(licorne: Business, sign_in: SignIn, world: World) -> None:
    """Five minutes after the sign-in a factor is asked first; users have no such page."""
    browser = sign_in(licorne.pes)
    julie = sign_in(licorne.julie)
    assert julie.get("/my-details").status_code == julie.get("/enterprise").status_code == 403
    world.clock.advance(timedelta(minutes=5))

    assert browser.get("/my-details").location.startswith("/confirm")


def test_a_removal_takes_the_telephone(licorne: Business, world: World) -> None:
    """What the enterprise knew to reach a person goes with them."""
    contact_services.declare(licorne.id, licorne.julie.person_id, position="director", phone="418 555-0123")
    db.session.commit()

    people_services.remove_member(licorne.id, licorne.julie.membership_id, by=licorne.pes.person_id, now=world.now)

    view = people_services.membership(licorne.id, licorne.julie.membership_id)
    assert (view.phone, view.known.email) == ("", "")
