"""How an enterprise and its authorized representative were verified: handed down by enrolment, kept, never changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ..identifiers import PersonId

VerificationMethod = Literal["online", "mailed_code", "document"]


@dataclass(frozen=True, slots=True)
class VerificationRecord:
    """What was proved at enrolment, when, by whom and with which evidence.

    ``verified_by`` is the id of an operator, or ``"system"``. ``evidence`` names kinds of evidence, never contents. The
    Revenu Québec number is not part of it: it never leaves enrolment.
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
