"""Certificates for tests: authorities, clients, revocation lists, made in a moment by ``cryptography``."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

FROM, UNTIL = datetime(2026, 11, 1, tzinfo=UTC), datetime(2027, 11, 1, tzinfo=UTC)
SHA256 = hashes.SHA256()


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def dn(*parts: tuple[x509.ObjectIdentifier, str]) -> x509.Name:
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts])


def cn(name: str) -> x509.Name:
    """A name in the form of a government's directory: C, O, CN."""
    return dn((NameOID.COUNTRY_NAME, "CA"), (NameOID.ORGANIZATION_NAME, "Agence"), (NameOID.COMMON_NAME, name))


def pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()


def der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


def key_pem(key: Any) -> bytes:
    told: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return told


def escaped(certificate: x509.Certificate) -> str:
    """As nginx writes ``$ssl_client_escaped_cert``."""
    return quote(pem(certificate), safe="")


def byte_sequence(certificate: x509.Certificate) -> str:
    """As RFC 9440 §2.2 writes ``Client-Cert``."""
    return f":{base64.b64encode(der(certificate)).decode()}:"


def thumbprint(certificate: x509.Certificate) -> str:
    """x5t#S256 (RFC 8705 §3.1), counted here."""
    return base64.urlsafe_b64encode(hashlib.sha256(der(certificate)).digest()).rstrip(b"=").decode()


def self_signed(key: Any, name: x509.Name | None = None, *, begins: datetime = FROM, ends: datetime = UNTIL) -> Any:
    subject = name or cn("client")
    draft = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    draft = draft.serial_number(x509.random_serial_number()).not_valid_before(begins).not_valid_after(ends)
    return draft.sign(key, SHA256)


def alternative(*names: str) -> list[x509.GeneralName]:
    """Write ``dns:``, ``uri:``, ``ip:``, ``email:`` names."""
    kinds: dict[str, Any] = {
        "dns": x509.DNSName,
        "uri": x509.UniformResourceIdentifier,
        "ip": lambda text: x509.IPAddress(ip_address(text)),
        "email": x509.RFC822Name,
    }
    return [kinds[name.partition(":")[0]](name.partition(":")[2]) for name in names]


@dataclass
class TestAuthority:
    """A certification authority, its own root unless another one issued it."""

    __test__ = False
    name: x509.Name = field(default_factory=lambda: cn("Autorité de test"))
    key: ec.EllipticCurvePrivateKey = field(default_factory=new_key)
    begins: datetime = FROM
    ends: datetime = UNTIL + timedelta(days=3650)
    above: TestAuthority | None = None
    certificate: x509.Certificate = field(init=False)

    def __post_init__(self) -> None:
        above = self.above or self
        draft = self._draft(self.name, self.key, above.name, self.begins, self.ends)
        draft = draft.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        draft = draft.add_extension(_usage(of_authority=True), critical=True)
        draft = draft.add_extension(x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()), critical=False)
        draft = draft.add_extension(_of(above.key), critical=False)
        self.certificate = draft.sign(above.key, SHA256)

    def issue(
        self,
        name: x509.Name,
        key: Any,
        *names: str,
        begins: datetime = FROM,
        ends: datetime = UNTIL,
        purpose: x509.ObjectIdentifier | None = ExtendedKeyUsageOID.CLIENT_AUTH,
    ) -> x509.Certificate:
        draft = self._draft(name, key, self.name, begins, ends)
        draft = draft.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        draft = draft.add_extension(_usage(of_authority=False), critical=True)
        draft = draft.add_extension(_of(self.key), critical=False)
        if purpose is not None:
            draft = draft.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        if names:
            draft = draft.add_extension(x509.SubjectAlternativeName(alternative(*names)), critical=False)
        return draft.sign(self.key, SHA256)

    def revocations(
        self, *revoked: x509.Certificate, begins: datetime = FROM, ends: datetime = UNTIL, key: Any = None
    ) -> bytes:
        """Return the list of what is revoked, PEM."""
        draft = x509.CertificateRevocationListBuilder().issuer_name(self.name).last_update(begins).next_update(ends)
        for each in revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(each.serial_number).revocation_date(begins)
            draft = draft.add_revoked_certificate(entry.build())
        return draft.sign(key or self.key, SHA256).public_bytes(Encoding.PEM)

    @staticmethod
    def _draft(
        name: x509.Name, key: Any, issuer: x509.Name, begins: datetime, ends: datetime
    ) -> x509.CertificateBuilder:
        draft = x509.CertificateBuilder().subject_name(name).issuer_name(issuer).public_key(key.public_key())
        return draft.serial_number(x509.random_serial_number()).not_valid_before(begins).not_valid_after(ends)


def _of(key: Any) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())


def _usage(*, of_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not of_authority,
        key_cert_sign=of_authority,
        crl_sign=of_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
