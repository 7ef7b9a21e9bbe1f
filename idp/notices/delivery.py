"""Delivery channels: SMTP or ``.eml`` files, PDF files, forms and events posted to agencies."""

from __future__ import annotations

import json
import os
import re
import smtplib
import ssl
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime, parseaddr
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from .. import addresses
from ..config import LOOPBACK_HOSTS, Settings
from ..http.egress import EgressResponse, post, post_form
from ..http.web import current_settings
from ..private_files import private_folder
from .domain.messages import Email, Letter, Message, Push, Signal
from .errors import BouncedError, RefusedAnswerError, RefusedContentError, UndeliverableError
from .letters import render_pdf

_SMTP_SECONDS = 15.0  # of silence: a relay's server responds within seconds
_FOR_GOOD = range(500, 600)  # RFC 5321 §4.2.1: the same message to the same address is refused again
_NOT_AN_ADDRESS = 501  # RFC 5321 §4.2.2: a syntax error
_NOT_CARRIED = 553  # RFC 6531 §3.5: with the extended code 5.6.7
_ARRIVED = frozenset({200, 204})
_ACCEPTED = 202
_CODE = re.compile(r"[A-Za-z_]{1,40}")
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def deliver(message: Message, *, message_id: str, kind: str, now: datetime) -> None:
    """Send *message*; it has been sent when this returns.

    Raises:
        BouncedError: the server of an e-mail address refused it permanently.
        RefusedContentError: a server permanently refused the content of an e-mail.
        UndeliverableError: the other side refused it; other errors (network, disk) propagate.
    """
    match message:
        case Email():
            _deliver_email(message, message_id, kind, now)
        case Letter():
            pdf = render_pdf(message.template, message.data, language=message.language)
            _write(f"{message.name}.pdf", pdf)
        case Signal():
            answer = post_form(message.url, dict(message.form), current_settings())
            if answer.status not in _ARRIVED:
                raise RefusedAnswerError(f"the agency answered {answer.status}")
        case Push():
            answer = post(message.url, message.body, message.headers, current_settings())
            if answer.status != _ACCEPTED:
                raise RefusedAnswerError(f"the receiver answered {answer.status}{_said(answer)}")


def _said(answer: EgressResponse) -> str:
    """Return the error code of a receiver that gives one (RFC 8935 §2.3), and nothing else from its response."""
    try:
        told = json.loads(answer.body)
    except (ValueError, RecursionError):
        return ""
    code = told.get("err") if isinstance(told, dict) else None
    return f": {code}" if isinstance(code, str) and _CODE.fullmatch(code) else ""


def as_mime(email: Email, *, message_id: str, now: datetime) -> EmailMessage:
    """Return *email* as a MIME message. The Message-ID is the notice's, so that a second copy is recognized."""
    settings = current_settings()
    name, sender = parseaddr(settings.mail_from)
    to = _as_it_travels(email.to)
    mime = EmailMessage(policy=SMTPUTF8 if addresses.needs_smtp_utf8(to) else SMTP)
    mime["From"] = Address(display_name=name, addr_spec=sender)
    local, _at, domain = to.rpartition("@")
    mime["To"] = Address(username=local, domain=domain)  # addr_spec refuses letters outside ASCII
    mime["Subject"] = " ".join(email.subject.split())
    mime["Date"] = format_datetime(now)
    mime["Message-ID"] = f"<{message_id}@{sender.rpartition('@')[2]}>"
    mime["Auto-Submitted"] = "auto-generated"
    mime.set_content(email.text, cte="quoted-printable")
    if email.html is not None:
        mime.add_alternative(email.html, subtype="html", cte="quoted-printable")
    mime["Content-Language"] = email.language  # last: an alternative would move it into the first part
    return mime


def _as_it_travels(to: str) -> str:
    """Return an address with its domain in ASCII, including one stored by an earlier version."""
    try:
        return addresses.parse(to, smtp_utf8=True, is_public=False)
    except addresses.InvalidAddressError:
        raise BouncedError(to, _NOT_AN_ADDRESS) from None


def _deliver_email(email: Email, message_id: str, kind: str, now: datetime) -> None:
    mime = as_mime(email, message_id=message_id, now=now)
    url = current_settings().smtp_url
    if url is None:
        stamp = f"{now:%Y%m%dT%H%M%S}.{now.microsecond // 1000:03d}Z"
        _write(f"{stamp}-{kind}-{message_id[:12]}.eml", mime.as_bytes())
        return
    parts = urlsplit(url.get_secret_value())
    with _smtp(parts, current_settings()) as server:
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
        _hand_over(server, mime, email.to)


def _hand_over(server: smtplib.SMTP, mime: EmailMessage, to: str) -> None:
    """Send the message to the server, and distinguish a permanent refusal from a temporary one (RFC 5321 §4.2.1).

    Only the response to the recipient command concerns the address. A refusal after the message concerns its content: a
    content filter must not turn every notice into a letter. A refused sender, login or greeting is our mistake.
    """
    try:
        server.send_message(mime)
    except smtplib.SMTPNotSupportedError:  # no SMTPUTF8: this server never accepts this address
        raise BouncedError(to, _NOT_CARRIED) from None
    except smtplib.SMTPRecipientsRefused as refused:
        status = next(iter(refused.recipients.values()))[0]
        if status in _FOR_GOOD:
            raise BouncedError(to, status) from None
        raise
    except smtplib.SMTPDataError as refused:
        if refused.smtp_code in _FOR_GOOD:
            raise RefusedContentError(refused.smtp_code) from None
        raise


def offers_smtp_utf8(settings: Settings) -> bool:
    """Return whether the SMTP server accepts addresses with letters outside ASCII before the @ (RFC 6531).

    Raises:
        OSError: it does not respond.
    """
    assert settings.smtp_url is not None  # noqa: S101 (the caller has looked)
    with _smtp(urlsplit(settings.smtp_url.get_secret_value()), settings) as server:
        server.ehlo_or_helo_if_needed()
        return server.has_extn("smtputf8")


def _smtp(parts: SplitResult, settings: Settings) -> smtplib.SMTP:
    """Open the connection: TLS from the start for ``smtps``, upgraded for ``smtp`` (RFC 8314, RFC 3207).

    Without TLS on loopback only, and only while no authority is configured. The certificate and its name are always
    checked.
    """
    host = parts.hostname or "localhost"
    authorities = settings.smtp_ca_file
    context = ssl.create_default_context(cafile=str(authorities) if authorities else None)
    if parts.scheme == "smtps":
        return smtplib.SMTP_SSL(host, parts.port or 465, timeout=_SMTP_SECONDS, context=context)
    server = smtplib.SMTP(host, parts.port or 587, timeout=_SMTP_SECONDS)
    if host not in LOOPBACK_HOSTS or authorities:
        try:
            server.starttls(context=context)
        except Exception:
            server.close()
            raise
    return server


def _write(name: str, content: bytes) -> None:
    """Write a file in the outbox folder atomically, readable by its owner only."""
    if not _FILE_NAME.fullmatch(name):
        raise UndeliverableError("a file name with other signs than letters, digits, dot, hyphen")
    folder: Path = current_settings().outbox_dir
    private_folder(folder)
    draft = folder / f".{name}.part"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(folder / name)
