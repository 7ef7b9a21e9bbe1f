"""What a person may take away: a closed shape, whose JSON Schema is ``static/schemas/my-data.schema.json`` (A-2.1, s. 84).

It contains no secret and no number of the tax agency. The contexts return its parts (``own_data_services.PARTS``).
"""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

FORMAT: Literal["mandat-my-data-2"] = "mandat-my-data-2"
By = Annotated[str, Field(description="you, another or system: who acted, never which other person")]
Reference = Annotated[str, Field(description="an enterprise's id; enterprises tells its number and its name")]


class Part(BaseModel):
    """A part of the file: closed, so that nothing slips in unnoticed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Identity(Part):
    """Who the person is to Mandat, and whether they are reached and let in."""

    given_name: str
    family_name: str
    email: str
    email_confirmed_at: AwareDatetime | None
    email_refused_at: Annotated[
        AwareDatetime | None, Field(description="when the address's server refused it for good")
    ]
    language: Literal["fr", "en"]
    access: Annotated[str, Field(description="open, frozen or closed")]
    required_level: Annotated[int, Field(description="the least assurance level of a sign-in")]
    created_at: AwareDatetime
    last_sign_in_at: AwareDatetime | None
    previous_sign_in_at: AwareDatetime | None
    wrong_tries: Annotated[int, Field(description="in a row, since the last sign-in")]
    blocked_until: AwareDatetime | None


class FormerName(Part):
    """A name that the person has corrected since."""

    given_name: str
    family_name: str
    corrected_at: AwareDatetime


class AddressChange(Part):
    """A change of e-mail address that was asked for; confirmed and undone, or not."""

    former: str
    wanted: str
    asked_at: AwareDatetime
    confirmed_at: AwareDatetime | None
    undone_at: AwareDatetime | None


class Code(Part):
    """A user code and where it is."""

    user_code: str
    state: str
    issued_at: AwareDatetime
    revealed_at: AwareDatetime | None
    first_used_at: AwareDatetime | None
    activated_at: AwareDatetime | None
    revoked_at: AwareDatetime | None


class Factor(Part):
    """A verification application or a passkey, one that was removed too; never its secret or its key."""

    kind: Literal["application", "passkey"]
    name: str | None
    model: Annotated[str | None, Field(description="AAGUID: the kind of authenticator, as it told it")]
    is_backed_up: bool | None
    added_at: AwareDatetime
    last_used_at: AwareDatetime | None
    removed_at: AwareDatetime | None


class RecoveryCodes(Part):
    """Recovery codes made together: how many are still valid and how many were used; never the codes."""

    made_at: AwareDatetime
    left: int
    used: int


class Credentials(Part):
    """What the person signs in with."""

    password_set_at: AwareDatetime | None
    factors: list[Factor]
    recovery_codes: list[RecoveryCodes]


class Recovery(Part):
    """A forgotten password that a person began to replace."""

    state: str
    began_at: AwareDatetime
    code_sent_at: AwareDatetime | None
    expires_at: AwareDatetime


class Reproofing(Part):
    """A time when the person was to be proved again, for lack of a second factor."""

    user_code: str
    state: str
    began_at: AwareDatetime
    began_by: By
    serves_from: AwareDatetime | None
    expires_at: AwareDatetime
    ended_at: AwareDatetime | None


class SecurityChange(Part):
    """A change of a credential that the person was notified of, on which kind of device."""

    what: str
    device: str
    at: AwareDatetime
    is_told: Annotated[bool, Field(description="whether it was put into a message")]


class Notice(Part):
    """A message to or about the person that has not left: once it has, Mandat no longer knows whose it was."""

    kind: str
    written_at: AwareDatetime
    state: Annotated[str, Field(description="waiting, or dead when it was given up")]


class Browser(Part):
    """A browser in which the person has signed in."""

    device: str
    first_seen_at: AwareDatetime
    seen_at: AwareDatetime
    forgotten_at: Annotated[AwareDatetime, Field(description="when it is forgotten, or was")]


class Session(Part):
    """A sign-in, one that ended too."""

    device: str
    user_code: str
    enterprise: Reference | None
    level: str
    factors: list[str]
    started_at: AwareDatetime
    seen_at: AwareDatetime
    expires_at: AwareDatetime
    ended_at: AwareDatetime | None


class Begun(Part):
    """Something begun and perhaps not finished: a sign-in, an activation, a change of address."""

    kind: str
    step: str
    began_at: AwareDatetime
    expires_at: AwareDatetime
    ended_at: AwareDatetime | None


class KeptForm(Part):
    """That a form waits for the person to confirm who they are; never what was typed."""

    kept_at: AwareDatetime
    until: AwareDatetime
    given_back_at: AwareDatetime | None


class Act(Part):
    """An entry of the log about the person: what happened, and what kind of actor did it."""

    at: AwareDatetime
    event: str
    by: Annotated[str, Field(description="you, person, client, operator, file, system or anonymous")]
    agency: str | None
    enterprise: Reference | None


class Right(Part):
    """Blocks held at an agency until the end of a day; none for a person in charge, who holds the subscription's."""

    agency: str
    blocks: list[str]
    until: date | None


