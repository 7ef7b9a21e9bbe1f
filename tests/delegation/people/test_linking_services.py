"""Somebody of one enterprise receives a code of another, and adds it to the account they have."""

from __future__ import annotations

import html
from collections.abc import Callable
from datetime import timedelta

import pyotp
import pytest
from flask import Flask
from sqlalchemy import func, select, update

from idp import audit
from idp.accounts import services as accounts
from idp.accounts.models import Person
from idp.accounts.sessions.domain.sign_ins import SignIn
from idp.accounts.sessions.session_services import account_status, begin_sign_in
from idp.accounts.user_codes import activation_services, linking_services
from idp.accounts.user_codes.linking_services import Prospect
from idp.audit import SYSTEM, Event
from idp.db import db, transaction
from idp.delegation import services
from idp.delegation.models import EnterpriseVerification, Membership, Projection, Removal
from idp.delegation.people.domain.roles import Role
from idp.delegation.people.newcomer_services import Newcomer
from idp.errors import ConflictError
from idp.my_data.gathering import whole

from ...accounts.conftest import payloads
from ..conftest import TOTP_SECRET, Browser, Business, Member, World
from ..test_races import at_once

SignInAs = Callable[[Member], Browser]


def invite(world: World, business: Business, name: str = "Julie Licorne") -> Newcomer:
    """Create a user of *business*, as its PES does, under the same name and another address."""
    given_name, family_name = name.split(" ")
    return services.create_user(
        business.id,
        given_name=given_name,
        family_name=family_name,
        email="julie@firme.example",
        language="fr",
        by=business.pes.person_id,
        now=world.now,
    )


def proved(world: World, newcomer: Newcomer) -> str:
    """Go through the slip and the code by e-mail."""
    assert newcomer.temporary
    start = activation_services.start(newcomer.user_code, newcomer.temporary.secret, next_path="/home", now=world.now)
    activation_services.confirm_email(start.token, str(payloads("email_code")[-1]["code"]), now=world.now)
    assert start.token
    return start.token


def signed_in(world: World, member: Member) -> SignIn:
    signs = member.user_code.replace("-", "")
    with transaction():
        signed = begin_sign_in(
            account_status(member.person_id, signs), device="", former=None, next_path="/", now=world.now
        )
    return signed.sign_in


def link(world: World, newcomer: Newcomer, member: Member) -> Prospect | None:
    token = proved(world, newcomer)
    return linking_services.link(token, signed_in(world, member), now=world.now)


def roles(person_id: str) -> dict[str, Role]:
    db.session.rollback()
    return {view.enterprise_id: view.role for view in services.memberships_of(person_id)}


@pytest.mark.databases
def test_memberships_rights_and_journal_pass_to_the_account(
    world: World, licorne: Business, plumedor: Business
) -> None:
    """One person is then in both enterprises; what was granted to the new code is theirs, and no agency is told a loss."""
    newcomer = invite(world, plumedor)
    world.grant(plumedor, Member(newcomer.person_id, "", newcomer.membership_id, ""), "001", "008")  # type: ignore[arg-type]
    world.grant(licorne, licorne.julie, "018")
    told = len(payloads("rights_removed"))

    done = link(world, newcomer, licorne.julie)

    assert done is not None
    assert done.enterprise == "CPA Plumedor & Associés s.e.n.c.r.l."
    assert roles(licorne.julie.person_id) == {licorne.id: Role.USER, plumedor.id: Role.USER}
    assert roles(newcomer.person_id) == {}
    assert world.blocks(plumedor, licorne.julie) == ("001", "008")
    assert world.blocks(licorne, licorne.julie) == ("018",)
    assert len(payloads("rights_removed")) == told
    entries = [one for one in audit.entries(enterprise_id=plumedor.id, limit=50) if one.event == Event.MEMBER_LINKED]
    assert [one.person_id for one in entries] == [licorne.julie.person_id]
    view = next(one for one in services.members(plumedor.id) if one.id == newcomer.membership_id)
    assert (view.person_id, view.user_code) == (licorne.julie.person_id, str(newcomer.user_code))


def test_nothing_refers_to_the_row_that_was_left(world: World, licorne: Business, plumedor: Business) -> None:
    """No table of delegation names it any more, and it is closed."""
    newcomer = invite(world, plumedor)
    world.grant(plumedor, Member(newcomer.person_id, "", newcomer.membership_id, ""), "001", "008")  # type: ignore[arg-type]
    world.grant(plumedor, Member(newcomer.person_id, "", newcomer.membership_id, ""), "001")  # type: ignore[arg-type]
    link(world, newcomer, licorne.julie)

    for column in (
        Membership.person_id,
        Projection.person_id,
        Removal.person_id,
        EnterpriseVerification.authorized_representative,
    ):
        assert db.session.scalar(select(func.count()).where(column == newcomer.person_id)) == 0, column
    assert accounts.is_closed(newcomer.person_id)


