"""A relying party as the other modules see it: read once from its registration, then trusted. Pure.

What a registration may say is judged in :mod:`client_metadata`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from . import client_keys, subjects
from .client_keys import ClientKey
from .metadata import GRANT_TYPES, SCOPES
from .profiles import PROFILES, Profile
from .subjects import Subject


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
    certificate_subject: Subject | None
    assertion_algs: tuple[str, ...]
    token_url_as_audience: bool
    id_token_alg: str
    requires_pushed_request: bool
    requires_bound_tokens: bool
    binds_to_certificate: bool
    redirect_uris: tuple[str, ...]
    post_logout_redirect_uris: tuple[str, ...]
    scopes: frozenset[str]
    requires_pkce: bool
    backchannel_logout_uri: str | None
    allowed_origins: tuple[str, ...]
    further_origins: tuple[str, ...]

    def check_grant_type(self, grant_type: str) -> bool:
        """Tell whether the client may use *grant_type* (asked by Authlib)."""
        return grant_type in GRANT_TYPES


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
        certificate_subject=subjects.expected(members),
        assertion_algs=(pinned,) if pinned else profile.signing_algs,
        token_url_as_audience=members.get("token_url_as_audience", False),
        id_token_alg=members.get("id_token_signed_response_alg", profile.id_token_algs[0]),
        requires_pushed_request=profile.requires_pushed_request
        or members.get("require_pushed_authorization_requests", False),
        requires_bound_tokens=profile.requires_bound_tokens
        or members.get("dpop_bound_access_tokens", False)
        or members.get("tls_client_certificate_bound_access_tokens", False),
        binds_to_certificate=members.get("tls_client_certificate_bound_access_tokens", False),
        redirect_uris=tuple(members["redirect_uris"]),
        post_logout_redirect_uris=tuple(members.get("post_logout_redirect_uris", ())),
        scopes=frozenset(members["scope"].split()) & frozenset(SCOPES),
        requires_pkce=members.get("requires_pkce", True),
        backchannel_logout_uri=members.get("backchannel_logout_uri"),
        allowed_origins=tuple(members.get("allowed_origins", ())),
        further_origins=tuple(members.get("further_origins", ())),
    )
