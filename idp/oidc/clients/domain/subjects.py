"""The one name by which a client's certificate is recognized (RFC 8705 §2.1.2): registered as text, compared as a value. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.x509.oid import NameOID

SUBJECT_DN = "tls_client_auth_subject_dn"
_LONGEST = 1000  # signs
_HOST = re.compile(r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
_MAILBOX = re.compile(r"[^@\s]{1,64}@([^@\s]+)")
_NAMES = {  # beside the nine of RFC 4514 §3: the names that openssl writes
    "emailAddress": NameOID.EMAIL_ADDRESS,
    "serialNumber": NameOID.SERIAL_NUMBER,
    "givenName": NameOID.GIVEN_NAME,
    "GN": NameOID.GIVEN_NAME,
    "SN": NameOID.SURNAME,
    "title": NameOID.TITLE,
    "organizationIdentifier": NameOID.ORGANIZATION_IDENTIFIER,
}


@dataclass(frozen=True, slots=True)
class ExpectedSubject:
    """An expected name: the member it was registered under, and its value."""

    member: str
    value: Any

    def is_named_in(self, certificate: x509.Certificate) -> bool:
        """Return whether the certificate bears this very name: no wildcard, no part, no other kind."""
        if self.member == SUBJECT_DN:
            return bool(certificate.subject == self.value)
        kind, parse = _KINDS[self.member]
        try:
            names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except x509.ExtensionNotFound:
            return False
        return any(_parsed(parse, each) == self.value for each in names.get_values_for_type(kind))


def mistakes(entry: Mapping[str, Any], *, is_needed: bool) -> Iterator[str]:
    """Yield what is wrong with the expected name of a registration: exactly one for ``tls_client_auth``, none elsewhere."""
    given = sorted(MEMBERS & entry.keys())
    if not is_needed:
        yield from (f"{name} is for tls_client_auth" for name in given)
    elif len(given) != 1:
        yield f"tls_client_auth needs exactly one of: {', '.join(sorted(MEMBERS))}"
    for name in given:
        try:
            _value(name, entry[name])
        except ValueError:
            yield f"{name} cannot be read: {_SAID[name]}"


def expected(members: Mapping[str, Any]) -> ExpectedSubject | None:
    """Return the name that checked *members* hold."""
    for name in sorted(MEMBERS & members.keys()):
        return ExpectedSubject(name, _value(name, members[name]))
    return None


def _value(name: str, text: object) -> Any:
    if not isinstance(text, str) or not 1 <= len(text) <= _LONGEST or not text.isprintable():
        raise ValueError(name)
    return _dn(text) if name == SUBJECT_DN else _KINDS[name][1](text)


def _dn(text: str) -> x509.Name:
    """Read an RFC 4514 text: escapes, order, sets of attributes and spellings of a type do not matter afterwards."""
    name = x509.Name.from_rfc4514_string(text, _NAMES)
    if not all(isinstance(each.value, str) and each.value.isprintable() for each in name):
        raise ValueError(text)
    return name


def _host(text: str) -> str:
    name = text.lower()
    if not _HOST.fullmatch(name):
        raise ValueError(text)
    return name


def _uri(text: str) -> str:
    if not urlsplit(text).scheme or not text.isascii() or " " in text:
        raise ValueError(text)
    return text


def _mailbox(text: str) -> str:
    found = _MAILBOX.fullmatch(text)
    if found is None:
        raise ValueError(text)
    return text[: found.start(1)] + _host(found[1])


def _parsed(parse: Callable[[Any], Any], value: Any) -> Any:
    """Read a name of a certificate as the expected one was read; None when it would not have been accepted."""
    try:
        return parse(value)
    except ValueError:
        return None


_KINDS: Mapping[str, tuple[Any, Callable[[Any], Any]]] = {
    "tls_client_auth_san_dns": (x509.DNSName, _host),
    "tls_client_auth_san_uri": (x509.UniformResourceIdentifier, _uri),
    "tls_client_auth_san_ip": (x509.IPAddress, ip_address),
    "tls_client_auth_san_email": (x509.RFC822Name, _mailbox),
}
_SAID = {
    SUBJECT_DN: "write it as RFC 4514 says, such as CN=client,O=Agency,C=CA",
    "tls_client_auth_san_dns": "write one host name, without wildcard",
    "tls_client_auth_san_uri": "write one URI",
    "tls_client_auth_san_ip": "write one IPv4 or IPv6 address",
    "tls_client_auth_san_email": "write one address",
}
MEMBERS = frozenset(_SAID)
