"""A person with the codes of two enterprises on one account: one enterprise in each token (security-bar.md S-68)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from idp.accounts import services as accounts
from idp.accounts.sessions.session_services import account_status, begin_sign_in
from idp.accounts.user_codes import activation_services, linking_services
from idp.clock import local_date
from idp.db import transaction
from idp.delegation import services as delegation
from tests.accounts.conftest import payloads
from tests.oidc.scenery import FIRM, STORY, RelyingParty, Scenery, Someone


@pytest.fixture
def linked(scenery: Scenery) -> Scenery:
    """Julie, user of the story's enterprise, receives a code of the firm and adds it; ``julie_firm`` signs in with that code."""
    now, julie, pes = scenery.clock.now(), scenery.people["julie"], scenery.people["ginette"].person_id
    newcomer = delegation.create_user(
        scenery.firm,
        given_name="Julie",
        family_name="Pontvert",
        email="julie@firme.example",
        language="fr",
        by=pes,
        now=now,
    )
    until = local_date(now) + timedelta(days=30)
    delegation.grant(scenery.firm, newcomer.membership_id, "amp", blocks=("005",), until=until, granted_by=pes, now=now)
    assert newcomer.temporary
    token = activation_services.start(newcomer.user_code, newcomer.temporary.secret, next_path="/home", now=now).token
    activation_services.confirm_email(token, str(payloads("email_code")[-1]["code"]), now=now)
    with transaction():
        signed = begin_sign_in(
            account_status(julie.person_id, julie.code.signs), device="", former=None, next_path="/", now=now
        )
    assert linking_services.link(token, signed.sign_in, now=now)
    scenery.people["julie_firm"] = Someone(julie.person_id, newcomer.user_code)
    return replace(scenery)


@pytest.mark.databases
@pytest.mark.parametrize("code", ["julie", "julie_firm"])
@pytest.mark.parametrize(("neq", "blocks"), [(STORY, ["001", "008"]), (FIRM, ["005"])])
def test_either_code_acts_for_the_enterprise_chosen_and_for_it_alone(
    linked: Scenery, code: str, neq: str, blocks: list[str]
) -> None:
    """The chooser shows both; the token names one enterprise and its blocks, never a union, whichever code was typed."""
    rp = RelyingParty(linked)
    browser = linked.signed_in(code)
    place = rp.authorize(browser).location
    assert place.startswith("/interaction/enterprise")
    assert all(f'id="enterprise-{each}"' in browser.get(place).text for each in (STORY, FIRM))

    claims = rp.read(rp.tokens(browser, code, neq)["id_token"])

    told = str(claims)
    assert neq in told
    assert (FIRM if neq == STORY else STORY) not in told
    assert claims["functional_blocks"] == blocks


def test_the_agency_knows_one_person(linked: Scenery) -> None:
    """The subject is the account’s, the same with either code and for either enterprise (decisions.md §15)."""
    rp = RelyingParty(linked)

    subjects = {
        rp.read(rp.tokens(linked.signed_in(code), code, neq)["id_token"])["sub"]
        for code, neq in (("julie", STORY), ("julie_firm", FIRM))
    }

    assert len(subjects) == 1
    assert len(accounts.user_codes_of(linked.people["julie"].person_id, now=linked.clock.now())) == 2
