"""Two languages: French by default and complete, English on choice.

Each room of the code has its own catalogue (a gettext domain named after it), so that a sentence lives beside the code
that says it. ``Accept-Language`` never switches the language (interface.md §5).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any, Literal, cast
from urllib.parse import quote, urlencode

import flask_babel
from babel.dates import format_date, format_time
from babel.numbers import format_currency
from babel.support import NullTranslations, Translations
from flask import Flask, current_app, g, has_request_context, request, session
from flask_babel import Babel, force_locale, get_locale
from flask_babel import lazy_gettext as lazy_gettext
from jinja2 import pass_eval_context
from jinja2.nodes import EvalContext
from markupsafe import Markup

from .clock import TORONTO
from .config import folder
from .identifiers import Neq, with_neq

Language = Literal["fr", "en"]
LANGUAGES: tuple[Language, ...] = ("fr", "en")
LOCALES: dict[str, str] = {"fr": "fr_CA", "en": "en_CA"}
DOMAINS = ("shell", "pages", "accounts", "enrollment", "delegation", "oidc", "support", "my_data", "notices", "audit")
NBSP = "\u00a0"
ASKED_LANGUAGE = "asked_language"  # by an agency: in ``g`` for this request, in the session for the pages that follow

babel = Babel()
_CATALOGUES: dict[str, Translations | NullTranslations] = {}


def gettext(sentence: str, **values: object) -> str:
    """Return *sentence* in the person's language, *values* filled in."""
    return str(flask_babel.gettext(sentence, **values))


def ngettext(one: str, many: str, num: int, **values: object) -> str:
    """Return the form of a sentence for *num* things, in the person's language."""
    return str(flask_babel.ngettext(one, many, num, **values))


def init_i18n(app: Flask) -> None:
    """Bind the catalogues and the filters of both languages to *app*."""
    directory = str(folder("translations"))
    app.config["BABEL_DEFAULT_LOCALE"] = "fr"
    app.config["BABEL_DOMAIN"] = ";".join(DOMAINS)
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = ";".join([directory] * len(DOMAINS))
    babel.init_app(app, locale_selector=current_language)
    app.jinja_env.globals.update(gettext=_say, _=_say)
    app.jinja_env.filters.update(date=long_date, datetime=long_datetime, money=money, neq=show_neq, with_neq=_with_neq)
    app.before_request(_remember_language)


@pass_eval_context
def _say(context: EvalContext, sentence: str, **values: object) -> str:
    """Return a sentence of a template: markup where the template escapes, as the extension of Jinja does by a longer way."""
    said = _catalogue().gettext(sentence)
    return (Markup(said) if context.autoescape else said) % values  # noqa: S704 (a translation; values are escaped)


def _catalogue() -> Translations | NullTranslations:
    """Return the sentences of this request's language, found at once after the first time."""
    language = getattr(get_locale(), "language", None)
    found = _CATALOGUES.get(language) if language else None
    if found is None:
        found = flask_babel.get_translations()
        if language:
            _CATALOGUES[language] = found
    return found


def current_language() -> Language:
    """Return the language of this request: the address, the person's choice, the agency's wish, the account's, then French."""
    if not has_request_context():
        return "fr"
    wished = g.get(ASKED_LANGUAGE) or session.get(ASKED_LANGUAGE)
    for wish in (request.args.get("lang"), session.get("lang"), wished, g.get("preferred_language")):
        if wish in LANGUAGES:
            return cast(Language, wish)
    return "fr"


def switch_address() -> str:
    """Return the address of this page in the other language.

    A relative reference keeps the page, and what its address asks; one that answers nothing but POST leads home. What is made
    for no request, an e-mail or a letter, has no other page.
    """
    if not has_request_context():
        return ""
    other = "en" if current_language() == "fr" else "fr"
    rule = request.url_rule
    if rule is not None and "GET" not in (rule.methods or ()):
        return f"/?lang={other}"
    asked = [(name, value) for name, value in request.args.items(multi=True) if name != "lang"]
    return f"?{urlencode([*asked, ('lang', other)], quote_via=quote)}"


def _remember_language() -> None:
    """Keep the language asked for; never on a POST, which other sites send without our cookie: it would be replaced."""
    if request.method != "GET" or getattr(current_app.view_functions.get(request.endpoint or ""), "machine", False):
        return
    wish = request.args.get("lang")
    if wish in LANGUAGES and session.get("lang") != wish:
        session["lang"] = wish


@contextmanager
def in_language(language: Language) -> Iterator[None]:
    """Say what follows in *language*, the person who asks (letters, e-mails, workers)."""
    with force_locale(language):
        yield


def _locale() -> str:
    locale = get_locale()
    return LOCALES.get(str(locale)[:2], "fr_CA") if locale else "fr_CA"


def long_date(value: date | datetime) -> str:
    """Return *value* as a date in full, in the person's language and Québec's time."""
    day = value.astimezone(TORONTO).date() if isinstance(value, datetime) else value
    written = format_date(day, format="long", locale=_locale()).replace(" ", NBSP)
    return f"1er{written[1:]}" if day.day == 1 and _locale() == "fr_CA" else written


def long_datetime(value: datetime) -> str:
    """Return *value* as ``23 novembre 2026 à 14 h 03`` or ``November 23, 2026 at 2:03 p.m.``."""
    local = value.astimezone(TORONTO)
    clock = format_time(local, format="short", locale=_locale()).replace(" ", NBSP).replace("\u202f", NBSP)
    joint = "à" if _locale() == "fr_CA" else "at"
    return f"{long_date(value)} {joint} {clock}"


def money(amount: Any) -> str:
    """Return an amount in Canadian dollars as the language writes it."""
    return str(format_currency(amount, "CAD", locale=_locale())).replace(" ", NBSP)


def _with_neq(enterprise: Any) -> str:
    """Return the name of what has a name and a NEQ, with both."""
    return with_neq(enterprise.name, enterprise.neq)


def show_neq(neq: Neq | str) -> str:
    """Return a NEQ in groups, ``1100 000 018``."""
    return str(neq if isinstance(neq, Neq) else Neq(neq))
