"""The closed list of what the log may record, as ``subject:action``. Values are stored: never rename one."""

from __future__ import annotations

from enum import StrEnum


class Event(StrEnum):
    """One kind of act."""

    # enrolment
    FILE_STARTED = "file:started"
    FILE_EMAIL_CONFIRMED = "file:email_confirmed"
    FILE_SUBMITTED = "file:submitted"
    FILE_CHECKED = "file:checked"
    FILE_SENT_BACK = "file:sent_back"
    FILE_VERIFIED = "file:verified"
    FILE_CODE_MAILED = "file:code_mailed"
    FILE_CODE_ACCEPTED = "file:code_accepted"
    FILE_CODE_REFUSED = "file:code_refused"
    FILE_UNDER_REVIEW = "file:under_review"
    FILE_DOCUMENT_RECEIVED = "file:document_received"
    FILE_APPROVED = "file:approved"
    FILE_APPROVAL_PROPOSED = "file:approval_proposed"
    FILE_REFUSED = "file:refused"
    FILE_CONTESTED = "file:contested"
    FILE_WITHDRAWN = "file:withdrawn"
    FILE_EXPIRED = "file:expired"
    FILE_ACTIVATED = "file:activated"
    FILE_READ = "file:read"
    FILE_REOPENED = "file:reopened"
    FILE_BROWSER_LEFT = "file:browser_left"
    # accounts
    PERSON_CREATED = "person:created"
    USER_CODE_ISSUED = "user_code:issued"
    TEMPORARY_PASSWORD_REVEALED = "user_code:temporary_password_revealed"  # noqa: S105 (the name of an event)
    TEMPORARY_PASSWORD_USED = "user_code:temporary_password_used"  # noqa: S105
    USER_CODE_ACTIVATED = "user_code:activated"
    USER_CODE_LINKED = "user_code:linked"
    PASSWORD_SET = "person:password_set"  # noqa: S105
    PASSWORD_CHANGED = "person:password_changed"  # noqa: S105
    PASSWORD_RESET = "person:password_reset"  # noqa: S105
    RECOVERY_STARTED = "person:recovery_started"
    USER_CODES_ASKED = "person:user_codes_asked"
    REPROOFING_PROPOSED = "reproofing:proposed"
    REPROOFING_STARTED = "reproofing:started"
    REPROOFING_SLIP_USED = "reproofing:slip_used"
    REPROOFING_STOPPED = "reproofing:stopped"
    REPROOFING_DONE = "reproofing:done"
    SECOND_FACTOR_ADDED = "person:second_factor_added"
    SECOND_FACTOR_REMOVED = "person:second_factor_removed"
    SECOND_FACTOR_RENAMED = "person:second_factor_renamed"
    RECOVERY_CODES_MADE = "person:recovery_codes_made"
    RECOVERY_CODE_USED = "person:recovery_code_used"
    SIGNED_IN = "person:signed_in"
    SIGN_IN_CODE_SENT = "person:sign_in_code_sent"
    SIGN_IN_REFUSED = "person:sign_in_refused"
    LOCKED = "person:locked"
    UNLOCKED = "person:unlocked"
    DOOR_READ = "person:sign_in_read"
    PASSWORD_SPENT = "person:password_spent"  # noqa: S105
    SIGNED_OUT = "person:signed_out"
    STEPPED_UP = "person:stepped_up"
    EMAIL_CHANGED = "person:email_changed"
    EMAIL_CHANGE_UNDONE = "person:email_change_undone"
    NAME_CHANGED = "person:name_changed"
    FROZEN = "person:frozen"
    THAWED = "person:thawed"
    CLOSED = "person:closed"
    # delegation
    ENTERPRISE_REGISTERED = "enterprise:registered"
    ENTERPRISE_SUSPENDED = "enterprise:suspended"
    ENTERPRISE_REINSTATED = "enterprise:reinstated"
    MEMBER_APPOINTED = "membership:appointed"
    MEMBER_SUSPENDED = "membership:suspended"
    MEMBER_REACTIVATED = "membership:reactivated"
    MEMBER_REMOVED = "membership:removed"
    MEMBER_RENAMED = "membership:renamed"
    MEMBER_VOUCHED = "membership:name_vouched"
    MEMBER_DETAILS_CHANGED = "membership:details_changed"
    MEMBER_LINKED = "membership:linked"
    QUESTION_ASKED = "question:asked"
    QUESTION_ANSWERED = "question:answered"
    PES_REMINDED = "pes:reminded"
    SUBSCRIPTION_REQUESTED = "subscription:requested"
    SUBSCRIPTION_ACCEPTED = "subscription:accepted"
    SUBSCRIPTION_REFUSED = "subscription:refused"
    SUBSCRIPTION_WITHDRAWN = "subscription:withdrawn"
    SUBSCRIPTION_SUSPENDED = "subscription:suspended"
    SUBSCRIPTION_CHANGE_ASKED = "subscription:change_asked"
    SUBSCRIPTION_CHANGE_ACCEPTED = "subscription:change_accepted"
    SUBSCRIPTION_CHANGE_REFUSED = "subscription:change_refused"
    SUBSCRIPTION_CHANGE_WITHDRAWN = "subscription:change_withdrawn"
    SUBSCRIPTION_MORE_NEEDED = "subscription:more_needed"
    GRANTED = "grant:granted"
    REVOKED = "grant:revoked"
    REMOVAL_CONFIRMED = "grant:removal_confirmed"
    SYSTEM_USER_APPROVED = "system_user:approved"
    SYSTEM_USER_REVOKED = "system_user:revoked"
    CATALOGUE_LOADED = "catalogue:loaded"
    # oidc
    CLIENT_LOADED = "client:loaded"
    CLIENT_REGISTERED = "client:registered"
    CLIENT_REPLACED = "client:replaced"
    CLIENT_REVOKED = "client:revoked"
    INITIAL_TOKEN_ISSUED = "initial_token:issued"  # noqa: S105
    INITIAL_TOKEN_REVOKED = "initial_token:revoked"  # noqa: S105
    CONSENT_GIVEN = "consent:given"
    CONSENT_REFUSED = "consent:refused"
    CONSENT_WITHDRAWN = "consent:withdrawn"
    CODE_ISSUED = "oidc:code_issued"
    TOKEN_ISSUED = "oidc:token_issued"  # noqa: S105
    TOKEN_REFUSED = "oidc:token_refused"  # noqa: S105
    CODE_REPLAYED = "oidc:code_replayed"
    REFRESH_REPLAYED = "oidc:refresh_replayed"
    TOKEN_REVOKED = "oidc:token_revoked"  # noqa: S105
    LOGOUT_SENT = "oidc:logout_sent"
    SERVICE_TOKEN_ISSUED = "oidc:service_token_issued"  # noqa: S105
    SYSTEM_TOKEN_ISSUED = "oidc:system_token_issued"  # noqa: S105
    STREAM_CHANGED = "oidc:stream_changed"
    SIGNAL_SENT = "oidc:signal_sent"
    SIGNAL_REFUSED = "oidc:signal_refused"
    # operations
    ALARM_RAISED = "alarm:raised"
    LOG_DOUBTED = "log:doubted"
    OPERATOR_ADDED = "operator:added"
    OPERATOR_LEFT = "operator:left"
    REGISTER_IMPORTED = "register:imported"
    TAX_FILE_IMPORTED = "tax_file:imported"
    KEYS_CREATED = "keys:created"
    KEYS_ROTATED = "keys:rotated"
    KEYS_REVOKED = "keys:revoked"
