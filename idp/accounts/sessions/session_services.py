"""Sign-ins as rows: begun, recognized, rotated, ended."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import bindparam, insert, select, update

from ... import audit
from ...crypto.sealing import digest, random_token
from ...db import db, new_id, table_of, transaction
from ...errors import NotAllowedError
from ...http.web import current_settings
from ...i18n import Language
from ...identifiers import PersonId
from ...notices import services as notices
from ..credentials.domain.factor_policy import email_code_serves, falls_short
from ..models import Person, SignInRow
from ..people.domain.access_states import Access
from ..people.person_services import as_language, level_of
from . import cookies, known_browser_services
from .domain.sign_ins import EMAIL_ACR, PASSWORD_AND_CODE, AuthenticationContext, CompletedSignIn, OpenSignIn, SignIn

_ROWS, _PEOPLE = table_of(SignInRow), table_of(Person)
_OF_PERSON = _PEOPLE.c.id == bindparam("of")
_STATUS = (  # an account that closes now must see the sign-in that begins
    select(_PEOPLE.c.access, _PEOPLE.c.required_level, _PEOPLE.c.is_operator)
    .where(_OF_PERSON)
    .with_for_update(key_share=True)
)
_OPEN = insert(_ROWS)
_RENEW = update(_ROWS).where(_ROWS.c.sid == bindparam("of"), _ROWS.c.ended_at.is_(None)).returning(_ROWS.c.sid)
_NOTE_LAST = (
    update(_PEOPLE)
    .where(_OF_PERSON)
    .values(previous_sign_in_at=_PEOPLE.c.last_sign_in_at, last_sign_in_at=bindparam("now"))
)
_PRESENT = (
    select(
        _ROWS.c.sid,
        _ROWS.c.person_id,
        _ROWS.c.user_code,
        _ROWS.c.auth_time,
        _ROWS.c.acr,
        _ROWS.c.amr,
        _ROWS.c.enterprise_id,
        _ROWS.c.seen_at,
        _ROWS.c.idle_seconds,
        _ROWS.c.expires_at,
        _PEOPLE.c.language,
        _PEOPLE.c.required_level,
        _PEOPLE.c.is_operator,
    )
    .where(_PEOPLE.c.id == _ROWS.c.person_id, _ROWS.c.secret_digest == bindparam("digest"))
    .where(_ROWS.c.ended_at.is_(None), _ROWS.c.expires_at > bindparam("now"))
)
_HOLDS = select(_ROWS.c.seen_at, _ROWS.c.idle_seconds).where(
    _ROWS.c.sid == bindparam("sid"),
    _ROWS.c.person_id == bindparam("of"),
    _ROWS.c.ended_at.is_(None),
    _ROWS.c.expires_at > bindparam("now"),
)
_KEPT = (
    select(_ROWS.c.seen_at, _ROWS.c.idle_seconds)
    .select_from(_PEOPLE.join(_ROWS, _ROWS.c.person_id == _PEOPLE.c.id))
    .where(_OF_PERSON, _PEOPLE.c.access == Access.OPEN.value)
    .where(_ROWS.c.sid == bindparam("sid"), _ROWS.c.ended_at.is_(None), _ROWS.c.expires_at > bindparam("now"))
    .with_for_update(read=True)
)
_NOTED_EVERY = timedelta(minutes=1)  # a page view writes at most this often that the person is there


@dataclass(frozen=True, slots=True)
class ActiveSession:
    """A sign-in that holds, with what every page needs of its person.

    One that *falls short* of what the person must show opens nothing but the page where they add a passkey.
    """

    sign_in: SignIn
    language: Language
    ends_at: datetime  # when nothing more is asked from this browser
    falls_short: bool = False


@dataclass(frozen=True, slots=True)
class AccountStatus:
    """What decides whether a person may sign in, and how surely, held until the caller's transaction ends."""

    person_id: str
    user_code: str
    access: Access
    level: int
    is_operator: bool

    @property
    def is_open(self) -> bool:
        """Return whether the account may be used."""
        return self.access is Access.OPEN


def account_status(person_id: str, user_code: str) -> AccountStatus:
    """Return how a person stands who is about to sign in with *user_code*, in the caller's transaction."""
    row = db.session.execute(_STATUS, {"of": person_id}).one()
    level = level_of(row.required_level, is_operator=row.is_operator)
    return AccountStatus(person_id, user_code, Access(row.access), level, row.is_operator)


