"""Who calls the token endpoint: the client proves itself by its secret or its key, in one way only (RFC 6749 §2.3).

Secrets are random and long, so SHA-256 in constant time is enough; what a person chooses is another matter (accounts).
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import unquote_plus

from authlib.oauth2.rfc6749 import InvalidClientError, InvalidRequestError

from ...crypto.sealing import digest
from ..proofs.domain import foreign_jwts
from ..proofs.domain.foreign_jwts import RefusedJwtError
from .domain import assertions, certificates
from .domain.assertions import Assertion
from .domain.certificates import Authorities, Certificate, RefusedCertificateError
from .domain.client_keys import ClientKey
from .domain.clients import RelyingParty

Find = Callable[[str], RelyingParty | None]
KeysOf = Callable[[RelyingParty, str | None], tuple[ClientKey, ...]]
_BY_CERTIFICATE = frozenset({certificates.TLS, certificates.SELF_SIGNED})
_CHALLENGE = ("WWW-Authenticate", 'Basic realm="mandat", charset="UTF-8"')


class UnknownClientError(InvalidClientError):  # type: ignore[misc]
    """The client did not prove itself: 401 always, with a challenge only when Basic was used (RFC 6749 §5.2).

    ``rule`` says why, to the operator alone.
    """

    def __init__(self, rule: str, *, used_basic: bool = False) -> None:
        super().__init__(description="the client is not known or did not prove itself", status_code=401)
        self.used_basic = used_basic
        self.rule = rule

    def get_headers(self) -> list[tuple[str, str]]:
        """Return the headers of the answer."""
        return [_CHALLENGE] if self.used_basic else []


@dataclass(frozen=True, slots=True)
class PresentedCredentials:
    """What a request brought: a method, and each way its identifier and secret may be read."""

    method: str
    readings: tuple[tuple[str, str], ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Proven:
    """A client that proved itself; an assertion holds only once it is spent (``replay_services``)."""

    client: RelyingParty
    assertion: Assertion | None = None


@dataclass(frozen=True, slots=True)
class Handshake:
    """What the TLS handshake of the request proved, and who may answer for it."""

    certificate: Certificate | None = None
    authorities: Authorities | None = None


def authenticate(
    headers: Mapping[str, str],
    form: Mapping[str, str],
    find: Find,
    *,
    keys_of: KeysOf,
    issuer: str,
    token_url: str,
    now: datetime,
    handshake: Handshake | None = None,
) -> Proven:
    """Return the client that proved itself, or the native one that named itself: its proof is the code verifier.

    Raises:
        UnknownClientError: it did not, or by another method than its own.
        InvalidRequestError: it used two methods at once.
    """
    if "client_assertion" in form or "client_assertion_type" in form:
        return _by_assertion(headers, form, find, keys_of, issuer=issuer, token_url=token_url, now=now)
    given = credentials(headers, form)
    used_basic = given.method == "client_secret_basic"
    rule = "no such client"
    for client_id, secret in given.readings:
        client = find(client_id)
        if client is not None and given.method == "none" and client.auth_method in _BY_CERTIFICATE:
            return _by_certificate(client, form, handshake or Handshake(), keys_of, now)
        if client is None:
            continue
        if given.method not in client.auth_methods:
            rule = "the method is not one that the client registered"
            continue
        rule = "the secret is not the one on record"
        if given.method == "none" or hmac.compare_digest(digest(secret), client.secret_digest):
            if form.get("client_id", client.client_id) != client.client_id:
                raise UnknownClientError("client_id in the form is another client", used_basic=used_basic)
            return Proven(client)
    raise UnknownClientError(rule, used_basic=used_basic)


def credentials(headers: Mapping[str, str], form: Mapping[str, str]) -> PresentedCredentials:
    """Read the credentials of a request from its ``Authorization`` header or from its form, never from both."""
    header = headers.get("Authorization")
    if header is not None and "client_secret" in form:
        raise InvalidRequestError("use one method of client authentication only")
    if header is None and not form.get("client_secret"):
        return PresentedCredentials("none", ((form.get("client_id", ""), ""),))
    if header is None:
        return PresentedCredentials("client_secret_post", ((form.get("client_id", ""), form.get("client_secret", "")),))
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        raise UnknownClientError("the scheme of Authorization is not Basic", used_basic=True)
    return PresentedCredentials("client_secret_basic", _basic_readings(encoded.strip()))


def _by_certificate(
    client: RelyingParty, form: Mapping[str, str], handshake: Handshake, keys_of: KeysOf, now: datetime
) -> Proven:
    """Check the certificate of a client that named itself (RFC 8705 §2); no response says what failed."""
    if "client_secret" in form:
        raise InvalidRequestError("use one method of client authentication only")
    try:
        if handshake.certificate is None:
            raise RefusedCertificateError("no certificate was shown")
        if client.auth_method == certificates.SELF_SIGNED:
            certificates.check_self_signed(handshake.certificate, keys_of(client, None), now=now)
        elif handshake.authorities is None or client.certificate_subject is None:
            raise RefusedCertificateError("no authority is known")
        else:
            certificates.check_issued(handshake.certificate, client.certificate_subject, handshake.authorities, now=now)
    except RefusedCertificateError as error:
        raise UnknownClientError(f"certificate: {error}") from error
    return Proven(client)


def _by_assertion(
    headers: Mapping[str, str],
    form: Mapping[str, str],
    find: Find,
    keys_of: KeysOf,
    *,
    issuer: str,
    token_url: str,
    now: datetime,
) -> Proven:
    """Verify a client assertion; no response says what failed (RFC 7521 §4.2.1)."""
    if "Authorization" in headers or "client_secret" in form:
        raise InvalidRequestError("use one method of client authentication only")
    try:
        if form.get("client_assertion_type") != assertions.ASSERTION_TYPE:
            raise RefusedJwtError("client_assertion_type")
        token = foreign_jwts.read(form.get("client_assertion", ""))
        client = find(assertions.claimed_client(token))
        if client is None:
            raise RefusedJwtError("no such client")
        if "private_key_jwt" not in client.auth_methods:
            raise RefusedJwtError("the method is not one that the client registered")
        if form.get("client_id", client.client_id) != client.client_id:
            raise RefusedJwtError("client_id in the form is another client")
        audiences = {issuer, token_url} if client.token_url_as_audience else {issuer}
        keys = keys_of(client, token.header.get("kid"))
        return Proven(client, assertions.check(token, client, keys=keys, audiences=audiences, now=now))
    except RefusedJwtError as error:
        raise UnknownClientError(f"client assertion: {error}") from error


def _basic_readings(encoded: str) -> tuple[tuple[str, str], ...]:
    """Return identifier and secret, form-decoded as the RFC says, then raw as many libraries send them."""
    try:
        text = base64.b64decode(encoded, validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        raise UnknownClientError("Basic holds no base64 of UTF-8 text", used_basic=True) from None
    name, colon, secret = text.partition(":")
    if not colon:
        raise UnknownClientError("Basic holds no colon", used_basic=True)
    decoded = (unquote_plus(name), unquote_plus(secret))
    return (decoded,) if decoded == (name, secret) else (decoded, (name, secret))
