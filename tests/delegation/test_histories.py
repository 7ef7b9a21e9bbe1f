"""Random histories on a real database: revocation is monotone, the version grows exactly with the projection.

Claims invariants 1, 2, 5 and 8; security S-71: no sequence without a new grant restores an access.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from idp.clock import local_date
from idp.db import db
from idp.delegation import services
from idp.delegation.claims import projection_digest
from idp.delegation.rights_services import Right

from .conftest import AMP, Business, World


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
