"""Passwords and applications as rows. Every path that writes a credential is in this module (security-bar.md S-59)."""

from __future__ import annotations

from datetime import datetime
from itertools import chain, count
from typing import Literal

from sqlalchemy import BindParameter, ColumnElement, ScalarSelect, bindparam, delete, func, insert, select, update

from ... import audit
from ...crypto.sealing import current_sealing
from ...db import db, new_id, table_of, transaction
from ...notices import services as notices
from ..errors import BusyError
from ..models import Passkey, PasskeyCeremony, PasskeyOwner, Password, Person, RecoveryCode, TotpDevice
from . import security_notice_services
from .domain import totp
from .domain.factor_policy import FactorCounts
from .hashing import current_hasher

Credential = Literal["password", "totp", "passkey", "security_key", "recovery_codes"]
Change = Literal["create", "update", "revoke", "delete"]


_PEOPLE, _PASSWORDS, _APPLICATIONS, _PASSKEYS = map(table_of, (Person, Password, TotpDevice, Passkey))
_OF_PERSON: BindParameter[str] = bindparam("person_id")
_HOLD = select(_PEOPLE.c.id).where(_PEOPLE.c.id == _OF_PERSON).with_for_update(key_share=True)
_HASH = select(_PASSWORDS.c.hash).where(_PASSWORDS.c.person_id == _OF_PERSON)
_SECRETS = select(_APPLICATIONS.c.id, _APPLICATIONS.c.secret).where(
    _APPLICATIONS.c.person_id == _OF_PERSON, _APPLICATIONS.c.revoked_at.is_(None)
)
_SPEND = (
    update(_APPLICATIONS)
    .where(_APPLICATIONS.c.id == bindparam("of"), _APPLICATIONS.c.revoked_at.is_(None))
    .where(_APPLICATIONS.c.last_step < bindparam("step"))
    .values(last_step=bindparam("step"), last_used_at=bindparam("now"))
    .returning(_APPLICATIONS.c.id)
)


def held_by(person_id: ColumnElement[str]) -> tuple[ScalarSelect[int], ...]:
    """Return the counts that make a Held, for a statement that reads more of a person."""
    return tuple(
        select(func.count(table.c.id))
        .where(table.c.person_id == person_id, table.c.revoked_at.is_(None))
        .scalar_subquery()
        for table in (_APPLICATIONS, _PASSKEYS)
    )


_HELD = select(*held_by(_OF_PERSON))


def has_password(person_id: str) -> bool:
    """Return whether a person has a password of their own."""
    return db.session.scalar(select(Password.person_id).where(Password.person_id == person_id)) is not None


def password_hash_of(person_id: str) -> str | None:
    """Return the stored hash of a person's password."""
    return db.session.scalar(_HASH, {"person_id": person_id})


def add_first_credentials(person_id: str, *, password_hash: str, totp_secret: str, step: int, now: datetime) -> bool:
    """Give a person without any credential a password and a second factor at once; return whether they had none.

    *step* is the time step whose code confirmed the secret: it is spent.
    """
    with transaction() as session:
        if has_password(person_id):
            return False
        session.execute(insert(Password).values(person_id=person_id, hash=password_hash, set_at=now))
        add_device(person_id, totp_secret, step=step, now=now)
        actor = audit.Actor.person(person_id)
        audit.record(audit.Event.PASSWORD_SET, actor=actor, person_id=person_id, now=now)
        audit.record(
            audit.Event.SECOND_FACTOR_ADDED, actor=actor, person_id=person_id, details={"factor": "totp"}, now=now
        )
        notify_credential_change(
            person_id, "password", "create", now=now, mail=False
        )  # the e-mail of the activation says it
        notify_credential_change(person_id, "totp", "create", now=now, mail=False)
    return True


def notify_credential_change(
    person_id: str, credential: Credential, change: Change, *, now: datetime, mail: bool = True
) -> None:
    """Write, in the caller's transaction, that a credential has changed; who hears of it is not for this room to know.

    The person hears of it by e-mail, unless another one says the same (*mail* is false).
    """
    told = {"person_id": person_id, "credential": credential, "change": change, "at": int(now.timestamp())}
    notices.enqueue("credential_changed", {"change_id": new_id(), **told}, now=now)
    if mail:
        security_notice_services.note(person_id, f"{credential}:{change}", now=now)


def reset_password(person_id: str, *, hashed: str, now: datetime) -> None:
    """Put a new hash in the place of a forgotten one, in the caller's transaction; who may is checked before."""
    db.session.execute(
        update(Password)
        .where(Password.person_id == person_id)
        .values(hash=hashed, set_at=now)
        .execution_options(synchronize_session=False)
    )
    audit.record(audit.Event.PASSWORD_RESET, actor=audit.Actor.person(person_id), person_id=person_id, now=now)
    notify_credential_change(person_id, "password", "update", now=now)


def replace_all(person_id: str, *, hashed: str, totp_secret: str, step: int, now: datetime) -> None:
    """Put a new password and one new application in the place of everything a person had, in the caller's transaction."""
    revoke_second_factors(person_id, now=now)
    add_device(person_id, totp_secret, step=step, now=now)
    audit.record(
        audit.Event.SECOND_FACTOR_ADDED,
        actor=audit.Actor.person(person_id),
        person_id=person_id,
        details={"factor": "totp"},
        now=now,
    )
    notify_credential_change(person_id, "totp", "update", now=now)
    reset_password(person_id, hashed=hashed, now=now)