def begin_sign_in(
    who: AccountStatus,
    *,
    shown: AuthenticationContext = PASSWORD_AND_CODE,
    device: str,
    former: SignIn | None,
    next_path: str = "/home",
    token: str | None = None,
    now: datetime,
) -> CompletedSignIn:
    """Open a sign-in in the caller's transaction, or renew *former* when it is the same person's.

    The same person keeps the ``sid``; any person else, and a code by e-mail, gets a new one and the previous sign-in ends. The
    secret is always new: *token*, or one drawn here. The browser is known from now on, except after a code by e-mail: not
    every factor was shown.
    """
    if not who.is_open:  # the person who shows the factors decides that first; here nothing gets past it
        raise NotAllowedError("the account is frozen or closed")
    token, person_id, user_code = token or random_token(), who.person_id, who.user_code
    idle, absolute = _limits(who.is_operator)
    is_weak = shown.acr == EMAIL_ACR  # nothing that rests on the factors of the previous sign-in goes on with it
    same = former is not None and former.person_id == person_id and not is_weak
    if former is not None and not same:
        end_sign_in(former.sid, now=now)
    values = {
        "secret_digest": digest(token),
        "user_code": user_code,
        "auth_time": now,
        "acr": shown.acr,
        "amr": list(shown.amr),
        "device": device[:80],
        "seen_at": now,
        "idle_seconds": int(idle.total_seconds()),
        "expires_at": now + absolute,
    }
    sid = former.sid if former is not None and same and _renew(former.sid, values) else _open(person_id, values, now)
    enterprise_id = former.enterprise_id if former is not None and former.sid == sid else None
    _note_last(person_id, now)
    audit.record(
        audit.Event.SIGNED_IN,
        actor=audit.Actor.person(person_id),
        person_id=person_id,
        details={"sid": sid, "user_code": user_code, "acr": shown.acr},
        now=now,
    )
    if not is_weak and (shows := cookies.hold_known()) is not None:
        known_browser_services.remember(person_id, shows, device=device, now=now)
    sign_in = SignIn(sid, PersonId(person_id), user_code, now, shown.acr, shown.amr, enterprise_id)
    return CompletedSignIn(sign_in, token, next_path, not is_weak and falls_short(shown.acr, who.level))


def given_again(token: str, next_path: str, *, now: datetime) -> CompletedSignIn | None:
    """Return a completed sign-in whose answer may never have arrived; None when it has ended or its secret was changed."""
    found = active_session(digest(token), now=now)
    return CompletedSignIn(found.sign_in, token, next_path, found.falls_short) if found else None


def _limits(is_operator: bool) -> tuple[timedelta, timedelta]:
    """Return how long a sign-in lasts without a page, and in all (decisions.md §28; configuration may shorten both)."""
    chosen = current_settings()
    if is_operator:
        return timedelta(minutes=chosen.operator_session_idle_minutes), timedelta(hours=chosen.operator_session_hours)
    return timedelta(minutes=chosen.session_idle_minutes), timedelta(hours=chosen.session_hours)


def _renew(sid: str, values: dict[str, object]) -> bool:
    return db.session.execute(_RENEW, {"of": sid, **values}).first() is not None


def _open(person_id: str, values: dict[str, object], now: datetime) -> str:
    sid = new_id()
    db.session.execute(_OPEN, {"sid": sid, "person_id": person_id, "started_at": now, **values})
    return sid


def _note_last(person_id: str, now: datetime) -> None:
    db.session.execute(_NOTE_LAST, {"of": person_id, "now": now})


def active_session(secret_digest: str, *, now: datetime) -> ActiveSession | None:
    """Return the sign-in whose secret has this digest, if it has neither ended nor lapsed: one query."""
    row = db.session.execute(_PRESENT, {"digest": secret_digest, "now": now}).first()
    if row is None or not _is_awake(row.seen_at, row.idle_seconds, now):
        return None
    seen_at = row.seen_at
    if seen_at + _NOTED_EVERY <= now:
        note_seen(row.sid, now)
        seen_at = now
    sign_in = SignIn(
        sid=row.sid,
        person_id=PersonId(row.person_id),
        user_code=row.user_code,
        auth_time=row.auth_time,
        acr=row.acr,
        amr=tuple(row.amr),
        enterprise_id=row.enterprise_id,
    )
    ends_at = min(seen_at + timedelta(seconds=row.idle_seconds), row.expires_at)
    level = level_of(row.required_level, is_operator=row.is_operator)
    if sign_in.is_weak and not email_code_serves(
        level, is_operator=row.is_operator, is_on=current_settings().email_code_fallback
    ):
        return None  # it was switched off, or more is asked of this person since
    return ActiveSession(sign_in, as_language(row.language), ends_at, falls_short(row.acr, level))


def note_seen(sid: str, now: datetime) -> None:
    """Write down that the person is there."""
    with transaction() as session:
        session.execute(
            update(SignInRow)
            .where(SignInRow.sid == sid, SignInRow.seen_at < now)
            .values(seen_at=now)
            .execution_options(synchronize_session=False)
        )


