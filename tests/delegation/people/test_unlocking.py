"""Who opens the sign-in of somebody again: the rule, and the pages of a person."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from idp.accounts import services as accounts
from idp.accounts.sign_in.sign_in_services import check_password
from idp.audit import Actor
from idp.delegation import services
from idp.delegation.people import reproofing_services
from idp.delegation.people.domain.roles import MembershipStatus, Role
from idp.delegation.rights.domain import rules
from idp.errors import NotAllowedError
from idp.identifiers import UserCode

from ..conftest import VOUCHING

USER, PES, AR = Role.USER, Role.PES, Role.AUTHORIZED_REPRESENTATIVE


def a_member(role: Role = USER, *, enterprise: str = "e1", status: str = "active", person: str = "p") -> rules.Member:
    return rules.Member("m", person, enterprise, role, MembershipStatus(status))


@pytest.mark.parametrize(
    ("roles", "member", "elsewhere", "reasons"),
    [
        ({PES}, a_member(), (), ()),
        ({AR}, a_member(PES), (), ()),
        ({PES, AR}, a_member(PES), (a_member(),), ()),
        ({AR}, a_member(), (), (rules.DenialReason.ROLE_TOO_LOW,)),
        ({PES}, a_member(PES), (), (rules.DenialReason.ROLE_TOO_LOW,)),
        ({PES}, a_member(AR), (), (rules.DenialReason.ROLE_TOO_LOW,)),
        ({PES}, a_member(), (a_member(PES),), (rules.DenialReason.ROLE_TOO_LOW,)),
        ({USER}, a_member(), (), (rules.DenialReason.ROLE_TOO_LOW,)),
        (set(), a_member(), (), (rules.DenialReason.ROLE_TOO_LOW,)),
        ({PES}, a_member(), (a_member(enterprise="e2"),), (rules.DenialReason.OTHER_ENTERPRISE,)),
        ({PES}, a_member(status="suspended"), (), (rules.DenialReason.MEMBER_SUSPENDED,)),
        ({PES}, a_member(status="removed"), (), (rules.DenialReason.MEMBER_REMOVED,)),
        ({PES}, a_member(person="me"), (), (rules.DenialReason.TO_SELF,)),
    ],
)
def test_who_answers_for_whom(roles: set[Role], member: Any, elsewhere: Any, reasons: Any) -> None:
    """A PES for users, the AR for PES; for nobody who is more, elsewhere, suspended, or oneself."""
    assert rules.may_vouch(frozenset(roles), "me", member, elsewhere).reasons == reasons


def lock(who, world) -> None:  # type: ignore[no-untyped-def]
    for _ in range(5):
        check_password(UserCode.parse(who.user_code), "faux mot de passe", next_path="/", now=world.now)


def door(who, world) -> accounts.Lockout:  # type: ignore[no-untyped-def]
    return accounts.lockout_of(who.person_id, now=world.now)


@pytest.mark.bar("S-59")
@pytest.mark.parametrize(
    ("who", "whom", "may"),
    VOUCHING,
)
def test_the_service_opens_and_refuses_alike(licorne, world, who: str, whom: str, may: bool) -> None:  # type: ignore[no-untyped-def]
    """What the page hides, the service refuses (S-59)."""
    by, target = getattr(licorne, who), getattr(licorne, whom)
    lock(target, world)

    assert reproofing_services.may_unlock(licorne.id, target.membership_id, by=by.person_id, now=world.now) is may
    if may:
        assert reproofing_services.unlock(licorne.id, target.membership_id, by=by.person_id, now=world.now)
    else:
        with pytest.raises(NotAllowedError):
            reproofing_services.unlock(licorne.id, target.membership_id, by=by.person_id, now=world.now)
    assert (door(target, world).locked_until is None) is may


def test_somebody_who_has_not_activated_yet_is_helped_too(licorne, world) -> None:  # type: ignore[no-untyped-def]
    """Wrong temporary passwords lock the same counter."""
    added = services.create_user(
        licorne.id,
        given_name="Nadia",
        family_name="Roy",
        email="nadia@example.org",
        language="fr",
        by=licorne.pes.person_id,
        now=world.now,
    )
    for _ in range(5):
        check_password(added.user_code, "faux", next_path="/", now=world.now)

    assert reproofing_services.unlock(licorne.id, added.membership_id, by=licorne.pes.person_id, now=world.now)


def test_the_pes_sees_the_lock_and_opens_it(licorne, world, sign_in) -> None:  # type: ignore[no-untyped-def]
    """Since when and after how many tries; the page before says what it does; afterwards the person signs in."""
    pes, path = sign_in(licorne.pes), f"/people/{licorne.julie.membership_id}"
    assert 'id="unlock"' not in pes.text(path)
    assert pes.get(f"{path}/unlock").location == path
    lock(licorne.julie, world)
    assert "Connexion bloquée" in pes.text("/people")
    page = pes.text(path)
    assert "10\u00a0h\u00a015" in page
    assert "5 de suite" in page
    assert f'href="{path}/unlock"' in page
    assert "cinq fois au plus" in pes.text(f"{path}/unlock")

    answer = pes.post(f"{path}/unlock", page=f"{path}/unlock")

    assert answer.location == path
    assert "Nous l’en avons avisé" in pes.text(path)
    assert door(licorne.julie, world).is_open
    assert pes.post(f"{path}/unlock").location == path


def test_the_representative_sees_it_on_the_roster(licorne, world, sign_in) -> None:  # type: ignore[no-untyped-def]
    """For a PES, whom they open."""
    lock(licorne.pes, world)
    ar, path = sign_in(licorne.ar), f"/people/{licorne.pes.membership_id}"
    assert "Connexion bloquée" in ar.text("/roster")

    assert ar.post(f"{path}/unlock", page=f"{path}/unlock").location == path

    assert door(licorne.pes, world).is_open


def test_opening_asks_again_who_one_is(licorne, world, sign_in, clock) -> None:  # type: ignore[no-untyped-def]
    """Five minutes after the sign-in it wants a second factor first."""
    lock(licorne.julie, world)
    pes, path = sign_in(licorne.pes), f"/people/{licorne.julie.membership_id}/unlock"
    clock.advance(timedelta(minutes=5))

    asked = pes.post(path)

    assert asked.location.startswith("/confirm?next=")
    assert not accounts.lockout_of(licorne.julie.person_id, now=clock.now()).is_open


def test_the_fourth_time_of_a_day_is_refused(licorne, world, sign_in) -> None:  # type: ignore[no-untyped-def]
    """With a sentence, on the person's page; the pause stays."""
    pes, path = sign_in(licorne.pes), f"/people/{licorne.julie.membership_id}"
    for _ in range(3):
        lock(licorne.julie, world)
        pes.post(f"{path}/unlock")
    lock(licorne.julie, world)

    assert pes.post(f"{path}/unlock").location == path

    assert "trois fois en une journée" in pes.text(path)
    assert door(licorne.julie, world).failures == 20
    assert not door(licorne.julie, world).is_open


