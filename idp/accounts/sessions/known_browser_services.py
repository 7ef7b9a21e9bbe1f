"""Browsers in which a person has shown every factor: a way in while strangers keep the account locked (ASVS 6.1.1, S-50).

A known browser is no factor: it opens nothing. When the person's counter is locked, attempts from it are counted on one of its
own, as small as the other, and in the person's total.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy.exc
from sqlalchemy import ColumnElement, bindparam, delete, insert, select, update

from ...db import db, new_id, table_of, transaction
from ..challenges.models import KnownBrowser
from ..models import AttemptCounter
from ..throttling.attempt_counter_services import subject_of_browser
from .cookies import KNOWN_LIFE, KnownBy

_ROWS = table_of(KnownBrowser)
_SHOWN = (_ROWS.c.person_id == bindparam("of"), _ROWS.c.secret_digest == bindparam("shown"))
_RENEW = update(_ROWS).where(*_SHOWN).returning(_ROWS.c.id)
_ADD = insert(_ROWS)
_FIND = select(_ROWS.c.id).where(*_SHOWN, _ROWS.c.revoked_at.is_(None), _ROWS.c.expires_at > bindparam("now"))


@dataclass(frozen=True, slots=True)
class KnownBrowserView:
    """A known browser as its person sees it."""

    id: str
    device: str
    created_at: datetime
    seen_at: datetime


def remember(person_id: str, known: KnownBy, *, device: str, now: datetime) -> None:
    """Know a browser from now on, or for another while; one that was forgotten is known again after every factor."""
    seen = {"device": device[:80], "seen_at": now, "expires_at": now + KNOWN_LIFE, "revoked_at": None}
    row = {"id": new_id(), "person_id": person_id, "secret_digest": known.digest, "created_at": now, **seen}
    with transaction() as session:
        if known.is_new:  # 256 random bits of this moment: no other person adds the same
            session.execute(_ADD, row)
            return
        if _renew(person_id, known.digest, seen):
            return
        try:
            with session.begin_nested():
                session.execute(_ADD, row)
        except sqlalchemy.exc.IntegrityError:  # the same browser, at the same moment
            _renew(person_id, known.digest, seen)


def counters(person_id: str | None, secret_digest: str | None, *, now: datetime) -> tuple[str, ...]:
    """Return the counter of the attempts from this browser, when the person is known in it."""
    if person_id is None or secret_digest is None:
        return ()
    found = db.session.scalar(_FIND, {"of": person_id, "shown": secret_digest, "now": now})
    return (subject_of_browser(person_id, found),) if found else ()


def of_person(person_id: str, *, now: datetime) -> tuple[KnownBrowserView, ...]:
    """Return the browsers in which a person is known, latest first."""
    rows = db.session.execute(
        select(KnownBrowser.id, KnownBrowser.device, KnownBrowser.created_at, KnownBrowser.seen_at)
        .where(KnownBrowser.person_id == person_id, _lives(now))
        .order_by(KnownBrowser.seen_at.desc())
    )
    return tuple(KnownBrowserView(*row) for row in rows)


def forget(person_id: str, browser_id: str | None = None, *, now: datetime) -> int:
    """Forget one browser of a person, or all of them; return how many."""
    which = KnownBrowser.person_id == person_id
    with transaction() as session:
        gone = session.scalars(
            update(KnownBrowser)
            .where(which if browser_id is None else which & (KnownBrowser.id == browser_id), _lives(now))
            .values(revoked_at=now)
            .returning(KnownBrowser.id)
            .execution_options(synchronize_session=False)
        ).all()
    return len(gone)


def forget_others(person_id: str, shown: str | None, *, now: datetime) -> None:
    """Forget every browser of a person but the one that showed the secret with this digest, in the caller's transaction."""
    others = _lives(now) if shown is None else _lives(now) & (KnownBrowser.secret_digest != shown)
    db.session.execute(
        update(KnownBrowser)
        .where(KnownBrowser.person_id == person_id, others)
        .values(revoked_at=now)
        .execution_options(synchronize_session=False)
    )


def forget_old(now: datetime) -> int:
    """Delete the browsers nobody is known in any more, with their counters; return how many."""
    with transaction() as session:
        gone = session.execute(
            delete(KnownBrowser)
            .where(~_lives(now))
            .returning(KnownBrowser.person_id, KnownBrowser.id)
            .execution_options(synchronize_session=False)
        ).all()
        session.execute(
            delete(AttemptCounter)
            .where(AttemptCounter.subject.in_([subject_of_browser(*each) for each in gone]))
            .execution_options(synchronize_session=False)
        )
    return len(gone)


def _lives(now: datetime) -> ColumnElement[bool]:
    return KnownBrowser.revoked_at.is_(None) & (KnownBrowser.expires_at > now)


def _renew(person_id: str, secret_digest: str, seen: dict[str, object]) -> bool:
    return db.session.execute(_RENEW, {"of": person_id, "shown": secret_digest, **seen}).first() is not None
