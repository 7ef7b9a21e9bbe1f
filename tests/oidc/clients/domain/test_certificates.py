"""The name by which a certificate is recognized, and what a registration may say of certificates (RFC 8705 §2)."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from idp.oidc.clients.domain import client_metadata, subjects
from idp.oidc.clients.domain.certificates import RefusedCertificateError, authorities, read, stale
from idp.oidc.clients.domain.client_metadata import Grounds
from tests.conftest import AS_OF
from tests.oidc.certificates import TestAuthority, byte_sequence, cn, der, dn, escaped, new_key, pem, self_signed
from tests.oidc.fapi import public_jwk
from tests.oidc.mutual_tls import DN, told

AUTHORITY = TestAuthority()
KEY = new_key()
GROUNDS = Grounds("https://id.example", frozenset({"amp"}))
SUBJECT_DN = "tls_client_auth_subject_dn"
SAN = "tls_client_auth_san_"


def recognizes(member: str, value: str, certificate: x509.Certificate) -> bool:
    subject = subjects.expected({member: value})
    assert subject is not None
    return subject.is_named_in(certificate)


@pytest.mark.parametrize(
    "text",
    [
        DN,
        r"CN=cli\65nt,O=Agence,C=CA",
        r"CN=#636c69656e74,O=Agence,C=CA",
        "2.5.4.3=client,2.5.4.10=Agence,2.5.4.6=CA",
    ],
)
def test_a_dn_is_compared_as_a_value(text: str) -> None:
    """Escapes, hexadecimal and numbered types of RFC 4514 spell the same name; the kind of string in DER does not matter."""
    printable = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CA"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Agence", x509.name._ASN1Type.PrintableString),
            x509.NameAttribute(NameOID.COMMON_NAME, "client", x509.name._ASN1Type.PrintableString),
        ]
    )

    assert recognizes(SUBJECT_DN, text, AUTHORITY.issue(cn("client"), KEY))
    assert recognizes(SUBJECT_DN, text, AUTHORITY.issue(printable, KEY))


def test_a_dn_that_reads_alike_is_another_name() -> None:
    """Text equal once written down, values different: commas, plus signs, equals signs inside one attribute."""
    attribute = NameOID.COMMON_NAME
    alike = {
        "CN=a,O=b": "a,O=b",
        "CN=a+O=b": "a+O=b",
        "CN=a": "a\\",
        "O=b,CN=a": "a,O=b",
    }
    for text, value in alike.items():
        assert not recognizes(SUBJECT_DN, text, AUTHORITY.issue(dn((attribute, value)), KEY)), text
    organized = dn((NameOID.ORGANIZATION_NAME, "b"), (attribute, "a"))
    assert not recognizes(SUBJECT_DN, r"CN=a\,O\=b", AUTHORITY.issue(organized, KEY))
    assert not recognizes(SUBJECT_DN, "CN=a+O=b", AUTHORITY.issue(organized, KEY))
    assert not recognizes(SUBJECT_DN, "O=b,CN=a", AUTHORITY.issue(organized, KEY))
    assert recognizes(SUBJECT_DN, "CN=a,O=b", AUTHORITY.issue(organized, KEY))
    assert not recognizes(SUBJECT_DN, "CN=a", AUTHORITY.issue(x509.Name([]), KEY, "dns:a"))


@pytest.mark.parametrize(
    ("kind", "expected", "borne", "fits"),
    [
        ("dns", "client.example", ("dns:client.example",), True),
        ("dns", "client.example", ("dns:other.example", "dns:CLIENT.example"), True),
        ("dns", "client.example", ("dns:*.example",), False),
        ("dns", "client.example", ("dns:a.client.example",), False),
        ("dns", "client.example", ("dns:client.example.",), False),
        ("dns", "client.example", ("dns:client.example\x00.evil",), False),
        ("dns", "client.example", ("uri:client.example", "email:client.example"), False),
        ("dns", "client.example", (), False),
        ("uri", "https://client.example/a", ("uri:https://client.example/a",), True),
        ("uri", "https://client.example/a", ("uri:https://client.example/A",), False),
        ("uri", "https://client.example/a", ("uri:https://client.example/a/",), False),
        ("uri", "https://client.example/a", ("dns:client.example",), False),
        ("uri", "spiffe://id/x", ("uri:spiffe://id/x",), True),
        ("ip", "192.0.2.1", ("ip:192.0.2.1",), True),
        ("ip", "192.0.2.1", ("ip:192.0.2.10",), False),
        ("ip", "192.0.2.1", ("dns:192.0.2.1",), False),
        ("ip", "192.0.2.1", ("ip:::ffff:192.0.2.1",), False),
        ("ip", "2001:DB8::0:1", ("ip:2001:db8::1",), True),
        ("email", "a.b@client.example", ("email:a.b@Client.Example",), True),
        ("email", "a.b@client.example", ("email:A.b@client.example",), False),
        ("email", "a.b@client.example", ("email:ab@client.example",), False),
        ("email", "a.b@client.example", ("dns:client.example",), False),
    ],
)
def test_an_alternative_name_is_compared_whole_and_by_kind(
    kind: str, expected: str, borne: tuple[str, ...], fits: bool
) -> None:
    """RFC 8705 §2.1.2: no wildcard, no parent, no other kind of name, no look-alike."""
    assert recognizes(SAN + kind, expected, AUTHORITY.issue(cn("client.example"), KEY, *borne)) is fits


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "client",
            "CN",
            "CN=",
            "CN=a,",
            ",CN=a",
            "CN=a, O=b",
            "CN=a;O=b",
            "XX=a",
            "C=CAN",
            "CN=a\x00b",
            "CN=a\nb",
        ),
        *(r"CN=a\00b", "CN=#04024869", r"CN=\ff", "CN=a+CN=a", "CN=" + "a" * 2000),
    ],
)
def test_a_dn_that_cannot_be_read_is_not_registered(text: str) -> None:
    """A mistake of the file, told before any certificate comes."""
    assert list(client_metadata.mistakes(entry(**{SUBJECT_DN: text}), GROUNDS)) == [
        f"{SUBJECT_DN} cannot be read: write it as RFC 4514 says, such as CN=client,O=Agency,C=CA"
    ]


def entry(method: str = "tls_client_auth", **changed: Any) -> dict[str, Any]:
    made = client_metadata.with_defaults(
        told(method, "certificate", redirect_uris=["https://rp.example/cb"], **changed)
    )
    return {name: value for name, value in made.items() if value is not None}


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        *(
            ("dns", each)
            for each in ("*.client.example", "client..example", "192.0.2.1", "é.example", "a b", "", 1, None)
        ),
        *(("uri", each) for each in ("client.example", "", "https://é.example", ["https://client.example"])),
        *(("ip", each) for each in ("192.0.2.0/24", "192.0.2.256", "client.example", 3232235777)),
        *(
            ("email", each)
            for each in ("client.example", "a@b@client.example", "a@", "@client.example", "a b@c.example")
        ),
    ],
)
def test_an_alternative_name_must_be_one_name(kind: str, value: Any) -> None:
    """Wildcards, networks, lists, numbers and halves of names are refused."""
    changed = {SUBJECT_DN: None, SAN + kind: value} if value is not None else {SUBJECT_DN: None}

    assert list(client_metadata.mistakes(entry(**changed), GROUNDS))


def test_a_registration_names_exactly_one_subject() -> None:
    """RFC 8705 §2.1.2: one for tls_client_auth, none for others; the right ones have no mistake."""
    good = [entry(), entry("self_signed_tls_client_auth"), entry("private_key_jwt")]
    good += [entry(**{SUBJECT_DN: None, SAN + "dns": "client.example"})]
    bad = [
        entry(**{SUBJECT_DN: None}),
        entry(**{SAN + "dns": "client.example"}),
        entry("self_signed_tls_client_auth", **{SUBJECT_DN: DN}),
        entry("private_key_jwt", **{SAN + "ip": "192.0.2.1"}),
        entry("self_signed_tls_client_auth", jwks=None),
        entry("self_signed_tls_client_auth", jwks={"keys": []}),
        entry(client_secret="x" * 40),
        entry(tls_client_certificate_bound_access_tokens="yes"),
        entry(dpop_bound_access_tokens=True),
        entry(application_type="native"),
        entry(token_url_as_audience=True),
    ]

    assert [list(client_metadata.mistakes(each, GROUNDS)) for each in good] == [[]] * len(good)
    assert all(list(client_metadata.mistakes(each, GROUNDS)) for each in bad)


def test_a_certificate_beside_a_key_must_be_of_that_key() -> None:
    """RFC 7517 §4.7; another key's certificate, noise or an empty list would never match anything."""
    own = base64.b64encode(der(self_signed(KEY))).decode()
    other = base64.b64encode(der(self_signed(new_key()))).decode()
    wrong: list[Any] = [[other], ["AAAA"], [""], ["é"]]
    good = entry("self_signed_tls_client_auth", jwks={"keys": [{**public_jwk(KEY), "x5c": [own]}]})
    assert list(client_metadata.mistakes(good, GROUNDS)) == []

    for x5c in wrong:
        bad = entry("self_signed_tls_client_auth", jwks={"keys": [{**public_jwk(KEY), "x5c": x5c}]})
        assert list(client_metadata.mistakes(bad, GROUNDS)), x5c
    for malformed in (own, 1, [1], {"0": own}, []):
        bad = entry("self_signed_tls_client_auth", jwks={"keys": [{**public_jwk(KEY), "x5c": malformed}]})
        assert list(client_metadata.mistakes(bad, GROUNDS)), malformed


