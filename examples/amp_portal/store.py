"""What the portal keeps about an enterprise: messages (001), requests (005, 007), invoices (008).

Every row belongs to one enterprise, and every write is one transaction that reads again whether the writer still may.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime, timedelta

from . import sessions
from .applications import Event, Field, RequestState, State, follow
from .database import Database
from .formats import dollars
from .paging import Page, page_of
from .sessions import Acting
from .words import word

REQUEST_KINDS = ("information", "meeting", "correction")
REQUEST = (Field("kind", choices=REQUEST_KINDS), Field("subject"), Field("text", 2000, rows=6))
REPLY = (Field("text", 2000, rows=6),)
_KEPT = timedelta(days=7)  # how long a submitted form is remembered, so that a second submission has no effect
_WELCOME = (("message_welcome", 9), ("message_establishment", 3))  # days before today
_INVOICES = (
    ("Frais d’une copie certifiée", "Fee for a certified copy", 6_140, 30),
    ("Frais de mise à jour annuelle", "Annual update fee", 20_700, 45),
)


class Store:
    """What the portal keeps about an enterprise, except its applications."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def writing(self, acting: Acting) -> AbstractContextManager[sqlite3.Connection]:
        """Open a transaction for *acting*, after checking that they may still write."""
        return sessions.writing(self.database, acting)

    def welcome(self, enterprise: str, today: date) -> None:
        """Give an enterprise its two messages and two invoices the first time it signs in."""
        if self.one("SELECT 1 FROM enterprise WHERE id = ?", enterprise):
            return
        with self.database.writing() as connection:
            is_new = connection.execute(
                "INSERT OR IGNORE INTO enterprise VALUES (?,?)", (enterprise, today.isoformat())
            )
            if not is_new.rowcount:
                return
            for key, days in _WELCOME:
                add_message(connection, enterprise, key, today - timedelta(days=days))
            for french, english, cents, days in _INVOICES:
                add_invoice(connection, enterprise, french, english, cents, today + timedelta(days=days))

    def all(self, query: str, *values: object) -> list[sqlite3.Row]:
        """Return every row that *query* finds."""
        with self.database.connect() as connection:
            return connection.execute(query, values).fetchall()

    def one(self, query: str, *values: object) -> sqlite3.Row | None:
        """Return the first row that *query* finds."""
        rows = self.all(query, *values)
        return rows[0] if rows else None

    def page(self, number: int, query: str, *values: object) -> Page:
        """Return one page of what *query* finds."""
        with self.database.connect() as connection:
            return page_of(connection, query, values, number)

    def messages(self, enterprise: str, number: int = 1) -> Page:
        """Return the messages of an enterprise, newest first."""
        return self.page(
            number, "SELECT * FROM message WHERE enterprise = ? ORDER BY sent_on DESC, id DESC", enterprise
        )

    def unread(self, enterprise: str) -> int:
        """Return the number of unread messages."""
        found = self.one("SELECT count(*) AS n FROM message WHERE enterprise = ? AND read_at IS NULL", enterprise)
        return found["n"] if found else 0

    def read_message(self, acting: Acting, message_id: int) -> sqlite3.Row | None:
        """Return one message and record that it was read."""
        with self.writing(acting) as connection:
            connection.execute(
                "UPDATE message SET read_at = ? WHERE id = ? AND enterprise = ? AND read_at IS NULL",
                (acting.now.isoformat(), message_id, acting.enterprise),
            )
        return self.message(acting.enterprise, message_id)

    def message(self, enterprise: str, message_id: int) -> sqlite3.Row | None:
        """Return one message."""
        return self.one("SELECT * FROM message WHERE id = ? AND enterprise = ?", message_id, enterprise)

    def put_back(self, acting: Acting, message_id: int) -> None:
        """Make a message unread again."""
        with self.writing(acting) as connection:
            connection.execute(
                "UPDATE message SET read_at = NULL WHERE id = ? AND enterprise = ?", (message_id, acting.enterprise)
            )

    def replies(self, enterprise: str, message_id: int) -> list[sqlite3.Row]:
        """Return the last answers of the enterprise to a message, oldest first."""
        return self.all(
            "SELECT * FROM (SELECT reply.*, account.name AS by_name FROM reply LEFT JOIN account ON account.id = sent_by"
            " WHERE message_id = ? AND enterprise = ? ORDER BY reply.id DESC LIMIT 25) ORDER BY id",
            message_id,
            enterprise,
        )

    def reply(self, acting: Acting, message_id: int, body: str, token: str) -> bool:
        """Answer a message, once, and complete the request it concerns. False when the message does not exist."""
        with self.writing(acting) as connection:
            found = connection.execute(
                "SELECT request_id FROM message WHERE id = ? AND enterprise = ?", (message_id, acting.enterprise)
            ).fetchone()
            if found is None:
                return False

            def write() -> str:
                connection.execute(
                    "INSERT INTO reply (enterprise, message_id, body, sent_at, sent_by) VALUES (?,?,?,?,?)",
                    (acting.enterprise, message_id, body, acting.now.isoformat(), acting.account),
                )
                if found["request_id"] is not None:
                    connection.execute(
                        "UPDATE request SET status = ? WHERE id = ?", (RequestState.COMPLETED, found["request_id"])
                    )
                    add_turn(connection, "request", found["request_id"], RequestState.COMPLETED, acting)
                return "sent"

            once(connection, acting, token, write)
        return True

    def send_request(self, acting: Acting, kind: str, subject: str, body: str, token: str = "") -> str:
        """Keep a request, once, and return its number; a message acknowledges it."""
        with self.writing(acting) as connection:

            def write() -> str:
                number = f"D-{acting.now:%Y%m}-{_next(connection, 'request'):05d}"
                request = connection.execute(
                    "INSERT INTO request (enterprise, number, kind, subject, body, sent_at, sent_by, status)"
                    " VALUES (?,?,?,?,?,?,?,?)",
                    (
                        *(acting.enterprise, number, kind, subject, body, acting.now.isoformat()),
                        *(str(acting.account), RequestState.RECEIVED),
                    ),
                ).lastrowid
                assert request is not None  # noqa: S101 (sqlite gives the id of an inserted row)
                add_turn(connection, "request", request, RequestState.RECEIVED, acting)
                add_message(
                    *(connection, acting.enterprise, "message_request", acting.now.date()),
                    request_id=request,
                    values=lambda _language: {"number": number, "subject": subject},
                )
                return number

            return once(connection, acting, token, write)

    def request_numbered(self, enterprise: str, number: str) -> sqlite3.Row | None:
        """Return a request by its number."""
        return self.one("SELECT * FROM request WHERE enterprise = ? AND number = ?", enterprise, number)

    def request(self, enterprise: str, request_id: int) -> sqlite3.Row | None:
        """Return one request."""
        return self.one("SELECT * FROM request WHERE enterprise = ? AND id = ?", enterprise, request_id)

    def requests_of(self, enterprise: str, number: int = 1) -> Page:
        """Return the requests of an enterprise, newest first."""
        return self.page(number, "SELECT * FROM request WHERE enterprise = ? ORDER BY id DESC", enterprise)

    def followed(self, enterprise: str, number: int = 1) -> Page:
        """Return applications and requests with their state, the one that changed last first."""
        return self.page(
            number,
            "SELECT 'application' AS subject, id, number, '' AS title, state, changed_at AS at FROM application"
            " WHERE enterprise = ?1 UNION ALL SELECT 'request', id, number, subject, status,"
            " (SELECT max(at) FROM turn WHERE turn.subject = 'request' AND subject_id = request.id) FROM request"
            " WHERE enterprise = ?1 ORDER BY at DESC",
            enterprise,
        )

    def turns(self, subject: str, subject_id: int) -> list[sqlite3.Row]:
        """Return the last dated states of an application or a request, oldest first."""
        return self.all(
            "SELECT * FROM (SELECT turn.*, account.name AS by_name FROM turn LEFT JOIN account ON account.id = by"
            " WHERE subject = ? AND subject_id = ? ORDER BY turn.id DESC LIMIT 25) ORDER BY id",
            subject,
            subject_id,
        )

    def invoices(self, enterprise: str, number: int = 1) -> Page:
        """Return the invoices of an enterprise, the unpaid ones first."""
        return self.page(
            number, f"{_INVOICE} WHERE invoice.enterprise = ? ORDER BY paid_at IS NOT NULL, due_on", enterprise
        )

    def invoice(self, enterprise: str, invoice_id: int) -> sqlite3.Row | None:
        """Return one invoice of an enterprise."""
        return self.one(f"{_INVOICE} WHERE invoice.id = ? AND invoice.enterprise = ?", invoice_id, enterprise)

    def invoice_of(self, enterprise: str, receipt: str) -> sqlite3.Row | None:
        """Return the invoice of a receipt."""
        return self.one(f"{_INVOICE} WHERE receipt = ? AND invoice.enterprise = ?", receipt, enterprise)

    def pay(self, acting: Acting, invoice_id: int) -> str | None:
        """Simulate the payment of an invoice, once, and return its receipt; None when there is nothing to pay.

        The fee of an application moves the application on in the same transaction.
        """
        receipt = f"R-{acting.now:%Y%m%d}-{secrets.token_hex(4).upper()}"
        with self.writing(acting) as connection:
            paid = connection.execute(
                "UPDATE invoice SET paid_at = ?, receipt = ? WHERE id = ? AND enterprise = ? AND paid_at IS NULL"
                " RETURNING application_id, number, cents",
                (acting.now.isoformat(), receipt, invoice_id, acting.enterprise),
            ).fetchone()
            if paid is None:
                return None
            if paid["application_id"] is not None:
                _fee_paid(connection, acting, paid, receipt)
        return receipt


