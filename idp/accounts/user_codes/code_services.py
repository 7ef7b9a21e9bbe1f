"""User codes and their temporary passwords."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy.exc
from sqlalchemy import ColumnElement, insert, select, update

from ... import audit
from ...audit import Actor
from ...crypto.sealing import current_sealing
from ...db import db, transaction
from ...errors import ConflictError, NotFoundError
from ...http.web import now as present_instant
from ...identifiers import PersonId, UserCode
from ..credentials.domain.passwords import TemporaryPassword, draw_pairing, draw_temporary, group
from ..models import Challenge, Person, UserCodeRow
from ..people.domain.access_states import Access
from ..sessions.domain.sign_ins import UserCodeStatus
from ..sign_in.domain.steps import FlowKind
from .domain.states import SLIP_LIFE, TEMPORARY_PASSWORD_LIFE, CodeEvent, CodeState, after, as_of, sources

_DRAWS = 20


def issue_user_code(person_id: str, *, now: datetime) -> UserCode:
    """Give *person_id* a new user code; no secret exists for it yet.

    Raises:
        NotFoundError: there is no such person, or they closed their account.
    """
    with transaction() as session:
        is_there = select(Person.id).where(Person.id == person_id, Person.access != Access.CLOSED.value)
        if session.scalar(is_there) is None:
            raise NotFoundError("person")
        code = _store_new(person_id, now)
        audit.record(
            audit.Event.USER_CODE_ISSUED,
            actor=audit.SYSTEM,
            person_id=person_id,
            details={"user_code": code.signs},
            now=now,
        )
    return code


def _store_new(person_id: str, now: datetime) -> UserCode:
    with transaction() as session:
        for _ in range(_DRAWS):
            code = UserCode.draw()
            try:
                with session.begin_nested():
                    insert_code(code, person_id, now)
            except sqlalchemy.exc.IntegrityError:
                continue  # drawn before: codes are never reused
            return code
    raise ConflictError("no free user code was drawn")


def insert_code(code: UserCode, person_id: str, now: datetime) -> None:
    """Add *code* in its first state, in the caller's transaction."""
    db.session.execute(
        insert(UserCodeRow).values(code=code.signs, person_id=person_id, state=CodeState.ISSUED.value, issued_at=now)
    )


def user_codes(codes: Iterable[str], *, now: datetime | None = None) -> dict[str, UserCodeStatus]:
    """Return where each of *codes* is (now, or at *now*), by the text given, in one query; unknown codes are absent."""
    signs = {code: code.replace("-", "") for code in codes}
    if not signs:
        return {}
    at = now or present_instant()
    rows = db.session.scalars(select(UserCodeRow).where(UserCodeRow.code.in_(set(signs.values()))))
    found = {row.code: _status(row, at) for row in rows}
    return {code: found[sign] for code, sign in signs.items() if sign in found}


def user_codes_of(person_id: str, *, now: datetime) -> tuple[UserCodeStatus, ...]:
    """Return the user codes of a person, oldest first."""
    rows = db.session.scalars(
        select(UserCodeRow).where(UserCodeRow.person_id == person_id).order_by(UserCodeRow.issued_at, UserCodeRow.code)
    )
    return tuple(_status(row, now) for row in rows)


def _status(row: UserCodeRow, now: datetime) -> UserCodeStatus:
    state = as_of(CodeState(row.state), expires_at=row.expires_at, used_at=row.first_used_at, now=now)
    return UserCodeStatus(
        code=UserCode(row.code),
        person_id=PersonId(row.person_id),
        state=state,
        revealed_at=row.revealed_at,
        expires_at=row.expires_at,
        first_used_at=row.first_used_at,
        activated_at=row.activated_at,
    )


def secret_digest(user_code: UserCode, secret: str) -> str:
    """Return what is kept of a temporary password; a digest is valid for one code only."""
    return current_sealing().keyed_digest(secret, f"temporary:{user_code.signs}")


