"""Showing again who one is, inside a sign-in: it becomes fresh, its cookie changes, its ``sid`` stays (decisions.md §23, §28)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import update

from ... import audit
from ...crypto.sealing import digest, random_token
from ...db import transaction
from ...errors import NotAllowedError
from ..credentials import factor_services, passkey_services
from ..credentials.domain.factor_policy import Ways, falls_short
from ..credentials.domain.factor_policy import ways_to_confirm as ways_for
from ..credentials.domain.passkeys import CeremonyPurpose
from ..credentials.domain.totp import read_code
from ..models import SignInRow
from ..people.person_services import required_level
from ..sessions import cookies, known_browser_services
from ..sessions.domain.sign_ins import ACR, AMR, PASSKEY_ALONE, CompletedSignIn, SignIn
from ..throttling import attempt_counter_services
from .sign_in_services import Refusal, SecondStep, closed_by, note_refusal, refused


def ways_to_confirm(person_id: str) -> Ways:
    """Return with what this person may confirm today."""
    has_site = passkey_services.site() is not None
    return ways_for(factor_services.held(person_id), required_level(person_id), has_site=has_site)


def confirm_with_code(sign_in: SignIn, typed: str, *, known: str | None = None, now: datetime) -> SecondStep:
    """Check a code of one of the person's applications; a right one makes this sign-in fresh, and no other.

    An attempt counts with those of the sign-in pages: a person has one counter for all their secrets (security-bar.md S-48).
    Where no code is accepted, none is checked or spent.
    """
    if not ways_to_confirm(sign_in.person_id).code:
        return SecondStep(refusal=Refusal.PASSKEY_ONLY)
    own = known_browser_services.counters(sign_in.person_id, known, now=now)
    may_try, counter, subject = attempt_counter_services.take_try_on(
        attempt_counter_services.subject_of(sign_in.person_id), own, now=now
    )
    if not may_try:
        return SecondStep(refusal=closed_by(counter, now), locked_until=counter.locked_until)
    digits = read_code(typed)
    with transaction():
        factor_services.hold(sign_in.person_id)
        if digits is None or not factor_services.spend_code(sign_in.person_id, digits, now=now):
            note_refusal(sign_in.person_id, subject, counter, step="step_up", now=now)
            return refused(counter, now)
        attempt_counter_services.return_try(
            subject, counter, now=now
        )  # it was right; the failures before it stay counted
        renewed = make_fresh(sign_in, acr=ACR, amr=AMR, now=now)
    return SecondStep(signed=renewed) if renewed else SecondStep(refusal=Refusal.OVER)


def confirm_with_passkey(sign_in: SignIn, ceremony: str | None, answer: str, *, now: datetime) -> SecondStep:
    """Check a passkey of the person; one that holds makes this sign-in fresh, and no other, all in one transaction.

    Nothing is guessed here, so nothing is counted, and no lock of the codes stands in the way (security-bar.md S-50).
    """
    with transaction():
        whose = passkey_services.accept(ceremony, answer, CeremonyPurpose.STEP_UP, person_id=sign_in.person_id, now=now)
        if whose is None:
            audit.record(
                audit.Event.SIGN_IN_REFUSED,
                actor=audit.ANONYMOUS,
                person_id=sign_in.person_id,
                details={"step": "step_up"},
                now=now,
            )
            return SecondStep(refusal=Refusal.WRONG)
        renewed = make_fresh(sign_in, acr=PASSKEY_ALONE.acr, amr=PASSKEY_ALONE.amr, now=now)
    return SecondStep(signed=renewed) if renewed else SecondStep(refusal=Refusal.OVER)


def make_fresh(sign_in: SignIn, *, acr: str, amr: tuple[str, ...], now: datetime) -> CompletedSignIn | None:
    """Make a sign-in fresh after its person has shown what *acr* and *amr* say; None when it has ended meanwhile.

    The level becomes that of what was shown now, also when it is lower: ``acr`` and ``auth_time`` describe one act. It never
    falls below what the person must show. The sign-in does not live longer for it.

    Raises:
        NotAllowedError: *acr* is less than the person must show; the person who checks the factors refuses that first.
    """
    token = random_token()
    with transaction() as session:
        if falls_short(acr, required_level(sign_in.person_id)):
            raise NotAllowedError("this person must show more")
        found = session.execute(
            update(SignInRow)
            .where(
                SignInRow.sid == sign_in.sid,
                SignInRow.person_id == sign_in.person_id,
                SignInRow.ended_at.is_(None),
                SignInRow.expires_at > now,
            )
            .values(secret_digest=digest(token), auth_time=now, seen_at=now, acr=acr, amr=list(amr))
            .returning(SignInRow.sid)
            .execution_options(synchronize_session=False)
        ).first()
        if found is None:
            cookies.drop()
            return None
        audit.record(
            audit.Event.STEPPED_UP,
            actor=audit.Actor.person(sign_in.person_id),
            person_id=sign_in.person_id,
            details={"sid": sign_in.sid, "acr": acr},
            now=now,
        )
    renewed = replace(sign_in, auth_time=now, acr=acr, amr=amr)
    return CompletedSignIn(renewed, token, "/account")
