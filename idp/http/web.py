"""The common parts of every page: headers, the content security policy, CSRF, plain error pages, the request's number.

A context that needs more of the ``form-action`` directive sets ``g.form_action_origins`` (a tuple of origins of the
pending, validated request), one that shows frames sets ``g.frame_origins``, and accounts sets ``g.sign_in_ends_at``;
this module only formats them (interface.md §6, decisions.md §31).
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from flask import Flask, Response, current_app, g, jsonify, make_response, redirect, render_template, request
from flask.sessions import SecureCookieSessionInterface
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError, CSRFProtect
from itsdangerous import BadData, URLSafeTimedSerializer
from jinja2 import ChoiceLoader, PackageLoader, PrefixLoader
from werkzeug.exceptions import HTTPException, MethodNotAllowed, TooManyRequests

from ..acts import SAFE_METHODS, is_machine
from ..clock import Clock
from ..config import Settings
from ..crypto.sealing import Sealing
from ..db import unavailable_cause
from ..errors import MandatError
from ..i18n import current_language, switch_address
from ..i18n import gettext as _
from . import refusals
from .limits import seconds_to_wait
from .path_prefix import init_path_prefix
from .request_bodies import init_request_bodies
from .trusted_proxies import TrustedProxies

_POLICY = "content-security-policy"
_TRANSPORT = ("strict-transport-security", "max-age=31536000; includeSubDomains")
_ALWAYS = (  # in lower case, as in HTTP/2: they are compared with those that a view has set
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
)

csrf = CSRFProtect()
log = structlog.get_logger("mandat.web")

_RETRY_AFTER = 5  # seconds after which a request that cannot be handled now may be retried
PAGE_SESSION = timedelta(days=1)  # since it was last written; the sessions it opens have a row with their own expiry
_STALE_FORM = ("The CSRF session token is missing.", "The CSRF tokens do not match.")  # of Flask-WTF
_WAY_BACK, _SHOW_AGAIN = "mandat.way_back", "mandat.show_again"


@dataclass(frozen=True, slots=True)
class Viewer:
    """The signed-in person as the page frame shows them."""

    name: str
    acting_for: str | None = None
    navigation: tuple[tuple[str, str, bool], ...] = ()


@dataclass(frozen=True, slots=True)
class ReturnLink:
    """The link of an error page back to the agency."""

    label: str
    address: str


class PageSessions(SecureCookieSessionInterface):
    """The page session of Flask; its signer is built once, not twice per request."""

    def __init__(self) -> None:
        self._signer: URLSafeTimedSerializer | None = None

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """Return the serializer that signs and reads the cookie."""
        if self._signer is None:
            self._signer = super().get_signing_serializer(app)
        return self._signer


def now() -> datetime:
    """Return the current instant of the application's clock."""
    clock: Clock = current_app.extensions["mandat.clock"]
    return clock.now()


def current_settings() -> Settings:
    """Return the settings of the running application."""
    settings: Settings = current_app.extensions["mandat.settings"]
    return settings


def see_other(url: str) -> Response:
    """Redirect after a POST: always 303, never 307 (RFC 9700 §4.12)."""
    return make_response(redirect(url, code=303))


def absolute_url(path: str) -> str:
    """Return the public address of *path*, from configuration and never from the Host header."""
    return current_settings().issuer + path


def init_web(app: Flask, settings: Settings, sealing: Sealing) -> None:
    """Set up cookies, CSRF, templates, headers and error pages of *app*."""
    prefix = "__Host-" if settings.secure else ""
    app.config.update(
        SECRET_KEY=sealing.cookie_key,
        SESSION_COOKIE_NAME=f"{prefix}mandat-page",
        SESSION_COOKIE_SECURE=settings.secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=PAGE_SESSION,
        WTF_CSRF_TIME_LIMIT=None,  # the token expires with the page session
        WTF_CSRF_SSL_STRICT=settings.secure,
        SEND_FILE_MAX_AGE_DEFAULT=timedelta(hours=1),
    )
    assert app.jinja_loader is not None  # noqa: S101 (the template folder is given at creation)
    app.jinja_loader = ChoiceLoader(
        [app.jinja_loader, PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")})]
    )
    app.url_map.merge_slashes = (
        False  # an unusual path is not found: never a redirect built from the Host header (security-bar.md S-87)
    )
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    init_path_prefix(app, settings.issuer)
    app.wsgi_app = TrustedProxies(app.wsgi_app, settings)  # type: ignore[method-assign]
    app.session_interface = PageSessions()
    app.before_request(_number_request)  # first: refusals by the next ones are logged with it
    app.before_request(_refuse_foreign_forms)
    init_request_bodies(app)
    csrf.init_app(app)  # it reads the form
    app.url_defaults(_version_static)
    app.after_request(_guard_response)
    refusals.init_refusals(app)
    app.context_processor(_frame)
    app.register_error_handler(CSRFError, _csrf_refused)
    app.register_error_handler(MandatError, _refused)
    app.register_error_handler(TooManyRequests, _too_fast)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected)


