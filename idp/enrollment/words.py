"""The display text of enrolment's values, in the language of the page; also used by the operators' pages."""

from __future__ import annotations

from ..connectors.enterprise_register import RegistrationStatus
from ..i18n import lazy_gettext as _l
from .domain.documents import DocumentFault, DocumentKind
from .domain.files import Task, TaskState
from .domain.positions import Basis, Position
from .domain.rules import AssessmentReason, FileRefusalReason
from .domain.states import State, StateEvent

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
    StateEvent.SUBMITTED: _l("File submitted"),
    StateEvent.CORRECTION_NEEDED: _l("Sent back to you for correction"),
    StateEvent.CHECKS_PASSED: _l("Identity verified online"),
    StateEvent.CODE_ORDERED: _l("Code ordered by mail"),
    StateEvent.REVIEW_NEEDED: _l("Sent to an operator for review"),
    StateEvent.CHECKS_REFUSED: _l("Refused after the checks"),
    StateEvent.CONNECTOR_UNAVAILABLE: _l("A verification service did not answer; we try again"),
    StateEvent.CODE_ACCEPTED: _l("Mailed code accepted"),
    StateEvent.TRIES_EXHAUSTED: _l("Five wrong codes; sent to an operator"),
    StateEvent.LETTER_RETURNED: _l("The letter cannot be delivered; sent to an operator"),
    StateEvent.DOCUMENT_OFFERED: _l("Sent to an operator for review"),
    StateEvent.APPROVED: _l("Approved by an operator"),
    StateEvent.REJECTED: _l("Refused by an operator"),
    StateEvent.SLIPS_COLLECTED: _l("Slips collected; the enterprise is active"),
    StateEvent.REGISTER_CHANGED: _l("Sent to an operator for review"),
    StateEvent.CONTESTED: _l("You contested the refusal"),
    StateEvent.SUSPENDED: _l("Enterprise suspended"),
    StateEvent.REINSTATED: _l("Enterprise reinstated"),
    StateEvent.DEACTIVATED: _l("Registration closed"),
    StateEvent.REOPENING_ASKED: _l("Reopening asked"),
    StateEvent.WITHDRAWN: _l("Withdrawn by you"),
    StateEvent.DEADLINE: _l("The deadline passed"),
    "code_refused": _l("Wrong code entered"),
    "document_received": _l("Document received"),
    "document_asked": _l("A document was asked"),
}
REFUSALS = {
    FileRefusalReason.STATUS_NOT_ACCEPTED: _l("The enterprise is not registered in the enterprise register."),
    FileRefusalReason.IDENTITY_NOT_PROVED: _l("The identity of the representative could not be proved."),
    FileRefusalReason.NOT_AUTHORIZED: _l("The person is not authorized to represent the enterprise."),
    FileRefusalReason.DOCUMENT_INSUFFICIENT: _l("The document received does not prove the mandate."),
    FileRefusalReason.NO_ANSWER: _l("Our questions received no answer."),
}
REASONS = {
    AssessmentReason.CONNECTOR_UNAVAILABLE: _l("A verification service does not answer"),
    AssessmentReason.STATUS_NOT_ACCEPTED: _l("Status in the register not accepted"),
    AssessmentReason.NOT_IN_LOCAL_REGISTER: _l("NEQ not in our copy of the register"),
    AssessmentReason.BANKRUPT: _l("Bankrupt according to the register"),
    AssessmentReason.ALREADY_ENROLLED: _l("The enterprise is enrolled already"),
    AssessmentReason.TRIES_EXHAUSTED: _l("Too many tries in 24 hours"),
    AssessmentReason.NUMBERS_DISAGREE: _l("No active tax account has both numbers"),
    AssessmentReason.NO_REVENU_QUEBEC_ID: _l("No Revenu Québec number declared"),
    AssessmentReason.BY_MANDATE: _l("Represented by mandate"),
    AssessmentReason.POSITION_NOT_ENOUGH: _l("The position is not enough by itself"),
    AssessmentReason.OFFICER_NOT_FOUND: _l("No officer on file matches"),
    AssessmentReason.TWO_OFFICERS_MATCH: _l("Two officers on file match"),
    AssessmentReason.NOTICE_WRONG: _l("The notice number does not match"),
    AssessmentReason.NOTICE_MATCHES: _l("The notice number matches"),
    AssessmentReason.ADDRESS_GOOD: _l("The mailing address is good"),
    AssessmentReason.ADDRESS_STALE: _l("Mail was returned from the address on file"),
    AssessmentReason.ADDRESS_OUTSIDE_QUEBEC: _l("The address on file is outside Québec"),
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
    DocumentFault.TOO_LARGE: _l("Choose a file of 5 MB or less"),
    DocumentFault.TYPE: _l("Choose a PDF, PNG or JPEG file"),
}
