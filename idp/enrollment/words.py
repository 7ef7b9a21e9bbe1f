"""The display text of enrolment's values, in the language of the page; also used by the operators' pages."""

from __future__ import annotations

from ..connectors.enterprise_register import RegistrationStatus
from ..i18n import lazy_gettext as _l
from .documents import DocumentFault, DocumentKind
from .files import Task, TaskState
from .positions import Basis, Position
from .review_services import RefusalReason
from .rules import Reason
from .states import Event, State

POSITIONS = {
    Position.PRESIDENT: _l("President"),
    Position.VICE_PRESIDENT: _l("Vice-president"),
    Position.SECRETARY: _l("Secretary"),
    Position.TREASURER: _l("Treasurer"),
    Position.SOLE_DIRECTOR: _l("Sole director"),
    Position.DIRECTOR: _l("Director"),
    Position.OWNER: _l("Owner"),
    Position.PARTNER: _l("Partner"),
    Position.TRUSTEE: _l("Trustee"),
    Position.GENERAL_MANAGER: _l("General manager"),
    Position.CLERK: _l("Clerk"),
    Position.OTHER: _l("Another position"),
}
BASES = {
    Basis.OFFICE: _l("By office: my position is enough to represent the enterprise"),
    Basis.MANDATE: _l("By mandate: a power of attorney or a resolution authorizes me"),
}
BASES_SHORT = {Basis.OFFICE: _l("By office"), Basis.MANDATE: _l("By mandate")}
STATES = {
    State.DRAFT: _l("Draft file"),
    State.SUBMITTED: _l("File submitted"),
    State.CODE_MAILED: _l("Code mailed"),
    State.UNDER_REVIEW: _l("File under review"),
    State.VERIFIED: _l("Verified file"),
    State.ACTIVE: _l("Active file"),
    State.SUSPENDED: _l("Suspended file"),
    State.REFUSED: _l("Refused file"),
    State.EXPIRED: _l("Expired file"),
    State.WITHDRAWN: _l("Withdrawn file"),
    State.DEACTIVATED: _l("Closed file"),
}
STATE_COLOURS: dict[State, str | None] = {
    State.VERIFIED: "green",
    State.ACTIVE: "green",
    State.REFUSED: "red",
    State.SUSPENDED: "red",
    State.EXPIRED: "grey",
    State.WITHDRAWN: "grey",
    State.DEACTIVATED: "grey",
}
TASKS = {
    Task.ENTERPRISE: _l("Your enterprise"),
    Task.TAX_NUMBER: _l("Revenu Québec identification number"),
    Task.REPRESENTATIVE: _l("You, the authorized representative"),
    Task.PEOPLE: _l("Persons in charge of electronic services"),
    Task.CHECK: _l("Check your answers and submit"),
}
TASK_STATES = {
    TaskState.DONE: _l("Completed"),
    TaskState.IN_PROGRESS: _l("Begun"),
    TaskState.TO_DO: _l("To do"),
    TaskState.NOT_YET: _l("Not yet possible"),
}
TASK_COLOURS: dict[TaskState, str | None] = {
    TaskState.DONE: "green",
    TaskState.IN_PROGRESS: "blue",
    TaskState.TO_DO: "yellow",
    TaskState.NOT_YET: None,
}
EVENTS = {
    Event.SUBMITTED: _l("File submitted"),
    Event.CORRECTION_NEEDED: _l("Sent back to you for correction"),
    Event.CHECKS_PASSED: _l("Identity verified online"),
    Event.CODE_ORDERED: _l("Code ordered by mail"),
    Event.REVIEW_NEEDED: _l("Sent to an operator for review"),
    Event.CHECKS_REFUSED: _l("Refused after the checks"),
    Event.CONNECTOR_UNAVAILABLE: _l("A verification service did not answer; we try again"),
    Event.CODE_ACCEPTED: _l("Mailed code accepted"),
    Event.TRIES_EXHAUSTED: _l("Five wrong codes; sent to an operator"),
    Event.LETTER_RETURNED: _l("The letter cannot be delivered; sent to an operator"),
    Event.DOCUMENT_OFFERED: _l("Sent to an operator for review"),
    Event.APPROVED: _l("Approved by an operator"),
    Event.REJECTED: _l("Refused by an operator"),
    Event.SLIPS_COLLECTED: _l("Slips collected; the enterprise is active"),
    Event.REGISTER_CHANGED: _l("Sent to an operator for review"),
    Event.CONTESTED: _l("You contested the refusal"),
    Event.SUSPENDED: _l("Enterprise suspended"),
    Event.REINSTATED: _l("Enterprise reinstated"),
    Event.DEACTIVATED: _l("Registration closed"),
    Event.REOPENING_ASKED: _l("Reopening asked"),
    Event.WITHDRAWN: _l("Withdrawn by you"),
    Event.DEADLINE: _l("The deadline passed"),
    "code_refused": _l("Wrong code entered"),
    "document_received": _l("Document received"),
    "document_asked": _l("A document was asked"),
}
REFUSALS = {
    RefusalReason.STATUS_NOT_ACCEPTED: _l("The enterprise is not registered in the enterprise register."),
    RefusalReason.IDENTITY_NOT_PROVED: _l("The identity of the representative could not be proved."),
    RefusalReason.NOT_AUTHORIZED: _l("The person is not authorized to represent the enterprise."),
    RefusalReason.DOCUMENT_INSUFFICIENT: _l("The document received does not prove the mandate."),
    RefusalReason.NO_ANSWER: _l("Our questions received no answer."),
}
REASONS = {
    Reason.CONNECTOR_UNAVAILABLE: _l("A verification service does not answer"),
    Reason.STATUS_NOT_ACCEPTED: _l("Status in the register not accepted"),
    Reason.NOT_IN_LOCAL_REGISTER: _l("NEQ not in our copy of the register"),
    Reason.BANKRUPT: _l("Bankrupt according to the register"),
    Reason.ALREADY_ENROLLED: _l("The enterprise is enrolled already"),
    Reason.TRIES_EXHAUSTED: _l("Too many tries in 24 hours"),
    Reason.NUMBERS_DISAGREE: _l("No active tax account has both numbers"),
    Reason.NO_REVENU_QUEBEC_ID: _l("No Revenu Québec number declared"),
    Reason.BY_MANDATE: _l("Represented by mandate"),
    Reason.POSITION_NOT_ENOUGH: _l("The position is not enough by itself"),
    Reason.OFFICER_NOT_FOUND: _l("No officer on file matches"),
    Reason.TWO_OFFICERS_MATCH: _l("Two officers on file match"),
    Reason.NOTICE_WRONG: _l("The notice number does not match"),
    Reason.NOTICE_MATCHES: _l("The notice number matches"),
    Reason.ADDRESS_GOOD: _l("The mailing address is good"),
    Reason.ADDRESS_STALE: _l("Mail was returned from the address on file"),
    Reason.ADDRESS_OUTSIDE_QUEBEC: _l("The address on file is outside Québec"),
}
REGISTER_STATUSES = {
    RegistrationStatus.IM: _l("registered"),
    RegistrationStatus.AI: _l("notice of intention only"),
    RegistrationStatus.NI: _l("not registered"),
    RegistrationStatus.RD: _l("struck off on request"),
    RegistrationStatus.RO: _l("struck off ex officio"),
    RegistrationStatus.RX: _l("struck off ex officio (section 59)"),
}
DOCUMENTS = {
    DocumentKind.PROCURATION: _l("Power of attorney (partnership, individual, public body)"),
    DocumentKind.RESOLUTION: _l("Resolution of the board of directors"),
    DocumentKind.COMPANY_DOCUMENT: _l("Company document that names the officers"),
    DocumentKind.OTHER: _l("Another document"),
}
DOCUMENT_FAULTS = {
    DocumentFault.EMPTY: _l("Choose a file that is not empty"),
    DocumentFault.TOO_LARGE: _l("Choose a file of 5 MiB or less"),
    DocumentFault.TYPE: _l("Choose a PDF, PNG or JPEG file"),
}
