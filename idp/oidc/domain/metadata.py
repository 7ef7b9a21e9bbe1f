"""The discovery document (OIDC Discovery 1.0 §3, RFC 8414). Every value it advertises works, and nothing else does. Pure."""

from __future__ import annotations

from typing import Any

from ..claims.domain import verified_claims
from ..proofs.domain import dpop
from .profiles import FAPI2_MESSAGE_SIGNING, PROFILES

SCOPES = ("openid", "profile", "email", "offline_access", "enterprise", "functional_blocks")
RESPONSE_TYPES = ("code",)
RESPONSE_MODES = ("query", "fragment", "form_post", "jwt", "query.jwt", "form_post.jwt")
SERVICE_GRANT = "client_credentials"
SERVICE_SCOPES = (
    "ssf.manage",
    "ssf.read",
)  # CAEP Interoperability Profile §2.7.3; not for /authorize, so not advertised
GRANT_TYPES = ("authorization_code", "refresh_token", SERVICE_GRANT)
AUTH_METHODS = ("client_secret_basic", "client_secret_post", "private_key_jwt", "none")
PROVEN_METHODS = tuple(method for method in AUTH_METHODS if method != "none")  # RFC 7662 §2.1: nobody asks unproven
ASSERTION_ALGS = tuple(dict.fromkeys(alg for profile in PROFILES.values() for alg in profile.signing_algs))
ID_TOKEN_ALGS = tuple(dict.fromkeys(alg for profile in PROFILES.values() for alg in profile.id_token_algs))
RESPONSE_ALGS = FAPI2_MESSAGE_SIGNING.id_token_algs  # for signed authorization responses
PROMPTS = ("none", "login", "consent", "select_account")
DETAILS_TYPES = ("functional_blocks",)
USERINFO_ALGS = ID_TOKEN_ALGS
ACR_VALUES = ("urn:mandat:aal:2", "urn:mandat:aal:3")
CLAIMS = (
    *("iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "sid", "acr", "amr", "at_hash"),
    *("name", "given_name", "family_name", "locale", "email", "email_verified"),
    *("enterprise", "representation", "functional_blocks"),
)
_PROVING = ("token", "introspection", "revocation")  # endpoints whose methods of client authentication are published
_ALIASED = ("token", "pushed_authorization_request", "userinfo", "introspection", "revocation")  # RFC 8705 §5


def with_mutual_tls(told: dict[str, Any], alias: str | None, *, has_authorities: bool) -> dict[str, Any]:
    """Return *told* with what RFC 8705 §3.3, §5 add where clients can show certificates; *alias* is the host for it."""
    methods = ["self_signed_tls_client_auth", *(["tls_client_auth"] if has_authorities else [])]
    told_for = [f"{endpoint}_endpoint_auth_methods_supported" for endpoint in _PROVING]
    more: dict[str, Any] = {name: [*told[name], *methods] for name in told_for if name in told}
    more["tls_client_certificate_bound_access_tokens"] = True
    if alias is not None:
        names = [f"{endpoint}_endpoint" for endpoint in _ALIASED]
        here = {name: told[name].removeprefix(told["issuer"]) for name in names if name in told}
        more["mtls_endpoint_aliases"] = {name: alias + path for name, path in here.items()}
    return told | more


def document(issuer: str) -> dict[str, Any]:
    """Return the metadata of the provider whose address is *issuer*."""
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "pushed_authorization_request_endpoint": f"{issuer}/par",
        "require_pushed_authorization_requests": False,  # by client (FAPI 2.0)
        "dpop_signing_alg_values_supported": list(dpop.PROOF_ALGS),
        "userinfo_endpoint": f"{issuer}/userinfo",
        "revocation_endpoint": f"{issuer}/revoke",
        "revocation_endpoint_auth_methods_supported": list(AUTH_METHODS),
        "revocation_endpoint_auth_signing_alg_values_supported": list(ASSERTION_ALGS),
        "introspection_endpoint": f"{issuer}/introspect",
        "introspection_endpoint_auth_methods_supported": list(PROVEN_METHODS),
        "introspection_endpoint_auth_signing_alg_values_supported": list(ASSERTION_ALGS),
        "introspection_signing_alg_values_supported": list(ID_TOKEN_ALGS),
        "jwks_uri": f"{issuer}/jwks",
        "registration_endpoint": f"{issuer}/register",
        "end_session_endpoint": f"{issuer}/end-session",
        "scopes_supported": list(SCOPES),
        "response_types_supported": list(RESPONSE_TYPES),
        "response_modes_supported": list(RESPONSE_MODES),
        "grant_types_supported": list(GRANT_TYPES),
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": list(ID_TOKEN_ALGS),
        "userinfo_signing_alg_values_supported": list(USERINFO_ALGS),
        "token_endpoint_auth_methods_supported": list(AUTH_METHODS),
        "token_endpoint_auth_signing_alg_values_supported": list(ASSERTION_ALGS),
        "code_challenge_methods_supported": ["S256"],
        "claims_supported": list(CLAIMS),
        "claim_types_supported": ["normal"],
        "request_parameter_supported": True,
        "request_object_signing_alg_values_supported": list(ASSERTION_ALGS),
        "require_signed_request_object": False,  # by client (FAPI 2.0 Message Signing)
        "authorization_signing_alg_values_supported": list(RESPONSE_ALGS),
        "claims_parameter_supported": True,
        **verified_claims.METADATA,
        "request_uri_parameter_supported": False,  # the default when omitted is true
        "authorization_response_iss_parameter_supported": True,
        "authorization_details_types_supported": list(DETAILS_TYPES),
        "prompt_values_supported": list(PROMPTS),
        "acr_values_supported": list(ACR_VALUES),
        "ui_locales_supported": ["fr-CA", "en-CA"],
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        "frontchannel_logout_supported": True,
        "frontchannel_logout_session_supported": True,
    }
