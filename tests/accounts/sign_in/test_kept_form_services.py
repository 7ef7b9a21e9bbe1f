"""Forms that wait: sealed, bounded, given back once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from idp.accounts import services
from idp.accounts.challenges.models import KeptForm
from idp.accounts.sign_in import kept_form_services
from idp.accounts.sign_in.domain.kept_forms import LARGEST, keepable
from idp.clock import MovableClock
from idp.db import db

from ..conftest import Account
from ..sessions.test_session_services import open_for
from .test_sign_in_services import at_once


@pytest.mark.databases
def test_a_form_is_given_back_once(app: Flask, account: Callable[..., Account], clock: MovableClock) -> None:
    """Six requests at once: one of them has it (single use)."""
    sign_in, _ = open_for(account(), clock)
    now = clock.now()
    form_id = kept_form_services.keep(sign_in.person_id, "/act", [("a", "b")], sid=sign_in.sid, now=now) or ""

    answers = at_once(app, 6, lambda: kept_form_services.take(form_id, sign_in, now=now))

    assert sum(1 for answer in answers if answer is not None) == 1


def test_what_waits_is_sealed_then_wiped_then_swept(
    app: Flask, account: Callable[..., Account], clock: MovableClock
) -> None:
    """Nothing typed lies in clear, and nothing stays: neither what was given back nor what nobody came back for."""
    sign_in, _ = open_for(account(), clock)
    first, second = (
        kept_form_services.keep(sign_in.person_id, "/act", [("name", "canari")], now=clock.now()) for _ in range(2)
    )
    stored = db.session.scalars(select(KeptForm.fields)).all()
    assert all("canari" not in each and len(each) > 20 for each in stored)
    kept_form_services.take(first or "", sign_in, now=clock.now())
    assert db.session.scalar(select(KeptForm.fields).where(KeptForm.id == first)) == ""
    clock.advance(timedelta(hours=4))

    assert kept_form_services.take(second or "", sign_in, now=clock.now()) is None
    services.sweep(clock.now())
    assert db.session.scalars(select(KeptForm.id)).all() == []


def test_secrets_and_oversized_forms_do_not_wait() -> None:
    """Whatever its case, a field that names a secret is left out; beyond the bound nothing is kept."""
    secret = (
        "Password",
        "new_password",
        "otp",
        "email_code",
        "secret",
        "credential",
        "csrf_token",
        "temporary_password",
    )

    assert keepable([(name, "x") for name in secret] + [("block", "001")]) == (("block", "001"),)
    assert keepable([("user_code", "QX4T-7712")]) == (("user_code", "QX4T-7712"),)  # a name, which proves nothing
    assert keepable([("a", "x" * LARGEST)]) is None
