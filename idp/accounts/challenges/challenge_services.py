"""Challenges as rows: what a person has begun and not finished, bound to one browser."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, bindparam, insert, select, update

from ...crypto.sealing import current_sealing, digest, random_token
from ...db import db, new_id, table_of, transaction
from ..models import Challenge
from ..sign_in.domain.steps import ENDS_EARLY, LIVES, NEXT, FlowKind, FlowStep


@dataclass(frozen=True, slots=True)
class PendingChallenge:
    """A challenge that still holds; *person_id* is empty for a user code that does not exist."""

    id: str
    kind: FlowKind
    step: FlowStep
    person_id: str
    user_code: str
    next_path: str
    password_hash: str | None
    totp_secret: str | None
    created_at: datetime
    answer_digest: str | None = None


AGAIN = timedelta(minutes=1)  # a form sent twice, on a slow line: the second answer is the first one
MOST = 8  # sign-ins under way for one person; the oldest ends

_ROWS = table_of(Challenge)
COLUMNS = tuple(_ROWS.c[each.name] for each in fields(PendingChallenge))  # in the order of Begun
PERSON = _ROWS.c.person_id
HOLDS = (  # of the secret whose digest is given, neither over nor too old
    _ROWS.c.secret_digest == bindparam("digest"),
    _ROWS.c.ended_at.is_(None),
    _ROWS.c.expires_at > bindparam("now"),
)
_FIND = select(*COLUMNS).where(*HOLDS)
_ANSWERED = select(*COLUMNS).where(
    _ROWS.c.secret_digest == bindparam("digest"),
    _ROWS.c.step == FlowStep.DONE.value,
    _ROWS.c.ended_at > bindparam("since"),
)
_BEGIN = insert(_ROWS)
_OF_PERSON = (
    _ROWS.c.person_id == bindparam("of"),
    _ROWS.c.kind == bindparam("of_kind"),
    _ROWS.c.ended_at.is_(None),
    _ROWS.c.id != bindparam("latest"),
)
_END_OLDEST = (
    update(_ROWS)
    .where(_ROWS.c.id.in_(select(_ROWS.c.id).where(*_OF_PERSON).order_by(_ROWS.c.created_at.desc()).offset(MOST - 1)))
    .values(ended_at=bindparam("now"), password_hash=None, totp_secret=None)
)
_ADVANCE = (
    update(_ROWS)
    .where(_ROWS.c.id == bindparam("of"), _ROWS.c.step == bindparam("from"))
    .where(_ROWS.c.ended_at.is_(None), _ROWS.c.expires_at > bindparam("now"))
    .returning(_ROWS.c.id)
)


def begin(
    kind: FlowKind,
    step: FlowStep,
    *,
    person_id: str | None,
    user_code: str,
    next_path: str,
    token: str | None = None,
    now: datetime,
) -> tuple[str, str]:
    """Open a challenge in the caller's transaction; return its id and the secret its bearer goes on with.

    Without a person it opens nothing, and what is sent for it goes nowhere.
    """
    challenge_id, token = new_id(), token or random_token()
    db.session.execute(
        _BEGIN,
        {
            "id": challenge_id,
            "secret_digest": digest(token),
            "kind": kind.value,
            "step": step.value,
            "person_id": person_id,
            "user_code": user_code,
            "next_path": next_path,
            "created_at": now,
            "expires_at": now + LIVES[kind],
        },
    )
    return challenge_id, token


def find(token: str | None, *kinds: FlowKind, now: datetime) -> PendingChallenge | None:
    """Return the challenge *token* goes on with, if it is of one of *kinds* and neither over nor too old."""
    row = db.session.execute(_FIND, {"digest": digest(token), "now": now}).first() if token else None
    return pending_of(row) if row is not None and row.kind in kinds else None


def pending_of(row: Row[*tuple[Any, ...]]) -> PendingChallenge:
    """Return what was begun, from a row that has COLUMNS first."""
    challenge_id, kind, step, person_id, *others = row[: len(COLUMNS)]
    return PendingChallenge(challenge_id, FlowKind(kind), FlowStep(step), person_id or "", *others)


def advance(
    pending: PendingChallenge, *, now: datetime, password_hash: str | None = None, answer_digest: str | None = None
) -> bool:
    """Pass to the next step; return whether this call did it. The last step ends the challenge and wipes what it held."""
    following = NEXT[pending.kind, pending.step]
    values: dict[str, object] = {"step": following.value, "answer_digest": answer_digest}
    if following is FlowStep.DONE:
        values |= {"ended_at": now, "password_hash": None, "totp_secret": None}
    elif password_hash is not None:
        values["password_hash"] = password_hash
    with transaction() as session:
        passed = session.execute(_ADVANCE, {"of": pending.id, "from": pending.step.value, "now": now, **values}).first()
    return passed is not None


@dataclass(frozen=True, slots=True)
class SubmittedForm:
    """What a form sends: what was typed, and the number of the page it was typed on, by which a form sent twice is known."""

    typed: str = field(repr=False)
    page: str = ""

    def mark(self, pending: PendingChallenge) -> str:
        """Return by what this answer to a challenge is known again, without keeping it."""
        return current_sealing().keyed_digest(f"{self.page}:{self.typed}", f"answer:{pending.id}")


def note_answer(pending: PendingChallenge, mark: str) -> None:
    """Note, in the caller's transaction, an answer that was refused."""
    db.session.execute(
        update(Challenge)
        .where(Challenge.id == pending.id)
        .values(answer_digest=mark)
        .execution_options(synchronize_session=False)
    )


