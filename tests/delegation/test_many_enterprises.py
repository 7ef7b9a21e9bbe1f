"""A person who acts for hundreds of enterprises finds one by a part of its name or of its NEQ, at both choices."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert

from idp.db import new_id, sort_key, transaction
from idp.delegation.models import Enterprise, Membership
from idp.delegation.people.domain.finding import PAGE, SEARCHED_BEYOND, find

from .conftest import Browser, Business, Member, World

SignIn = Callable[[Member], Browser]


def act_for(person_id: str, count: int, now: datetime) -> None:
    """Give a person a role in *count* enterprises more."""
    enterprises, members = [], []
    for number in range(count):
        name, id = f"Érablière {number:03d} inc.", new_id()
        enterprises.append(
            {
                **{"id": id, "neq": f"22{number:08d}", "name": name, "sort_name": sort_key(name), "status": "active"},
                **{"registered_at": now, "roster_revision": 0},
            }
        )
        members.append(
            {
                **{"id": new_id(), "enterprise_id": id, "person_id": person_id, "role": "user", "status": "active"},
                **{"user_code": f"U{number:07d}", "appointed_at": now, "changed_at": now},
            }
        )
    with transaction() as session:
        session.execute(insert(Enterprise), enterprises)
        session.execute(insert(Membership), members)


@given(st.integers(0, 120), st.integers(-3, 50), st.sampled_from(["", "1", "x", "  ", "1 2"]))
def test_pages_are_within_bounds(count: int, page: int, words: str) -> None:
    """Every page that is shown exists; a short list is shown whole; what is shown has the words."""
    items = [str(number) for number in range(count)]

    found = find(items, words, page, text=str, fold=str.casefold)

    assert len(found.items) <= max(PAGE, SEARCHED_BEYOND)
    assert found.is_searched == (count > SEARCHED_BEYOND)
    assert all(word in item for item in found.items for word in words.split())
    assert found.number >= 1
    if count > SEARCHED_BEYOND and not words.strip():
        assert len(found.items) == (PAGE if found.more else count - (found.number - 1) * PAGE)


def test_the_choice_of_an_enterprise_is_searched(licorne: Business, world: World, sign_in: SignIn) -> None:
    """By name without accents, or NEQ; hostile words find nothing; a page out of range is the last."""
    act_for(licorne.julie.person_id, 60, world.now)
    julie = sign_in(licorne.julie)

    assert len(re.findall(r'id="enterprise-\d{10}"', julie.text("/enterprises"))) == PAGE
    assert len(re.findall(r'id="enterprise-\d{10}"', julie.text("/enterprises?q=erabliere+007"))) == 1
    assert len(re.findall(r'id="enterprise-\d{10}"', julie.text("/enterprises?q=2200000042"))) == 1
    assert "Aucune entreprise" in julie.text("/enterprises?q=%25%27%3Cscript%3E")
    assert len(re.findall(r'id="enterprise-\d{10}"', julie.text("/enterprises?page=999999999999"))) == 61 - 2 * PAGE
    assert julie.get("/enterprises?page=x").status_code == 200
