"""The authorization request: one immutable value, built once, stored as JSON, never read again from the address. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from ...claims.domain.asked_claims import NOTHING_ASKED, AskedClaims
from ...errors import UnprovenRequestError

REQUEST_URI = "urn:ietf:params:oauth:request_uri:"  # RFC 9126 §2.2: the only request_uri there is
OFFLINE = "offline_access"  # OIDC Core §11: the scope that gives a refresh token
MAY_REPEAT = frozenset({"resource"})  # RFC 8707 §2
LONGEST = {  # bytes; what is longer is refused, never cut (protocol.md §6.16)
    "state": 2048,
    "nonce": 512,
    "scope": 1024,
    "redirect_uri": 2048,
    "client_id": 100,
    "login_hint": 256,
    "id_token_hint": 8192,
    "authorization_details": 8192,
    "claims": 8192,
    "asked": 8192,  # a request to end the session, as /end-session itself sealed it
}
LONGEST_OTHER = 1024
_LANGUAGES = ("fr", "en")  # those of the pages


@dataclass(frozen=True, slots=True)
class AskedBlocks:
    """One authorization detail of type ``functional_blocks`` as it was asked (RFC 9396 §2, claims.md)."""

    privileges: tuple[str, ...]
    identifier: str | None = None
    needs: str = ""  # "any" or "all" of them, without which the agency cannot go on; empty: it can


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """What a proven client asks, checked."""

    client_id: str
    redirect_uri: str
    response_mode: str
    scopes: tuple[str, ...]
    state: str | None = None
    nonce: str | None = None
    code_challenge: str | None = None
    prompts: tuple[str, ...] = ()
    max_age: int | None = None
    login_hint: str | None = None
    id_token_hint: str | None = None
    ui_language: str | None = None
    details: tuple[AskedBlocks, ...] = ()
    dpop_jkt: str | None = None  # the key to which the code is bound (RFC 9449 §10)
    pushed_digest: str | None = None  # which pushed request this is, to be used up by the answer
    acr_values: tuple[str, ...] = ()
    claims: AskedClaims = NOTHING_ASKED
    is_signed: bool = False

    @property
    def named_enterprise(self) -> str | None:
        """Return the NEQ that the request names, if it names one."""
        named = next((asked.identifier for asked in self.details if asked.identifier), None)
        return named.removeprefix("neq:") if named else None

    def to_json(self) -> dict[str, Any]:
        """Return the request as JSON members."""
        return asdict(self)

    @classmethod
    def from_json(cls, members: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_json` wrote."""
        details = tuple(
            AskedBlocks(tuple(each["privileges"]), each["identifier"], each["needs"]) for each in members["details"]
        )
        lists = {name: tuple(members.get(name, ())) for name in ("scopes", "prompts", "acr_values")}
        claims = AskedClaims.from_json(members.get("claims"))
        return cls(**{**members, **lists, "details": details, "claims": claims})


@dataclass(frozen=True, slots=True)
class Parameters:
    """The parameters of a request as they came, each once; an empty one counts as absent (RFC 6749 §3.1)."""

    values: Mapping[str, str]
    resources: tuple[str, ...] = ()
    is_pushed: bool = False
    is_signed: bool = False

    def get(self, name: str) -> str | None:
        """Return the value of *name*, None when absent."""
        return self.values.get(name)

    @property
    def language(self) -> str | None:
        """Return the first language of ``ui_locales`` that pages are written in (OIDC Core §3.1.2.1)."""
        return language_of((self.get("ui_locales") or "").split())


def parameters(pairs: Iterable[tuple[str, str]]) -> Parameters:
    """Collect the parameters of a request.

    Raises:
        UnprovenRequestError: one is repeated (RFC 6749 §3.1), or not text.
    """
    values: dict[str, str] = {}
    resources: list[str] = []
    for name, value in pairs:
        if "\x00" in value or "\ufffd" in value:
            raise UnprovenRequestError("invalid_request", "a parameter is not UTF-8 text")
        if name in MAY_REPEAT:
            resources.append(value)
        elif name in values:
            raise UnprovenRequestError("invalid_request", "a parameter is repeated")
        else:
            values[name] = value
    return Parameters({name: value for name, value in values.items() if value}, tuple(filter(None, resources)))


def language_of(ranges: Iterable[str]) -> str | None:
    """Return the first of *ranges* that is one of our languages, whatever region, script or variant it names.

    Lookup (RFC 4647 §3.4) shortens each range from its end until it is a known tag, and ours are the shortest. ``*`` and
    what is unknown say nothing. ``fr_CA``, as many libraries write it, is read like ``fr-CA``.
    """
    names = (each.replace("_", "-").partition("-")[0].lower() for each in ranges)
    return next((name for name in names if name in _LANGUAGES), None)


def too_long(name: str, value: str) -> bool:
    """Return whether a parameter is longer than it may be."""
    return len(value.encode("utf-8", "replace")) > LONGEST.get(name, LONGEST_OTHER)


def details_list(text: str) -> list[dict[str, Any]] | None:
    """Return *text* as a list of JSON objects, None when it is anything else."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, list) or not found or not all(isinstance(each, dict) for each in found):
        return None
    return found
