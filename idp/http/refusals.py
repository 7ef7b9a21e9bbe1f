"""One log line per refusal: the caller, the request, the address, and the rule that refused it.

:func:`note` records the reason where it is known; the line is written once, with the response. A 4xx response without a
recorded reason is logged too, with the error that it names or the name of its status; only pages that do not exist
(404) and forms shown again (422) are left out. The address is a keyed digest unless ``IDP_LOG_ADDRESSES`` says
otherwise (docs/privacy.md).
"""

from __future__ import annotations

from collections.abc import Callable

import structlog
from flask import Flask, Response, current_app, g, request
from sqlalchemy.exc import SQLAlchemyError

from ..config import Settings
from ..crypto.sealing import current_sealing
from .limits import counted_address

ANONYMOUS = "anonymous"
_LONGEST = 200  # characters of a value that the sender chose
_UNEXPLAINED = frozenset({404, 422})
_BY_STATUS = {400: "invalid_request", 401: "not_authenticated", 403: "not_allowed", 429: "too_many_requests"}
_READERS, _NOTED, _ACTOR = "mandat.actor_readers", "mandat_refusal", "mandat_refusal_actor"

log = structlog.get_logger("mandat.refusals")


def init_refusals(app: Flask) -> None:
    """Write a line for every refusal of *app*."""
    app.extensions[_READERS] = []
    app.after_request(_write)


def add_actor_reader(app: Flask, reader: Callable[[], str | None]) -> None:
    """Register a reader of the caller behind a request (``person:<id>``); it runs only for a refused request."""
    app.extensions[_READERS].append(reader)


def note(reason: str, **details: object) -> None:
    """Record the rule that refuses this request, a stable code, and details that explain it; never a secret.

    The first reason stays; later details are added to it.
    """
    noted: dict[str, object] = g.setdefault(_NOTED, {"reason": reason})
    noted.update({name: value for name, value in details.items() if value not in (None, "")})


def act_as(actor: str) -> None:
    """Record the authenticated caller of this request, for example ``client:<id>``."""
    g.mandat_refusal_actor = actor


def logged_address() -> str:
    """Return the sender's address in the form allowed in the log."""
    settings: Settings = current_app.extensions["mandat.settings"]
    if settings.log_addresses == "plain":
        return counted_address()
    return current_sealing().keyed_digest(counted_address(), "log-address")[:16]


def _write(response: Response) -> Response:
    noted: dict[str, object] | None = g.get(_NOTED)
    status = response.status_code
    if noted is None and not (400 <= status < 500 and status not in _UNEXPLAINED):
        return response
    line = {
        "reason": _reason(response),
        "status": status,
        "method": request.method,
        "route": str(request.url_rule) if request.url_rule else None,
        "path": request.path[:_LONGEST],
        "actor": _actor(),
        "address": logged_address(),
        **{name: str(value)[:_LONGEST] for name, value in (noted or {}).items()},
    }
    line.setdefault("rule", line["reason"])
    (log.warning if status in (403, 429) else log.info)("refused", **line)
    return response


def _reason(response: Response) -> str:
    told = response.get_json(silent=True) if response.is_json else None
    named = told.get("error") if isinstance(told, dict) else None
    return str(named or _BY_STATUS.get(response.status_code, f"http_{response.status_code}"))[:_LONGEST]


def _actor() -> str:
    known: str | None = g.get(_ACTOR)
    if known is not None:
        return known
    try:
        return next((found for reader in current_app.extensions[_READERS] if (found := reader())), ANONYMOUS)
    except SQLAlchemyError as error:  # the database may be the cause of the failure: the refusal is logged all the same
        return f"unknown ({type(error).__name__})"
