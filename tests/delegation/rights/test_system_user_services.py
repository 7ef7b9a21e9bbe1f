"""System users: what a PES may approve, what an approval gives, and every way in which it ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.audit import SYSTEM
from idp.clock import end_of_day, local_date
from idp.db import db
from idp.delegation import services
from idp.delegation.people.domain.roles import EnterpriseStatus, Role
from idp.delegation.rights import system_user_services
from idp.delegation.rights.domain.authority import ApprovalFact, AuthorityFacts, assemble, next_change
from idp.delegation.rights.domain.explain import explain
from idp.delegation.rights.domain.rights_claims import authorization_details, blocks_in, project
from idp.delegation.rights.domain.rules import DenialReason, latest_end
from idp.delegation.rights.domain.system_users import (
    PreviewedSystemUser,
    SystemUserState,
    Wanted,
    may_approve,
    open_token,
    sign,
    state_of,
)
from idp.delegation.subscriptions import subscription_services
from idp.errors import NotAllowedError, NotFoundError

from ..conftest import AMP, Business, World

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
SCOPES = frozenset({"enterprise", "functional_blocks"})
PES = frozenset({Role.PES})
instants = st.integers(-400, 800).map(lambda days: NOW + timedelta(days=days, seconds=1))
codes = st.frozensets(st.sampled_from((*AMP, "099")))
approvals = st.builds(
    ApprovalFact,
    blocks=codes,
    not_after=instants,
    approved_at=st.just(NOW - timedelta(days=500)),
    approved_by=st.just("p_pes"),
    revoked_at=st.none() | instants,
)
histories = st.builds(
    AuthorityFacts,
    person_id=st.just("s" * 32),
    enterprise_id=st.just("e"),
    neq=st.just("1100000455"),
    enterprise_name=st.just("Construction Haute-Licorne inc."),
    enterprise_status=st.sampled_from(EnterpriseStatus),
    agency_id=st.just("amp"),
    locations=st.just(("https://portal.amp.example/",)),
    catalogue_version=st.just("2026-11"),
    subscribed=st.none() | codes,
    offered=codes,
    memberships=st.just(()),
    approval=approvals,
)


def wanted(*blocks: str, until: date | None = None, name: str = "Progiciel comptable") -> Wanted:
    return Wanted("ledger", name, frozenset(blocks), until or local_date(NOW) + timedelta(days=365))


# The rules, pure


@given(histories)
def test_a_token_holds_no_more_than_approval_subscription_and_catalogue(history: AuthorityFacts) -> None:
    """Claims ⊆ approval ∩ subscription ∩ catalogue, only while approved, never after the end (claims invariants 1 to 3)."""
    authority = assemble(history, NOW, version=1)

    approval = history.approval
    assert approval is not None
    alive = approval.revoked_at is None and approval.not_after > NOW
    assert (authority is not None) == (alive and history.enterprise_status is EnterpriseStatus.ACTIVE)
    if authority is None:
        return
    expected = approval.blocks & (history.subscribed or frozenset()) & history.offered
    assert frozenset(authority.blocks) == expected
    assert frozenset(project(authority, SCOPES)["functional_blocks"]) == blocks_in(
        list(authorization_details(authority))
    )
    assert authority.role is Role.SYSTEM
    assert authority.earliest_end in (None, approval.not_after)
    assert next_change(history, NOW) == approval.not_after


@given(histories, st.sampled_from((*AMP, "099")))
def test_an_explanation_says_what_the_token_holds(history: AuthorityFacts, code: str) -> None:
    """Claims invariant 8: yes exactly when the token carries the block; no names the first link that is missing."""
    authority = assemble(history, NOW, version=1)

    found = explain(history, code, NOW)
    assert found.allowed == (authority is not None and code in authority.blocks)
    assert [link.holds for link in found.links[:-1]] == [True] * (len(found.links) - 1)


@given(histories, st.integers(1, 900))
def test_time_alone_only_takes_away(history: AuthorityFacts, days: int) -> None:
    """An approval that is over never comes back by waiting (S-71)."""
    now = assemble(history, NOW, version=1)
    later = assemble(history, NOW + timedelta(days=days), version=1)

    assert set(later.blocks if later else ()) <= set(now.blocks if now else ())


OBJECTIONS: dict[str, tuple[frozenset[Role], Wanted, dict[str, object], set[DenialReason]]] = {
    "the representative": (frozenset({Role.AUTHORIZED_REPRESENTATIVE}), wanted("001"), {}, {DenialReason.NOT_A_PES}),
    "a user": (frozenset({Role.USER}), wanted("001"), {}, {DenialReason.NOT_A_PES}),
    "nobody": (frozenset(), wanted("001"), {}, {DenialReason.NOT_A_PES}),
    "no subscription": (PES, wanted("001"), {"subscribed": None}, {DenialReason.NOT_SUBSCRIBED}),
    "beyond the subscription": (PES, wanted("001", "024"), {}, {DenialReason.BLOCK_NOT_HELD}),
    "a wildcard": (PES, wanted("*"), {}, {DenialReason.BLOCK_NOT_HELD}),
    "no block": (PES, wanted(), {}, {DenialReason.NOTHING_GRANTED}),
    "twice": (PES, wanted("001"), {"is_approved": True}, {DenialReason.ALREADY_APPROVED}),
    "yesterday": (PES, wanted("001", until=local_date(NOW) - timedelta(days=1)), {}, {DenialReason.END_PAST}),
    "beyond two years": (
        PES,
        wanted("001", until=latest_end(NOW) + timedelta(days=1)),
        {},
        {DenialReason.END_TOO_LATE},
    ),
}


@pytest.mark.parametrize(("roles", "asked", "changed", "expected"), OBJECTIONS.values(), ids=OBJECTIONS)
def test_what_may_not_be_approved(
    roles: frozenset[Role], asked: Wanted, changed: dict[str, object], expected: set[DenialReason]
) -> None:
    """Each objection by its name; the same case without it is allowed."""
    settled: dict[str, object] = {"subscribed": frozenset({"001", "008"}), "is_approved": False, **changed}

    assert set(may_approve(roles, asked, now=NOW, **settled).reasons) == expected  # type: ignore[arg-type]
    assert may_approve(PES, wanted("001"), subscribed=frozenset({"001"}), is_approved=False, now=NOW)


@pytest.mark.parametrize(
    ("end", "revoked", "state"),
    [
        (1, None, SystemUserState.ACTIVE),
        (0, None, SystemUserState.ENDED),
        (-1, None, SystemUserState.ENDED),
        (1, -1, SystemUserState.REVOKED),
        (-1, -2, SystemUserState.REVOKED),
        (-2, -1, SystemUserState.ENDED),  # closed afterwards, to make room for a new approval
    ],
)
def test_the_state_is_told_by_two_dates(end: int, revoked: int | None, state: SystemUserState) -> None:
    """Active, ended, revoked: nothing is stored that a date could contradict."""
    days = timedelta(days=1)

    assert state_of(NOW + end * days, None if revoked is None else NOW + revoked * days, NOW) is state


def test_a_preview_is_exactly_what_is_confirmed() -> None:
    """Signed, for an hour; another secret, a cut, a wait: nothing."""
    shown = PreviewedSystemUser("e", "amp", "p", wanted("001", "008"))
    token = sign(shown, "secret", NOW)

    assert open_token(token, "secret", NOW + timedelta(minutes=59)) == shown
    assert open_token(token, "secret", NOW + timedelta(hours=1)) is None
    assert open_token(token, "other", NOW) is None
    assert open_token(token[:-1], "secret", NOW) is None
    assert open_token("", "secret", NOW) is None


# On the database


def approve(world: World, business: Business, *blocks: str, client_id: str = "ledger", days: int = 365) -> str:
    until = local_date(world.now) + timedelta(days=days)
    asked = replace(wanted(*blocks, until=until), client_id=client_id)
    return system_user_services.approve(business.id, "amp", asked, by=business.pes.person_id, now=world.now)


def held(world: World, business: Business, client_id: str = "ledger") -> tuple[str, ...] | None:
    found = system_user_services.of_software(client_id, business.neq, "amp", now=world.now)
    return found.blocks if found else None


def test_only_a_pes_of_the_enterprise_approves_and_revokes(world: World, licorne: Business, plumedor: Business) -> None:
    """S-65: representative, user, PES of another enterprise; another enterprise's system user is not found."""
    mine = approve(world, licorne, "001")
    others = (licorne.ar, licorne.julie, plumedor.pes)

    for who in others:
        with pytest.raises(NotAllowedError):
            system_user_services.approve(
                licorne.id, "amp", replace(wanted("001"), client_id="other"), by=who.person_id, now=world.now
            )
        with pytest.raises(NotAllowedError):
            system_user_services.revoke(licorne.id, mine, by=who.person_id, now=world.now)
    with pytest.raises(NotFoundError):
        system_user_services.revoke(plumedor.id, mine, by=plumedor.pes.person_id, now=world.now)
    assert held(world, licorne) == ("001",)


