"""The e-mails of accounts, rendered when they leave."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from flask import Flask

from ..http.web import absolute_url
from ..notices.domain.messages import Email
from ..notices.email import from_template
from ..notices.services import on_bounce, register_renderer
from .credentials import security_notice_services
from .credentials.domain.recovery_codes import FEW
from .people import contact_services
from .people.person_services import people
from .recovery import lost_code_services, reproofing_services
from .throttling import alarm_services


def init_mails(app: Flask) -> None:
    """Register the e-mails of accounts with *app*."""
    register_renderer(app, "email_code", _code)
    register_renderer(app, "account_activated", _activated)
    register_renderer(app, "user_code_linked", _linked)
    register_renderer(app, "account_locked", _locked)
    register_renderer(app, "sign_in_alarm", alarm_services.render)
    register_renderer(app, "log_alarm", alarm_services.render_doubt)
    register_renderer(app, "recovery_code_used", _recovery_code)
    register_renderer(app, "email_changed", _email_changed)
    for kind in ("account_frozen", "account_thawed", "account_closed"):
        register_renderer(app, kind, partial(_at, f"accounts/mail_{kind.removeprefix('account_')}.txt"))
    register_renderer(app, "recovery_code", _password_code)
    security = security_notice_services
    register_renderer(app, "security_notice", security.render, on_refused=security.enqueue_letter)
    register_renderer(app, "reproofing_started", reproofing_services.render_started)
    register_renderer(app, "user_codes_asked", lost_code_services.render)
    on_bounce(app, contact_services.note_refused)


def _code(payload: dict[str, Any], _now: datetime) -> Email:
    return from_template(
        "accounts/mail_code.txt",
        to=payload["to"],
        language=payload["language"],
        code=payload["code"],
        minutes=payload["minutes"],
    )


def _at(template: str, payload: dict[str, Any], _now: datetime) -> Email:
    return from_template(
        template,
        to=payload["to"],
        language=payload["language"],
        at=datetime.fromisoformat(payload["at"]),
        freeze_address=absolute_url("/freeze"),
    )


def _email_changed(payload: dict[str, Any], _now: datetime) -> Email:
    return from_template(
        "accounts/mail_email_changed.txt",
        to=payload["to"],
        language=payload["language"],
        at=datetime.fromisoformat(payload["at"]),
        until=datetime.fromisoformat(payload["until"]),
        new=payload["new"],
        code=payload["code"],
        undo_address=absolute_url("/undo-email"),
    )


def _activated(payload: dict[str, Any], _now: datetime) -> Email:
    return from_template(
        "accounts/mail_activated.txt",
        to=payload["to"],
        language=payload["language"],
        user_code=payload["user_code"],
        at=datetime.fromisoformat(payload["at"]),
    )


def _linked(payload: dict[str, Any], _now: datetime) -> Email:
    return from_template(
        "accounts/mail_linked.txt",
        to=payload["to"],
        language=payload["language"],
        user_code=payload["user_code"],
        enterprise=payload["enterprise"],
        at=datetime.fromisoformat(payload["at"]),
    )


def _locked(payload: dict[str, Any], _now: datetime) -> Email:
    return from_template(
        "accounts/mail_locked.txt",
        to=payload["to"],
        language=payload["language"],
        until=datetime.fromisoformat(payload["until"]),
        freeze_address=absolute_url("/freeze"),
    )


def _recovery_code(payload: dict[str, Any], _now: datetime) -> Email:
    return from_template(
        "accounts/mail_recovery_code.txt",
        to=payload["to"],
        language=payload["language"],
        at=datetime.fromisoformat(payload["at"]),
        left=payload["left"],
        few=FEW,
    )


def _password_code(payload: dict[str, Any], _now: datetime) -> Email | None:
    """Return the code of a person who forgot a password; for a user code that does not exist, nothing leaves."""
    whom = people((payload["person_id"],)).get(payload["person_id"]) if payload["person_id"] else None
    if whom is None:
        return None
    return from_template(
        "accounts/mail_password_code.txt",
        to=whom.email,
        language=whom.language,
        code=payload["code"],
        minutes=payload["minutes"],
    )
