"""The browsers that may open a file: one row each, ended by inactivity, age, its owner or another browser.

A browser row gives access to the pages of its file and to no account: the representative's first credentials require a
code sent by e-mail, and the slips of the persons in charge require the representative's own sign-in.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select, update

from .. import audit
from ..audit import Actor
from ..crypto.sealing import digest, is_token, random_token
from ..db import db, new_id, transaction
from .models import FileBrowser

IDLE = timedelta(hours=2)  # time to find a notice of assessment or ask a colleague
LIFE = timedelta(hours=12)  # same as a sign-in (docs/operations.md)
KEPT = timedelta(days=30)  # after the end
_TOUCH = timedelta(minutes=1)  # between two updates of when it was last seen


def begin(file_id: str, *, device: str, now: datetime) -> str:
    """Give a browser access to a file; return the secret it keeps."""
    token = random_token()
    with transaction() as session:
        session.execute(
            insert(FileBrowser).values(
                id=new_id(),
                file_id=file_id,
                secret_digest=digest(token),
                device=device[:80],
                started_at=now,
                seen_at=now,
                expires_at=now + LIFE,
            )
        )
    return token


def file_of(token: str | None, *, now: datetime) -> str | None:
    """Return the file that the browser with this secret may open, and record that it was seen."""
    if token is None or not is_token(token):
        return None
    lives = (
        FileBrowser.secret_digest == digest(token),
        FileBrowser.ended_at.is_(None),
        FileBrowser.expires_at > now,
        FileBrowser.seen_at > now - IDLE,
    )
    found = db.session.execute(select(FileBrowser.file_id, FileBrowser.seen_at).where(*lives)).first()
    if found is None:
        return None
    if found.seen_at + _TOUCH <= now:
        with transaction() as session:
            touched = update(FileBrowser).where(*lives).values(seen_at=now).returning(FileBrowser.file_id)
            return session.scalar(touched.execution_options(synchronize_session=False))
    return str(found.file_id)


def leave(token: str | None, *, now: datetime) -> None:
    """End the access of the browser with this secret, if it still has any."""
    if token is None or not is_token(token):
        return
    with transaction() as session:
        ended = update(FileBrowser).where(FileBrowser.secret_digest == digest(token), FileBrowser.ended_at.is_(None))
        file_id = session.scalar(
            ended.values(ended_at=now).returning(FileBrowser.file_id).execution_options(synchronize_session=False)
        )
        if file_id is not None:
            audit.record(audit.Event.FILE_BROWSER_LEFT, actor=Actor("file", file_id), now=now, file_id=file_id)


def end_all(file_id: str, *, now: datetime) -> int:
    """End the access of every browser to a file, in the caller's transaction; return how many there were."""
    ended = update(FileBrowser).where(FileBrowser.file_id == file_id, FileBrowser.ended_at.is_(None))
    closed = ended.values(ended_at=now).returning(FileBrowser.id).execution_options(synchronize_session=False)
    return len(db.session.scalars(closed).all())


def forget_old(now: datetime) -> int:
    """Delete the rows of browsers whose retention has passed; return how many."""
    with transaction() as session:
        old = delete(FileBrowser).where(FileBrowser.expires_at <= now - KEPT).returning(FileBrowser.id)
        return len(session.scalars(old.execution_options(synchronize_session=False)).all())
