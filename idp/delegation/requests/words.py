"""Requests for access in words: states, and why a request is not taken."""

from __future__ import annotations

from ...i18n import lazy_gettext as _l
from .domain.states import AskObjection, RequestState

STATES = {
    RequestState.OPEN: (_l("Waiting for an answer"), "yellow"),
    RequestState.GRANTED: (_l("Granted"), "green"),
    RequestState.GRANTED_IN_PART: (_l("Granted in part"), "green"),
    RequestState.REFUSED: (_l("Refused"), "red"),
    RequestState.WITHDRAWN: (_l("Withdrawn"), "grey"),
    RequestState.EXPIRED: (_l("Expired without an answer"), "grey"),
    RequestState.ENDED: (_l("Ended: the person left"), "grey"),
}
OBJECTIONS = {
    AskObjection.NOT_A_USER: _l("Only a user of the enterprise asks for access."),
    AskObjection.NOT_SUBSCRIBED: _l("The enterprise is not subscribed to this agency."),
    AskObjection.NOTHING_ASKED: _l("Choose at least one block."),
    AskObjection.BLOCK_NOT_OFFERED: _l("The enterprise does not hold one of these blocks at this agency."),
    AskObjection.ALREADY_HELD: _l("You already have this access."),
    AskObjection.ALREADY_ASKED: _l(
        "You already have a request for this agency that waits for an answer. Withdraw it to make another one."
    ),
    AskObjection.TOO_MANY_OPEN: _l("Five of your requests wait for an answer. Wait, or withdraw one of them."),
    AskObjection.TOO_MANY_THIS_WEEK: _l("You made twenty requests this week. Write to a person in charge instead."),
    AskObjection.END_PAST: _l("The end date is in the past."),
    AskObjection.END_TOO_LATE: _l("The end date is more than two years away."),
}
