"""What a client may say of itself (RFC 7591 §2): one ordered table of small checks, for files and for dynamic registration. Pure.

A check yields the mistakes it finds, one sentence each, and expects :func:`with_defaults` to have been applied.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from . import certificates, client_keys, subjects, uris
from .metadata import SCOPES
from .profiles import PROFILES, Profile

SECRET_METHODS = frozenset({"client_secret_basic", "client_secret_post"})
MEMBERS = frozenset(
    {
        *("client_id", "client_secret", "client_name", "agency", "profile", "application_type", "requires_pkce"),
        *("redirect_uris", "post_logout_redirect_uris", "response_types", "grant_types", "scope"),
        *("token_endpoint_auth_method", "token_endpoint_auth_signing_alg", "jwks", "token_url_as_audience"),
        *("id_token_signed_response_alg", "subject_type"),
        *("require_pushed_authorization_requests", "dpop_bound_access_tokens"),
        *("tls_client_certificate_bound_access_tokens", *subjects.MEMBERS),
        *("backchannel_logout_uri", "backchannel_logout_session_required", "allowed_origins", "further_origins"),
        *("client_uri", "policy_uri", "tos_uri", "logo_uri", "contacts"),
    }
)
FIXED: Mapping[str, Any] = {
    "response_types": ["code"],
    "grant_types": ["authorization_code"],
    "subject_type": "pairwise",
}
_SWITCHES = (
    "requires_pkce",
    "token_url_as_audience",
    "require_pushed_authorization_requests",
    "dpop_bound_access_tokens",
    "tls_client_certificate_bound_access_tokens",
)
_ID = re.compile(r"[A-Za-z0-9._~-]{1,100}")
_SHORTEST_SECRET = 32  # signs: secrets are hashed with SHA-256, so they must be random and long (oidc §5)
_ADDRESS_LISTS = ("post_logout_redirect_uris",)
_ADDRESSES = ("backchannel_logout_uri", "client_uri", "policy_uri", "tos_uri", "logo_uri")


@dataclass(frozen=True, slots=True)
class Grounds:
    """What a registration is judged against: the provider's address and the agencies of the catalogue."""

    issuer: str
    agencies: frozenset[str]


Entry = Mapping[str, Any]
Check = Callable[[Entry, Grounds], Iterator[str]]


def with_defaults(entry: Entry) -> dict[str, Any]:
    """Return *entry* with what it does not say (RFC 7591 §2)."""
    return {
        "profile": "baseline",
        "application_type": "web",
        "token_endpoint_auth_method": "client_secret_basic",
        "scope": " ".join(SCOPES),
        **FIXED,
        **entry,
    }


def mistakes(entry: Entry, grounds: Grounds) -> Iterator[str]:
    """Yield what is wrong with a client, one sentence each."""
    for check in CHECKS:
        yield from check(entry, grounds)


def check_fixed(entry: Entry, _: Grounds) -> Iterator[str]:
    """Refuse a choice where nothing is to be chosen."""
    yield from (
        f"{name} must be {value!r} (nothing else is offered)" for name, value in FIXED.items() if entry[name] != value
    )


def check_client_id(entry: Entry, _: Grounds) -> Iterator[str]:
    """Ask for an identifier that needs no escape anywhere."""
    if not isinstance(entry.get("client_id"), str) or not _ID.fullmatch(entry["client_id"]):
        yield "client_id must be 1 to 100 letters, digits or . _ ~ -"


def check_name(entry: Entry, _: Grounds) -> Iterator[str]:
    """Ask for a name that a person can read on the consent page."""
    name = entry.get("client_name")
    if not isinstance(name, str) or not 1 <= len(name.strip()) <= 100 or not name.isprintable():
        yield "client_name must be a name of 1 to 100 signs"


def check_agency(entry: Entry, grounds: Grounds) -> Iterator[str]:
    """Ask for an agency that exists: it is the sector of ``sub``."""
    if entry.get("agency") not in grounds.agencies:
        yield f"agency must be one of the catalogue: {', '.join(sorted(grounds.agencies)) or 'it is empty'}"


def check_profile(entry: Entry, _: Grounds) -> Iterator[str]:
    """Hold the client to a security profile."""
    profile = _profile(entry)
    if profile is None:
        yield f"profile must be one of: {', '.join(PROFILES)}"
        return
    if str(entry["token_endpoint_auth_method"]) not in profile.auth_methods:
        yield f"token_endpoint_auth_method must be one of: {', '.join(sorted(profile.auth_methods))}"
    if entry.get("requires_pkce") is False and not profile.may_waive_pkce:
        yield "requires_pkce may not be false with this profile"
    if entry.get("token_url_as_audience") is True and not profile.may_use_token_url_as_audience:
        yield "token_url_as_audience may not be true with this profile"
    if entry.get("id_token_signed_response_alg", profile.id_token_algs[0]) not in profile.id_token_algs:
        yield f"id_token_signed_response_alg must be one of: {', '.join(profile.id_token_algs)}"


def check_switches(entry: Entry, _: Grounds) -> Iterator[str]:
    """Ask for true or false where nothing else makes sense."""
    yield from (f"{name} must be true or false" for name in _SWITCHES if not isinstance(entry.get(name, True), bool))


