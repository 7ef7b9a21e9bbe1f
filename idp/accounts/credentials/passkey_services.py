"""Passkeys as rows: made, shown, listed. They are removed where every factor is (``services_security``)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy.exc
import structlog
from sqlalchemy import insert, select, update

from ... import audit
from ...crypto.sealing import random_token
from ...db import db, new_id, transaction
from ...http.web import current_settings
from ...identifiers import UserCode
from ..challenges import ceremony_services
from ..models import Passkey, PasskeyOwner
from ..people.person_services import person
from . import factor_services
from .domain.passkeys import (
    CeremonyPurpose,
    Made,
    PasskeyRefusedError,
    Site,
    StoredPasskey,
    Used,
    creation_options,
    named_in,
    read_new,
    read_use,
    request_options,
    site_of,
)

log = structlog.get_logger("mandat.accounts")


@dataclass(frozen=True, slots=True)
class PasskeyChallenge:
    """What a page gives the browser's script, and the secret with which its answer comes back."""

    token: str
    options: str


def site() -> Site | None:
    """Return the site passkeys are made for, None where there can be none."""
    return site_of(current_settings().issuer)


def ask_new(person_id: str, user_code: str, *, now: datetime) -> PasskeyChallenge | None:
    """Begin to make a passkey for a person; None where there can be none."""
    here = site()
    if here is None:
        return None
    token, challenge = ceremony_services.begin(CeremonyPurpose.REGISTER, person_id=person_id, now=now)
    options = creation_options(
        here,
        challenge=challenge,
        handle=_handle_of(person_id),
        account=UserCode(user_code).masked,
        name=person(person_id).name,
        known=_known_of(person_id),
    )
    return PasskeyChallenge(token, options)


def add(
    person_id: str, token: str | None, answer: str, *, nickname: str, only_first: bool = False, now: datetime
) -> bool:
    """Keep the passkey that *answer* proves was made for this person; return whether it does.

    With *only_first* it is kept by a person who has none, and by no other person: of two at once, one is.
    """
    here, ceremony = site(), ceremony_services.spend(token, CeremonyPurpose.REGISTER, now=now)
    if here is None or ceremony is None or ceremony.person_id != person_id:
        return False
    try:
        made = read_new(answer, site=here, challenge=ceremony.challenge)
    except PasskeyRefusedError as error:
        log.info("passkey refused", purpose="register", detail=error.detail)
        return False
    return _keep(person_id, made, nickname, only_first, now)


def _keep(person_id: str, made: Made, nickname: str, only_first: bool, now: datetime) -> bool:
    with transaction() as session:
        factor_services.hold(person_id)
        if only_first and factor_services.held(person_id).passkeys > 0:
            return False
        name = factor_services.free_nickname(person_id, nickname)
        try:
            with session.begin_nested():
                session.execute(
                    insert(Passkey).values(
                        id=new_id(),
                        person_id=person_id,
                        credential_id=made.credential_id,
                        public_key=made.public_key,
                        sign_count=made.sign_count,
                        aaguid=made.aaguid,
                        transports=list(made.transports),
                        may_be_backed_up=made.may_be_backed_up,
                        is_backed_up=made.is_backed_up,
                        nickname=name,
                        created_at=now,
                    )
                )
        except sqlalchemy.exc.IntegrityError:
            return False  # this credential is a person's already (WebAuthn §7.1 step 26)
        audit.record(
            audit.Event.SECOND_FACTOR_ADDED,
            actor=audit.Actor.person(person_id),
            person_id=person_id,
            details={"factor": "passkey"},
            now=now,
        )
        factor_services.notify_credential_change(
            person_id, "security_key" if made.is_roaming else "passkey", "create", now=now
        )
    return True


def ask_anybody(*, now: datetime) -> PasskeyChallenge | None:
    """Ask a person who is there for a passkey."""
    return ask_unnamed(CeremonyPurpose.SIGN_IN, person_id=None, now=now)


def ask_unnamed(purpose: CeremonyPurpose, *, person_id: str | None, now: datetime) -> PasskeyChallenge | None:
    """Ask for whichever passkey of this site the device has: the same for every person, so that it discloses nothing.

    The answer counts for *person_id* alone, when one is given.
    """
    here = site()
    if here is None:
        return None
    token, challenge = ceremony_services.begin(purpose, person_id=person_id, now=now)
    return PasskeyChallenge(token, request_options(here, challenge=challenge))


