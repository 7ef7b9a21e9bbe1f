"""Signing in with a passkey alone, which is two factors in itself: the device, and what it verified of its owner."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from ... import audit
from ...db import db, transaction
from ..credentials import passkey_services
from ..credentials.domain.passkeys import CeremonyPurpose
from ..models import UserCodeRow
from ..people import access_services
from ..sessions import session_services
from ..sessions.domain.sign_ins import PASSKEY_ALONE, SignIn
from ..user_codes.domain.states import CodeState
from .sign_in_services import Refusal, SecondStep, frozen


def sign_in_with_passkey(
    ceremony: str | None, answer: str, *, next_path: str, former: SignIn | None, device: str, now: datetime
) -> SecondStep:
    """Check a passkey; when it holds, the sign-in begins, all in one transaction.

    Nothing is guessed here, so nothing is counted, and no lock of the password stands in the way (security-bar.md S-50).
    """
    with transaction():
        person_id = passkey_services.accept(ceremony, answer, CeremonyPurpose.SIGN_IN, person_id=None, now=now)
        signs = _code_of(person_id, former) if person_id else None
        if person_id is None or signs is None:
            audit.record(
                audit.Event.SIGN_IN_REFUSED,
                actor=audit.ANONYMOUS,
                person_id=person_id,
                details={"step": "passkey"},
                now=now,
            )
            return SecondStep(refusal=Refusal.WRONG)
        who = session_services.account_status(person_id, signs)
        if not who.is_open:  # frozen: a passkey shows who asks, and the way back has one more step
            return frozen(access_services.begin_thaw(person_id, signs, now=now))
        signed = session_services.begin_sign_in(
            who, shown=PASSKEY_ALONE, device=device, former=former, next_path=next_path, now=now
        )
    return SecondStep(signed=signed)


def _code_of(person_id: str, former: SignIn | None) -> str | None:
    """Return with which activated code a person signs in who typed none: the one of their sign-in here, else the first."""
    activated = db.session.scalars(
        select(UserCodeRow.code)
        .where(UserCodeRow.person_id == person_id, UserCodeRow.state == CodeState.ACTIVATED.value)
        .order_by(UserCodeRow.activated_at, UserCodeRow.code)
    ).all()
    if former is not None and former.person_id == person_id and former.user_code in activated:
        return former.user_code
    return next(iter(activated), None)
