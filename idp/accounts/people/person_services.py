"""People: created by the rooms above, read by everyone."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import bindparam, insert, select, update

from ... import audit
from ...db import db, new_id, table_of, transaction
from ...errors import NotFoundError
from ...http.web import current_settings
from ...i18n import Language
from ...identifiers import PersonId
from ..models import AttemptCounter, Person
from ..sessions.domain.sign_ins import PersonView
from ..throttling.attempt_counter_services import subject_of

_ROWS = table_of(Person)
_PEOPLE = select(
    _ROWS.c.id,
    _ROWS.c.given_name,
    _ROWS.c.family_name,
    _ROWS.c.email,
    _ROWS.c.language,
    _ROWS.c.last_sign_in_at,
    _ROWS.c.previous_sign_in_at,
).where(_ROWS.c.id.in_(bindparam("ids", expanding=True)))
_NOBODY = PersonView(PersonId(""), "", "", "", "fr", None)
_LEVEL = select(_ROWS.c.required_level, _ROWS.c.is_operator).where(_ROWS.c.id == bindparam("person_id"))


def create_person(*, given_name: str, family_name: str, email: str, language: Language, now: datetime) -> PersonId:
    """Add a person who has no credential yet, and return their id."""
    person_id = new_id()
    with transaction() as session:
        session.execute(
            insert(Person).values(
                id=person_id,
                given_name=given_name,
                family_name=family_name,
                email=email,
                language=language,
                is_operator=False,
                created_at=now,
            )
        )
        session.execute(insert(AttemptCounter).values(subject=subject_of(person_id), failures=0, changed_at=now))
        audit.record(audit.Event.PERSON_CREATED, actor=audit.SYSTEM, person_id=person_id, now=now)
    return PersonId(person_id)


def reader(person_id: str | None) -> PersonView:
    """Return where a notice goes; without a person nowhere, at the same cost (S-46)."""
    return people((person_id or "",)).get(person_id or "", _NOBODY)


def person(person_id: str) -> PersonView:
    """Return a person.

    Raises:
        NotFoundError: there is no such person.
    """
    found = people((person_id,)).get(person_id)
    if found is None:
        raise NotFoundError("person")
    return found


def people(ids: Iterable[str]) -> dict[str, PersonView]:
    """Return the people of *ids* by id, in one query; unknown ids are absent."""
    wanted = set(ids)
    if not wanted:
        return {}
    rows = db.session.execute(_PEOPLE, {"ids": list(wanted)})
    return {
        row.id: PersonView(
            id=PersonId(row.id),
            given_name=row.given_name,
            family_name=row.family_name,
            email=row.email,
            language=as_language(row.language),
            last_sign_in_at=row.last_sign_in_at,
            previous_sign_in_at=row.previous_sign_in_at,
        )
        for row in rows
    }


def as_language(stored: str) -> Language:
    """Return a stored language, French when it is none of ours."""
    return "en" if stored == "en" else "fr"


def choose_language(person_id: str, language: Language) -> None:
    """Keep the language a person requires to be spoken to in (a preference: it leaves no entry in the log)."""
    with transaction() as session:
        session.execute(update(Person).where(Person.id == person_id).values(language=language))


def mark_operator(person_id: str) -> None:
    """Give the sign-ins of *person_id* the shorter lives of operators, from their next one on."""
    with transaction() as session:
        session.execute(update(Person).where(Person.id == person_id).values(is_operator=True))


def required_level(person_id: str) -> int:
    """Return the level a person must show when they sign in (decisions.md §6)."""
    row = db.session.execute(_LEVEL, {"person_id": person_id}).one()
    return level_of(row.required_level, is_operator=row.is_operator)


def level_of(written: int, *, is_operator: bool) -> int:
    """Return the higher of what is written on a person and, for an operator, what the configuration asks today."""
    return max(written, current_settings().required_level("operator") if is_operator else 0)


def require_level(person_id: str, level: int) -> None:
    """Write on a person that they must sign in at *level* at least; it is never lowered here."""
    raise_level((person_id,), level)


def raise_level(ids: Collection[str], level: int) -> int:
    """Write on these people that they must sign in at *level* at least; return on how many it was lower."""
    with transaction() as session:
        raised = session.scalars(
            update(Person)
            .where(Person.id.in_(ids), Person.required_level < level)
            .values(required_level=level)
            .returning(Person.id)
            .execution_options(synchronize_session=False)
        ).all()
    return len(raised)
