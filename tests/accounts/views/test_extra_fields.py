"""A field that no page asks for verifies, raises and gives nothing (security-bar.md S-57, S-69)."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pyotp
import pytest
from flask import Flask
from sqlalchemy import select

from idp.accounts.models import Passkey, Password, Person, RecoveryCode, TotpDevice, UserCodeRow
from idp.accounts.recovery.models import ContactPoint
from idp.clock import MovableClock
from idp.db import Base, db
from idp.identifiers import UserCode
from tests.accounts.authenticator import Authenticator
from tests.accounts.conftest import PASSWORD, Account, Browser, latest_email_code, payloads
from tests.accounts.views.test_passkeys import options_of, token_of

NEW = "quatre vents sur la grève"
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


def another(column: Any) -> str:
    """Return a value that a column of this type would take."""
    kinds = {bool: "y", int: "3", datetime: "2001-01-01 00:00:00", dict: "{}", list: "[]"}
    return kinds.get(column.type.python_type, "another")


OTHERS = {column.name: another(column) for table in Base.metadata.sorted_tables for column in table.columns}
del OTHERS["path"]


def changes(before: dict[str, list[dict[str, Any]]], after: dict[str, list[dict[str, Any]]]) -> set[tuple[str, str]]:
    """Return what is another one: (table, column), or (table, "+") and (table, "-") for rows; rows by their first column."""
    found = set[tuple[str, str]]()
    for table in before:
        old, new = ({next(iter(row.values())): row for row in rows[table]} for rows in (before, after))
        found |= {(table, "+") for key in new.keys() - old.keys()} | {(table, "-") for key in old.keys() - new.keys()}
        found |= {
            (table, name) for key in old.keys() & new.keys() for name in old[key] if old[key][name] != new[key][name]
        }
    return found


@dataclass
class Acting:
    """Somebody signed in and fresh, who fills in a form and every other field there could be."""

    browser: Browser
    account: Account
    clock: MovableClock

    def post(self, path: str, *, page: str | None = None, **fields: str) -> str | None:
        return self.browser.post(path, page=page, **OTHERS | fields).location

    def otp(self) -> str:
        self.clock.advance(timedelta(minutes=1))
        return self.account.otp(self.clock.now())


def change_name(who: Acting) -> None:
    who.post("/account/name", given_name="Julia", family_name="Roy", new_name="x")


def change_email(who: Acting) -> None:
    who.post("/account/email", email="autre@example.com")
    who.post("/account/email/code", email_code=latest_email_code())


def change_password(who: Acting) -> None:
    fields = {"current_password": PASSWORD, "new_password": NEW, "new_password_repeat": NEW}
    assert who.post("/account/security/password", **fields) == "/account/security"


def recover_password(who: Acting) -> None:
    who.post("/recover", user_code=str(who.account.code))
    who.post("/recover/code", email_code=str(payloads("recovery_code")[-1]["code"]))
    who.post("/recover/factor", otp=who.otp())
    assert who.post("/recover/password", new_password=NEW, new_password_repeat=NEW) == "/sign-in"


def add_application(who: Acting) -> None:
    path = "/account/security/application"
    key = re.search(r'id="totp-key"[^>]*>([^<]+)<', who.browser.get(path).text)
    assert key
    otp = pyotp.TOTP(re.sub(r"[^A-Z2-7]", "", html.unescape(key.group(1)))).at(who.clock.now())
    assert who.post(path, otp=otp, nickname="Tablette") == "/account/security"


def add_passkey(who: Acting) -> None:
    path = "/account/security/passkey"
    page = who.browser.get(path).text
    fields = {"credential": json.dumps(Authenticator().make(options_of(page))), "nickname": "Clé"}
    data = OTHERS | fields | {"csrf_token": token_of(page)}
    assert who.browser.client.post(path, data=data).location == "/account/security"


def make_recovery_codes(who: Acting) -> None:
    who.post("/account/security/recovery-codes")


def freeze(who: Acting) -> None:
    assert who.post("/account/freeze") == "/frozen"


def confirm(who: Acting) -> None:
    assert who.post("/confirm", otp=who.otp()) == "/account"


def sign_in_again(who: Acting) -> None:
    who.post("/sign-in", username=str(who.account.code), password=PASSWORD)
    assert who.post("/sign-in/code", otp=who.otp()) == "/home"


USED = {("totp_device", "last_step"), ("totp_device", "last_used_at")}


@pytest.mark.bar("S-57", "S-59", "S-69")
@pytest.mark.parametrize(
    ("act", "its_own"),
    [
        (change_name, {("person", "given_name"), ("person", "family_name")}),
        (change_email, {("person", "email")}),
        (change_password, {("password", "hash"), ("password", "set_at")}),
        (recover_password, {("password", "hash"), ("password", "set_at"), ("contact_point", "+"), *USED}),
        (add_application, {("totp_device", "+")}),
        (add_passkey, {("passkey", "+")}),
        (make_recovery_codes, {("recovery_code", "+")}),
        (freeze, {("person", "access")}),
        (confirm, USED),
        (sign_in_again, {("person", "last_sign_in_at"), ("person", "previous_sign_in_at"), *USED}),
    ],
)
def test_an_act_changes_its_own_columns_whatever_else_is_posted(
    account: Callable[..., Account],
    clock: MovableClock,
    browser: Browser,
    act: Callable[[Acting], None],
    its_own: set[tuple[str, str]],
) -> None:
    """Each form filled in rightly, with a value that fits for every other column there is: the act, and nothing but the act."""
    julie, marc = account(), account("Marc")
    browser.sign_in(julie, clock.now())
    clock.advance(timedelta(minutes=2))  # what is dated shows
    before = kept()

    act(Acting(browser, julie, clock))

    after = kept()
    assert changes(before, after) == its_own
    for table, rows in before.items():
        for row in rows:
            if marc.person_id in row.values():
                assert row in after[table], table
