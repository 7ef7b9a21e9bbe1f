"""Signing in with Mandat and receiving the end of a right: the nine rules, as code.

Authlib does the protocol (state, PKCE, nonce, discovery, keys); what it leaves open is checked here: the issuer of the
answer (RFC 9207), the type of the token, the shape of a logout token (OIDC Back-Channel Logout §2.6).
"""

from __future__ import annotations

import threading
import time
from typing import Any

from authlib.integrations.flask_client import OAuth
from flask import Flask
from joserfc import jwt
from joserfc.jwk import KeySet

from .settings import PortalSettings

SCOPES = "openid profile enterprise functional_blocks"
ID_TOKEN_ALGORITHMS = ["RS256"]
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
_SKEW = 10  # seconds


class RefusedTokenError(ValueError):
    """A token that fails a check; the text names the rule."""


class Provider:
    """The provider as this portal sees it."""

    def __init__(self, app: Flask, settings: PortalSettings) -> None:
        self._settings = settings
        self._keys: KeySet | None = None
        self._keys_at = 0.0
        self._lock = threading.Lock()
        self.client: Any = OAuth(app).register(
            "mandat",
            client_id=settings.client_id,
            client_secret=settings.client_secret,
            server_metadata_url=f"{settings.issuer}/.well-known/openid-configuration",
            client_kwargs={
                "scope": SCOPES,
                "code_challenge_method": "S256",
                "trust_env": False,
                "timeout": 10,
                "verify": settings.ca_file or True,
            },
        )

    def metadata(self) -> dict[str, Any]:
        """Return the discovery document; its issuer must equal the configured one exactly."""
        document: dict[str, Any] = self.client.load_server_metadata()
        if document.get("issuer") != self._settings.issuer:
            raise RefusedTokenError("the discovery document names another issuer")
        return document

    def check_answer(self, issuer: str | None) -> None:
        """Refuse an authorization answer that does not come from our provider (RFC 9207 §2.4)."""
        if issuer != self._settings.issuer:
            raise RefusedTokenError("the answer comes from another issuer")

    def verify_id_token(self, token: str, nonce: str) -> dict[str, Any]:
        """Return the claims of an ID token after checking signature, issuer, audience, lifetime and nonce (rule 1)."""
        claims = self._verify(token)
        if not nonce or claims.get("nonce") != nonce:
            raise RefusedTokenError("nonce")
        if not isinstance(claims.get("sid"), str) or not isinstance(claims.get("sub"), str):
            raise RefusedTokenError("sid or sub is missing")
        return claims

    def verify_logout_token(self, token: str) -> dict[str, Any]:
        """Return the claims of a logout token (OIDC Back-Channel Logout §2.6)."""
        claims = self._verify(token, typ="logout+jwt")
        events = claims.get("events")
        if not isinstance(events, dict) or events.get(LOGOUT_EVENT) != {} or "nonce" in claims:
            raise RefusedTokenError("not a logout token")
        if not isinstance(claims.get("jti"), str) or not (claims.get("sid") or claims.get("sub")):
            raise RefusedTokenError("jti, sid or sub is missing")
        return claims

    def verify_event(self, token: str) -> dict[str, Any]:
        """Return the claims of a security event token: one event, about a subject, never expiring (SSF 1.0 §4)."""
        claims = self._verify(token, typ="secevent+jwt", lasts=True)
        events, subject = claims.get("events"), claims.get("sub_id")
        if not isinstance(events, dict) or len(events) != 1 or not isinstance(subject, dict):
            raise RefusedTokenError("not one event about one subject")
        if not isinstance(claims.get("jti"), str) or claims.keys() & {"sub", "exp", "nonce"}:
            raise RefusedTokenError("not a security event token")
        return claims

    def service_token(self, scope: str) -> str:
        """Return an access token for this portal itself (RFC 6749 §4.4)."""
        with self.client._get_session() as session:
            answer = session.request(
                "POST",
                self.metadata()["token_endpoint"],
                data={"grant_type": "client_credentials", "scope": scope},
                auth=(self._settings.client_id, self._settings.client_secret),
                withhold_token=True,
            )
        answer.raise_for_status()
        return str(answer.json()["access_token"])

    def call(self, method: str, url: str, token: str | None = None, body: Any = None) -> Any:
        """Call an address of the provider as this portal itself, and return its JSON."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        with self.client._get_session() as session:
            answer = session.request(method, url, headers=headers, json=body, withhold_token=True)
        answer.raise_for_status()
        return answer.json()

    def _verify(self, token: str, typ: str | None = None, *, lasts: bool = False) -> dict[str, Any]:
        try:
            decoded = jwt.decode(token, self._key_set(token), algorithms=ID_TOKEN_ALGORITHMS)
        except Exception as error:
            raise RefusedTokenError("signature") from error
        if typ is not None and decoded.header.get("typ") != typ:
            raise RefusedTokenError("type")
        claims: dict[str, Any] = dict(decoded.claims)
        audience = claims.get("aud")
        if audience != self._settings.client_id and audience != [self._settings.client_id]:
            raise RefusedTokenError("audience")
        if claims.get("iss") != self._settings.issuer:
            raise RefusedTokenError("issuer")
        now, expiry, issued = time.time(), claims.get("exp"), claims.get("iat")
        if not lasts and (not isinstance(expiry, int) or expiry <= now - _SKEW):
            raise RefusedTokenError("expired")
        if not isinstance(issued, int) or issued > now + _SKEW:
            raise RefusedTokenError("issued in the future")
        return claims

    def _key_set(self, token: str) -> KeySet:
        with self._lock:
            kid = _kid(token)
            known = self._keys is not None and any(key.kid == kid for key in self._keys.keys)
            stale = time.monotonic() - self._keys_at > 3600
            if self._keys is None or stale or (not known and time.monotonic() - self._keys_at > 60):
                with self.client._get_session() as session:
                    answer = session.request("GET", self.metadata()["jwks_uri"], withhold_token=True)
                self._keys = KeySet.import_key_set(answer.json())
                self._keys_at = time.monotonic()
            return self._keys


def _kid(token: str) -> str | None:
    from joserfc import jws

    try:
        kid = jws.extract_compact(token.encode()).headers().get("kid")
    except Exception as error:
        raise RefusedTokenError("not a token") from error
    return kid if isinstance(kid, str) else None
