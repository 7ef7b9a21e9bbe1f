"""Linking a user code that is not activated to an account, in one transaction: exactly one of two who try wins."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import Flask, current_app
from sqlalchemy import exists, or_, select, update

from ... import audit
from ...db import db, transaction
from ...errors import ConflictError
from ...identifiers import UserCode
from ...notices import services as notices
from ..challenges import challenge_services
from ..challenges.challenge_services import PendingChallenge
from ..leaving.domain.closing import Objection
from ..models import Passkey, Password, Person, RecoveryCode, TotpDevice, UserCodeRow
from ..people import access_services
from ..people.domain.access_states import Access, AccessEvent
from ..people.person_services import people, require_level
from ..recovery import reproofing_services
from ..recovery.lost_code_services import EnterpriseOfCode, enterprises_of_codes
from ..sessions.domain.sign_ins import PersonView, SignIn
from ..sign_in.domain.steps import FlowKind, FlowStep
from .domain.linking import LinkingFacts, LinkingObstacle, Succession, may_link
from .domain.states import CodeEvent, CodeState, sources

_SUCCESSIONS = "mandat.successions"
_CREDENTIALS = (Password, TotpDevice, Passkey, RecoveryCode)


@dataclass(frozen=True, slots=True)
class Prospect:
    """What would be linked to what, and what stands in the way."""

    user_code: UserCode
    enterprise: str
    enterprise_with_number: str
    named: PersonView
    account: PersonView
    next_path: str
    hindrances: tuple[LinkingObstacle, ...]
    objections: tuple[Objection, ...]

    @property
    def is_possible(self) -> bool:
        """Return whether nothing stands in the way."""
        return not self.hindrances and not self.objections


def add_succession(app: Flask, succession: Succession) -> None:
    """Let another room object to a linking, and hand over what it holds when nobody does."""
    app.extensions.setdefault(_SUCCESSIONS, []).append(succession)


def prospect(token: str | None, sign_in: SignIn, *, now: datetime) -> Prospect | None:
    """Return what *token* would link to the account of *sign_in*; None when no activation waits for a password."""
    pending = _waiting(token, now)
    return _prospect(pending, sign_in) if pending is not None else None


def link(token: str | None, sign_in: SignIn, *, now: datetime) -> Prospect | None:
    """Give the code of an activation to the account of *sign_in* and activate it; None when the activation is over.

    Every room hands over what it holds, then the row that has become empty is closed. What stands in the way is in the
    answer, and nothing was done.

    Raises:
        ConflictError: something changed between the question and the act; nothing was done.
    """
    with transaction():
        pending = _waiting(token, now)
        if pending is None:
            return None
        found = _prospect(pending, sign_in)
        if not found.is_possible:
            return found
        for room in _successions():
            room.hand_over(pending.person_id, sign_in.person_id, now)
        _move(pending, sign_in, now)
        audit.record(
            audit.Event.USER_CODE_LINKED,
            actor=audit.Actor.person(sign_in.person_id),
            person_id=sign_in.person_id,
            details={"user_code": pending.user_code, "former_person": pending.person_id},
            now=now,
        )
        _enqueue_notices(found, now)
    return found


def _prospect(pending: PendingChallenge, sign_in: SignIn) -> Prospect:
    account = sign_in.person_id
    known = people((pending.person_id, account))
    of_code = enterprises_of_codes(pending.person_id).get(pending.user_code, EnterpriseOfCode())
    return Prospect(
        user_code=UserCode(pending.user_code),
        enterprise=of_code.name,
        enterprise_with_number=of_code.with_number,
        named=known[pending.person_id],
        account=known[account],
        next_path=pending.next_path,
        hindrances=may_link(_facts(pending, sign_in)).reasons,
        objections=tuple(each for room in _successions() for each in room.objections(pending.person_id, account)),
    )


def _move(pending: PendingChallenge, sign_in: SignIn, now: datetime) -> None:
    """Move the code, end what was begun with it, and close the row it leaves; each statement finds what the page saw.

    The people are held first, then what was begun, then the code: in the order in which an activation takes the same rows.
    """
    if may_link(_facts(pending, sign_in, hold=True)).reasons:  # under the lock of both, and never undone afterwards
        raise ConflictError("an account changed meanwhile")
    reproofing_services.end_reproofings(sign_in.person_id, now=now)
    if not challenge_services.end_early(pending, now=now) or not _take(pending, sign_in.person_id, now):
        raise ConflictError("this activation is over")
    level = db.session.scalar(select(Person.required_level).where(Person.id == pending.person_id)) or 0
    if not access_services.change(pending.person_id, AccessEvent.CLOSE, closed_at=now):
        raise ConflictError("the row of the new code is not open")
    challenge_services.end_all(pending.person_id, now=now)
    require_level(sign_in.person_id, level)


def _take(pending: PendingChallenge, account: str, now: datetime) -> bool:
    taken = db.session.execute(
        update(UserCodeRow)
        .where(
            UserCodeRow.code == pending.user_code,
            UserCodeRow.person_id == pending.person_id,
            UserCodeRow.state.in_([state.value for state in sources(CodeEvent.ACTIVATE)]),
        )
        .values(person_id=account, state=CodeState.ACTIVATED.value, activated_at=now, secret_digest=None)
        .returning(UserCodeRow.code)
        .execution_options(synchronize_session=False)
    ).first()
    return taken is not None


def _facts(pending: PendingChallenge, sign_in: SignIn, *, hold: bool = False) -> LinkingFacts:
    account, named = sign_in.person_id, pending.person_id
    wanted = select(Person.id, Person.access, Person.is_operator).where(Person.id.in_((account, named)))
    wanted = wanted.order_by(Person.id)
    rows = {row.id: row for row in db.session.execute(wanted.with_for_update(key_share=True) if hold else wanted)}
    return LinkingFacts(
        is_weak=sign_in.is_weak,
        is_same_person=account == named,
        is_account_open=rows[account].access == Access.OPEN.value,
        has_credential=_has_credential(named, pending.user_code),
        is_operator=any(row.is_operator for row in rows.values()),
    )


def _has_credential(person_id: str, user_code: str) -> bool:
    """Return whether a person could sign in as this person, or whether another code leads to them."""
    others = exists().where(
        UserCodeRow.person_id == person_id,
        UserCodeRow.code != user_code,
        UserCodeRow.state != CodeState.REVOKED.value,
    )
    credentials = (exists().where(table.person_id == person_id) for table in _CREDENTIALS)
    return bool(db.session.scalar(select(or_(others, *credentials))))


def _waiting(token: str | None, now: datetime) -> PendingChallenge | None:
    pending = challenge_services.find(token, FlowKind.ACTIVATION, now=now)
    return pending if pending is not None and pending.step is FlowStep.NEW_PASSWORD else None


def _enqueue_notices(found: Prospect, now: datetime) -> None:
    """Write to the address of the account, and to the one given with the code when it is another."""
    addresses = {whom.email.casefold(): whom.email for whom in (found.named, found.account)}
    for address in addresses.values():
        payload = {
            "to": address,
            "language": found.account.language,
            "user_code": found.user_code.masked,
            "enterprise": found.enterprise_with_number,
            "at": now.isoformat(),
        }
        notices.enqueue("user_code_linked", payload, now=now)


def _successions() -> list[Succession]:
    found: list[Succession] = current_app.extensions.get(_SUCCESSIONS, [])
    return found
