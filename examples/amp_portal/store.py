"""The small business data behind each block; every row belongs to one enterprise."""

from __future__ import annotations

import secrets
import sqlite3
from datetime import UTC, date, datetime, timedelta

from .database import Database

MAX_TEXT = 2000
REQUEST_KINDS = ("information", "meeting", "correction")
RELATIONSHIP_KINDS = ("shareholder", "director", "officer", "financial_institution", "establishment")
CATEGORIES = ("construction", "services", "ppp")

_MESSAGES = (
    (
        "Bienvenue dans les services en ligne",
        "Welcome to the online services",
        "Vous pouvez maintenant préparer votre demande d’autorisation de contracter. Les documents restent ici sept ans.",
        "You may now prepare your application for authorization to contract. Documents stay here for seven years.",
    ),
    (
        "Renseignement manquant à votre dossier",
        "Missing information in your file",
        "Veuillez déclarer l’établissement ouvert en septembre. Aucun délai n’est en cause.",
        "Please declare the establishment opened in September. No deadline is at stake.",
    ),
)
_INVOICES = (
    ("Frais d’une demande d’autorisation", "Fee for an application for authorization", 61_400, 30),
    ("Frais de mise à jour annuelle", "Annual update fee", 20_700, 45),
)


class Store:
    """What the portal keeps about an enterprise."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def welcome(self, enterprise: str, today: date) -> None:
        """Give an enterprise seen for the first time its two messages and two invoices."""
        with self._database.connect() as connection:
            if connection.execute("SELECT 1 FROM invoice WHERE enterprise = ?", (enterprise,)).fetchone():
                return
            for rank, message in enumerate(_MESSAGES):
                sent_on = (today - timedelta(days=9 - 6 * rank)).isoformat()
                connection.execute(
                    "INSERT INTO message (enterprise, sent_on, subject_fr, subject_en, body_fr, body_en) VALUES (?,?,?,?,?,?)",
                    (enterprise, sent_on, *message),
                )
            for french, english, cents, days in _INVOICES:
                number = f"F-{secrets.randbelow(10**6):06d}-{secrets.randbelow(100):02d}"
                connection.execute(
                    "INSERT INTO invoice (enterprise, number, subject_fr, subject_en, cents, due_on) VALUES (?,?,?,?,?,?)",
                    (enterprise, number, french, english, cents, (today + timedelta(days=days)).isoformat()),
                )

    def _all(self, query: str, *values: object) -> list[sqlite3.Row]:
        with self._database.connect() as connection:
            return connection.execute(query, values).fetchall()

    def _one(self, query: str, *values: object) -> sqlite3.Row | None:
        rows = self._all(query, *values)
        return rows[0] if rows else None

    def messages(self, enterprise: str) -> list[sqlite3.Row]:
        """Return the messages of an enterprise, newest first."""
        return self._all("SELECT * FROM message WHERE enterprise = ? ORDER BY sent_on DESC", enterprise)

    def read_message(self, enterprise: str, message_id: int, now: datetime) -> sqlite3.Row | None:
        """Return one message and remember that it was read."""
        with self._database.connect() as connection:
            connection.execute(
                "UPDATE message SET read_at = ? WHERE id = ? AND enterprise = ? AND read_at IS NULL",
                (now.isoformat(), message_id, enterprise),
            )
        return self._one("SELECT * FROM message WHERE id = ? AND enterprise = ?", message_id, enterprise)

    def send_request(self, enterprise: str, kind: str, subject: str, body: str, sub: str, now: datetime) -> str:
        """Keep a request and return its number."""
        number = f"D-{now:%Y%m}-{secrets.token_hex(3).upper()}"
        with self._database.connect() as connection:
            connection.execute(
                "INSERT INTO request (enterprise, number, kind, subject, body, sent_at, sent_by, status)"
                " VALUES (?,?,?,?,?,?,?,?)",
                (enterprise, number, kind, subject, body, now.isoformat(), sub, "received"),
            )
        return number

    def requests(self, enterprise: str) -> list[sqlite3.Row]:
        """Return the requests of an enterprise, newest first."""
        return self._all("SELECT * FROM request WHERE enterprise = ? ORDER BY sent_at DESC", enterprise)

    def invoices(self, enterprise: str) -> list[sqlite3.Row]:
        """Return the invoices of an enterprise, the unpaid ones first."""
        return self._all("SELECT * FROM invoice WHERE enterprise = ? ORDER BY paid_at IS NOT NULL, due_on", enterprise)

    def invoice(self, enterprise: str, invoice_id: int) -> sqlite3.Row | None:
        """Return one invoice of an enterprise."""
        return self._one("SELECT * FROM invoice WHERE id = ? AND enterprise = ?", invoice_id, enterprise)

    def pay(self, enterprise: str, invoice_id: int, now: datetime) -> str | None:
        """Pay an invoice in pretence, once, and return its receipt; None when there is nothing to pay."""
        receipt = f"R-{now:%Y%m%d}-{secrets.token_hex(3).upper()}"
        with self._database.connect() as connection:
            paid = connection.execute(
                "UPDATE invoice SET paid_at = ?, receipt = ? WHERE id = ? AND enterprise = ? AND paid_at IS NULL",
                (now.isoformat(), receipt, invoice_id, enterprise),
            ).rowcount
        return receipt if paid else None

    def application(self, enterprise: str) -> sqlite3.Row | None:
        """Return the draft application of an enterprise."""
        return self._one("SELECT * FROM application WHERE enterprise = ?", enterprise)

    def save_application(self, enterprise: str, category: str, respondent: str, text: str, now: datetime) -> bool:
        """Save the draft; False when the entry was validated and is closed."""
        with self._database.connect() as connection:
            saved = connection.execute(
                "INSERT INTO application (enterprise, category, respondent, description, saved_at) VALUES (?,?,?,?,?)"
                " ON CONFLICT (enterprise) DO UPDATE SET category = excluded.category, respondent = excluded.respondent,"
                " description = excluded.description, saved_at = excluded.saved_at WHERE validated_at IS NULL",
                (enterprise, category, respondent, text, now.isoformat()),
            ).rowcount
        return bool(saved)

    def relationships(self, enterprise: str) -> list[sqlite3.Row]:
        """Return the relationships an enterprise disclosed."""
        return self._all("SELECT * FROM relationship WHERE enterprise = ? ORDER BY disclosed_at", enterprise)

    def disclose(self, enterprise: str, kind: str, name: str, now: datetime) -> None:
        """Add a relationship."""
        with self._database.connect() as connection:
            connection.execute(
                "INSERT INTO relationship (enterprise, kind, name, disclosed_at) VALUES (?,?,?,?)",
                (enterprise, kind, name, now.isoformat()),
            )

    def validate(self, enterprise: str, sub: str, now: datetime) -> bool:
        """End the data entry; False without a draft and a relationship, or when it was ended before."""
        with self._database.connect() as connection:
            ended = connection.execute(
                "UPDATE application SET validated_at = ?, validated_by = ? WHERE enterprise = ? AND validated_at IS NULL"
                " AND EXISTS (SELECT 1 FROM relationship WHERE enterprise = application.enterprise)",
                (now.isoformat(), sub, enterprise),
            ).rowcount
        return bool(ended)


def today() -> date:
    """Return the present date."""
    return datetime.now(UTC).date()
