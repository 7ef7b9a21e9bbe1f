"""Whose user code was typed, and who stands at the second step of a sign-in: what each needs, in one reading."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import bindparam, exists, func, select

from ...crypto.sealing import digest
from ...db import db, table_of
from ...identifiers import UserCode
from ..challenges import challenge_services
from ..challenges.challenge_services import PendingChallenge
from ..credentials import factor_services
from ..credentials.domain.factor_policy import FactorCounts, only_passkey_serves
from ..models import Challenge, Passkey, Password, Person, UserCodeRow
from ..people.domain.access_states import Access
from ..people.person_services import level_of
from ..user_codes.domain.states import CodeState
from .domain.steps import FlowKind


@dataclass(frozen=True, slots=True)
class CodeHolder:
    """Whose code this is, whatever its state (*owner*); and who signs in with it, once it is activated (*person_id*)."""

    owner: str | None = None
    person_id: str | None = None
    password_hash: str | None = field(default=None, repr=False)
    has_passkey: bool = False
    pending_sign_ins: int = 0  # sign-ins begun and not finished


@dataclass(frozen=True, slots=True)
class PendingSignIn:
    """A sign-in after a right password, with the level that its person must show and the factors they have."""

    challenge: PendingChallenge
    level: int
    held: FactorCounts

    @property
    def person_id(self) -> str:
        """Return who goes on."""
        return self.challenge.person_id

    @property
    def wants_passkey(self) -> bool:
        """Return whether this person may go on with a passkey only."""
        return only_passkey_serves(self.held, self.level)


_CODES, _PEOPLE, _PASSWORDS, _PASSKEYS = map(table_of, (UserCodeRow, Person, Password, Passkey))
_CODE = _CODES.c.code == bindparam("signs")
_ACTIVATED = select(_CODES.c.person_id).where(_CODE, _CODES.c.state == CodeState.ACTIVATED.value)
_BEGUN = table_of(Challenge)
_UNFINISHED = (
    select(func.count(_BEGUN.c.id))
    .where(_BEGUN.c.person_id == _PEOPLE.c.id, _BEGUN.c.kind == FlowKind.SIGN_IN.value, _BEGUN.c.ended_at.is_(None))
    .scalar_subquery()
)
_HOLDER = (
    select(
        _CODES.c.person_id,
        _CODES.c.state,
        _PASSWORDS.c.hash,
        exists().where(_PASSKEYS.c.person_id == _PEOPLE.c.id, _PASSKEYS.c.revoked_at.is_(None)).label("has_passkey"),
        _UNFINISHED.label("pending_sign_ins"),
    )
    .select_from(_CODES.join(_PEOPLE, _PEOPLE.c.id == _CODES.c.person_id).outerjoin(_PASSWORDS))
    .where(_CODE, _PEOPLE.c.access != Access.CLOSED.value)
)
_UNDER_WAY = (
    select(
        *challenge_services.COLUMNS,
        _PEOPLE.c.required_level,
        _PEOPLE.c.is_operator,
        *factor_services.held_by(_PEOPLE.c.id),
    )
    .where(*challenge_services.HOLDS)
    .where(_PEOPLE.c.id == challenge_services.PERSON)
)


def holder_of(user_code: UserCode) -> CodeHolder:
    """Return who has a code; the one of a closed account belongs to no one."""
    row = db.session.execute(_HOLDER, {"signs": user_code.signs}).first()
    if row is None:
        return CodeHolder()
    if row.state != CodeState.ACTIVATED.value:
        return CodeHolder(row.person_id)
    return CodeHolder(row.person_id, row.person_id, row.hash, row.has_passkey, row.pending_sign_ins)


def owner_of(user_code: UserCode) -> str | None:
    """Return whose code this is, whatever its state; the one of a closed account belongs to no one, on every page."""
    return holder_of(user_code).owner


def activated_person(signs: str) -> str | None:
    """Return who signs in with the user code of these signs now; read it once the person is held.

    The code itself is not held: the person who leaves an enterprise takes it before the person.
    """
    return db.session.scalar(_ACTIVATED, {"signs": signs})


def pending_sign_in(token: str | None, *, now: datetime) -> PendingSignIn | None:
    """Return the sign-in that *token* goes on with, if it is neither over nor too old."""
    row = db.session.execute(_UNDER_WAY, {"digest": digest(token), "now": now}).first() if token else None
    if row is None or row.kind != FlowKind.SIGN_IN:
        return None
    level = level_of(row.required_level, is_operator=row.is_operator)
    return PendingSignIn(challenge_services.pending_of(row), level, FactorCounts(*row[-2:]))
