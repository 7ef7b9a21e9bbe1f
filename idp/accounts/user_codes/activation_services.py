"""First use of a user code: what the slips say, a code by e-mail, then one's own password and second factor.

Nothing is written that signs a person in before the last step, where everything is written at once. A code that belongs
to a person who already has credentials is only linked: no path changes a credential of an account that has one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select, update

from ... import audit
from ...crypto.sealing import current_sealing
from ...db import db, transaction
from ...errors import ConflictError, Decision
from ...identifiers import PersonId, UserCode
from ...notices import services as notices
from ..challenges import challenge_services, email_code_services
from ..challenges.challenge_services import PendingChallenge, SubmittedForm
from ..credentials import factor_services
from ..credentials.domain import totp
from ..credentials.domain.passwords import PasswordFault, check
from ..credentials.hashing import current_hasher
from ..models import UserCodeRow
from ..people import contact_services
from ..people.person_services import person
from ..recovery import reproofing_services
from ..sessions import session_services
from ..sessions.domain.sign_ins import CompletedSignIn, SignIn, mask_email
from ..sign_in.domain.steps import ENDS_EARLY, FlowKind, FlowStep
from ..sign_in.sign_in_lookup_services import owner_of
from ..sign_in.sign_in_services import note_refusal, secret_after, sent_again
from ..throttling import attempt_counter_services
from .code_services import secret_digest
from .domain.states import CodeEvent, CodeState, sources

_KINDS = (FlowKind.ACTIVATION, FlowKind.REPROOFING)


class StartRefusal(StrEnum):
    """Why an activation does not begin. Only the bearer of the right secret learns more than *wrong*."""

    WRONG = "wrong"
    EXPIRED = "expired"
    USED = "used"
    EARLY = "early"
    LOCKED = "locked"


@dataclass(frozen=True, slots=True)
class Start:
    """The answer to a user code and a temporary password."""

    token: str | None = field(default=None, repr=False)
    refusal: StartRefusal | None = None
    locked_until: datetime | None = None
    serves_from: datetime | None = None


@dataclass(frozen=True, slots=True)
class Activation:
    """An activation as its pages show it."""

    step: FlowStep
    person_id: PersonId
    user_code: UserCode
    masked_email: str
    next_path: str
    may_link: bool


@dataclass(frozen=True, slots=True)
class Finish:
    """The answer to the code that confirms an application: signed in, or linked to an account that was there."""

    signed: CompletedSignIn | None = None
    linked: bool = False
    replaced: bool = False
    over: bool = False


def start(user_code: UserCode, secret: str, *, next_path: str, browser: str | None = None, now: datetime) -> Start:
    """Spend a temporary password and send a code to the person's address; the attempt is counted like any other.

    *browser* is a secret of the page session: the same form sent twice from there goes on with what the first one began.
    """
    owner = owner_of(user_code)
    subject = (
        attempt_counter_services.subject_of(owner) if owner else attempt_counter_services.subject_of_nobody(user_code)
    )
    with transaction():
        may_try, counter = attempt_counter_services.take_try(subject, renewing=True, now=now)
        if not may_try:
            return Start(refusal=StartRefusal.LOCKED, locked_until=counter.locked_until)
        digest = secret_digest(user_code, secret)
        token = current_sealing().derived_token(browser, f"activation:{digest}") if browser else None
        person_id = _spend(user_code, digest, now)
        slip = reproofing_services.find_slip(user_code, secret) if person_id is None else None
        if slip is not None:
            attempt_counter_services.return_try(subject, counter, now=now)
            return _begin_reproofing(slip, user_code, next_path, now)
        if person_id is None:
            refusal = _why_not(user_code, digest, now)
            if refusal is not StartRefusal.WRONG:
                attempt_counter_services.return_try(subject, counter, now=now)  # the secret was right: no guess
                pending = _at(token, FlowStep.EMAIL_CODE, now)
                return Start(token=token) if pending is not None else Start(refusal=refusal)
            note_refusal(owner, subject, counter, step="temporary_password", now=now)
            locked = counter.is_locked(now)
            return Start(refusal=StartRefusal.LOCKED if locked else refusal, locked_until=counter.locked_until)
        attempt_counter_services.return_try(subject, counter, now=now)
        challenge_id, token = challenge_services.begin(
            FlowKind.ACTIVATION,
            FlowStep.EMAIL_CODE,
            person_id=person_id,
            user_code=user_code.signs,
            next_path=next_path,
            token=token,
            now=now,
        )
        email_code_services.send(challenge_id, person(person_id), now=now)
    return Start(token=token)


def _begin_reproofing(
    slip: reproofing_services.ReproofingSlip, user_code: UserCode, next_path: str, now: datetime
) -> Start:
    """Go on with the slip of a person who lost every second factor, once its day has come."""
    if slip.serves_from > now:
        return Start(refusal=StartRefusal.EARLY, serves_from=slip.serves_from)
    challenge_id, token = challenge_services.begin(
        FlowKind.REPROOFING,
        FlowStep.EMAIL_CODE,
        person_id=slip.person_id,
        user_code=user_code.signs,
        next_path=next_path,
        now=now,
    )
    if not reproofing_services.use_slip(slip, challenge_id, now=now):
        return Start(refusal=StartRefusal.EXPIRED)
    email_code_services.send(challenge_id, person(slip.person_id), now=now)
    return Start(token=token)


def _spend(user_code: UserCode, digest: str, now: datetime) -> str | None:
    """Use the temporary password up, in one statement, and return whose it was."""
    spent = db.session.execute(
        update(UserCodeRow)
        .where(
            UserCodeRow.code == user_code.signs,
            UserCodeRow.secret_digest == digest,
            UserCodeRow.state == CodeState.REVEALED.value,
            UserCodeRow.first_used_at.is_(None),
            UserCodeRow.expires_at > now,
        )
        .values(first_used_at=now)
        .returning(UserCodeRow.person_id)
        .execution_options(synchronize_session=False)
    ).first()
    if spent is None:
        return None
    audit.record(
        audit.Event.TEMPORARY_PASSWORD_USED,
        actor=audit.Actor.person(spent.person_id),
        person_id=spent.person_id,
        details={"user_code": user_code.signs},
        now=now,
    )
    return str(spent.person_id)


def _why_not(user_code: UserCode, digest: str, now: datetime) -> StartRefusal:
    row = db.session.execute(
        select(UserCodeRow.first_used_at, UserCodeRow.expires_at, UserCodeRow.state).where(
            UserCodeRow.code == user_code.signs, UserCodeRow.secret_digest == digest
        )
    ).first()
    if row is None or row.state == CodeState.REVOKED:
        return StartRefusal.WRONG
    return StartRefusal.USED if row.first_used_at is not None else StartRefusal.EXPIRED


def activation(token: str | None, *, now: datetime) -> Activation | None:
    """Return the activation *token* goes on with."""
    pending = challenge_services.find(token, *_KINDS, now=now)
    if pending is None:
        return None
    whom = person(pending.person_id)
    return Activation(
        step=pending.step,
        person_id=whom.id,
        user_code=UserCode(pending.user_code),
        masked_email=mask_email(whom.email),
        next_path=pending.next_path,
        may_link=(pending.kind, pending.step) in ENDS_EARLY,
    )


def send_again(token: str | None, *, now: datetime) -> bool:
    """Send another code by e-mail, which kills the previous one; return whether one was sent (not too often, not too soon)."""
    with transaction():
        pending = _at(token, FlowStep.EMAIL_CODE, now)
        return pending is not None and email_code_services.send(pending.id, person(pending.person_id), now=now)


def confirm_email(token: str | None, code: str, *, now: datetime) -> email_code_services.CodeCheck:
    """Check the code received by e-mail; when it is right, the activation advances.

    A person who already has credentials is done here: the user code is linked to their account.
    """
    with transaction():
        pending = _at(token, FlowStep.EMAIL_CODE, now)
        if pending is None:
            return email_code_services.CodeCheck(email_code_services.CodeOutcome.OVER)
        answer = _check_email_code(pending, code, now)
        if answer.outcome is not email_code_services.CodeOutcome.RIGHT:
            return answer
        contact_services.note_confirmed(person(pending.person_id).email, now=now)
        if pending.kind is FlowKind.ACTIVATION and factor_services.has_password(pending.person_id):
            challenge_services.abandon(pending, now=now)
            mark_activated(pending, now)
            return email_code_services.CodeCheck(email_code_services.CodeOutcome.LINKED)
        challenge_services.advance(pending, now=now)
        return answer


def _check_email_code(pending: PendingChallenge, code: str, now: datetime) -> email_code_services.CodeCheck:
    """Check the code; one that proves a person again also counts on the person's one counter (security-bar.md S-48)."""
    if pending.kind is FlowKind.ACTIVATION:
        return email_code_services.check(pending.id, code, now=now)
    subject = attempt_counter_services.subject_of(pending.person_id)
    may_try, counter = attempt_counter_services.take_try(subject, renewing=True, now=now)
    if not may_try:
        return email_code_services.CodeCheck(email_code_services.CodeOutcome.SPENT)
    answer = email_code_services.check(pending.id, code, now=now)
    if answer.outcome is email_code_services.CodeOutcome.WRONG:
        note_refusal(pending.person_id, subject, counter, step="reproofing_code", now=now)
    else:
        attempt_counter_services.return_try(subject, counter, now=now)
    return answer


