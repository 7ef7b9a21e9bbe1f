"""E-mails over a real SMTP server on loopback: certificates, refusals, silence, retries."""

from __future__ import annotations

import asyncio
import email
import email.policy
import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from flask import Flask
from pydantic import SecretStr
from sqlalchemy import select

from idp.accounts import services
from idp.accounts.people import contact_services
from idp.cli.doctor import findings
from idp.clock import MovableClock
from idp.config import Settings
from idp.db import db, transaction
from idp.notices import delivery
from idp.notices import services as notices
from idp.notices.domain.messages import Email
from idp.notices.errors import BouncedError, RefusedContentError
from idp.notices.models import OutboxMessage
from tests.flows.installation import free_port

MAIL = Email(to="zoe@example.org", subject="Sujet", text="Bonjour.\n")


@dataclass
class Relay:
    """A server that answers as it is told, and keeps what it received."""

    recipient_answer: str = "250 OK"
    data_answer: str = "250 OK"
    silence: float = 0
    recipients: list[str] = field(default_factory=list)
    received: list[email.message.EmailMessage] = field(default_factory=list)
    was_tls: list[bool] = field(default_factory=list)
    logins: list[tuple[str, str, bool]] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802 (aiosmtpd's name)
        self, server: SMTP, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        """Accept or refuse the recipient."""
        if self.recipient_answer.startswith("250"):
            envelope.rcpt_tos.append(address)
            self.recipients.append(address)
        return self.recipient_answer

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802
        """Keep the message, or refuse it."""
        await asyncio.sleep(self.silence)
        if self.data_answer.startswith("250"):
            message = email.message_from_bytes(envelope.content, policy=email.policy.default)
            assert isinstance(message, email.message.EmailMessage)
            self.received.append(message)
            self.was_tls.append(session.ssl is not None)
        return self.data_answer

    def authenticate(self, server: SMTP, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        """Accept one name and password."""
        name, password = data.login.decode(), data.password.decode()
        self.logins.append((name, password, session.ssl is not None))
        return AuthResult(success=password == "mot de passe", handled=False)


Serve = Callable[..., Relay]


@dataclass(frozen=True)
class Authority:
    """A private authority, and where its files lie."""

    folder: Path
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def file(self) -> Path:
        """Return the file of the authority's certificate."""
        return self.folder / "ca.pem"

    def server(self, name: str = "127.0.0.1", *, days: int = 30) -> ssl.SSLContext:
        """Return the TLS context of a server called *name*."""
        key = ec.generate_private_key(ec.SECP256R1())
        import ipaddress

        alternative: x509.GeneralName = (
            x509.IPAddress(ipaddress.ip_address(name)) if name[0].isdigit() else x509.DNSName(name)
        )
        certificate = _certificate(name, key, self.certificate.subject, self.key, days=days, alternative=alternative)
        path = self.folder / f"server-{name}-{days}.pem"
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Name | None,
    signer: ec.EllipticCurvePrivateKey,
    *,
    days: int,
    alternative: x509.GeneralName | None = None,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer or subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=60))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if alternative is not None:
        builder = builder.add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
    return builder.sign(signer, hashes.SHA256())


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    folder, key = tmp_path_factory.mktemp("ca"), ec.generate_private_key(ec.SECP256R1())
    certificate = _certificate("Test CA", key, None, key, days=30)
    (folder / "ca.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return Authority(folder, key, certificate)


class _Implicit(Controller):
    """TLS from the first byte; the controller's own first visit speaks TLS without checking."""

    def _trigger_server(self) -> None:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with (
            socket.create_connection((self.hostname, self.port), 5) as plain,
            context.wrap_socket(plain) as wrapped,
        ):
            wrapped.recv(1024)


@pytest.fixture
def serve(app: Flask, settings: Settings) -> Iterator[Serve]:
    """Start a relay and make it the one of the application."""
    started: list[Controller] = []

    def start(
        *,
        tls: ssl.SSLContext | None = None,
        implicit: bool = False,
        ca: Path | None = None,
        user: str = "",
        utf8: bool = True,
        **told: Any,
    ) -> Relay:
        relay = Relay(**told)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        if implicit:
            controller: Controller = _Implicit(relay, hostname="127.0.0.1", port=port, ssl_context=tls)
        else:
            more: dict[str, Any] = {"enable_SMTPUTF8": utf8, **({"tls_context": tls} if tls else {})}
            if user:
                more |= {"authenticator": relay.authenticate, "auth_required": True, "auth_require_tls": True}
            controller = Controller(relay, hostname="127.0.0.1", port=port, **more)
        controller.start()
        started.append(controller)
        scheme = "smtps" if implicit else "smtp"
        changes = {"smtp_url": SecretStr(f"{scheme}://{user}127.0.0.1:{port}"), "smtp_ca_file": ca}
        app.extensions["mandat.settings"] = settings.model_copy(update=changes)
        return relay

    yield start
    for controller in started:
        controller.stop()


def send(now: datetime, message: Email = MAIL) -> None:
    delivery.deliver(message, message_id="a" * 32, kind="mail", now=now)


@pytest.mark.parametrize("implicit", [False, True])
def test_a_message_travels_under_tls(serve: Serve, authority: Authority, now: datetime, implicit: bool) -> None:
    """STARTTLS (RFC 3207) and TLS from the start (RFC 8314), with the authority of the settings."""
    relay = serve(tls=authority.server(), implicit=implicit, ca=authority.file)

    send(now)

    assert [str(message["To"]) for message in relay.received] == ["zoe@example.org"]
    if not implicit:
        assert relay.was_tls == [True]


@pytest.mark.parametrize("utf8", [True, False])
def test_addresses_leave_as_the_server_takes_them(serve: Serve, app: Flask, now: datetime, utf8: bool) -> None:
    """A domain leaves in ASCII; accents before the @ where SMTPUTF8 is offered, and else the address is refused for good."""
    relay = serve(utf8=utf8)
    assert delivery.offers_smtp_utf8(app.extensions["mandat.settings"]) is utf8

    send(now, replace(MAIL, to="jurgen@büro.example"))
    if utf8:
        send(now, replace(MAIL, to="zoé@büro.example"))
    else:
        with pytest.raises(BouncedError, match="553"):
            send(now, replace(MAIL, to="zoé@büro.example"))

    assert relay.recipients == ["jurgen@xn--bro-hoa.example", *(["zoé@xn--bro-hoa.example"] if utf8 else [])]


def test_doctor_asks_the_server_what_it_offers(serve: Serve, app: Flask) -> None:
    """A setting that promises more than the server carries is a finding, and so is a server that does not answer."""

    def told() -> list[str]:
        settings = app.extensions["mandat.settings"].model_copy(update={"smtp_utf8": True})
        return [finding for finding in findings(settings) if "IDP_SMTP_UTF8" in finding]

    serve(utf8=True)
    assert told() == []
    serve(utf8=False)
    assert "does not offer SMTPUTF8" in told()[0]
    nowhere = SecretStr(f"smtp://127.0.0.1:{free_port()}")
    app.extensions["mandat.settings"] = app.extensions["mandat.settings"].model_copy(update={"smtp_url": nowhere})
    assert "does not answer" in told()[0]


def test_a_login_is_shown_under_tls_only(serve: Serve, authority: Authority, now: datetime) -> None:
    """Name and password of the address are decoded, and never travel in clear."""
    relay = serve(tls=authority.server(), ca=authority.file, user="mandat%40example.org:mot%20de%20passe@")

    send(now)

    assert relay.logins == [("mandat@example.org", "mot de passe", True)]
    assert len(relay.received) == 1


@pytest.mark.parametrize("implicit", [False, True])
@pytest.mark.parametrize("wrong", ["name", "date", "authority"])
def test_a_certificate_that_does_not_hold_stops_everything(
    serve: Serve, authority: Authority, tmp_path: Path, now: datetime, implicit: bool, wrong: str
) -> None:
    """Another name, a past date, a stranger's authority: nothing is said to such a server."""
    stranger_key = ec.generate_private_key(ec.SECP256R1())
    stranger = Authority(tmp_path, stranger_key, _certificate("Stranger", stranger_key, None, stranger_key, days=30))
    contexts = {
        "name": lambda: authority.server("relay.example.org"),
        "date": lambda: authority.server(days=-1),
        "authority": stranger.server,
    }
    relay = serve(tls=contexts[wrong](), implicit=implicit, ca=authority.file)

    with pytest.raises(ssl.SSLCertVerificationError):
        send(now)
    assert relay.received == []


def test_a_server_that_hides_starttls_gets_nothing(serve: Serve, authority: Authority, now: datetime) -> None:
    """Whoever strips STARTTLS on the way gains no message (RFC 3207 §6)."""
    relay = serve(ca=authority.file)

    with pytest.raises(smtplib.SMTPNotSupportedError):
        send(now)
    assert relay.received == []


def test_a_recipient_refused_for_good_is_a_bounce(serve: Serve, now: datetime) -> None:
    """A status of 5yz to RCPT names the address as the one refused (RFC 5321 §4.2.1); the error names nobody."""
    serve(recipient_answer="550 5.1.1 No such user")

    with pytest.raises(BouncedError) as refused:
        send(now)
    assert (refused.value.address, refused.value.status) == ("zoe@example.org", 550)
    assert "zoe" not in str(refused.value)


def test_a_message_refused_for_good_is_no_bounce(serve: Serve, now: datetime) -> None:
    """A status of 5yz to DATA judges what the message says, never its reader."""
    serve(data_answer="554 5.7.1 Refused")

    with pytest.raises(RefusedContentError, match=r"^the message was refused with 554$"):
        send(now)


@pytest.mark.parametrize("where", ["recipient", "data"])
def test_a_refusal_for_now_is_no_bounce(serve: Serve, now: datetime, where: str) -> None:
    """A status of 4yz is a failure like any other."""
    serve(**{f"{where}_answer": "451 4.7.1 Greylisted"})

    with pytest.raises((smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError)):
        send(now)


def test_a_refused_login_accuses_no_address(serve: Serve, authority: Authority, now: datetime) -> None:
    """535 is our mistake: the message is tried again once it is mended."""
    serve(tls=authority.server(), ca=authority.file, user="mandat:faux@")

    with pytest.raises(smtplib.SMTPAuthenticationError):
        send(now)


def test_a_silent_server_holds_nobody(serve: Serve, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the patience, the attempt fails and others go on."""
    monkeypatch.setattr(delivery, "_SMTP_SECONDS", 0.3)
    relay = serve(silence=1.0)

    with pytest.raises(OSError):  # noqa: PT011 (a timeout, or the connection that it closes)
        send(now)
    assert relay.received == []


def _enqueued(person_id: str, clock: MovableClock) -> str:
    from idp.accounts.credentials.factor_services import notify_credential_change

    with transaction():
        notify_credential_change(person_id, "password", "update", now=clock.now())
    return str(db.session.scalar(select(OutboxMessage.id).where(OutboxMessage.kind == "security_notice")))


def _person(clock: MovableClock) -> str:
    return services.create_person(
        given_name="Zoé", family_name="Roy", email="Zoe@example.org", language="fr", now=clock.now()
    )


def test_a_bounce_is_noted_and_not_tried_again(
    serve: Serve, app: Flask, settings: Settings, clock: MovableClock
) -> None:
    """The notice is given up with its status, a letter says it, the address is marked until a code is typed from there."""
    relay = serve(recipient_answer="550 5.1.1 No such user")
    _enqueued(_person(clock), clock)

    while notices.deliver_due(clock.now()):
        pass

    assert [(given_up.kind, given_up.last_error) for given_up in notices.dead()] == [
        ("security_notice", "refused with 550")
    ]
    assert relay.received == []
    assert [path.suffix for path in settings.outbox_dir.iterdir()] == [".pdf"]  # the same, by post
    assert contact_services.contact("zoe@EXAMPLE.org").is_refused
    contact_services.note_confirmed("zoe@example.org", now=clock.now())
    assert not contact_services.contact("Zoe@example.org").is_refused


def test_a_refused_message_is_given_up_and_accuses_nobody(
    serve: Serve, app: Flask, settings: Settings, clock: MovableClock
) -> None:
    """It is not tried again and shown with its status; the address stays good and no letter is written."""
    serve(data_answer="554 5.7.1 Refused")
    _enqueued(_person(clock), clock)

    while notices.deliver_due(clock.now()):
        pass

    assert [(given_up.attempts, given_up.last_error) for given_up in notices.dead()] == [
        (1, "the message was refused with 554")
    ]
    assert not settings.outbox_dir.exists() or not list(settings.outbox_dir.iterdir())
    assert not contact_services.contact("zoe@example.org").is_refused


def test_a_message_keeps_its_id_over_retries(serve: Serve, app: Flask, clock: MovableClock) -> None:
    """A greylisted message arrives at the next try, once, under the same Message-ID."""
    relay = serve(recipient_answer="451 4.7.1 Greylisted")
    notice_id = _enqueued(_person(clock), clock)
    while notices.deliver_due(clock.now()):
        pass
    relay.recipient_answer = "250 OK"
    clock.advance(timedelta(seconds=1))

    while notices.deliver_due(clock.now()):
        pass

    [message] = relay.received
    assert message["Message-ID"] == f"<{notice_id}@mandat.example>"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert not contact_services.contact("zoe@example.org").is_refused
    assert notices.dead() == ()
