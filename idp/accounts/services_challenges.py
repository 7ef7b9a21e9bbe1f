"""Challenges as rows: what somebody has begun and not finished, bound to one browser."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select, update

from ..db import db, new_id, transaction
from ..sealing import digest, random_token
from .models import Challenge
from .steps import LIVES, NEXT, Kind, Step


@dataclass(frozen=True, slots=True)
class Begun:
    """A challenge that still holds."""

    id: str
    kind: Kind
    step: Step
    person_id: str
    user_code: str
    next_path: str
    password_hash: str | None
    totp_secret: str | None


def begin(kind: Kind, step: Step, *, person_id: str, user_code: str, next_path: str, now: datetime) -> tuple[str, str]:
    """Open a challenge in the caller's transaction; return its id and the secret its bearer goes on with."""
    challenge_id, token = new_id(), random_token()
    db.session.execute(
        insert(Challenge).values(
            id=challenge_id,
            secret_digest=digest(token),
            kind=kind.value,
            step=step.value,
            person_id=person_id,
            user_code=user_code,
            next_path=next_path,
            created_at=now,
            expires_at=now + LIVES[kind],
        )
    )
    return challenge_id, token


def find(token: str | None, *kinds: Kind, now: datetime) -> Begun | None:
    """Return the challenge *token* goes on with, if it is of one of *kinds* and neither over nor too old."""
    if not token:
        return None
    row = db.session.execute(
        select(
            Challenge.id,
            Challenge.kind,
            Challenge.step,
            Challenge.person_id,
            Challenge.user_code,
            Challenge.next_path,
            Challenge.password_hash,
            Challenge.totp_secret,
        ).where(
            Challenge.secret_digest == digest(token),
            Challenge.kind.in_([kind.value for kind in kinds]),
            Challenge.ended_at.is_(None),
            Challenge.expires_at > now,
        )
    ).first()
    if row is None:
        return None
    return Begun(
        id=row.id,
        kind=Kind(row.kind),
        step=Step(row.step),
        person_id=row.person_id,
        user_code=row.user_code,
        next_path=row.next_path,
        password_hash=row.password_hash,
        totp_secret=row.totp_secret,
    )


def advance(begun: Begun, *, now: datetime, password_hash: str | None = None) -> bool:
    """Pass to the next step; tell whether this call did it. The last step ends the challenge and wipes what it held."""
    following = NEXT[begun.kind, begun.step]
    values: dict[str, object] = {"step": following.value}
    if following is Step.DONE:
        values |= {"ended_at": now, "password_hash": None, "totp_secret": None}
    elif password_hash is not None:
        values["password_hash"] = password_hash
    with transaction() as session:
        passed = session.execute(
            update(Challenge)
            .where(
                Challenge.id == begun.id,
                Challenge.step == begun.step.value,
                Challenge.ended_at.is_(None),
                Challenge.expires_at > now,
            )
            .values(**values)
            .returning(Challenge.id)
            .execution_options(synchronize_session=False)
        ).first()
    return passed is not None


def abandon(begun: Begun, *, now: datetime) -> None:
    """End a challenge that leads nowhere."""
    with transaction() as session:
        session.execute(
            update(Challenge)
            .where(Challenge.id == begun.id, Challenge.ended_at.is_(None))
            .values(ended_at=now, password_hash=None, totp_secret=None)
            .execution_options(synchronize_session=False)
        )


def end_all(person_id: str, *, now: datetime) -> None:
    """End whatever was begun for a person, in the caller's transaction."""
    db.session.execute(
        update(Challenge)
        .where(Challenge.person_id == person_id, Challenge.ended_at.is_(None))
        .values(ended_at=now, password_hash=None, totp_secret=None)
        .execution_options(synchronize_session=False)
    )


def keep_totp_secret(begun: Begun, sealed: str) -> str:
    """Keep the secret offered in this challenge, the first one only; return the one that counts."""
    with transaction() as session:
        session.execute(
            update(Challenge)
            .where(Challenge.id == begun.id, Challenge.totp_secret.is_(None), Challenge.ended_at.is_(None))
            .values(totp_secret=sealed)
            .execution_options(synchronize_session=False)
        )
        kept = session.scalar(select(Challenge.totp_secret).where(Challenge.id == begun.id))
    return kept or sealed