@pytest.mark.databases
def test_somebody_already_there_is_refused(world: World, licorne: Business) -> None:
    """A second code in the same enterprise joins nothing: the sentence names it, and the code stays free."""
    newcomer = invite(world, licorne)

    done = link(world, newcomer, licorne.julie)

    assert done is not None
    assert not done.is_possible
    assert "Construction Haute-Licorne inc." in done.objections[0].why
    assert roles(newcomer.person_id) == {licorne.id: Role.USER}
    assert accounts.user_codes([str(newcomer.user_code)])[str(newcomer.user_code)].activated_at is None


@pytest.mark.databases
@pytest.mark.race
def test_two_codes_of_one_enterprise_do_not_both_join(
    app: Flask, world: World, licorne: Business, plumedor: Business
) -> None:
    """Two browsers of one person link two codes of the same enterprise at once: one joins, the other is refused whole."""
    newcomers = (invite(world, plumedor), None)
    other = services.create_user(
        plumedor.id,
        given_name="Julie",
        family_name="Licorne",
        email="j@firme.example",
        language="fr",
        by=plumedor.pes.person_id,
        now=world.now,
    )
    tokens = [proved(world, each) for each in (newcomers[0], other) if each]
    sign_ins = [signed_in(world, licorne.julie) for _ in tokens]
    now = world.now

    def attempt(place: int):  # type: ignore[no-untyped-def]
        return lambda: linking_services.link(tokens[place], sign_ins[place], now=now)

    answers = at_once(app, attempt(0), attempt(1))

    linked = [one for one in answers if isinstance(one, Prospect) and one.is_possible]
    assert len(linked) == 1
    assert all(isinstance(one, Prospect | ConflictError) for one in answers)
    assert roles(licorne.julie.person_id) == {licorne.id: Role.USER, plumedor.id: Role.USER}


def test_a_code_taken_back_meanwhile_joins_nothing(world: World, licorne: Business, plumedor: Business) -> None:
    """The person in charge removed the newcomer between the slip and the button: the activation is over."""
    newcomer = invite(world, plumedor)
    token = proved(world, newcomer)
    services.remove_member(plumedor.id, newcomer.membership_id, by=plumedor.pes.person_id, now=world.now)

    assert linking_services.link(token, signed_in(world, licorne.julie), now=world.now) is None
    assert roles(licorne.julie.person_id) == {licorne.id: Role.USER}


def test_a_representative_keeps_what_their_enrolment_proved(
    world: World, licorne: Business, plumedor: Business
) -> None:
    """The record of the verification names the account from then on."""
    newcomer = invite(world, plumedor)
    db.session.execute(
        update(EnterpriseVerification)
        .where(EnterpriseVerification.enterprise_id == plumedor.id)
        .values(authorized_representative=newcomer.person_id)
    )
    db.session.commit()

    link(world, newcomer, licorne.julie)

    assert services.verification(plumedor.id).authorized_representative == licorne.julie.person_id


def test_one_person_signs_in_with_either_code_and_chooses(
    app: Flask, world: World, licorne: Business, plumedor: Business
) -> None:
    """Slip, code by e-mail, “I already have an account”, sign-in, one button; then both codes open both enterprises."""
    newcomer = invite(world, plumedor)
    assert newcomer.temporary
    browser = Browser(app)
    slip = {"user_code": str(newcomer.user_code), "temporary_password": newcomer.temporary.grouped}
    browser.post("/activate", slip, page="/activate")
    code = str(payloads("email_code")[-1]["code"])
    browser.post("/activate/code", {"email_code": code}, page="/activate/code")
    assert 'href="/activate/link"' in browser.text("/activate/password")
    wanted = browser.get("/activate/link").location
    assert wanted == "/sign-in?next=%2Factivate%2Flink"
    first = {"username": licorne.julie.user_code, "password": "trois petits bateaux verts"}
    browser.post(wanted, first, page=wanted)
    otp = pyotp.TOTP(TOTP_SECRET).at(int(world.now.timestamp()))
    assert browser.post("/sign-in/code", {"otp": otp}, page="/sign-in/code").location.endswith("/activate/link")
    page = browser.text("/activate/link")
    assert "CPA Plumedor &amp; Associés" in page
    assert newcomer.user_code.masked in page
    assert str(newcomer.user_code) not in page
    assert "Julie Licorne" in page

    assert browser.post("/activate/link", page="/activate/link").location == "/home"

    for number, user_code in enumerate((licorne.julie.user_code, str(newcomer.user_code)), 1):
        world.clock.advance(timedelta(seconds=30 * number))
        member = Member(licorne.julie.person_id, user_code, "", "")
        chooser = Browser(app).sign_in(member, world.now).text("/enterprises")
        assert "Construction Haute-Licorne" in chooser
        assert "CPA Plumedor" in chooser
    assert db.session.scalar(select(func.count()).where(Person.id == licorne.julie.person_id)) == 1


