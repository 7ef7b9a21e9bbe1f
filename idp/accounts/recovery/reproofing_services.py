"""A person who lost every second factor is proved again: a slip that is valid after a day, and a code by e-mail.

The slip is used where every slip is (``/activate``), the rest of the way is that of an activation. The person hears of it at
once and may object with one button until it is done. A person who has authority to start one is decided by the rooms above.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select

from ... import audit
from ...audit import Actor
from ...crypto.sealing import current_sealing, digest, random_token
from ...db import db, new_id, transaction
from ...errors import ConflictError
from ...http.web import absolute_url
from ...identifiers import PersonId, UserCode
from ...notices import services as notices
from ...notices.domain.messages import Email
from ...notices.email import from_template
from ..credentials import factor_services, security_notice_services
from ..credentials.domain.passwords import TemporaryPassword, draw_pairing, draw_temporary, group
from ..models import Password, UserCodeRow
from ..people import access_services
from ..people.person_services import person
from ..sessions import known_browser_services, session_services
from ..throttling import allowance_services, attempt_counter_services
from ..user_codes.domain.states import SLIP_LIFE, CodeState
from . import reproofing_row_services
from .domain.reproofing_states import LIFE, WAIT, ReproofingEvent, ReproofingState
from .models import Reproofing
from .recovery_services import end_pending

STARTS_PER_HOUR = 3  # for one person, the person who starts (security-bar.md R-25)


@dataclass(frozen=True, slots=True)
class ReproofingView:
    """A re-proofing as the rooms above show it."""

    id: str
    person_id: PersonId
    user_code: UserCode
    state: ReproofingState
    started_by: str
    started_at: datetime
    serves_from: datetime | None
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ReproofingSlip:
    """What a right temporary password finds: a re-proofing, and whether it is valid already."""

    id: str
    person_id: str
    serves_from: datetime
    expires_at: datetime


def start(user_code: UserCode, *, by: Actor, now: datetime) -> TemporaryPassword:
    """Start a re-proofing at once and return its slip, to be shown once; the person is notified.

    Raises:
        ConflictError: the code is not activated, or too many were started within the hour.
    """
    with transaction():
        return show_slip(propose(user_code, by=by, now=now), by=by, now=now)


def propose(user_code: UserCode, *, by: Actor, now: datetime) -> str:
    """Begin a re-proofing for which no secret exists yet, and return its id; one that was open ends.

    Raises:
        ConflictError: the code is not activated, or too many were started within the hour.
    """
    reproofing_id = new_id()
    with transaction() as session:
        person_id = _owner(user_code)
        if person_id is None:
            raise ConflictError("no credential of one's own to prove anew")
        if allowance_services.take(f"reproofing:{person_id}", limit=STARTS_PER_HOUR, now=now) is not None:
            raise ConflictError("too many re-proofings within the hour")
        reproofing_row_services.end(person_id, ReproofingEvent.REPLACED, ReproofingState.EXPIRED, now)
        session.execute(
            insert(Reproofing).values(
                id=reproofing_id,
                person_id=person_id,
                user_code=user_code.signs,
                state=ReproofingState.PROPOSED.value,
                started_by=by.id or by.kind,
                started_at=now,
                expires_at=now + LIFE,
            )
        )
        _record(audit.Event.REPROOFING_PROPOSED, by, person_id, user_code.signs, now)
    return reproofing_id


def show_slip(reproofing_id: str, *, by: Actor, now: datetime) -> TemporaryPassword:
    """Make the slip of a re-proofing, once, notify the person, and let the wait begin.

    Raises:
        ConflictError: it is not waiting for its slip.
    """
    secret, pairing, objection = draw_temporary(), draw_pairing(), random_token()
    serves_from, expires_at = now + WAIT, now + LIFE
    with transaction():
        wanted = select(Reproofing.person_id, Reproofing.user_code).where(Reproofing.id == reproofing_id)
        found = db.session.execute(wanted).first()
        if found is None or not reproofing_row_services.move(
            Reproofing.id == reproofing_id,
            event=ReproofingEvent.SLIP_SHOWN,
            to=ReproofingState.WAITING,
            now=now,
            secret_digest=_digest(found.user_code, secret),
            pairing=pairing,
            objection_digest=digest(objection),
            shown_at=now,
            serves_from=serves_from,
            expires_at=expires_at,
        ):
            raise ConflictError("no slip for this re-proofing")
        _record(audit.Event.REPROOFING_STARTED, by, found.person_id, found.user_code, now)
        told = {"person_id": found.person_id, "objection": objection, "serves_from": serves_from.isoformat()}
        notices.enqueue("reproofing_started", told, now=now)
    return TemporaryPassword(secret, group(secret), expires_at, pairing, serves_from)


def find_slip(user_code: UserCode, secret: str) -> ReproofingSlip | None:
    """Return the re-proofing that *secret* is the slip of, used or not yet; in the caller's transaction."""
    row = db.session.execute(
        select(Reproofing.id, Reproofing.person_id, Reproofing.serves_from, Reproofing.expires_at).where(
            Reproofing.user_code == user_code.signs,
            Reproofing.secret_digest == _digest(user_code.signs, secret),
            Reproofing.state == ReproofingState.WAITING.value,
        )
    ).first()
    return ReproofingSlip(row.id, row.person_id, row.serves_from, row.expires_at) if row else None


