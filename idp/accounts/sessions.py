"""Who is signed in on this request, and where a person may be sent back to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar
from urllib.parse import unquote, urlencode, urlsplit

from flask import g, redirect, request

from ..i18n import Language
from ..web import now
from . import cookies, services_kept_forms, services_sessions
from .sign_ins import SignIn as SignIn

View = TypeVar("View", bound=Callable[..., Any])
_LONGEST_PATH = 16_000


@dataclass(frozen=True, slots=True)
class SignInContext:
    """Which agency a sign-in is for, and where *Cancel* goes back to; set by oidc as ``g.sign_in_context``.

    ``asks_again`` when the person is signed in and must show once more that it is they; ``demanded_level`` is
    the level without which the agency gets nothing.
    """

    agency_name: str
    cancel_path: str
    asks_again: bool = False
    demanded_level: int = 0


def current_sign_in() -> SignIn | None:
    """Return the sign-in of this request, or None; read once a request."""
    if "mandat_sign_in" not in g:
        _read()
    sign_in: SignIn | None = g.mandat_sign_in
    return sign_in


def unfinished_sign_in() -> SignIn | None:
    """Return the sign-in of this request when its person must still add a passkey; to every other page nobody is signed in."""
    current_sign_in()
    sign_in: SignIn | None = g.get("mandat_unfinished_sign_in")
    return sign_in


def preferred_language() -> Language | None:
    """Return the language of the person signed in on this request."""
    current_sign_in()
    language: Language | None = g.get("mandat_language")
    return language


def _read() -> None:
    secret = cookies.presented_digest()
    found = services_sessions.present(secret, now=now()) if secret else None
    g.mandat_sign_in = found.sign_in if found and not found.falls_short else None
    g.mandat_unfinished_sign_in = found.sign_in if found and found.falls_short else None
    g.mandat_language = found.language if found else None
    g.sign_in_ends_at = found.ends_at if found else None  # web tells it on every page


def sign_in_required(view: View) -> View:
    """Send whoever is not signed in to the sign-in page, and back afterwards."""

    @wraps(view)
    def guarded(*arguments: Any, **values: Any) -> Any:
        if unfinished_sign_in() is not None:
            return redirect("/account/security/passkey")
        if current_sign_in() is None:
            return redirect(sign_in_address())
        return view(*arguments, **values)

    return guarded  # type: ignore[return-value]


def sign_in_address() -> str:
    """Return the sign-in page that leads back to this page; what somebody whose sign-in lapsed has posted waits for them."""
    wanted = request.full_path.rstrip("?") if request.method == "GET" else _waiting_form() or request.path
    return f"/sign-in?{urlencode({'next': wanted})}"


def _waiting_form() -> str | None:
    secret = cookies.presented_digest()
    person_id = services_kept_forms.whose_sign_in_lapsed(secret) if secret and request.form else None
    if person_id is None:
        return None
    form_id = services_kept_forms.keep(person_id, request.path, request.form.items(multi=True), now=now())
    return f"/continue?form={form_id}" if form_id else None


def safe_next(path: str | None) -> str:
    """Return *path* when it is an address of this site, written without any trick, else ``/``.

    Backslashes, control signs and spaces are refused raw and once or twice encoded; so is a second slash at the start.
    """
    if not path or len(path) > _LONGEST_PATH or not _is_plain(path):
        return "/"
    if not path.startswith("/") or path.startswith("//"):
        return "/"
    parts = urlsplit(path)
    if parts.scheme or parts.netloc or "//" in parts.path:
        return "/"
    decoded = parts.path
    for _ in range(3):
        decoded = unquote(decoded)
        if not _is_plain(decoded) or decoded.startswith("//"):
            return "/"
    return path


def _is_plain(text: str) -> bool:
    return not any(sign <= " " or sign == "\\" or "\x7f" <= sign <= "\xa0" for sign in text)
