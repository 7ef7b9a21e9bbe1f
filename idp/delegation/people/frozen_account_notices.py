"""Telling the authorized representative that a person in charge has frozen their account."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Flask

from ...accounts import services as accounts
from ...db import transaction
from ...notices import services as notices
from ...notices.domain.messages import Email
from ...notices.email import from_template
from .. import presenting
from . import people_services
from .domain.roles import Role

_KIND = "pes_frozen"


def init_app(app: Flask) -> None:
    """Hear of frozen accounts in *app*, and write to who must know."""
    notices.register_renderer(app, "person_frozen", fan_out)
    notices.register_renderer(app, _KIND, _mail)


def fan_out(payload: dict[str, Any], now: datetime) -> None:
    """Write to the authorized representative of each enterprise of which the person is in charge."""
    person_id = str(payload["person_id"])
    with transaction():
        for view in people_services.memberships_of(person_id):
            if view.role is not Role.PES or not view.counts:
                continue
            for other in people_services.members(view.enterprise_id, roles=(Role.AUTHORIZED_REPRESENTATIVE,)):
                if other.counts and other.person_id != person_id:
                    told = {
                        "person_id": person_id,
                        "enterprise_id": view.enterprise_id,
                        "to": other.person_id,
                        "enterprise": view.enterprise,
                    }
                    notices.enqueue(_KIND, told, now=now)


def _mail(payload: dict[str, Any], _now: datetime) -> Email:
    representative = accounts.person(payload["to"])
    return from_template(
        "delegation/mail_pes_frozen.txt",
        to=representative.email,
        language=representative.language,
        name=presenting.name_in(payload),
        enterprise=payload["enterprise"],
    )
