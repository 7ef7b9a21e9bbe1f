"""Proving a person again, by two operators: one proposes, another makes the slip; neither learns a lasting secret."""

from __future__ import annotations

from datetime import datetime

from ..accounts import services as accounts
from ..accounts.credentials.domain.passwords import TemporaryPassword
from ..accounts.recovery import reproofing_services
from ..accounts.recovery.reproofing_services import ReproofingView
from ..db import transaction
from ..errors import ConflictError, NotAllowedError, NotFoundError
from ..identifiers import UserCode
from . import services
from .roles import OperatorView


def propose(user_code: UserCode, *, operator: OperatorView, now: datetime) -> None:
    """Propose to prove the owner of *user_code* again.

    Raises:
        ConflictError: the code is not activated, belongs to the desk, or too many proposals were made within the hour.
    """
    with transaction():
        known = accounts.user_codes([user_code.signs]).get(user_code.signs)
        if known is None or services.operator_of(known.person_id) is not None:
            raise ConflictError("not for the desk to prove anew")
        reproofing_services.propose(user_code, by=operator.actor, now=now)


def agree(reproofing_id: str, *, operator: OperatorView, now: datetime) -> tuple[ReproofingView, TemporaryPassword]:
    """Approve a proposal and return it with its slip, to be shown once.

    Raises:
        NotFoundError: no proposal with this id waits.
        NotAllowedError: it is the operator's own proposal.
        ConflictError: another operator was faster.
    """
    with transaction():
        found = next((each for each in reproofing_services.proposed(now) if each.id == reproofing_id), None)
        if found is None:
            raise NotFoundError("no such proposal")
        if operator.person_id in (found.started_by, found.person_id):
            raise NotAllowedError("one's own proposal")
        return found, reproofing_services.show_slip(found.id, by=operator.actor, now=now)
