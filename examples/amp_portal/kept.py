"""Text a person typed that could not be saved: their right was lost, or had to be read again.

It is shown to them at once, and fills the form when they come back to it with the right. It is kept for a day, for the
same person (``iss``, ``sub``), enterprise and page alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta

from .database import Database
from .forms import SHOWN_AGAIN

LABELS = {
    "category": "category",
    "respondent": "respondent",
    "description": "description",
    "value": "contract_value",
    "public_body": "public_body",
    "kind": "kind",
    "name": "name",
    "detail": "detail",
    "subject": "subject",
    "text": "text",
}
CONTEXT = ("application", "revision")  # what the form was about: another person's change must still be seen
KEPT_FOR = timedelta(days=1)


def typed(form: Mapping[str, str]) -> dict[str, str]:
    """Return the values of *form* that are the person's own text or choices."""
    return {name: form[name][:SHOWN_AGAIN] for name in LABELS if form.get(name, "").strip()}


def keep(
    database: Database, account: int, enterprise: str, path: str, form: Mapping[str, str], now: datetime
) -> dict[str, str]:
    """Keep the text typed at *path* and return it; an empty form keeps nothing."""
    found = typed(form)
    if found:
        fields = json.dumps(found | {name: form[name][:40] for name in CONTEXT if name in form})
        with database.writing() as connection:
            connection.execute("DELETE FROM kept_text WHERE kept_at < ?", ((now - KEPT_FOR).isoformat(),))
            connection.execute(
                "INSERT INTO kept_text VALUES (?,?,?,?,?) ON CONFLICT (account, enterprise, path)"
                " DO UPDATE SET fields = excluded.fields, kept_at = excluded.kept_at",
                (account, enterprise, path, fields, now.isoformat()),
            )
    return found


def find(database: Database, account: int, enterprise: str, path: str, now: datetime) -> dict[str, str]:
    """Return the text kept for a page."""
    with database.connect() as connection:
        row = connection.execute(
            "SELECT fields FROM kept_text WHERE account = ? AND enterprise = ? AND path = ? AND kept_at >= ?",
            (account, enterprise, path, (now - KEPT_FOR).isoformat()),
        ).fetchone()
    return dict(json.loads(row["fields"])) if row else {}


def forget(database: Database, account: int, enterprise: str, path: str) -> None:
    """Delete the text kept for a page, once it was sent."""
    with database.connect() as connection:
        connection.execute(
            "DELETE FROM kept_text WHERE account = ? AND enterprise = ? AND path = ?", (account, enterprise, path)
        )
