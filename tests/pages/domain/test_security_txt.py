"""``/.well-known/security.txt``: where to report a weakness (RFC 9116)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from idp.clock import MovableClock
from idp.config import ConfigurationError, Settings, read_settings
from idp.pages.domain import security_txt


def test_it_is_made_from_the_settings(app: Flask, client: FlaskClient, clock: MovableClock, settings: Settings) -> None:
    """Contact, an instant that is always ahead and less than a year, languages, its own address; plain text."""
    app.extensions["mandat.settings"] = settings.model_copy(
        update={
            "security_contacts": ("mailto:security@mandat.example", "https://mandat.example/report"),
            "security_policy_url": "https://mandat.example/policy",
            "security_key_url": "https://mandat.example/key.asc",
        }
    )

    answer = client.get("/.well-known/security.txt")

    fields = [line.split(": ", 1) for line in answer.text.splitlines()]
    assert (answer.status_code, answer.content_type) == (200, "text/plain; charset=utf-8")
    assert [name for name, _ in fields] == [
        *("Contact", "Contact", "Expires", "Encryption", "Policy", "Preferred-Languages", "Canonical"),
    ]
    expires = datetime.fromisoformat(dict(fields)["Expires"])
    assert timedelta(days=178) < expires - clock.now() < timedelta(days=365)
    assert dict(fields)["Canonical"] == f"{settings.issuer}/.well-known/security.txt"
    assert answer.text.endswith("\n")


def test_without_a_contact_there_is_no_such_page(app: Flask, client: FlaskClient, settings: Settings) -> None:
    """RFC 9116 §2.5.3: a file without Contact is none."""
    app.extensions["mandat.settings"] = settings.model_copy(update={"security_contacts": ()})

    assert client.get("/.well-known/security.txt").status_code == 404


def test_a_signed_file_is_given_to_the_byte(
    app: Flask, client: FlaskClient, settings: Settings, tmp_path: Path, now: datetime
) -> None:
    """Its signature stays valid, and doctor says in time that another one is needed."""
    path = tmp_path / "security.txt"
    text = "-----BEGIN PGP SIGNED MESSAGE-----\n\nContact: mailto:x@y.example\nExpires: 2027-06-01T00:00:00Z\n"
    path.write_text(text)
    changed = settings.model_copy(update={"security_txt_file": path})
    app.extensions["mandat.settings"] = changed

    assert client.get("/.well-known/security.txt").text == text
    assert list(security_txt.findings(changed, now)) == []
    assert "expires on 2027-06-01" in next(security_txt.findings(changed, datetime(2027, 5, 15, tzinfo=UTC)))
    path.write_text("Contact: mailto:x@y.example\n")
    assert "no Expires" in next(security_txt.findings(changed, now))
    path.unlink()
    assert "cannot be read" in next(security_txt.findings(changed, now))


@pytest.mark.parametrize("contact", ["security@mandat.example", "http://mandat.example/", "mailto:a@b.example\nX: y"])
def test_a_contact_that_is_no_address_is_refused_at_start(contact: str) -> None:
    """RFC 9116 §2.5.3: a URI, and https where it is a web address; no line of its own."""
    with pytest.raises(ConfigurationError, match="IDP_SECURITY_CONTACTS"):
        read_settings(security_contacts=contact)
