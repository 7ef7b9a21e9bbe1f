"""The clients of the demonstration: the AMP portal, and one of each kind for tools."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

import yaml
from joserfc import jwk

from ..oidc.clients import client_services

TOOLS = ("tools", "tools-native", "tools-fapi2", "tools-system", "tools-system-new")
_KEYED = ("tools-fapi2", "tools-system", "tools-system-new")  # the last one waits for the approval of a PES
_TOOL: dict[str, Any] = {
    "agency": "amp",
    "grant_types": ["authorization_code", "refresh_token"],
    "response_types": ["code"],
    "scope": "openid profile email enterprise functional_blocks offline_access",
    "redirect_uris": ["http://127.0.0.1:9999/callback"],
    "post_logout_redirect_uris": ["http://127.0.0.1:9999/signed-out"],
}

_SYSTEM: dict[str, Any] = {  # software that a PES may approve to act for an enterprise
    "agency": "amp",
    "profile": "baseline",
    "client_uri": "https://progiciel.example/",
    "token_endpoint_auth_method": "private_key_jwt",
    "token_endpoint_auth_signing_alg": "ES256",
    "dpop_bound_access_tokens": True,
    "grant_types": ["client_credentials"],
    "response_types": ["code"],
    "scope": "enterprise functional_blocks",
    "offers_system_users": True,
}


def load(portal: str, now: datetime) -> dict[str, dict[str, Any]]:
    """Register the clients and return each as its program needs it: with its secret, or its private keys."""
    keys = {name: jwk.ECKey.generate_key("P-256", {"kid": name, "alg": "ES256", "use": "sig"}) for name in _KEYED}
    told = [_portal(portal), *_tools(portal.partition(":")[0])]
    own: dict[str, dict[str, Any]] = {client["client_id"]: client for client in told}
    for name, key in keys.items():
        own[name]["jwks"] = {"keys": [key.as_dict(private=False)]}
    client_services.load_text(yaml.safe_dump({"clients": told}, allow_unicode=True), now=now)
    for name, key in keys.items():
        own[name]["jwks"] = {"keys": [key.as_dict(private=True)]}
    return own


def _portal(portal: str) -> dict[str, Any]:
    return {
        "client_id": "amp-portal",
        "client_secret": secrets.token_urlsafe(32),
        "client_name": "Portail de l’AMP (démonstration)",
        "profile": "baseline",
        "agency": "amp",
        "token_endpoint_auth_method": "client_secret_basic",
        "grant_types": ["authorization_code", "client_credentials"],
        "response_types": ["code"],
        "scope": "openid profile email enterprise functional_blocks ssf.manage ssf.read",
        "redirect_uris": [f"{portal}/callback"],
        "post_logout_redirect_uris": [f"{portal}/signed-out"],
        "initiate_login_uri": f"{portal}/initiate-login",
        "backchannel_logout_uri": f"{portal}/backchannel-logout",
        "backchannel_logout_session_required": True,
    }


def _tools(scheme: str) -> tuple[dict[str, Any], ...]:
    """Return the clients for tools; an issuer at https accepts http addresses from native programs only."""
    addresses = {
        name: [f"{scheme}://127.0.0.1:9999/{path}"]
        for name, path in (("redirect_uris", "callback"), ("post_logout_redirect_uris", "signed-out"))
    }
    return (
        {
            **_TOOL,
            **addresses,
            "client_id": "tools",
            "client_secret": secrets.token_urlsafe(32),
            "client_name": "Outils de démonstration",
            "profile": "baseline",
            "token_endpoint_auth_method": "client_secret_basic",
        },
        {
            **_TOOL,
            "client_id": "tools-native",
            "client_name": "Outil de bureau (démonstration)",
            "profile": "baseline",
            "application_type": "native",
            "token_endpoint_auth_method": "none",
        },
        {
            **_TOOL,
            **addresses,
            "client_id": "tools-fapi2",
            "client_name": "Outil au profil FAPI 2.0 (démonstration)",
            "profile": "fapi2",
            "token_endpoint_auth_method": "private_key_jwt",
            "token_endpoint_auth_signing_alg": "ES256",
            "dpop_bound_access_tokens": True,
        },
        {**_SYSTEM, "client_id": "tools-system", "client_name": "Progiciel comptable (démonstration)"},
        {**_SYSTEM, "client_id": "tools-system-new", "client_name": "Logiciel d’appels d’offres (démonstration)"},
    )
