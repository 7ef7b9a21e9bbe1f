"""What the other rooms may ask of accounts; each function lives in the module of its subject."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask import current_app
from sqlalchemy import delete, or_, select

from ..db import transaction
from ..errors import NotAllowedError
from ..http.web import current_settings
from ..identifiers import UserCode
from .challenges import ceremony_services, enrolment_link_services
from .challenges.enrolment_link_services import open_first_credential as open_first_credential
from .challenges.models import EmailChange
from .credentials import security_notice_services
from .credentials.domain.passwords import TemporaryPassword as TemporaryPassword
from .credentials.passkey_services import has_passkey as has_passkey
from .leaving import closing_services
from .models import Challenge, EmailCode, SignInRow
from .people import email_change_services
from .people.access_services import freeze as freeze
from .people.access_services import is_closed as is_closed
from .people.access_services import is_open as is_open
from .people.access_services import thaw as thaw
from .people.contact_services import Contact as Contact
from .people.contact_services import contact as contact
from .people.contact_services import contacts as contacts
from .people.name_services import NameHook as NameHook
from .people.name_services import Renamed as Renamed
from .people.name_services import name_changes as name_changes
from .people.name_services import set_name_hook as set_name_hook
from .people.person_services import choose_language as choose_language
from .people.person_services import create_person as create_person
from .people.person_services import mark_operator as mark_operator
from .people.person_services import people as people
from .people.person_services import person as person
from .people.person_services import raise_level as raise_level
from .people.person_services import require_level as require_level
from .recovery import recovery_services, reproofing_services
from .recovery.reproofing_services import ReproofingView as ReproofingView
from .recovery.reproofing_services import end_reproofings as end_reproofings
from .sessions import known_browser_services
from .sessions.domain.sign_ins import PersonView as PersonView
from .sessions.domain.sign_ins import SignIn as SignIn
from .sessions.domain.sign_ins import UserCodeStatus as UserCodeStatus
from .sessions.session_services import end_sign_in as end_sign_in
from .sessions.session_services import end_sign_ins_of as end_sign_ins_of
from .sessions.session_services import is_signed_in as is_signed_in
from .sessions.session_services import keep_signed_in as keep_signed_in
from .sessions.session_services import open_sign_ins as open_sign_ins
from .sessions.session_services import set_enterprise as set_enterprise
from .sign_in import kept_form_services
from .throttling import allowance_services, attempt_counter_services
from .throttling.alarm_services import Alarm as Alarm
from .throttling.alarm_services import current_alarm as current_alarm
from .throttling.alarm_services import doubt_log as doubt_log
from .throttling.alarm_services import watch_failed_tries as watch_failed_tries
from .throttling.unlocking_services import Lockout as Lockout
from .throttling.unlocking_services import lockout_of as lockout_of
from .throttling.unlocking_services import lockouts_of as lockouts_of
from .throttling.unlocking_services import unlock as unlock
from .user_codes.code_services import issue_user_code as issue_user_code
from .user_codes.code_services import reveal_temporary_password as reveal_temporary_password
from .user_codes.code_services import revoke_user_code as revoke_user_code
from .user_codes.code_services import user_codes as user_codes
from .user_codes.code_services import user_codes_of as user_codes_of
from .user_codes.domain.states import CodeState as CodeState

_KEPT_CHALLENGES = timedelta(days=2)
_KEPT_SIGN_INS = timedelta(days=30)


def seed_credentials(person_id: str, *, user_code: UserCode, password: str, totp_secret: str, now: datetime) -> None:
    """Activate *user_code* at once with known credentials: in a demonstration or a test only.

    Raises:
        NotAllowedError: this is neither.
    """
    if not (current_settings().demo or current_app.testing):
        raise NotAllowedError("seeding credentials outside a demonstration")
    enrolment_link_services.seed_credentials(
        person_id, user_code=user_code, password=password, totp_secret=totp_secret, now=now
    )


def sweep(now: datetime) -> int:
    """Delete what is over and no longer of use (challenges, codes, old sign-ins, counters); return how many."""
    with transaction() as session:
        old = select(Challenge.id).where(Challenge.expires_at < now - _KEPT_CHALLENGES)
        gone = email_change_services.forget_old(now)
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
        gone += ceremony_services.forget(before=now - _KEPT_CHALLENGES)
        gone += kept_form_services.forget_old(now) + known_browser_services.forget_old(now)
        before = now - _KEPT_CHALLENGES
        gone += recovery_services.forget(before=before) + allowance_services.forget(before=before)
        gone += security_notice_services.forget(before=now - security_notice_services.KEPT)
        gone += reproofing_services.sweep(now) + closing_services.sweep(now)
        return gone + attempt_counter_services.forget_nobody(before=now - _KEPT_CHALLENGES)
