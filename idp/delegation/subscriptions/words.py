"""Subscriptions in words: states, events, faults."""

from __future__ import annotations

from ...i18n import lazy_gettext as _l
from ..catalogue.domain.questionnaire import AnswerFault
from .domain.states import SubscriptionEvent, SubscriptionState

STATES = {
    SubscriptionState.IN_PROGRESS: (_l("In progress"), "yellow"),
    SubscriptionState.TO_COMPLETE: (_l("To complete"), "orange"),
    SubscriptionState.ACTIVE: (_l("Subscribed"), "green"),
    SubscriptionState.CHANGING: (_l("Subscribed, change in progress"), "green"),
    SubscriptionState.REFUSED: (_l("Subscription refused"), "red"),
    SubscriptionState.SUSPENDED: (_l("Suspended"), "orange"),
    SubscriptionState.WITHDRAWN: (_l("Withdrawn"), "grey"),
}
EVENTS = {
    SubscriptionEvent.REQUESTED: _l("Subscription submitted"),
    SubscriptionEvent.ACCEPTED: _l("Accepted"),
    SubscriptionEvent.REFUSED: _l("Refused"),
    SubscriptionEvent.MORE_NEEDED: _l("The agency asked for more"),
    SubscriptionEvent.ANSWERED: _l("Answered"),
    SubscriptionEvent.DEADLINE: _l("No answer in time"),
    SubscriptionEvent.RESUBMITTED: _l("Corrected and sent again"),
    SubscriptionEvent.REOPENING_ASKED: _l("Subscription asked again"),
    SubscriptionEvent.CHANGE_ASKED: _l("Change submitted"),
    SubscriptionEvent.CHANGE_ACCEPTED: _l("Change accepted"),
    SubscriptionEvent.CHANGE_REFUSED: _l("Change refused"),
    SubscriptionEvent.CHANGE_WITHDRAWN: _l("Change withdrawn"),
    SubscriptionEvent.SUSPENDED: _l("Suspended"),
    SubscriptionEvent.REINSTATED: _l("Reinstated"),
    SubscriptionEvent.WITHDRAWN: _l("Withdrawn"),
}
FAULTS = {
    AnswerFault.MISSING: _l("Answer this question"),
    AnswerFault.NOT_A_CHOICE: _l("Choose one of the answers"),
    AnswerFault.PATTERN: _l("This answer does not have the expected form"),
    AnswerFault.TOO_LONG: _l("Shorten this answer to 200 characters"),
    AnswerFault.EMAIL: _l("Enter an e-mail address such as name@example.com"),
    AnswerFault.PHONE: _l("Enter a telephone number such as 418 555-0123"),
    AnswerFault.DATE: _l("Enter the day, the month and the year"),
    AnswerFault.UNKNOWN_BLOCK: _l("One of these blocks is no longer offered: choose again"),
}
