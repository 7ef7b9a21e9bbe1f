"""The forms of the desk."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from wtforms import RadioField, TextAreaField
from wtforms.validators import Length, ValidationError

from ..accounts.forms import UserCodeField
from ..enrollment.domain.rules import FileRefusalReason
from ..enrollment.words import REFUSALS
from ..http.web_forms import MandatForm
from ..i18n import gettext as _
from ..i18n import lazy_gettext as _l

LONGEST_NOTE = 2000


class FileDecision(StrEnum):
    """What an operator may do with a file under review."""

    APPROVE = "approve"
    REFUSE = "refuse"
    SEND_BACK = "send_back"
    ASK_DOCUMENT = "ask_document"


FILE_DECISIONS = {
    FileDecision.APPROVE: _l("Approve the file"),
    FileDecision.REFUSE: _l("Refuse the file"),
    FileDecision.SEND_BACK: _l("Send it back to the representative for correction"),
    FileDecision.ASK_DOCUMENT: _l("Ask for a document"),
}
OPERATOR_REASONS = tuple(reason for reason in FileRefusalReason if reason is not FileRefusalReason.STATUS_NOT_ACCEPTED)


class FileDecisionForm(MandatForm):
    """The decision on one file, and why."""

    decision = RadioField(_l("Your decision"), validate_choice=False)
    reason = RadioField(_l("Reason, if you refuse"), validate_choice=False)
    note = TextAreaField(
        _l("What you relied on"),
        description=_l("Kept in the file for operators. Do not copy numbers or birth dates here."),
        validators=[Length(max=LONGEST_NOTE, message=_l("Write at most 2,000 characters"))],
    )

    def __init__(self, allowed: tuple[FileDecision, ...], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.decision.choices = [(choice.value, FILE_DECISIONS[choice]) for choice in allowed]
        self.reason.choices = [(reason.value, REFUSALS[reason]) for reason in OPERATOR_REASONS]

    def validate_decision(self, field: RadioField) -> None:
        """Require one of the decisions this file allows."""
        if field.data not in {value for value, _label in field.choices}:
            raise ValidationError(_("Choose what becomes of the file"))

    def validate_reason(self, field: RadioField) -> None:
        """Require a reason from the list with a refusal."""
        refused = self.decision.data == FileDecision.REFUSE
        if refused and field.data not in {value for value, _label in field.choices}:
            raise ValidationError(_("Choose the reason the representative will read"))

    def validate_note(self, field: TextAreaField) -> None:
        """Require a note with every decision except a request for a document."""
        if not field.data and self.decision.data != FileDecision.ASK_DOCUMENT:
            raise ValidationError(_("Say in a few words what you relied on"))


class SubscriptionDecision(StrEnum):
    """What an officer may do with a subscription."""

    ACCEPT = "accept"
    REFUSE = "refuse"


SUBSCRIPTION_DECISIONS = {
    SubscriptionDecision.ACCEPT: _l("Accept the subscription"),
    SubscriptionDecision.REFUSE: _l("Refuse the subscription"),
}
CHANGE_DECISIONS = {
    SubscriptionDecision.ACCEPT: _l("Accept the change"),
    SubscriptionDecision.REFUSE: _l("Refuse the change: the subscription stays as it is"),
}


class SubscriptionDecisionForm(MandatForm):
    """The decision on one subscription; the reasons are the agency's own."""

    decision = RadioField(_l("Your decision"), validate_choice=False)
    reason = RadioField(_l("Reason, if you refuse"), validate_choice=False)

    def __init__(self, reasons: list[tuple[str, str]], *args: Any, is_change: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = CHANGE_DECISIONS if is_change else SUBSCRIPTION_DECISIONS
        self.decision.choices = [(choice.value, label) for choice, label in choices.items()]
        self.reason.choices = reasons

    def validate_decision(self, field: RadioField) -> None:
        """Require one of the two decisions."""
        if field.data not in {value for value, _label in field.choices}:
            raise ValidationError(_("Choose whether to accept or to refuse"))

    def validate_reason(self, field: RadioField) -> None:
        """Require one of the agency's reasons with a refusal."""
        refused = self.decision.data == SubscriptionDecision.REFUSE
        if refused and field.data not in {value for value, _label in field.choices}:
            raise ValidationError(_("Choose the reason the enterprise will read"))


class LostFactorForm(MandatForm):
    """The person to prove again, or to look up."""

    user_code = UserCodeField(_l("User code"), id="user-code", description=_l("For example, QX4T-7712"))
