"""Gathering what accounts keep about one person, for the file that they may take away."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from sqlalchemy import Row, case, func, select

from .. import audit
from ..db import db, table_of
from ..identifiers import UserCode
from ..notices import services as notices
from .challenges.challenge_models import EmailChange, KnownBrowser
from .challenges.challenge_models import KeptForm as KeptFormRow
from .models import Challenge, GuessCounter, NameChange, Passkey, Password, Person, RecoveryCode, SignInRow, TotpDevice
from .models import UserCodeRow as CodeRow
from .my_data import (
    Act,
    AddressChange,
    Begun,
    Browser,
    Code,
    Credentials,
    Factor,
    FormerName,
    Identity,
    KeptForm,
    Notice,
    Own,
    Recovery,
    RecoveryCodes,
    SecurityChange,
    Session,
    actor_word,
    by_word,
)
from .my_data import Reproofing as TakenReproofing
from .people.contact_services import contact
from .recovery.recovery_models import PasswordRecovery, Reproofing, SecurityNotice
from .throttling.attempt_counters import subject_of

TABLES = frozenset(
    {
        "person",
        "guess_counter",
        "contact_point",
        "name_change",
        "email_change",
        "user_code",
        "password",
        "totp_device",
        "passkey",
        "recovery_code",
        "password_recovery",
        "reproofing",
        "security_notice",
        "outbox_message",
        "known_browser",
        "sign_in",
        "challenge",
        "kept_form",
        "audit_entry",
    }
)  # what these functions read


def of_person(person_id: str) -> Own:
    """Gather all of it; nothing is left out for being old, ended or removed."""
    person = _rows(Person, "created_at", person_id, key="id")[0]
    return Own(
        person=_identity(person),
        former_names=[
            FormerName(given_name=row.former_given_name, family_name=row.former_family_name, corrected_at=row.at)
            for row in _rows(NameChange, "at", person_id)
        ],
        address_changes=[
            AddressChange(
                former=row.former,
                wanted=row.wanted,
                asked_at=row.created_at,
                confirmed_at=row.confirmed_at,
                undone_at=row.undone_at,
            )
            for row in _rows(EmailChange, "created_at", person_id)
        ],
        user_codes=[
            Code(
                user_code=str(UserCode(row.code)),
                state=row.state,
                issued_at=row.issued_at,
                revealed_at=row.revealed_at,
                first_used_at=row.first_used_at,
                activated_at=row.activated_at,
                revoked_at=row.revoked_at,
            )
            for row in _rows(CodeRow, "issued_at", person_id)
        ],
        credentials=_credentials(person_id),
        recoveries=[
            Recovery(state=row.state, began_at=row.created_at, code_sent_at=row.code_sent_at, expires_at=row.expires_at)
            for row in _rows(PasswordRecovery, "created_at", person_id)
        ],
        reproofings=[_reproofing(row, person_id) for row in _rows(Reproofing, "started_at", person_id)],
        security_changes=[
            SecurityChange(what=row.what, device=row.device, at=row.at, is_told=row.batch is not None)
            for row in _rows(SecurityNotice, "at", person_id)
        ],
        notices=[
            Notice(kind=each.kind, written_at=each.written_at, state=each.state)
            for each in notices.unsent_of(person_id, person.email)
        ],
        browsers=[
            Browser(
                device=row.device,
                first_seen_at=row.created_at,
                seen_at=row.seen_at,
                forgotten_at=row.revoked_at or row.expires_at,
            )
            for row in _rows(KnownBrowser, "created_at", person_id)
        ],
        sessions=[_session(row) for row in _rows(SignInRow, "started_at", person_id)],
        begun=[
            Begun(
                kind=row.kind,
                step=row.step,
                began_at=row.created_at,
                expires_at=row.expires_at,
                ended_at=row.ended_at,
            )
            for row in _rows(Challenge, "created_at", person_id)
        ],
        kept_forms=[
            KeptForm(kept_at=row.created_at, until=row.expires_at, given_back_at=row.used_at)
            for row in _rows(KeptFormRow, "created_at", person_id)
        ],
        activity=_activity(_whole_journal_of(person_id), person_id),
    )


def _rows(model: type[Any], order: str, person_id: str, *, key: str = "person_id") -> list[Row[Any]]:
    """Return the rows of a person, oldest first."""
    table = table_of(model)
    return list(db.session.execute(select(table).where(table.c[key] == person_id).order_by(table.c[order])))


def _identity(person: Row[Any]) -> Identity:
    known = contact(person.email)
    tries = _rows(GuessCounter, "changed_at", subject_of(person.id), key="subject")
    return Identity(
        given_name=person.given_name,
        family_name=person.family_name,
        email=person.email,
        email_confirmed_at=known.confirmed_at,
        email_refused_at=known.bounced_at,
        language=person.language,
        access=person.access,
        required_level=person.required_level,
        created_at=person.created_at,
        last_sign_in_at=person.last_sign_in_at,
        previous_sign_in_at=person.previous_sign_in_at,
        wrong_tries=tries[0].failures if tries else 0,
        blocked_until=tries[0].locked_until if tries else None,
    )


def _credentials(person_id: str) -> Credentials:
    passwords = _rows(Password, "set_at", person_id)
    applications = [_factor("application", row, None, None) for row in _rows(TotpDevice, "created_at", person_id)]
    passkeys = [
        _factor("passkey", row, row.aaguid, row.is_backed_up) for row in _rows(Passkey, "created_at", person_id)
    ]
    codes = table_of(RecoveryCode)
    serves = codes.c.used_at.is_(None) & codes.c.revoked_at.is_(None)
    made = db.session.execute(
        select(
            codes.c.created_at,
            func.sum(case((serves, 1), else_=0)).label("left"),
            func.count(codes.c.used_at).label("used"),
        )
        .where(codes.c.person_id == person_id)
        .group_by(codes.c.created_at)
        .order_by(codes.c.created_at)
    )
    return Credentials(
        password_set_at=passwords[0].set_at if passwords else None,
        factors=[*applications, *passkeys],
        recovery_codes=[RecoveryCodes(made_at=row.created_at, left=row.left, used=row.used) for row in made],
    )


def _factor(kind: Any, row: Row[Any], model: str | None, is_backed_up: bool | None) -> Factor:
    return Factor(
        kind=kind,
        name=row.nickname,
        model=model,
        is_backed_up=is_backed_up,
        added_at=row.created_at,
        last_used_at=row.last_used_at,
        removed_at=row.revoked_at,
    )


def _reproofing(row: Row[Any], person_id: str) -> TakenReproofing:
    return TakenReproofing(
        user_code=str(UserCode(row.user_code)),
        state=row.state,
        began_at=row.started_at,
        began_by=by_word(row.started_by, person_id),
        serves_from=row.serves_from,
        expires_at=row.expires_at,
        ended_at=row.ended_at,
    )


def _session(row: Row[Any]) -> Session:
    return Session(
        device=row.device,
        user_code=str(UserCode(row.user_code)),
        enterprise=row.enterprise_id,
        level=row.acr,
        factors=list(row.amr),
        started_at=row.started_at,
        seen_at=row.seen_at,
        expires_at=row.expires_at,
        ended_at=row.ended_at,
    )


def _whole_journal_of(person_id: str) -> list[audit.Entry]:
    """Return every entry about a person, newest first, those under the rows whose user code they linked too.

    Such a row never had a credential: until the linking, its entries tell what was done with the code and the rights that
    this account holds since, and nothing of an earlier life of somebody else. Should the code have been another's, and linked
    by whoever held their slip and read their mail, the file says no more than the account already shows: what happened, when
    and in which enterprise, never a name or an address. What is written under that row after the linking stays out.
    """
    own = list(audit.whole_of(person_id))
    former = {str(each.details["former_person"]): each.at for each in own if each.event == audit.Event.USER_CODE_LINKED}
    earlier = (each for row, linked_at in former.items() for each in audit.whole_of(row) if each.at <= linked_at)
    return sorted((*own, *(_as_theirs(each, person_id) for each in earlier)), key=lambda each: (each.at, each.id))[::-1]


def _as_theirs(entry: audit.Entry, person_id: str) -> audit.Entry:
    """Return an entry of a row that was linked, with the account as the one who acted when the row itself did."""
    return replace(entry, actor_id=person_id) if entry.actor_id == entry.person_id else entry


def _activity(entries: Iterable[audit.Entry], person_id: str) -> list[Act]:
    return [
        Act(
            at=entry.at,
            event=entry.event,
            by=actor_word(entry.actor_kind, entry.actor_id, person_id),
            agency=entry.agency_id,
            enterprise=entry.enterprise_id,
        )
        for entry in entries
    ]
