"""What a client may say of itself (RFC 7591 §2): one ordered table of small checks, for files and for dynamic registration. Pure.

A check yields the mistakes it finds, one sentence each, and expects :func:`with_defaults` to have been applied.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from ...domain import uris
from ...domain.metadata import GRANT_TYPES, SCOPES, SERVICE_GRANT, SERVICE_SCOPES
from ...domain.profiles import DEFAULT_METHOD, PROFILES, SECRET_METHODS, STRONG_METHODS, Profile
from . import certificates, client_keys, client_names, subjects

_BY_KEY = frozenset({"private_key_jwt", certificates.SELF_SIGNED})
MEMBERS = frozenset(
    {
        *("client_id", "client_secret", "client_name", "agency", "profile", "application_type"),
        *("requires_pkce", "omits_iss"),
        *("redirect_uris", "post_logout_redirect_uris", "response_types", "grant_types", "scope"),
        *("introspection_signed_response_alg", "refresh_grace_seconds"),
        *("require_pushed_authorization_requests", "dpop_bound_access_tokens"),
        *("request_object_signing_alg", "require_signed_request_object", "authorization_signed_response_alg"),
        *("token_endpoint_auth_method", "token_endpoint_auth_signing_alg", "jwks", "jwks_uri", "token_url_as_audience"),
        *("id_token_signed_response_alg", "userinfo_signed_response_alg", "subject_type", "sector_identifier_uri"),
        *("tls_client_certificate_bound_access_tokens", *subjects.MEMBERS),
        *("backchannel_logout_uri", "backchannel_logout_session_required", "allowed_origins", "further_origins"),
        *("frontchannel_logout_uri", "frontchannel_logout_session_required", "offers_system_users"),
        *("client_uri", "policy_uri", "tos_uri", "logo_uri", "initiate_login_uri", "contacts"),
        *("authorization_details_types", "default_max_age", "require_auth_time", "default_acr_values"),
        *("software_id", "software_version"),
    }
)
REGISTERED_ELSEWHERE = frozenset(  # known to the IANA registry of client metadata, and without effect here
    {
        *("client_id_issued_at", "client_secret_expires_at", "registration_access_token", "registration_client_uri"),
        *("software_statement", "request_uris", "claims_redirect_uris", "use_mtls_endpoint_aliases"),
        *("request_object_encryption_alg", "request_object_encryption_enc"),
        *(
            f"{answer}_encrypted_response_{part}"
            for answer in ("id_token", "userinfo", "introspection", "authorization", "nfv_token")
            for part in ("alg", "enc")
        ),
        *("nfv_token_signed_response_alg", "client_registration_types", "signed_jwks_uri", "organization_name"),
        *("display_name", "description", "keywords", "information_uri", "organization_uri"),
        *("backchannel_token_delivery_mode", "backchannel_client_notification_endpoint"),
        *("backchannel_authentication_request_signing_alg", "backchannel_user_code_parameter"),
        *("response_modes", "vp_formats", "vp_formats_supported"),
    }
)
_LOCALIZED = re.compile(r"(client_name|client_uri|logo_uri|tos_uri|policy_uri)#[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8}){0,7}")
FIXED: Mapping[str, Any] = {
    "response_types": ["code"],
    "subject_type": "pairwise",
}
_SWITCHES = (
    "requires_pkce",
    "omits_iss",
    "token_url_as_audience",
    "require_pushed_authorization_requests",
    "dpop_bound_access_tokens",
    "require_signed_request_object",
    "backchannel_logout_session_required",
    "frontchannel_logout_session_required",
    "tls_client_certificate_bound_access_tokens",
    "offers_system_users",
    "require_auth_time",  # every ID token says it
)
_SIGNED_ANSWERS = (
    "id_token_signed_response_alg",
    "userinfo_signed_response_alg",
    "introspection_signed_response_alg",
)
BLOCKS = "functional_blocks"  # the scope of what a system user may do
_ID = re.compile(r"[A-Za-z0-9._~-]{1,100}")
_SUB = re.compile(r"[A-Za-z0-9_-]{43}")
LONGEST_GRACE = 10  # seconds (protocol.md §6.12): for an answer lost on the way, not for a thief
_SHORTEST_SECRET = 32  # signs: secrets are hashed with SHA-256, so they must be random and long (protocol.md §5)
_ADDRESS_LISTS = ("post_logout_redirect_uris",)
_ADDRESSES = (
    *("backchannel_logout_uri", "jwks_uri", "sector_identifier_uri", "initiate_login_uri"),
    *("client_uri", "policy_uri", "tos_uri", "logo_uri"),
)
_MOST_ADDRESSES = 50
_MOST_CONTACTS = 10
_LONGEST_TEXT = 200
_CONTACT = re.compile(r"[^@\s]{1,64}@[A-Za-z0-9.-]{1,190}")


@dataclass(frozen=True, slots=True)
class Grounds:
    """What a registration is checked against: the provider's address and the agencies of the catalogue."""

    issuer: str
    agencies: frozenset[str]


