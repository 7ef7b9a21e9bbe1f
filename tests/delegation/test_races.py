"""What happens at once: two PES who suspend each other, two saves of one matrix, a reader beside a revocation."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask

from idp.clock import local_date
from idp.db import db
from idp.delegation import services
from idp.delegation.catalogue import catalogue_services
from idp.delegation.people.domain.roles import MembershipStatus, Role
from idp.delegation.rights.rights_services import Right
from idp.delegation.subscriptions import change_services, subscription_services
from idp.errors import ConflictError, NotAllowedError

from .conftest import AMP

pytestmark = pytest.mark.race

ROUNDS = 5


def at_once(app: Flask, *acts: Callable[[], object]) -> list[object]:
    """Run *acts* together, each in its own application context, and return what each gave or raised."""
    start, outcomes = threading.Barrier(len(acts)), [None] * len(acts)  # type: list[object]

    def run(place: int, act: Callable[[], object]) -> None:
        with app.app_context():
            start.wait()
            try:
                outcomes[place] = act()
            except (ConflictError, NotAllowedError) as refusal:
                outcomes[place] = refusal
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=(place, act)) for place, act in enumerate(acts)]
    db.session.rollback()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return list(outcomes)


@pytest.mark.databases
def test_two_pes_who_suspend_each_other_leave_one(app, world, licorne) -> None:  # type: ignore[no-untyped-def]
    """Whatever the order, at least one PES stays active (security-bar.md R-6)."""
    pair = (licorne.pes, licorne.marc)

    def suspend(target, by):  # type: ignore[no-untyped-def]
        return lambda: services.suspend_member(licorne.id, target.membership_id, by=by.person_id, now=world.now)

    for _ in range(ROUNDS):
        at_once(app, suspend(pair[0], pair[1]), suspend(pair[1], pair[0]))

        roster = [view for view in services.members(licorne.id) if view.role is Role.PES]
        active = [view for view in roster if view.status is MembershipStatus.ACTIVE]
        assert len(active) == 1
        for view in roster:
            services.reactivate_member(licorne.id, view.id, by=active[0].person_id, now=world.now)


@pytest.mark.databases
def test_one_of_two_saves_wins(app, world, licorne) -> None:  # type: ignore[no-untyped-def]
    """Two PES save on the same revision: one is written whole, the other is told (security-bar.md R-5)."""
    until = local_date(world.now) + timedelta(days=30)

    def save(by, code, revision):  # type: ignore[no-untyped-def]
        wanted = (Right(licorne.julie.membership_id, frozenset({code}), until),)
        return lambda: services.set_rights(
            licorne.id, "amp", wanted, granter_id=by.person_id, seen_revision=revision, now=world.now
        )

    for revision, codes in enumerate((("001", "005"), ("007", "008"), ("018", "024"), ("001", "019"))):
        outcomes = at_once(app, save(licorne.pes, codes[0], revision), save(licorne.marc, codes[1], revision))

        assert sorted(isinstance(outcome, ConflictError) for outcome in outcomes) == [False, True]
        winner = 1 if isinstance(outcomes[0], ConflictError) else 0
        assert world.blocks(licorne, licorne.julie) == (codes[winner],)


@pytest.mark.databases
def test_readers_beside_a_revocation_agree_on_one_version(app, world, licorne) -> None:  # type: ignore[no-untyped-def]
    """However many read while a right goes, the loss is signalled once and nobody reads it afterwards."""
    for _ in range(4):
        world.grant(licorne, licorne.julie, "001", "008")
        told = len(services.removals(licorne.id, limit=100))
        version = world.version(licorne, licorne.julie)

        def read():  # type: ignore[no-untyped-def]
            return services.authority(licorne.julie.person_id, licorne.id, "amp", world.now)

        outcomes = at_once(app, lambda: world.grant(licorne, licorne.julie, "001"), read, read, read)

        for authority in outcomes[1:]:
            assert (authority.blocks, authority.version) in (  # type: ignore[attr-defined]
                (("001", "008"), version),
                (("001",), version + 1),
            )
        assert world.blocks(licorne, licorne.julie) == ("001",)
        assert len(services.removals(licorne.id, limit=100)) == told + 1


@pytest.mark.databases
def test_an_end_date_read_by_many_is_signalled_once(app, world, licorne) -> None:  # type: ignore[no-untyped-def]
    """The sweeper and readers meet: one removal, one raise of the version."""
    world.grant(licorne, licorne.julie, "001", days=1)
    version = world.version(licorne, licorne.julie)
    world.clock.advance(timedelta(days=3))

    def read():  # type: ignore[no-untyped-def]
        return services.authority(licorne.julie.person_id, licorne.id, "amp", world.now)

    outcomes = at_once(app, lambda: services.sweep_dates(world.now), read, read, read)

    assert {authority.version for authority in outcomes[1:]} == {version + 1}  # type: ignore[attr-defined]
    assert len(services.removals(licorne.id)) == 1


@pytest.mark.databases
def test_a_person_first_read_by_many_has_one_version(app, world, licorne) -> None:  # type: ignore[no-untyped-def]
    """Two readers who find no version make one row between them."""

    def read():  # type: ignore[no-untyped-def]
        return services.authority(licorne.pes.person_id, licorne.id, "bac", world.now)

    outcomes = at_once(app, read, read, read, read)

    assert {authority.version for authority in outcomes} == {1}  # type: ignore[attr-defined]


def _change(world, licorne, *blocks):  # type: ignore[no-untyped-def]
    """Return the act that changes the blocks at AMP, on what stands now."""
    seen = subscription_services.subscription(licorne.id, "amp")
    assert seen is not None

    def act() -> object:
        return change_services.ask(
            licorne.id,
            "amp",
            answers=seen.answers,
            blocks=blocks,
            extends=False,
            by=licorne.pes.person_id,
            seen_revision=seen.revision,
            consent_digest=catalogue_services.agency("amp").consent.digest,
            now=world.now,
        )

    return act


@pytest.mark.databases
def test_a_change_beside_a_grant(app, world, licorne) -> None:  # type: ignore[no-untyped-def]
    """The grant comes first and ends with the block, or is refused; adding the block again gives it to nobody."""
    rest = tuple(code for code in AMP if code != "008")

    def give() -> None:
        world.grant(licorne, licorne.julie, "001", "008")

    def lost() -> int:
        removals = services.removals(licorne.id, limit=500)
        return sum(each.person_id == licorne.julie.person_id and "008" in each.blocks for each in removals)

    for _ in range(ROUNDS):
        told = lost()
        outcomes = at_once(app, give, _change(world, licorne, *rest), give)

        assert not isinstance(outcomes[1], Exception), outcomes
        assert world.blocks(licorne, licorne.julie) in ((), ("001",))
        assert lost() - told <= 1
        _change(world, licorne, *AMP)()
        assert world.blocks(licorne, licorne.julie) in ((), ("001",))
        services.set_rights(
            licorne.id,
            "amp",
            (Right(licorne.julie.membership_id, frozenset(), None),),
            granter_id=licorne.pes.person_id,
            seen_revision=None,
            now=world.now,
        )


@pytest.mark.databases
def test_a_change_or_a_grant_beside_leaving(app, world, licorne) -> None:  # type: ignore[no-untyped-def]
    """Leaving wins over both, whatever the order: no change waits, and coming back restores no right."""
    for _ in range(ROUNDS):
        change = _change(world, licorne, "001", "008")

        outcomes = at_once(
            app, change, lambda: world.withdraw(licorne), lambda: world.grant(licorne, licorne.julie, "001")
        )

        assert not isinstance(outcomes[1], Exception), outcomes
        left = subscription_services.subscription(licorne.id, "amp")
        assert left is not None
        assert left.state == "withdrawn"
        assert change_services.waiting(left.id) is None
        world.subscribe(licorne)
        assert world.blocks(licorne, licorne.julie) == ()


@pytest.mark.databases
def test_one_of_two_changes_wins(app, world, licorne) -> None:  # type: ignore[no-untyped-def]
    """Two persons in charge change what both saw: one is in force, the other is refused; the same twice is once."""
    for blocks, other in ((("001",), ("005",)), (("007",), ("008",)), (("018",), ("018",))):
        outcomes = at_once(app, _change(world, licorne, *blocks), _change(world, licorne, *other))

        refused = [outcome for outcome in outcomes if isinstance(outcome, ConflictError)]
        assert len(refused) == (blocks != other)
        assert subscription_services.active_blocks(licorne.id, "amp") in (blocks, other)
    steps = subscription_services.history(subscription_services.subscriptions_of(licorne.id)["amp"].id)
    assert [step.event for step in steps].count("change_accepted") == 3