def answered(token: str | None, sent: SubmittedForm, *, now: datetime) -> PendingChallenge | None:
    """Return the challenge that the same answer, sent from the same browser a moment ago, has completed."""
    row = db.session.execute(_ANSWERED, {"digest": digest(token), "since": now - AGAIN}).first() if token else None
    pending = pending_of(row) if row is not None else None
    return pending if pending is not None and pending.answer_digest == sent.mark(pending) else None


def end_early(pending: PendingChallenge, *, now: datetime) -> bool:
    """End a challenge at a step after which its person needs no other; return whether this call did it."""
    if (pending.kind, pending.step) not in ENDS_EARLY:
        return False
    values = {"step": FlowStep.DONE.value, "ended_at": now, "password_hash": None, "totp_secret": None}
    with transaction() as session:
        ended = session.execute(_ADVANCE, {"of": pending.id, "from": pending.step.value, "now": now, **values}).first()
    return ended is not None


def abandon(pending: PendingChallenge, *, now: datetime) -> None:
    """End a challenge that leads nowhere."""
    with transaction() as session:
        session.execute(
            update(Challenge)
            .where(Challenge.id == pending.id, Challenge.ended_at.is_(None))
            .values(ended_at=now, password_hash=None, totp_secret=None)
            .execution_options(synchronize_session=False)
        )


def end_all(person_id: str, *, now: datetime) -> None:
    """End whatever was begun for a person, in the caller's transaction."""
    end(person_id, *FlowKind, now=now)


def end(person_id: str, *kinds: FlowKind, now: datetime) -> None:
    """End what was begun of these kinds for a person, in the caller's transaction."""
    db.session.execute(
        update(Challenge)
        .where(
            Challenge.person_id == person_id,
            Challenge.kind.in_([kind.value for kind in kinds]),
            Challenge.ended_at.is_(None),
        )
        .values(ended_at=now, password_hash=None, totp_secret=None)
        .execution_options(synchronize_session=False)
    )


def keep_latest(person_id: str, kind: FlowKind, latest: str, *, now: datetime) -> None:
    """End what was begun of this kind for a person before the last MOST, *latest* among them."""
    db.session.execute(_END_OLDEST, {"of": person_id, "of_kind": kind.value, "latest": latest, "now": now})


def keep_totp_secret(pending: PendingChallenge, sealed: str) -> str:
    """Keep the secret offered in this challenge, the first one only; return the one that counts."""
    with transaction() as session:
        session.execute(
            update(Challenge)
            .where(Challenge.id == pending.id, Challenge.totp_secret.is_(None), Challenge.ended_at.is_(None))
            .values(totp_secret=sealed)
            .execution_options(synchronize_session=False)
        )
        kept = session.scalar(select(Challenge.totp_secret).where(Challenge.id == pending.id))
    return kept or sealed
