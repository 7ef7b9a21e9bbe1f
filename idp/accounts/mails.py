"""The e-mails of accounts, rendered when they leave."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from flask import Flask

from ..notices.email import from_template
from ..notices.messages import Email
from ..notices.services import register_renderer
from ..web import absolute_url
from .recovery_codes import FEW


def init_mails(app: Flask) -> None:
    """Register the e-mails of accounts with *app*."""
    register_renderer(app, "email_code", _code)
    register_renderer(app, "account_activated", _activated)
    register_renderer(app, "account_locked", _locked)
    register_renderer(app, "credential_notice", _credential)
    register_renderer(app, "recovery_code_used", _recovery_code)
    register_renderer(app, "email_changed", _email_changed)
    for kind in ("account_frozen", "account_thawed"):
        register_renderer(app, kind, partial(_at, f"accounts/mail_{kind.removeprefix('account_')}.txt"))


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


def _locked(payload: dict[str, Any], _now: datetime) -> Email:
    return from_template(
        "accounts/mail_locked.txt",
        to=payload["to"],
        language=payload["language"],
        until=datetime.fromisoformat(payload["until"]),
        freeze_address=absolute_url("/freeze"),
    )


def _credential(payload: dict[str, Any], _now: datetime) -> Email:
    return from_template(
        "accounts/mail_credential.txt",
        to=payload["to"],
        language=payload["language"],
        credential=payload["credential"],
        change=payload["change"],
        at=datetime.fromisoformat(payload["at"]),
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
