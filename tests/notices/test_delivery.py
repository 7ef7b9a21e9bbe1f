"""The ways out, against real servers on loopback: SMTP, the outbox folder, an agency's address."""

from __future__ import annotations

import email
import email.policy
import socket
import stat
import threading
from collections.abc import Iterator
from datetime import datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from aiosmtpd.controller import Controller
from flask import Flask
from jinja2 import ChoiceLoader, DictLoader
from pydantic import SecretStr

from idp.config import Settings
from idp.notices import delivery
from idp.notices.domain.messages import Email, Letter, Signal
from idp.notices.email import from_template
from idp.notices.errors import BouncedError, UndeliverableError


class Mailbox:
    """What an SMTP server received."""

    def __init__(self) -> None:
        self.received: list[tuple[list[str], email.message.EmailMessage]] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 (aiosmtpd's name)
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.received.append((envelope.rcpt_tos, message))
        return "250 OK"


@pytest.fixture
def mailbox(app: Flask, settings: Settings) -> Iterator[Mailbox]:
    box = Mailbox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    use(app, settings, smtp_url=SecretStr(f"smtp://127.0.0.1:{port}"))
    yield box
    controller.stop()


def use(app: Flask, settings: Settings, **changes: Any) -> None:
    app.extensions["mandat.settings"] = settings.model_copy(update=changes)


def send(message: Email | Letter | Signal, now: datetime) -> None:
    delivery.deliver(message, message_id="a" * 32, kind="mail_code", now=now)


def outbox(settings: Settings) -> list[Path]:
    return sorted(settings.outbox_dir.iterdir())


AN_EMAIL = Email(to="zoe@example.org", subject="Votre code – Éric", text="Bonjour, voilà 83920174.\n")


def test_an_email_arrives(mailbox: Mailbox, now: datetime) -> None:
    """SMTP: sender, recipient, subject with accents, text, and a Message-ID that is the notice's own."""
    send(AN_EMAIL, now)

    [(recipients, message)] = mailbox.received
    assert recipients == ["zoe@example.org"]
    assert message["From"] == "Mandat <ne-pas-repondre@mandat.example>"
    assert message["Subject"] == "Votre code – Éric"
    assert message["Message-ID"] == f"<{'a' * 32}@mandat.example>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content().strip() == "Bonjour, voilà 83920174."


def test_html_is_only_an_alternative(mailbox: Mailbox, now: datetime) -> None:
    """An HTML part never comes without the text."""
    send(Email(to="a@example.org", subject="S", text="texte\n", html="<p>texte</p>"), now)

    [(_, message)] = mailbox.received
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]


def test_an_smtp_server_that_is_down_is_a_failure(app: Flask, settings: Settings, now: datetime) -> None:
    """No server, no silent loss: the attempt fails and no file appears instead."""
    use(app, settings, smtp_url=SecretStr("smtp://127.0.0.1:9"))

    with pytest.raises(OSError, match="refused"):
        send(AN_EMAIL, now)
    assert not settings.outbox_dir.exists()


def test_without_smtp_emails_are_files(app: Flask, settings: Settings, now: datetime) -> None:
    """The file is whole, private, and named by time and kind: no address, no name, no secret in it."""
    send(AN_EMAIL, now)

    [path] = outbox(settings)
    assert path.name == "20261123T150000.000Z-mail_code-aaaaaaaaaaaa.eml"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    assert isinstance(message, email.message.EmailMessage)
    assert message.get_content().strip() == "Bonjour, voilà 83920174."


@pytest.mark.parametrize("subject", ["Titre\r\nBcc: x@example.org", "Titre\nX-Injected: 1"])
def test_a_subject_never_makes_a_header(app: Flask, settings: Settings, now: datetime, subject: str) -> None:
    """Line breaks in a subject become spaces."""
    send(Email(to="a@example.org", subject=subject, text="t\n"), now)

    message = email.message_from_bytes(outbox(settings)[0].read_bytes(), policy=email.policy.default)
    assert message["Bcc"] is None
    assert message["X-Injected"] is None
    assert str(message["Subject"]).startswith("Titre ")


