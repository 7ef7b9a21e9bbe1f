"""One person with something of everything: it is all in the file, and nothing that is secret or somebody else's (law L-2)."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import inspect, select, update

from idp import audit
from idp.accounts import services as accounts
from idp.accounts.credentials import recovery_code_services, security_notice_services
from idp.accounts.models import Passkey, Person, SignInRow
from idp.accounts.people import contact_services, email_change_services, name_services
from idp.accounts.recovery import recovery_services, reproofing_services
from idp.accounts.sessions.domain.sign_ins import SignIn
from idp.accounts.sign_in import kept_form_services
from idp.accounts.throttling import attempt_counter_services
from idp.audit import SYSTEM, Actor
from idp.clock import MovableClock
from idp.connectors.register_import import import_register
from idp.connectors.tax_import import import_tax_file
from idp.db import Base, db, new_id, transaction
from idp.delegation import services as delegation
from idp.delegation.people.domain.roles import Role
from idp.delegation.people.domain.verification import VerificationRecord
from idp.delegation.requests import request_services
from idp.delegation.rights import system_user_services
from idp.delegation.rights.domain.system_users import Wanted
from idp.delegation.subscriptions import subscription_services
from idp.enrollment import browser_services as enrolment_browsers
from idp.enrollment import models as enrolment_models
from idp.enrollment import services as enrolment
from idp.enrollment.domain.positions import Basis, Position
from idp.enrollment.domain.terms import TERMS_VERSION
from idp.identifiers import Neq, RevenuQuebecId, UserCode
from idp.my_data.gathering import PARTS
from idp.my_data.schema import MyData
from idp.oidc import models as oidc_models
from idp.support import services as support
from tests.accounts.conftest import latest_email_code
from tests.oidc.scenery import PASSWORD, SECRET, TOTP_SECRET, RelyingParty, Scenery, Someone, make_scenery

SYNTHETIC = Path(__file__).parents[2] / "examples" / "synthetic"
NUMBER = "9000000121"
NEW_ADDRESS = "julie.nouvelle@licorne.example"
SECRETS = re.compile(
    r"digest|hash|secret|sealed|handle|public_key|credential_id|challenge$|pairing|^fields|payload|nonce"
)


def put(model: type[Base], **values: Any) -> str:
    """Write a row that no service makes in a test of this size; return its id."""
    row_id = new_id()
    with transaction() as session:
        session.add(model(id=row_id, **values))
    return row_id


@pytest.fixture
def scenery(app: Flask, clock: MovableClock, tmp_path: Path) -> Scenery:
    made = make_scenery(app, clock, tmp_path)
    return replace(made, people=dict(made.people))  # the next test gets the same one


@pytest.fixture
def julie(scenery: Scenery, clock: MovableClock) -> Someone:
    """Julie, user, person in charge elsewhere, representative of a third, at the desk too, who had every trouble there is."""
    julie = scenery.people["julie"]
    RelyingParty(scenery).tokens(scenery.signed_in("julie"))
    julie = scenery.people["julie"] = Someone(julie.person_id, another_code(julie, clock))
    lived_with(julie, clock)
    changed_the_address(julie, clock)
    answered_for_enterprises(julie, scenery, clock)
    told_agencies(julie, scenery, clock)
    enrolled(julie, clock)
    support.appoint(julie.person_id, role="operator", agency_id=None, actor=SYSTEM, now=clock.now())
    return julie


def another_code(julie: Someone, clock: MovableClock) -> UserCode:
    """Activate a second code for the enterprise where she will be in charge: the first ends with her role as a user."""
    code = accounts.issue_user_code(julie.person_id, now=clock.now())  # type: ignore[arg-type]
    accounts.seed_credentials(
        julie.person_id, user_code=code, password=PASSWORD, totp_secret=TOTP_SECRET, now=clock.now()
    )
    return code


def lived_with(julie: Someone, clock: MovableClock) -> None:
    """Credentials, and what happens to them."""
    now, person_id = clock.now(), julie.person_id
    name_services.change(person_id, given_name="Julie", family_name="Deuxnoms", now=now)
    recovery_code_services.make(person_id, now=now)
    recovery_services.start(julie.code, former=None, now=now)
    reproofing_services.start(julie.code, by=SYSTEM, now=now)
    attempt_counter_services.take_try(attempt_counter_services.subject_of(person_id), now=now)
    kept_form_services.keep(person_id, "/delegation", [("what", "typed-by-julie")], now=now)
    with transaction():
        security_notice_services.note(person_id, "passkey:added", now=now)
    put(
        Passkey,
        person_id=person_id,
        credential_id="credential-of-julie",
        public_key="public-key-of-julie",
        sign_count=0,
        aaguid="00000000-0000-0000-0000-000000000000",
        transports=[],
        may_be_backed_up=True,
        is_backed_up=True,
        nickname="Clé bleue",
        created_at=now,
        revoked_at=now,
    )


def changed_the_address(julie: Someone, clock: MovableClock) -> None:
    """Another address, confirmed by the code sent there, and refused by its server since."""
    now = clock.now()
    row = db.session.scalars(select(SignInRow).where(SignInRow.person_id == julie.person_id)).one()
    sign_in = SignIn(row.sid, julie.person_id, row.user_code, row.auth_time, row.acr, tuple(row.amr), None)  # type: ignore[arg-type]
    token = email_change_services.begin(sign_in, NEW_ADDRESS, now=now)
    email_change_services.finish(sign_in, token, latest_email_code(), now=now)
    contact_services.note_refused(NEW_ADDRESS, 550, now)


def answered_for_enterprises(julie: Someone, scenery: Scenery, clock: MovableClock) -> None:
    """A right lost and a role ended, a subscription asked for, software approved, an enterprise enrolled."""
    now, pes = clock.now(), scenery.people["pes"].person_id
    assert request_services.ask(
        scenery.story,
        "amp",
        person_id=julie.person_id,
        blocks=frozenset({"005"}),
        until=(now + timedelta(days=20)).date(),
        reason="Je remplace Omar",
        now=now,
    )
    delegation.appoint(
        scenery.firm,
        julie.person_id,
        Role.PES,
        user_code=julie.code.signs,
        actor=SYSTEM,
        now=now + timedelta(seconds=1),
    )
    delegation.remove_member(scenery.story, scenery.memberships["julie"], by=pes, now=now)
    subscription_services.withdraw(scenery.firm, "amp", by=julie.person_id, now=now)
    blocks = ("001", "008")
    answers = {"is_client": "no", "contact_email": "services@licorne.example"}
    subscription_services.subscribe(scenery.firm, "amp", answers=answers, blocks=blocks, by=julie.person_id, now=now)
    until = (now + timedelta(days=20)).date()
    wanted = Wanted("rp4", "Comptabilité", frozenset({"001"}), until)
    system_user_services.approve(scenery.firm, "amp", wanted, by=julie.person_id, now=now)
    record = VerificationRecord(
        neq="1100000018",
        name="Brumeplume inc.",
        legal_form=None,
        method="online",
        verified_at=now,
        verified_by="system",
        evidence=("register",),
        file_id="test",
        authorized_representative=julie.person_id,
    )
    delegation.register_enterprise(record, actor=SYSTEM, now=now)


def told_agencies(julie: Someone, scenery: Scenery, clock: MovableClock) -> None:
    """A sign-out and an event, on their way."""
    now, person_id = clock.now(), julie.person_id
    put(
        oidc_models.LogoutRow,
        cause="test",
        client_id="rp1",
        agency_id="amp",
        person_id=person_id,
        sid="s" * 32,
        queued_at=now,
    )
    stream_id = put(
        oidc_models.EventStreamRow,
        client_id="watcher",
        agency_id="amp",
        method="poll",
        status="enabled",
        created_at=now,
    )
    event = {"kind": "session-revoked", "subject": {"sub": "the-sub-at-amp"}, "content": {}, "txn": "t"}
    put(
        oidc_models.SecurityEventRow,
        stream_id=stream_id,
        cause="test",
        event=event,
        person_id=person_id,
        enterprise_id=scenery.firm,
        queued_at=now,
    )


def enrolled(julie: Someone, clock: MovableClock) -> None:
    """A file under review, with everything a file may have, and its representative among the persons in charge."""
    now = clock.now()
    import_register(SYNTHETIC / "req", now)
    import_tax_file(SYNTHETIC / "revenu_quebec.csv", now)
    file_id = enrolment.start(language="fr", now=now)
    neq = Neq("1109876541")
    enrolment.save_neq(file_id, neq, now=now)
    enrolment.confirm_neq(file_id, enrolment.look_up(neq), now=now)  # type: ignore[arg-type]
    enrolment.save_revenu_quebec_id(file_id, RevenuQuebecId(NUMBER), now=now)
    facts = enrolment.Representative(
        given_name="Julie",
        family_name="Deuxnoms",
        birth_date=date(1984, 3, 2),
        position=Position.OTHER,
        basis=Basis.MANDATE,
        notice_number="ZZ2500777T",
        notice_year=2025,
        email=NEW_ADDRESS,
        phone="418 555-0142",
    )
    enrolment.save_representative(file_id, facts, now=now)
    file = enrolment_models.EnrolmentFile
    with transaction() as session:
        session.execute(
            update(file).values(
                email_confirmed_at=now, representative_id=julie.person_id, review_note="note-of-operator"
            )
        )
    enrolment.add_representative_as_nominee(file_id, now=now)
    enrolment.submit(file_id, terms_version=TERMS_VERSION, language="fr", now=now)
    enrolment.check(file_id, now=now)
    put(enrolment_models.Attempt, file_id=file_id, neq=neq.digits, kind="notice", at=now)
    code = {"file_id": file_id, "digest": "d" * 64, "expires_at": now}
    put(enrolment_models.MailedCode, ordered_at=now, **code)
    put(enrolment_models.EmailCode, purpose="confirm", sent_to=NEW_ADDRESS, sent_at=now, **code)
    enrolment_browsers.begin(file_id, device="Firefox, Linux", now=now)
    put(
        enrolment_models.Evidence,
        file_id=file_id,
        kind="mandate",
        file_name="mandat.pdf",
        media_type="application/pdf",
        size=12,
        sha256="e" * 64,
        content_sealed="sealed-content-of-julie",
        received_at=now,
    )


def taken(scenery: Scenery) -> str:
    """Sign in with a second factor and download the file."""
    answer = scenery.signed_in("julie").get("/account/data.json")
    assert answer.status_code == 200, answer.text
    return answer.text


@pytest.mark.bar("L-2")
@pytest.mark.databases
def test_there_is_something_of_everything_in_the_file(app: Flask, scenery: Scenery, julie: Someone) -> None:
    """No part is empty for somebody who has a row in every table that the rooms say they read."""
    told = MyData.model_validate_json(taken(scenery))

    covered = {name for part in PARTS.values() for name in part.tables}
    assert {name for name in covered if not db.session.execute(select(Base.metadata.tables[name])).first()} == set()
    assert {name for name, part in dict(told).items() if part in ([], None)} == set()
    (file,) = told.enrolments
    assert {name for name, part in dict(file).items() if part == []} <= {"reasons"}
    assert (file.birth_date, file.has_revenu_quebec_number, file.has_notice_number) == (date(1984, 3, 2), True, True)
    assert (told.person.email, told.person.wrong_tries, told.person.email_refused_at is None) == (NEW_ADDRESS, 0, False)
    assert [(change.former, change.confirmed_at is None) for change in told.address_changes] == [
        ("julie@licorne.example", False)
    ]
    assert {(role.role, role.status) for role in told.enterprises} >= {("user", "removed"), ("pes", "active")}
    ended = next(role for role in told.enterprises if role.status == "removed")
    assert {(grant.block, grant.given_by, grant.ended_at is None) for grant in ended.grants} == {
        ("001", "another", False),
        ("008", "another", False),
    }
    assert {factor.kind: factor.name for factor in told.credentials.factors}["passkey"] == "Clé bleue"
    assert told.credentials.recovery_codes[0].left == 10
    assert {signal.event for signal in told.signals} >= {"backchannel-logout", "session-revoked"}
    assert told.software[0].approved_by == "you"


@pytest.mark.bar("L-2")
def test_nothing_secret_and_nothing_of_anybody_else_is_in_the_file(
    scenery: Scenery, julie: Someone, keys_dir: Path
) -> None:
    """Every digest, key and sealed text of the database, and every name, address, code and id of the others, is searched."""
    body = taken(scenery)

    db.session.rollback()
    tables = {str(mapper.local_table.name): mapper.local_table for mapper in Base.registry.mappers}  # type: ignore[attr-defined]
    secret = {
        PASSWORD,
        TOTP_SECRET,
        SECRET,
        NUMBER,
        "ZZ2500777T",
        "note-of-operator",
        "typed-by-julie",
        "the-sub-at-amp",
    }
    secret |= {path.read_text(encoding="ascii").strip() for path in keys_dir.glob("*.key")}
    for table in tables.values():
        if not inspect(db.engine).has_table(table.name):
            continue
        for column in [column for column in table.c if SECRETS.search(column.name)]:
            secret |= {
                value for value in db.session.scalars(select(column)) if isinstance(value, str) and len(value) > 5
            }
    others = db.session.execute(select(Person).where(Person.id != julie.person_id)).scalars()
    strangers = {told for other in others for told in (other.id, other.email)}
    strangers |= {str(who.code) for name, who in scenery.people.items() if name != "julie"}
    assert len(secret) > 60
    assert len(strangers) > 10
    assert {each for each in secret | strangers if each in body} == set()


@pytest.mark.databases
def test_the_log_is_whole_however_long(app: Flask, scenery: Scenery, clock: MovableClock) -> None:
    """Page after page to the first entry; entries of one instant on both sides of a page are none of them lost."""
    julie, made = scenery.people["julie"], 1203
    with transaction():
        for _ in range(made):
            audit.record(
                audit.Event.SIGN_IN_REFUSED, actor=Actor.person("x"), person_id=julie.person_id, now=clock.now()
            )

    told = MyData.model_validate_json(taken(scenery))

    assert len([act for act in told.activity if act.event == audit.Event.SIGN_IN_REFUSED.value]) == made
    assert told.activity == sorted(told.activity, key=lambda act: act.at, reverse=True)


def test_what_waits_for_others_is_not_told(scenery: Scenery, clock: MovableClock) -> None:
    """Of the messages that have not left, those to or about the person alone."""
    julie, pes = scenery.people["julie"], scenery.people["pes"]
    with transaction():
        security_notice_services.note(pes.person_id, "passkey:added", now=clock.now())
    assert "security_notice" not in {notice.kind for notice in MyData.model_validate_json(taken(scenery)).notices}

    with transaction():
        security_notice_services.note(julie.person_id, "passkey:added", now=clock.now())

    assert "security_notice" in {notice.kind for notice in MyData.model_validate_json(taken(scenery)).notices}
