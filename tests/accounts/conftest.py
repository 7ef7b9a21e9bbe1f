"""People, codes and browsers for the tests of accounts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import pyotp
import pytest
from flask import Flask

from idp.accounts import services
from idp.clock import MovableClock
from idp.identifiers import PersonId, UserCode

PASSWORD = "trois petits bateaux verts"
TOTP_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@dataclass(frozen=True)
class Account:
    person_id: PersonId
    code: UserCode
    password: str = PASSWORD
    totp_secret: str = TOTP_SECRET

    def otp(self, now: datetime) -> str:
        return pyotp.TOTP(self.totp_secret).at(int(now.timestamp()))


@pytest.fixture
def someone(app: Flask, clock: MovableClock) -> Callable[..., PersonId]:
    def create(given_name: str = "Julie", family_name: str = "Tremblay", language: str = "fr") -> PersonId:
        return services.create_person(
            given_name=given_name,
            family_name=family_name,
            email=f"{given_name.lower()}@example.com",
            language="en" if language == "en" else "fr",
            now=clock.now(),
        )

    return create


@pytest.fixture
def account(someone: Callable[..., PersonId], clock: MovableClock) -> Callable[..., Account]:
    def create(given_name: str = "Julie", family_name: str = "Tremblay", language: str = "fr") -> Account:
        person_id = someone(given_name, family_name, language)
        code = services.issue_user_code(person_id, now=clock.now())
        services.seed_credentials(
            person_id, user_code=code, password=PASSWORD, totp_secret=TOTP_SECRET, now=clock.now()
        )
        return Account(person_id, code)

    return create
