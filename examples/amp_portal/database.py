"""The portal's own SQLite file: sessions, events received, and its small business data."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

VERSION = 2
SCHEMA = """
CREATE TABLE IF NOT EXISTS session (
  id_hash TEXT PRIMARY KEY, iss TEXT NOT NULL, sub TEXT NOT NULL, sid TEXT NOT NULL, claims TEXT NOT NULL,
  id_token TEXT NOT NULL, created_at TEXT NOT NULL, ended_at TEXT, ended_why TEXT);
CREATE INDEX IF NOT EXISTS session_sid ON session (iss, sid);
CREATE INDEX IF NOT EXISTS session_sub ON session (iss, sub);
CREATE TABLE IF NOT EXISTS event (jti TEXT PRIMARY KEY, kind TEXT NOT NULL, sub TEXT, sid TEXT, received_at TEXT NOT NULL,
  sessions INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS event_sid ON event (sid);
CREATE TABLE IF NOT EXISTS told_version (iss TEXT NOT NULL, sub TEXT NOT NULL, enterprise TEXT NOT NULL, version INTEGER NOT NULL,
  PRIMARY KEY (iss, sub, enterprise));
CREATE TABLE IF NOT EXISTS account (id INTEGER PRIMARY KEY, iss TEXT NOT NULL, sub TEXT NOT NULL, name TEXT NOT NULL,
  seen_at TEXT NOT NULL, UNIQUE (iss, sub));
CREATE TABLE IF NOT EXISTS kept_text (account INTEGER NOT NULL, enterprise TEXT NOT NULL, path TEXT NOT NULL,
  fields TEXT NOT NULL, kept_at TEXT NOT NULL, PRIMARY KEY (account, enterprise, path));
CREATE TABLE IF NOT EXISTS sent_form (enterprise TEXT NOT NULL, account INTEGER NOT NULL, token TEXT NOT NULL,
  result TEXT NOT NULL, sent_at TEXT NOT NULL, PRIMARY KEY (enterprise, account, token));
CREATE TABLE IF NOT EXISTS enterprise (id TEXT PRIMARY KEY, welcomed_on TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS message (id INTEGER PRIMARY KEY, enterprise TEXT NOT NULL, sent_on TEXT NOT NULL,
  subject_fr TEXT NOT NULL, subject_en TEXT NOT NULL, body_fr TEXT NOT NULL, body_en TEXT NOT NULL, read_at TEXT,
  request_id INTEGER);
CREATE INDEX IF NOT EXISTS message_enterprise ON message (enterprise, sent_on);
CREATE TABLE IF NOT EXISTS reply (id INTEGER PRIMARY KEY, enterprise TEXT NOT NULL, message_id INTEGER NOT NULL,
  body TEXT NOT NULL, sent_at TEXT NOT NULL, sent_by INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS reply_message ON reply (message_id);
CREATE TABLE IF NOT EXISTS request (id INTEGER PRIMARY KEY, enterprise TEXT NOT NULL, number TEXT UNIQUE NOT NULL,
  kind TEXT NOT NULL, subject TEXT NOT NULL, body TEXT NOT NULL, sent_at TEXT NOT NULL, sent_by TEXT NOT NULL,
  status TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS request_enterprise ON request (enterprise, sent_at);
CREATE TABLE IF NOT EXISTS invoice (id INTEGER PRIMARY KEY, enterprise TEXT NOT NULL, number TEXT UNIQUE NOT NULL,
  subject_fr TEXT NOT NULL, subject_en TEXT NOT NULL, cents INTEGER NOT NULL, due_on TEXT NOT NULL, paid_at TEXT,
  receipt TEXT, application_id INTEGER);
CREATE INDEX IF NOT EXISTS invoice_enterprise ON invoice (enterprise, due_on);
CREATE UNIQUE INDEX IF NOT EXISTS one_fee ON invoice (application_id);
CREATE TABLE IF NOT EXISTS application (id INTEGER PRIMARY KEY, enterprise TEXT NOT NULL, number TEXT UNIQUE, state TEXT NOT NULL,
  revision INTEGER NOT NULL, begun_at TEXT NOT NULL, changed_at TEXT NOT NULL, changed_by INTEGER, submitted_at TEXT,
  submitted_by INTEGER);
CREATE INDEX IF NOT EXISTS application_enterprise ON application (enterprise, id);
CREATE UNIQUE INDEX IF NOT EXISTS one_draft ON application (enterprise) WHERE state = 'draft';
CREATE TABLE IF NOT EXISTS step (application_id INTEGER NOT NULL, name TEXT NOT NULL, fields TEXT NOT NULL,
  revision INTEGER NOT NULL, saved_at TEXT NOT NULL, saved_by INTEGER, PRIMARY KEY (application_id, name));
CREATE TABLE IF NOT EXISTS relationship (id INTEGER PRIMARY KEY, application_id INTEGER NOT NULL, kind TEXT NOT NULL,
  name TEXT NOT NULL, detail TEXT NOT NULL, revision INTEGER NOT NULL, changed_at TEXT NOT NULL, changed_by INTEGER,
  disclosed_at TEXT, disclosed_by INTEGER);
CREATE INDEX IF NOT EXISTS relationship_application ON relationship (application_id, id);
CREATE TABLE IF NOT EXISTS turn (id INTEGER PRIMARY KEY, subject TEXT NOT NULL, subject_id INTEGER NOT NULL, state TEXT NOT NULL,
  at TEXT NOT NULL, by INTEGER);
CREATE INDEX IF NOT EXISTS turn_subject ON turn (subject, subject_id);
"""
_FROM_1 = """
ALTER TABLE application RENAME TO application_1;
ALTER TABLE relationship RENAME TO relationship_1;
ALTER TABLE invoice ADD COLUMN application_id INTEGER;
ALTER TABLE message ADD COLUMN request_id INTEGER;
"""
_COPY_1 = """
INSERT INTO enterprise SELECT DISTINCT enterprise, date('now') FROM invoice;
INSERT INTO application (enterprise, number, state, revision, begun_at, changed_at, submitted_at)
  SELECT enterprise, CASE WHEN validated_at IS NULL THEN NULL ELSE 'LCOP-1-' || substr(enterprise, -10) END,
  CASE WHEN validated_at IS NULL THEN 'draft' ELSE 'under_review' END, 1, saved_at, saved_at, validated_at FROM application_1;
INSERT INTO step SELECT application.id, 'contract', json_object('category', old.category, 'respondent', old.respondent,
  'description', old.description), 1, old.saved_at, NULL FROM application JOIN application_1 AS old USING (enterprise);
INSERT INTO application (enterprise, state, revision, begun_at, changed_at)
  SELECT enterprise, 'draft', 1, min(disclosed_at), max(disclosed_at) FROM relationship_1
  WHERE enterprise NOT IN (SELECT enterprise FROM application) GROUP BY enterprise;
INSERT INTO relationship (application_id, kind, name, detail, revision, changed_at, disclosed_at)
  SELECT application.id, kind, name, '', 1, disclosed_at, disclosed_at FROM relationship_1 JOIN application USING (enterprise);
INSERT INTO turn (subject, subject_id, state, at) SELECT 'application', id, state, coalesce(submitted_at, begun_at)
  FROM application;
INSERT INTO turn (subject, subject_id, state, at) SELECT 'request', id, status, sent_at FROM request;
DROP TABLE application_1;
DROP TABLE relationship_1;
"""


class Database:
    """Short connections to one SQLite file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        with self.connect() as connection:
            connection.execute("PRAGMA journal_mode=WAL")
        with self.writing() as connection:
            _prepare(connection)

    @contextmanager
    def connect(self) -> Iterator[sqlite3.Connection]:
        """Open a connection; commit at the end, roll back on an exception."""
        connection = sqlite3.connect(self._path, timeout=10)
        connection.row_factory = sqlite3.Row
        try:
            with connection:
                yield connection
        finally:
            connection.close()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Open a connection that takes the write lock at its first statement: reads stay true until the commit."""
        with self.connect() as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection


def _prepare(connection: sqlite3.Connection) -> None:
    """Create the tables, or bring a file of the first version up to date with its rows."""
    columns = {row["name"] for row in connection.execute("PRAGMA table_info(application)")}
    is_old = bool(columns) and "id" not in columns
    for script in (_FROM_1 if is_old else "", SCHEMA, _COPY_1 if is_old else ""):
        for statement in script.split(";"):
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {VERSION}")
