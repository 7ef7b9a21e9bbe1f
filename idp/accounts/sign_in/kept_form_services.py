"""Forms that wait for their person: sealed, for that person alone, given back once."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, or_, select, update

from ...crypto.sealing import current_sealing
from ...db import db, new_id, transaction
from ..challenges.models import KeptForm
from ..models import SignInRow
from ..sessions.domain.sign_ins import SignIn
from .domain.kept_forms import LIVES, Fields, Wait, keepable


@dataclass(frozen=True, slots=True)
class Kept:
    """A form as it was sent, without its secrets; ``wait`` is what it waited for."""

    path: str
    fields: Fields
    wait: Wait


def keep(
    person_id: str, path: str, fields: Iterable[tuple[str, str]], *, sid: str | None = None, now: datetime
) -> str | None:
    """Keep a form and return its id, None when it is too large; with *sid* it serves that sign-in alone."""
    kept = keepable(fields)
    if kept is None:
        return None
    form_id = new_id()
    wait = Wait.STEP_UP if sid else Wait.SIGN_IN
    with transaction() as session:
        session.execute(
            insert(KeptForm).values(
                id=form_id,
                person_id=person_id,
                sid=sid,
                path=path,
                fields=current_sealing().seal(json.dumps(kept, ensure_ascii=False), _place(form_id)),
                created_at=now,
                expires_at=now + LIVES[wait],
            )
        )
    return form_id


def take(form_id: str, sign_in: SignIn, *, now: datetime) -> Kept | None:
    """Return a form to the person it waits for, once."""
    with transaction() as session:
        taken = session.execute(
            update(KeptForm)
            .where(
                KeptForm.id == form_id,
                KeptForm.person_id == sign_in.person_id,
                or_(KeptForm.sid.is_(None), KeptForm.sid == sign_in.sid),
                KeptForm.used_at.is_(None),
                KeptForm.expires_at > now,
            )
            .values(used_at=now)
            .returning(KeptForm.path, KeptForm.fields, KeptForm.sid)
            .execution_options(synchronize_session=False)
        ).first()
        if taken is None:
            return None
        _wipe(form_id)
    pairs = json.loads(current_sealing().unseal(taken.fields, _place(form_id)))
    fields = tuple((str(name), str(value)) for name, value in pairs)
    return Kept(taken.path, fields, Wait.STEP_UP if taken.sid else Wait.SIGN_IN)


def whose_sign_in_lapsed(secret_digest: str) -> str | None:
    """Return whose cookie this was, when the sign-in was not ended but has become too old."""
    return db.session.scalar(
        select(SignInRow.person_id).where(SignInRow.secret_digest == secret_digest, SignInRow.ended_at.is_(None))
    )


def forget(person_id: str) -> None:
    """Delete what waits for a person, in the caller's transaction."""
    db.session.execute(
        delete(KeptForm).where(KeptForm.person_id == person_id).execution_options(synchronize_session=False)
    )


def forget_old(now: datetime) -> int:
    """Delete the forms nobody came back for, and those given back; return how many."""
    with transaction() as session:
        gone = session.scalars(
            delete(KeptForm)
            .where(or_(KeptForm.expires_at <= now, KeptForm.used_at.is_not(None)))
            .returning(KeptForm.id)
            .execution_options(synchronize_session=False)
        ).all()
    return len(gone)


def _wipe(form_id: str) -> None:
    db.session.execute(
        update(KeptForm).where(KeptForm.id == form_id).values(fields="").execution_options(synchronize_session=False)
    )


def _place(form_id: str) -> str:
    return f"kept_form:{form_id}"
