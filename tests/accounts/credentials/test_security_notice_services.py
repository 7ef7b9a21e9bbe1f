"""What people are told of their credentials: all of it, soon, and not too often."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from idp.accounts.credentials import security_notice_services
from idp.accounts.credentials.factor_services import notify_credential_change
from idp.accounts.credentials.security_notice_services import PER_HOUR
from idp.accounts.models import Person
from idp.accounts.recovery.models import SecurityNotice
from idp.clock import MovableClock
from idp.config import Settings
from idp.db import db, transaction
from idp.notices import services as notices
from idp.notices.models import OutboxMessage

from ..conftest import Account

Accounts = Callable[..., Account]
CHROME = "Mozilla/5.0 (X11; Linux x86_64) Chrome/130.0 Safari/537.36"


def changed(person_id: str, clock: MovableClock) -> None:
    with transaction():
        notify_credential_change(person_id, "password", "update", now=clock.now())


def deliver(clock: MovableClock) -> None:
    while notices.deliver_due(clock.now()):
        pass


def mails(settings: Settings) -> list[email.message.EmailMessage]:
    paths: list[Path] = (
        sorted(settings.outbox_dir.glob("*security_notice*.eml")) if settings.outbox_dir.exists() else []
    )
    found = [email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in paths]
    return [each for each in found if isinstance(each, email.message.EmailMessage)]


def parts(mail: email.message.EmailMessage) -> tuple[str, str]:
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert html is not None
    return plain.get_content(), html.get_content()


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("fr", ("Le mot de passe a été changé", "23 novembre 2026 à 10 h 00", "Si ce n’était pas vous")),
        ("en", ("The password was changed", "November 23, 2026 at 10:00 a.m.", "If it was not you")),
    ],
)
def test_a_change_is_told_in_both_forms(
    app: Flask, account: Accounts, settings: Settings, clock: MovableClock, language: str, said: tuple[str, ...]
) -> None:
    """What, when by Québec's clock, on which device, the code masked, what to do; no link, nothing from elsewhere."""
    julie = account(language=language)
    with app.test_request_context(headers={"User-Agent": CHROME}):
        changed(julie.person_id, clock)

    deliver(clock)

    [mail] = mails(settings)
    for text in parts(mail):
        plain = re.sub(r"[\u00a0\u202f]", " ", text)
        for each in (*said, "Chrome, Linux", julie.code.masked, settings.support_phone):
            assert each in plain, (each, plain)
        assert str(julie.code) not in text
        assert julie.code.signs not in text
        assert "http" not in text
        assert not re.search(r"<(a|img|script|link|style|form)\b|url\(|src=", text)
    assert parts(mail)[1].startswith("<!DOCTYPE html>")
    assert f'<html lang="{language}">' in parts(mail)[1]


def test_a_notice_is_for_no_list(app: Flask, account: Accounts, settings: Settings, clock: MovableClock) -> None:
    """Made by a machine, and nobody unsubscribes from security (RFC 3834 §5)."""
    changed(account().person_id, clock)

    deliver(clock)

    [mail] = mails(settings)
    assert mail["Auto-Submitted"] == "auto-generated"
    assert not [name for name in mail if name.lower().startswith("list-")]


@pytest.mark.databases
def test_many_changes_are_merged_and_none_is_dropped(
    app: Flask, account: Accounts, settings: Settings, clock: MovableClock
) -> None:
    """Ten changes within the hour: three messages, then one with all the rest; each change is told once."""
    julie = account()
    for _ in range(10):
        clock.advance(timedelta(minutes=1))
        changed(julie.person_id, clock)
        deliver(clock)
    assert len(mails(settings)) == PER_HOUR
    waiting = db.session.execute(select(OutboxMessage.attempts, OutboxMessage.last_error, OutboxMessage.due_at)).all()
    assert {(row.attempts, row.last_error) for row in waiting if row.due_at > clock.now()} == {(0, None)}

    clock.advance(timedelta(hours=1))
    deliver(clock)

    told = [parts(mail)[0].count("a été changé") for mail in mails(settings)]
    assert told == [1, 1, 1, 7]
    assert notices.waiting() == 0
    assert notices.dead() == ()
    assert db.session.scalar(select(func.count(SecurityNotice.id)).where(SecurityNotice.batch.is_(None))) == 0


def test_a_second_attempt_tells_the_same(app: Flask, account: Accounts, clock: MovableClock) -> None:
    """A worker that dies after sending sends again: the same changes, and no more of the allowance."""
    julie = account()
    changed(julie.person_id, clock)
    payload = {"person_id": julie.person_id, "batch": "b" * 32}
    first = security_notice_services.render(payload, clock.now())
    for _ in range(PER_HOUR + 1):
        again = security_notice_services.render(payload, clock.now())

    assert first is not None
    assert again == first


def test_a_name_or_device_is_only_text(app: Flask, account: Accounts, settings: Settings, clock: MovableClock) -> None:
    """Markup and line breaks in what others wrote make neither a tag nor a header (S-73)."""
    julie = account()
    db.session.execute(update(Person).values(given_name="A\r\nBcc: x@example.org", family_name="<script>"))
    db.session.execute(
        SecurityNotice.__table__.insert().values(
            id="n" * 32, person_id=julie.person_id, what="password:update", device="<b>x</b>\r\nX-A: 1", at=clock.now()
        )
    )
    db.session.commit()
    changed(julie.person_id, clock)

    deliver(clock)

    [mail] = mails(settings)
    assert mail["Bcc"] is None
    assert mail["X-A"] is None
    assert "<b>" not in parts(mail)[1]
    assert "&lt;b&gt;" in parts(mail)[1]