def check_secret(entry: Entry, _: Grounds) -> Iterator[str]:
    """Refuse a secret that could be guessed, or that cannot travel."""
    secret = entry.get("client_secret")
    if secret is None:
        return
    if not isinstance(secret, str) or not secret.isascii() or not secret.isprintable() or " " in secret:
        yield "client_secret must be printable ASCII without space"
    elif len(secret) < _SHORTEST_SECRET:
        yield f"client_secret must be random and have at least {_SHORTEST_SECRET} signs"


def check_proof(entry: Entry, _: Grounds) -> Iterator[str]:
    """Refuse what does not go with the way the client proves itself."""
    method = str(entry["token_endpoint_auth_method"])
    if entry["application_type"] not in ("web", "native"):
        yield "application_type must be web or native"
    if (entry["application_type"] == "native") != (method == "none"):
        yield "application_type native and token_endpoint_auth_method none go together: a program on a device keeps no secret"
    if method == "none" and entry.get("requires_pkce") is False:
        yield "requires_pkce may not be false without a secret or a key"
    if entry.get("client_secret") is not None and method not in SECRET_METHODS:
        yield f"client_secret is of no use with {method}"


def check_keys(entry: Entry, _: Grounds) -> Iterator[str]:
    """Judge the public keys, and the algorithm that the client pins (oidc §6.14)."""
    method = str(entry["token_endpoint_auth_method"])
    if "jwks" in entry or method in ("private_key_jwt", certificates.SELF_SIGNED):
        yield from client_keys.mistakes(entry.get("jwks"))
    if not ({"token_endpoint_auth_signing_alg", "token_url_as_audience"} & entry.keys()):
        return
    if method != "private_key_jwt":
        yield "token_endpoint_auth_signing_alg and token_url_as_audience are for private_key_jwt"
    profile = _profile(entry)
    pinned = entry.get("token_endpoint_auth_signing_alg")
    if profile and pinned is not None and pinned not in profile.signing_algs:
        yield f"token_endpoint_auth_signing_alg must be one of: {', '.join(profile.signing_algs)}"


def check_certificates(entry: Entry, _: Grounds) -> Iterator[str]:
    """Judge by which certificate the client proves itself, and what its tokens are bound to (RFC 8705 §2, §3.4)."""
    method = str(entry["token_endpoint_auth_method"])
    yield from subjects.mistakes(entry, is_needed=method == certificates.TLS)
    if method == certificates.SELF_SIGNED and not list(client_keys.mistakes(entry.get("jwks"))):
        yield from certificates.x5c_mistakes(client_keys.imported(entry["jwks"]))
    if (
        entry.get("dpop_bound_access_tokens") is True
        and entry.get("tls_client_certificate_bound_access_tokens") is True
    ):
        yield "dpop_bound_access_tokens and tls_client_certificate_bound_access_tokens exclude each other"


def check_scope(entry: Entry, _: Grounds) -> Iterator[str]:
    """Refuse scopes that nobody offers."""
    scope = entry["scope"]
    if not isinstance(scope, str):
        yield "scope must be one text of names separated by spaces"
        return
    unknown = set(scope.split()) - set(SCOPES)
    if unknown:
        yield f"scope holds unknown names: {', '.join(sorted(unknown))}"
    if "openid" not in scope.split():
        yield "scope must hold openid"


def check_redirect_uris(entry: Entry, grounds: Grounds) -> Iterator[str]:
    """Judge where answers may go (OIDC Core §3.1.2.1, RFC 8252 §7.3)."""
    if not entry.get("redirect_uris"):
        yield "redirect_uris must be a list of addresses"
        return
    yield from _list_mistakes(entry, "redirect_uris", grounds)


def check_other_addresses(entry: Entry, grounds: Grounds) -> Iterator[str]:
    """Judge every other address by the same rule (S-2)."""
    for name in _ADDRESS_LISTS:
        yield from _list_mistakes(entry, name, grounds)
    for name in _ADDRESSES:
        wrong = uris.fault(entry[name], issuer=grounds.issuer) if name in entry else None
        if wrong:
            yield f"{name}: {entry[name]!r} {wrong}"


def check_origins(entry: Entry, grounds: Grounds) -> Iterator[str]:
    """Ask for origins where origins are meant."""
    for name in ("allowed_origins", "further_origins"):
        listed = entry.get(name, [])
        if not isinstance(listed, list) or not all(uris.is_origin(each, issuer=grounds.issuer) for each in listed):
            yield f"{name} must be a list of origins, such as https://www.example.org"


CHECKS: tuple[Check, ...] = (
    check_fixed,
    check_client_id,
    check_name,
    check_agency,
    check_switches,
    check_profile,
    check_secret,
    check_proof,
    check_keys,
    check_certificates,
    check_scope,
    check_redirect_uris,
    check_other_addresses,
    check_origins,
)


def _profile(entry: Entry) -> Profile | None:
    return PROFILES.get(entry["profile"]) if isinstance(entry["profile"], str) else None


def _list_mistakes(entry: Entry, name: str, grounds: Grounds) -> Iterator[str]:
    listed = entry.get(name, [])
    if not isinstance(listed, list):
        yield f"{name} must be a list of addresses"
        return
    for uri in listed:
        wrong = uris.fault(uri, issuer=grounds.issuer, is_native=entry["application_type"] == "native")
        if wrong:
            yield f"{name}: {uri!r} {wrong}"
