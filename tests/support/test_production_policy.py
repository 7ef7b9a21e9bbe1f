"""The desk as it is in production, where operators show a passkey; the other tests of the desk use an application."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pyotp
import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from idp.accounts import services as accounts
from idp.accounts.models import SignInRow
from idp.accounts.sessions.domain.sign_ins import PASSKEY_ACR
from idp.accounts.sign_in.sign_in_services import check_password
from idp.clock import MovableClock
from idp.config import Settings
from idp.db import db
from tests.accounts.authenticator import Authenticator

from .conftest import TOTP_SECRET, Staff, post, somebody

DESK, ADD = "/desk/sign-ins", "/account/security/passkey"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"factor_policy": ""})


def answer(client: FlaskClient, path: str, act: Callable[[str], dict[str, Any]], **more: str) -> TestResponse:
    """Answer the challenge of a page of passkeys, as its script does."""
    page = client.get(path).text
    options = re.search(r'data-options="([^"]+)"', page)
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert options, page
    assert token, page
    shown = json.dumps(act(html.unescape(options.group(1))))
    return client.post(path, data={"csrf_token": token.group(1), "credential": shown, **more})


def acr_of(person_id: str) -> str | None:
    db.session.rollback()
    return db.session.scalar(
        select(SignInRow.acr).where(SignInRow.person_id == person_id, SignInRow.ended_at.is_(None))
    )


def test_an_operator_signs_in_goes_stale_confirms_and_goes_on_with_a_passkey(
    staff: Callable[..., Staff], clock: MovableClock
) -> None:
    """Password and code lead to the first passkey alone; then only it opens the desk, and only it confirms an act."""
    person_id, code = somebody(clock)
    for _ in range(5):
        check_password(code, "faux mot de passe", next_path="/", now=clock.now())
    operator, key = staff(), Authenticator()
    assert operator.client.get(DESK).location == ADD
    assert answer(operator.client, ADD, key.make, nickname="Clé").location.startswith("/sign-in/passkey")
    assert answer(operator.client, "/sign-in/passkey?next=%2Fdesk", key.show).location == "/desk"
    assert operator.client.get(DESK).status_code == 200
    clock.advance(timedelta(minutes=6))
    asked = post(operator.client, f"{DESK}/unlock", DESK, user_code=str(code))
    assert asked.location.startswith("/confirm/passkey?next=")
    db.session.rollback()
    assert accounts.lockout_of(person_id, now=clock.now()).locked_until is not None
    typed = pyotp.TOTP(TOTP_SECRET).at(int(clock.now().timestamp()))
    assert post(operator.client, "/confirm", asked.location, otp=typed).location.startswith("/confirm/passkey")

    confirmed = answer(operator.client, asked.location, key.show)

    waiting = operator.client.get(confirmed.location).text
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)"[^>]* value="([^"]*)"', waiting))
    assert operator.client.post(f"{DESK}/unlock", data=fields).location == DESK
    db.session.rollback()
    assert accounts.lockout_of(person_id, now=clock.now()).locked_until is None
    assert acr_of(operator.person_id) == PASSKEY_ACR
    assert operator.client.get(DESK).status_code == 200