class Grant(Part):
    """The right to one block that was given once, those that ended too."""

    agency: str
    block: str
    serves_from: AwareDatetime
    serves_until: AwareDatetime
    given_at: AwareDatetime
    given_by: By
    ended_at: AwareDatetime | None


class Removal(Part):
    """Rights lost at an agency, and when the agency confirmed that it knows."""

    enterprise: Reference
    at: AwareDatetime
    agency: str
    blocks: list[str]
    reason: str
    confirmed_at: AwareDatetime | None


class Projection(Part):
    """What an agency last received about the person's blocks."""

    enterprise: Reference
    agency: str
    blocks: list[str]
    version: int
    changes_at: AwareDatetime | None


class KnownAs(Part):
    """How an enterprise knows the person; the address is empty once they left."""

    given_name: str
    family_name: str
    email: str
    phone: str
    position: str


class VouchedName(Part):
    """A name that an enterprise vouched for."""

    given_name: str
    family_name: str
    at: AwareDatetime | None


class Membership(Part):
    """A role in an enterprise, one that ended too; ``changed_at`` is then when it ended."""

    enterprise: Reference
    neq: str
    name: str
    role: str
    status: str
    user_code: str
    appointed_at: AwareDatetime
    changed_at: AwareDatetime
    known_as: Annotated[KnownAs, Field(description="the name and the address that the enterprise knows")]
    vouched_for: Annotated[VouchedName, Field(description="the name that the enterprise vouched for, and when")]
    rights: list[Right]
    grants: list[Grant]


class Verification(Part):
    """How the person was verified as an enterprise's authorized representative."""

    neq: str
    method: str
    verified_at: AwareDatetime
    given_name: str
    family_name: str
    evidence: list[str]


class SubscriptionRequest(Part):
    """A subscription that the person asked for, or changed, for an enterprise."""

    neq: str
    agency: str
    event: str
    at: AwareDatetime


class AccessAsked(Part):
    """A request for access that the person made, and the answer."""

    neq: str
    agency: str
    blocks: list[str]
    until: date
    reason: str
    state: str
    asked_at: AwareDatetime
    ended_at: AwareDatetime | None
    granted: list[str]
    answer: str


class Software(Part):
    """Software that the person approved, or stopped, for an enterprise."""

    neq: str
    agency: str
    name: str
    blocks: list[str]
    approved_at: AwareDatetime
    approved_by: By
    revoked_at: AwareDatetime | None
    revoked_by: By | None


class Consent(Part):
    """What an agency may know, for one enterprise; or might, until it was withdrawn."""

    agency: str
    enterprise: str
    scopes: list[str]
    claims: list[str]
    blocks: list[str]  # codes, or * for all of the agency that the person may use
    text_version: str
    given_at: AwareDatetime
    withdrawn_at: AwareDatetime | None


class Authorization(Part):
    """What an agency's client was allowed at one sign-in; no token."""

    agency: str
    client: str
    enterprise: Reference
    scopes: list[str]
    level: str
    factors: list[str]
    signed_in_at: AwareDatetime
    given_at: AwareDatetime
    offline_until: AwareDatetime | None
    last_refreshed_at: AwareDatetime | None
    revoked_at: AwareDatetime | None
    session_ended_at: AwareDatetime | None


class Signal(Part):
    """A message to an agency about the person: a sign-out, or a security event by name."""

    agency: str
    event: str
    queued_at: AwareDatetime
    delivered_at: AwareDatetime | None


