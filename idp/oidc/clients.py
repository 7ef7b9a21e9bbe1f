"""A relying party's registration: read once from its file (RFC 7591 member names), then trusted. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from . import client_keys, uris
from .client_keys import ClientKey
from .errors import ClientFileError
from .metadata import GRANT_TYPES, SCOPES, SERVICE_GRANT, SERVICE_SCOPES
from .profiles import PROFILES, Profile

_ID = re.compile(r"[A-Za-z0-9._~-]{1,100}")
_SHORTEST_SECRET = 32  # signs: secrets are hashed with SHA-256, so they must be random and long (oidc §5)
_MEMBERS = frozenset(
    {
        *("client_id", "client_secret", "client_name", "agency", "profile", "application_type", "requires_pkce"),
        *("redirect_uris", "post_logout_redirect_uris", "response_types", "grant_types", "scope"),
        *("token_endpoint_auth_method", "token_endpoint_auth_signing_alg", "jwks", "token_url_as_audience"),
        *("id_token_signed_response_alg", "subject_type"),
        *("backchannel_logout_uri", "backchannel_logout_session_required", "allowed_origins", "further_origins"),
        *("client_uri", "policy_uri", "tos_uri", "logo_uri", "contacts"),
    }
)
SECRET_METHODS = frozenset({"client_secret_basic", "client_secret_post"})
_SUB = re.compile(r"[A-Za-z0-9_-]{43}")  # the shape of a person's ``sub``, which no client_id may have (S-97)
_FIXED: Mapping[str, Any] = {
    "response_types": ["code"],
    "id_token_signed_response_alg": "RS256",
    "subject_type": "pairwise",
}


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """A client of an agency."""

    client_id: str
    agency_id: str
    name: str
    profile: Profile
    auth_method: str
    is_native: bool  # a program on a person's device: it keeps no secret, so it has none
    secret_digest: str = field(repr=False)  # empty when the client has no secret: no secret fits it
    keys: tuple[ClientKey, ...]
    assertion_algs: tuple[str, ...]
    token_url_as_audience: bool
    redirect_uris: tuple[str, ...]
    post_logout_redirect_uris: tuple[str, ...]
    scopes: frozenset[str]
    grant_types: frozenset[str]
    service_scopes: frozenset[str]  # what it may ask in its own name, by client_credentials
    requires_pkce: bool
    backchannel_logout_uri: str | None
    allowed_origins: tuple[str, ...]
    further_origins: tuple[str, ...]

    def check_grant_type(self, grant_type: str) -> bool:
        """Tell whether the client may use *grant_type* (asked by Authlib)."""
        return grant_type in self.grant_types


@dataclass(frozen=True, slots=True)
class Registration:
    """One entry of a file: its members without the secret, and the secret (None: keep the one on record, if it needs one)."""

    members: dict[str, Any]
    secret: str | None = field(repr=False)

    @property
    def client_id(self) -> str:
        """Return the identifier of the client."""
        return str(self.members["client_id"])

    @property
    def needs_secret(self) -> bool:
        """Tell whether the client proves itself by a secret."""
        return self.members["token_endpoint_auth_method"] in SECRET_METHODS


def relying_party(members: Mapping[str, Any], secret_digest: str) -> RelyingParty:
    """Return the frozen view of checked *members*."""
    profile = PROFILES[members["profile"]]
    pinned = members.get("token_endpoint_auth_signing_alg")
    return RelyingParty(
        client_id=members["client_id"],
        agency_id=members["agency"],
        name=members["client_name"],
        profile=profile,
        auth_method=members["token_endpoint_auth_method"],
        is_native=members["application_type"] == "native",
        secret_digest=secret_digest,
        keys=client_keys.imported(members.get("jwks")),
        assertion_algs=(pinned,) if pinned else profile.assertion_algs,
        token_url_as_audience=members.get("token_url_as_audience", False),
        redirect_uris=tuple(members.get("redirect_uris", ())),
        post_logout_redirect_uris=tuple(members.get("post_logout_redirect_uris", ())),
        scopes=frozenset(members["scope"].split()) & frozenset(SCOPES),
        grant_types=frozenset(members["grant_types"]),
        service_scopes=frozenset(members["scope"].split()) & frozenset(SERVICE_SCOPES),
        requires_pkce=members.get("requires_pkce", True),
        backchannel_logout_uri=members.get("backchannel_logout_uri"),
        allowed_origins=tuple(members.get("allowed_origins", ())),
        further_origins=tuple(members.get("further_origins", ())),
    )


def read(text: str, *, issuer: str, agencies: frozenset[str]) -> tuple[Registration, ...]:
    """Read a YAML file of clients: ``clients:`` and a list.

    Raises:
        ClientFileError: with every mistake of the file.
    """
    try:
        told = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ClientFileError((f"the file is not YAML: {' '.join(str(error).split())}",)) from None
    listed = told.get("clients") if isinstance(told, dict) else None
    if not isinstance(listed, list) or not listed or not all(isinstance(each, dict) for each in listed):
        raise ClientFileError(("the file must hold `clients:` and a list of clients",))
    entries = [_with_defaults(each) for each in listed]
    mistakes = [
        f"{entry.get('client_id') or f'client {place}'}: {mistake}"
        for place, entry in enumerate(entries, start=1)
        for mistake in _mistakes(entry, issuer, agencies)
    ]
    names = [str(entry.get("client_id")) for entry in entries]
    mistakes += [f"{name}: client_id is written twice" for name in sorted({n for n in names if names.count(n) > 1})]
    if mistakes:
        raise ClientFileError(tuple(mistakes))
    return tuple(
        Registration({k: v for k, v in e.items() if k != "client_secret"}, e.get("client_secret")) for e in entries
    )


def _with_defaults(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "profile": "baseline",
        "application_type": "web",
        "token_endpoint_auth_method": "client_secret_basic",
        "scope": " ".join(SCOPES),
        "grant_types": ["authorization_code"],
        **_FIXED,
        **entry,
    }


def _mistakes(entry: Mapping[str, Any], issuer: str, agencies: frozenset[str]) -> Iterator[str]:
    """Yield what is wrong with one client, one sentence each."""
    yield from (f"{name} is not a known member" for name in sorted(set(map(str, entry)) - _MEMBERS))
    yield from (
        f"{name} must be {value!r} (nothing else is offered)" for name, value in _FIXED.items() if entry[name] != value
    )
    if not isinstance(entry.get("client_id"), str) or not _ID.fullmatch(entry["client_id"]):
        yield "client_id must be 1 to 100 letters, digits or . _ ~ -"
    elif _SUB.fullmatch(entry["client_id"]):
        yield "client_id may not have the shape of a person's sub (43 signs of base64url)"
    name = entry.get("client_name")
    if not isinstance(name, str) or not 1 <= len(name.strip()) <= 100 or not name.isprintable():
        yield "client_name must be a name of 1 to 100 signs"
    if entry.get("agency") not in agencies:
        yield f"agency must be one of the catalogue: {', '.join(sorted(agencies)) or 'it is empty'}"
    yield from _profile_mistakes(entry)
    yield from _secret_mistakes(entry.get("client_secret"))
    yield from _proof_mistakes(entry)
    yield from _grant_mistakes(entry)
    yield from _scope_mistakes(entry["scope"], entry["grant_types"])
    yield from _address_mistakes(entry, issuer)


def _profile_mistakes(entry: Mapping[str, Any]) -> Iterator[str]:
    profile = PROFILES.get(entry["profile"]) if isinstance(entry["profile"], str) else None
    if profile is None:
        yield f"profile must be one of: {', '.join(PROFILES)}"
        return
    if str(entry["token_endpoint_auth_method"]) not in profile.auth_methods:
        yield f"token_endpoint_auth_method must be one of: {', '.join(sorted(profile.auth_methods))}"
    if not isinstance(entry.get("requires_pkce", True), bool):
        yield "requires_pkce must be true or false"
    elif entry.get("requires_pkce") is False and not profile.may_waive_pkce:
        yield "requires_pkce may not be false with this profile"


def _proof_mistakes(entry: Mapping[str, Any]) -> Iterator[str]:
    """Yield what does not go with the way the client proves itself."""
    method = str(entry["token_endpoint_auth_method"])
    if entry["application_type"] not in ("web", "native"):
        yield "application_type must be web or native"
    if (entry["application_type"] == "native") != (method == "none"):
        yield "application_type native and token_endpoint_auth_method none go together: a program on a device keeps no secret"
    if method == "none" and entry.get("requires_pkce") is False:
        yield "requires_pkce may not be false without a secret or a key"
    if entry.get("client_secret") is not None and method not in SECRET_METHODS:
        yield f"client_secret is of no use with {method}"
    if "jwks" in entry or method == "private_key_jwt":
        yield from client_keys.mistakes(entry.get("jwks"))
    if not isinstance(entry.get("token_url_as_audience", False), bool):
        yield "token_url_as_audience must be true or false"
    if not ({"token_endpoint_auth_signing_alg", "token_url_as_audience"} & entry.keys()):
        return
    if method != "private_key_jwt":
        yield "token_endpoint_auth_signing_alg and token_url_as_audience are for private_key_jwt"
    profile = PROFILES.get(entry["profile"]) if isinstance(entry["profile"], str) else None
    pinned = entry.get("token_endpoint_auth_signing_alg")
    if profile and pinned is not None and pinned not in profile.assertion_algs:
        yield f"token_endpoint_auth_signing_alg must be one of: {', '.join(profile.assertion_algs)}"


def _secret_mistakes(secret: object) -> Iterator[str]:
    if secret is None:
        return
    if not isinstance(secret, str) or not secret.isascii() or not secret.isprintable() or " " in secret:
        yield "client_secret must be printable ASCII without space"
    elif len(secret) < _SHORTEST_SECRET:
        yield f"client_secret must be random and have at least {_SHORTEST_SECRET} signs"


def _grant_mistakes(entry: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with the ways to get tokens; a client that acts in its own name must prove itself."""
    told = entry["grant_types"]
    if not isinstance(told, list) or not told or not all(each in GRANT_TYPES for each in told):
        yield f"grant_types must be a list of: {', '.join(GRANT_TYPES)}"
    elif SERVICE_GRANT in told and entry["token_endpoint_auth_method"] == "none":  # noqa: S105 (the name of a method)
        yield f"grant_types may not hold {SERVICE_GRANT} without a secret or a key (RFC 6749 §4.4)"