Entry = Mapping[str, Any]
Check = Callable[[Entry, Grounds], Iterator[str]]


def with_defaults(entry: Entry) -> dict[str, Any]:
    """Return *entry* with what it does not say (RFC 7591 §2)."""
    lasting = "refresh_token" in _texts(entry.get("grant_types"))
    return {
        "profile": "baseline",
        "application_type": "web",
        "token_endpoint_auth_method": DEFAULT_METHOD,
        "grant_types": ["authorization_code"],
        "scope": " ".join(name for name in SCOPES if lasting or name != "offline_access"),
        **FIXED,
        **entry,
    }


def as_named(entry: Entry, told: Entry) -> dict[str, Any]:
    """Return *entry* as it is kept: without the default method where *told* names none, for then either secret method will do."""
    return {name: value for name, value in entry.items() if name != "token_endpoint_auth_method" or name in told}


def is_localized(name: str) -> bool:
    """Return whether *name* is a text for people with a language tag (RFC 7591 §2.2), ``client_name#fr`` for example."""
    return _LOCALIZED.fullmatch(name) is not None


def unused(told: Entry) -> tuple[str, ...]:
    """Return the members that a registry knows and that change nothing here."""
    return tuple(sorted(set(map(str, told)) & REGISTERED_ELSEWHERE))


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
    elif _SUB.fullmatch(entry["client_id"]):
        yield "client_id has the shape of a sub: another length, please"  # RFC 9700 §4.15, S-97


def check_name(entry: Entry, _: Grounds) -> Iterator[str]:
    """Ask for a name that a person can read on the consent page."""
    wrong = client_names.fault(entry.get("client_name"))
    if wrong:
        yield f"client_name {wrong}"


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
    if entry.get("omits_iss") is True and not profile.may_omit_iss:
        yield "omits_iss may not be true with this profile"
    if entry.get("token_url_as_audience") is True and not profile.may_use_token_url_as_audience:
        yield "token_url_as_audience may not be true with this profile"
    for name in _SIGNED_ANSWERS:
        if entry.get(name, profile.id_token_algs[0]) not in profile.id_token_algs:
            yield f"{name} must be one of: {', '.join(profile.id_token_algs)}"


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
    is_native, is_in_browser = entry["application_type"] == "native", bool(entry.get("allowed_origins"))
    if is_native != (method == "none") and (is_native or not is_in_browser):
        yield (
            "application_type native and token_endpoint_auth_method none go together: a program on a device keeps no secret; "
            "a program in a browser (web, none) needs allowed_origins, which an operator writes"
        )
    if method == "none" and entry.get("requires_pkce") is False:
        yield "requires_pkce may not be false without a secret or a key"
    if entry.get("client_secret") is not None and method not in SECRET_METHODS:
        yield f"client_secret is of no use with {method}"


def check_keys(entry: Entry, _: Grounds) -> Iterator[str]:
    """Check the public keys, and the algorithm that the client pins (protocol.md §6.14)."""
    method = str(entry["token_endpoint_auth_method"])
    if "jwks" in entry and "jwks_uri" in entry:
        yield "jwks and jwks_uri may not both be given"  # RFC 7591 §2
    if "jwks" in entry or (method in _BY_KEY and "jwks_uri" not in entry):
        yield from client_keys.mistakes(entry.get("jwks"))
    if not ({"token_endpoint_auth_signing_alg", "token_url_as_audience"} & entry.keys()):
        return
    if method != "private_key_jwt":
        yield "token_endpoint_auth_signing_alg and token_url_as_audience are for private_key_jwt"
    profile = _profile(entry)
    pinned = entry.get("token_endpoint_auth_signing_alg")
    if profile and pinned is not None and pinned not in profile.signing_algs:
        yield f"token_endpoint_auth_signing_alg must be one of: {', '.join(profile.signing_algs)}"


