"""A passkey as the second factor of somebody who forgot their password.

The page is the same for everybody and names no passkey: whoever holds the code received by e-mail does not learn here whether
the person has one. Only one of the person's own is accepted, for the challenge drawn in their recovery.
"""

from __future__ import annotations

from datetime import datetime

from .. import audit
from ..db import transaction
from . import services_alarm as alarm
from . import services_passkeys as passkeys
from . import services_recovery as recoveries
from .passkeys import Purpose
from .recovery_states import RecoveryEvent, RecoveryState
from .services_passkeys import Asked
from .services_recovery import Answer, Outcome


def ask(token: str | None, *, now: datetime) -> Asked | None:
    """Ask for whichever passkey the device has; None where there can be none."""
    recovery = recoveries.find(token, RecoveryState.SECOND_FACTOR, now=now)
    if recovery is None or recovery.person_id is None:
        return None
    return passkeys.ask_unnamed(Purpose.RECOVERY, person_id=recovery.person_id, now=now)


def check(token: str | None, ceremony: str | None, answer: str, *, now: datetime) -> Answer:
    """Judge the passkey; it is spent with the step that it opens.

    Nothing is guessed here, so nothing is counted, and no lock stands in the way (security S-50).
    """
    with transaction():
        recovery = recoveries.find(token, RecoveryState.SECOND_FACTOR, now=now)
        if recovery is None or recovery.person_id is None:
            return Answer(Outcome.OVER)
        if passkeys.accept(ceremony, answer, Purpose.RECOVERY, person_id=recovery.person_id, now=now) is None:
            alarm.count_failure(now)
            audit.record(
                audit.Event.SIGN_IN_REFUSED,
                actor=audit.ANONYMOUS,
                person_id=recovery.person_id,
                details={"step": "recovery_passkey"},
                now=now,
            )
            return Answer(Outcome.WRONG)
        went_on = recoveries.advance(recovery, RecoveryEvent.FACTOR_RIGHT, now)
    return Answer(Outcome.RIGHT if went_on else Outcome.OVER)