def revoke_second_factors(person_id: str, *, now: datetime) -> None:
    """Make every second factor of a person useless, in the caller's transaction; a new kind of factor adds its table."""
    for table in (TotpDevice, Passkey, RecoveryCode):
        db.session.execute(
            update(table)
            .where(table.person_id == person_id, table.revoked_at.is_(None))
            .values(revoked_at=now)
            .execution_options(synchronize_session=False)
        )


def destroy_all(person_id: str) -> None:
    """Delete every credential of a person who closes their account, in the caller's transaction; nothing is kept of them."""
    for table in (PasskeyCeremony, Password, TotpDevice, Passkey, PasskeyOwner, RecoveryCode):
        db.session.execute(
            delete(table).where(table.person_id == person_id).execution_options(synchronize_session=False)
        )


def hold(person_id: str) -> None:
    """Let no other person change this person's credentials, or sign them in, until the caller's transaction ends.

    The one order of locks: the person, the counter of guesses, credentials, what was begun for the person, their user codes.
    Who takes several takes them so, and who only adds a row about the person waits for nobody. A person who leaves an enterprise
    takes their code there before all this: nobody who holds a person may wait for a code that is activated.
    """
    db.session.execute(_HOLD, {"person_id": person_id})


def add_device(person_id: str, secret: str, *, step: int, now: datetime, nickname: str | None = None) -> None:
    """Add an application, in the caller's transaction and under its audit entry."""
    device_id = new_id()
    db.session.execute(
        insert(TotpDevice).values(
            id=device_id,
            person_id=person_id,
            secret=current_sealing().seal(secret, f"totp:{device_id}"),
            last_step=step,
            nickname=nickname,
            created_at=now,
        )
    )


def free_nickname(person_id: str, wanted: str) -> str:
    """Return *wanted*, with a number when another factor of the person has it.

    Two of one name cannot be distinguished once one is lost. The caller's transaction holds the person from here on: two added
    at once differ too.
    """
    hold(person_id)
    taken = {
        (nickname or "").casefold()
        for table in (_APPLICATIONS, _PASSKEYS)
        for nickname in db.session.scalars(
            select(table.c.nickname).where(table.c.person_id == person_id, table.c.revoked_at.is_(None))
        )
    }
    numbered = (f"{wanted[:54]} ({number})" for number in count(2))
    return next(each for each in chain((wanted,), numbered) if each.casefold() not in taken)


def held(person_id: str) -> FactorCounts:
    """Return how many factors of each kind a person has."""
    row = db.session.execute(_HELD, {"person_id": person_id}).one()
    return FactorCounts(row[0], row[1])


def replace_for_demonstration(person_id: str, *, password: str, totp_secret: str, now: datetime) -> None:
    """Set both credentials of a person of the demonstration, whatever they had."""
    hashed = current_hasher().hash(password)
    with transaction() as session:
        if has_password(person_id):
            session.execute(update(Password).where(Password.person_id == person_id).values(hash=hashed, set_at=now))
            notify_credential_change(person_id, "password", "update", now=now, mail=False)
            notify_credential_change(person_id, "totp", "update", now=now, mail=False)
        else:
            session.execute(insert(Password).values(person_id=person_id, hash=hashed, set_at=now))
        revoke_second_factors(person_id, now=now)
        add_device(person_id, totp_secret, step=0, now=now)


def replace_password(person_id: str, *, former: str, hashed: str, now: datetime) -> bool:
    """Put a new hash in the place of *former* in the caller's transaction; False when it is no longer that one."""
    changed = db.session.execute(
        update(Password)
        .where(Password.person_id == person_id, Password.hash == former)
        .values(hash=hashed, set_at=now)
        .returning(Password.person_id)
        .execution_options(synchronize_session=False)
    ).first()
    if changed is None:
        return False
    actor = audit.Actor.person(person_id)
    audit.record(audit.Event.PASSWORD_CHANGED, actor=actor, person_id=person_id, now=now)
    notify_credential_change(person_id, "password", "update", now=now)
    return True


def refresh_hash(person_id: str, *, former: str, password: str) -> None:
    """Hash the password just verified again when the parameters have changed since *former*, now or at a quieter sign-in."""
    hasher = current_hasher()
    if not hasher.is_outdated(former):
        return
    try:
        renewed = hasher.hash(password)
    except BusyError:
        return  # the password was right: an upkeep never refuses a sign-in
    with transaction() as session:
        session.execute(
            update(Password)
            .where(Password.person_id == person_id, Password.hash == former)
            .values(hash=renewed)
            .execution_options(synchronize_session=False)
        )


def spend_code(person_id: str, code: str, *, now: datetime) -> bool:
    """Accept a code of one of the person's applications, once: an older or equal time step is refused for ever."""
    with transaction() as session:
        for device in session.execute(_SECRETS, {"person_id": person_id}).all():
            secret = current_sealing().unseal(device.secret, f"totp:{device.id}")
            step = totp.step_of(secret, code, now)
            if step is not None and _spend_step(device.id, step, now):
                return True
    return False


def _spend_step(device_id: str, step: int, now: datetime) -> bool:
    return db.session.execute(_SPEND, {"of": device_id, "step": step, "now": now}).first() is not None