def _version_static(endpoint: str, values: dict[str, object]) -> None:
    """Put the digest of a static file in its address, so that a browser never shows an outdated stylesheet."""
    if endpoint != "static" or current_app.static_folder is None:
        return
    versions: dict[str, str] = current_app.extensions.setdefault("mandat.static_versions", {})
    name = str(values["filename"])
    if name not in versions:
        versions[name] = hashlib.sha256((Path(current_app.static_folder) / name).read_bytes()).hexdigest()[:8]
    values["v"] = versions[name]


def _number_request() -> None:
    g.request_id = secrets.token_hex(6)
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _refuse_foreign_forms() -> None:
    """Refuse a cross-site post to a route that relies on the session cookie, whatever its token.

    Browsers send the origin of a request (Fetch Metadata, ``Sec-Fetch-Site``); ``none`` means the person started it.
    For a browser that does not, the ``Origin`` header is compared when present.
    """
    if request.method in SAFE_METHODS or is_machine(request.endpoint):
        return
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is None and origin not in (None, "null", current_settings().origin):
        raise CSRFError("posted from another origin")
    if site not in (None, "same-origin", "none"):
        raise CSRFError(f"posted by another site: Sec-Fetch-Site {site}")


def _frame() -> dict[str, object]:
    viewer: Viewer | None = g.get("viewer")
    return {
        "lang": current_language(),
        "switch": switch_address(),
        "signed_in_as": viewer.name if viewer else None,
        "sign_in_ends_at": g.get("sign_in_ends_at"),
        "acting_for": viewer.acting_for if viewer else None,
        "navigation": viewer.navigation if viewer else (),
        "now": now(),
        "demo": current_settings().demo,
        "support_phone": current_settings().support_phone,
    }


def content_security_policy() -> str:
    """Return the policy of this response; ``form-action`` names the origins of the pending request only."""
    origins: tuple[str, ...] = g.get("form_action_origins", ())
    form_action = " ".join(("'self'", *origins))
    frames: tuple[str, ...] = g.get("frame_origins", ())
    frame_src = f"frame-src {' '.join(frames)}; " if frames else ""  # without it: default-src
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        f"{frame_src}connect-src 'self'; form-action {form_action}; base-uri 'none'; frame-ancestors 'none'"
    )


def _guard_response(response: Response) -> Response:
    headers = response.headers
    there = {name.lower() for name, _value in headers}
    if _POLICY not in there:
        headers.add(_POLICY, content_security_policy())
    for name, value in _ALWAYS:
        if name not in there:
            headers.add(name, value)
    if current_settings().secure and _TRANSPORT[0] not in there:
        headers.add(*_TRANSPORT)
    if "request_id" in g and (wants_json() or is_machine(request.endpoint)):
        headers["X-Request-Id"] = g.request_id
    if request.endpoint != "static":
        if "cache-control" not in there:
            headers.add("Cache-Control", "no-store")
            if "vary" not in there:
                headers.add("Vary", "Cookie")
                return response
        if not response.cache_control.public:
            response.vary.add("Cookie")
    return response


def error_page(status: int, code: str, title: str, message: str, *, way_back: ReturnLink | None = None) -> Response:
    """Render a plain error page: what happened, what to do, the stable code and the request's number.

    During a sign-in for an agency, the page links back to it, by *way_back* or from the address.
    """
    if status < 500 and code != "http_404":
        refusals.note(code)
    ask: Callable[[], ReturnLink | None] | None = current_app.extensions.get(_WAY_BACK)
    page = render_template(
        "error.html",
        title=title,
        message=message,
        code=code,
        reference=g.get("request_id", ""),
        way_back=way_back or (ask() if ask else None),
    )
    return make_response(page, status)


def set_way_back(app: Flask, ask: Callable[[], ReturnLink | None]) -> None:
    """Register *ask*, which returns the link back for error pages of *app*; it must not need the database."""
    app.extensions[_WAY_BACK] = ask


def show_again(app: Flask, ask: Callable[[], str | None]) -> None:
    """Register *ask*: when it returns an address, an expired form is shown again there in place of an error page."""
    app.extensions.setdefault(_SHOW_AGAIN, []).append(ask)


def wants_json() -> bool:
    """Return whether this endpoint is for programs (marked with ``@csrf.exempt`` and ``machine``)."""
    view = current_app.view_functions.get(request.endpoint or _endpoint_by_another_method() or "")
    return bool(getattr(view, "machine", False))


def _endpoint_by_another_method() -> str | None:
    """Return the endpoint of an address that was requested with a method it does not have."""
    error = request.routing_exception
    if not isinstance(error, MethodNotAllowed) or not error.valid_methods:
        return None
    adapter = current_app.url_map.bind("")
    return str(adapter.match(request.path, method=sorted(error.valid_methods)[0])[0])