def use_slip(slip: ReproofingSlip, challenge_id: str, *, now: datetime) -> bool:
    """Use a slip up for a challenge, in one statement of the caller's transaction; False before its time or after."""
    user_code = reproofing_row_services.move(
        Reproofing.id == slip.id,
        Reproofing.serves_from <= now,
        Reproofing.expires_at > now,
        event=ReproofingEvent.SLIP_USED,
        to=ReproofingState.UNDER_WAY,
        now=now,
        challenge_id=challenge_id,
        secret_digest=None,
    )
    if user_code is None:
        return False
    _record(audit.Event.REPROOFING_SLIP_USED, Actor.person(slip.person_id), slip.person_id, user_code, now)
    return True


def finish(challenge_id: str, *, hashed: str, totp_secret: str, step: int, now: datetime) -> bool:
    """Replace every credential by the ones just chosen, in the caller's transaction; False when it was stopped.

    Everything opened with the previous ones ends, and an account that its person froze is open again: a slip from who answers
    for them, a code at their address and a day to object say more than the factors they no longer have.
    """
    wanted = select(Reproofing.person_id, Reproofing.user_code).where(Reproofing.challenge_id == challenge_id)
    found = db.session.execute(wanted).first()
    if found is None or _owner(UserCode(found.user_code)) != found.person_id:
        return False
    if not reproofing_row_services.move(
        Reproofing.challenge_id == challenge_id,
        event=ReproofingEvent.FACTOR_SET,
        to=ReproofingState.DONE,
        now=now,
        ended_at=now,
        objection_digest=None,
    ):
        return False
    factor_services.replace_all(found.person_id, hashed=hashed, totp_secret=totp_secret, step=step, now=now)
    session_services.end_sign_ins_of(found.person_id, now=now)
    end_pending(found.person_id, now=now)
    known_browser_services.forget(found.person_id, now=now)
    attempt_counter_services.forget_failures(attempt_counter_services.subject_of(found.person_id), now=now)
    _record(audit.Event.REPROOFING_DONE, Actor.person(found.person_id), found.person_id, found.user_code, now)
    access_services.thaw(found.person_id, actor=Actor.person(found.person_id), now=now)
    return True


def may_object(token: str | None) -> bool:
    """Return whether *token* still stops something; nothing is changed."""
    return token is not None and db.session.scalar(
        select(Reproofing.id).where(Reproofing.objection_digest == digest(token))
    ) is not None  # fmt: skip


def object_to(token: str | None, *, now: datetime) -> bool:
    """Stop the re-proofing that *token* was sent for: its slip and what it began are dead; return whether it did."""
    if token is None:
        return False
    with transaction():
        wanted = select(Reproofing.person_id, Reproofing.user_code, Reproofing.id).where(
            Reproofing.objection_digest == digest(token)
        )
        found = db.session.execute(wanted).first()
        if found is None:
            return False
        factor_services.hold(found.person_id)
        if db.session.execute(wanted).first() is None:
            return False  # its last step was taken meanwhile
        if not reproofing_row_services.end(found.person_id, ReproofingEvent.OBJECTED, ReproofingState.STOPPED, now):
            return False
        _record(audit.Event.REPROOFING_STOPPED, audit.ANONYMOUS, found.person_id, found.user_code, now)
        security_notice_services.note(found.person_id, "reproofing:stopped", now=now)
    return True


