"""The pending flows of a browser, each with its own number: an interaction, a sign-in, an activation, a recovery.

The number is public. It stands in the address, as the prefix ``/~<number>`` of the path or as the parameter
``interaction``, and grants nothing by itself: its secret is in a cookie of the same number, so that several flows
coexist in one browser and no response overwrites the flow of another tab. The database keeps the digest of the secret
only (docs/adr/0019).

The number of an interaction has 32 hexadecimal digits; a flow begun for no agency has a number of 16.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

from flask import Flask, Response, has_request_context, request

from ..i18n import gettext as _
from .web import ReturnLink, current_settings, now, set_way_back

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_PREFIX = re.compile(r"/~([0-9a-f]{32}|[0-9a-f]{16})(?=/)")
_INTERACTION = re.compile(r"[0-9a-f]{32}")
_NUMBER = re.compile(r"[0-9a-f]{32}|[0-9a-f]{16}")
_ENVIRON, _CHANGES = "mandat.number", "mandat.binding_changes"
_PARAMETER = "interaction"


@dataclass(frozen=True, slots=True)
class BindingKind:
    """A kind of flow: how long its browser keeps the secret, and *most* how many; the oldest is dropped."""

    name: str
    life: timedelta
    most: int = 5


def init_bindings(app: Flask) -> None:
    """Let addresses of *app* start with a number, and write the cookies of a response."""
    inner: Callable[..., Iterable[bytes]] = app.wsgi_app

    def numbered(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        found = _PREFIX.match(environ.get("PATH_INFO", ""))
        if found:
            environ[_ENVIRON] = found[1]
            environ["PATH_INFO"] = environ["PATH_INFO"][found.end() :]
        return inner(environ, start_response)

    app.wsgi_app = numbered  # type: ignore[method-assign]
    app.after_request(_write)
    app.context_processor(lambda: {"at": prefix()})
    set_way_back(app, _way_back)


def path_number() -> str | None:
    """Return the number at the start of this request's path."""
    number: str | None = request.environ.get(_ENVIRON)
    return number


def current_number() -> str | None:
    """Return the number of this request: at the start of its path, in its query, or in the address it leads to."""
    return path_number() or _named(request.args.get(_PARAMETER)) or number_in(request.args.get("next"))


def current_interaction() -> str | None:
    """Return the number of this request's interaction."""
    number = current_number()
    return number if number is not None and _INTERACTION.fullmatch(number) else None


def is_for_agency(address: str) -> bool:
    """Return whether an address continues an interaction."""
    number = number_in(address)
    return number is not None and _INTERACTION.fullmatch(number) is not None


def number_in(address: str | None) -> str | None:
    """Return the number in an address of this site."""
    if not address:
        return None
    parts = urlsplit(address)
    found = _PREFIX.match(parts.path)
    return found[1] if found else _named(next(iter(parse_qs(parts.query).get(_PARAMETER, ())), None))


def prefix() -> str:
    """Return the path prefix that makes a linked page belong to the same flow."""
    number = current_number() if has_request_context() else None  # a message has no address of its own
    return f"/~{number}" if number else ""


def at(path: str) -> str:
    """Return *path* with the prefix of this request's flow."""
    return f"{prefix()}{path}"


def own_address(path: str | None = None) -> str:
    """Return the address of this request, or *path* beside it, as the browser knows it, so that it can be reopened."""
    front = f"/~{number}" if (number := path_number()) else ""
    asked = request.query_string.decode("ascii", "ignore")
    return f"{front}{path or request.path}?{asked}".rstrip("?")


def resume_path(interaction_id: str) -> str:
    """Return the one address to which every page of an interaction returns."""
    return f"/authorize?{urlencode({_PARAMETER: interaction_id})}"


def cancel_path(interaction_id: str, *, is_over: bool = False) -> str:
    """Return the address that cancels an interaction and returns to the agency; if it *is_over*, its own page."""
    asked = {_PARAMETER: interaction_id, **({"over": "1"} if is_over else {})}
    return f"/interaction/cancel?{urlencode(asked)}"


def _way_back() -> ReturnLink | None:
    """Return how an error page leads back to the agency, from the address alone: nothing is read for it."""
    number = current_interaction()
    return ReturnLink(_("Return to the agency"), cancel_path(number)) if number else None


def bind(kind: BindingKind, secret: str, number: str | None = None) -> str:
    """Keep *secret* in this browser under *number*, or under a new one; return the number."""
    number = number or secrets.token_hex(8)
    kept = _of(kind)
    kept.pop(number, None)
    for oldest in sorted(kept, key=lambda one: kept[one][0])[: max(0, len(kept) - kind.most + 1)]:
        release(kind, oldest)
    latest = max((since for since, _kept in kept.values()), default=0)
    since = max(int(now().timestamp() * 1000), latest + 1)  # two begun within a millisecond are ordered too
    _changes()[_name(kind, number)] = (f"{since:x}.{secret}", kind.life)
    return number


def secret(kind: BindingKind, number: str | None) -> str | None:
    """Return the secret this browser keeps under *number*."""
    found = _of(kind).get(number) if number else None
    return found[1] if found else None


def newest(kind: BindingKind) -> str | None:
    """Return the number of the most recent flow in this browser."""
    kept = _of(kind)
    return max(kept, key=lambda number: kept[number][0]) if kept else None


def number_of(kind: BindingKind) -> str | None:
    """Return the number at the start of this request's path, or of the most recent flow when there is none."""
    return path_number() or newest(kind)


def current_secret(kind: BindingKind) -> str | None:
    """Return the secret of this request's flow."""
    return secret(kind, number_of(kind))


def release(kind: BindingKind, number: str | None) -> None:
    """Remove the secret this browser keeps under *number*."""
    if number is not None and number in _of(kind):
        _changes()[_name(kind, number)] = ("", kind.life)


def release_current(kind: BindingKind) -> None:
    """Remove the secret of this request's flow."""
    release(kind, number_of(kind))


def release_all(*kinds: BindingKind, but: str | None = None) -> None:
    """Remove every secret of these kinds, except the one with the number *but*."""
    for kind in kinds:
        for number in _of(kind):
            if number != but:
                release(kind, number)


def _named(number: str | None) -> str | None:
    return number if number and _NUMBER.fullmatch(number) else None


def _name(kind: BindingKind, number: str) -> str:
    front = "__Host-" if current_settings().secure else ""
    return f"{front}mandat-{kind.name}-{number}"


def _of(kind: BindingKind) -> dict[str, tuple[int, str]]:
    """Return the secrets of a kind by number, each with its start."""
    start = _name(kind, "")
    values = dict(request.cookies.items()) | {name: value for name, (value, _life) in _changes().items()}
    found = {}
    for name, value in values.items():
        number, (since, _dot, kept) = name.removeprefix(start), value.partition(".")
        if name.startswith(start) and _NUMBER.fullmatch(number) and kept and re.fullmatch(r"[0-9a-f]{1,12}", since):
            found[number] = (int(since, 16), kept)
    return found


def _changes() -> dict[str, tuple[str, timedelta]]:
    """Return the cookies this response sets; an empty value removes the cookie."""
    changes: dict[str, tuple[str, timedelta]] = request.environ.setdefault(_CHANGES, {})
    return changes


def _write(response: Response) -> Response:
    for name, (value, life) in _changes().items():
        options: dict[str, Any] = {
            "secure": current_settings().secure,
            "httponly": True,
            "samesite": "Lax",
            "path": "/",
        }
        if value:
            response.set_cookie(name, value, max_age=life, **options)
        elif name in request.cookies:
            response.delete_cookie(name, **options)
    return response
