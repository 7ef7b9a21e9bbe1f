"""A person of an enterprise corrects their own name: its journal shows it, and who answers for them is notified."""

from __future__ import annotations

from datetime import datetime
from itertools import groupby
from typing import Any

from flask import Flask

from ... import audit
from ...accounts import services as accounts
from ...audit.domain.events import Event
from ...audit.services import Actor
from ...notices import services as notices
from ...notices.domain.messages import Email
from ...notices.email import from_template
from .. import enterprise_services
from . import departure_services, people_services
from .domain.roles import Role

_KIND = "member_renamed"


def init_app(app: Flask) -> None:
    """Keep watch over names in *app*."""
    accounts.set_name_hook(
        app, accounts.NameHook(enterprise_services.proved_for, note, people_services.hold_memberships)
    )
    notices.register_renderer(app, _KIND, _mail)


def note(change: accounts.Renamed, now: datetime) -> None:
    """Write a change in the journal of each enterprise of the person, in the caller's transaction, and notify who must know.

    Each learns it of the person as it knew them: the name that another enterprise gave them is not for it. The name that
    was vouched for stays, until it is vouched for again.
    """
    views = people_services.memberships_of(change.person_id)
    for enterprise_id, here in groupby(views, key=lambda view: view.enterprise_id):
        view, *others = here
        audit.record(
            Event.MEMBER_RENAMED,
            actor=Actor.person(change.person_id),
            now=now,
            enterprise_id=enterprise_id,
            person_id=change.person_id,
            details={"change": change.id, "known_by_former": view.name == change.former},
        )
        told = {"change_id": change.id, "former": view.name, "enterprise": view.enterprise}
        is_pes = any(each.role is Role.PES for each in (view, *others))
        for reader in departure_services.who_answers_for(change.person_id, enterprise_id, is_pes=is_pes):
            notices.enqueue(_KIND, {**told, "to": reader}, now=now)
    people_services.rename(change.person_id, *change.name_parts)


def _mail(payload: dict[str, Any], _now: datetime) -> Email | None:
    change = accounts.name_changes((payload["change_id"],)).get(payload["change_id"])
    if change is None:
        return None
    reader = accounts.person(payload["to"])
    return from_template(
        "delegation/mail_member_renamed.txt",
        to=reader.email,
        language=reader.language,
        former=payload.get("former") or change.former,
        name=change.name,
        enterprise=payload["enterprise"],
    )
