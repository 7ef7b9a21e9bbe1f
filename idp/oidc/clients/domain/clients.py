"""A relying party as the other modules see it: read once from its registration, then trusted. Pure.

What a registration may say is checked in :mod:`client_metadata`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from ...authorization.domain.requests import language_of
from ...domain.metadata import GRANT_TYPES, SCOPES, SERVICE_SCOPES
from ...domain.profiles import DEFAULT_METHOD, PROFILES, SECRET_METHODS, Profile
from . import client_keys, subjects
from .client_keys import ClientKey
from .subjects import ExpectedSubject


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """A client of an agency."""

    client_id: str
    agency_id: str
    name: str
    profile: Profile
    auth_method: str
    auth_methods: frozenset[str]  # more than one where the client named none and has a secret
    is_dynamic: bool  # it registered itself: nobody vouches for it, so the person is asked each time (ASVS 10.7.1)
    is_native: bool  # a program on a person's device: it keeps no secret, so it has none
    secret_digest: str = field(repr=False)  # empty when the client has no secret: no secret fits it
    keys: tuple[ClientKey, ...]  # those registered by value; a client with jwks_uri has none here
    jwks_uri: str | None
    certificate_subject: ExpectedSubject | None
    assertion_algs: tuple[str, ...]
    token_url_as_audience: bool
    id_token_alg: str
    authorization_response_alg: str  # for the response modes jwt, query.jwt and form_post.jwt
    request_object_algs: tuple[str, ...]
    requires_signed_request: bool
    requires_pushed_request: bool
    requires_bound_tokens: bool
    binds_to_certificate: bool
    redirect_uris: tuple[str, ...]
    post_logout_redirect_uris: tuple[str, ...]
    scopes: frozenset[str]
    grant_types: frozenset[str]
    refresh_grace: timedelta  # how long the last refresh token may come again after it was used
    introspection_alg: str
    service_scopes: frozenset[str]  # what it may ask in its own name, by client_credentials
    requires_pkce: bool
    gets_iss: bool  # in authorization answers (RFC 9207)
    backchannel_logout_uri: str | None
    frontchannel_logout_uri: str | None
    allowed_origins: tuple[str, ...]
    further_origins: tuple[str, ...]
    userinfo_alg: str | None  # None: JSON
    offers_system_users: bool  # an enterprise may approve it to act by itself
    details_types: frozenset[str] | None  # those it registered (RFC 9396 §10); None: it registered none
    default_max_age: int | None
    default_acr_values: tuple[str, ...]
    names: Mapping[str, str] = field(hash=False)  # by language (RFC 7591 §2.2)

    def check_grant_type(self, grant_type: str) -> bool:
        """Return whether the client may use *grant_type* (asked by Authlib)."""
        return grant_type in self.grant_types

    def name_in(self, language: str) -> str:
        """Return the name of the client in *language*, where it registered one."""
        return self.names.get(language, self.name)

    def may_ask_details(self, kind: object) -> bool:
        """Return whether the client may ask details of the type *kind*: any, unless it registered its types (RFC 9396 §10)."""
        return self.details_types is None or kind in self.details_types

    @property
    def is_confidential(self) -> bool:
        """Return whether the client proves itself by something that only it has (RFC 6749 §2.1)."""
        return self.auth_method != "none"

    @property
    def remembers_consent(self) -> bool:
        """Return whether a consent given here counts again: not where any program could play the client.

        Such are native clients (RFC 8252 §8.6) and those that registered themselves (ASVS 10.7.1).
        """
        return not (self.is_native or self.is_dynamic)


def names_by_language(members: Mapping[str, Any]) -> dict[str, str]:
    """Return the names that a registration gives in our languages, ``client_name#fr-CA`` and the like."""
    told = {name.partition("#")[2]: value for name, value in members.items() if name.startswith("client_name#")}
    return {language: name for tag, name in told.items() if (language := language_of([tag]))}


def relying_party(members: Mapping[str, Any], secret_digest: str, *, is_dynamic: bool = False) -> RelyingParty:
    """Return the frozen view of checked *members*."""
    profile = PROFILES[members["profile"]]
    named_method = members.get("token_endpoint_auth_method")
    details_types = members.get("authorization_details_types")
    pinned = members.get("token_endpoint_auth_signing_alg")
    pinned_request = members.get("request_object_signing_alg")
    id_token_alg = members.get("id_token_signed_response_alg", profile.id_token_algs[0])
    return RelyingParty(
        client_id=members["client_id"],
        agency_id=members["agency"],
        name=members["client_name"],
        profile=profile,
        auth_method=named_method or DEFAULT_METHOD,
        auth_methods=frozenset({named_method}) if named_method else SECRET_METHODS & profile.auth_methods,
        is_dynamic=is_dynamic,
        is_native=members["application_type"] == "native",
        secret_digest=secret_digest,
        keys=client_keys.imported(members.get("jwks")),
        certificate_subject=subjects.expected(members),
        assertion_algs=(pinned,) if pinned else profile.signing_algs,
        jwks_uri=members.get("jwks_uri"),
        token_url_as_audience=members.get("token_url_as_audience", False),
        id_token_alg=id_token_alg,
        authorization_response_alg=members.get("authorization_signed_response_alg", id_token_alg),
        request_object_algs=(pinned_request,) if pinned_request else profile.signing_algs,
        requires_signed_request=profile.requires_signed_request or members.get("require_signed_request_object", False),
        requires_pushed_request=profile.requires_pushed_request
        or members.get("require_pushed_authorization_requests", False),
        requires_bound_tokens=profile.requires_bound_tokens
        or members.get("dpop_bound_access_tokens", False)
        or members.get("tls_client_certificate_bound_access_tokens", False),
        binds_to_certificate=members.get("tls_client_certificate_bound_access_tokens", False),
        redirect_uris=tuple(members.get("redirect_uris", ())),
        post_logout_redirect_uris=tuple(members.get("post_logout_redirect_uris", ())),
        scopes=frozenset(members["scope"].split()) & frozenset(SCOPES),
        grant_types=frozenset(members["grant_types"]) & frozenset(GRANT_TYPES),
        refresh_grace=timedelta(seconds=members.get("refresh_grace_seconds", 0)),
        introspection_alg=members.get("introspection_signed_response_alg", profile.id_token_algs[0]),
        service_scopes=frozenset(members["scope"].split()) & frozenset(SERVICE_SCOPES),
        requires_pkce=members.get("requires_pkce", True),
        gets_iss=not (profile.may_omit_iss and members.get("omits_iss", False)),
        backchannel_logout_uri=members.get("backchannel_logout_uri"),
        frontchannel_logout_uri=members.get("frontchannel_logout_uri"),
        allowed_origins=tuple(members.get("allowed_origins", ())),
        further_origins=tuple(members.get("further_origins", ())),
        userinfo_alg=members.get("userinfo_signed_response_alg"),
        offers_system_users=members.get("offers_system_users", False),
        details_types=frozenset(details_types) if details_types is not None else None,
        default_max_age=members.get("default_max_age"),
        default_acr_values=tuple(members.get("default_acr_values", ())),
        names=names_by_language(members),
    )
