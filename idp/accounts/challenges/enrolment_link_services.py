"""First credentials without a slip: the link of an operator or of the authorized representative, and demonstrations."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update

from ... import audit
from ...db import transaction
from ...errors import ConflictError
from ...identifiers import UserCode
from ..credentials import factor_services
from ..models import UserCodeRow
from ..sign_in.domain.steps import FlowKind, FlowStep
from ..user_codes.activation_services import mark_activated
from ..user_codes.domain.states import CodeEvent, CodeState, sources
from . import challenge_services


def open_first_credential(person_id: str, user_code: UserCode, *, now: datetime, next_path: str = "/home") -> str:
    """Return a single-use secret with which its bearer chooses the first credentials, without slip or e-mail code.

    Raises:
        ConflictError: the code is not this person's, or is activated or revoked.
    """
    with transaction() as session:
        owner = session.execute(
            select(UserCodeRow.person_id, UserCodeRow.state).where(UserCodeRow.code == user_code.signs)
        ).first()
        possible = [state.value for state in sources(CodeEvent.ACTIVATE)]
        if owner is None or owner.person_id != person_id or owner.state not in possible:
            raise ConflictError("no first credential for this code")
        _, token = challenge_services.begin(
            FlowKind.OPENING,
            FlowStep.CLICK,
            person_id=person_id,
            user_code=user_code.signs,
            next_path=next_path,
            now=now,
        )
    return token


def is_open(token: str | None, *, now: datetime) -> bool:
    """Return whether *token* still opens a first credential; nothing is spent."""
    return challenge_services.find(token, FlowKind.OPENING, now=now) is not None


def enter_opening(token: str | None, *, next_path: str | None = None, now: datetime) -> tuple[str | None, bool]:
    """Spend *token*; return the secret of the activation it begins, or None, and whether the code was only linked."""
    with transaction():
        opening = challenge_services.find(token, FlowKind.OPENING, now=now)
        if opening is None or not challenge_services.advance(opening, now=now):
            return None, False
        if factor_services.has_password(opening.person_id):
            mark_activated(opening, now)
            return None, True
        _, following = challenge_services.begin(
            FlowKind.ACTIVATION,
            FlowStep.NEW_PASSWORD,
            person_id=opening.person_id,
            user_code=opening.user_code,
            next_path=next_path or opening.next_path,
            now=now,
        )
    return following, False


def seed_credentials(person_id: str, *, user_code: UserCode, password: str, totp_secret: str, now: datetime) -> None:
    """Activate *user_code* with known credentials, for the demonstration; the caller has checked that it is one."""
    factor_services.replace_for_demonstration(person_id, password=password, totp_secret=totp_secret, now=now)
    with transaction() as session:
        session.execute(
            update(UserCodeRow)
            .where(UserCodeRow.code == user_code.signs, UserCodeRow.person_id == person_id)
            .values(state=CodeState.ACTIVATED.value, activated_at=now, secret_digest=None)
            .execution_options(synchronize_session=False)
        )
        audit.record(
            audit.Event.USER_CODE_ACTIVATED,
            actor=audit.SYSTEM,
            person_id=person_id,
            details={"user_code": user_code.signs, "seeded": True},
            now=now,
        )
