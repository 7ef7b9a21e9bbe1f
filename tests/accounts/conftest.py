"""People, codes and browsers for the tests of accounts."""

from __future__ import annotations

import contextvars
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from idp.accounts import services
from idp.audit import SYSTEM
from idp.clock import MovableClock
from idp.crypto.sealing import current_sealing
from idp.db import db
from idp.identifiers import PersonId, UserCode
from idp.notices.models import OutboxMessage

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
    def create(
        given_name: str = "Julie",
        family_name: str = "Tremblay",
        language: str = "fr",
        *,
        totp_secret: str = TOTP_SECRET,
    ) -> Account:
        person_id = someone(given_name, family_name, language)
        code = services.issue_user_code(person_id, now=clock.now())
        services.seed_credentials(
            person_id, user_code=code, password=PASSWORD, totp_secret=totp_secret, now=clock.now()
        )
        return Account(person_id, code, totp_secret=totp_secret)

    return create


def apart(act: Callable[..., TestResponse], *arguments: Any, **values: Any) -> TestResponse:
    """Make a request as a server does: in a context of its own, which shares neither ``g`` nor a database session."""
    db.session.remove()
    return contextvars.Context().run(act, *arguments, **values)


def page_of(location: str | None) -> str | None:
    """Return an address without the number that it carries, of which nothing can be told in advance."""
    return re.sub(r"(/|%2F)~[0-9a-f]+(?=/|%2F)", "", location) if location else location


def without_numbers(page: str) -> str:
    """Return a page without what is drawn for it alone: tokens and numbers."""
    return re.sub(r"[A-Za-z0-9_.-]{43,}|(?<![0-9a-f])[0-9a-f]{16}(?![0-9a-f])", "", page)


class Browser:
    """A browser without scripts: it fetches each page, and posts its form with the token the page holds."""

    def __init__(self, app: Flask) -> None:
        self.client: FlaskClient = app.test_client()
        self.client.open = partial(apart, self.client.open)  # type: ignore[method-assign]

    def get(self, path: str) -> TestResponse:
        return self.client.get(path)

    def token(self, path: str) -> str:
        page = self.client.get(path, follow_redirects=True).get_data(as_text=True)
        found = re.search(r'name="csrf_token" value="([^"]+)"', page)
        assert found, page
        return found.group(1)

    def post(self, path: str, *, page: str | None = None, **fields: str) -> TestResponse:
        token = self.token(page or path)
        return self.client.post(path, data={"csrf_token": token, **fields})

    def sign_in(self, account: Account, now: datetime, *, query: str = "") -> TestResponse:
        first = self.post(f"/sign-in{query}", username=str(account.code), password=account.password)
        assert first.location.endswith("/sign-in/code"), first.get_data(as_text=True)
        return self.post(first.location, otp=account.otp(now))

    def cookie(self, name: str = "mandat") -> str | None:
        found = self.client.get_cookie(name)
        return found.value if found else None


@pytest.fixture
def browser(app: Flask) -> Browser:
    return Browser(app)


@pytest.fixture
def newcomer(someone: Callable[..., PersonId], clock: MovableClock) -> Callable[..., tuple[UserCode, str]]:
    """Somebody who holds both slips: the user code and the temporary password."""

    def create(given_name: str = "Nadia") -> tuple[UserCode, str]:
        code = services.issue_user_code(someone(given_name, "Roy"), now=clock.now())
        return code, services.reveal_temporary_password(code, actor=SYSTEM, now=clock.now()).grouped

    return create


def payloads(kind: str) -> list[dict[str, object]]:
    """Return what the notices of *kind* say, oldest first."""
    rows = db.session.scalars(
        select(OutboxMessage).where(OutboxMessage.kind == kind).order_by(OutboxMessage.created_at)
    ).all()
    db.session.commit()
    return [json.loads(current_sealing().unseal(row.payload or "", f"outbox:{row.id}")) for row in rows]


def switch_on(app: Flask, *, on: bool = True) -> None:
    """Let people without their second factor read with a code by e-mail (ADR 0014), or no longer."""
    settings = app.extensions["mandat.settings"]
    app.extensions["mandat.settings"] = settings.model_copy(update={"email_code_fallback": on})


def latest_email_code() -> str:
    return str(payloads("email_code")[-1]["code"])