def _scope_mistakes(scope: object, grant_types: object) -> Iterator[str]:
    if not isinstance(scope, str):
        yield "scope must be one text of names separated by spaces"
        return
    told, grants = set(scope.split()), grant_types if isinstance(grant_types, list) else []
    unknown = told - {*SCOPES, *SERVICE_SCOPES}
    if unknown:
        yield f"scope holds unknown names: {', '.join(sorted(unknown))}"
    if "authorization_code" in grants and "openid" not in told:
        yield "scope must hold openid"
    if bool(told & set(SERVICE_SCOPES)) != (SERVICE_GRANT in grants):
        yield f"grant_types {SERVICE_GRANT} and the scopes {', '.join(SERVICE_SCOPES)} go together"


def _signs_people_in(entry: Mapping[str, Any]) -> bool:
    told = entry["grant_types"]
    return not isinstance(told, list) or "authorization_code" in told


def _address_mistakes(entry: Mapping[str, Any], issuer: str) -> Iterator[str]:
    for name in ("redirect_uris", "post_logout_redirect_uris"):
        listed = entry.get(name, [])
        if not isinstance(listed, list) or (name == "redirect_uris" and not listed and _signs_people_in(entry)):
            yield f"{name} must be a list of addresses"
            continue
        for uri in listed:
            wrong = uris.fault(uri, issuer=issuer, is_native=entry["application_type"] == "native")
            if wrong:
                yield f"{name}: {uri!r} {wrong}"
    for name in ("backchannel_logout_uri", "client_uri", "policy_uri", "tos_uri", "logo_uri"):
        wrong = uris.fault(entry[name], issuer=issuer) if name in entry else None
        if wrong:
            yield f"{name}: {entry[name]!r} {wrong}"
    for name in ("allowed_origins", "further_origins"):
        listed = entry.get(name, [])
        if not isinstance(listed, list) or not all(uris.is_origin(each, issuer=issuer) for each in listed):
            yield f"{name} must be a list of origins, such as https://www.example.org"
