"""Pages that are made once: the same as made anew for everybody, and nothing of anybody is kept."""

from __future__ import annotations

import pytest
from flask import Flask, g, render_template, session
from flask_wtf.csrf import generate_csrf

from idp.accounts.forms import SignInForm
from idp.http import page_cache
from idp.http.web import Viewer

PAGE = "accounts/sign_in.html"
AGENCY = 'Bureau <b>d’essai</b> & "fils"'
STRANGER: dict[str, str | bool | None] = {
    "passkey": "/sign-in/passkey?next=%2Fhome", "agency_name": None, "cancel_path": None, "asks_again": False,
}  # fmt: skip
ON_THE_WAY = {**STRANGER, "agency_name": AGENCY, "cancel_path": "/interaction/cancel?interaction=one&more=two"}


@pytest.fixture
def renderings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Count how often a template is rendered."""
    made: list[str] = []

    def render(template: str, **context: object) -> str:
        made.append(template)
        return render_template(template, **context)

    monkeypatch.setattr(page_cache, "render_template", render)
    return made


def _page(app: Flask, values: dict[str, str | bool | None], address: str = "/sign-in") -> tuple[str, str]:
    """Return the page as it is given, and as it is made anew for the same browser."""
    with app.app_context(), app.test_request_context(address):
        given = page_cache.visitor_page(PAGE, SignInForm, **values)
        return given, render_template(PAGE, form=SignInForm(), **values)


@pytest.mark.parametrize("values", [STRANGER, ON_THE_WAY], ids=["stranger", "on the way to an agency"])
@pytest.mark.parametrize("address", ["/sign-in", "/sign-in?lang=en", "/sign-in?next=/home%3Fa%3D1&b=%22%3E&lang=en"])
def test_it_is_the_page_made_anew(
    app: Flask, renderings: list[str], values: dict[str, str | bool | None], address: str
) -> None:
    """The first time and the second, sign for sign: what is filled in is escaped as the template does it."""
    first, second = (_page(app, values, address) for _ in range(2))

    assert first[0] == first[1]
    assert second[0] == second[1]
    assert renderings == [PAGE]


def test_each_browser_has_its_own_places(app: Flask, renderings: list[str]) -> None:
    """Two browsers at one kept page have two form tokens, each its own agency and its own way back."""
    pages = []
    for name in ("Un", "Deux"):
        with app.app_context(), app.test_request_context("/sign-in"):
            page = page_cache.visitor_page(PAGE, SignInForm, **{**ON_THE_WAY, "agency_name": name})
            pages.append((page, generate_csrf(), name))

    assert renderings == [PAGE]
    for (page, token, name), (other, _, _) in (pages, pages[::-1]):
        assert token in page
        assert token not in other
        assert f"Pour continuer vers {name}" in page.replace("\u00a0", " ")


def test_each_language_has_its_own_page(app: Flask, renderings: list[str]) -> None:
    """Whoever asks for English after a page in French was kept reads English, and the next one French again."""
    pages = [_page(app, STRANGER, address) for address in ("/sign-in", "/sign-in?lang=en", "/sign-in")]

    assert ["Sign in" in given for given, _ in pages] == [False, True, False]
    assert all(given == anew for given, anew in pages)
    assert len(renderings) == 2


def test_what_a_page_decides_by_is_another_page(app: Flask, renderings: list[str]) -> None:
    """A page with a passkey and one without, a page of an agency and one of none, are not taken for one another."""
    for values in (STRANGER, {**STRANGER, "passkey": None}, ON_THE_WAY, {**ON_THE_WAY, "asks_again": True}):
        given, anew = _page(app, values)
        assert given == anew

    assert len(renderings) == 4


@pytest.mark.parametrize("personal", ["viewer", "message", "form"])
def test_what_is_somebodys_is_made_anew(app: Flask, renderings: list[str], personal: str) -> None:
    """A name, a message and a form that was sent stand on the page they belong to, and on no other."""
    sent = app.test_request_context("/sign-in", method="POST", data={"username": "Zoé-Personnelle"})
    with app.app_context(), sent:
        form: SignInForm | type[SignInForm] = SignInForm
        if personal == "viewer":
            g.viewer = Viewer("Zoé-Personnelle")
        elif personal == "message":
            session["_flashes"] = [("success", "Zoé-Personnelle")]
        else:
            form = SignInForm()
        theirs = page_cache.visitor_page(PAGE, form, **STRANGER)
    others, _ = _page(app, STRANGER)

    assert "Zoé-Personnelle" in theirs
    assert "Zoé-Personnelle" not in others
    assert len(renderings) == 2


def test_no_mark_is_left(app: Flask) -> None:
    """Whatever stands in a page as it is given, the marks of its places do not."""
    given, _ = _page(app, ON_THE_WAY)

    assert app.extensions[page_cache._CACHE].separator not in given


def test_the_shelf_is_bounded(app: Flask, monkeypatch: pytest.MonkeyPatch, renderings: list[str]) -> None:
    """A page that finds no place is given all the same, each time anew."""
    monkeypatch.setattr(page_cache, "_KEPT", 1)
    _page(app, STRANGER)

    pages = [_page(app, ON_THE_WAY) for _ in range(2)]

    assert all(given == anew for given, anew in pages)
    assert len(renderings) == 3
    assert len(app.extensions[page_cache._CACHE].pages) == 1