def test_an_approval_counts_here_for_this_software_until_its_end(
    world: World, licorne: Business, plumedor: Business
) -> None:
    """Another enterprise, another client, another agency, the day after: nothing."""
    approve(world, licorne, "001", "008", days=3)

    assert held(world, licorne) == ("001", "008")
    assert held(world, licorne, "other") is None
    assert held(world, plumedor) is None
    assert system_user_services.of_software("ledger", licorne.neq, "bac", now=world.now) is None
    (mine,) = system_user_services.system_users(licorne.id, "amp", now=world.now)
    assert services.authority(mine.id, licorne.id, "amp", world.now) is not None
    assert services.authority(mine.id, licorne.id, "bac", world.now) is None
    assert services.authority(mine.id, plumedor.id, "amp", world.now) is None
    world.clock.advance(end_of_day(local_date(world.now) + timedelta(days=3)) - world.now)
    assert held(world, licorne) is None


def test_it_follows_the_subscription_and_the_enterprise(world: World, licorne: Business) -> None:
    """Suspended with the enterprise and back with it; a withdrawal ends it for good, with one signal."""
    system_user = approve(world, licorne, "001", "008")
    assert held(world, licorne) == ("001", "008")
    services.suspend_enterprise(licorne.id, actor=SYSTEM, now=world.now)
    assert held(world, licorne) is None
    services.reinstate_enterprise(licorne.id, actor=SYSTEM, now=world.now)
    assert held(world, licorne) == ("001", "008")
    world.clock.advance(timedelta(seconds=1))

    world.withdraw(licorne)
    world.subscribe(licorne)

    assert held(world, licorne) is None
    assert system_user_services.of_system_user(system_user, now=world.now) is None  # read again: nothing more to tell
    mine = [each for each in services.removals(licorne.id, limit=99) if each.person_id == system_user]
    assert [each.reason for each in mine] == ["subscription_withdrawn", "enterprise_suspended"]
    assert system_user_services.system_user(licorne.id, system_user, now=world.now).state is SystemUserState.REVOKED