def test_the_spellings_of_one_certificate() -> None:
    """nginx's escaped PEM, plain PEM, the byte sequence of RFC 9440: the same bytes; a plus sign is not a space."""
    certificate = self_signed(KEY)
    spellings = (escaped(certificate), pem(certificate), byte_sequence(certificate))

    assert {read(each).der for each in spellings} == {der(certificate)}
    for wrong in (pem(certificate) * 2, "", "::", ":AAAA:", ":é:", escaped(certificate) + escaped(certificate)):
        with pytest.raises(RefusedCertificateError):
            read(wrong)


def test_what_will_refuse_everybody_is_told_before() -> None:
    """Two days before an authority or its list ends, and when a list is missing, ended or of another hand."""
    soon = AS_OF + timedelta(days=2)
    other = TestAuthority(cn("Autre"), ends=soon - timedelta(hours=1))
    lists = {
        b"": ["has no current revocation list"],
        AUTHORITY.revocations(): [],
        AUTHORITY.revocations(ends=soon): ["revocation list of CN=Autorité de test,O=Agence,C=CA ends on 2026-11-25"],
        AUTHORITY.revocations(ends=soon) + AUTHORITY.revocations(): [],
        AUTHORITY.revocations(ends=AS_OF): ["has no current revocation list"],
        AUTHORITY.revocations(key=new_key()): ["has no current revocation list"],
    }
    for content, expected in lists.items():
        known = authorities(pem(AUTHORITY.certificate).encode(), content or other.revocations())
        found = list(stale(known, now=AS_OF, soon=soon))
        assert len(found) == len(expected)
        assert all(text in sentence for text, sentence in zip(expected, found, strict=True)), found
    ended = authorities(pem(other.certificate).encode())
    assert list(stale(ended, now=AS_OF, soon=soon)) == ["the authority CN=Autre,O=Agence,C=CA ends on 2026-11-25"]


@pytest.mark.filterwarnings("ignore:Parsed a serial number")  # negative, after a change
def test_certificates_cut_or_changed_anywhere_never_crash() -> None:
    """Every prefix and every changed octet is a certificate or a refusal, never another exception (S-29)."""
    whole = der(AUTHORITY.issue(cn("client"), KEY, "dns:client.example", "ip:192.0.2.1"))
    variants = [whole[:length] for length in range(0, len(whole), 7)]
    variants += [
        whole[:at] + bytes([whole[at] ^ flip]) + whole[at + 1 :] for at in range(len(whole)) for flip in (1, 128)
    ]
    subject = subjects.expected({SAN + "dns": "client.example"})
    assert subject is not None
    refused = 0
    for each in variants:
        try:
            subject.is_named_in(read(f":{base64.b64encode(each).decode()}:").x509)
        except RefusedCertificateError:
            refused += 1

    assert refused > len(variants) / 4
