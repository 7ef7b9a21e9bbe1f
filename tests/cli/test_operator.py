"""``idp operator add``: one account for the desk, and one link good once."""

from __future__ import annotations

import re

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy import func, select

from idp import audit
from idp.accounts.models import Person
from idp.audit import Event
from idp.cli import operator as command
from idp.db import db
from idp.support import services
from idp.support.roles import DeskRole


@pytest.fixture
def run(app: Flask, monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.setattr(command, "create_app", lambda: app)

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(command.operator, ["add", *arguments])

    return invoke


def people() -> int:
    return db.session.scalar(select(func.count()).select_from(Person)) or 0


ODILE = ("--name", "Odile Guichet", "--email", "odile@example.org")


def test_an_operator_gets_a_link_good_once(app: Flask, run: object) -> None:
    """The link opens once, leads to the desk, and the act is in the log; the address comes from the configuration."""
    result = run(*ODILE)  # type: ignore[operator]

    assert result.exit_code == 0, result.output
    link = re.search(r"http://localhost:8000(/activate/start\?token=[\w-]{43})\n", result.output)
    assert link
    [entry] = [entry for entry in audit.entries() if entry.event == Event.OPERATOR_ADDED.value]
    assert entry.details == {"role": "operator"}
    found = services.operator_of(entry.person_id or "")
    assert found is not None
    assert (found.role, found.agency_id) == (DeskRole.OPERATOR, None)
    assert app.test_client().get(link.group(1), follow_redirects=True).status_code == 200


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--name", "Odile", "--email", "odile@example.org"), "given name and a family name"),
        (("--name", "Odile Guichet", "--email", "nobody"), "--email"),
        ((*ODILE, "--role", "king"), "king"),
        ((*ODILE, "--role", "agency_officer"), "needs --agency"),
        ((*ODILE, "--agency", "amp"), "needs --agency"),
        ((*ODILE, "--role", "agency_officer", "--agency", "nowhere"), "not in the catalogue"),
    ],
)
def test_a_mistake_creates_nobody(run: object, arguments: tuple[str, ...], message: str) -> None:
    """Each mistake is told, and no half account stays."""
    result = run(*arguments)  # type: ignore[operator]

    assert result.exit_code == 2
    assert message in result.output
    assert people() == 0