_INVOICE = (
    "SELECT invoice.*, application.number AS application FROM invoice"
    " LEFT JOIN application ON application.id = application_id"
)


def _fee_paid(connection: sqlite3.Connection, acting: Acting, invoice: sqlite3.Row, receipt: str) -> None:
    before = connection.execute("SELECT * FROM application WHERE id = ?", (invoice["application_id"],)).fetchone()
    after = follow(State(before["state"]), Event.FEE_PAID)
    if after is None:
        return
    connection.execute(
        "UPDATE application SET state = ?, revision = revision + 1, changed_at = ?, changed_by = ? WHERE id = ?",
        (after, acting.now.isoformat(), acting.account, before["id"]),
    )
    add_turn(connection, "application", before["id"], after, acting)
    add_message(
        *(connection, acting.enterprise, "message_fee_paid", acting.now.date()),
        values=lambda language: {
            "number": before["number"],
            "amount": dollars(invoice["cents"], language),
            "receipt": receipt,
        },
    )


def add_message(
    connection: sqlite3.Connection,
    enterprise: str,
    key: str,
    sent_on: date,
    *,
    request_id: int | None = None,
    values: Callable[[str], dict[str, str]] = lambda _language: {},
) -> None:
    """Put a message into the box of an enterprise, in both languages."""
    texts = [
        word(f"{key}_{part}", language, **values(language)) for part in ("subject", "body") for language in ("fr", "en")
    ]
    connection.execute(
        "INSERT INTO message (enterprise, sent_on, subject_fr, subject_en, body_fr, body_en, request_id) VALUES (?,?,?,?,?,?,?)",
        (enterprise, sent_on.isoformat(), *texts, request_id),
    )


