"""Freezing an account: no sign-in, no token, until its person has shown who they are by every means there is, or again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import bindparam, func, select, update

from ... import audit
from ...audit import Actor
from ...db import db, table_of, transaction
from ...identifiers import UserCode
from ...notices import services as notices
from ..challenges import challenge_services, email_code_services
from ..challenges.email_code_services import CodeCheck, CodeOutcome
from ..credentials import factor_services
from ..models import Challenge, Person, UserCodeRow
from ..recovery import reproofing_row_services
from ..recovery.domain.reproofing_states import ReproofingEvent, ReproofingState
from ..sessions import known_browser_services
from ..sessions.session_services import end_sign_ins_of
from ..sign_in.domain.steps import FlowKind, FlowStep
from ..throttling import allowance_services
from ..user_codes.domain.states import CodeState
from .domain.access_states import FREEZE_LINKS, FREEZE_WINDOW, THAW_CODES, Access, AccessEvent, after, sources
from .person_services import people, reader

_PEOPLE = table_of(Person)
_ACCESS = select(_PEOPLE.c.access).where(_PEOPLE.c.id == bindparam("person_id"))


@dataclass(frozen=True, slots=True)
class Thawing:
    """The secret to go on with once a code was sent; or none was, and the instant from which one more may be."""

    token: str | None = field(default=None, repr=False)
    wait_until: datetime | None = None


def is_open(person_id: str) -> bool:
    """Return whether an account may be used: nothing is issued in the name of a frozen one."""
    return db.session.scalar(_ACCESS, {"person_id": person_id}) == Access.OPEN.value


def frozen_among(person_ids: Iterable[str]) -> frozenset[str]:
    """Return which of these people have a frozen account, in one query."""
    rows = db.session.scalars(
        select(Person.id).where(Person.id.in_(set(person_ids)), Person.access == Access.FROZEN.value)
    )
    return frozenset(rows)


def is_closed(person_id: str) -> bool:
    """Return whether the account of a person is closed, and lock it until the caller's transaction ends."""
    wanted = select(Person.access).where(Person.id == person_id)
    return db.session.scalar(wanted.with_for_update(key_share=True)) == Access.CLOSED.value


def freeze(person_id: str, *, actor: Actor, now: datetime) -> bool:
    """Freeze an account; return whether this call did it. All its sessions end, and what was begun with it.

    A pending re-proofing ends as well: whatever is wrong may be its slip. Another one
    may be started at once.
    """
    with transaction():
        if not change(person_id, AccessEvent.FREEZE):
            return False
        end_sign_ins_of(person_id, now=now)
        known_browser_services.forget(person_id, now=now)
        challenge_services.end_all(person_id, now=now)
        if reproofing_row_services.end(person_id, ReproofingEvent.FROZEN, ReproofingState.STOPPED, now):
            audit.record(audit.Event.REPROOFING_STOPPED, actor=actor, person_id=person_id, now=now)
        audit.record(audit.Event.FROZEN, actor=actor, person_id=person_id, now=now)
        _enqueue_notice("account_frozen", person_id, now)
        notices.enqueue("access_frozen", {"person_id": person_id, "at": now.isoformat()}, now=now)
        notices.enqueue("person_frozen", {"person_id": person_id}, now=now)
    return True


def thaw(person_id: str, *, actor: Actor, now: datetime) -> bool:
    """Let an account be used again, once its person has proved who they are; return whether it was frozen."""
    with transaction():
        if not change(person_id, AccessEvent.THAW):
            return False
        audit.record(audit.Event.THAWED, actor=actor, person_id=person_id, now=now)
        _enqueue_notice("account_thawed", person_id, now)
    return True


def begin_thaw(person_id: str, user_code: str, *, now: datetime) -> Thawing:
    """Send a code to a person who has shown both factors of a frozen account, unless an hour had its codes."""
    with transaction():
        wait_until = allowance_services.take(f"thaw:{person_id}", limit=THAW_CODES, now=now)
        if wait_until is not None:
            return Thawing(wait_until=wait_until)
        challenge_id, token = challenge_services.begin(
            FlowKind.THAW, FlowStep.EMAIL_CODE, person_id=person_id, user_code=user_code, next_path="/sign-in", now=now
        )
        email_code_services.send(challenge_id, people((person_id,))[person_id], now=now)
    return Thawing(token)


def begin_freeze(user_code: UserCode, *, now: datetime) -> str | None:
    """Send a code to the owner of *user_code*, so that they may freeze without signing in; None when too many were asked for.

    For a code that does not exist the same is done, and is sent nowhere: neither answer nor work distinguish them (S-46).
    """
    with transaction() as session:
        owner = session.scalar(
            select(UserCodeRow.person_id)
            .join(Person, Person.id == UserCodeRow.person_id)
            .where(
                UserCodeRow.code == user_code.signs,
                UserCodeRow.state == CodeState.ACTIVATED.value,
                Person.access == Access.OPEN.value,
            )
            .with_for_update(of=Person)
        )
        if _asked_lately(owner, user_code, now) >= FREEZE_LINKS:
            return None
        challenge_id, token = challenge_services.begin(
            FlowKind.FREEZE, FlowStep.EMAIL_CODE, person_id=owner, user_code=user_code.signs, next_path="/", now=now
        )
        email_code_services.send(challenge_id, reader(owner), now=now)
    return token


def finish(kind: FlowKind, token: str | None, typed: str, *, now: datetime) -> CodeCheck:
    """Check the code received by e-mail; a right one freezes or thaws, at once."""
    with transaction():
        pending = challenge_services.find(token, kind, now=now)
        if pending is None:
            done = challenge_services.answered(
                token, challenge_services.SubmittedForm(typed), now=now
            )  # the same form, sent twice
            return CodeCheck(CodeOutcome.RIGHT if done is not None and done.kind is kind else CodeOutcome.OVER)
        answer = email_code_services.check(pending.id, typed, now=now)
        if answer.outcome is not CodeOutcome.RIGHT:
            return answer
        factor_services.hold(
            pending.person_id
        )  # before what was begun, as a sign-in: another link may freeze at the same moment
        if not challenge_services.advance(
            pending, now=now, answer_digest=challenge_services.SubmittedForm(typed).mark(pending)
        ):
            return CodeCheck(CodeOutcome.OVER)
        act = freeze if kind is FlowKind.FREEZE else thaw
        act(pending.person_id, actor=Actor.person(pending.person_id), now=now)
    return answer


def change(person_id: str, event: AccessEvent, **values: object) -> bool:
    """Pass on to the next access in one statement of the caller's transaction; return whether *event* was possible."""
    (source,) = sources(event)
    changed = db.session.execute(
        update(Person)
        .where(Person.id == person_id, Person.access == source.value)
        .values(access=after(source, event).value, **values)
        .returning(Person.id)
        .execution_options(synchronize_session=False)
    ).first()
    return changed is not None


def _asked_lately(owner: str | None, user_code: UserCode, now: datetime) -> int:
    whose = Challenge.person_id == owner if owner else Challenge.user_code == user_code.signs
    counted = select(func.count(Challenge.id)).where(
        whose,
        Challenge.kind == FlowKind.FREEZE.value,
        Challenge.created_at > now - FREEZE_WINDOW,
    )
    return db.session.scalar(counted) or 0


def _enqueue_notice(kind: str, person_id: str, now: datetime) -> None:
    whom = people((person_id,))[person_id]
    notices.enqueue(kind, {"to": whom.email, "language": whom.language, "at": now.isoformat()}, now=now)