def choose_password(
    token: str | None, password: str, *, about: tuple[str, ...] = (), now: datetime
) -> Decision[PasswordFault] | None:
    """Check the password a person chooses and keep its hash in the challenge; None when the activation is over.

    Raises:
        BusyError: too many passwords are being hashed.
    """
    pending = _at(token, FlowStep.NEW_PASSWORD, now)
    if pending is None:
        return None
    whom = person(pending.person_id)
    words = (whom.given_name, whom.family_name, pending.user_code, whom.email.partition("@")[0], *about)
    decision = check(password, about=words, year=now.year)
    if not decision:
        return decision
    hashed = current_hasher().hash(password)
    return decision if challenge_services.advance(pending, now=now, password_hash=hashed) else None


def offered_factor(token: str | None, *, now: datetime) -> totp.TotpOffer | None:
    """Return the secret offered to the person's application, the same as long as this activation lasts."""
    pending = _at(token, FlowStep.NEW_FACTOR, now)
    if pending is None:
        return None
    sealing, place = current_sealing(), f"challenge:{pending.id}"
    kept = pending.totp_secret or challenge_services.keep_totp_secret(pending, sealing.seal(totp.draw_secret(), place))
    return totp.offer(sealing.unseal(kept, place), str(UserCode(pending.user_code)))


