"""Who calls the token endpoint: the client proves itself by its secret, in one way only (RFC 6749 §2.3).

Secrets are random and long, so SHA-256 in constant time is enough; what a person chooses is another matter (accounts).
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

from authlib.oauth2.rfc6749 import InvalidClientError, InvalidRequestError

from ..sealing import digest
from .clients import RelyingParty

Find = Callable[[str], RelyingParty | None]
_CHALLENGE = ("WWW-Authenticate", 'Basic realm="mandat", charset="UTF-8"')


class UnknownClientError(InvalidClientError):  # type: ignore[misc]
    """The client did not prove itself: 401 always, with a challenge only when Basic was used (RFC 6749 §5.2)."""

    def __init__(self, *, used_basic: bool) -> None:
        super().__init__(description="the client is not known or did not prove itself", status_code=401)
        self.used_basic = used_basic

    def get_headers(self) -> list[tuple[str, str]]:
        """Return the headers of the answer."""
        return [_CHALLENGE] if self.used_basic else []


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a request brought: a method, and each way its identifier and secret may be read."""

    method: str
    readings: tuple[tuple[str, str], ...] = field(repr=False)


def authenticate(headers: Mapping[str, str], form: Mapping[str, str], find: Find) -> RelyingParty:
    """Return the client that proved itself.

    Raises:
        UnknownClientError: it did not, or by another method than its own.
        InvalidRequestError: it used two methods at once.
    """
    given = credentials(headers, form)
    used_basic = given.method == "client_secret_basic"
    for client_id, secret in given.readings:
        client = find(client_id)
        if client is None or client.auth_method != given.method:
            continue
        if hmac.compare_digest(digest(secret), client.secret_digest):
            if form.get("client_id", client.client_id) != client.client_id:
                raise UnknownClientError(used_basic=used_basic)
            return client
    raise UnknownClientError(used_basic=used_basic)


def credentials(headers: Mapping[str, str], form: Mapping[str, str]) -> Credentials:
    """Read the credentials of a request from its ``Authorization`` header or from its form, never from both."""
    header = headers.get("Authorization")
    if header is not None and "client_secret" in form:
        raise InvalidRequestError("use one method of client authentication only")
    if header is None:
        return Credentials("client_secret_post", ((form.get("client_id", ""), form.get("client_secret", "")),))
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        raise UnknownClientError(used_basic=True)
    return Credentials("client_secret_basic", _basic_readings(encoded.strip()))


def _basic_readings(encoded: str) -> tuple[tuple[str, str], ...]:
    """Return identifier and secret, form-decoded as the RFC says, then raw as many libraries send them."""
    try:
        text = base64.b64decode(encoded, validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        raise UnknownClientError(used_basic=True) from None
    name, colon, secret = text.partition(":")
    if not colon:
        raise UnknownClientError(used_basic=True)
    decoded = (unquote_plus(name), unquote_plus(secret))
    return (decoded,) if decoded == (name, secret) else (decoded, (name, secret))
