"""``idp notices returned``: an operator notes an address from which messages come back."""

from __future__ import annotations

import pytest
from click.testing import CliRunner, Result
from flask import Flask

from idp.accounts import services
from idp.accounts.people import contact_services
from idp.cli import notices as command
from idp.clock import MovableClock


@pytest.fixture
def zoe(app: Flask, clock: MovableClock) -> str:
    return services.create_person(
        given_name="Zoé", family_name="Roy", email="Zoe@example.org", language="fr", now=clock.now()
    )


def run(app: Flask, monkeypatch: pytest.MonkeyPatch, address: str) -> Result:
    monkeypatch.setattr(command, "create_app", lambda: app)
    return CliRunner().invoke(command.notices, ["returned", address])


@pytest.mark.usefixtures("zoe")
def test_a_returned_message_marks_the_address(app: Flask, monkeypatch: pytest.MonkeyPatch, clock: MovableClock) -> None:
    """However the address is written; a code typed there clears it."""
    result = run(app, monkeypatch, " zoe@EXAMPLE.org ")

    assert result.exit_code == 0, result.output
    assert contact_services.contact("Zoe@example.org").is_refused
    contact_services.note_confirmed("Zoe@example.org", now=clock.now())
    assert not contact_services.contact("Zoe@example.org").is_refused


@pytest.mark.usefixtures("zoe")
def test_an_address_that_nobody_has_is_refused(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slip of the hand is told, and leaves nothing."""
    result = run(app, monkeypatch, "zoo@example.org")

    assert (result.exit_code, "no account has this address" in result.output) == (1, True)
    assert not contact_services.contact("zoo@example.org").is_refused