def ask_person(
    person_id: str, purpose: CeremonyPurpose = CeremonyPurpose.SECOND_FACTOR, *, now: datetime
) -> PasskeyChallenge | None:
    """Ask for a passkey of a person who is known already, to one end; None when there is none."""
    here, known = site(), _known_of(person_id)
    if here is None or not known:
        return None
    token, challenge = ceremony_services.begin(purpose, person_id=person_id, now=now)
    return PasskeyChallenge(token, request_options(here, challenge=challenge, known=known))


def accept(
    token: str | None, answer: str, purpose: CeremonyPurpose, *, person_id: str | None, now: datetime
) -> str | None:
    """Spend the challenge and return whose passkey signed it, or None; *person_id* is whose it must be, if one is named.

    The counter is raised by one statement: of two answers with the same count, one is accepted.
    """
    if person_id is not None:
        factor_services.hold(person_id)  # before what was begun for them
    here, ceremony = site(), ceremony_services.spend(token, purpose, now=now)
    if here is None or ceremony is None or ceremony.person_id != person_id:
        return None
    try:
        credential_id, handle = named_in(answer)
        row = _find(credential_id)
        if row is None or person_id not in (None, row.person_id):
            raise PasskeyRefusedError("no such passkey here")
        if handle != row.handle and (handle is not None or person_id is None):  # WebAuthn §7.2 step 6
            raise PasskeyRefusedError("another person's handle")
        known = StoredPasskey(row.credential_id, row.public_key, row.sign_count, row.may_be_backed_up)
        used = read_use(answer, site=here, challenge=ceremony.challenge, known=known)
    except PasskeyRefusedError as error:
        log.info("passkey refused", purpose=purpose.value, detail=error.detail)
        return None
    if person_id is None:
        factor_services.hold(row.person_id)
    return str(row.person_id) if _note_use(row.id, used, now) else None


def has_passkey(person_id: str) -> bool:
    """Return whether a person has a passkey."""
    return bool(_known_of(person_id))


def may_show(person_id: str) -> bool:
    """Return whether a person has a passkey, and is where one can be shown."""
    return site() is not None and has_passkey(person_id)


def _find(credential_id: str) -> sqlalchemy.Row[str, str, str, str, int, bool, str] | None:
    return db.session.execute(
        select(
            Passkey.id,
            Passkey.person_id,
            Passkey.credential_id,
            Passkey.public_key,
            Passkey.sign_count,
            Passkey.may_be_backed_up,
            PasskeyOwner.handle,
        )
        .join(PasskeyOwner, PasskeyOwner.person_id == Passkey.person_id)
        .where(Passkey.credential_id == credential_id, Passkey.revoked_at.is_(None))
    ).first()


def _note_use(passkey_id: str, used: Used, now: datetime) -> bool:
    grows = Passkey.sign_count < used.sign_count
    if used.sign_count == 0:  # synced passkeys do not count (WebAuthn §6.1.1)
        grows = Passkey.sign_count == 0
    with transaction() as session:
        noted = session.execute(
            update(Passkey)
            .where(
                Passkey.id == passkey_id,
                Passkey.revoked_at.is_(None),
                grows,
            )
            .values(sign_count=used.sign_count, is_backed_up=used.is_backed_up, last_used_at=now)
            .returning(Passkey.id)
            .execution_options(synchronize_session=False)
        ).first()
    return noted is not None


def _known_of(person_id: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    rows = db.session.execute(
        select(Passkey.credential_id, Passkey.transports)
        .where(Passkey.person_id == person_id, Passkey.revoked_at.is_(None))
        .order_by(Passkey.created_at)
    )
    return tuple((row.credential_id, tuple(row.transports)) for row in rows)


def _handle_of(person_id: str) -> str:
    """Return the random handle of a person, drawn the first time."""
    wanted = select(PasskeyOwner.handle).where(PasskeyOwner.person_id == person_id)
    with transaction() as session:
        handle = session.scalar(wanted)
        if handle is None:
            try:
                with session.begin_nested():
                    session.execute(insert(PasskeyOwner).values(person_id=person_id, handle=random_token()))
            except sqlalchemy.exc.IntegrityError:
                pass  # another page has just drawn it
            handle = session.scalars(wanted).one()
    return handle