def check_signed_messages(entry: Entry, _: Grounds) -> Iterator[str]:
    """Check how requests and their answers are signed (RFC 9101 §10.5, OIDC Registration §2, JARM §3)."""
    signs = entry.get("require_signed_request_object") is True or "request_object_signing_alg" in entry
    if signs and not {"jwks", "jwks_uri"} & entry.keys():
        yield "signed requests are verified with jwks or jwks_uri: register your public keys"
    profile = _profile(entry)
    if profile is None:
        return
    if entry.get("request_object_signing_alg", profile.signing_algs[0]) not in profile.signing_algs:
        yield f"request_object_signing_alg must be one of: {', '.join(profile.signing_algs)}"
    if "authorization_signed_response_alg" not in entry:
        return
    if "jwt" not in profile.response_modes:
        yield "authorization_signed_response_alg is of no use with this profile"
    elif entry["authorization_signed_response_alg"] not in profile.id_token_algs:
        yield f"authorization_signed_response_alg must be one of: {', '.join(profile.id_token_algs)}"


def check_certificates(entry: Entry, _: Grounds) -> Iterator[str]:
    """Check by which certificate the client proves itself, and what its tokens are bound to (RFC 8705 §2, §3.4)."""
    method = str(entry["token_endpoint_auth_method"])
    yield from subjects.mistakes(entry, is_needed=method == certificates.TLS)
    if method == certificates.SELF_SIGNED and "jwks" in entry and not list(client_keys.mistakes(entry["jwks"])):
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
    told, grants = set(scope.split()), _texts(entry["grant_types"])
    unknown = told - {*SCOPES, *SERVICE_SCOPES}
    if unknown:
        yield f"scope holds unknown names: {', '.join(sorted(unknown))}"
    if "authorization_code" in grants and "openid" not in told:
        yield "scope must hold openid"
    if "offline_access" in told and "refresh_token" not in grants:
        yield "scope may hold offline_access only with the grant type refresh_token"
    if bool(told & set(SERVICE_SCOPES)) != (SERVICE_GRANT in grants) and entry.get("offers_system_users") is not True:
        yield f"grant_types {SERVICE_GRANT} and the scopes {', '.join(SERVICE_SCOPES)} go together"


def check_system_users(entry: Entry, _: Grounds) -> Iterator[str]:
    """Hold a program that acts for enterprises to keys of its own: nothing that two could share."""
    if entry.get("offers_system_users") is not True:
        return
    if SERVICE_GRANT not in _texts(entry["grant_types"]):
        yield f"offers_system_users needs the grant type {SERVICE_GRANT}"
    if str(entry["token_endpoint_auth_method"]) not in STRONG_METHODS:
        yield f"offers_system_users needs a token_endpoint_auth_method of: {', '.join(sorted(STRONG_METHODS))}"
    if BLOCKS not in str(entry["scope"]).split():
        yield f"offers_system_users needs the scope {BLOCKS}"


def check_grant_types(entry: Entry, _: Grounds) -> Iterator[str]:
    """Ask for grants that are offered, the code among them; a refresh token comes with the scope offline_access only."""
    listed = entry["grant_types"]
    if not isinstance(listed, list) or set(_texts(listed)) - set(GRANT_TYPES) or len(_texts(listed)) != len(listed):
        yield f"grant_types must be a list of: {', '.join(GRANT_TYPES)}"
    elif not {"authorization_code", SERVICE_GRANT} & set(listed):
        yield f"grant_types must hold authorization_code or {SERVICE_GRANT}"
    elif "refresh_token" in listed and "authorization_code" not in listed:
        yield "grant_types may hold refresh_token only beside authorization_code"
    elif SERVICE_GRANT in listed and entry["token_endpoint_auth_method"] == "none":  # noqa: S105 (the name of a method)
        yield f"grant_types may not hold {SERVICE_GRANT} without a secret or a key"  # RFC 6749 §4.4


def check_refresh_grace(entry: Entry, _: Grounds) -> Iterator[str]:
    """Hold the grace for a lost answer to a few seconds (RFC 9700 §4.14.2)."""
    seconds = entry.get("refresh_grace_seconds", 0)
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not 0 <= seconds <= LONGEST_GRACE:
        yield f"refresh_grace_seconds must be a whole number from 0 to {LONGEST_GRACE}"


def check_redirect_uris(entry: Entry, grounds: Grounds) -> Iterator[str]:
    """Check where responses may go (OIDC Core §3.1.2.1, RFC 8252 §7.3)."""
    if not entry.get("redirect_uris") and "authorization_code" in _texts(entry["grant_types"]):
        yield "redirect_uris must be a list of addresses"
        return
    yield from _list_mistakes(entry, "redirect_uris", grounds)


