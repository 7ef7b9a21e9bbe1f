"""The file of one's own data is whole: every table is in it, or a line below says why it is not (law L-2)."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from sqlalchemy import Table

from idp.db import Base
from idp.my_data import gathering, schema

ABOUT_A_PERSON = re.compile(
    r"person|email|phone|address|given|family|nickname|user_code|representative|subject|^sub$|actor|_by$|payload|^sid$"
)
LEFT_OUT = {
    "allowance": "when messages of one sort last left, so that nobody is flooded; a day at most",
    "email_code": "keyed digests of codes, minutes; that one was asked for is told by begun",
    "event_stream_removed_subject": "an agency's wish about its own sub; nothing of it leads back to a person",
    "interaction": "an agency's request under way in one browser, minutes; what comes of it is an authorization",
    "passkey_ceremony": "random challenges, minutes",
    "passkey_owner": "a random handle, which the person's passkeys know and nothing else uses",
    "question": "what somebody without an account wrote to those in charge, sealed; 30 days",
    "rights_revision": "a counter of the enterprise's matrix; who changed a right is told by its grant and the log",
    "subscription_change": "the enterprise's own; what the person did with it is told by the steps of the subscription",
    "subscription": "the enterprise's own; what the person did with it is told by its steps",
    "tax_account": "the tax agency's sealed file, compared with what was typed and never told",
    "tax_notice": "the tax agency's file, as keyed digests",
}
ABOUT_NOBODY = frozenset(
    {
        *("agency", "enterprise", "relying_party", "initial_access_token", "pushed_request", "replay_id"),
        *("event_stream", "alarm", "failed_tries", "audit_head", "import_head", "import_run"),
        *("register_enterprise", "register_establishment", "register_label", "register_merger", "register_name"),
    }
)


@pytest.fixture
def tables(app: Flask) -> dict[str, Table]:
    """Return the tables of the product by name, none that a test made."""
    mappers = [mapper for mapper in Base.registry.mappers if mapper.class_.__module__.startswith("idp.")]
    return {str(mapper.local_table.name): mapper.local_table for mapper in mappers}  # type: ignore[attr-defined]


@pytest.fixture
def covered() -> frozenset[str]:
    """Return the tables that the rooms say they read."""
    return frozenset(name for part in gathering.PARTS.values() for name in part.tables)


@pytest.mark.bar("L-2")
def test_every_table_is_in_the_file_or_has_a_reason(tables: dict[str, Table], covered: frozenset[str]) -> None:
    """A new table is declared beside the part that reads it, or named here with why a person is not given it."""
    assert tables.keys() - covered - LEFT_OUT.keys() - ABOUT_NOBODY == set()


def test_no_table_is_told_of_twice_or_is_gone(tables: dict[str, Table], covered: frozenset[str]) -> None:
    """A declaration that no table answers to, or that contradicts another, is a mistake."""
    assert (covered | LEFT_OUT.keys() | ABOUT_NOBODY) - tables.keys() == set()
    assert covered & LEFT_OUT.keys() == covered & ABOUT_NOBODY == LEFT_OUT.keys() & ABOUT_NOBODY == set()


def test_a_table_about_nobody_has_no_column_about_somebody(tables: dict[str, Table]) -> None:
    """A column that refers to a person ends the excuse."""
    found = {f"{name}.{column.name}" for name in ABOUT_NOBODY for column in tables[name].columns}

    assert {name for name in found if ABOUT_A_PERSON.search(name.split(".")[1])} == set()


def test_every_part_of_the_file_has_a_room() -> None:
    """No part is empty for want of somebody who fills it, and none comes that the schema does not know."""
    assert gathering.PARTS.keys() == schema.PARTS
