"""What a person must keep and show, as a table; and how configuration says it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from idp.accounts.credentials.domain.factor_policy import (
    FactorCounts,
    RetentionReason,
    falls_short,
    may_remove_application,
    may_remove_passkey,
    only_passkey_serves,
    ways_to_confirm,
)
from idp.accounts.people.person_services import mark_operator, required_level
from idp.config import ConfigurationError, Settings, read_settings
from idp.identifiers import PersonId

AAL2, AAL3 = "urn:mandat:aal:2", "urn:mandat:aal:3"


@pytest.mark.parametrize(
    ("held", "level", "application_may_go", "passkey_may_go"),
    [
        (FactorCounts(1, 0), 2, False, True),
        (FactorCounts(2, 0), 2, True, True),
        (FactorCounts(1, 1), 2, False, True),
        (FactorCounts(1, 2), 2, False, True),
        (FactorCounts(0, 1), 2, False, False),
        (FactorCounts(0, 0), 2, False, False),
        (FactorCounts(1, 0), 3, False, False),
        (FactorCounts(1, 1), 3, True, False),
        (FactorCounts(1, 2), 3, True, True),
        (FactorCounts(0, 1), 3, True, False),
        (FactorCounts(0, 2), 3, True, True),
    ],
)
def test_the_last_factor_that_is_needed_stays(
    held: FactorCounts, level: int, application_may_go: bool, passkey_may_go: bool
) -> None:
    """An application stays beside passkeys, except for whoever must use a passkey; theirs stays (decisions.md §5)."""
    assert may_remove_application(held, level).reasons == (
        () if application_may_go else (RetentionReason.LAST_APPLICATION,)
    )
    assert may_remove_passkey(held, level).reasons == (() if passkey_may_go else (RetentionReason.LAST_PASSKEY,))


def test_who_must_show_a_passkey_and_has_one_shows_it() -> None:
    """Before the first one, and for everybody else, other factors serve."""
    told = [(only_passkey_serves(FactorCounts(1, count), level), count, level) for count in (0, 1) for level in (2, 3)]

    assert [each[1:] for each in told if each[0]] == [(1, 3)]
    assert [falls_short(acr, level) for acr in (AAL2, AAL3) for level in (2, 3)] == [False, True, False, False]


@pytest.mark.parametrize(
    ("held", "level", "code", "passkey"),
    [
        (FactorCounts(1, 0), 2, True, False),
        (FactorCounts(1, 1), 2, True, True),
        (FactorCounts(0, 1), 2, False, True),
        (FactorCounts(1, 0), 3, False, False),
        (FactorCounts(1, 1), 3, False, True),
        (FactorCounts(0, 1), 3, False, True),
    ],
)
def test_one_confirms_with_what_one_has_and_never_with_less_than_one_must(
    held: FactorCounts, level: int, code: bool, passkey: bool
) -> None:
    """A code serves below level 3, where there is an application; a passkey wherever there is one and a site for it (S-45)."""
    ways = ways_to_confirm(held, level, has_site=True)

    assert (ways.code, ways.passkey) == (code, passkey)
    assert ways.wants_passkey == (level == 3 and passkey)
    assert not ways_to_confirm(held, level, has_site=False).passkey


def test_operators_use_a_passkey_unless_configuration_or_a_demonstration_says_otherwise() -> None:
    """The default, and each role by name; the demonstration is lighter for all of them."""
    assert [read_settings().required_level(role) for role in ("user", "pes", "operator")] == [2, 2, 3]
    assert read_settings(demo=True).required_level("operator") == 2
    given = read_settings(demo=True, factor_policy="pes=3 operator=3")
    assert [given.required_level(role) for role in ("user", "pes", "operator")] == [2, 3, 3]


@pytest.mark.parametrize("policy", ["pes=1", "pes", "chief=3", "pes=3,user=2", "pes=33", "=3"])
def test_a_policy_that_cannot_be_read_stops_the_start(policy: str) -> None:
    """The mistake is named with what may be written."""
    with pytest.raises(ConfigurationError, match="IDP_FACTOR_POLICY"):
        read_settings(factor_policy=policy)


@pytest.fixture
def settings(settings: Settings, request: pytest.FixtureRequest) -> Settings:
    return settings.model_copy(update={"factor_policy": getattr(request, "param", "")})


def test_the_default_asks_operators_for_a_passkey_the_day_they_are_appointed(
    app: Flask, someone: Callable[..., PersonId]
) -> None:
    """Nothing is written on them for it: a change of configuration counts at once."""
    person = someone()
    before = required_level(person)
    mark_operator(person)

    assert (before, required_level(person)) == (2, 3)