def reveal_temporary_password(user_code: UserCode, *, actor: Actor, now: datetime) -> TemporaryPassword:
    """Make the temporary password of *user_code*, to be shown once; a former one, and what it began, is dead.

    Raises:
        ConflictError: the code is unknown, revoked, or already activated.
    """
    secret, pairing, expires_at = draw_temporary(), draw_pairing(), now + TEMPORARY_PASSWORD_LIFE
    with transaction() as session:
        _hold_activations(user_code)
        revealed = session.execute(
            update(UserCodeRow)
            .where(
                UserCodeRow.code == user_code.signs,
                UserCodeRow.state.in_([state.value for state in sources(CodeEvent.REVEAL)]),
            )
            .values(
                state=CodeState.REVEALED.value,
                secret_digest=secret_digest(user_code, secret),
                pairing=pairing,
                revealed_at=now,
                expires_at=expires_at,
                first_used_at=None,
            )
            .returning(UserCodeRow.person_id)
            .execution_options(synchronize_session=False)
        ).first()
        if revealed is None:
            raise ConflictError("no temporary password for this code")
        _abandon_activations(user_code, now)
        audit.record(
            audit.Event.TEMPORARY_PASSWORD_REVEALED,
            actor=actor,
            person_id=revealed.person_id,
            details={"user_code": user_code.signs, "pairing": pairing, "expires_at": expires_at.isoformat()},
            now=now,
        )
    return TemporaryPassword(secret=secret, grouped=group(secret), expires_at=expires_at, pairing=pairing)


def revoke_user_code(user_code: UserCode, *, now: datetime) -> bool:
    """Make *user_code* useless for good, in the caller's transaction and under its audit entry; return whether it was not."""
    with transaction() as session:
        _hold_activations(user_code)
        changed = session.execute(
            update(UserCodeRow)
            .where(
                UserCodeRow.code == user_code.signs,
                UserCodeRow.state.in_([state.value for state in sources(CodeEvent.REVOKE)]),
            )
            .values(state=after(CodeState.ISSUED, CodeEvent.REVOKE).value, revoked_at=now)
            .returning(UserCodeRow.code)
            .execution_options(synchronize_session=False)
        ).first()
        _abandon_activations(user_code, now)
    return changed is not None


def revoke_all(person_id: str, *, now: datetime) -> None:
    """Make every user code of a person useless for good, in the caller's transaction and under its audit entry."""
    db.session.execute(
        update(UserCodeRow)
        .where(
            UserCodeRow.person_id == person_id,
            UserCodeRow.state.in_([state.value for state in sources(CodeEvent.REVOKE)]),
        )
        .values(state=CodeState.REVOKED.value, revoked_at=now)
        .execution_options(synchronize_session=False)
    )
    db.session.execute(
        update(UserCodeRow)
        .where(UserCodeRow.person_id == person_id)
        .values(secret_digest=None, pairing=None)
        .execution_options(synchronize_session=False)
    )


def slip(user_code: UserCode, secret: str, *, now: datetime) -> TemporaryPassword | None:
    """Return the temporary password of a slip shown less than fifteen minutes ago, when *secret* is the right one."""
    row = db.session.execute(
        select(UserCodeRow.expires_at, UserCodeRow.pairing).where(
            UserCodeRow.code == user_code.signs,
            UserCodeRow.secret_digest == secret_digest(user_code, secret),
            UserCodeRow.state == CodeState.REVEALED.value,
            UserCodeRow.first_used_at.is_(None),
            UserCodeRow.revealed_at > now - SLIP_LIFE,
        )
    ).first()
    if row is None:
        return None
    return TemporaryPassword(secret=secret, grouped=group(secret), expires_at=row.expires_at, pairing=row.pairing)


def _activations(user_code: UserCode) -> tuple[ColumnElement[bool], ...]:
    """Return what makes a challenge one that was begun with this code and has not ended."""
    return (
        Challenge.user_code == user_code.signs,
        Challenge.kind != FlowKind.SIGN_IN.value,
        Challenge.ended_at.is_(None),
    )


def _hold_activations(user_code: UserCode) -> None:
    """Hold what was begun with a code before the code itself, as the person who ends an activation does."""
    db.session.execute(
        select(Challenge.id).where(*_activations(user_code)).order_by(Challenge.id).with_for_update()
    ).all()


def _abandon_activations(user_code: UserCode, now: datetime) -> None:
    db.session.execute(
        update(Challenge)
        .where(*_activations(user_code))
        .values(ended_at=now, password_hash=None, totp_secret=None)
        .execution_options(synchronize_session=False)
    )
