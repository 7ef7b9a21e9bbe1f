"""The look: the committed stylesheet is the one of ``theme/``, and no page breaks the content security policy."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest
from flask import Flask, render_template_string
from flask.testing import FlaskClient

from idp.config import folder

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = sorted([*folder("templates").rglob("*.html"), *(ROOT / "examples").rglob("*.html")])
STYLESHEET = folder("static") / "css" / "app.css"
# what the macros of govuk-frontend-jinja say when nobody gives them our words
ENGLISH_DEFAULTS = (
    "There is a problem",
    "Error:",
    "Show password",
    "Hide password",
    "Your password is",
    "Breadcrumb",
    "Pagination",
    "Previous",
    "Next",
    "Skip to main content",
    "Warning",
    "Important",
    "Success",
    "Back",
)


def test_the_stylesheet_is_the_one_of_the_theme() -> None:
    """The digest in the first line is that of the sources: ``npm run build`` in ``theme/`` renews it."""
    digest = hashlib.sha256()
    theme = ROOT / "theme"
    for path in sorted(path for path in theme.iterdir() if path.suffix in (".scss", ".mjs", ".json")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")

    assert f"theme sha256:{digest.hexdigest()}" in STYLESHEET.read_text().splitlines()[0]


def test_the_stylesheet_loads_nothing_from_elsewhere() -> None:
    """Every address in the stylesheet is a font of ours, and the font is there."""
    addresses = re.findall(r"url\(([^)]*)\)", STYLESHEET.read_text())

    assert addresses
    for address in addresses:
        assert (STYLESHEET.parent / address.strip("\"'")).resolve().is_file(), address


def test_no_crown_nor_crest_of_another_government() -> None:
    """GOV.UK's own header and footer are not compiled in (their signs are reserved)."""
    stylesheet = STYLESHEET.read_text()

    for mark in ("crest", "govuk-header__logotype", "GDS Transport"):
        assert mark not in stylesheet


def test_the_lock_of_the_theme_names_no_registry() -> None:
    """The lock pins versions and digests; where they come from is the maintainer's setting."""
    lock = (ROOT / "theme" / "package-lock.json").read_text()

    assert "http" not in lock
    packages = json.loads(lock)["packages"]
    assert all("integrity" in package for name, package in packages.items() if name)


MAIL = (
    ROOT / "templates" / "notices" / "mail.html"
)  # read by mail programs, under no policy of ours, without any style sheet


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_template_holds_no_inline_style_or_script(path: Path) -> None:
    """The policy has no ``unsafe-inline``: such attributes would be dead, and a sign of data put in the wrong place."""
    text = path.read_text()

    if path != MAIL:
        assert not re.search(r"<[^>]*\sstyle\s*=", text)
    assert not re.search(r"<[^>{]*\son[a-z]+\s*=", text)
    assert "<style" not in text
    assert "javascript:" not in text.lower()
    assert not re.search(r"<script(?![^>]*\ssrc=)", text)
    assert not re.search(r"(?:src|href)=[\"']https?://", text)


EVERY_PIECE = """{% extends 'base.html' %}
{% from '_govuk.html' import button, print_button, error_summary, summary_list, tag, warning_text, inset, notification,
   panel, details, details_block, back_link, breadcrumbs, pagination, task_list, timeline, data_table %}
{% block title %}Tout{% endblock %}
{% block beforeContent %}{{ breadcrumbs([{'text': 'A', 'href': '/'}, {'text': 'B'}]) }}{{ back_link('/') }}{% endblock %}
{% block content %}{{ panel('Titre', 'Texte') }}{{ error_summary([{'text': 'Faute', 'href': '#x'}]) }}
{{ summary_list([{'key': 'Nom', 'value': person, 'href': '/x'}]) }}{{ warning_text(person) }}{{ inset(person) }}
{{ notification(person, 'success') }}{{ notification(person) }}{{ notification(person, 'warning') }}
{{ details('Q', person) }}{% call details_block('Q') %}<p>R</p>{% endcall %}{{ pagination(3, 9, '/x?page={page}') }}
{{ task_list([{'title': person, 'href': none, 'status': 'S', 'status_colour': 'green', 'hint': person}]) }}
{{ timeline([{'when': 'W', 'title': person, 'text': person}]) }}{{ data_table(person, [person], [[person, tag(person)]]) }}
{{ button(person, name='n', value=person) }}{{ print_button() }}{% endblock %}"""


def everything(app: Flask, language: str) -> str:
    with app.app_context(), app.test_request_context(f"/?lang={language}"):  # a context of its own, as a request has
        return render_template_string(EVERY_PIECE, person="<b>Ana</b>")


def said(page: str) -> str:
    """Return what a page says, to the eye or to a screen reader."""
    return re.sub(r"<[^>]*>", " ", page) + " ".join(re.findall(r'(?:aria-label|data-i18n[^=]*|title)="([^"]*)"', page))


def test_every_piece_speaks_french(app: Flask) -> None:
    """No English default of the macros is left on a French page."""
    words = said(everything(app, "fr"))

    assert [
        default for default in ENGLISH_DEFAULTS if re.search(rf"\b{default}", words) and default != "Important"
    ] == []


def test_every_piece_speaks_english_after_french(app: Flask) -> None:
    """The macros keep no sentence from one request to the next."""
    assert "Il y a un problème" in everything(app, "fr")
    assert "There is a problem" in everything(app, "en")
    assert "Il y a un problème" in everything(app, "fr")


def test_every_piece_escapes_what_a_person_typed(app: Flask) -> None:
    """A name with markup is shown as it was typed, in every macro."""
    page = everything(app, "fr")

    assert "<b>Ana" not in page
    assert "&lt;b&gt;Ana&lt;/b&gt;" in page


@pytest.mark.parametrize("path", ["/", "/help", "/accessibility", "/privacy", "/nowhere"])
@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_public_page_has_its_frame(client: FlaskClient, path: str, language: str) -> None:
    """One h1, a title, the language of the page, a switch that stays on the page, and no word of the other language."""
    page = client.get(f"{path}?lang={language}&x=%26y").text
    other = "en" if language == "fr" else "fr"

    assert f'<html lang="{language}"' in page
    assert page.count("<h1") == 1
    assert re.search(r"<title>\s*\S.* – Mandat</title>", page)
    assert f'id="language-switch" href="?x=%26y&amp;lang={other}" lang="{other}"' in page
    assert ("Charter of the French language" in page) == (language == "en")
    assert ("Passer au contenu principal" in page) == (language == "fr")


def test_the_switch_never_leaves_the_site(client: FlaskClient) -> None:
    """Even at an odd address the switch is a relative reference."""
    page = client.get("//elsewhere.example/%22%3E%3Cscript%3E?lang=fr", follow_redirects=True).text

    assert 'href="?lang=en"' in page
    assert "<script>" not in page


def test_the_language_chosen_is_kept(client: FlaskClient) -> None:
    """French by default whatever the browser prefers; English once chosen, on the next page too."""
    headers = {"Accept-Language": "en"}
    assert '<html lang="fr"' in client.get("/", headers=headers).text

    client.get("/?lang=en")

    assert '<html lang="en"' in client.get("/help").text


def test_a_lost_page_gives_a_code_and_a_reference(client: FlaskClient) -> None:
    """The two words to say on the telephone."""
    page = client.get("/nowhere").text

    assert '<dd id="error-code" class="app-mono">http_404</dd>' in page
    assert re.search(r'id="error-reference" class="app-mono">[0-9a-f]{12}<', page)
