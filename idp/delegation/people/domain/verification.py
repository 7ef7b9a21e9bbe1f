"""How an enterprise and its authorized representative were verified: handed down by enrolment, kept, never changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ....identifiers import PersonId
from .roles import Role

VerificationMethod = Literal["online", "mailed_code", "document"]


@dataclass(frozen=True, slots=True)
class VerificationRecord:
    """What was proved at enrolment, when, by whom and with which evidence.

    ``verified_by`` is the id of an operator, or ``"system"``. ``evidence`` names kinds of evidence, never
    contents: ``register``, ``tax_agency``, ``tax_officer``, ``tax_notice``, ``mailed_code``, or the kind of a
    document. The Revenu Québec number is not part of it: it never leaves enrolment. The names are the representative's, as
    they were proved; without a family name, those of the account at that instant are kept.
    """

    neq: str
    name: str
    legal_form: str | None
    method: VerificationMethod
    verified_at: datetime
    verified_by: str
    evidence: tuple[str, ...]
    file_id: str
    authorized_representative: PersonId
    given_name: str = ""
    family_name: str = ""


@dataclass(frozen=True, slots=True)
class HeldRole:
    """A role that a person has in an enterprise, since when, and the name that was vouched for with it.

    ``vouched_at`` is when this name was vouched for, None when that was together with the role.
    """

    role: Role
    since: datetime
    given_name: str = ""
    family_name: str = ""
    vouched_at: datetime | None = None

    @property
    def vouched(self) -> datetime:
        """Return the instant of the vouch."""
        return self.vouched_at or self.since


@dataclass(frozen=True, slots=True)
class Assurance:
    """What stands behind a person who acts for an enterprise.

    ``reference`` names the verification in disputes and audits; it is of no use anywhere else.
    """

    reference: str
    record: VerificationRecord
    person_id: PersonId
    roles: tuple[HeldRole, ...]

    @property
    def is_representative(self) -> bool:
        """Return whether this is the representative who was verified together with the enterprise."""
        return self.person_id == self.record.authorized_representative

    @property
    def names(self) -> tuple[str, str]:
        """Return the given and family name that this evidence covers; two empty ones when the vouches do not agree.

        A name that the person corrected afterwards, or that they bear elsewhere, is not covered.
        """
        if self.is_representative:
            return self.record.given_name, self.record.family_name
        vouched = {(held.given_name, held.family_name) for held in self.roles}
        return vouched.pop() if len(vouched) == 1 else ("", "")
