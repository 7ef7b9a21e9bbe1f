"""Applications for authorization and their relationships, written by several people at the same time.

Every step and every relationship has a revision. A page sends back the revision that it showed. If another person
changed the same row meanwhile, nothing is written and the page shows the other person's text.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from .applications import FEE_CENTS, MAX_RELATIONSHIPS, TIME_TO_PAY, Event, Missing, State, follow, missing
from .formats import day, dollars
from .paging import Page
from .sessions import Acting
from .store import Store, add_invoice, add_message, add_turn, once

_FEE = ("Frais de la demande d’autorisation {}", "Fee for application for authorization {}")
_APPLICATION = (
    "SELECT application.*, changer.name AS by_name, submitter.name AS submitted_name FROM application"
    " LEFT JOIN account AS changer ON changer.id = changed_by LEFT JOIN account AS submitter ON submitter.id = submitted_by"
)
_RELATIONSHIP = (
    "SELECT relationship.*, changer.name AS by_name, discloser.name AS disclosed_name FROM relationship"
    " LEFT JOIN account AS changer ON changer.id = relationship.changed_by"
    " LEFT JOIN account AS discloser ON discloser.id = disclosed_by"
)


class Outcome(StrEnum):
    """The result of a change; the values are keys of sentences."""

    DONE = "saved"
    CHANGED = "changed_meanwhile"
    CLOSED = "entry_closed"
    GONE = "relationship_gone"
    DUPLICATE = "error_duplicate"
    FULL = "error_full"
    INCOMPLETE = "cannot_validate"


@dataclass(frozen=True, slots=True)
class Step:
    """A step as last saved."""

    fields: Mapping[str, str]
    revision: int = 0
    saved_at: str = ""
    by_name: str | None = None


NO_STEP = Step({})


class Applications:
    """The applications of enterprises."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def latest(self, enterprise: str) -> sqlite3.Row | None:
        """Return the enterprise's current draft, or the last application it submitted."""
        return self._store.one(f"{_APPLICATION} WHERE application.enterprise = ? ORDER BY id DESC LIMIT 1", enterprise)

    def find(self, enterprise: str, application_id: int) -> sqlite3.Row | None:
        """Return one application of an enterprise."""
        return self._store.one(
            f"{_APPLICATION} WHERE application.enterprise = ? AND application.id = ?", enterprise, application_id
        )

    def all(self, enterprise: str, number: int = 1) -> Page:
        """Return the applications of an enterprise, most recent first."""
        return self._store.page(number, f"{_APPLICATION} WHERE application.enterprise = ? ORDER BY id DESC", enterprise)

    def steps(self, application_id: int) -> dict[str, Step]:
        """Return the saved steps."""
        rows = self._store.all(
            "SELECT step.*, account.name AS by_name FROM step LEFT JOIN account ON account.id = saved_by"
            " WHERE application_id = ?",
            application_id,
        )
        return {
            row["name"]: Step(json.loads(row["fields"]), row["revision"], row["saved_at"], row["by_name"])
            for row in rows
        }

    def relationships(self, application_id: int, number: int = 1) -> Page:
        """Return the business relationships of an application, in the order in which they were added."""
        return self._store.page(
            number, f"{_RELATIONSHIP} WHERE application_id = ? ORDER BY relationship.id", application_id
        )

    def relationship(self, enterprise: str, relationship_id: int) -> sqlite3.Row | None:
        """Return one relationship of an enterprise's applications."""
        return self._store.one(
            f"{_RELATIONSHIP} JOIN application ON application.id = application_id"
            " WHERE relationship.id = ? AND application.enterprise = ?",
            relationship_id,
            enterprise,
        )

    def missing(self, application_id: int) -> tuple[Missing, ...]:
        """Return what an application lacks before it may be submitted."""
        with self._store.database.connect() as connection:
            return _missing(connection, application_id)

    def save_step(
        self, acting: Acting, application_id: int, name: str, fields: Mapping[str, str], revision: int
    ) -> Outcome:
        """Save a step that was shown at *revision*; the first one saved begins the application of an enterprise."""
        with self._store.writing(acting) as connection:
            draft = _draft(connection, acting, application_id)
            if draft is None:
                return Outcome.CLOSED
            known = connection.execute(
                "SELECT fields, revision FROM step WHERE application_id = ? AND name = ?", (draft, name)
            ).fetchone()
            if (known["revision"] if known else 0) != revision:
                is_same = known is not None and json.loads(known["fields"]) == dict(fields)  # the form was sent twice
                return Outcome.DONE if is_same else Outcome.CHANGED
            connection.execute(
                "INSERT INTO step VALUES (?,?,?,1,?,?) ON CONFLICT (application_id, name) DO UPDATE SET fields = excluded.fields,"
                " revision = revision + 1, saved_at = excluded.saved_at, saved_by = excluded.saved_by",
                (draft, name, json.dumps(dict(fields)), acting.now.isoformat(), acting.account),
            )
            _touch(connection, acting, draft)
        return Outcome.DONE

    def begin(self, acting: Acting) -> Outcome:
        """Begin another application with the relationships of the previous one, which must be disclosed again."""
        with self._store.writing(acting) as connection:
            last = _last(connection, acting.enterprise)
            if last is not None and State(last["state"]) is State.DRAFT:
                return Outcome.DONE
            draft = _begin(connection, acting)
            if last is not None:
                connection.execute(
                    "INSERT INTO relationship (application_id, kind, name, detail, revision, changed_at, changed_by)"
                    " SELECT ?, kind, name, detail, 1, ?, ? FROM relationship WHERE application_id = ? ORDER BY id",
                    (draft, acting.now.isoformat(), acting.account, last["id"]),
                )
        return Outcome.DONE

    def add_relationship(
        self, acting: Acting, application_id: int, fields: Mapping[str, str], token: str = ""
    ) -> Outcome:
        """Add a relationship; under block 019 it is disclosed as well."""
        with self._store.writing(acting) as connection:
            draft = _draft(connection, acting, application_id)
            if draft is None:
                return Outcome.CLOSED

            def write() -> str:
                count = connection.execute(
                    "SELECT count(*) FROM relationship WHERE application_id = ?", (draft,)
                ).fetchone()[0]
                if count >= MAX_RELATIONSHIPS:
                    return Outcome.FULL
                if _is_listed(connection, draft, fields):
                    return Outcome.DUPLICATE
                connection.execute(
                    "INSERT INTO relationship (application_id, kind, name, detail, revision, changed_at, changed_by,"
                    " disclosed_at, disclosed_by) VALUES (?,?,?,?,1,?,?,?,?)",
                    (
                        *(draft, fields["kind"], fields["name"], fields.get("detail", "")),
                        *(acting.now.isoformat(), acting.account),
                        *((acting.now.isoformat(), acting.account) if acting.block == "019" else (None, None)),
                    ),
                )
                _touch(connection, acting, draft)
                return Outcome.DONE

            return Outcome(once(connection, acting, token, write))

    def change_relationship(
        self, acting: Acting, relationship_id: int, fields: Mapping[str, str], revision: int
    ) -> Outcome:
        """Change a relationship that was shown at *revision*; it must then be disclosed again."""
        with self._store.writing(acting) as connection:
            row = _open_row(connection, acting, relationship_id)
            if isinstance(row, Outcome):
                return row
            if row["revision"] != revision:
                is_same = all(row[name] == fields.get(name, "") for name in ("kind", "name", "detail"))
                return Outcome.DONE if is_same else Outcome.CHANGED
            if _is_listed(connection, row["application_id"], fields, but=relationship_id):
                return Outcome.DUPLICATE
            connection.execute(
                "UPDATE relationship SET kind = ?, name = ?, detail = ?, revision = revision + 1, changed_at = ?, changed_by = ?,"
                " disclosed_at = NULL, disclosed_by = NULL WHERE id = ?",
                (
                    *(fields["kind"], fields["name"], fields.get("detail", "")),
                    *(acting.now.isoformat(), acting.account, relationship_id),
                ),
            )
            _touch(connection, acting, row["application_id"])
        return Outcome.DONE

    def remove_relationship(self, acting: Acting, relationship_id: int, revision: int) -> Outcome:
        """Remove a relationship that was shown at *revision*."""
        with self._store.writing(acting) as connection:
            row = _open_row(connection, acting, relationship_id)
            if isinstance(row, Outcome):
                return row
            if row["revision"] != revision:
                return Outcome.CHANGED
            connection.execute("DELETE FROM relationship WHERE id = ?", (relationship_id,))
            _touch(connection, acting, row["application_id"])
        return Outcome.DONE

    def disclose(self, acting: Acting, application_id: int, shown: Mapping[int, int]) -> Outcome:
        """Disclose relationships, each as it was shown at its revision: all of them or, where one changed, none."""
        with self._store.writing(acting) as connection:
            draft = _draft(connection, acting, application_id)
            if draft is None:
                return Outcome.CLOSED
            for relationship_id, revision in shown.items():
                done = connection.execute(
                    "UPDATE relationship SET disclosed_at = coalesce(disclosed_at, ?), disclosed_by = coalesce(disclosed_by, ?)"
                    " WHERE id = ? AND application_id = ? AND revision = ?",
                    (acting.now.isoformat(), acting.account, relationship_id, draft, revision),
                ).rowcount
                if not done:
                    connection.rollback()
                    return Outcome.CHANGED
            _touch(connection, acting, draft)
        return Outcome.DONE

    def submit(self, acting: Acting, application_id: int, revision: int) -> Outcome:
        """Validate and end the data entry of an application shown at *revision*: it is submitted, once, and its fee invoiced."""
        with self._store.writing(acting) as connection:
            row = connection.execute(
                "SELECT * FROM application WHERE id = ? AND enterprise = ?", (application_id, acting.enterprise)
            ).fetchone()
            after = follow(State(row["state"]), Event.SUBMITTED) if row else None
            if after is None:
                return Outcome.CLOSED
            if row["revision"] != revision:
                return Outcome.CHANGED
            if _missing(connection, application_id):
                return Outcome.INCOMPLETE
            number = f"LCOP-{acting.now:%Y}-{application_id:05d}"
            connection.execute(
                "UPDATE application SET state = ?, number = ?, revision = revision + 1, submitted_at = ?, submitted_by = ?,"
                " changed_at = ?, changed_by = ? WHERE id = ?",
                (
                    *(after, number, acting.now.isoformat(), acting.account),
                    *(acting.now.isoformat(), acting.account, application_id),
                ),
            )
            add_turn(connection, "application", application_id, after, acting)
            due_on = (acting.now + TIME_TO_PAY).date()
            french, english = (text.format(number) for text in _FEE)
            invoice = add_invoice(connection, acting.enterprise, french, english, FEE_CENTS, due_on, application_id)
            add_message(
                *(connection, acting.enterprise, "message_submitted", acting.now.date()),
                values=lambda language: {
                    "number": number,
                    "invoice": invoice,
                    "amount": dollars(FEE_CENTS, language),
                    "due": day(due_on, language),
                },
            )
        return Outcome.DONE


