"""Challenges of passkeys as rows: given to one browser for one purpose, spent by one statement whatever the answer is worth."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, update

from ...crypto.sealing import digest, random_token
from ...db import new_id, transaction
from ..credentials.domain.passkeys import CEREMONY_LIFE, CeremonyPurpose
from ..models import PasskeyCeremony


@dataclass(frozen=True, slots=True)
class Ceremony:
    """A challenge that was just spent."""

    challenge: str
    person_id: str | None


def begin(purpose: CeremonyPurpose, *, person_id: str | None, now: datetime) -> tuple[str, str]:
    """Draw a challenge of 256 bits; return it and the secret that its browser comes back with."""
    token, challenge = random_token(), random_token()
    with transaction() as session:
        session.execute(
            insert(PasskeyCeremony).values(
                id=new_id(),
                secret_digest=digest(token),
                purpose=purpose.value,
                person_id=person_id,
                challenge=challenge,
                created_at=now,
                expires_at=now + CEREMONY_LIFE,
            )
        )
    return token, challenge


def spend(token: str | None, purpose: CeremonyPurpose, *, now: datetime) -> Ceremony | None:
    """Use a challenge up, in one statement; None when it was used, is too old, or is for something else."""
    if not token:
        return None
    with transaction() as session:
        row = session.execute(
            update(PasskeyCeremony)
            .where(
                PasskeyCeremony.secret_digest == digest(token),
                PasskeyCeremony.purpose == purpose.value,
                PasskeyCeremony.used_at.is_(None),
                PasskeyCeremony.expires_at > now,
            )
            .values(used_at=now)
            .returning(PasskeyCeremony.challenge, PasskeyCeremony.person_id)
            .execution_options(synchronize_session=False)
        ).first()
    return Ceremony(row.challenge, row.person_id) if row else None


def forget(*, before: datetime) -> int:
    """Delete the challenges that were over before *before*; return how many."""
    with transaction() as session:
        statement = delete(PasskeyCeremony).where(PasskeyCeremony.expires_at < before).returning(PasskeyCeremony.id)
        return len(session.scalars(statement.execution_options(synchronize_session=False)).all())
