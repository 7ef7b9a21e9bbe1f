"""Random histories on a real database: revocation is monotone, the version grows exactly with the projection.

Claims invariants 1, 2, 5 and 8; security-bar.md S-71: no sequence without a new grant restores an access.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from idp.audit.services import Actor
from idp.clock import local_date
from idp.db import db
from idp.delegation import services
from idp.delegation.catalogue import catalogue_services
from idp.delegation.rights import system_user_services
from idp.delegation.rights.domain.rights_claims import projection_digest
from idp.delegation.rights.domain.system_users import Wanted
from idp.delegation.rights.rights_services import Right
from idp.delegation.subscriptions import change_services, subscription_services

from ..conftest import AMP, Business, Member, World


def test_random_histories(app: Flask, world: World, pytestconfig: pytest.Config) -> None:
    """Grants, changes, dates, suspensions, withdrawals, in any order, and after each step every invariant."""
    neqs = iter(range(10**9))

    class Histories(RuleBasedStateMachine):
        """One enterprise, one user watched; what was last given is remembered beside the code under test."""

        def __init__(self) -> None:
            super().__init__()
            db.session.rollback()
            self.business: Business = world.business(f"11{next(neqs):08d}", "Licorne")
            world.subscribe(self.business)
            self.given: frozenset[str] = frozenset()
            self.until = world.now
            self.suspended = self.subscribed = False
            self.subscribed = True
            self.seen: tuple[int, str] | None = None

        @property
        def julie(self):  # type: ignore[no-untyped-def]
            return self.business.julie

        @rule(blocks=st.frozensets(st.sampled_from(AMP)), days=st.integers(0, 700))
        def set_rights(self, blocks: frozenset[str], days: int) -> None:
            if self.suspended or (blocks and not self.subscribed):
                return
            until = local_date(world.now) + timedelta(days=days)
            wanted = (Right(self.julie.membership_id, blocks, until if blocks else None),)
            pes = self.business.pes.person_id
            services.set_rights(self.business.id, "amp", wanted, granter_id=pes, seen_revision=None, now=world.now)
            self.given, self.last_day = blocks, until

        @rule(days=st.integers(1, 400))
        def time_passes(self, days: int) -> None:
            world.clock.advance(timedelta(days=days))
            if self.given and local_date(world.now) > self.last_day:
                self.given = frozenset()

        @rule()
        def sweep(self) -> None:
            services.sweep_dates(world.now)

        @rule()
        def suspend(self) -> None:
            done = services.suspend_member(
                self.business.id, self.julie.membership_id, by=self.business.pes.person_id, now=world.now
            )
            self.suspended = True
            assert done or done.reasons

        @rule()
        def reactivate(self) -> None:
            services.reactivate_member(
                self.business.id, self.julie.membership_id, by=self.business.pes.person_id, now=world.now
            )
            self.suspended = False

        @rule()
        def withdraw(self) -> None:
            world.withdraw(self.business)
            self.given, self.subscribed = frozenset(), False

        @rule()
        def subscribe_again(self) -> None:
            world.subscribe(self.business)
            self.subscribed = True

        @invariant()
        def nobody_holds_more_than_was_given(self) -> None:
            authority = services.authority(self.julie.person_id, self.business.id, "amp", world.now)
            assert (authority is None) == self.suspended
            expected = tuple(sorted(self.given)) if self.subscribed else ()
            assert authority is None or authority.blocks == expected
            digest = projection_digest(authority)
            if authority is None:  # the next version is higher, even when the same rights come back
                self.seen = (self.seen[0], digest) if self.seen else None
                return
            if self.seen is not None:
                assert (authority.version == self.seen[0]) == (digest == self.seen[1])
                assert authority.version >= self.seen[0]
            self.seen = (authority.version, digest)

        @invariant()
        def explanations_agree(self) -> None:
            authority = services.authority(self.julie.person_id, self.business.id, "amp", world.now)
            for code in ("001", "024", "999"):
                answer = services.explanation(self.julie.person_id, self.business.id, "amp", code, world.now)
                assert answer is not None
                assert answer.allowed == (authority is not None and code in authority.blocks)

    deep = pytestconfig.getoption("--deep")
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Histories,
        settings=settings(
            max_examples=500 if deep else 12,
            stateful_step_count=60 if deep else 15,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=True,
            database=None,
        ),
    )


ANSWERS = {"is_client": "no", "contact_email": "a@example.com"}
DECIDED_BY_HAND = {"is_client": "yes", "client_number": "0123456789", "contact_email": "a@example.com"}
FEW = ("001", "008", "018")  # so that changes, grants and returns meet often
SOME = st.frozensets(st.sampled_from(FEW), min_size=1)
ENDS = ("accept", "accept", "refuse", "take_back")


def test_random_histories_with_changes(app: Flask, world: World, pytestconfig: pytest.Config) -> None:
    """Blocks held ⊆ blocks subscribed, for everybody, at every moment; nothing that ended comes back without a grant.

    A change adds to a right only where the person in charge said that unrestricted access grows with it.
    """
    neqs = iter(range(10**6, 10**9))

    class Changes(RuleBasedStateMachine):
        """One enterprise: a user given blocks, one given everything, a program; what each may hold at most, beside the code."""

        def __init__(self) -> None:
            super().__init__()
            db.session.rollback()
            self.business: Business = world.business(f"11{next(neqs):08d}", "Licorne")
            world.subscribe(self.business, blocks=FEW)
            self.subscribed = frozenset(FEW)
            self.most: dict[str, frozenset[str]] = {}
            self.whole = self.since = (
                False  # Omar has unrestricted access; it was given after the waiting change was asked
            )
            self.waits: tuple[frozenset[str], bool] | None = None
            wanted = Wanted(
                f"tools-{self.business.neq}",
                "Outils",
                frozenset({"001", "008"}),
                local_date(world.now) + timedelta(days=300),
            )
            self.software = system_user_services.approve(
                self.business.id, "amp", wanted, by=self.business.pes.person_id, now=world.now
            )
            self.most[self.software] = frozenset({"001", "008"})

        def _give(self, member: Member, blocks: frozenset[str]) -> None:
            world.clock.advance(timedelta(seconds=1))
            wanted = (Right(member.membership_id, blocks, local_date(world.now) + timedelta(days=300)),)
            pes = self.business.pes.person_id
            services.set_rights(self.business.id, "amp", wanted, granter_id=pes, seen_revision=None, now=world.now)

        @rule(blocks=SOME)
        def give_some(self, blocks: frozenset[str]) -> None:
            given = blocks & self.subscribed
            if given:
                self._give(self.business.julie, given)
                self.most[self.business.julie.person_id] = given

        @rule()
        def give_everything(self) -> None:
            self.since = self.since or (self.waits is not None and not self.whole)
            self._give(self.business.omar, frozenset({"*"}))
            self.whole, self.most[self.business.omar.person_id] = True, self.subscribed

        @rule(blocks=SOME, extends=st.booleans(), by_hand=st.booleans(), ends=st.sampled_from(ENDS))
        def change(self, blocks: frozenset[str], extends: bool, by_hand: bool, ends: str) -> None:
            if self.waits:
                self._end(ends)
            world.clock.advance(timedelta(seconds=1))
            seen = self._standing()
            asked = change_services.ask(
                self.business.id,
                "amp",
                answers=DECIDED_BY_HAND if by_hand else ANSWERS,
                blocks=blocks,
                extends=extends,
                by=self.business.pes.person_id,
                seen_revision=seen.revision,
                consent_digest=catalogue_services.agency("amp").consent.digest,
                now=world.now,
            )
            world.clock.advance(timedelta(seconds=1))
            self.since = False
            if asked.state == "changing":
                self.waits = (blocks, extends)
            elif asked.revision != seen.revision:
                self._changed(blocks, extends)

        @precondition(lambda self: self.waits)
        @rule(ends=st.sampled_from(ENDS))
        def end(self, ends: str) -> None:
            self._end(ends)

        @rule(blocks=SOME)
        def leave_and_come_back(self, blocks: frozenset[str]) -> None:
            world.withdraw(self.business)
            self.most, self.subscribed, self.waits, self.whole = {}, frozenset(), None, False
            self.nobody_holds_more_than_the_enterprise()
            world.subscribe(self.business, blocks=tuple(sorted(blocks)))
            self.subscribed = blocks

        def _end(self, ends: str) -> None:
            blocks, extends = self.waits or (frozenset(), False)
            seen = self._standing()
            if ends == "take_back":
                pes = self.business.pes.person_id
                change_services.withdraw(self.business.id, "amp", by=pes, seen_revision=seen.revision, now=world.now)
            else:
                code = None if ends == "accept" else "client_number_unknown"
                subscription_services.decide(
                    seen.id,
                    accept=code is None,
                    reason_code=code,
                    actor=Actor("agency_officer", "camille"),
                    now=world.now,
                )
            self.waits = None
            if ends == "accept":
                self._changed(blocks, extends and not self.since)

        def _standing(self) -> subscription_services.SubscriptionView:
            found = subscription_services.subscription(self.business.id, "amp")
            assert found is not None
            return found

        def _changed(self, blocks: frozenset[str], extends: bool) -> None:
            omar, added = self.business.omar.person_id, blocks - self.subscribed
            self.most = {id: held & blocks for id, held in self.most.items()}
            if self.whole and added and extends:
                self.most[omar] = blocks
            self.whole = self.whole and (extends or not added)
            self.subscribed = blocks

        @invariant()
        def nobody_holds_more_than_the_enterprise(self) -> None:
            business = self.business
            assert frozenset(subscription_services.active_blocks(business.id, "amp") or ()) == self.subscribed
            for member in (business.pes, business.marc):
                assert frozenset(world.blocks(business, member) or ()) == self.subscribed
            for member in (business.julie, business.omar):
                assert frozenset(world.blocks(business, member) or ()) == self.most.get(member.person_id, frozenset())
            program = system_user_services.of_system_user(self.software, now=world.now)
            assert frozenset(program.blocks if program else ()) == self.most.get(self.software, frozenset())

    deep = pytestconfig.getoption("--deep")
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Changes,
        settings=settings(
            max_examples=500 if deep else 30,
            stateful_step_count=60 if deep else 25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=True,
            database=None,
        ),
    )