def add_invoice(
    connection: sqlite3.Connection,
    enterprise: str,
    french: str,
    english: str,
    cents: int,
    due_on: date,
    application_id: int | None = None,
) -> str:
    """Raise an invoice and return its number."""
    number = f"F-{_next(connection, 'invoice'):06d}"
    connection.execute(
        "INSERT INTO invoice (enterprise, number, subject_fr, subject_en, cents, due_on, application_id) VALUES (?,?,?,?,?,?,?)",
        (enterprise, number, french, english, cents, due_on.isoformat(), application_id),
    )
    return number


def add_turn(connection: sqlite3.Connection, subject: str, subject_id: int, state: str, acting: Acting) -> None:
    """Record when, and by whom, an application or a request reached a state."""
    connection.execute(
        "INSERT INTO turn (subject, subject_id, state, at, by) VALUES (?,?,?,?,?)",
        (subject, subject_id, state, acting.now.isoformat(), acting.account),
    )


def once(connection: sqlite3.Connection, acting: Acting, token: str, write: Callable[[], str]) -> str:
    """Write what a form requests and return the result; the same form sent again returns it and writes nothing."""
    if not token:
        return write()
    key = (acting.enterprise, acting.account)
    known = connection.execute(
        "SELECT result FROM sent_form WHERE enterprise = ? AND account = ? AND token = ?", (*key, token)
    ).fetchone()
    if known is not None:
        return str(known["result"])
    connection.execute(
        "DELETE FROM sent_form WHERE enterprise = ? AND account = ? AND sent_at < ?",
        (*key, (acting.now - _KEPT).isoformat()),
    )
    result = write()
    connection.execute("INSERT INTO sent_form VALUES (?,?,?,?,?)", (*key, token, result, acting.now.isoformat()))
    return result


def _next(connection: sqlite3.Connection, table: str) -> int:
    return int(connection.execute(f"SELECT coalesce(max(id), 0) + 1 FROM {table}").fetchone()[0])  # noqa: S608


def today() -> date:
    """Return the current date."""
    return datetime.now(UTC).date()