def set_enterprise(sign_in: SignIn, enterprise_id: str, now: datetime) -> SignIn:
    """Remember for which enterprise the person acts; the cookie's secret changes, the ``sid`` stays (decisions.md §23)."""
    token = random_token()
    with transaction() as session:
        found = session.execute(
            update(SignInRow)
            .where(SignInRow.sid == sign_in.sid, SignInRow.ended_at.is_(None))
            .values(enterprise_id=enterprise_id, secret_digest=digest(token), seen_at=now)
            .returning(SignInRow.sid)
            .execution_options(synchronize_session=False)
        ).first()
    if found is None:
        cookies.drop()
        return sign_in
    switched = replace(sign_in, enterprise_id=enterprise_id)
    cookies.hold(token, switched)
    return switched


def leave_only(sign_in: SignIn, *, now: datetime) -> None:
    """End the person's other sign-ins and change the secret of this one, in the caller's transaction (ASVS 7.4.3).

    One that waits for its passkey stays what it is.
    """
    end_sign_ins_of(sign_in.person_id, but=sign_in.sid, now=now)
    token = random_token()
    changed = db.session.execute(
        update(SignInRow)
        .where(SignInRow.sid == sign_in.sid, SignInRow.ended_at.is_(None))
        .values(secret_digest=digest(token), seen_at=now)
        .returning(SignInRow.sid)
        .execution_options(synchronize_session=False)
    ).first()
    if changed is None:
        cookies.drop()
    else:
        cookies.renew(token)


def end_sign_in(sid: str, *, now: datetime) -> bool:
    """End a sign-in and have the agencies notified; return whether it was still open."""
    with transaction() as session:
        ended = session.execute(
            update(SignInRow)
            .where(SignInRow.sid == sid, SignInRow.ended_at.is_(None))
            .values(ended_at=now)
            .returning(SignInRow.sid, SignInRow.person_id)
            .execution_options(synchronize_session=False)
        ).first()
        if ended is None:
            return False
        notices.enqueue("sign_in_ended", {"sid": ended.sid, "person_id": ended.person_id}, now=now)
        audit.record(
            audit.Event.SIGNED_OUT,
            actor=audit.Actor.person(ended.person_id),
            person_id=ended.person_id,
            details={"sid": ended.sid},
            now=now,
        )
    return True


def end_own_sign_in(person_id: str, sid: str, *, now: datetime) -> bool:
    """End a sign-in of this person, and of no other person; return whether there was one."""
    with transaction() as session:
        is_own = session.scalar(select(SignInRow.sid).where(SignInRow.sid == sid, SignInRow.person_id == person_id))
        return is_own is not None and end_sign_in(sid, now=now)


def end_sign_ins_of(person_id: str, *, now: datetime, but: str | None = None) -> int:
    """End every sign-in of a person, except the one whose ``sid`` is *but*; return how many."""
    with transaction() as session:
        wanted = select(SignInRow.sid).where(SignInRow.person_id == person_id, SignInRow.ended_at.is_(None))
        open_ones = [sid for sid in session.scalars(wanted) if sid != but]
        return sum(1 for sid in open_ones if end_sign_in(sid, now=now))


def is_signed_in(person_id: str, sid: str, *, now: datetime) -> bool:
    """Return whether this sign-in of a person still holds."""
    row = db.session.execute(_HOLDS, {"of": person_id, "sid": sid, "now": now}).first()
    return row is not None and _is_awake(row.seen_at, row.idle_seconds, now)


def keep_signed_in(person_id: str, sid: str, *, now: datetime) -> bool:
    """Return whether this sign-in holds and its account is open, and keep both so until the caller's transaction ends."""
    row = db.session.execute(_KEPT, {"of": person_id, "sid": sid, "now": now}).first()
    return row is not None and _is_awake(row.seen_at, row.idle_seconds, now)


def _is_awake(seen_at: datetime, idle_seconds: int, now: datetime) -> bool:
    return seen_at + timedelta(seconds=idle_seconds) > now


def open_sign_ins(person_id: str, *, now: datetime) -> tuple[OpenSignIn, ...]:
    """Return the sign-ins of a person that still hold, latest first."""
    rows = db.session.scalars(
        select(SignInRow)
        .where(SignInRow.person_id == person_id, SignInRow.ended_at.is_(None), SignInRow.expires_at > now)
        .order_by(SignInRow.seen_at.desc())
    )
    return tuple(
        OpenSignIn(row.sid, row.device, row.started_at, row.seen_at, row.enterprise_id)
        for row in rows
        if _is_awake(row.seen_at, row.idle_seconds, now)
    )