def _last(connection: sqlite3.Connection, enterprise: str) -> sqlite3.Row | None:
    found: sqlite3.Row | None = connection.execute(
        "SELECT * FROM application WHERE enterprise = ? ORDER BY id DESC LIMIT 1", (enterprise,)
    ).fetchone()
    return found


def _draft(connection: sqlite3.Connection, acting: Acting, application_id: int) -> int | None:
    """Return the draft a page is about, created when the enterprise has no application; None when it is closed."""
    last = _last(connection, acting.enterprise)
    if last is None:
        return _begin(connection, acting)
    is_open = follow(State(last["state"]), Event.CHANGED) is not None and application_id in (0, last["id"])
    return int(last["id"]) if is_open else None


def _begin(connection: sqlite3.Connection, acting: Acting) -> int:
    now = acting.now.isoformat()
    draft = connection.execute(
        "INSERT INTO application (enterprise, state, revision, begun_at, changed_at, changed_by) VALUES (?,?,1,?,?,?)",
        (acting.enterprise, State.DRAFT, now, now, acting.account),
    ).lastrowid
    assert draft is not None  # noqa: S101 (sqlite gives the id of an inserted row)
    add_turn(connection, "application", draft, State.DRAFT, acting)
    return draft


def _touch(connection: sqlite3.Connection, acting: Acting, application_id: int) -> None:
    connection.execute(
        "UPDATE application SET revision = revision + 1, changed_at = ?, changed_by = ? WHERE id = ?",
        (acting.now.isoformat(), acting.account, application_id),
    )


