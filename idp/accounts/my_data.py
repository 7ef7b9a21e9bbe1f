"""What a person may take away: a closed shape, whose JSON Schema is ``static/schemas/my-data.schema.json`` (A-2.1, s. 84).

No secret is in it, nor a number of the tax agency. Other rooms fill the parts of :mod:`.my_data_rooms`.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field

from .my_data_rooms import (
    Authorization,
    By,
    Consent,
    Desk,
    Enrolment,
    Membership,
    Nomination,
    Part,
    Projection,
    Reference,
    Removal,
    Signal,
    Software,
    SubscriptionRequest,
    Verification,
)

FORMAT: Literal["mandat-my-data-2"] = "mandat-my-data-2"


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
    """Recovery codes made together: how many still serve and how many served; never the codes."""

    made_at: AwareDatetime
    left: int
    used: int


class Credentials(Part):
    """What the person signs in with."""

    password_set_at: AwareDatetime | None
    factors: list[Factor]
    recovery_codes: list[RecoveryCodes]


class Recovery(Part):
    """A forgotten password that somebody began to replace."""

    state: str
    began_at: AwareDatetime
    code_sent_at: AwareDatetime | None
    expires_at: AwareDatetime


class Reproofing(Part):
    """A time when the person was to be proved anew, for want of a second factor."""

    user_code: str
    state: str
    began_at: AwareDatetime
    began_by: By
    serves_from: AwareDatetime | None
    expires_at: AwareDatetime
    ended_at: AwareDatetime | None


class SecurityChange(Part):
    """A change of a credential that the person was told of, on which kind of device."""

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
    consents: list[Consent]
    authorizations: list[Authorization]
    signals: list[Signal]
    enrolments: list[Enrolment]
    nominations: list[Nomination]
    desk: list[Desk]


PARTS = frozenset(MyData.model_fields) - Own.model_fields.keys() - Head.model_fields.keys()  # those of other rooms


def schema() -> str:
    """Return the JSON Schema (2020-12) of the file, as it is published."""
    told: dict[str, Any] = {"$schema": "https://json-schema.org/draft/2020-12/schema", **MyData.model_json_schema()}
    return json.dumps(told, ensure_ascii=False, indent=2) + "\n"


def actor_word(kind: str, actor_id: str | None, person_id: str) -> str:
    """Return who acted, without saying which other person."""
    return "you" if kind == "person" and actor_id == person_id else kind


def by_word(actor_id: str, person_id: str) -> str:
    """Return who acted, where only an id is kept."""
    if actor_id == person_id:
        return "you"
    return "system" if actor_id == "system" else "another"


def file_name(at: datetime) -> str:
    """Return how the file is called."""
    return f"mandat-{at:%Y-%m-%d}.json"
