"""A passkey as the second factor of a person who forgot their password.

The page is the same for every person and names no passkey: who has only the code received by e-mail does not learn here whether
the person has one. Only one of the person's own is accepted, for the challenge drawn in their recovery.
"""

from __future__ import annotations

from datetime import datetime

from ... import audit
from ...db import transaction
from ..credentials import passkey_services
from ..credentials.domain.passkeys import CeremonyPurpose
from ..credentials.passkey_services import PasskeyChallenge
from ..throttling import alarm_services
from . import recovery_services
from .domain.recovery_states import RecoveryEvent, RecoveryState
from .recovery_services import RecoveryCheck, RecoveryOutcome


def ask(token: str | None, *, now: datetime) -> PasskeyChallenge | None:
    """Ask for whichever passkey the device has; None where there can be none."""
    recovery = recovery_services.find(token, RecoveryState.SECOND_FACTOR, now=now)
    if recovery is None or recovery.person_id is None:
        return None
    return passkey_services.ask_unnamed(CeremonyPurpose.RECOVERY, person_id=recovery.person_id, now=now)


def check(token: str | None, ceremony: str | None, answer: str, *, now: datetime) -> RecoveryCheck:
    """Check the passkey; it is spent with the step that it opens.

    Nothing is guessed here, so nothing is counted, and no lock stands in the way (security-bar.md S-50).
    """
    with transaction():
        recovery = recovery_services.find(token, RecoveryState.SECOND_FACTOR, now=now)
        if recovery is None or recovery.person_id is None:
            return RecoveryCheck(RecoveryOutcome.OVER)
        if (
            passkey_services.accept(ceremony, answer, CeremonyPurpose.RECOVERY, person_id=recovery.person_id, now=now)
            is None
        ):
            alarm_services.count_failure(now)
            audit.record(
                audit.Event.SIGN_IN_REFUSED,
                actor=audit.ANONYMOUS,
                person_id=recovery.person_id,
                details={"step": "recovery_passkey"},
                now=now,
            )
            return RecoveryCheck(RecoveryOutcome.WRONG)
        went_on = recovery_services.advance(recovery, RecoveryEvent.FACTOR_RIGHT, now)
    return RecoveryCheck(RecoveryOutcome.RIGHT if went_on else RecoveryOutcome.OVER)
