"""The cookie of a sign-in: what the request brought, and what the response must set or clear."""

from __future__ import annotations

from flask import Flask, Response, g, has_request_context, request

from ..sealing import digest
from ..web import current_settings
from .sign_ins import SignIn


def cookie_name() -> str:
    """Return the cookie's name: ``__Host-`` wherever there is https (decisions §26)."""
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


def drop() -> None:
    """Take the secret away from the browser with this response."""
    if has_request_context():
        g.mandat_cookie = ""
        g.mandat_sign_in = None


def init_cookies(app: Flask) -> None:
    """Write the cookie on the responses of *app* that change it."""
    app.after_request(_write)


def _write(response: Response) -> Response:
    token: str | None = g.get("mandat_cookie")
    if token is None:
        return response
    secure = current_settings().secure
    if token:
        response.set_cookie(cookie_name(), token, path="/", secure=secure, httponly=True, samesite="Lax")
    else:
        response.delete_cookie(cookie_name(), path="/", secure=secure, httponly=True, samesite="Lax")
    return response
