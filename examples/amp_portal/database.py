"""The portal's own SQLite file: sessions, events received, and its small business data."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS session (
  id_hash TEXT PRIMARY KEY, iss TEXT NOT NULL, sub TEXT NOT NULL, sid TEXT NOT NULL, claims TEXT NOT NULL,
  id_token TEXT NOT NULL, created_at TEXT NOT NULL, ended_at TEXT, ended_why TEXT);
CREATE INDEX IF NOT EXISTS session_sid ON session (iss, sid);
CREATE INDEX IF NOT EXISTS session_sub ON session (iss, sub);
CREATE TABLE IF NOT EXISTS event (jti TEXT PRIMARY KEY, kind TEXT NOT NULL, sub TEXT, sid TEXT, received_at TEXT NOT NULL,
  sessions INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS told_version (iss TEXT NOT NULL, sub TEXT NOT NULL, enterprise TEXT NOT NULL, version INTEGER NOT NULL,
  PRIMARY KEY (iss, sub, enterprise));
CREATE TABLE IF NOT EXISTS message (id INTEGER PRIMARY KEY, enterprise TEXT NOT NULL, sent_on TEXT NOT NULL,
  subject_fr TEXT NOT NULL, subject_en TEXT NOT NULL, body_fr TEXT NOT NULL, body_en TEXT NOT NULL, read_at TEXT);
CREATE TABLE IF NOT EXISTS request (id INTEGER PRIMARY KEY, enterprise TEXT NOT NULL, number TEXT UNIQUE NOT NULL,
  kind TEXT NOT NULL, subject TEXT NOT NULL, body TEXT NOT NULL, sent_at TEXT NOT NULL, sent_by TEXT NOT NULL,
  status TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS invoice (id INTEGER PRIMARY KEY, enterprise TEXT NOT NULL, number TEXT UNIQUE NOT NULL,
  subject_fr TEXT NOT NULL, subject_en TEXT NOT NULL, cents INTEGER NOT NULL, due_on TEXT NOT NULL, paid_at TEXT,
  receipt TEXT);
CREATE TABLE IF NOT EXISTS application (enterprise TEXT PRIMARY KEY, category TEXT NOT NULL, respondent TEXT NOT NULL,
  description TEXT NOT NULL, saved_at TEXT NOT NULL, validated_at TEXT, validated_by TEXT);
CREATE TABLE IF NOT EXISTS relationship (id INTEGER PRIMARY KEY, enterprise TEXT NOT NULL, kind TEXT NOT NULL,
  name TEXT NOT NULL, disclosed_at TEXT NOT NULL);
"""


class Database:
    """Short connections to one SQLite file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        with self.connect() as connection:
            connection.executescript("PRAGMA journal_mode=WAL;" + SCHEMA)

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
