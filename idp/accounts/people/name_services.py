"""Correcting one's own name: a marriage, a mistake, a decision of the State, a single name.

A representative verified at an enrolment keeps the verified name: it is not theirs alone to change. Any other name was given by
a person of their enterprise, who is notified of the new one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from flask import Flask, current_app
from sqlalchemy import insert, select, update

from ... import audit, names
from ...db import db, new_id, transaction
from ...notices import services as notices
from ..models import NameChange, Person
from ..throttling import allowance_services

A_DAY, DAY = 3, timedelta(days=1)  # changes of one person: enough to mend a mistake in a correction
_HOOK = "mandat.name_keeper"


@dataclass(frozen=True, slots=True)
class Renamed:
    """A name that was corrected."""

    id: str
    person_id: str
    former: str
    name: str
    former_parts: tuple[str, str]
    name_parts: tuple[str, str]
    at: datetime


@dataclass(frozen=True, slots=True)
class NameHook:
    """The room that knows where a name comes from, and who is notified when it changes (in the same transaction)."""

    proved_for: Callable[[str], str | None]  # the enterprise whose enrolment proved the person, by name
    renamed: Callable[[Renamed, datetime], None]
    hold: Callable[[str], None]  # what the room changes with the name, before the person is held


class NameOutcome(StrEnum):
    """What became of a wish for another name."""

    CHANGED = "changed"
    SAME = "same"
    PROVED = "proved"
    TOO_OFTEN = "too_often"


def set_name_hook(app: Flask, hook: NameHook) -> None:
    """Let another room keep watch over names."""
    app.extensions[_HOOK] = hook


def proved_for(person_id: str) -> str | None:
    """Return the enterprise whose enrolment proved the name of a person, None when it is theirs to correct."""
    hook: NameHook | None = current_app.extensions.get(_HOOK)
    return hook.proved_for(person_id) if hook else None


def change(person_id: str, *, given_name: str, family_name: str, now: datetime) -> NameOutcome:
    """Give a person their corrected name, unless it was proved; the log points at the change and holds no name."""
    hook: NameHook | None = current_app.extensions.get(_HOOK)
    with transaction() as session:
        if hook is not None:
            hook.hold(person_id)
        wanted = select(Person.given_name, Person.family_name).where(Person.id == person_id)
        former = session.execute(wanted.with_for_update(key_share=True)).one()
        if proved_for(person_id) is not None:
            return NameOutcome.PROVED
        if (former.given_name, former.family_name) == (given_name, family_name):
            return NameOutcome.SAME
        if allowance_services.take(f"name:{person_id}", limit=A_DAY, window=DAY, now=now) is not None:
            return NameOutcome.TOO_OFTEN
        change_id = new_id()
        new = {"given_name": given_name, "family_name": family_name}
        session.execute(
            update(Person).where(Person.id == person_id).values(**new).execution_options(synchronize_session=False)
        )
        session.execute(
            insert(NameChange).values(
                id=change_id,
                person_id=person_id,
                former_given_name=former.given_name,
                former_family_name=former.family_name,
                at=now,
                **new,
            )
        )
        audit.record(
            audit.Event.NAME_CHANGED,
            actor=audit.Actor.person(person_id),
            person_id=person_id,
            details={"change": change_id},
            now=now,
        )
        notices.enqueue("name_changed", {"person_id": person_id, "change_id": change_id}, now=now)
        if hook is not None:
            hook.renamed(name_changes((change_id,))[change_id], now)
    return NameOutcome.CHANGED


def name_changes(ids: Iterable[str]) -> dict[str, Renamed]:
    """Return the changes of *ids* by id; those that were forgotten are absent."""
    return {each.id: each for each in _read(NameChange.id.in_(set(ids)))}


def of_person(person_id: str) -> tuple[Renamed, ...]:
    """Return the changes of a person, oldest first."""
    return _read(NameChange.person_id == person_id)


def _read(which: object) -> tuple[Renamed, ...]:
    rows = db.session.scalars(select(NameChange).where(which).order_by(NameChange.at, NameChange.id))  # type: ignore[arg-type]
    return tuple(
        Renamed(
            row.id,
            row.person_id,
            names.full(row.former_given_name, row.former_family_name),
            names.full(row.given_name, row.family_name),
            (row.former_given_name, row.former_family_name),
            (row.given_name, row.family_name),
            row.at,
        )
        for row in rows
    )
