"""Fields that no page asks for: whatever is added to a form, nothing is verified, raised or given by it (security S-57, S-69)."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pyotp
import pytest
from flask import Flask
from sqlalchemy import select

from idp.accounts.models import Passkey, Password, Person, RecoveryCode, TotpDevice, UserCodeRow
from idp.accounts.recovery_models import ContactPoint
from idp.clock import MovableClock
from idp.db import Base, db
from idp.identifiers import UserCode
from tests.accounts.conftest import PASSWORD, Account, Browser, latest_email_code

KEPT = (Person, Password, TotpDevice, UserCodeRow, Passkey, RecoveryCode, ContactPoint)
BUTTONS = {"/account/freeze", "/account/security/recovery-codes"}  # one button does it, with or without fields
EXTRA = {column.name: "1" for table in Base.metadata.sorted_tables for column in table.columns}
del EXTRA["path"]  # the browser's own word
EXTRA |= {"acr": "urn:mandat:aal:3", "role": "pes", "is_operator": "true", "access": "open", "verified": "true"}


def kept() -> dict[str, list[dict[str, Any]]]:
    """Return everything that is kept of people and of what they sign in with."""
    rows = {
        model.__tablename__: [dict(row._mapping) for row in db.session.execute(select(model.__table__))]
        for model in KEPT
    }
    db.session.rollback()
    return rows


def paths(app: Flask) -> list[str]:
    """Return where a form of this room is posted, but for addresses that name a row."""
    ours = (rule for rule in app.url_map.iter_rules() if app.view_functions[rule.endpoint].__module__.startswith(OURS))
    return sorted(rule.rule for rule in ours if "POST" in (rule.methods or ()) and not rule.arguments)


OURS = "idp.accounts.views"


def test_every_column_posted_to_every_form_changes_nothing(
    app: Flask, account: Callable[..., Account], clock: MovableClock
) -> None:
    """Signed in and fresh, with every column name of every table: no person, credential, code or address is another one."""
    julie = account()
    account("Marc")
    tried = [path for path in paths(app) if path not in BUTTONS]

    for path in tried:
        clock.advance(timedelta(minutes=1))
        browser = Browser(app)
        browser.sign_in(julie, clock.now())
        token, before = browser.token("/account/security/password"), kept()

        answer = browser.client.post(path, data=EXTRA | {"csrf_token": token})

        assert answer.status_code < 500, path
        assert kept() == before, path
    assert len(tried) > 25


def test_extra_fields_of_a_form_that_acts_are_ignored(
    account: Callable[..., Account], clock: MovableClock, browser: Browser
) -> None:
    """Choosing a language chooses a language, and nothing else."""
    julie = account()
    browser.sign_in(julie, clock.now())
    before = kept()

    browser.post("/account/language", page="/account", **EXTRA | {"language": "en"})

    (person,) = before["person"]
    person["language"] = "en"
    assert kept() == before


@pytest.mark.databases
def test_an_activation_gives_what_was_issued(
    newcomer: Callable[..., tuple[UserCode, str]], clock: MovableClock, browser: Browser
) -> None:
    """Every step with every column beside its fields: an ordinary person, at the level written before, no operator."""
    code, secret = newcomer()
    (before,) = kept()["person"]

    browser.post("/activate", **EXTRA | {"user_code": str(code), "temporary_password": secret})
    browser.post("/activate/code", **EXTRA | {"email_code": latest_email_code()})
    browser.post("/activate/password", **EXTRA | {"new_password": PASSWORD, "new_password_repeat": PASSWORD})
    key = re.search(r'id="totp-key"[^>]*>([^<]+)<', browser.get("/activate/factor").get_data(as_text=True))
    assert key
    otp = pyotp.TOTP(re.sub(r"[^A-Z2-7]", "", html.unescape(key.group(1)))).at(clock.now())
    browser.post("/activate/factor", **EXTRA | {"otp": otp})

    (person,), (issued,) = kept()["person"], kept()["user_code"]
    assert issued["state"] == "activated"
    assert (person["required_level"], person["is_operator"], person["access"]) == (2, False, "open")
    assert (person["email"], person["given_name"]) == (before["email"], before["given_name"])
