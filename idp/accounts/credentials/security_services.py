"""The factors a person has, and how they add and remove them: the page "Security of my account".

A person who calls has seen to it that the sign-in is fresh: both factors were shown in the last minutes (decisions.md §28). Every
change ends the person's other sign-ins and renews the secret of this one, in its own transaction (ADR 0016).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select, update

from ... import audit
from ...crypto.sealing import current_sealing
from ...db import db, transaction
from ...errors import Decision, NotFoundError
from ...identifiers import UserCode
from ..challenges import challenge_services
from ..models import Passkey, Password, TotpDevice
from ..people.person_services import required_level
from ..sessions import session_services
from ..sessions.domain.sign_ins import SignIn
from ..sign_in.domain.steps import FlowKind, FlowStep
from . import factor_services, passkey_services, recovery_code_services
from .domain import factor_policy, totp
from .domain.factor_policy import RetentionReason


class FactorKind(StrEnum):
    """The kinds of factors that are listed one by one."""

    APPLICATION = "application"
    PASSKEY = "passkey"


@dataclass(frozen=True, slots=True)
class FactorView:
    """A factor as its owner sees it."""

    id: str
    kind: FactorKind
    nickname: str | None
    created_at: datetime
    last_used_at: datetime | None
    is_backed_up: bool = False


@dataclass(frozen=True, slots=True)
class Security:
    """All credentials of a person."""

    password_set_at: datetime | None
    applications: tuple[FactorView, ...]
    passkeys: tuple[FactorView, ...]
    recovery_codes_left: int
    required_level: int


def security_of(person_id: str) -> Security:
    """Return the credentials of a person."""
    return Security(
        password_set_at=db.session.scalar(select(Password.set_at).where(Password.person_id == person_id)),
        applications=_applications(person_id),
        passkeys=_passkeys(person_id),
        recovery_codes_left=recovery_code_services.left(person_id),
        required_level=required_level(person_id),
    )


def find(person_id: str, kind: FactorKind, factor_id: str) -> FactorView:
    """Return a factor of a person.

    Raises:
        NotFoundError: they have no such factor.
    """
    listed = _applications(person_id) if kind is FactorKind.APPLICATION else _passkeys(person_id)
    found = next((factor for factor in listed if factor.id == factor_id), None)
    if found is None:
        raise NotFoundError("factor")
    return found


def remove(sign_in: SignIn, factor: FactorView, *, now: datetime) -> Decision[RetentionReason]:
    """Remove a factor, unless it must stay; the person's other sign-ins end and the cookie of this one changes."""
    person_id = sign_in.person_id
    with transaction() as session:
        factor_services.hold(person_id)
        has, level = factor_services.held(person_id), required_level(person_id)
        is_application = factor.kind is FactorKind.APPLICATION
        may_remove = factor_policy.may_remove_application if is_application else factor_policy.may_remove_passkey
        decision = may_remove(has, level)
        if not decision:
            return decision
        table = TotpDevice if is_application else Passkey
        gone = session.execute(
            update(table)
            .where(table.id == factor.id, table.person_id == person_id, table.revoked_at.is_(None))
            .values(revoked_at=now)
            .returning(table.id)
            .execution_options(synchronize_session=False)
        ).first()
        if gone is None:
            raise NotFoundError("factor")
        audit.record(
            audit.Event.SECOND_FACTOR_REMOVED,
            actor=audit.Actor.person(person_id),
            person_id=person_id,
            details={"factor": "totp" if is_application else "passkey"},
            now=now,
        )
        factor_services.notify_credential_change(person_id, "totp" if is_application else "passkey", "delete", now=now)
        session_services.leave_only(sign_in, now=now)
    return decision


def rename(person_id: str, factor: FactorView, nickname: str, *, now: datetime) -> bool:
    """Give a factor another name; False when another factor of the person has it already, whatever the case."""
    with transaction() as session:
        factor_services.hold(person_id)
        others = [each for each in (*_applications(person_id), *_passkeys(person_id)) if each.id != factor.id]
        if any((each.nickname or "").casefold() == nickname.casefold() for each in others):
            return False
        table = TotpDevice if factor.kind is FactorKind.APPLICATION else Passkey
        named = session.execute(
            update(table)
            .where(table.id == factor.id, table.person_id == person_id, table.revoked_at.is_(None))
            .values(nickname=nickname)
            .returning(table.id)
            .execution_options(synchronize_session=False)
        ).first()
        if named is None:
            raise NotFoundError("factor")
        audit.record(
            audit.Event.SECOND_FACTOR_RENAMED,
            actor=audit.Actor.person(person_id),
            person_id=person_id,
            details={"factor": "totp" if factor.kind is FactorKind.APPLICATION else "passkey", "id": factor.id},
            now=now,
        )
    return True