def _open_row(connection: sqlite3.Connection, acting: Acting, relationship_id: int) -> sqlite3.Row | Outcome:
    """Return a relationship of the enterprise's draft, or the reason it cannot change."""
    row: sqlite3.Row | None = connection.execute(
        "SELECT relationship.*, application.state AS state FROM relationship JOIN application ON application.id = application_id"
        " WHERE relationship.id = ? AND application.enterprise = ?",
        (relationship_id, acting.enterprise),
    ).fetchone()
    if row is None:
        return Outcome.GONE
    return row if follow(State(row["state"]), Event.CHANGED) else Outcome.CLOSED


def _is_listed(connection: sqlite3.Connection, draft: int, fields: Mapping[str, str], but: int = 0) -> bool:
    rows = connection.execute(
        "SELECT name FROM relationship WHERE application_id = ? AND kind = ? AND id <> ?", (draft, fields["kind"], but)
    )
    return any(row["name"].casefold() == fields["name"].casefold() for row in rows)


def _missing(connection: sqlite3.Connection, application_id: int) -> tuple[Missing, ...]:
    steps = connection.execute("SELECT name, fields FROM step WHERE application_id = ?", (application_id,)).fetchall()
    counted = connection.execute(
        "SELECT count(*) AS n, count(*) - count(disclosed_at) AS undisclosed FROM relationship WHERE application_id = ?",
        (application_id,),
    ).fetchone()
    return missing({row["name"]: json.loads(row["fields"]) for row in steps}, counted["n"], counted["undisclosed"])