@pytest.mark.parametrize("to", ["a@example.org, b@example.org", "a@example.org\nBcc: b@example.org", "pas une adresse"])
def test_a_recipient_is_one_address(app: Flask, settings: Settings, now: datetime, to: str) -> None:
    """Two addresses, a line break or no address: refused as a relay would refuse it (RFC 5321 §4.2.2), and nothing leaves."""
    with pytest.raises(BouncedError, match="501"):
        send(Email(to=to, subject="S", text="t\n"), now)
    assert not settings.outbox_dir.exists()


def test_a_letter_is_printed_to_the_folder(app: Flask, settings: Settings, now: datetime) -> None:
    """A letter becomes ``<name>.pdf``; printing it again replaces it."""
    data: dict[str, object] = {
        "address": ["Madame Julie Plumedor"],
        "file_number": "D-1",
        "code": "4831907562",
        "sent_on": "2026-11-23",
        "expires_on": "2026-12-23",
    }
    letter = Letter(name="letter-0001", template="mailed_code", data=data, language="fr")

    send(letter, now)
    send(letter, now)

    [path] = outbox(settings)
    assert path.name == "letter-0001.pdf"
    assert path.read_bytes().startswith(b"%PDF-1.7")


@pytest.mark.parametrize("name", ["../secret", "a/b", "", ".hidden", "Élan", "a\n"])
def test_a_file_name_stays_in_the_folder(app: Flask, settings: Settings, name: str) -> None:
    """Names with slashes, accents or none at all are refused."""
    with pytest.raises(UndeliverableError):
        delivery._write(f"{name}", b"x")


@pytest.mark.parametrize(("status", "arrived"), [(200, True), (204, True), (400, False), (302, False), (500, False)])
def test_a_signal_arrives_with_200_or_204_only(app: Flask, now: datetime, status: int, arrived: bool) -> None:
    """Another answer, a redirect included, is a failure to try again."""
    got: list[dict[str, list[str]]] = []

    class Agency(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode()))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Agency) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        signal = Signal(f"http://127.0.0.1:{server.server_port}/logout", {"logout_token": "a.b.c"})
        if arrived:
            send(signal, now)
        else:
            with pytest.raises(UndeliverableError):
                send(signal, now)
        thread.join()
    assert got == [{"logout_token": ["a.b.c"]}]


@pytest.fixture
def templates(app: Flask) -> None:
    made_up = DictLoader(
        {
            "x/mail.txt": "{{ _('Verification code') }} {{ name }}\n\n{{ lang }} {{ issuer }} {{ day|date }} {{ name }}\n",
            "x/flat.txt": "Only a subject\n",
        }
    )
    assert app.jinja_loader is not None
    app.jinja_env.loader = ChoiceLoader([made_up, app.jinja_loader])


@pytest.mark.parametrize(
    ("language", "subject", "text"),
    [
        (
            "fr",
            "Code de validation O’Neil & fils",
            "fr http://localhost:8000 23\u00a0novembre\u00a02026 O’Neil & fils\n",
        ),
        (
            "en",
            "Verification code O’Neil & fils",
            "en http://localhost:8000 November\u00a023,\u00a02026 O’Neil & fils\n",
        ),
    ],
)
def test_an_email_speaks_the_language_of_its_reader(
    app: Flask, templates: None, now: datetime, language: Any, subject: str, text: str
) -> None:
    """Subject and text come from one template, in the language given, whoever asks; plain text is not escaped."""
    with app.test_request_context("/?lang=en"):
        made = from_template("x/mail.txt", to="a@example.org", language=language, name="O’Neil & fils", day=now)

    assert (made.subject, made.text) == (subject, text)


def test_an_email_needs_a_subject_and_a_text(app: Flask, templates: None) -> None:
    """A template without both is a mistake."""
    with pytest.raises(ValueError, match="subject"):
        from_template("x/flat.txt", to="a@example.org", language="fr")