@pytest.mark.parametrize("who", ["julie", "ar", "stranger"])
def test_others_find_no_such_page(licorne, plumedor, world, sign_in, who: str) -> None:  # type: ignore[no-untyped-def]
    """A user, the representative (for a user), a PES of another enterprise: refused, and the pause stays."""
    lock(licorne.julie, world)
    browser = sign_in(plumedor.pes if who == "stranger" else licorne.ar if who == "ar" else licorne.omar)
    path = f"/people/{licorne.julie.membership_id}/unlock"

    for answer in (browser.get(path), browser.post(path)):
        assert answer.status_code in (403, 404)
    assert not door(licorne.julie, world).is_open


def test_a_frozen_account_is_shown_with_the_way_back(licorne, world, sign_in) -> None:  # type: ignore[no-untyped-def]
    """On the list and on the page; a slip may be made for it."""
    accounts.freeze(licorne.julie.person_id, actor=Actor.person(licorne.julie.person_id), now=world.now)
    pes, path = sign_in(licorne.pes), f"/people/{licorne.julie.membership_id}"

    assert "Accès gelé" in pes.text("/people")
    assert "son accès est rouvert" in pes.text(path)
    assert f'href="{path}/lost-factor"' in pes.text(path)
    assert pes.post(f"{path}/lost-factor", page=f"{path}/lost-factor").status_code == 200
