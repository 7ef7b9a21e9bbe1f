"""The cookie of a sign-in: what the request brought, and what the response must set or clear."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from flask import Flask, Response, g, has_request_context, request

from ...crypto.sealing import digest, random_token
from ...http.web import current_settings
from .domain.sign_ins import SignIn

KNOWN_LIFE = timedelta(days=180)
_TOKEN_LENGTH = 43  # of 256 random bits


def cookie_name() -> str:
    """Return the cookie's name: ``__Host-`` wherever there is https (decisions.md §26)."""
    return "__Host-mandat" if current_settings().secure else "mandat"


def presented_digest() -> str | None:
    """Return the digest of the secret this request brought, if any."""
    token = request.cookies.get(cookie_name(), "") if has_request_context() else ""
    return digest(token) if 40 <= len(token) <= 64 else None


def hold(token: str, sign_in: SignIn) -> None:
    """Give the browser a new secret with this response, and make *sign_in* the present one."""
    if has_request_context():
        g.mandat_cookie = token
        g.mandat_sign_in = sign_in


def renew(token: str) -> None:
    """Give the browser a new secret of the sign-in it has, with this response; who is signed in stays as it was."""
    if has_request_context():
        g.mandat_cookie = token


def drop() -> None:
    """Take the secret away from the browser with this response."""
    if has_request_context():
        g.mandat_cookie = ""
        g.mandat_sign_in = None


def known_name() -> str:
    """Return the name of the cookie by which a browser is known again after a sign-out (S-50)."""
    return "__Host-mandat-browser" if current_settings().secure else "mandat-browser"


def known_digest() -> str | None:
    """Return the digest of what this browser is known by, if anything."""
    token = request.cookies.get(known_name(), "")
    return digest(token) if len(token) == _TOKEN_LENGTH else None


@dataclass(frozen=True, slots=True)
class KnownBy:
    """The digest of what a browser will be known by; *is_new* when it had nothing yet."""

    digest: str
    is_new: bool = False


def hold_known() -> KnownBy | None:
    """Have this browser known for another while with this response, if there is one."""
    if not has_request_context():
        return None
    token = request.cookies.get(known_name(), "")
    is_new = len(token) != _TOKEN_LENGTH
    g.mandat_known = random_token() if is_new else token
    return KnownBy(digest(g.mandat_known), is_new)


def init_cookies(app: Flask) -> None:
    """Write the cookie on the responses of *app* that change it."""
    app.after_request(_write)


def _write(response: Response) -> Response:
    _set(response, cookie_name(), g.get("mandat_cookie"), life=None)
    _set(response, known_name(), g.get("mandat_known"), life=KNOWN_LIFE)
    return response


def _set(response: Response, name: str, token: str | None, *, life: timedelta | None) -> None:
    """Write one cookie: nothing for None, its removal for an empty token."""
    secure = current_settings().secure
    if token:
        response.set_cookie(name, token, max_age=life, path="/", secure=secure, httponly=True, samesite="Lax")
    elif token is not None:
        response.delete_cookie(name, path="/", secure=secure, httponly=True, samesite="Lax")
