"""Two enterprises with their people, and browsers that sign in as them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from idp.accounts import services as accounts
from idp.audit import SYSTEM, Actor
from idp.clock import MovableClock, local_date
from idp.db import db
from idp.delegation import services
from idp.delegation.catalogue import catalogue_services
from idp.delegation.people.domain.roles import Role
from idp.delegation.people.domain.verification import VerificationRecord
from idp.delegation.subscriptions import subscription_services
from idp.identifiers import PersonId

AGENCIES = Path(__file__).parents[2] / "agencies"
AMP = ("001", "005", "007", "008", "018", "019", "024")
PASSWORD = "trois petits bateaux verts"
TOTP_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@dataclass(frozen=True)
class Member:
    """A person with an activated code and a membership."""

    person_id: PersonId
    user_code: str
    membership_id: str
    name: str


@dataclass(frozen=True)
class Business:
    """An enterprise with its people."""

    id: str
    neq: str
    ar: Member
    pes: Member
    marc: Member  # the second PES
    julie: Member
    omar: Member


class World:
    """Makes enterprises and people through the services, as enrolment and PES do."""

    def __init__(self, clock: MovableClock) -> None:
        self.clock = clock

    @property
    def now(self) -> datetime:
        return self.clock.now()

    def person(self, name: str) -> tuple[PersonId, str]:
        given_name, family_name = name.split(" ")
        person_id = accounts.create_person(
            given_name=given_name,
            family_name=family_name,
            email=f"{given_name.lower()}.{family_name.lower()}@example.com",
            language="fr",
            now=self.now,
        )
        code = accounts.issue_user_code(person_id, now=self.now)
        accounts.seed_credentials(person_id, user_code=code, password=PASSWORD, totp_secret=TOTP_SECRET, now=self.now)
        return person_id, str(code)

    def member(self, enterprise_id: str, name: str, role: Role, actor: Actor = SYSTEM) -> Member:
        person_id, code = self.person(name)
        membership_id = services.appoint(enterprise_id, person_id, role, user_code=code, actor=actor, now=self.now)
        return Member(person_id, code, membership_id, name)

    def business(self, neq: str, surname: str, name: str = "Construction Haute-Licorne inc.") -> Business:
        person_id, code = self.person(f"Ada {surname}")
        record = VerificationRecord(
            neq=neq,
            name=name,
            legal_form="Société par actions",
            method="online",
            verified_at=self.now,
            verified_by="system",
            evidence=("register", "tax_agency"),
            file_id="f" * 32,
            authorized_representative=person_id,
        )
        id = services.register_enterprise(record, actor=SYSTEM, now=self.now)
        ar_role = Role.AUTHORIZED_REPRESENTATIVE
        ar = services.appoint(id, person_id, ar_role, user_code=code, actor=SYSTEM, now=self.now)
        return Business(
            id,
            neq,
            Member(person_id, code, ar, f"Ada {surname}"),
            self.member(id, f"Pia {surname}", Role.PES),
            self.member(id, f"Marc {surname}", Role.PES),
            self.member(id, f"Julie {surname}", Role.USER),
            self.member(id, f"Omar {surname}", Role.USER),
        )

    def subscribe(self, business: Business, agency_id: str = "amp", blocks: tuple[str, ...] = AMP) -> None:
        subscription_services.subscribe(
            business.id,
            agency_id,
            answers={"is_client": "no", "contact_email": "a@example.com"},
            blocks=blocks,
            by=business.pes.person_id,
            now=self.now,
        )

    def withdraw(self, business: Business, agency_id: str = "amp") -> None:
        subscription_services.withdraw(business.id, agency_id, by=business.pes.person_id, now=self.now)

    def grant(self, business: Business, to: Member, *blocks: str, days: int = 365) -> None:
        services.grant(
            business.id,
            to.membership_id,
            "amp",
            blocks=blocks,
            until=local_date(self.now) + timedelta(days=days),
            granted_by=business.pes.person_id,
            now=self.now,
        )

    def blocks(self, business: Business, member: Member) -> tuple[str, ...] | None:
        authority = services.authority(member.person_id, business.id, "amp", self.now)
        return authority.blocks if authority else None

    def version(self, business: Business, member: Member) -> int:
        authority = services.authority(member.person_id, business.id, "amp", self.now)
        assert authority is not None
        return authority.version


VOUCHING = [  # who answers for whom: a re-proofing, and a sign-in opened again
    ("pes", "julie", True),
    ("ar", "pes", True),
    ("ar", "julie", False),
    ("pes", "marc", False),
    ("pes", "ar", False),
    ("pes", "pes", False),
    ("julie", "omar", False),
    ("julie", "julie", False),
    ("ar", "ar", False),
]


@pytest.fixture
def world(app: Flask, clock: MovableClock) -> World:
    catalogue_services.load_agencies(AGENCIES, now=clock.now())
    return World(clock)


@pytest.fixture
def licorne(world: World) -> Business:
    """The story's enterprise: an AR, two PES, two users, subscribed to AMP."""
    business = world.business("1100000455", "Licorne")
    world.subscribe(business)
    return business


@pytest.fixture
def plumedor(world: World) -> Business:
    """Another enterprise, subscribed too."""
    business = world.business("3300000018", "Plumedor", "CPA Plumedor & Associés s.e.n.c.r.l.")
    world.subscribe(business)
    return business


class Browser:
    """A browser without scripts: it fetches each page, and posts its form with the token the page holds."""

    def __init__(self, app: Flask) -> None:
        self.client: FlaskClient = app.test_client()

    def get(self, path: str) -> TestResponse:
        return self.client.get(path)

    def text(self, path: str) -> str:
        answer = self.client.get(path)
        assert answer.status_code == 200, (path, answer.status, answer.get_data(as_text=True)[:2000])
        return answer.get_data(as_text=True)

    def token(self, path: str) -> str:
        page = self.client.get(path, follow_redirects=True).get_data(as_text=True)
        found = re.search(r'name="csrf_token" value="([^"]+)"', page)
        assert found, page
        return found.group(1)

    def post(self, path: str, fields: dict[str, object] | None = None, *, page: str = "/account") -> TestResponse:
        answer = self.client.post(path, data={"csrf_token": self.token(page), **(fields or {})})
        db.session.rollback()  # what the test read before is over: it reads again what the request wrote
        return answer

    def sign_in(self, member: Member, now: datetime) -> Browser:
        code = pyotp.TOTP(TOTP_SECRET).at(int(now.timestamp()))
        self.post("/sign-in", {"username": member.user_code, "password": PASSWORD}, page="/sign-in")
        answer = self.post("/sign-in/code", {"otp": code}, page="/sign-in/code")
        assert answer.status_code == 303, answer.get_data(as_text=True)
        return self

    def confirm(self, now: datetime) -> Browser:
        """Show the second factor again, as acts that matter ask after five minutes."""
        answer = self.post("/confirm", {"otp": pyotp.TOTP(TOTP_SECRET).at(int(now.timestamp()))})
        assert answer.status_code == 303, answer.get_data(as_text=True)
        return self


@pytest.fixture
def sign_in(app: Flask, clock: MovableClock) -> Callable[[Member], Browser]:
    def as_member(member: Member) -> Browser:
        return Browser(app).sign_in(member, clock.now())

    return as_member
