"""An enterprise of many people: lists are searched and paged, and no page costs more with each person."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from sqlalchemy import event, insert

from idp.db import db, new_id, transaction
from idp.delegation.models import Membership
from idp.delegation.people import people_services
from idp.delegation.people.domain.roles import MembershipStatus, Role

from .conftest import Browser, Business, Member, World

SignIn = Callable[[Member], Browser]
NAMES = ("Élodie Tremblay", "Zoé Gagné", "Mamadou N’Diaye", "Anne-Marie Côté", "ᐃᓄᒃ Ahnahktsipiitaa")


def add_users(business: Business, world: World, count: int) -> None:
    """Add users without accounts of their own: the rows that a list reads."""
    rows = []
    for number in range(count):
        given, family = NAMES[number % len(NAMES)].split(" ")
        family = f"{family} {number:04d}"
        rows.append(
            {
                **{"id": new_id(), "enterprise_id": business.id},
                **{"role": Role.USER.value, "status": MembershipStatus.ACTIVE.value, "user_code": f"T{number:07d}"},
                **{"appointed_at": world.now, "changed_at": world.now, "given_name": given, "family_name": family},
                "sort_name": people_services.folded(given, family),
                "person_id": f"{number:032x}",
            }
        )
    with transaction() as session:
        session.execute(insert(Membership), rows)


@contextmanager
def counted() -> Iterator[list[str]]:
    """Collect the statements that are executed."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_others: object) -> None:
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


@pytest.mark.databases
@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("tremblay", 20),
        ("TREMBLAY élodie", 20),
        ("elodie 0005", 1),
        ("n’diaye", 20),
        ("cote", 20),
        ("ᐃᓄᒃ", 20),
        ("T0000007", 1),
        ("t-000-0007", 1),
        ("%", 0),
        ("_", 0),
        ("'; DROP TABLE membership; --", 0),
        ("no one of this name", 0),
    ],
)
def test_people_are_found_by_parts_of_their_names(licorne: Business, world: World, words: str, found: int) -> None:
    """Without case or accents, in any order, or by user code; wildcards and quotes are characters like others."""
    add_users(licorne, world, 100)

    shown, _more = people_services.page_of_members(licorne.id, words=words, size=200)

    assert len(shown) == found


@pytest.mark.databases
def test_pages_show_each_person_once(licorne: Business, world: World) -> None:
    """All pages together are the members of the enterprise, by name,."""
    add_users(licorne, world, 60)
    ids: list[str] = []
    for page in range(1, 10):
        views, more = people_services.page_of_members(licorne.id, page=page)
        ids += [view.id for view in views]
        if not more:
            break

    assert len(ids) == len(set(ids))
    assert set(ids) == {view.id for view in people_services.members(licorne.id)}
    names = [people_services.folded(view.known.given_name, view.known.family_name) for view in views]
    assert names == sorted(names)


def test_suspended_people_are_filtered(licorne: Business, world: World) -> None:
    """The filter names a state; removed people never appear."""
    people_services.suspend_member(licorne.id, licorne.julie.membership_id, by=licorne.pes.person_id, now=world.now)

    (only,), _more = people_services.page_of_members(licorne.id, status=MembershipStatus.SUSPENDED)

    assert only.id == licorne.julie.membership_id


def test_a_corrected_name_is_found(licorne: Business) -> None:
    """The folded name follows the name."""
    with transaction():
        people_services.rename(licorne.julie.person_id, "Ève", "Nouveaunom")

    (only,), _more = people_services.page_of_members(licorne.id, words="eve nouveaunom")
    assert only.id == licorne.julie.membership_id


@pytest.mark.parametrize("path", ["/home", "/journal", "/why", "/roster"])
def test_a_page_costs_the_same_with_many_people(
    app: Flask, licorne: Business, world: World, sign_in: SignIn, path: str
) -> None:
    """The same number of statements, and nearly the same page, with 400 people more."""
    pes = sign_in(licorne.pes)
    pes.text(path)
    with counted() as few:
        small = pes.text(path)
    add_users(licorne, world, 400)

    with counted() as many:
        large = pes.text(path)

    assert len(many) <= len(few)
    assert len(large) < len(small) + 20_000


def test_rights_of_many_are_changed_one_at_a_time(licorne: Business, world: World, sign_in: SignIn) -> None:
    """Beyond twelve users the table gives way to a list that is searched; one person's rights are changed as before."""
    add_users(licorne, world, 40)
    pes = sign_in(licorne.pes)

    shown = pes.text("/agencies/amp/rights")
    assert 'id="q"' in shown
    assert shown.count("/agencies/amp/rights?person=") == 25
    found = pes.text(f"/agencies/amp/rights?q={licorne.julie.name.split(' ')[0]}")
    assert f"/agencies/amp/rights?person={licorne.julie.membership_id}" in found
    one = pes.text(f"/agencies/amp/rights?person={licorne.julie.membership_id}")
    assert f'name="block-{licorne.julie.membership_id}"' in one


def test_changing_one_right_costs_the_same_with_many_people(licorne: Business, world: World) -> None:
    """The rows read and the statements of a change do not grow with the enterprise."""
    world.grant(licorne, licorne.julie, "001")
    with counted() as few:
        world.grant(licorne, licorne.julie, "005")
    add_users(licorne, world, 300)

    with counted() as many:
        world.grant(licorne, licorne.julie, "008")

    assert len(many) <= len(few)
    assert world.blocks(licorne, licorne.julie) == ("008",)
