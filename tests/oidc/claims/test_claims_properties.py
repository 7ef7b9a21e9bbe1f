"""The invariants of the claims contract, over random histories: what is issued is what is held, now, here, and nothing else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import jwt as pyjwt
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from idp.accounts import services as accounts
from idp.accounts.sessions.domain.sign_ins import SignIn
from idp.clock import end_of_day, local_date
from idp.db import db, transaction
from idp.delegation import services as delegation
from idp.delegation.catalogue import catalogue_services
from idp.delegation.rights.rights_services import Right
from idp.oidc.authorization.domain.requests import AuthorizationRequest
from idp.oidc.authorization.interaction_services import Interaction
from idp.oidc.clients import client_services
from idp.oidc.token import grant_services, issuing
from idp.oidc.token.issuing import NoRightError
from tests.oidc.scenery import CALLBACK, FIRM, STORY, Scenery

CODES = ("001", "005", "008", "018", "024")


@pytest.mark.bar("S-32")
def test_tokens_say_what_is_held_and_no_more(scenery: Scenery, pytestconfig: pytest.Config) -> None:
    """claims.md, invariants 1 to 3, 5, 6 and 8: a person of two enterprises, their rights changing at either."""
    ginette = scenery.people["ginette"]
    firm_membership = next(m for m in delegation.memberships_of(ginette.person_id) if m.neq == FIRM)
    client = client_services.find("rp1")
    assert client is not None
    agency = catalogue_services.agency("amp")
    known = {block.code for block in agency.blocks}

    def signed_in() -> SignIn:
        scenery.sign_in(scenery.browser(), "ginette")
        db.session.rollback()  # what was read before is an old picture
        open_one = max(
            accounts.open_sign_ins(ginette.person_id, now=scenery.clock.now()), key=lambda each: each.started_at
        )
        return SignIn(
            open_one.sid, ginette.person_id, ginette.code.signs, open_one.started_at, "urn:mandat:aal:2", ("pwd",), None
        )

    def issued(sign_in: SignIn, enterprise_id: str) -> dict[str, Any] | None:
        """Redeem a code for the enterprise, without the pages, and take the tokens apart."""
        now = scenery.clock.now()
        request = AuthorizationRequest("rp1", CALLBACK, "query", ("enterprise", "functional_blocks", "openid"))
        code = grant_services.issue_code(Interaction("", request, now), client, sign_in, enterprise_id, now=now)
        with transaction():
            redeemed = grant_services.consume_code(str(code), "rp1", cnf={}, now=now)
            assert redeemed is not None
            try:
                body = issuing.token_response(redeemed.grant, client, now=now)
            except NoRightError:
                return None
        options = {"verify_signature": False}
        return {
            "id": pyjwt.decode(body["id_token"], options=options),
            "access": pyjwt.decode(body["access_token"], options=options),
            "body": body,
            "now": now,
        }

    class Histories(RuleBasedStateMachine):
        """What was given last is remembered beside the code under test."""

        def __init__(self) -> None:
            super().__init__()
            db.session.rollback()
            scenery.keep_only((), "ginette")
            self.sign_in = signed_in()
            self.given: tuple[str, ...] = ()
            self.until = local_date(scenery.clock.now())
            self.seen: tuple[int, object] | None = None

        @rule(blocks=st.frozensets(st.sampled_from(CODES)), days=st.integers(0, 40))
        def grant(self, blocks: frozenset[str], days: int) -> None:
            self._give(blocks, days)

        def _give(self, blocks: frozenset[str], days: int) -> None:
            self.until = local_date(scenery.clock.now()) + timedelta(days=days)
            right = Right(scenery.memberships["ginette"], blocks, self.until if blocks else None)
            pes = scenery.people["pes"].person_id
            delegation.set_rights(
                scenery.story, "amp", (right,), granter_id=pes, seen_revision=None, now=scenery.clock.now()
            )
            self.given = tuple(sorted(blocks))

        @rule(minutes=st.integers(1, 5))
        def minutes_pass(self, minutes: int) -> None:
            scenery.clock.advance(timedelta(minutes=minutes))
            if local_date(scenery.clock.now()) > self.until:
                self.given = ()

        @rule(blocks=st.frozensets(st.sampled_from(CODES), min_size=1), days=st.integers(0, 3))
        def the_last_day_ends_soon(self, blocks: frozenset[str], days: int) -> None:
            self._give(blocks, days)
            soon = end_of_day(self.until) - timedelta(minutes=3)
            if soon > scenery.clock.now():
                scenery.clock.advance(soon - scenery.clock.now())
                self.sign_in = signed_in()

        @invariant()
        def what_is_told_is_what_is_held(self) -> None:
            told = issued(self.sign_in, scenery.story)
            assert told is not None
            claims, access = told["id"], told["access"]
            carried = [code for detail in access["authorization_details"] for code in detail["privileges"]]
            assert claims["functional_blocks"] == sorted(carried) == list(self.given)  # 1
            assert set(carried) <= known  # 2
            assert (
                claims["enterprise"]["neq"] == STORY
            )  # 6: the firm's PES holds every block there, and none of it here
            assert told["body"]["authorization_details"] == access["authorization_details"]
            for detail in access["authorization_details"]:
                assert access["exp"] <= detail.get("not_after", access["exp"])  # 3
                assert claims["exp"] <= detail.get("not_after", claims["exp"])
            projection = (claims["functional_blocks"], access["authorization_details"])
            version = claims["representation"]["version"]
            if self.seen is not None:
                assert version >= self.seen[0]
                assert (version == self.seen[0]) == (projection == self.seen[1])  # 5
            self.seen = (version, projection)
            for code in CODES:
                answer = delegation.explanation(ginette.person_id, scenery.story, "amp", code, told["now"])
                assert answer is not None
                assert answer.allowed == (code in self.given)  # 8

        @invariant()
        def the_other_enterprise_is_untouched(self) -> None:
            told = issued(self.sign_in, scenery.firm)
            assert told is not None
            assert firm_membership.counts
            assert told["id"]["enterprise"]["neq"] == FIRM
            assert set(told["id"]["functional_blocks"]) == known  # a PES there, whatever happens here

    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Histories,
        settings=settings(
            max_examples=300 if pytestconfig.getoption("--deep") else 8,
            stateful_step_count=8,  # a sign-in lasts an hour without use
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=True,
            database=None,
        ),
    )
