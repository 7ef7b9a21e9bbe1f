"""Who acts on a person answers for all the roles of that person here, whichever of them the page is about."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import combinations

import pytest

from idp.accounts import services as accounts
from idp.accounts.user_codes.activation_services import StartRefusal, activation, start
from idp.audit import SYSTEM
from idp.delegation import services
from idp.delegation.people.domain.roles import MembershipStatus, Role
from idp.delegation.people.newcomer_services import Newcomer
from idp.delegation.people.reproofing_services import may_reprove, may_unlock, reprove
from idp.delegation.people.vouching_services import may_vouch_name
from idp.delegation.rights.domain import rules
from idp.errors import NotAllowedError

from ..conftest import Browser, Business, Member, World
from .test_linking_services import invite, link

AR, PES, USER = Role.AUTHORIZED_REPRESENTATIVE, Role.PES, Role.USER
SETS = [frozenset(some) for size in (1, 2, 3) for some in combinations((AR, PES, USER), size)]
NAMED_BY = {AR: None, PES: AR, USER: PES}
SignInAs = Callable[[Member], Browser]


def _in_words(roles: frozenset[Role]) -> str:
    return "+".join(sorted(roles))


@pytest.mark.parametrize("actor", SETS, ids=_in_words)
@pytest.mark.parametrize("target", SETS, ids=_in_words)
def test_it_takes_authority_over_the_highest_role_whatever_the_page(
    actor: frozenset[Role], target: frozenset[Role]
) -> None:
    """A slip, a name vouched for, a re-proofing, a sign-in opened again: roles of both sides together, never oneself."""
    highest = next(role for role in (AR, PES, USER) if role in target)
    everywhere = tuple(rules.Member(f"m-{role}", "them", "here", role, MembershipStatus.ACTIVE) for role in target)

    for member in everywhere:
        slip = rules.may_answer_for(actor, "me", member, target)
        assert bool(slip) is (NAMED_BY[highest] in actor)
        proof = rules.may_vouch(actor, "me", member, everywhere)
        assert bool(proof) is all(NAMED_BY[role] in actor for role in target)
        assert not proof or slip
        assert not rules.may_answer_for(actor, "them", member, target)
        assert not rules.may_vouch(actor, "them", member, everywhere)


def named_in_charge(world: World, business: Business, newcomer_email: str, name: tuple[str, str]) -> Newcomer:
    return services.add_pes(
        business.id,
        given_name=name[0],
        family_name=name[1],
        email=newcomer_email,
        language="fr",
        by=business.ar.person_id,
        now=world.now,
    )


def opens(newcomer: Newcomer, world: World) -> bool:
    """Tell whether the slip still begins an activation."""
    assert newcomer.temporary is not None
    return start(newcomer.user_code, newcomer.temporary.secret, next_path="/", now=world.now).token is not None


@pytest.mark.databases
def test_a_new_role_takes_a_new_slip_which_only_its_giver_makes(
    world: World, licorne: Business, sign_in: SignInAs
) -> None:
    """The PES who made the slip of the user can neither use it, nor make another, through either role."""
    user = invite(world, licorne, "Nadia Roy")

    in_charge = named_in_charge(world, licorne, "julie@firme.example", ("Nadia", "Roy"))

    assert (in_charge.person_id, in_charge.user_code) == (user.person_id, user.user_code)
    pes = sign_in(licorne.pes)
    for membership_id in (user.membership_id, in_charge.membership_id):
        assert not services.may_reissue(licorne.id, membership_id, by=licorne.pes.person_id)
        with pytest.raises(NotAllowedError):
            services.reissue(licorne.id, membership_id, by=licorne.pes.person_id, now=world.now)
        assert pes.post(f"/people/{membership_id}/slips").status_code == 403
        assert services.may_reissue(licorne.id, membership_id, by=licorne.ar.person_id)
    assert not opens(user, world)
    assert opens(in_charge, world)


def test_what_was_begun_with_the_old_slip_ends_with_it(world: World, licorne: Business) -> None:
    """An activation that waits for its code by e-mail does not become one of a person in charge."""
    user = invite(world, licorne, "Nadia Roy")
    assert user.temporary is not None
    begun = start(user.user_code, user.temporary.secret, next_path="/", now=world.now)

    named_in_charge(world, licorne, "julie@firme.example", ("Nadia", "Roy"))

    assert activation(begun.token, now=world.now) is None


def test_a_person_who_signs_in_already_keeps_their_code(world: World, licorne: Business) -> None:
    """An activated code has no slip to replace."""
    address = accounts.person(licorne.julie.person_id).email

    assert named_in_charge(world, licorne, address, ("Julie", "Licorne")).temporary is None


def test_a_slip_that_proves_anew_never_opens_a_role_given_since(
    world: World, licorne: Business, plumedor: Business
) -> None:
    """A PES had a user proved anew; the user is then named in charge, or joins another enterprise: the slip is dead."""
    waiting = {
        who: reprove(licorne.id, member.membership_id, by=licorne.pes.person_id, now=world.now)
        for who, member in (("julie", licorne.julie), ("omar", licorne.omar))
    }

    named_in_charge(world, licorne, accounts.person(licorne.julie.person_id).email, ("Julie", "Licorne"))
    link(world, invite(world, plumedor, "Omar Licorne"), licorne.omar)

    world.clock.advance(timedelta(hours=25))
    for newcomer in waiting.values():
        assert newcomer.temporary is not None
        answer = start(newcomer.user_code, newcomer.temporary.secret, next_path="/", now=world.now)
        assert answer.refusal is StartRefusal.WRONG


def test_a_suspended_role_counts_for_who_opens_the_account(world: World, licorne: Business) -> None:
    """A PES who is suspended and a user besides is not in the hands of another PES: the role may come back."""
    marc = licorne.marc
    user = services.appoint(licorne.id, marc.person_id, USER, user_code=None, actor=SYSTEM, now=world.now)
    services.suspend_member(licorne.id, marc.membership_id, by=licorne.ar.person_id, now=world.now)

    assert not may_reprove(licorne.id, user, by=licorne.pes.person_id)
    assert not may_unlock(licorne.id, user, by=licorne.pes.person_id, now=world.now)
    assert not may_vouch_name(licorne.id, user, by=licorne.pes.person_id)
    assert not services.may_reissue(licorne.id, user, by=licorne.pes.person_id)