@pytest.mark.databases
def test_whoever_gave_the_code_reads_that_it_joined_an_account(
    world: World, licorne: Business, plumedor: Business, sign_in: SignInAs
) -> None:
    """Their page of the person says so, with the date, and nothing of where that account comes from; nobody else's does."""
    newcomer = invite(world, plumedor)
    told = {"fr": "a ajouté ce code d’utilisateur au compte qu’elle avait déjà", "en": "to an account they already had"}
    day = {"fr": "Le 23 novembre 2026,", "en": "On November 23, 2026,"}
    giver, other = sign_in(plumedor.pes), sign_in(licorne.pes)
    before = giver.text(f"/people/{newcomer.membership_id}?lang=fr")

    link(world, newcomer, licorne.julie)

    assert told["fr"] not in before
    for language, sentence in told.items():
        page = html.unescape(giver.text(f"/people/{newcomer.membership_id}?lang={language}"))
        assert sentence in page
        assert day[language] in page.replace("\xa0", " ")
        assert "Licorne inc" not in page
        assert licorne.julie.user_code not in page
        assert sentence not in html.unescape(other.text(f"/people/{licorne.julie.membership_id}?lang={language}"))


def test_a_code_given_later_joined_nothing(world: World, licorne: Business, plumedor: Business) -> None:
    """Removed and added again with the account's own new code: the page does not repeat what was true of the former one."""
    newcomer = invite(world, plumedor)
    link(world, newcomer, licorne.julie)
    later = accounts.issue_user_code(licorne.julie.person_id, now=world.now)
    first = services.membership(plumedor.id, newcomer.membership_id)
    services.remove_member(plumedor.id, first.id, by=plumedor.pes.person_id, now=world.now)
    again = services.appoint(
        plumedor.id,
        licorne.julie.person_id,
        Role.USER,
        user_code=later.signs,
        actor=SYSTEM,
        now=world.now,
    )

    assert services.linked_at(first) == world.now
    assert services.linked_at(services.membership(plumedor.id, again)) is None


@pytest.mark.databases
def test_the_file_of_the_account_tells_what_was_done_with_the_code_before(
    world: World, licorne: Business, plumedor: Business
) -> None:
    """What was written under the row that was left is theirs, up to the linking, in order; nobody else's entry comes along."""
    newcomer = invite(world, plumedor)
    world.clock.advance(timedelta(minutes=1))
    world.grant(plumedor, Member(newcomer.person_id, "", newcomer.membership_id, ""), "001")  # type: ignore[arg-type]
    world.clock.advance(timedelta(minutes=1))
    link(world, newcomer, licorne.julie)
    linked_at = world.now
    world.clock.advance(timedelta(minutes=1))
    with transaction():
        audit.record(Event.FROZEN, actor=SYSTEM, person_id=newcomer.person_id, now=world.now)

    told = whole(licorne.julie.person_id, world.now).activity

    theirs = [act for act in told if act.enterprise == plumedor.id]
    assert [act.event for act in theirs] == [Event.MEMBER_LINKED, Event.GRANTED, Event.MEMBER_APPOINTED]
    spent = next(act for act in told if act.event == Event.TEMPORARY_PASSWORD_USED)
    assert (spent.by, spent.at) == ("you", linked_at)
    assert not [act for act in told if act.event == Event.FROZEN]
    assert told == sorted(told, key=lambda act: act.at, reverse=True)
    assert len(told) == len(list(audit.whole_of(licorne.julie.person_id))) + len(
        [one for one in audit.whole_of(newcomer.person_id) if one.at <= linked_at]
    )
    assert {act.enterprise for act in told} == {licorne.id, plumedor.id, None}
    assert plumedor.id not in {act.enterprise for act in whole(licorne.marc.person_id, world.now).activity}
