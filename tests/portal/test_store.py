from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from examples.amp_portal.database import Database
from examples.amp_portal.store import Store

NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)
OURS, THEIRS = "neq:1100000455", "neq:3300000018"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(Database(tmp_path / "portal.sqlite3"))
    for enterprise in (OURS, THEIRS):
        store.welcome(enterprise, date(2026, 11, 23))
    return store


def test_an_enterprise_is_welcomed_once(store: Store) -> None:
    """Two messages and two invoices, however often somebody signs in."""
    store.welcome(OURS, date(2026, 11, 24))

    assert (len(store.messages(OURS)), len(store.invoices(OURS))) == (2, 2)


def test_an_invoice_is_paid_once(store: Store) -> None:
    """The second payment gives no receipt."""
    invoice = store.invoices(OURS)[0]["id"]

    assert store.pay(OURS, invoice, NOW) is not None
    assert store.pay(OURS, invoice, NOW) is None


def test_nothing_of_another_enterprise_can_be_touched(store: Store) -> None:
    """An id of another enterprise finds nothing and changes nothing."""
    assert store.pay(OURS, store.invoices(THEIRS)[0]["id"], NOW) is None
    assert store.read_message(OURS, store.messages(THEIRS)[0]["id"], NOW) is None
    assert all(row["paid_at"] is None for row in store.invoices(THEIRS))


def test_the_entry_ends_only_with_a_draft_and_a_relationship(store: Store) -> None:
    """Then the draft can no longer change."""
    assert not store.validate(OURS, "sub", NOW)
    assert store.save_application(OURS, "services", "A. B.", "Entretien", NOW)
    assert not store.validate(OURS, "sub", NOW)
    store.disclose(OURS, "director", "A. B.", NOW)

    assert store.validate(OURS, "sub", NOW)
    assert not store.validate(OURS, "sub", NOW)
    assert not store.save_application(OURS, "ppp", "C. D.", "Autre", NOW)
