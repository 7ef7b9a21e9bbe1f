"""Access to pages: every page of a block is registered here, and its block is checked at each request."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from flask import Flask, current_app, redirect, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from . import kept, sessions
from .access import PATHS, Refusal, Rights
from .application_store import Applications
from .database import Database
from .forms import whole
from .sessions import Acting, PortalSession, RightLostError
from .settings import PortalSettings
from .store import Store, today

COOKIE = "portal"
_TOKEN = re.compile(r"[A-Za-z0-9_-]{8,64}")


@dataclass(frozen=True, slots=True)
class BlockPage:
    """A page of a block."""

    rule: str
    endpoint: str
    block: str
    view: Callable[..., ResponseReturnValue]
    takes_forms: bool = False


def settings() -> PortalSettings:
    """Return the settings of the running portal."""
    found: PortalSettings = current_app.extensions["portal.settings"]
    return found


def database() -> Database:
    """Return the database of the running portal."""
    found: Database = current_app.extensions["portal.database"]
    return found


def store() -> Store:
    """Return the business data of the running portal."""
    found: Store = current_app.extensions["portal.store"]
    return found


def applications() -> Applications:
    """Return the applications of the running portal."""
    return Applications(store())


def now() -> datetime:
    """Return the current instant."""
    return datetime.now(UTC)


def current_session() -> PortalSession | None:
    """Return the session of this browser, even when it was ended."""
    return sessions.find_session(database(), request.cookies.get(COOKIE))


def acting(current: PortalSession, rights: Rights, block: str) -> Acting:
    """Return the person who writes; the writing transaction reads their right again."""
    return Acting(current.id_hash, current.account, rights.enterprise_id, block, now())


def form_token() -> str:
    """Return the number of the submitted form, which identifies a second submission; empty when it has none."""
    token = request.form.get("once", "")
    return token if _TOKEN.fullmatch(token) else ""


def page_number() -> int:
    """Return the requested page number of a list."""
    return whole(request.args.get("page"), 1)


def register(app: Flask, pages: tuple[BlockPage, ...]) -> None:
    """Add pages to *app*, each behind its block."""
    for page in pages:
        methods = ["GET", "POST"] if page.takes_forms else ["GET"]
        app.add_url_rule(page.rule, page.endpoint, _behind(page.block, page.view), methods=methods)
        app.extensions.setdefault("portal.pages", {})[page.endpoint] = page


def is_page(path: str) -> bool:
    """Return whether *path* is a page of a block, without a query."""
    try:
        endpoint, _values = current_app.url_map.bind("").match(path, method="GET")
    except (HTTPException, ValueError):
        return False
    return endpoint in current_app.extensions["portal.pages"]


def block_page(name: str, current: PortalSession, block: str, status: int = 200, **values: Any) -> tuple[str, int]:
    """Show a page of a block."""
    page = render_template(name, session=current, rights=current.rights, block=block, **values)
    return page, status


def not_found(current: PortalSession | None = None) -> ResponseReturnValue:
    """Show that the page does not exist, or that this enterprise has nothing under that number."""
    return render_template("notice.html", title_key="not_found", session=current), 404


def stale_answer(current: PortalSession) -> ResponseReturnValue | None:
    """Return the response for an ended session or one to be refreshed; what was typed is kept."""
    enterprise = current.rights.enterprise_id if current.rights else ""
    has_ended = current.ended_at is not None
    if not has_ended and current.is_fresh(now()):
        return None
    text: dict[str, str] = {}
    if request.method == "POST":
        text = kept.keep(database(), current.account, enterprise, request.path, request.form, now())
    if has_ended:
        page = render_template("removed.html", ended_at=current.ended_at, next=request.path, typed=text)
        return page, 403
    return redirect("/sign-in?" + urlencode({"again": "silent", "next": request.path}), code=303)


def _behind(block: str, view: Callable[..., ResponseReturnValue]) -> Callable[..., ResponseReturnValue]:
    """Open *view* only to a session that has *block* now."""

    @wraps(view)
    def checked(**values: Any) -> ResponseReturnValue:
        current = current_session()
        if current is None:
            return _nobody_here(block)
        stale = stale_answer(current)
        if stale is not None:
            return stale
        refusal = current.rights.refusal(block) if current.rights else Refusal.NO_ENTERPRISE
        if refusal is not None or current.rights is None:
            return _refused(current, block, refusal)
        if (
            request.method == "POST"
            and request.form.get("acting_for", current.rights.enterprise_id) != current.rights.enterprise_id
        ):
            page = render_template(
                "other_enterprise.html", session=current, rights=current.rights, typed=kept.typed(request.form)
            )
            return page, 409
        store().welcome(current.rights.enterprise_id, today())
        try:
            return view(current, current.rights, **values)
        except RightLostError:
            return _right_lost(block)

    return checked


def _nobody_here(block: str) -> ResponseReturnValue:
    """Lead to the sign-in; a person who had typed something sees their text first."""
    text = kept.typed(request.form) if request.method == "POST" else {}
    if text:
        return render_template("signed_out_meanwhile.html", next=PATHS[block], typed=text), 403
    return redirect("/sign-in?" + urlencode({"next": PATHS[block]}))


def _refused(current: PortalSession, block: str, refusal: Refusal | None) -> ResponseReturnValue:
    enterprise = current.rights.enterprise_id if current.rights else ""
    if request.method == "POST":
        text = kept.keep(database(), current.account, enterprise, request.path, request.form, now())
    else:
        text = kept.find(database(), current.account, enterprise, request.path, now())
    page = render_template(
        "refused.html",
        session=current,
        rights=current.rights,
        block=block,
        refusal=refusal,
        path=PATHS[block],
        typed={name: value for name, value in text.items() if name in kept.LABELS},
        provider=settings().provider_pages,
    )
    return page, 403


def _right_lost(block: str) -> ResponseReturnValue:
    """Return the response for a session that ended between the check of a page and its transaction."""
    current = current_session()
    if current is None:
        return _nobody_here(block)
    return stale_answer(current) or _refused(current, block, Refusal.BLOCK_NOT_HELD)
