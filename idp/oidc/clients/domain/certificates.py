"""The certificates that clients show: read, compared with what a client registered, followed to an authority (RFC 8705). Pure.

The TLS handshake proved that the sender has the private key of its certificate; all else is checked here, whatever the proxy did.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from urllib.parse import unquote

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from .client_keys import ClientKey
from .subjects import ExpectedSubject

TLS = "tls_client_auth"  # an authority answers for the certificate (RFC 8705 §2.1)
SELF_SIGNED = "self_signed_tls_client_auth"  # the client registered it (§2.2)
_UNREADABLE = (
    *(ValueError, TypeError, UnsupportedAlgorithm),
    *(x509.InvalidVersion, x509.DuplicateExtension, x509.UnsupportedGeneralNameType),
)
_LONGEST = 16 * 1024  # signs
_PEM = re.compile(r"\s*-----BEGIN CERTIFICATE-----\s([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----\s*")
_BYTES = re.compile(r":([A-Za-z0-9+/]+={0,2}):")  # RFC 9440 §2.1: a byte sequence of RFC 8941


class RefusedCertificateError(ValueError):
    """A certificate proves nothing; the text says why, for the log alone."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """One certificate: its bytes, of which tokens hold the digest, and what is read in it."""

    der: bytes = field(repr=False)
    x509: x509.Certificate = field(repr=False)


@dataclass(frozen=True, slots=True)
class Authorities:
    """Who may answer for a certificate; with ``revocations`` each issuer must have a current list there."""

    certificates: tuple[x509.Certificate, ...]
    revocations: tuple[x509.CertificateRevocationList, ...] | None = None


def read(text: str) -> Certificate:
    """Read the one certificate that a proxy or server hands over: PEM, URL-escaped or not, or a byte sequence (RFC 9440).

    Raises:
        RefusedCertificateError: it is not exactly one certificate.
    """
    if len(text) > _LONGEST:
        raise RefusedCertificateError("the certificate is too long")
    found = _BYTES.fullmatch(text) or _PEM.fullmatch(unquote(text))
    if found is None:
        raise RefusedCertificateError("this is not one certificate")
    try:
        der = base64.b64decode("".join(found[1].split()), validate=True)
        return from_der(der)
    except binascii.Error:
        raise RefusedCertificateError("the certificate is not base64") from None


def from_der(der: bytes) -> Certificate:
    """Read the bytes of a certificate, each part that is used later included.

    Raises:
        RefusedCertificateError: they are not a certificate.
    """
    try:
        certificate = x509.load_der_x509_certificate(der)
        _ = (certificate.subject, certificate.extensions, certificate.public_key(), certificate.serial_number)
    except _UNREADABLE:
        raise RefusedCertificateError("the certificate cannot be read") from None
    return Certificate(der, certificate)


def authorities(certificates: bytes, revocations: bytes | None = None) -> Authorities:
    """Read PEM files of authorities and of their revocation lists.

    Raises:
        RefusedCertificateError: there is none, or one cannot be read.
    """
    try:
        listed = tuple(x509.load_pem_x509_certificates(certificates))
        parts = re.findall(rb"-----BEGIN X509 CRL-----.+?-----END X509 CRL-----", revocations or b"", re.DOTALL)
        lists = tuple(x509.load_pem_x509_crl(part) for part in parts)
    except ValueError as error:
        raise RefusedCertificateError(f"a certificate or a revocation list cannot be read: {error}") from None
    if revocations is not None and not lists:
        raise RefusedCertificateError("there is no revocation list")
    return Authorities(listed, lists if revocations is not None else None)


def check_self_signed(certificate: Certificate, keys: tuple[ClientKey, ...], *, now: datetime) -> None:
    """Compare a certificate with the keys of a client: to the byte where one is registered as ``x5c``, else by its key.

    Raises:
        RefusedCertificateError: it is no certificate of the client, or not of today.
    """
    if not (certificate.x509.not_valid_before_utc <= now < certificate.x509.not_valid_after_utc):
        raise RefusedCertificateError("the certificate is not valid now")
    if not any(_is_of(certificate, key) for key in keys):
        raise RefusedCertificateError("the certificate is not registered")


def check_issued(certificate: Certificate, subject: ExpectedSubject, known: Authorities, *, now: datetime) -> None:
    """Follow a certificate to an authority, then compare its name with the one that the client registered.

    Raises:
        RefusedCertificateError: no authority answers for it now, or it is another person's.
    """
    chain = _chain(certificate.x509, known, now)
    for issued, issuer in pairwise(chain):
        _check_revocation(issued, issuer, known, now)
    if not subject.is_named_in(certificate.x509):
        raise RefusedCertificateError("the certificate is for another subject")


def x5c_mistakes(keys: tuple[ClientKey, ...]) -> Iterator[str]:
    """Yield what is wrong with the certificates beside registered keys (RFC 7517 §4.7)."""
    for place, key in enumerate(keys, start=1):
        if (x5c := _x5c(key)) is None:
            continue
        try:
            certificate = from_der(base64.b64decode(x5c[0], validate=True))
            fits = _spki(certificate.x509.public_key()) == _spki(key.key.public_key)
        except (ValueError, TypeError, IndexError, KeyError):
            fits = False
        if not fits:
            yield f"jwks: key {place} has an x5c that is no certificate of this key"


def stale(known: Authorities, *, now: datetime, soon: datetime) -> Iterator[str]:
    """Yield which authorities and revocation lists are not valid now, or end before *soon*: then every person is refused."""
    for each in known.certificates:
        name, ends = each.subject.rfc4514_string(), each.not_valid_after_utc
        if ends <= soon:
            yield f"the authority {name} ends on {ends:%Y-%m-%d}"
        if known.revocations is None:
            continue
        lists = [one.next_update_utc for one in known.revocations if _is_current(one, each, now)]
        latest = max((end for end in lists if end), default=None)
        if latest is None:
            yield f"the authority {name} has no current revocation list: every certificate of its own is refused"
        elif latest <= soon:
            yield f"the revocation list of {name} ends on {latest:%Y-%m-%d}"


def _is_of(certificate: Certificate, key: ClientKey) -> bool:
    x5c = _x5c(key)
    if x5c is not None:
        return base64.b64decode(x5c[0]) == certificate.der
    return _spki(certificate.x509.public_key()) == _spki(key.key.public_key)


def _x5c(key: ClientKey) -> list[str] | None:
    x5c: list[str] | None = key.key.as_dict(private=False).get("x5c")
    return x5c


def _spki(key: object) -> bytes:
    told: bytes = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined]
    return told


def _chain(certificate: x509.Certificate, known: Authorities, now: datetime) -> list[x509.Certificate]:
    """Return the certificate and those that answer for it; an agency's client may have a DN and no alternative name."""
    of_client = ExtensionPolicy.webpki_defaults_ee().may_be_present(
        x509.SubjectAlternativeName, Criticality.AGNOSTIC, None
    )
    policy = PolicyBuilder().store(Store(list(known.certificates))).time(now)
    policy = policy.extension_policies(ee_policy=of_client, ca_policy=ExtensionPolicy.webpki_defaults_ca())
    try:
        return policy.build_client_verifier().verify(certificate, []).chain
    except (VerificationError, ValueError) as error:
        raise RefusedCertificateError(f"no authority answers for the certificate: {error}") from None


def _check_revocation(issued: x509.Certificate, issuer: x509.Certificate, known: Authorities, now: datetime) -> None:
    if known.revocations is None:
        return
    current = [each for each in known.revocations if _is_current(each, issuer, now)]
    if not current:
        raise RefusedCertificateError("the issuer has no current revocation list")
    if any(each.get_revoked_certificate_by_serial_number(issued.serial_number) for each in current):
        raise RefusedCertificateError("the certificate is revoked")


def _is_current(each: x509.CertificateRevocationList, issuer: x509.Certificate, now: datetime) -> bool:
    """Return whether a list is the issuer's, whole (a critical extension would make it partial, RFC 5280 §5.2) and of today."""
    if each.issuer != issuer.subject or each.next_update_utc is None:
        return False
    if not (each.last_update_utc <= now < each.next_update_utc) or any(part.critical for part in each.extensions):
        return False
    return each.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]
