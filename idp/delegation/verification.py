"""How an enterprise and its authorized representative were verified: handed down by enrolment, kept, never changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ..identifiers import PersonId
from .roles import Role

VerificationMethod = Literal["online", "mailed_code", "document"]


@dataclass(frozen=True, slots=True)
class VerificationRecord:
    """What was proved at enrolment, when, by whom and with which evidence.

    ``verified_by`` is the id of an operator, or ``"system"``. ``evidence`` names kinds of evidence, never
    contents: ``register``, ``tax_agency``, ``tax_officer``, ``tax_notice``, ``mailed_code``, or the kind of a
    document. The Revenu Québec number is not part of it: it never leaves enrolment.
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


@dataclass(frozen=True, slots=True)
class HeldRole:
    """A role that a person holds in an enterprise, and since when."""

    role: Role
    since: datetime


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
        """Tell whether this is the representative who was verified together with the enterprise."""
        return self.person_id == self.record.authorized_representative
