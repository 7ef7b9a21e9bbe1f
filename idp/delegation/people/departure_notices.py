"""What the page that closes an account says of enterprises, and what their PES read about a person who left."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Flask

from ...accounts import services as accounts
from ...accounts.leaving.domain.closing import Objection
from ...i18n import gettext as _
from ...notices import services as notices
from ...notices.domain.messages import Email
from ...notices.email import from_template
from .. import presenting
from ..rights.domain.rules import DenialReason
from . import departure_services


def init_app(app: Flask) -> None:
    """Write the e-mails of departures in *app*."""
    notices.register_renderer(app, departure_services.MEMBER_LEFT, _mail)


def objections(person_id: str) -> tuple[Objection, ...]:
    """Return what keeps a person in their enterprises, and how each can let them go."""
    return tuple(_objection(found.reason, found.enterprise) for found in departure_services.hindrances(person_id))


def _objection(reason: DenialReason, name: str) -> Objection:
    if reason is DenialReason.LAST_PES:
        return Objection(
            _("%(enterprise)s: you are its last active person in charge.", enterprise=name),
            _("Its authorized representative must add another one first, on the page “Persons in charge”."),
        )
    return Objection(
        _("%(enterprise)s: you are its authorized representative.", enterprise=name),
        _("Call us: a representative is not replaced on this site."),
    )


def _mail(payload: dict[str, Any], _now: datetime) -> Email:
    reader = accounts.person(payload["to"])
    return from_template(
        "delegation/mail_member_left.txt",
        to=reader.email,
        language=reader.language,
        name=presenting.name_in(payload),
        enterprise=payload["enterprise"],
        was_pes=payload["was_pes"],
    )
