"""The keys of a client, wherever they are: registered by value, or at its ``jwks_uri`` and kept for a while (protocol.md §6.14).

What was fetched stays in the process. An address is called at most once a minute, so that an assertion with a made-up ``kid``
cannot make us call; never while a transaction is open; and a set with one fault counts for nothing.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import httpx2
import structlog
from flask import current_app

from ...db import db, in_transaction
from ...http import egress
from ...http.egress import EgressResponse, ForbiddenAddressError
from ...http.web import current_settings, now
from ..proofs.domain import strict_json
from ..proofs.domain.strict_json import NotStrictJsonError
from .domain import client_keys
from .domain.client_keys import ClientKey
from .domain.clients import RelyingParty

SHORTEST, USUAL, LONGEST = timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1)
BETWEEN_CALLS = timedelta(minutes=1)
KEPT_WITHOUT_ANSWER = timedelta(hours=1)  # a host that is down signs nobody out; a key taken away is gone soon
LONGEST_WAIT = 1.0  # seconds, while another request is calling
_SETS = "mandat.oidc_client_keys"
_MOST_KEPT = 1000
_MAX_AGE = re.compile(r"(?:^|[,\s])max-age=\"?0*([0-9]{1,9})")
_NEVER = datetime.min.replace(tzinfo=UTC)
log = structlog.get_logger("mandat.oidc")


class _BadSetError(ValueError):
    """What came is not a set of public keys."""


@dataclass(slots=True)
class _Held:
    """What is known of one address; replaced whole, under its lock."""

    keys: tuple[ClientKey, ...] = ()
    etag: str | None = None
    read_at: datetime = _NEVER
    fresh_until: datetime = _NEVER
    tried_at: datetime = _NEVER

    def answers(self, kid: str | None, at: datetime) -> bool:
        """Return whether no call is needed."""
        return at < self.fresh_until and (kid is None or any(key.kid == kid for key in self.keys))

    def may_call(self, at: datetime) -> bool:
        """Return whether the address was left alone for long enough."""
        return self.tried_at == _NEVER or abs(at - self.tried_at) >= BETWEEN_CALLS

    def usable(self, at: datetime) -> tuple[ClientKey, ...]:
        """Return the keys, unless they are too old to be believed."""
        return self.keys if self.keys and at < max(self.fresh_until, self.read_at + KEPT_WITHOUT_ANSWER) else ()


@dataclass(slots=True)
class _Place:
    held: _Held = field(default_factory=_Held)
    lock: threading.Lock = field(default_factory=threading.Lock)


def keys_of(client: RelyingParty, kid: str | None) -> tuple[ClientKey, ...]:
    """Return the keys by which signatures of *client* are verified; *kid* is what the signature names.

    Call it outside any transaction: inside one, only what is already known is returned.
    """
    if client.jwks_uri is None:
        return client.keys
    place, at = _place(client.jwks_uri), now()
    if place.held.answers(kid, at) or not place.held.may_call(at) or in_transaction():
        return place.held.usable(at)
    db.session.commit()  # ends the reading: nothing of the database is held while the agency answers
    patience = LONGEST_WAIT if place.held.keys else egress.LONGEST  # a slow host must not hold every worker
    if place.lock.acquire(timeout=patience):
        try:
            if not place.held.answers(kid, at) and place.held.may_call(at):  # no other thread just did
                place.held = _called(client, client.jwks_uri, place.held, at)
        finally:
            place.lock.release()
    return place.held.usable(at)


def _called(client: RelyingParty, uri: str, held: _Held, at: datetime) -> _Held:
    """Return what is known after one call."""
    try:
        answer = egress.get(uri, current_settings(), etag=held.etag)
        if answer.status == 304 and held.etag is not None:
            return replace(held, read_at=at, fresh_until=at + _life(answer), tried_at=at)
        if answer.status != 200:
            raise _BadSetError(f"status {answer.status}")
        keys = _read(answer.body)
    except (ForbiddenAddressError, httpx2.HTTPError, OSError, _BadSetError) as error:
        log.warning("jwks_uri not read", client_id=client.client_id, reason=f"{type(error).__name__}: {error}"[:200])
        return replace(held, tried_at=at)
    etag = answer.headers.get("etag")
    return _Held(keys, etag if etag and len(etag) <= 200 else None, at, at + _life(answer), at)


def _read(body: bytes) -> tuple[ClientKey, ...]:
    try:
        told = client_keys.only_public(strict_json.read_object(body))
    except NotStrictJsonError as error:
        raise _BadSetError(f"not strict JSON: {error}") from None
    wrong = next(client_keys.mistakes(told), None)
    if wrong or not isinstance(told, dict):
        raise _BadSetError(wrong or "not a set")
    return client_keys.imported(told)


def _life(answer: EgressResponse) -> timedelta:
    """Return for how long an answer counts, as its host asks, within our bounds (RFC 9111 §5.2.2.1)."""
    asked = answer.headers.get("cache-control", "").lower()
    if "no-store" in asked or "no-cache" in asked:
        return SHORTEST
    found = _MAX_AGE.search(asked)
    return min(max(timedelta(seconds=int(found[1])), SHORTEST), LONGEST) if found else USUAL


def _place(uri: str) -> _Place:
    places: dict[str, _Place] = current_app.extensions.setdefault(_SETS, {})
    if len(places) >= _MOST_KEPT and uri not in places:
        places.clear()
    return places.setdefault(uri, _Place())
