"""A forgotten password, as one table, pure: a code by e-mail, then the second factor, then the new password.

No step can be skipped, and nothing carries over: to begin again, or another way, is another recovery (security-bar.md S-58). The
code proves the address and the factor proves the person; neither alone changes anything (ASVS 6.4.3).
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

LIFE = timedelta(minutes=30)
CODE_LIFE = timedelta(minutes=10)  # ASVS 6.5.5
CODE_TRIES = 5
CODE_PAUSE = timedelta(seconds=30)  # between two codes of one recovery
CODES_PER_HOUR = 3  # the person who asks, for one person (security-bar.md R-25)
HOUR = timedelta(hours=1)


class RecoveryState(StrEnum):
    """What a recovery waits for. Values are stored: never rename one."""

    EMAIL_CODE = "email_code"
    SECOND_FACTOR = "second_factor"
    NEW_PASSWORD = "new_password"  # noqa: S105 (the name of a step)
    DONE = "done"
    ENDED = "ended"


class RecoveryEvent(StrEnum):
    """What happens to a recovery."""

    CODE_RIGHT = "code_right"
    FACTOR_RIGHT = "factor_right"
    PASSWORD_CHOSEN = "password_chosen"  # noqa: S105
    GIVEN_UP = "given_up"
    TOO_OLD = "too_old"


_WAITING = (RecoveryState.EMAIL_CODE, RecoveryState.SECOND_FACTOR, RecoveryState.NEW_PASSWORD)
TRANSITIONS: dict[tuple[RecoveryState, RecoveryEvent], RecoveryState] = {
    (RecoveryState.EMAIL_CODE, RecoveryEvent.CODE_RIGHT): RecoveryState.SECOND_FACTOR,
    (RecoveryState.SECOND_FACTOR, RecoveryEvent.FACTOR_RIGHT): RecoveryState.NEW_PASSWORD,
    (RecoveryState.NEW_PASSWORD, RecoveryEvent.PASSWORD_CHOSEN): RecoveryState.DONE,
    **{
        (state, event): RecoveryState.ENDED
        for state in _WAITING
        for event in (RecoveryEvent.GIVEN_UP, RecoveryEvent.TOO_OLD)
    },
}
