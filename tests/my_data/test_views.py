"""What happened to my account, and everything kept about me as a file (law L-2)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from pydantic import ValidationError

from idp import audit
from idp.accounts import services
from idp.clock import MovableClock
from idp.config import folder
from idp.db import transaction
from idp.my_data.schema import MyData, schema
from tests.accounts.conftest import PASSWORD, TOTP_SECRET, Account, Browser, account, browser, someone
from tests.delegation.conftest import Browser as MembersBrowser
from tests.delegation.conftest import Business, World, licorne, world

__all__ = ["account", "browser", "licorne", "someone", "world"]  # fixtures of accounts and delegation


def test_the_published_schema_is_that_of_the_code() -> None:
    """``static/schemas/my-data.schema.json`` describes the file; nothing else is allowed in it."""
    published = (folder("static") / "schemas" / "my-data.schema.json").read_text(encoding="utf-8")

    assert published == schema()
    assert json.loads(published)["additionalProperties"] is False


def test_the_file_fits_the_schema_and_holds_what_every_room_keeps(
    app: Flask, world: World, licorne: Business, clock: MovableClock
) -> None:
    """Roles, rights, codes, sessions, activity; no secret; well under the minute that the law gives (A-2.1 s. 84)."""
    world.grant(licorne, licorne.julie, "001", "008")
    browser = MembersBrowser(app).sign_in(licorne.julie, clock.now())
    begun = time.monotonic()

    answer = browser.client.get("/account/data.json")

    assert time.monotonic() - begun < 10
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    assert answer.headers["Cache-Control"] == "no-store"
    told = MyData.model_validate_json(answer.data)
    (enterprise,) = told.enterprises
    assert enterprise.rights[0].blocks == ["001", "008"]
    assert [code.user_code.replace("-", "") for code in told.user_codes] == [licorne.julie.user_code.replace("-", "")]
    assert len(told.sessions) == 1
    assert "person:signed_in" in {act.event for act in told.activity}
    for secret in (PASSWORD, TOTP_SECRET, "argon2", "digest", licorne.pes.person_id):
        assert secret not in answer.text
    with pytest.raises(ValidationError):
        MyData.model_validate({**told.model_dump(), "secret": "x"})


def test_the_file_wants_a_fresh_sign_in(account: Callable[..., Account], clock: MovableClock, browser: Browser) -> None:
    """A browser left open gives nothing away: the second factor first, then the file."""
    julie = account()
    browser.sign_in(julie, clock.now())
    clock.advance(timedelta(minutes=5))

    asked = browser.get("/account/data.json")

    assert asked.location == "/confirm?next=%2Faccount%2Fdata.json"
    assert browser.post(asked.location, otp=julie.otp(clock.now())).location == "/account/data.json"
    assert browser.get("/account/data.json").status_code == 200


def test_activity_shows_one_s_own_entries_only(
    account: Callable[..., Account], clock: MovableClock, browser: Browser
) -> None:
    """In words, with who did it and no name; nobody else's entries; page after page back to the first."""
    julie, nadia = account("Julie"), account("Nadia")
    services.freeze(nadia.person_id, actor=audit.SYSTEM, now=clock.now())
    for _ in range(55):
        clock.advance(timedelta(minutes=1))
        leave_entry(julie, clock)
    browser.sign_in(julie, clock.now())

    page = browser.get("/account/activity").text

    assert "Connexion" in page
    assert "Accès gelé" not in page
    assert nadia.person_id not in page
    earlier = page.split('id="earlier" href="')[1].split('"')[0].replace("&amp;", "&")
    assert "Code d’utilisateur attribué" in browser.get(earlier).text
    for strange in ("", "x", "2026-01-01", "9" * 300):
        assert browser.get(f"/account/activity?before={strange}").status_code == 200


def leave_entry(who: Account, clock: MovableClock) -> None:
    """Leave one entry in the log about *who*."""
    with transaction():
        audit.record(
            audit.Event.SIGN_IN_REFUSED, actor=audit.ANONYMOUS, person_id=who.person_id, details={}, now=clock.now()
        )