def check_other_addresses(entry: Entry, grounds: Grounds) -> Iterator[str]:
    """Check every other address by the same rule (S-2)."""
    for name in _ADDRESS_LISTS:
        yield from _list_mistakes(entry, name, grounds)
    for name in _ADDRESSES:
        wrong = uris.fault(entry[name], issuer=grounds.issuer) if name in entry else None
        if wrong:
            yield f"{name}: {entry[name]!r} {wrong}"
    for name in filter(is_localized, entry):
        value, is_name = entry[name], name.startswith("client_name#")
        wrong = client_names.fault(value) if is_name else uris.fault(value, issuer=grounds.issuer)
        if wrong:
            yield f"{name}: {wrong}" if is_name else f"{name}: {value!r} {wrong}"
    logos = [value for name, value in entry.items() if name.partition("#")[0] == "logo_uri"]
    addresses = [str(logo) for logo in logos if uris.fault(logo, issuer=grounds.issuer) is None]
    if any(urlsplit(logo).path.lower().endswith((".svg", ".svgz")) for logo in addresses):
        yield "logo_uri may not be an SVG picture: it can hold a program"  # S-33


def check_contacts(entry: Entry, _: Grounds) -> Iterator[str]:
    """Ask for addresses where an operator reaches those who run the client."""
    listed = entry.get("contacts", [])
    if not isinstance(listed, list) or len(listed) > _MOST_CONTACTS:
        yield f"contacts must be a list of at most {_MOST_CONTACTS} e-mail addresses"
    elif not all(isinstance(each, str) and each.isprintable() and _CONTACT.fullmatch(each) for each in listed):
        yield "contacts must be e-mail addresses"


def check_request_defaults(entry: Entry, _: Grounds) -> Iterator[str]:
    """Check what counts where a request says nothing, and the types of details it will use (RFC 9396 §10)."""
    age = entry.get("default_max_age", 0)
    if isinstance(age, bool) or not isinstance(age, int) or age < 0:
        yield "default_max_age must be a number of seconds"
    for name in ("default_acr_values", "authorization_details_types"):
        listed = entry.get(name, [])
        if not isinstance(listed, list) or len(_texts(listed)) != len(listed) or len(listed) > _MOST_ADDRESSES:
            yield f"{name} must be a list of texts"
    for name in ("software_id", "software_version"):
        told = entry.get(name, "")
        if not isinstance(told, str) or len(told) > _LONGEST_TEXT or not told.isprintable():
            yield f"{name} must be a text of at most {_LONGEST_TEXT} signs"


def check_frontchannel(entry: Entry, grounds: Grounds) -> Iterator[str]:
    """Check the address that a frame loads: its origin is that of a redirect URI (Front-Channel Logout §2)."""
    if "frontchannel_logout_uri" not in entry:
        return
    uri, listed = entry["frontchannel_logout_uri"], entry.get("redirect_uris")
    wrong = uris.fault(uri, issuer=grounds.issuer)
    if wrong:
        yield f"frontchannel_logout_uri: {uri!r} {wrong}"
        return
    good = [
        each for each in (listed if isinstance(listed, list) else []) if not uris.fault(each, issuer=grounds.issuer)
    ]
    if uris.origin(uri) not in {uris.origin(each) for each in good}:
        yield f"frontchannel_logout_uri: {uri!r} has not the origin of a redirect URI"


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
    check_signed_messages,
    check_certificates,
    check_scope,
    check_system_users,
    check_grant_types,
    check_refresh_grace,
    check_redirect_uris,
    check_other_addresses,
    check_contacts,
    check_request_defaults,
    check_frontchannel,
    check_origins,
)


def _texts(listed: Any) -> tuple[str, ...]:
    return tuple(each for each in listed if isinstance(each, str)) if isinstance(listed, list) else ()


def _profile(entry: Entry) -> Profile | None:
    return PROFILES.get(entry["profile"]) if isinstance(entry["profile"], str) else None


def _list_mistakes(entry: Entry, name: str, grounds: Grounds) -> Iterator[str]:
    listed = entry.get(name, [])
    if not isinstance(listed, list) or len(listed) > _MOST_ADDRESSES:
        yield f"{name} must be a list of addresses, at most {_MOST_ADDRESSES}"
        return
    for uri in listed:
        wrong = uris.fault(uri, issuer=grounds.issuer, is_native=entry["application_type"] == "native")
        if wrong:
            yield f"{name}: {uri!r} {wrong}"
