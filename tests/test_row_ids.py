"""S-47: an id tells nothing, not even how many there are, and never comes back.

Every table's key is either random (a UUID of version 4, as 32 hexadecimal signs) or a value that means something by itself and
stands below with its reason; and no page or answer that a stranger may read changes when people and enterprises are added.
"""

from __future__ import annotations

import itertools
import re
import uuid

import pytest
import sqlalchemy
from flask import Flask
from sqlalchemy import select

from idp.accounts import services as accounts
from idp.clock import MovableClock
from idp.db import Base, db, new_id
from idp.delegation import services as delegation
from idp.delegation.people.domain.roles import Role
from tests.world import World, make_world

RANDOM = {"id", "sid"}  # names of a key that is drawn
MEANINGFUL = {  # table: what its key is, and why it is no number that counts rows
    "agency": "the word its catalogue file gives it",
    "alarm": "the kind of alarm",
    "allowance": "who or what is allowed so many acts",
    "audit_head": "always one row",
    "contact_point": "the address itself",
    "event_stream_removed_subject": "a stream, and the subject its agency knows",
    "failed_tries": "the minute",
    "guess_counter": "who guesses are counted for",
    "import_head": "the kind of import",
    "import_run": "generation of the imported data: operators alone read it, and it is never deleted before a newer one",
    "register_enterprise": "generation and NEQ: the register's own",
    "register_establishment": "generation, NEQ and line of the register",
    "register_label": "generation and code of the register",
    "register_merger": "generation, NEQ and line of the register",
    "register_name": "generation, NEQ and line of the register",
    "relying_party": "client_id: chosen for an agency, random for who registers itself",
    "replay_id": "digest of what served once",
    "pushed_request": "digest of the reference",
    "tax_account": "generation, and a random id",
    "tax_notice": "generation, account and digest",
    "user_code": "the code, drawn (R-10)",
    "subscription_event": "a subscription, and its revision",
    "subscription_change": "a subscription, and the revision at which it was asked",
}
CHANGING = (
    re.compile(  # drawn each time: the token, the reference of a refusal, the challenge for a passkey and its number
        r'name="csrf_token"[^>]*value="[^"]+"|\b[0-9a-f]{12}\b|name="ceremony" value="[^"]+"|challenge&#34;:&#34;[\w-]+'
    )
)


def tables() -> list[sqlalchemy.Table]:
    return Base.metadata.sorted_tables


def drawn_keys() -> list[sqlalchemy.Column[str]]:
    """The columns whose values are random ids."""
    return [
        column
        for table in tables()
        if table.name not in MEANINGFUL
        for column in table.primary_key
        if not column.foreign_keys and column.name in RANDOM
    ]


@pytest.mark.bar("S-47")
def test_every_key_is_random_or_means_something(app: Flask) -> None:
    """A table of which the key counts rows, or is of another shape, has to be explained here."""
    for table in tables():
        if table.name in MEANINGFUL:
            continue
        for column in table.primary_key:
            is_reference = bool(column.foreign_keys) or column.name.endswith("_id")
            assert is_reference or column.name in RANDOM, f"{table.name}.{column.name}: what is it?"
            assert isinstance(column.type, sqlalchemy.String), f"{table.name}.{column.name} counts"
            assert table.autoincrement_column is None, table.name
    assert set(MEANINGFUL) <= {table.name for table in tables()}, "a table that no longer exists"


@pytest.mark.bar("S-47")
def test_ids_stored_are_uuids_of_version_4(app: Flask, clock: MovableClock) -> None:
    """In all rows of the demonstration: random, of one shape, and never the same twice in the whole database."""
    _grow(make_world(app, clock))
    seen: dict[str, str] = {}
    for column in drawn_keys():
        for value in db.session.scalars(select(column)):
            plain = value.removeprefix("g_")  # a grant's, which agencies see
            parsed = uuid.UUID(hex=plain)
            assert (parsed.version, parsed.variant, parsed.hex) == (4, uuid.RFC_4122, plain), str(column)
            assert value not in seen, (str(column), seen.get(value))
            seen[value] = str(column)

    assert len(set(seen.values())) >= 12, sorted(set(seen.values()))


@pytest.mark.bar("S-47")
def test_ids_drawn_do_not_follow_one_another() -> None:
    """Neither sorted by their time nor by a counter: a row tells nothing of the one before it."""
    drawn = [int(new_id(), 16) for _ in range(2000)]

    assert len(set(drawn)) == len(drawn)
    rises = sum(later > former for former, later in itertools.pairwise(drawn))
    assert 850 < rises < 1150  # eleven standard deviations of (n + 1) / 12
    assert len({later - former for former, later in itertools.pairwise(drawn)}) == len(drawn) - 1


def _public(app: Flask) -> dict[str, tuple[int, int, str]]:
    """Read, as a stranger, every address that needs no argument."""
    paths = {rule.rule for rule in app.url_map.iter_rules() if not rule.arguments and "GET" in (rule.methods or ())}
    seen = {}
    for path in sorted(paths):
        answer = app.test_client().get(path)
        text = CHANGING.sub("", answer.get_data(as_text=True))
        seen[path] = (answer.status_code, len(answer.data), text)
    return seen


def _grow(world: World) -> None:
    """Add people, codes, users of an enterprise and sign-ins."""
    now = world.clock.now()
    pes = accounts.user_codes([world.persona("pes")["user_code"]], now=now)
    by = next(iter(pes.values())).person_id
    story = next(view.enterprise_id for view in delegation.memberships_of(by) if view.role == Role.PES)
    for number in range(12):
        delegation.create_user(
            story,
            given_name="Noé",
            family_name="Bruinevent",
            email=f"noe{number}@licorne.example",
            language="fr",
            by=by,
            now=now,
        )
    for key in ("pes", "user", "ar"):
        world.browser(key)


@pytest.mark.bar("S-47", "CVE-2025-67717")
def test_no_public_answer_tells_how_many_there_are(app: Flask, clock: MovableClock) -> None:
    """Every address a stranger may open says the same, byte for byte, once there are more people, codes and sign-ins."""
    world = make_world(app, clock)
    start = clock.now()
    few = _public(app)

    _grow(world)
    clock.advance(start - clock.now())

    many = _public(app)
    assert [path for path in few if few[path] != many[path]] == []
    assert sum(status == 200 for status, _, _ in few.values()) >= 15
