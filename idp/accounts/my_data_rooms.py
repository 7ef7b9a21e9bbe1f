"""The parts of one's own data that other rooms fill: enterprises, agencies, enrolment files, the desk."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

By = Annotated[str, Field(description="you, another or system: who acted, never which other person")]
Reference = Annotated[str, Field(description="an enterprise's id; enterprises tells its number and its name")]


class Part(BaseModel):
    """A part of the file: closed, so that nothing slips in unnoticed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


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
    """What an agency was last told of the person's blocks."""

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
    """A try on the numbers or on the notice that failed."""

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
