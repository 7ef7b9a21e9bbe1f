"""The ``claims`` parameter and ``acr`` as pure rules: values kept exactly, step-up decided once."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.oidc.authorization.domain.interactions import EnterpriseOffer, InteractionStep, Situation, next_step
from idp.oidc.authorization.domain.requests import AuthorizationRequest
from idp.oidc.claims.domain import asked_claims, assurance_levels
from idp.oidc.claims.domain.asked_claims import NOTHING_ASKED, AskedClaims
from idp.oidc.claims.domain.verified_requests import MalformedClaimsError
from idp.oidc.domain import metadata

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
OFFERED = frozenset(metadata.CLAIMS)
LEVEL = "urn:mandat:aal:"
REQUEST = AuthorizationRequest("rp1", "https://rp.example/cb", "query", ("openid",))


def parsed(**places: dict[str, Any]) -> AskedClaims:
    return asked_claims.parse(json.dumps(places), OFFERED)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=8), inner, max_size=2),
    max_leaves=3,
)
wishes = st.none() | st.fixed_dictionaries({}, optional={"essential": st.booleans(), "value": json_values})


@given(st.dictionaries(st.sampled_from(sorted(OFFERED - {"sub", "acr"})), wishes))
def test_a_request_survives_its_storage(asked: dict[str, Any]) -> None:
    """What is stored with the interaction and the grant is what was asked, to the value."""
    verified = {"verification": {"trust_framework": None}, "claims": {"given_name": None}}
    claims = parsed(id_token=asked, userinfo={**asked, "verified_claims": verified})
    request = replace(REQUEST, claims=claims, acr_values=("a", "b"))

    assert AuthorizationRequest.from_json(json.loads(json.dumps(request.to_json()))) == request
    assert AskedClaims.from_json(json.loads(json.dumps(claims.to_json()))) == claims


@given(st.text() | json_values.map(json.dumps) | st.builds(lambda v: json.dumps({"userinfo": v}), json_values))
def test_any_text_is_read_or_refused(text: str) -> None:
    """S-20: no other exception than the refusal."""
    said = ""
    try:
        asked_claims.parse(text, OFFERED)
    except MalformedClaimsError as error:
        said = str(error)

    assert said.isascii()
    assert not set(said) & set('"\\')


def test_a_request_stored_before_the_parameter_existed_is_still_read() -> None:
    """An interaction under way during an update goes on."""
    old = {name: value for name, value in REQUEST.to_json().items() if name not in ("claims", "acr_values")}

    assert AuthorizationRequest.from_json(old) == REQUEST


def test_every_claim_offered_has_its_place() -> None:
    """Discovery, the scopes' table and the two protocol lists hold the same names, so that none is forgotten."""
    named = asked_claims.brought_by(asked_claims.BROUGHT_BY) | asked_claims.OF_THE_SIGN_IN | asked_claims.OF_THE_TOKEN

    assert named == OFFERED


def test_claims_of_every_token_need_no_consent() -> None:
    """They are told by ``openid``."""
    names = asked_claims.OF_THE_SIGN_IN | asked_claims.OF_THE_TOKEN

    assert parsed(id_token=dict.fromkeys(names)).disclosed() == frozenset()
    assert parsed(userinfo={"functional_blocks": None}).disclosed() == {
        "functional_blocks",
        "enterprise",
        "representation",
    }


def situation(essential: list[str] | None = None, **changed: Any) -> Situation:
    claims = parsed(id_token={"acr": {"essential": True, "values": essential}}) if essential else NOTHING_ASKED
    wishes = {name: changed.pop(name) for name in ("acr_values", "prompts", "max_age") if name in changed}
    known: dict[str, Any] = {
        "auth_time": NOW - timedelta(minutes=5),
        "acr": f"{LEVEL}1",
        "offers": (EnterpriseOffer("e", "1100000455"),),
        "consented": frozenset({"e"}),
    }
    return Situation(replace(REQUEST, claims=claims, **wishes), NOW, NOW, **{**known, **changed})


@pytest.mark.parametrize(
    ("facts", "step", "error"),
    [
        (situation(), InteractionStep.ISSUE, ""),
        (situation([f"{LEVEL}1"]), InteractionStep.ISSUE, ""),
        (situation([f"{LEVEL}2"]), InteractionStep.LOG_IN, ""),
        (situation([f"{LEVEL}2"], acr=f"{LEVEL}2"), InteractionStep.ISSUE, ""),
        (situation([f"{LEVEL}2"], acr=f"{LEVEL}3"), InteractionStep.ISSUE, ""),
        (situation([f"{LEVEL}2"], acr=f"{LEVEL}2", max_age=60), InteractionStep.LOG_IN, ""),
        (situation([f"{LEVEL}2"], prompts=("none",)), InteractionStep.REFUSE, "login_required"),
        (situation([f"{LEVEL}2"], auth_time=NOW), InteractionStep.REFUSE, "access_denied"),
        (situation([f"{LEVEL}2"], acr=f"{LEVEL}2", auth_time=NOW), InteractionStep.ISSUE, ""),
        (situation([f"{LEVEL}2"], acr="urn:unknown:9"), InteractionStep.LOG_IN, ""),
        (situation([f"{LEVEL}3"], acr=f"{LEVEL}2"), InteractionStep.LOG_IN, ""),
        (situation([f"{LEVEL}3"], acr=f"{LEVEL}2", auth_time=NOW), InteractionStep.REFUSE, "access_denied"),
        (situation([f"{LEVEL}3"], acr=f"{LEVEL}2", prompts=("none",)), InteractionStep.REFUSE, "login_required"),
        (situation([f"{LEVEL}3"], acr=f"{LEVEL}3"), InteractionStep.ISSUE, ""),
        (situation([f"{LEVEL}4"], acr=f"{LEVEL}3"), InteractionStep.REFUSE, "access_denied"),
        (situation(acr_values=(f"{LEVEL}2",)), InteractionStep.LOG_IN, ""),
        (situation(acr_values=(f"{LEVEL}2",), auth_time=NOW), InteractionStep.ISSUE, ""),
        (situation(acr_values=(f"{LEVEL}2",), prompts=("none",)), InteractionStep.ISSUE, ""),
        (situation(acr_values=(f"{LEVEL}3", f"{LEVEL}1")), InteractionStep.LOG_IN, ""),
        (situation(acr_values=(f"{LEVEL}3",), acr=f"{LEVEL}2", reachable=2), InteractionStep.ISSUE, ""),
        (situation(acr_values=(f"{LEVEL}3",), acr=f"{LEVEL}2", reachable=3), InteractionStep.LOG_IN, ""),
        (situation(acr_values=("urn:unknown:1",)), InteractionStep.ISSUE, ""),
    ],
)
def test_step_up_to_each_level(facts: Situation, step: InteractionStep, error: str) -> None:
    """RFC 9470 and S-45: signed in less surely than asked, the person signs in again; less surely again, they are refused."""
    following = next_step(facts)

    assert (following.step, following.error) == (step, error)


def test_what_discovery_says_is_what_can_be_reached() -> None:
    """The levels advertised end where a person can get today."""
    assert max(map(assurance_levels.level, metadata.ACR_VALUES)) == assurance_levels.REACHABLE