def test_one_live_approval_a_software(world: World, licorne: Business) -> None:
    """A second one is refused while the first lives, taken once it has ended or was revoked; each has its own id."""
    first = approve(world, licorne, "001", days=1)
    with pytest.raises(NotAllowedError):
        approve(world, licorne, "008")
    world.clock.advance(timedelta(days=3))
    second = approve(world, licorne, "008")
    system_user_services.revoke(licorne.id, second, by=licorne.pes.person_id, now=world.now)
    world.clock.advance(timedelta(seconds=1))
    third = approve(world, licorne, "005")

    shown = system_user_services.system_users(licorne.id, "amp", now=world.now)
    assert [(each.id, each.state.value) for each in shown] == [
        (third, "active"),
        (second, "revoked"),
        (first, "ended"),
    ]
    assert held(world, licorne) == ("005",)


def test_the_version_grows_with_what_is_told_and_only_then(world: World, licorne: Business) -> None:
    """Claims invariant 5; the end by date is swept, told once, and the projection is settled."""
    system_user = approve(world, licorne, "001", days=1)

    def version() -> int:
        found = system_user_services.of_software("ledger", licorne.neq, "amp", now=world.now)
        assert found is not None
        return found.version

    assert (version(), version()) == (1, 1)
    services.suspend_enterprise(licorne.id, actor=SYSTEM, now=world.now)
    services.reinstate_enterprise(licorne.id, actor=SYSTEM, now=world.now)
    assert version() > 1
    world.clock.advance(timedelta(days=3))
    assert services.sweep_dates(world.now) >= 1
    assert services.sweep_dates(world.now) == 0
    reasons = [each.reason for each in services.removals(licorne.id, limit=99) if each.person_id == system_user]
    assert reasons == ["end_date", "enterprise_suspended"]


def test_a_use_is_noted_while_it_is_approved_only(world: World, licorne: Business) -> None:
    """What holds a token back when a revocation came first."""
    system_user = approve(world, licorne, "001")

    assert system_user_services.note_use(system_user, now=world.now) is True
    assert system_user_services.was_notified(system_user) is True
    system_user_services.revoke(licorne.id, system_user, by=licorne.pes.person_id, now=world.now)
    assert system_user_services.note_use(system_user, now=world.now) is False
    assert system_user_services.note_use("0" * 32, now=world.now) is False
    db.session.rollback()


def test_a_block_that_leaves_the_subscription_leaves_the_software(world: World, licorne: Business) -> None:
    """Claims ⊆ subscription of now: withdrawn, taken again without it; and what may be approved is what is held."""
    world.withdraw(licorne)
    world.subscribe(licorne, blocks=("001",))

    assert system_user_services.usable_blocks(licorne.id, "amp") == frozenset({"001"})
    with pytest.raises(NotAllowedError):
        approve(world, licorne, "001", "008")
    assert subscription_services.subscription(licorne.id, "amp") is not None
