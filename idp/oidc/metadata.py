"""The discovery document (OIDC Discovery 1.0 §3, RFC 8414). Every value it advertises works, and nothing else does. Pure."""

from __future__ import annotations

from typing import Any

from . import signing_keys
from .profiles import PROFILES

SCOPES = ("openid", "profile", "email", "enterprise", "functional_blocks")
RESPONSE_TYPES = ("code",)
RESPONSE_MODES = ("query", "form_post")
SERVICE_GRANT = "client_credentials"
SERVICE_SCOPES = (
    "ssf.manage",
    "ssf.read",
)  # CAEP Interoperability Profile §2.7.3; never at /authorize, so not advertised
GRANT_TYPES = ("authorization_code", SERVICE_GRANT)
AUTH_METHODS = ("client_secret_basic", "client_secret_post", "private_key_jwt", "none")
ASSERTION_ALGS = tuple(dict.fromkeys(alg for profile in PROFILES.values() for alg in profile.assertion_algs))
PROMPTS = ("none", "login", "consent", "select_account")
DETAILS_TYPES = ("functional_blocks",)
ACR_VALUES = ("urn:mandat:aal:2",)
CLAIMS = (
    *("iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "sid", "acr", "amr", "at_hash"),
    *("name", "given_name", "family_name", "locale", "email", "email_verified"),
    *("enterprise", "representation", "functional_blocks"),
)


def document(issuer: str) -> dict[str, Any]:
    """Return the metadata of the provider whose address is *issuer*."""
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "userinfo_endpoint": f"{issuer}/userinfo",
        "jwks_uri": f"{issuer}/jwks",
        "end_session_endpoint": f"{issuer}/end-session",
        "scopes_supported": list(SCOPES),
        "response_types_supported": list(RESPONSE_TYPES),
        "response_modes_supported": list(RESPONSE_MODES),
        "grant_types_supported": list(GRANT_TYPES),
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": [signing_keys.ID_TOKEN_ALG],
        "token_endpoint_auth_methods_supported": list(AUTH_METHODS),
        "token_endpoint_auth_signing_alg_values_supported": list(ASSERTION_ALGS),
        "code_challenge_methods_supported": ["S256"],
        "claims_supported": list(CLAIMS),
        "claim_types_supported": ["normal"],
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,  # the default when omitted is true
        "authorization_response_iss_parameter_supported": True,
        "authorization_details_types_supported": list(DETAILS_TYPES),
        "prompt_values_supported": list(PROMPTS),
        "acr_values_supported": list(ACR_VALUES),
        "ui_locales_supported": ["fr-CA", "en-CA"],
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
    }