def slip(user_code: UserCode, secret: str, *, now: datetime) -> TemporaryPassword | None:
    """Return the temporary password of a slip shown less than fifteen minutes ago, when *secret* is the right one."""
    row = db.session.execute(
        select(Reproofing.expires_at, Reproofing.pairing, Reproofing.serves_from).where(
            Reproofing.user_code == user_code.signs,
            Reproofing.secret_digest == _digest(user_code.signs, secret),
            Reproofing.state == ReproofingState.WAITING.value,
            Reproofing.shown_at > now - SLIP_LIFE,
        )
    ).first()
    if row is None:
        return None
    return TemporaryPassword(secret, group(secret), row.expires_at, row.pairing or "", row.serves_from)


def latest(person_id: str) -> ReproofingView | None:
    """Return the last re-proofing of a person."""
    return next(iter(_views(Reproofing.person_id == person_id)), None)


def proposed(now: datetime) -> tuple[ReproofingView, ...]:
    """Return what waits for a second operator, latest first."""
    return _views(Reproofing.state == ReproofingState.PROPOSED.value, Reproofing.expires_at > now)


def _views(*conditions: Any) -> tuple[ReproofingView, ...]:
    rows = db.session.scalars(select(Reproofing).where(*conditions).order_by(Reproofing.started_at.desc()).limit(50))
    return tuple(
        ReproofingView(
            row.id,
            PersonId(row.person_id),
            UserCode(row.user_code),
            ReproofingState(row.state),
            row.started_by,
            row.started_at,
            row.serves_from,
            row.expires_at,
        )
        for row in rows
    )


def sweep(now: datetime) -> int:
    """End the re-proofings whose slip was never used, or whose way was not gone to its end; return how many."""
    with transaction():
        ended = 0
        for person_id in db.session.scalars(select(Reproofing.person_id).where(Reproofing.expires_at <= now)).all():
            ended += reproofing_row_services.end(
                person_id, ReproofingEvent.DEADLINE, ReproofingState.EXPIRED, now, before=now
            )
    return ended


def end_reproofings(person_id: str, *, now: datetime) -> None:
    """End the re-proofing that is open for a person who receives a role, in the caller's transaction, the person held.

    Its slip was made by who answers for the roles of before: it never opens the new one.
    """
    reproofing_row_services.end(person_id, ReproofingEvent.REPLACED, ReproofingState.EXPIRED, now)


def forget(person_id: str, *, now: datetime) -> None:
    """Delete the re-proofings of a person who closes their account, in the caller's transaction; what they began ends."""
    reproofing_row_services.end(person_id, ReproofingEvent.REPLACED, ReproofingState.EXPIRED, now)
    db.session.execute(
        delete(Reproofing).where(Reproofing.person_id == person_id).execution_options(synchronize_session=False)
    )


def render_started(payload: dict[str, Any], _now: datetime) -> Email:
    """Return the message that notifies a person of a re-proofing; its link leads to a button, and signs nobody in."""
    whom = person(str(payload["person_id"]))
    return from_template(
        "accounts/mail_reproofing.txt",
        to=whom.email,
        language=whom.language,
        serves_from=datetime.fromisoformat(str(payload["serves_from"])),
        objection=absolute_url(f"/recover/objection?token={payload['objection']}"),
    )


def _owner(user_code: UserCode) -> str | None:
    """Return who activated *user_code* and has credentials of their own."""
    return db.session.scalar(
        select(UserCodeRow.person_id)
        .join(Password, Password.person_id == UserCodeRow.person_id)
        .where(UserCodeRow.code == user_code.signs, UserCodeRow.state == CodeState.ACTIVATED.value)
    )


def _record(event: audit.Event, by: Actor, person_id: str, signs: str, now: datetime) -> None:
    audit.record(event, actor=by, person_id=person_id, details={"user_code": signs}, now=now)


def _digest(signs: str, secret: str) -> str:
    return current_sealing().keyed_digest(secret, f"reproofing:{signs}")
