"""What a person may take away: a closed shape, whose JSON Schema is ``static/schemas/my-data.schema.json`` (A-2.1, s. 84).

No secret is in it, nor a number of the tax agency. Other rooms fill ``enterprises`` and ``consents``.
"""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

FORMAT: Literal["mandat-my-data-1"] = "mandat-my-data-1"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Identity(_Part):
    """Who the person is to Mandat."""

    given_name: str
    family_name: str
    email: str
    language: Literal["fr", "en"]
    last_sign_in_at: AwareDatetime | None


class FormerName(_Part):
    """A name that the person has corrected since."""

    given_name: str
    family_name: str
    corrected_at: AwareDatetime


class Code(_Part):
    """A user code and where it is."""

    user_code: str
    state: str
    activated_at: AwareDatetime | None


class Session(_Part):
    """An open sign-in."""

    device: str
    started_at: AwareDatetime
    seen_at: AwareDatetime


class Act(_Part):
    """An entry of the log about the person: what happened, and what kind of actor did it."""

    at: AwareDatetime
    event: str
    by: Annotated[str, Field(description="you, person, client, operator, file, system or anonymous")]


class Right(_Part):
    """Blocks held at an agency until the end of a day; none for a person in charge, who holds the subscription's."""

    agency: str
    blocks: list[str]
    until: date | None


class Membership(_Part):
    """A role in an enterprise."""

    neq: str
    name: str
    role: str
    status: str
    user_code: str
    appointed_at: AwareDatetime
    rights: list[Right]


class Consent(_Part):
    """What an agency may know, for one enterprise."""

    agency: str
    enterprise: str
    scopes: list[str]
    claims: list[str]
    given_at: AwareDatetime


class MyData(_Part):
    """Everything Mandat keeps about a person that is theirs to read."""

    format: Literal["mandat-my-data-1"]
    made_at: AwareDatetime
    person: Identity
    former_names: list[FormerName]
    user_codes: list[Code]
    sessions: list[Session]
    enterprises: list[Membership]
    consents: list[Consent]
    activity: list[Act]


def schema() -> str:
    """Return the JSON Schema (2020-12) of the file, as it is published."""
    told: dict[str, Any] = {"$schema": "https://json-schema.org/draft/2020-12/schema", **MyData.model_json_schema()}
    return json.dumps(told, ensure_ascii=False, indent=2) + "\n"


def actor_word(kind: str, actor_id: str | None, person_id: str) -> str:
    """Return who acted, without saying which other person."""
    return "you" if kind == "person" and actor_id == person_id else kind


def file_name(at: datetime) -> str:
    """Return how the file is called."""
    return f"mandat-{at:%Y-%m-%d}.json"
