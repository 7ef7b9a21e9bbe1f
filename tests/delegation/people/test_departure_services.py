"""Somebody closes their account: nobody is left stuck, every right ends and is signalled once, whoever acts at the same time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from idp import audit
from idp.accounts import services as accounts
from idp.accounts.leaving import closing_services
from idp.accounts.sign_in import sign_in_services
from idp.clock import MovableClock, local_date
from idp.db import db
from idp.delegation import services
from idp.delegation.models import BlockGrant
from idp.delegation.people import departure_services
from idp.delegation.people.domain.roles import MembershipStatus, Role
from idp.delegation.rights import system_user_services
from idp.delegation.rights.domain import rules
from idp.delegation.rights.domain.rules import DenialReason
from idp.delegation.rights.domain.system_users import Wanted
from idp.errors import ConflictError
from idp.identifiers import UserCode
from idp.notices.services import deliver_due
from idp.oidc.authorization import consent_services
from idp.oidc.models import GrantRow
from tests.accounts.conftest import payloads
from tests.accounts.crossings import crossing
from tests.oidc.lasting import Server
from tests.oidc.listening import listening_address
from tests.oidc.scenery import lasting, load, make_scenery, registration

from ..conftest import PASSWORD, TOTP_SECRET, Browser, Business, Member, World
from ..test_races import at_once

ROUNDS = 4


def close(member: Member, world: World) -> None:
    closing_services.close(member.person_id, now=world.now)


def status_of(business: Business, member: Member) -> MembershipStatus:
    db.session.rollback()
    return services.membership(business.id, member.membership_id).status


def live_grants(member: Member) -> list[str]:
    db.session.rollback()
    return list(
        db.session.scalars(
            select(BlockGrant.block).where(
                BlockGrant.membership_id == member.membership_id, BlockGrant.revoked_at.is_(None)
            )
        )
    )


@pytest.mark.parametrize(
    ("role", "status", "active_pes", "is_active", "reason"),
    [
        (Role.USER, MembershipStatus.ACTIVE, 1, True, None),
        (Role.PES, MembershipStatus.ACTIVE, 2, True, None),
        (Role.PES, MembershipStatus.ACTIVE, 1, True, DenialReason.LAST_PES),
        (Role.PES, MembershipStatus.SUSPENDED, 1, True, None),
        (Role.PES, MembershipStatus.ACTIVE, 1, False, None),
        (Role.AUTHORIZED_REPRESENTATIVE, MembershipStatus.ACTIVE, 2, True, DenialReason.REPRESENTATIVE),
        (Role.AUTHORIZED_REPRESENTATIVE, MembershipStatus.ACTIVE, 2, False, DenialReason.REPRESENTATIVE),
    ],
)
def test_nobody_leaves_an_enterprise_stuck(
    role: Role, status: MembershipStatus, active_pes: int, is_active: bool, reason: DenialReason | None
) -> None:
    """The representative and the last active PES stay; another representative is the way out of a suspended enterprise."""
    member = rules.Member("m", "p", "e", role, status)

    decision = rules.may_leave(member, active_pes=active_pes, is_enterprise_active=is_active)

    assert decision.reasons == ((reason,) if reason else ())


@pytest.mark.databases
def test_every_right_ends_and_is_signalled_once(world: World, licorne: Business, plumedor: Business) -> None:
    """A user here, a PES and user there: one removal an enterprise and agency, one signal each, no grant left."""
    world.grant(licorne, licorne.julie, "001", "008")
    services.appoint(
        plumedor.id,
        licorne.julie.person_id,
        Role.PES,
        user_code=accounts.issue_user_code(licorne.julie.person_id, now=world.now).signs,
        actor=audit.SYSTEM,
        now=world.now,
    )
    services.appoint(plumedor.id, licorne.julie.person_id, Role.USER, user_code=None, actor=audit.SYSTEM, now=world.now)
    assert world.blocks(plumedor, licorne.julie) is not None
    told = len(payloads("rights_removed"))

    close(licorne.julie, world)

    signals = payloads("rights_removed")[told:]
    assert sorted((each["enterprise_id"], each["agency_id"]) for each in signals) == sorted(
        [(licorne.id, "amp"), (plumedor.id, "amp")]
    )
    assert {each["person_id"] for each in signals} == {licorne.julie.person_id}
    assert live_grants(licorne.julie) == []
    assert world.blocks(licorne, licorne.julie) is world.blocks(plumedor, licorne.julie) is None
    assert services.memberships_of(licorne.julie.person_id) == ()
    assert not departure_services.is_somewhere(licorne.julie.person_id)


def test_software_approved_by_who_leaves_stays(world: World, licorne: Business, plumedor: Business) -> None:
    """A system user belongs to the enterprise; so do the rights of others."""
    world.grant(licorne, licorne.omar, "001")
    wanted = Wanted("ledger", "Progiciel", frozenset({"008"}), rules.default_end(world.now))
    system = system_user_services.approve(licorne.id, "amp", wanted, by=licorne.pes.person_id, now=world.now)

    close(licorne.pes, world)

    assert services.authority(system, licorne.id, "amp", world.now) is not None
    assert world.blocks(licorne, licorne.omar) == ("001",)


@pytest.mark.databases
def test_the_last_person_in_charge_and_the_representative_stay(
    world: World, licorne: Business, sign_in: Callable[[Member], Browser]
) -> None:
    """The page says why and the way out, shows no button, and its POST does nothing; once somebody else is there, it goes."""
    assert licorne.marc.person_id != licorne.pes.person_id
    close(licorne.marc, world)
    for member, words in (
        (licorne.pes, ("vous en êtes le dernier responsable actif.", "en ajouter un autre")),
        (licorne.ar, ("vous en êtes le représentant autorisé.", "Appelez-nous")),
    ):
        browser = sign_in(member)
        page = browser.text("/account/close")
        assert all(each in page for each in words)
        assert 'id="close-account"' not in page
        answer = browser.post("/account/close", {"confirm": "y"})
        assert answer.status_code == 200
        with pytest.raises(ConflictError):
            close(member, world)
        assert accounts.is_open(member.person_id)
        assert status_of(licorne, member) is MembershipStatus.ACTIVE
    newcomer = world.member(licorne.id, "Noé Licorne", Role.PES)

    world.clock.advance(timedelta(seconds=30))
    browser = sign_in(licorne.pes)

    assert browser.post("/account/close", {"confirm": "y"}, page="/account/close").location == "/closed"
    assert status_of(licorne, licorne.pes) is MembershipStatus.REMOVED
    assert services.in_charge(licorne.id) == (newcomer.person_id,)


def test_those_who_remain_are_told_and_the_history_stays_readable(
    app: Flask, world: World, licorne: Business, sign_in: Callable[[Member], Browser]
) -> None:
    """A user’s PES, a PES’s colleagues and representative; journal, people, matrix, roster and “why?” go on."""
    world.grant(licorne, licorne.julie, "001")
    close(licorne.julie, world)
    assert sorted(each["to"] for each in payloads("member_left")) == sorted(
        [licorne.pes.person_id, licorne.marc.person_id]
    )
    close(licorne.marc, world)
    later = [each["to"] for each in payloads("member_left") if each["was_pes"]]
    assert sorted(later) == sorted([licorne.pes.person_id, licorne.ar.person_id])
    while deliver_due(world.now):
        pass
    pes = sign_in(licorne.pes)

    journal = pes.text("/journal")

    assert "Julie Licorne a fermé son compte et a donc quitté l’entreprise." in journal
    assert "Marc Licorne a fermé son compte" in journal
    about = pes.text(f"/journal?person={licorne.julie.person_id}")
    assert "a donné à Julie Licorne" in about
    for path in ("/people", "/agencies/amp/rights", "/roster", "/why"):
        assert "Julie Licorne" not in pes.text(path), path
    assert "Julie Licorne" in pes.text("/home")  # among the latest removals
    assert pes.get(f"/people/{licorne.julie.membership_id}").status_code == 200


def test_agencies_hold_nothing_of_a_closed_account(app: Flask, clock: MovableClock, tmp_path: Path) -> None:
    """At once: no userinfo, no refresh, no code redeemed, no consent, no grant left; what outlived its session is told too."""
    scenery = make_scenery(app, clock, tmp_path)
    with listening_address() as there:
        there.status = 200
        offline = {each["client_id"]: each for each in lasting()}["offline1"]
        load(app, clock, tmp_path, offline | {"backchannel_logout_uri": there.url}, registration("rp1"))
        rp, julie = Server(scenery), scenery.browser()
        tokens = rp.tokens(julie)
        person_id = scenery.people["julie"].person_id
        accounts.end_sign_ins_of(person_id, now=clock.now())
        while deliver_due(clock.now()):
            pass
        heard = len(there.received)  # the session is over; the refresh token is not
        db.session.commit()
        assert rp.introspect(tokens["refresh_token"])["active"]
        clock.advance(timedelta(seconds=30))
        code = rp.code(scenery.browser())
        assert consent_services.of_person(person_id) != ()
        db.session.commit()

        closing_services.close(person_id, now=clock.now())
        db.session.commit()

        assert rp.token(code).status_code == 400
        assert not rp.introspect(tokens["refresh_token"])["active"]
        assert rp.refresh(tokens["refresh_token"]).get_json()["error"] == "invalid_grant"
        assert rp.userinfo(tokens["access_token"]).status_code == 401
        assert consent_services.of_person(person_id) == ()
        given = select(GrantRow.revoked_at).where(GrantRow.person_id == person_id)
        assert set(db.session.scalars(given)) == {clock.now()}  # and not only by the rights that ended
        events = [entry.event for entry in audit.entries(person_id=person_id)]
        assert events.count("consent:withdrawn") == 1
        while deliver_due(clock.now()):
            pass
        told = len(there.received)
    assert told > heard  # outside: a test that fails inside leaves the address listening


@pytest.mark.race
@pytest.mark.databases
def test_no_right_survives_a_closing_beside_a_grant(app: Flask, world: World, licorne: Business) -> None:
    """Whatever the order: no live grant, no authority, and one signal for what was lost."""
    for turn in range(ROUNDS):
        user = world.member(licorne.id, f"Élan{turn} Licorne", Role.USER)
        world.grant(licorne, user, "001")

        def grant(user: Member = user) -> None:
            world.grant(licorne, user, "008", "019")

        at_once(app, lambda user=user: close(user, world), grant)  # type: ignore[misc]

        assert live_grants(user) == []
        assert world.blocks(licorne, user) is None
        lost = [
            set(each.blocks) for each in services.removals(licorne.id, limit=1000) if each.person_id == user.person_id
        ]
        assert sorted(map(sorted, lost)) in ([["001"]], [["001"], ["008", "019"]])


@pytest.mark.race
@pytest.mark.databases
def test_two_last_pes_who_leave_at_once_leave_one(app: Flask, world: World, licorne: Business) -> None:
    """One goes, the other is told that they cannot (security-bar.md R-6)."""
    pair = (licorne.pes, licorne.marc)
    for turn in range(ROUNDS):
        outcomes = at_once(app, *(lambda member=member: close(member, world) for member in pair))  # type: ignore[misc]

        assert sorted(isinstance(outcome, ConflictError) for outcome in outcomes) == [False, True]
        left = services.in_charge(licorne.id)
        assert len(left) == 1
        stays = next(member for member in pair if member.person_id == left[0])
        pair = (stays, world.member(licorne.id, f"Nouvel{turn} Licorne", Role.PES))


@pytest.mark.race
@pytest.mark.databases
def test_nobody_is_appointed_once_they_left(app: Flask, world: World, licorne: Business, plumedor: Business) -> None:
    """A role given elsewhere at the same moment either keeps the account open, or is refused."""
    for turn in range(ROUNDS):
        user = world.member(licorne.id, f"Élan{turn} Licorne", Role.USER)
        other = accounts.issue_user_code(user.person_id, now=world.now)
        db.session.commit()

        def appoint(user: Member = user, other: UserCode = other) -> None:
            services.appoint(
                plumedor.id, user.person_id, Role.USER, user_code=other.signs, actor=audit.SYSTEM, now=world.now
            )

        at_once(app, lambda user=user: close(user, world), appoint)  # type: ignore[misc]

        closed = not accounts.is_open(user.person_id)
        assert not (closed and services.memberships_of(user.person_id))
        db.session.rollback()


@pytest.mark.race
@pytest.mark.databases
def test_no_sign_in_survives_a_closing_beside_it(app: Flask, world: World, licorne: Business) -> None:
    """A second factor shown at the very moment opens nothing that lasts."""
    for turn in range(ROUNDS):
        user = world.member(licorne.id, f"Élan{turn} Licorne", Role.USER)
        first = sign_in_services.check_password(
            UserCode.parse(user.user_code), PASSWORD, next_path="/home", now=world.now
        )
        assert first.token is not None

        def enter(token: str = first.token) -> object:
            code = _otp(world)
            return sign_in_services.check_second_factor(token, code, former=None, device="", now=world.now)

        at_once(app, lambda user=user: close(user, world), enter)  # type: ignore[misc]

        assert accounts.open_sign_ins(user.person_id, now=world.now) == ()
        db.session.rollback()


@pytest.mark.race
@pytest.mark.databases
@pytest.mark.parametrize("so_far", ["UPDATE totp_device", "UPDATE challenge"])
def test_a_closing_that_has_the_code_and_a_sign_in_that_has_the_person(
    app: Flask, world: World, licorne: Business, so_far: str
) -> None:
    """The code leaves the enterprise, the second factor is right: both go on, and no session is left."""
    user = world.member(licorne.id, "Élan Licorne", Role.USER)
    code = UserCode.parse(user.user_code)
    token = sign_in_services.check_password(code, PASSWORD, next_path="/home", now=world.now).token
    digits, now = _otp(world), world.now

    answers = crossing(
        app,
        ("UPDATE user_code", lambda: close(user, world)),
        (so_far, lambda: sign_in_services.check_second_factor(token, digits, former=None, device="", now=now)),
    )

    assert not [each for each in answers if isinstance(each, Exception)]
    assert accounts.open_sign_ins(user.person_id, now=now) == ()


def _otp(world: World) -> str:
    import pyotp

    return pyotp.TOTP(TOTP_SECRET).at(int(world.now.timestamp()))


@pytest.mark.databases
def test_a_person_who_left_is_given_nothing_more(world: World, licorne: Business) -> None:
    """No role, no code, no rights: the people of the enterprise are told that they are gone."""
    close(licorne.julie, world)
    until = local_date(world.now) + timedelta(days=30)

    for act in (
        lambda: services.appoint(
            licorne.id, licorne.julie.person_id, Role.PES, user_code="AAAA0000", actor=audit.SYSTEM, now=world.now
        ),
        lambda: world.grant(licorne, licorne.julie, "001"),
        lambda: services.grant(
            licorne.id,
            licorne.julie.membership_id,
            "amp",
            blocks=("001",),
            until=until,
            granted_by=licorne.pes.person_id,
            now=world.now,
        ),
    ):
        with pytest.raises(Exception, match=r"closed|removed"):
            act()