def begin_application(sign_in: SignIn, *, now: datetime) -> str:
    """Begin to add an application; return the secret that its page goes on with."""
    with transaction():
        _, token = challenge_services.begin(
            FlowKind.NEW_APPLICATION,
            FlowStep.NEW_FACTOR,
            person_id=sign_in.person_id,
            user_code=sign_in.user_code,
            next_path="/account/security",
            now=now,
        )
    return token


def offered_application(sign_in: SignIn, token: str | None, *, now: datetime) -> totp.TotpOffer | None:
    """Return the secret offered to the application, the same as long as its challenge lasts; None when it is over."""
    pending = challenge_services.find(token, FlowKind.NEW_APPLICATION, now=now)
    if pending is None or pending.person_id != sign_in.person_id:
        return None
    sealing, place = current_sealing(), f"challenge:{pending.id}"
    kept = pending.totp_secret or challenge_services.keep_totp_secret(pending, sealing.seal(totp.draw_secret(), place))
    return totp.offer(sealing.unseal(kept, place), str(UserCode(pending.user_code)))


def add_application(sign_in: SignIn, token: str | None, code: str, *, nickname: str, now: datetime) -> bool:
    """Add the application once one of its codes is right; return whether it was. The person's other sign-ins end."""
    offer, digits = offered_application(sign_in, token, now=now), totp.read_code(code)
    step = totp.step_of(offer.secret, digits, now) if offer and digits else None
    if offer is None or step is None:
        return False
    with transaction():
        pending = challenge_services.find(token, FlowKind.NEW_APPLICATION, now=now)
        if pending is None or not challenge_services.advance(pending, now=now):
            return False
        name = factor_services.free_nickname(sign_in.person_id, nickname)
        factor_services.add_device(sign_in.person_id, offer.secret, step=step, nickname=name, now=now)
        audit.record(
            audit.Event.SECOND_FACTOR_ADDED,
            actor=audit.Actor.person(sign_in.person_id),
            person_id=sign_in.person_id,
            details={"factor": "totp"},
            now=now,
        )
        factor_services.notify_credential_change(sign_in.person_id, "totp", "create", now=now)
        session_services.leave_only(sign_in, now=now)
    return True


def add_passkey(
    sign_in: SignIn, token: str | None, answer: str, *, nickname: str, only_first: bool = False, now: datetime
) -> bool:
    """Add the passkey that *answer* proves was made for this person; return whether it does. Their other sign-ins end."""
    with transaction():
        added = passkey_services.add(
            sign_in.person_id, token, answer, nickname=nickname, only_first=only_first, now=now
        )
        if added:
            session_services.leave_only(sign_in, now=now)
    return added


def make_recovery_codes(sign_in: SignIn, *, now: datetime) -> tuple[str, ...]:
    """Make ten new codes and return them, the only time they exist; the person's other sign-ins end."""
    with transaction():
        codes = recovery_code_services.make(sign_in.person_id, now=now)
        session_services.leave_only(sign_in, now=now)
    return codes


def _applications(person_id: str) -> tuple[FactorView, ...]:
    wanted = select(TotpDevice).where(TotpDevice.person_id == person_id, TotpDevice.revoked_at.is_(None))
    return tuple(
        FactorView(row.id, FactorKind.APPLICATION, row.nickname, row.created_at, row.last_used_at)
        for row in db.session.scalars(wanted.order_by(TotpDevice.created_at, TotpDevice.id))
    )


def _passkeys(person_id: str) -> tuple[FactorView, ...]:
    wanted = select(Passkey).where(Passkey.person_id == person_id, Passkey.revoked_at.is_(None))
    return tuple(
        FactorView(row.id, FactorKind.PASSKEY, row.nickname, row.created_at, row.last_used_at, row.is_backed_up)
        for row in db.session.scalars(wanted.order_by(Passkey.created_at, Passkey.id))
    )
