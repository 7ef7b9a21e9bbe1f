"""The steps between the first page and a session, as one table. No step can be skipped, and none gone back to.

A *sign-in* waits for its second factor. An *activation* confirms the e-mail address, then the person chooses a password,
then adds a second factor; a *re-proofing* goes the same way. A *new application* is added by somebody signed in. An *opening* is
a link that stands for the slips and the e-mail code (decisions.md §5).
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum


class Kind(StrEnum):
    """What is being gone through. Values are stored: never rename one."""

    SIGN_IN = "sign_in"
    ACTIVATION = "activation"
    OPENING = "opening"
    NEW_APPLICATION = "new_application"
    FREEZE = "freeze"
    THAW = "thaw"
    EMAIL_CHANGE = "email_change"
    REPROOFING = "reproofing"


class Step(StrEnum):
    """What is waited for. Values are stored: never rename one."""

    SECOND_FACTOR = "second_factor"
    CLICK = "click"
    EMAIL_CODE = "email_code"
    NEW_PASSWORD = "new_password"  # noqa: S105 (the name of a step)
    NEW_FACTOR = "new_factor"
    DONE = "done"


LIVES: dict[Kind, timedelta] = {
    Kind.SIGN_IN: timedelta(minutes=10),
    Kind.ACTIVATION: timedelta(hours=1),
    Kind.OPENING: timedelta(hours=24),
    Kind.NEW_APPLICATION: timedelta(minutes=15),
    Kind.FREEZE: timedelta(minutes=30),
    Kind.THAW: timedelta(minutes=30),
    Kind.EMAIL_CHANGE: timedelta(minutes=30),
    Kind.REPROOFING: timedelta(hours=1),
}

NEXT: dict[tuple[Kind, Step], Step] = {
    (Kind.SIGN_IN, Step.SECOND_FACTOR): Step.DONE,
    (Kind.OPENING, Step.CLICK): Step.DONE,
    (Kind.NEW_APPLICATION, Step.NEW_FACTOR): Step.DONE,
    (Kind.FREEZE, Step.EMAIL_CODE): Step.DONE,
    (Kind.THAW, Step.EMAIL_CODE): Step.DONE,
    (Kind.EMAIL_CHANGE, Step.EMAIL_CODE): Step.DONE,
    (Kind.ACTIVATION, Step.EMAIL_CODE): Step.NEW_PASSWORD,
    (Kind.ACTIVATION, Step.NEW_PASSWORD): Step.NEW_FACTOR,
    (Kind.ACTIVATION, Step.NEW_FACTOR): Step.DONE,
    (Kind.REPROOFING, Step.EMAIL_CODE): Step.NEW_PASSWORD,
    (Kind.REPROOFING, Step.NEW_PASSWORD): Step.NEW_FACTOR,
    (Kind.REPROOFING, Step.NEW_FACTOR): Step.DONE,
}

ENDS_EARLY = frozenset({(Kind.ACTIVATION, Step.NEW_PASSWORD)})  # the code joins an account that is there: linking.py

EMAIL_CODE_LIFE = timedelta(minutes=10)  # domain.md §3.3
EMAIL_CODE_DIGITS = 8
EMAIL_CODE_TRIES = 5
EMAIL_CODE_SENDS = 5  # an activation sends at most so many codes
EMAIL_CODE_PAUSE = timedelta(seconds=30)  # between two of them
