"""What the other rooms may ask of accounts; each function lives in the module of its subject."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask import current_app
from sqlalchemy import delete, or_, select

from ..db import transaction
from ..errors import NotAllowedError
from ..identifiers import UserCode
from ..web import current_settings
from . import (
    services_allowances,
    services_ceremonies,
    services_closing,
    services_email_change,
    services_guesses,
    services_kept_forms,
    services_known_browsers,
    services_openings,
    services_recovery,
    services_reproofing,
    services_security_notices,
)
from .models import Challenge, EmailCode, SignInRow
from .passwords import TemporaryPassword as TemporaryPassword
from .services_access import freeze as freeze
from .services_access import is_closed as is_closed
from .services_access import is_open as is_open
from .services_access import thaw as thaw
from .services_alarm import Alarm as Alarm
from .services_alarm import current_alarm as current_alarm
from .services_alarm import doubt_log as doubt_log
from .services_alarm import watch_failed_tries as watch_failed_tries
from .services_codes import issue_user_code as issue_user_code
from .services_codes import reveal_temporary_password as reveal_temporary_password
from .services_codes import revoke_user_code as revoke_user_code
from .services_codes import user_codes as user_codes
from .services_codes import user_codes_of as user_codes_of
from .services_contacts import Contact as Contact
from .services_contacts import contact as contact
from .services_contacts import contacts as contacts
from .services_names import Keeper as Keeper
from .services_names import Renamed as Renamed
from .services_names import name_changes as name_changes
from .services_names import set_keeper as set_keeper
from .services_openings import open_first_credential as open_first_credential
from .services_passkeys import has_passkey as has_passkey
from .services_people import choose_language as choose_language
from .services_people import create_person as create_person
from .services_people import mark_operator as mark_operator
from .services_people import people as people
from .services_people import person as person
from .services_people import raise_level as raise_level
from .services_people import require_level as require_level
from .services_reproofing import ReproofingView as ReproofingView
from .services_reproofing import end_reproofings as end_reproofings
from .services_sessions import end_sign_in as end_sign_in
from .services_sessions import end_sign_ins_of as end_sign_ins_of
from .services_sessions import is_signed_in as is_signed_in
from .services_sessions import keep_signed_in as keep_signed_in
from .services_sessions import open_sign_ins as open_sign_ins
from .services_sessions import set_enterprise as set_enterprise
from .services_unlocking import Door as Door
from .services_unlocking import door_of as door_of
from .services_unlocking import doors_of as doors_of
from .services_unlocking import unlock as unlock
from .session_models import EmailChange
from .sign_ins import PersonView as PersonView
from .sign_ins import SignIn as SignIn
from .sign_ins import UserCodeStatus as UserCodeStatus
from .states import CodeState as CodeState

_KEPT_CHALLENGES = timedelta(days=2)
_KEPT_SIGN_INS = timedelta(days=30)


def seed_credentials(person_id: str, *, user_code: UserCode, password: str, totp_secret: str, now: datetime) -> None:
    """Activate *user_code* at once with known credentials: in a demonstration or a test only.

    Raises:
        NotAllowedError: this is neither.
    """
    if not (current_settings().demo or current_app.testing):
        raise NotAllowedError("seeding credentials outside a demonstration")
    services_openings.seed_credentials(
        person_id, user_code=user_code, password=password, totp_secret=totp_secret, now=now
    )


def sweep(now: datetime) -> int:
    """Delete what is over and no longer of use (challenges, codes, old sign-ins, counters of nobody); return how many."""
    with transaction() as session:
        old = select(Challenge.id).where(Challenge.expires_at < now - _KEPT_CHALLENGES)
        gone = services_email_change.forget_old(now)
        old = old.where(Challenge.id.not_in(select(EmailChange.id)))
        for statement in (
            delete(EmailCode).where(EmailCode.challenge_id.in_(old)).returning(EmailCode.id),
            delete(Challenge).where(Challenge.id.in_(old)).returning(Challenge.id),
            delete(SignInRow)
            .where(
                or_(SignInRow.ended_at < now - _KEPT_SIGN_INS, SignInRow.expires_at < now - _KEPT_SIGN_INS),
            )
            .returning(SignInRow.sid),
        ):
            gone += len(session.scalars(statement.execution_options(synchronize_session=False)).all())
        gone += services_ceremonies.forget(before=now - _KEPT_CHALLENGES)
        gone += services_kept_forms.forget_old(now) + services_known_browsers.forget_old(now)
        before = now - _KEPT_CHALLENGES
        gone += services_recovery.forget(before=before) + services_allowances.forget(before=before)
        gone += services_security_notices.forget(before=now - services_security_notices.KEPT)
        gone += services_reproofing.sweep(now) + services_closing.sweep(now)
        return gone + services_guesses.forget_nobody(before=now - _KEPT_CHALLENGES)
