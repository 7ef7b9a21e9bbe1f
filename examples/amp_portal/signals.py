"""Change events: the portal's event stream at Mandat, and the events it delivers (rule 7).

The stream is made at the first sign-in after the start, and found again at the next start. Without one the portal still
receives back-channel logouts, so nothing here may stop a sign-in.
"""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from flask import Flask, current_app, request
from flask.typing import ResponseReturnValue

from . import sessions
from .database import Database
from .oidc import Provider, RefusedTokenError
from .settings import PortalSettings

PATH = "/events"
PUSH = "urn:ietf:rfc:8935"
_CAEP = "https://schemas.openid.net/secevent/caep/event-type/"
CLAIMS_CHANGE, SESSION_REVOKED, CREDENTIAL_CHANGE = (
    _CAEP + name for name in ("token-claims-change", "session-revoked", "credential-change")
)
WANTED = (CLAIMS_CHANGE, SESSION_REVOKED, CREDENTIAL_CHANGE)
_CODES = {"signature": "invalid_key", "issuer": "invalid_issuer", "audience": "invalid_audience"}  # RFC 8935 §2.4


class Listening:
    """The portal's own event stream."""

    def __init__(self, provider: Provider, settings: PortalSettings) -> None:
        self._provider = provider
        self._settings = settings
        self._lock = threading.Lock()
        self._is_ready = False
        key = settings.client_secret.encode()
        self.header = f"Bearer {hmac.new(key, b'portal events', hashlib.sha256).hexdigest()}"  # the same at each start

    def ensure(self) -> None:
        """Create the stream, or update the existing one; once, unless it failed."""
        with self._lock:
            if self._is_ready:
                return
            try:
                self._set_up()
                self._is_ready = True
            except Exception:
                current_app.logger.exception("no event stream; back-channel logout remains")

    def _set_up(self) -> None:
        told = self._provider.call("GET", f"{self._settings.issuer}/.well-known/ssf-configuration")
        if told.get("issuer") != self._settings.issuer:
            raise RefusedTokenError("the transmitter names another issuer")
        endpoint, token = told["configuration_endpoint"], self._provider.service_token("ssf.manage")
        delivery = {"method": PUSH, "endpoint_url": f"{self._settings.url}{PATH}", "authorization_header": self.header}
        wish = {"delivery": delivery, "events_requested": list(WANTED)}
        present = self._provider.call("GET", endpoint, token)
        if not present:
            self._provider.call("POST", endpoint, token, wish)
            return
        stream_id = present[0]["stream_id"]
        self._provider.call("PUT", endpoint, token, {"stream_id": stream_id, **wish})
        self._provider.call("POST", told["status_endpoint"], token, {"stream_id": stream_id, "status": "enabled"})


def register(app: Flask, provider: Provider, settings: PortalSettings) -> None:
    """Add the address of events to *app*."""
    app.extensions["portal.listening"] = Listening(provider, settings)
    app.add_url_rule(PATH, "events", receive, methods=["POST"])


def listening() -> Listening:
    """Return the stream of the running portal."""
    found: Listening = current_app.extensions["portal.listening"]
    return found


def receive() -> ResponseReturnValue:
    """Receive one pushed event: 202 once it has taken effect (RFC 8935 §2)."""
    provider: Provider = current_app.extensions["portal.provider"]
    given = request.headers.get("Authorization", "")
    if not hmac.compare_digest(given.encode(), listening().header.encode()):
        return {"err": "authentication_failed", "description": "not our transmitter"}, 400
    if request.mimetype != "application/secevent+jwt":
        return {"err": "invalid_request", "description": "not a security event token"}, 400
    try:
        claims = provider.verify_event(request.get_data(as_text=True))
        ended = _apply(claims)
    except RefusedTokenError as error:
        current_app.logger.warning("event refused: %s", error)
        return {"err": _CODES.get(str(error), "invalid_request"), "description": str(error)}, 400
    current_app.logger.info("event jti=%s ended %d sessions", claims["jti"], ended)
    return "", 202


def _apply(claims: Mapping[str, Any]) -> int:
    """Apply an event once for each ``jti``; return how many sessions ended."""
    database: Database = current_app.extensions["portal.database"]
    now = datetime.now(UTC)
    ((kind, content),) = claims["events"].items()
    sub, sid = _subject(claims["sub_id"], claims["iss"])
    if kind == CLAIMS_CHANGE and sub is not None:
        enterprise, version = _changed(content)
        return sessions.note_version(database, claims, sub, enterprise, version, now)
    if kind == SESSION_REVOKED and sub is not None and sid is not None:
        return sessions.end_by_signal(database, {**claims, "sub": sub, "sid": sid}, now, kind="session-revoked")
    name = "credential-change" if kind == CREDENTIAL_CHANGE else "other"
    sessions.note_event(database, claims["jti"], name, sub, now)
    return 0


def _subject(told: Mapping[str, Any], issuer: str) -> tuple[str | None, str | None]:
    """Return the person and the session that an event is about (RFC 9493 §3.2.3; SSF 1.0 §3.3)."""
    whole = told if told.get("format") == "complex" else {"user": told}
    user, session = whole.get("user"), whole.get("session")
    if not isinstance(user, Mapping) or user.get("format") != "iss_sub" or user.get("iss") != issuer:
        return None, None
    return _text(user.get("sub")), _text(session.get("id")) if isinstance(session, Mapping) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _changed(content: Any) -> tuple[str, int]:
    """Return the enterprise for which a person's rights changed, and their new version."""
    claims = content.get("claims") if isinstance(content, Mapping) else None
    try:
        enterprise, version = claims["enterprise"]["id"], claims["representation"]["version"]  # type: ignore[index]
    except (KeyError, TypeError):
        raise RefusedTokenError("no enterprise or version") from None
    if not isinstance(enterprise, str) or isinstance(version, bool) or not isinstance(version, int):
        raise RefusedTokenError("no enterprise or version")
    return enterprise, version
