"""The desk with real files: imported synthetic sources, files submitted and checked, people who sign in by the pages."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update
from werkzeug.test import TestResponse

from idp.accounts import services as accounts
from idp.audit import SYSTEM
from idp.clock import MovableClock
from idp.connectors.register_import import import_register
from idp.connectors.tax_import import import_tax_file
from idp.db import transaction
from idp.enrollment import services as enrollment
from idp.enrollment.domain.positions import Basis, Position
from idp.enrollment.domain.terms import TERMS_VERSION
from idp.enrollment.models import EnrolmentFile
from idp.identifiers import Neq, PersonId, RevenuQuebecId, UserCode
from idp.support import services

SYNTHETIC = Path(__file__).resolve().parents[2] / "examples" / "synthetic"
PASSWORD = "trois petits bateaux verts"
TOTP_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture
def sources(app: Flask, now: datetime) -> None:
    import_register(SYNTHETIC / "req", now)
    import_tax_file(SYNTHETIC / "revenu_quebec.csv", now)


def somebody(clock: MovableClock) -> tuple[PersonId, UserCode]:
    """Create somebody who is not of the desk, with credentials of their own."""
    now = clock.now()
    person_id = accounts.create_person(
        given_name="Ada", family_name="Licorne", email="ada@example.org", language="fr", now=now
    )
    code = accounts.issue_user_code(person_id, now=now)
    accounts.seed_credentials(person_id, user_code=code, password=PASSWORD, totp_secret=TOTP_SECRET, now=now)
    return person_id, code


@dataclass(frozen=True)
class Case:
    neq: str
    revenu_quebec_id: str | None
    given_name: str
    family_name: str
    birth_date: date
    position: Position
    basis: Basis = Basis.OFFICE


CASES = {
    "mandate": Case("1109876541", "9000000121", "Inès", "Courantfort", date(1984, 3, 2), Position.OTHER, Basis.MANDATE),
    "bankrupt": Case("1100000216", "9001002594", "Nadia", "Faux-Prénom", date(1979, 5, 5), Position.PRESIDENT),
    "no_number": Case("1100000174", None, "Prudence", "Écorcebois", date(1980, 1, 1), Position.PRESIDENT),
}


@pytest.fixture
def submitted(sources: None, clock: MovableClock) -> Callable[..., str]:
    """Submit and check the file of a named case, as an authorized representative does; return its id."""

    def submit(name: str = "mandate") -> str:
        case, at = CASES[name], clock.now()
        file_id = enrollment.start(language="fr", now=at)
        neq = Neq(case.neq)
        enrollment.save_neq(file_id, neq, now=at)
        enrollment.confirm_neq(file_id, enrollment.look_up(neq), now=at)  # type: ignore[arg-type]
        number = RevenuQuebecId(case.revenu_quebec_id) if case.revenu_quebec_id else None
        enrollment.save_revenu_quebec_id(file_id, number, now=at)
        facts = enrollment.Representative(
            given_name=case.given_name,
            family_name=case.family_name,
            birth_date=case.birth_date,
            position=case.position,
            basis=case.basis,
            notice_number=None,
            notice_year=None,
            email="ines@example.org",
            phone="418 555-0142",
        )
        enrollment.save_representative(file_id, facts, now=at)
        with transaction() as session:
            session.execute(update(EnrolmentFile).values(email_confirmed_at=at))
        enrollment.add_representative_as_nominee(file_id, now=at)
        assert enrollment.submit(file_id, terms_version=TERMS_VERSION, language="fr", now=at)
        enrollment.check(file_id, now=at)
        return file_id

    return submit


@dataclass(frozen=True)
class Staff:
    person_id: PersonId
    user_code: UserCode
    client: FlaskClient


@pytest.fixture
def staff(app: Flask, clock: MovableClock) -> Callable[..., Staff]:
    """Add a person of the desk (or, without a role, an ordinary person) and sign them in by the pages."""

    def add(role: str | None = "operator", agency_id: str | None = None, name: str = "Odile") -> Staff:
        at = clock.now()
        person_id = accounts.create_person(
            given_name=name, family_name="Guichet", email=f"{name.lower()}@example.org", language="fr", now=at
        )
        code = accounts.issue_user_code(person_id, now=at)
        accounts.seed_credentials(person_id, user_code=code, password=PASSWORD, totp_secret=TOTP_SECRET, now=at)
        if role is not None:
            services.appoint(person_id, role=role, agency_id=agency_id, actor=SYSTEM, now=at)
        client = app.test_client()
        sign_in(client, code, at)
        return Staff(person_id, code, client)

    return add


def sign_in(client: FlaskClient, code: UserCode, now: datetime) -> TestResponse:
    post(client, "/sign-in", username=str(code), password=PASSWORD)
    return post(client, "/sign-in/code", otp=pyotp.TOTP(TOTP_SECRET).at(int(now.timestamp())))


def post(client: FlaskClient, path: str, page: str | None = None, **form: str) -> TestResponse:
    """Post a form as a person does: the page first, for its token."""
    return client.post(path, data={**form, "csrf_token": token(client, page or path)})


def token(client: FlaskClient, page: str) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get(page).get_data(as_text=True))
    assert found, page
    return found.group(1)
