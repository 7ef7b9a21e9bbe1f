"""Who is signed in on this request, and where a person may be sent back to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar
from urllib.parse import unquote, urlencode, urlsplit

from flask import current_app, g, redirect, request

from ...http.bindings import own_address
from ...http.web import now
from ...i18n import Language
from ..credentials import passkey_services
from ..sign_in import kept_form_services
from . import cookies, session_services
from .domain.sign_ins import PASSKEY_ACR
from .domain.sign_ins import SignIn as SignIn

View = TypeVar("View", bound=Callable[..., Any])
_LONGEST_PATH = 16_000
_OPEN_TO_WEAK = "open_to_weak_sign_in"


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
    """Return the sign-in of this request when its person must still show a passkey; to every other page nobody is signed in."""
    current_sign_in()
    sign_in: SignIn | None = g.get("mandat_unfinished_sign_in")
    return sign_in


def weak_sign_in() -> SignIn | None:
    """Return the sign-in of this request when it rests on a code by e-mail, whatever the page."""
    current_sign_in()
    sign_in: SignIn | None = g.get("mandat_weak_sign_in")
    return sign_in


def actor_of_request() -> str | None:
    """Return who is behind this request, for the log of refusals: whatever their sign-in opens."""
    sign_in = current_sign_in() or weak_sign_in() or unfinished_sign_in()
    return f"person:{sign_in.person_id}" if sign_in else None


def open_to_weak_sign_in(view: View) -> View:
    """Open a view to a sign-in with a code by e-mail: it reads, chooses what is read, or only closes something (ADR 0014).

    Put it outermost. To every view without it, such a sign-in is nobody's, and leads to the page that asks for a factor.
    """
    setattr(view, _OPEN_TO_WEAK, True)
    return view


def preferred_language() -> Language | None:
    """Return the language of the person signed in on this request."""
    current_sign_in()
    language: Language | None = g.get("mandat_language")
    return language


def _read() -> None:
    secret = cookies.presented_digest()
    found = session_services.active_session(secret, now=now()) if secret else None
    sign_in = found.sign_in if found else None
    is_weak, falls_short = sign_in is not None and sign_in.is_weak, found is not None and found.falls_short
    g.mandat_weak_sign_in = sign_in if is_weak else None
    g.mandat_unfinished_sign_in = sign_in if falls_short and not is_weak else None
    opens = _opens_to_weak() if is_weak else not falls_short
    g.mandat_sign_in = sign_in if opens else None
    g.mandat_language = found.language if found else None
    g.sign_in_ends_at = found.ends_at if found else None  # shown on every page


def _opens_to_weak() -> bool:
    return hasattr(current_app.view_functions.get(request.endpoint or ""), _OPEN_TO_WEAK)


def sign_in_required(view: View) -> View:
    """Send a person who is not signed in to the sign-in page, and back afterwards."""

    @wraps(view)
    def guarded(*arguments: Any, **values: Any) -> Any:
        unfinished = unfinished_sign_in()
        if unfinished is not None and not passkey_services.may_show(unfinished.person_id):
            return redirect("/account/security/passkey")
        if current_sign_in() is None:
            return redirect(sign_in_address())
        return view(*arguments, **values)

    return guarded  # type: ignore[return-value]


def sign_in_address() -> str:
    """Return the sign-in page that leads back to this page; what a person whose sign-in lapsed has posted waits for them.

    A sign-in that is there, but weak, is asked for a factor instead; one that falls short, for the passkey its person has.
    """
    weak, unfinished = weak_sign_in(), unfinished_sign_in()
    if weak is not None:
        return confirm_address(weak)
    if unfinished is not None and passkey_services.may_show(unfinished.person_id):
        return confirm_address(unfinished)
    wanted = own_address() if request.method == "GET" else _waiting_form() or request.path
    return f"/sign-in?{urlencode({'next': wanted})}"


def confirm_address(sign_in: SignIn) -> str:
    """Return the page that asks *sign_in* for a factor and leads back here; what was posted waits for it alone.

    A person who showed a passkey, or must, is asked for it first: it is at hand.
    """
    wants_passkey = sign_in.acr == PASSKEY_ACR or unfinished_sign_in() is not None
    page = "/confirm/passkey" if wants_passkey else "/confirm"
    if request.method != "POST":
        return f"{page}?{urlencode({'next': own_address()})}"
    asked = {"next": page_of(request.path)}
    form_id = kept_form_services.keep(
        sign_in.person_id, request.path, request.form.items(multi=True), sid=sign_in.sid, now=now()
    )
    if form_id is not None:
        asked["form"] = form_id
    return f"{page}?{urlencode(asked)}"


def page_of(path: str) -> str:
    """Return *path* when it is a page, else where every person begins."""
    return path if current_app.url_map.bind("").test(path, "GET") else "/home"


def _waiting_form() -> str | None:
    secret = cookies.presented_digest()
    person_id = kept_form_services.whose_sign_in_lapsed(secret) if secret and request.form else None
    if person_id is None:
        return None
    form_id = kept_form_services.keep(person_id, request.path, request.form.items(multi=True), now=now())
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
