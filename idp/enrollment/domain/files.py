"""A file as read by pages and operators: frozen values, and what is missing before it may be submitted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from ... import names
from ...identifiers import Neq, UserCode
from .states import State


class Task(StrEnum):
    """One task of the list."""

    ENTERPRISE = "enterprise"
    TAX_NUMBER = "tax_number"
    REPRESENTATIVE = "representative"
    PEOPLE = "people"
    CHECK = "check"


class TaskState(StrEnum):
    """The progress of a task."""

    DONE = "done"
    IN_PROGRESS = "in_progress"
    TO_DO = "to_do"
    NOT_YET = "not_yet"


@dataclass(frozen=True, slots=True)
class NomineeView:
    """A named person in charge."""

    id: str
    is_representative: bool
    given_name: str
    family_name: str
    email: str
    phone: str
    person_id: str | None
    user_code: UserCode | None
    slip_collected_at: datetime | None

    @property
    def name(self) -> str:
        """Return given and family names."""
        return names.full(self.given_name, self.family_name)


@dataclass(frozen=True, slots=True)
class LetterView:
    """The last letter ordered for a file."""

    ordered_at: datetime
    printed_at: datetime | None
    expires_at: datetime
    tries_left: int
    alive: bool
    mailings: int


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One line of the timeline."""

    at: datetime
    event: str
    state: State


@dataclass(frozen=True, slots=True)
class FileView:
    """A file; the Revenu Québec number and the notice number are never part of it."""

    id: str
    number: str
    state: State
    language: str
    created_at: datetime
    state_since: datetime
    deadline_at: datetime | None
    neq: Neq | None
    enterprise_name: str | None
    neq_confirmed: bool
    has_revenu_quebec_id: bool | None
    given_name: str | None
    family_name: str | None
    birth_date: date | None
    position: str | None
    basis: str | None
    has_notice: bool
    notice_year: int | None
    email: str | None
    phone: str | None
    email_confirmed: bool
    terms_version: str | None
    submitted_at: datetime | None
    correction_asked: bool
    document_wanted: bool
    public_facts: dict[str, Any]
    verification_method: str | None
    verified_at: datetime | None
    refusal_reason: str | None
    contested: bool
    enterprise_id: str | None
    representative_id: str | None
    representative_code: UserCode | None
    nominees: tuple[NomineeView, ...]
    letter: LetterView | None

    @property
    def representative_name(self) -> str:
        """Return the representative's names, or an empty text."""
        return names.full(self.given_name, self.family_name)

    @property
    def representative_is_nominee(self) -> bool:
        """Return whether the representative named themself."""
        return any(nominee.is_representative for nominee in self.nominees)

    def nominee(self, nominee_id: str) -> NomineeView | None:
        """Return the named person with this id."""
        return next((nominee for nominee in self.nominees if nominee.id == nominee_id), None)


def progress(file: FileView) -> dict[Task, TaskState]:
    """Return the progress of each task of a draft."""
    states = {
        Task.ENTERPRISE: _state(begun=file.neq is not None, done=file.neq_confirmed),
        Task.TAX_NUMBER: _state(begun=False, done=file.has_revenu_quebec_id is not None),
        Task.REPRESENTATIVE: _state(begun=file.family_name is not None, done=file.email_confirmed),
        Task.PEOPLE: _state(begun=False, done=bool(file.nominees)),
    }
    ready = all(state is TaskState.DONE for state in states.values())
    return {**states, Task.CHECK: TaskState.TO_DO if ready else TaskState.NOT_YET}


def missing(file: FileView) -> tuple[Task, ...]:
    """Return the tasks to finish before the file may be submitted."""
    return tuple(
        task for task, state in progress(file).items() if task is not Task.CHECK and state is not TaskState.DONE
    )


def _state(*, begun: bool, done: bool) -> TaskState:
    if done:
        return TaskState.DONE
    return TaskState.IN_PROGRESS if begun else TaskState.TO_DO
