"""R-3, S-48: several worker processes together judge no more guesses against one person than one of them would."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import func, select

from idp.accounts import services as accounts
from idp.accounts.throttling import alarm_services
from idp.accounts.throttling.domain.lockout import FREE_TRIES
from idp.audit import SYSTEM
from idp.audit.models import AuditEntry
from idp.clock import MovableClock
from idp.config import Settings
from idp.db import db
from idp.identifiers import UserCode
from tests.oidc.scenery import PASSWORD, Scenery, csrf_token
from tests.races.served import served, together

pytestmark = [pytest.mark.race, pytest.mark.bar("S-48")]

EACH = 18  # guesses on each of two pages: within what one address may do in a minute
CODES = 3  # recoveries of one user code that receive a code within an hour: the others judge nothing
WRONG = "AAAA-AAAA-AAAA-AAAA-AAAA-AAAA"


@dataclass
class Guess:
    """A browser before a form that is filled in, ready to be sent."""

    client: httpx2.Client
    path: str
    form: dict[str, str]

    def send(self) -> int:
        """Send the form, close the browser, and return the status."""
        with closing(self.client):
            return self.client.post(self.path, data=self.form).status_code


@pytest.fixture
def clock() -> MovableClock:
    """The served provider has the time of day."""
    return MovableClock(datetime.now(UTC))


def spellings(code: UserCode) -> tuple[str, ...]:
    """The same code as people type it."""
    plain = code.signs
    return (
        str(code),
        plain,
        plain.lower(),
        str(code).lower(),
        f" {plain[:4]} {plain[4:]} ",
        f"{plain[:4]}–{plain[4:]}",
    )


def at_form(address: str, path: str, form: dict[str, str], *, begin: dict[str, str] | None = None) -> Guess:
    """Open a page in a browser of its own; with *begin*, answer the page before it first."""
    client = httpx2.Client(base_url=address, timeout=60, trust_env=False)
    if begin is not None:
        first = client.get("/recover")
        assert client.post("/recover", data={"csrf_token": csrf_token(first.text), **begin}).status_code == 303
    return Guess(client, path, {"csrf_token": csrf_token(client.get(path).text), **form})


@pytest.mark.databases
def test_guesses_on_every_page_in_all_processes_share_one_counter(
    scenery: Scenery, settings: Settings, tmp_path: Path
) -> None:
    """On three pages, the code in six spellings: five are judged, then not the right one either, until the door is opened."""
    julie = scenery.people["julie"]
    names = spellings(julie.code)
    db.session.remove()
    with served(settings, tmp_path / "served.log") as address:
        guesses = [
            at_form(address, "/recover/code", {"email_code": "00000000"}, begin={"user_code": names[place]})
            for place in range(CODES)
        ]
        for place in range(EACH):
            name = names[place % len(names)]
            guesses.append(at_form(address, "/sign-in", {"username": name, "password": "faux mot de passe"}))
            guesses.append(at_form(address, "/activate", {"user_code": name, "temporary_password": WRONG}))
        right = at_form(address, "/sign-in", {"username": names[3], "password": PASSWORD})
        again = at_form(address, "/sign-in", {"username": names[2], "password": PASSWORD})

        statuses = together(len(guesses), lambda place: guesses[place].send())

        locked = right.send()
        judged = _judged(julie.person_id)
        door = accounts.lockout_of(julie.person_id, now=datetime.now(UTC))
        counted = alarm_services.failed_within(alarm_services.KEPT, now=datetime.now(UTC))
        accounts.unlock(julie.person_id, by=SYSTEM, now=datetime.now(UTC))
        db.session.remove()
        opened = again.send()
    assert sorted(set(statuses)) == [200, 429], statuses
    assert statuses.count(200) == FREE_TRIES - 1  # the fifth is judged, and closes the door
    assert judged == FREE_TRIES
    assert locked == 429
    assert (door.failures, door.is_open) == (FREE_TRIES, False)
    assert counted == FREE_TRIES
    assert opened == 303


def _judged(person_id: str) -> int:
    """Every guess that was judged wrong left one entry."""
    counted = select(func.count()).where(
        AuditEntry.person_id == person_id, AuditEntry.event == "person:sign_in_refused"
    )
    return db.session.scalar(counted) or 0
