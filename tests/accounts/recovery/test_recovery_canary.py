"""The secrets of recovery stay secret: none in clear in the database, its journal, the logs or the names of the outbox (S-88)."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from idp.accounts.credentials.domain.passwords import read_temporary
from idp.accounts.recovery import reproofing_services
from idp.accounts.recovery.domain.reproofing_states import WAIT
from idp.audit import SYSTEM
from idp.clock import MovableClock
from idp.config import Settings
from idp.db import db
from idp.notices import services as notices

from ...answers import listen
from ..conftest import Account, Browser, latest_email_code, payloads

NEW, OTHER = "canari vert de la volière un", "canari vert de la volière deux"


@pytest.fixture
def settings(settings: Settings, caplog: pytest.LogCaptureFixture) -> Settings:
    """Log everything that there is, statements and their parameters too."""
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.INFO, "sqlalchemy.engine")
    return settings.model_copy(update={"log_level": "DEBUG"})


@pytest.mark.bar("S-88", "S-52", "B16")
def test_no_secret_of_recovery_is_found_in_clear(
    app: Flask,
    account: Callable[..., Account],
    clock: MovableClock,
    settings: Settings,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A password recovered, a factor proved anew with one objection, and a lost user code, all delivered; nor in any answer."""
    answers = listen(app)
    julie, browser = account(), Browser(app)
    canaries = {"new password": NEW, "other password": OTHER}
    browser.post("/recover", user_code=str(julie.code))
    canaries["recovery code"] = str(payloads("recovery_code")[-1]["code"])
    browser.post("/recover/code", email_code=canaries["recovery code"][::-1])
    browser.post("/recover/code", email_code=canaries["recovery code"])
    browser.post("/recover/factor", otp=julie.otp(clock.now()))
    assert browser.post("/recover/password", new_password=NEW, new_password_repeat=NEW).location == "/sign-in"
    browser.post("/recover/user-code", email="julie@example.com")
    for number in ("first", "second"):
        slip = reproofing_services.start(julie.code, by=SYSTEM, now=clock.now())
        canaries[f"{number} slip"] = read_temporary(slip.grouped)
        canaries[f"{number} objection"] = str(payloads("reproofing_started")[-1]["objection"])
        if number == "first":
            browser.get(f"/recover/objection?token={canaries['first objection']}")
            browser.post("/recover/objection")
    clock.advance(WAIT)
    browser.post("/activate", user_code=str(julie.code), temporary_password=canaries["second slip"])
    canaries["code of the re-proofing"] = latest_email_code()
    browser.post("/activate/code", email_code=canaries["code of the re-proofing"])
    browser.post("/activate/password", new_password=OTHER, new_password_repeat=OTHER)
    page = browser.get("/activate/factor").text
    found = re.search(r'id="totp-key"[^>]*>([^<]+)<', page)
    assert found
    canaries["application secret"] = re.sub(r"\s", "", found.group(1))
    while notices.deliver_due(clock.now()):
        pass

    db.session.rollback()
    places = {path.name: path.read_bytes().decode("utf-8", "replace") for path in tmp_path.glob("test.sqlite3*")}
    places["logs"] = "".join(capsys.readouterr()) + caplog.text
    places["outbox"] = "\n".join(str(path) for path in settings.outbox_dir.rglob("*"))
    assert len(canaries) == 9
    assert "INSERT INTO" in places["logs"]
    assert "security_notice" in places["outbox"]
    seen = {(place, name) for place, text in places.items() for name, secret in canaries.items() if secret in text}
    assert seen == set()
    shown = answers.places_of({name: [secret] for name, secret in canaries.items()})
    assert shown == {
        "application secret": {"GET /activate/factor: body"},  # offered until its first code is typed
        "first objection": {"GET /recover/objection: Set-Cookie"},  # out of the address, into the cookie of its owner
    }