def confirm_factor(token: str | None, code: str, *, former: SignIn | None, device: str, now: datetime) -> Finish | None:
    """Confirm the application with one code and write everything at once; None when the code is wrong."""
    offer = offered_factor(token, now=now)
    if offer is None:
        again = sent_again(token, SubmittedForm(code), now=now)
        return Finish(signed=again.signed, over=again.signed is None)
    digits = totp.read_code(code)
    step = totp.step_of(offer.secret, digits, now) if digits else None
    if step is None:
        return None
    with transaction():
        pending = _at(token, FlowStep.NEW_FACTOR, now)
        if pending is None or pending.password_hash is None:
            return Finish(over=True)
        factor_services.hold(pending.person_id)  # before what was begun and the code, as a linking does
        if not challenge_services.advance(pending, now=now, answer_digest=SubmittedForm(code).mark(pending)):
            return Finish(over=True)
        if pending.kind is FlowKind.REPROOFING:
            replaced = reproofing_services.finish(
                pending.id, hashed=pending.password_hash, totp_secret=offer.secret, step=step, now=now
            )
            return Finish(replaced=replaced, over=not replaced)
        mark_activated(pending, now)
        is_first = factor_services.add_first_credentials(
            pending.person_id, password_hash=pending.password_hash, totp_secret=offer.secret, step=step, now=now
        )
        if not is_first:
            return Finish(linked=True)
        attempt_counter_services.forget_failures(attempt_counter_services.subject_of(pending.person_id), now=now)
        who = session_services.account_status(pending.person_id, pending.user_code)
        secret = secret_after(token, pending)
        signed = session_services.begin_sign_in(
            who, device=device, former=former, next_path=pending.next_path, token=secret, now=now
        )
    return Finish(signed=signed)


def _at(token: str | None, step: FlowStep, now: datetime) -> PendingChallenge | None:
    pending = challenge_services.find(token, *_KINDS, now=now)
    return pending if pending is not None and pending.step is step else None


def mark_activated(pending: PendingChallenge, now: datetime) -> None:
    """Activate the code of a challenge and notify its owner, in the caller's transaction.

    Raises:
        ConflictError: the code was revoked meanwhile.
    """
    changed = db.session.execute(
        update(UserCodeRow)
        .where(
            UserCodeRow.code == pending.user_code,
            UserCodeRow.state.in_([state.value for state in sources(CodeEvent.ACTIVATE)]),
        )
        .values(state=CodeState.ACTIVATED.value, activated_at=now, secret_digest=None)
        .returning(UserCodeRow.code)
        .execution_options(synchronize_session=False)
    ).first()
    if changed is None:
        raise ConflictError("the user code can no longer be activated")
    audit.record(
        audit.Event.USER_CODE_ACTIVATED,
        actor=audit.Actor.person(pending.person_id),
        person_id=pending.person_id,
        details={"user_code": pending.user_code},
        now=now,
    )
    whom = person(pending.person_id)
    payload = {
        "to": whom.email,
        "language": whom.language,
        "user_code": UserCode(pending.user_code).masked,
        "at": now.isoformat(),
    }
    notices.enqueue("account_activated", payload, now=now)
