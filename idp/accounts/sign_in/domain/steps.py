"""The steps between the first page and a session, as one table. No step can be skipped, and none gone back to.

A *sign-in* waits for its second factor. An *activation* confirms the e-mail address, then the person chooses a password,
then adds a second factor; a *re-proofing* goes the same way. A *new application* is added by a person signed in. An *opening* is
a link that stands for the slips and the e-mail code (decisions.md §5).
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum


class FlowKind(StrEnum):
    """What is being gone through. Values are stored: never rename one."""

    SIGN_IN = "sign_in"
    ACTIVATION = "activation"
    OPENING = "opening"
    NEW_APPLICATION = "new_application"
    FREEZE = "freeze"
    THAW = "thaw"
    EMAIL_CHANGE = "email_change"
    REPROOFING = "reproofing"


class FlowStep(StrEnum):
    """What is waited for. Values are stored: never rename one."""

    SECOND_FACTOR = "second_factor"
    CLICK = "click"
    EMAIL_CODE = "email_code"
    NEW_PASSWORD = "new_password"  # noqa: S105 (the name of a step)
    NEW_FACTOR = "new_factor"
    DONE = "done"


LIVES: dict[FlowKind, timedelta] = {
    FlowKind.SIGN_IN: timedelta(minutes=10),
    FlowKind.ACTIVATION: timedelta(hours=1),
    FlowKind.OPENING: timedelta(hours=24),
    FlowKind.NEW_APPLICATION: timedelta(minutes=15),
    FlowKind.FREEZE: timedelta(minutes=30),
    FlowKind.THAW: timedelta(minutes=30),
    FlowKind.EMAIL_CHANGE: timedelta(minutes=30),
    FlowKind.REPROOFING: timedelta(hours=1),
}

NEXT: dict[tuple[FlowKind, FlowStep], FlowStep] = {
    (FlowKind.SIGN_IN, FlowStep.SECOND_FACTOR): FlowStep.DONE,
    (FlowKind.OPENING, FlowStep.CLICK): FlowStep.DONE,
    (FlowKind.NEW_APPLICATION, FlowStep.NEW_FACTOR): FlowStep.DONE,
    (FlowKind.FREEZE, FlowStep.EMAIL_CODE): FlowStep.DONE,
    (FlowKind.THAW, FlowStep.EMAIL_CODE): FlowStep.DONE,
    (FlowKind.EMAIL_CHANGE, FlowStep.EMAIL_CODE): FlowStep.DONE,
    (FlowKind.ACTIVATION, FlowStep.EMAIL_CODE): FlowStep.NEW_PASSWORD,
    (FlowKind.ACTIVATION, FlowStep.NEW_PASSWORD): FlowStep.NEW_FACTOR,
    (FlowKind.ACTIVATION, FlowStep.NEW_FACTOR): FlowStep.DONE,
    (FlowKind.REPROOFING, FlowStep.EMAIL_CODE): FlowStep.NEW_PASSWORD,
    (FlowKind.REPROOFING, FlowStep.NEW_PASSWORD): FlowStep.NEW_FACTOR,
    (FlowKind.REPROOFING, FlowStep.NEW_FACTOR): FlowStep.DONE,
}

ENDS_EARLY = frozenset(
    {(FlowKind.ACTIVATION, FlowStep.NEW_PASSWORD)}
)  # the code joins an account that is there: linking.py

EMAIL_CODE_LIFE = timedelta(minutes=10)  # domain.md §3.3
EMAIL_CODE_DIGITS = 8
EMAIL_CODE_TRIES = 5
EMAIL_CODE_SENDS = 5  # an activation sends at most so many codes
EMAIL_CODE_PAUSE = timedelta(seconds=30)  # between two of them