class Document(Part):
    """A document sent with an enrolment file."""

    kind: str
    file_name: str
    media_type: str
    size: int
    received_at: AwareDatetime
    wiped_at: AwareDatetime | None


class Letter(Part):
    """A code sent by post; never the code."""

    ordered_at: AwareDatetime
    printed_at: AwareDatetime | None
    expires_at: AwareDatetime
    used_at: AwareDatetime | None


class EmailedCode(Part):
    """A code sent by e-mail; never the code."""

    purpose: str
    sent_to: str
    sent_at: AwareDatetime
    used_at: AwareDatetime | None


class FileBrowser(Part):
    """A browser that could open a file."""

    device: str
    started_at: AwareDatetime
    seen_at: AwareDatetime
    expires_at: AwareDatetime
    ended_at: AwareDatetime | None


class Step(Part):
    """Something that happened to a file, and where it stood then."""

    at: AwareDatetime
    event: str
    state: str


class Attempt(Part):
    """An attempt on the numbers or on the notice that failed."""

    at: AwareDatetime
    kind: str


class Enrolment(Part):
    """A file that the person filled in as representative; that the numbers are kept, never the numbers."""

    number: str
    state: str
    language: str
    created_at: AwareDatetime
    submitted_at: AwareDatetime | None
    decided_at: AwareDatetime | None
    neq: str | None
    enterprise_name: str | None
    has_revenu_quebec_number: bool
    given_name: str | None
    family_name: str | None
    birth_date: date | None
    position: str | None
    basis: str | None
    has_notice_number: bool
    notice_year: int | None
    email: str | None
    email_confirmed_at: AwareDatetime | None
    phone: str | None
    user_code: str | None
    terms_version: str | None
    terms_accepted_at: AwareDatetime | None
    outcome: str | None
    reasons: list[str]
    refusal_reason: str | None
    contested_because: str | None
    verification_method: str | None
    verified_at: AwareDatetime | None
    documents: list[Document]
    letters: list[Letter]
    emailed_codes: list[EmailedCode]
    attempts: list[Attempt]
    browsers: list[FileBrowser]
    steps: list[Step]


class Nomination(Part):
    """What a representative wrote of the person, to put them in charge of electronic services."""

    neq: str | None
    enterprise_name: str | None
    named_at: AwareDatetime
    given_name: str | None
    family_name: str | None
    email: str | None
    phone: str | None
    user_code: str | None
    slip_collected_at: AwareDatetime | None


class Desk(Part):
    """A role at the desk."""

    role: str
    agency: str | None
    added_at: AwareDatetime


class Own(Part):
    """What accounts keep about a person."""

    person: Identity
    former_names: list[FormerName]
    address_changes: list[AddressChange]
    user_codes: list[Code]
    credentials: Credentials
    recoveries: list[Recovery]
    reproofings: list[Reproofing]
    security_changes: list[SecurityChange]
    notices: list[Notice]
    browsers: list[Browser]
    sessions: list[Session]
    begun: list[Begun]
    kept_forms: list[KeptForm]
    activity: list[Act]


class Head(Part):
    """Which form the file has, and when it was made."""

    format: Literal["mandat-my-data-2"]
    made_at: AwareDatetime


class MyData(Own, Head):
    """What Mandat keeps about a person that is theirs to read."""

    enterprises: list[Membership]
    removals: list[Removal]
    projections: list[Projection]
    verifications: list[Verification]
    subscriptions: list[SubscriptionRequest]
    software: list[Software]
    access_requests: list[AccessAsked]
    consents: list[Consent]
    authorizations: list[Authorization]
    signals: list[Signal]
    enrolments: list[Enrolment]
    nominations: list[Nomination]
    desk: list[Desk]


PARTS = frozenset(MyData.model_fields) - Head.model_fields.keys()  # every part has a context that returns it


def schema() -> str:
    """Return the JSON Schema (2020-12) of the file, as it is published."""
    told: dict[str, Any] = {"$schema": "https://json-schema.org/draft/2020-12/schema", **MyData.model_json_schema()}
    return json.dumps(told, ensure_ascii=False, indent=2) + "\n"


def file_name(at: datetime) -> str:
    """Return how the file is called."""
    return f"mandat-{at:%Y-%m-%d}.json"
