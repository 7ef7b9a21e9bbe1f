"""The log in plain words: one sentence for each kind of act, in both languages."""

from __future__ import annotations

from typing import Any

from ..i18n import lazy_gettext as _l
from .events import Event

LABELS: dict[Event, Any] = {
    Event.FILE_STARTED: _l("Enrolment file started"),
    Event.FILE_EMAIL_CONFIRMED: _l("E-mail address of the authorized representative confirmed"),
    Event.FILE_SUBMITTED: _l("Enrolment file submitted, terms accepted"),
    Event.FILE_CHECKED: _l("Facts checked with the register and the tax agency"),
    Event.FILE_SENT_BACK: _l("Enrolment file sent back for correction"),
    Event.FILE_VERIFIED: _l("Enterprise and authorized representative verified"),
    Event.FILE_CODE_MAILED: _l("Code mailed to the address on file"),
    Event.FILE_CODE_ACCEPTED: _l("Mailed code accepted"),
    Event.FILE_CODE_REFUSED: _l("Wrong mailed code"),
    Event.FILE_UNDER_REVIEW: _l("Enrolment file sent to review"),
    Event.FILE_DOCUMENT_RECEIVED: _l("Document received"),
    Event.FILE_APPROVED: _l("Enrolment file approved"),
    Event.FILE_APPROVAL_PROPOSED: _l("Approval proposed, a second operator must agree"),
    Event.FILE_REFUSED: _l("Enrolment file refused"),
    Event.FILE_CONTESTED: _l("Refusal contested"),
    Event.FILE_WITHDRAWN: _l("Enrolment file withdrawn"),
    Event.FILE_EXPIRED: _l("Enrolment file expired"),
    Event.FILE_ACTIVATED: _l("Slips collected, enrolment complete"),
    Event.FILE_READ: _l("Enrolment file read by an operator"),
    Event.PERSON_CREATED: _l("Account created"),
    Event.USER_CODE_ISSUED: _l("User code issued"),
    Event.TEMPORARY_PASSWORD_REVEALED: _l("Temporary password shown"),
    Event.TEMPORARY_PASSWORD_USED: _l("Temporary password used"),
    Event.USER_CODE_ACTIVATED: _l("User code activated"),
    Event.PASSWORD_SET: _l("Password set"),
    Event.SECOND_FACTOR_ADDED: _l("Second factor added"),
    Event.SIGNED_IN: _l("Signed in"),
    Event.SIGN_IN_REFUSED: _l("Sign-in refused"),
    Event.LOCKED: _l("Sign-in blocked for a while after wrong tries"),
    Event.SIGNED_OUT: _l("Signed out"),
    Event.ENTERPRISE_REGISTERED: _l("Enterprise registered"),
    Event.ENTERPRISE_SUSPENDED: _l("Enterprise suspended"),
    Event.ENTERPRISE_REINSTATED: _l("Enterprise reinstated"),
    Event.MEMBER_APPOINTED: _l("Person added"),
    Event.MEMBER_SUSPENDED: _l("Person suspended"),
    Event.MEMBER_REACTIVATED: _l("Person reactivated"),
    Event.MEMBER_REMOVED: _l("Person removed"),
    Event.SUBSCRIPTION_REQUESTED: _l("Subscription to an agency requested, consent given"),
    Event.SUBSCRIPTION_ACCEPTED: _l("Subscription accepted"),
    Event.SUBSCRIPTION_REFUSED: _l("Subscription refused"),
    Event.SUBSCRIPTION_WITHDRAWN: _l("Subscription withdrawn"),
    Event.SUBSCRIPTION_SUSPENDED: _l("Subscription suspended"),
    Event.SUBSCRIPTION_MORE_NEEDED: _l("The agency asked for more"),
    Event.GRANTED: _l("Functional blocks granted"),
    Event.REVOKED: _l("Functional blocks removed"),
    Event.REMOVAL_CONFIRMED: _l("Removal confirmed by the agency"),
    Event.CATALOGUE_LOADED: _l("Catalogue of an agency loaded"),
    Event.CLIENT_LOADED: _l("Client of an agency loaded"),
    Event.CLIENT_REGISTERED: _l("Client of an agency registered by its builder"),
    Event.CLIENT_REPLACED: _l("Registration of a client replaced"),
    Event.CLIENT_REVOKED: _l("Client of an agency removed"),
    Event.INITIAL_TOKEN_ISSUED: _l("Permission to register clients given to an agency"),
    Event.INITIAL_TOKEN_REVOKED: _l("Permission to register clients withdrawn"),
    Event.CONSENT_GIVEN: _l("Consent given to an agency"),
    Event.CONSENT_REFUSED: _l("Consent refused"),
    Event.CONSENT_WITHDRAWN: _l("Consent withdrawn"),
    Event.CODE_ISSUED: _l("Sign-in at an agency"),
    Event.TOKEN_ISSUED: _l("Rights told to an agency"),
    Event.TOKEN_REFUSED: _l("Token refused to an agency"),
    Event.CODE_REPLAYED: _l("Authorization code used twice: everything it gave is revoked"),
    Event.LOGOUT_SENT: _l("End of session sent to an agency"),
    Event.OPERATOR_ADDED: _l("Operator added"),
    Event.REGISTER_IMPORTED: _l("Register of enterprises imported"),
    Event.TAX_FILE_IMPORTED: _l("Tax agency’s file imported"),
    Event.KEYS_CREATED: _l("Keys created"),
    Event.KEYS_ROTATED: _l("Signing key rotated"),
    Event.KEYS_REVOKED: _l("Signing key revoked"),
}


def label(event: str) -> str:
    """Return the sentence of a stored event, in the person's language."""
    return str(LABELS[Event(event)])
