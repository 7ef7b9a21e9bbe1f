"""What accounts store about one person, for the copy of their data (:mod:`idp.my_data`).

Nothing is left out for being old, ended or removed; rows come oldest first, entries of the log newest first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, case, func, select

from .. import audit
from ..db import Base, db, table_of
from ..identifiers import UserCode
from ..notices import services as notices
from ..own_data import OwnDataPart, Parts, actor_word, by_word
from .challenges.models import EmailChange, KeptForm, KnownBrowser
from .models import (
    AttemptCounter,
    Challenge,
    NameChange,
    Passkey,
    Password,
    Person,
    RecoveryCode,
    SignInRow,
    TotpDevice,
    UserCodeRow,
)
from .people.contact_services import contact
from .recovery.models import PasswordRecovery, Reproofing, SecurityNotice
from .throttling.attempt_counter_services import subject_of

Values = dict[str, Any]


def identity(person_id: str, _now: datetime) -> Values:
    """Return the name, the address and the state of the account of a person."""
    person = _person(person_id)
    known = contact(person.email)
    tries = _rows(AttemptCounter, "changed_at", subject_of(person.id), key="subject")
    return {
        "given_name": person.given_name,
        "family_name": person.family_name,
        "email": person.email,
        "email_confirmed_at": known.confirmed_at,
        "email_refused_at": known.bounced_at,
        "language": person.language,
        "access": person.access,
        "required_level": person.required_level,
        "created_at": person.created_at,
        "last_sign_in_at": person.last_sign_in_at,
        "previous_sign_in_at": person.previous_sign_in_at,
        "wrong_tries": tries[0].failures if tries else 0,
        "blocked_until": tries[0].locked_until if tries else None,
    }


def credentials(person_id: str, _now: datetime) -> Values:
    """Return when the password was set, the factors without their secrets, and how many recovery codes are left."""
    passwords = _rows(Password, "set_at", person_id)
    applications = [_factor("application", row, None, None) for row in _rows(TotpDevice, "created_at", person_id)]
    passkeys = [
        _factor("passkey", row, row.aaguid, row.is_backed_up) for row in _rows(Passkey, "created_at", person_id)
    ]
    codes = table_of(RecoveryCode)
    is_left = codes.c.used_at.is_(None) & codes.c.revoked_at.is_(None)
    made = db.session.execute(
        select(
            codes.c.created_at,
            func.sum(case((is_left, 1), else_=0)).label("left"),
            func.count(codes.c.used_at).label("used"),
        )
        .where(codes.c.person_id == person_id)
        .group_by(codes.c.created_at)
        .order_by(codes.c.created_at)
    )
    return {
        "password_set_at": passwords[0].set_at if passwords else None,
        "factors": [*applications, *passkeys],
        "recovery_codes": [{"made_at": row.created_at, "left": row.left, "used": row.used} for row in made],
    }


def unsent_notices(person_id: str, _now: datetime) -> list[Values]:
    """Return the messages to or about a person that have not left."""
    unsent = notices.unsent_of(person_id, _person(person_id).email)
    return [{"kind": each.kind, "written_at": each.written_at, "state": each.state} for each in unsent]


def activity(person_id: str, _now: datetime) -> list[Values]:
    """Return every entry of the log about a person, newest first."""
    return [
        {
            "at": entry.at,
            "event": entry.event,
            "by": actor_word(entry.actor_kind, entry.actor_id, person_id),
            "agency": entry.agency_id,
            "enterprise": entry.enterprise_id,
        }
        for entry in _whole_journal_of(person_id)
    ]


def _each(
    model: type[Base], order: str, values: Callable[[Row[Any], str], Values]
) -> Callable[[str, datetime], list[Values]]:
    """Return the reader of a part that has one element for each row of *model* about a person, oldest first."""
    return lambda person_id, _now: [values(row, person_id) for row in _rows(model, order, person_id)]


def _former_name(row: Row[Any], _person_id: str) -> Values:
    return {"given_name": row.former_given_name, "family_name": row.former_family_name, "corrected_at": row.at}


def _address_change(row: Row[Any], _person_id: str) -> Values:
    return {
        "former": row.former,
        "wanted": row.wanted,
        "asked_at": row.created_at,
        "confirmed_at": row.confirmed_at,
        "undone_at": row.undone_at,
    }


def _user_code(row: Row[Any], _person_id: str) -> Values:
    return {
        "user_code": str(UserCode(row.code)),
        "state": row.state,
        "issued_at": row.issued_at,
        "revealed_at": row.revealed_at,
        "first_used_at": row.first_used_at,
        "activated_at": row.activated_at,
        "revoked_at": row.revoked_at,
    }


def _factor(kind: str, row: Row[Any], model: str | None, is_backed_up: bool | None) -> Values:
    return {
        "kind": kind,
        "name": row.nickname,
        "model": model,
        "is_backed_up": is_backed_up,
        "added_at": row.created_at,
        "last_used_at": row.last_used_at,
        "removed_at": row.revoked_at,
    }


def _recovery(row: Row[Any], _person_id: str) -> Values:
    return {
        "state": row.state,
        "began_at": row.created_at,
        "code_sent_at": row.code_sent_at,
        "expires_at": row.expires_at,
    }


def _reproofing(row: Row[Any], person_id: str) -> Values:
    return {
        "user_code": str(UserCode(row.user_code)),
        "state": row.state,
        "began_at": row.started_at,
        "began_by": by_word(row.started_by, person_id),
        "serves_from": row.serves_from,
        "expires_at": row.expires_at,
        "ended_at": row.ended_at,
    }


def _security_change(row: Row[Any], _person_id: str) -> Values:
    return {"what": row.what, "device": row.device, "at": row.at, "is_told": row.batch is not None}


def _browser(row: Row[Any], _person_id: str) -> Values:
    return {
        "device": row.device,
        "first_seen_at": row.created_at,
        "seen_at": row.seen_at,
        "forgotten_at": row.revoked_at or row.expires_at,
    }


def _session(row: Row[Any], _person_id: str) -> Values:
    return {
        "device": row.device,
        "user_code": str(UserCode(row.user_code)),
        "enterprise": row.enterprise_id,
        "level": row.acr,
        "factors": list(row.amr),
        "started_at": row.started_at,
        "seen_at": row.seen_at,
        "expires_at": row.expires_at,
        "ended_at": row.ended_at,
    }


def _challenge(row: Row[Any], _person_id: str) -> Values:
    return {
        "kind": row.kind,
        "step": row.step,
        "began_at": row.created_at,
        "expires_at": row.expires_at,
        "ended_at": row.ended_at,
    }


def _kept_form(row: Row[Any], _person_id: str) -> Values:
    return {"kept_at": row.created_at, "until": row.expires_at, "given_back_at": row.used_at}


PARTS: Parts = {
    "person": OwnDataPart(identity, ("person", "guess_counter", "contact_point")),
    "former_names": OwnDataPart(_each(NameChange, "at", _former_name), ("name_change",)),
    "address_changes": OwnDataPart(_each(EmailChange, "created_at", _address_change), ("email_change",)),
    "user_codes": OwnDataPart(_each(UserCodeRow, "issued_at", _user_code), ("user_code",)),
    "credentials": OwnDataPart(credentials, ("password", "totp_device", "passkey", "recovery_code")),
    "recoveries": OwnDataPart(_each(PasswordRecovery, "created_at", _recovery), ("password_recovery",)),
    "reproofings": OwnDataPart(_each(Reproofing, "started_at", _reproofing), ("reproofing",)),
    "security_changes": OwnDataPart(_each(SecurityNotice, "at", _security_change), ("security_notice",)),
    "notices": OwnDataPart(unsent_notices, ("outbox_message",)),
    "browsers": OwnDataPart(_each(KnownBrowser, "created_at", _browser), ("known_browser",)),
    "sessions": OwnDataPart(_each(SignInRow, "started_at", _session), ("sign_in",)),
    "begun": OwnDataPart(_each(Challenge, "created_at", _challenge), ("challenge",)),
    "kept_forms": OwnDataPart(_each(KeptForm, "created_at", _kept_form), ("kept_form",)),
    "activity": OwnDataPart(activity, ("audit_entry",)),
}  # each with the tables it is read from


def _person(person_id: str) -> Row[Any]:
    return _rows(Person, "created_at", person_id, key="id")[0]


def _rows(model: type[Base], order: str, person_id: str, *, key: str = "person_id") -> list[Row[Any]]:
    """Return the rows of a person, oldest first."""
    table = table_of(model)
    return list(db.session.execute(select(table).where(table.c[key] == person_id).order_by(table.c[order])))


def _whole_journal_of(person_id: str) -> list[audit.Entry]:
    """Return every entry about a person, newest first, those under the rows whose user code they linked too.

    Such a row never had a credential: until the linking, its entries say what was done with the code and the rights that
    this account holds since, and nothing of an earlier life of another person. Should the code have been another's, and linked
    by a person who had their slip and read their mail, the file says no more than the account already shows: what happened, when
    and in which enterprise, never a name or an address. What is written under that row after the linking stays out.
    """
    own = list(audit.whole_of(person_id))
    former = {str(each.details["former_person"]): each.at for each in own if each.event == audit.Event.USER_CODE_LINKED}
    earlier = (each for row, linked_at in former.items() for each in audit.whole_of(row) if each.at <= linked_at)
    return sorted((*own, *(_as_theirs(each, person_id) for each in earlier)), key=lambda each: (each.at, each.id))[::-1]


def _as_theirs(entry: audit.Entry, person_id: str) -> audit.Entry:
    """Return an entry of a row that was linked, with the account as the one who acted when the row itself did."""
    return replace(entry, actor_id=person_id) if entry.actor_id == entry.person_id else entry
