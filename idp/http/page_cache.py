"""Pages for visitors, rendered once: they differ only in a few places, filled in for each request.

Rendering such a page costs as much as the rest of its request, and the sign-in page must withstand bursts. A template
is rendered with a mark in each place; the text between the marks is cached, for each language and for each value that
the template may test.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from flask import Flask, current_app, g, render_template, session
from flask_wtf import FlaskForm
from flask_wtf.csrf import generate_csrf
from markupsafe import escape

from ..i18n import current_language, switch_address

_KEPT = 128  # pages in each process: a dozen, in two languages, with and without an agency
_CACHE = "mandat.page_cache"
_TOKEN, _SWITCH = "csrf_token", "switch"


@dataclass(frozen=True, slots=True)
class _PageCache:
    """The cached pages, and the random string of the marks: new in each process, so that it cannot be typed."""

    pages: dict[object, tuple[str, ...]] = field(default_factory=dict)
    separator: str = field(default_factory=lambda: secrets.token_hex(16))

    def marker(self, place: str) -> str:
        return f"{self.separator}{place}{self.separator}"

    def cut(self, page: str) -> tuple[str, ...]:
        """Return a page as alternating texts and names of places."""
        return tuple(re.split(f"{self.separator}([a-z_]+){self.separator}", page))


def init_page_cache(app: Flask) -> None:
    """Give *app* its page cache."""
    app.extensions[_CACHE] = _PageCache()


def visitor_page(template: str, form: FlaskForm | Callable[[], FlaskForm], **values: str | bool | None) -> str:
    """Return the page of *template* with a *form*, or with an empty one of the class given.

    A text among *values* is filled in, escaped: the template may only show it and test its presence. It may branch on
    the other values and on the language. Any other page is rendered again: a submitted form, the name of a signed-in
    person, a message of the previous page.
    """
    if isinstance(form, FlaskForm):
        return render_template(template, form=form, **values)
    if g.get("viewer") is not None or "_flashes" in session:
        return render_template(template, form=form(), **values)
    texts = {name: value for name, value in values.items() if isinstance(value, str)}
    texts[_SWITCH] = switch_address()
    decisive = {name: value for name, value in values.items() if not isinstance(value, str)}
    cache: _PageCache = current_app.extensions[_CACHE]
    key = (template, current_language(), *texts, *decisive.items())
    pieces = cache.pages.get(key)
    if pieces is None:
        pieces = _make(cache, template, form(), texts, decisive)
        if len(cache.pages) < _KEPT:
            cache.pages[key] = pieces
    return _fill(pieces, texts)


def _make(
    cache: _PageCache, template: str, form: FlaskForm, texts: Mapping[str, str], decisive: Mapping[str, bool | None]
) -> tuple[str, ...]:
    marks = {name: cache.marker(name) for name in texts}
    g.csrf_token = cache.marker(_TOKEN)  # where Flask-WTF keeps the token of a request
    try:
        return cache.cut(render_template(template, form=form, **marks, **decisive))
    finally:
        g.pop(_TOKEN)


def _fill(pieces: tuple[str, ...], texts: Mapping[str, str]) -> str:
    filled = list(pieces)
    for number in range(1, len(pieces), 2):
        place = pieces[number]
        filled[number] = generate_csrf() if place == _TOKEN else str(escape(texts[place]))
    return "".join(filled)