def _csrf_refused(error: CSRFError) -> ResponseReturnValue:
    refusals.note("form_expired", detail=error.description)
    if error.description in _STALE_FORM and _was_ours():
        asks: list[Callable[[], str | None]] = current_app.extensions.get(_SHOW_AGAIN, [])
        address = next(filter(None, (ask() for ask in asks)), None)
        if address is not None:
            return see_other(address)
    return error_page(
        403,
        "form_expired",
        _("This form is no longer valid"),
        _("It was open for too long, or it came from elsewhere. Go back, reload the page and try again."),
    )


def _was_ours() -> bool:
    """Return whether we made the token of a refused form: the page is too old, or its cookie is lost."""
    try:
        made = URLSafeTimedSerializer(current_app.secret_key or "", salt="wtf-csrf-token")
        return isinstance(made.loads(request.form.get("csrf_token", "")), str)
    except BadData:
        return False


def _refused(error: MandatError) -> ResponseReturnValue:
    refusals.note(error.code, detail=error.detail)
    if error.status == 503:
        return _unavailable(error.code)
    if wants_json():
        return jsonify(error=error.code), error.status
    title, message = _words(error.status)
    return error_page(error.status, error.code, title, message)


def _http_error(error: HTTPException) -> ResponseReturnValue:
    status = error.code or 500
    if status < 400:
        return error
    retry_after = getattr(error, "retry_after", None)
    if status == 503 and not retry_after:
        return _unavailable("temporarily_unavailable")
    if wants_json():
        if status < 500:
            refusals.note("invalid_request", rule=f"http_{status}")
        answer = jsonify(error="invalid_request" if status < 500 else "server_error")
        answer.headers["Cache-Control"] = "no-store"
        if status == 405 and getattr(error, "valid_methods", None):
            answer.headers["Allow"] = ", ".join(error.valid_methods)  # type: ignore[attr-defined]
        return answer, status
    title, message = _words(status)
    response = error_page(status, f"http_{status}", title, message)
    if status == 405 and getattr(error, "valid_methods", None):
        response.headers["Allow"] = ", ".join(error.valid_methods)  # type: ignore[attr-defined]
    if retry_after:
        response.headers["Retry-After"] = str(retry_after)
    return response


def _too_fast(error: TooManyRequests) -> ResponseReturnValue:
    """Return the page for too many requests, with when to retry (RFC 6585 §4)."""
    refusals.note("too_many_requests")
    title = _("Too many requests at once")
    message = _(
        "Many requests came from your network within a minute. Nothing was saved. Wait a minute, then try again."
    )
    answer = jsonify(error="too_many_requests") if wants_json() else error_page(429, "http_429", title, message)
    answer.headers["Retry-After"] = str(error.retry_after or seconds_to_wait())
    return answer, 429


def _unexpected(error: Exception) -> ResponseReturnValue:
    """Return the page for an unexpected error: 503 while the database is unavailable, else 500."""
    cause = unavailable_cause(error)
    if cause is not None:
        log.error("database unavailable", path=request.path, cause=cause)
        return _unavailable("temporarily_unavailable")
    log.error("unexpected error", path=request.path, exc_info=error)
    if current_app.testing:
        raise error
    if wants_json():
        answer = jsonify(error="server_error")
        answer.headers["Cache-Control"] = "no-store"
        return answer, 500
    return error_page(500, "server_error", *_words(500))


def _unavailable(code: str) -> Response:
    """Return a 503 for a request that cannot be handled now, with the seconds to wait (RFC 9110 §10.2.3)."""
    answer = jsonify(error=code) if wants_json() else error_page(503, "http_503", *_words(503))
    answer.status_code = 503
    answer.headers["Retry-After"] = str(_RETRY_AFTER)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _words(status: int) -> tuple[str, str]:
    sentences = {
        400: (_("This request cannot be read"), _("Go back to the previous page and try again.")),
        403: (
            _("You may not do this"),
            _("Your role does not allow it."),
        ),
        404: (_("Page not found"), _("The address is wrong, or the page is not yours to see.")),
        405: (_("This request cannot be read"), _("Go back to the previous page and try again.")),
        409: (_("Someone changed this meanwhile"), _("Nothing was saved. Reload the page to see the present state.")),
        413: (_("What you sent is too large"), _("Shorten the text or choose a smaller file, then send it again.")),
        429: (_("Too many tries"), _("Wait a few minutes, then try again.")),
        503: (_("The service is briefly unavailable"), _("Nothing was lost. Try again in a few minutes.")),
    }
    unexpected = (_("Something went wrong on our side"), _("Nothing was saved. Try again; if it persists, call us."))
    return sentences.get(status, unexpected if status >= 500 else sentences[400])
