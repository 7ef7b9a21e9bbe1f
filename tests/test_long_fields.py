"""A field of a megabyte, in every form: a message beside it, never a failure, nothing written."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from idp import audit
from idp.clock import MovableClock
from tests.world import World, csrf_token, make_world

MEGABYTE = "A" * 1_000_000
FORMS = (
    (None, "/sign-in"),
    (None, "/activate"),
    (None, "/recover"),
    (None, "/recover/user-code"),
    (None, "/enrol/resume"),
    ("pes", "/people/new"),
    ("ar", "/roster/new"),
    ("pes", "/agencies/bac/subscribe"),
    ("pes", "/agencies/amp/change"),
)


@pytest.fixture
def world(app: Flask, clock: MovableClock) -> World:
    return make_world(app, clock)


def _typed(page: str) -> dict[str, str]:
    """Fill the first four boxes of the page's main form with a megabyte each; take the first answer of each choice."""
    main = page[page.index('id="main-content"') :]
    form = {}
    for tag in re.findall(r"<(?:input|textarea|select)[^>]*>", main):
        name = re.search(r'name="([^"]+)"', tag)
        kind = re.search(r'type="([^"]+)"', tag)
        if not name or name.group(1) == "csrf_token":
            continue
        value = re.search(r'value="([^"]*)"', tag)
        if kind and kind.group(1) in ("radio", "checkbox", "hidden", "submit"):
            form.setdefault(name.group(1), value.group(1) if value else "y")
        else:
            form[name.group(1)] = MEGABYTE if list(form.values()).count(MEGABYTE) < 4 else ""
    return form


@pytest.mark.parametrize(("persona", "path"), FORMS)
def test_a_megabyte_in_every_box_is_told_beside_it(world: World, persona: str | None, path: str) -> None:
    """The page comes back with its summary; nothing was written but perhaps a refused try."""
    browser = world.browser(persona)
    page = browser.get(path)
    form = _typed(page.text)
    assert MEGABYTE in form.values()
    before = {entry.event for entry in audit.entries(limit=1000)}

    answer = browser.post(path, data=form | {"csrf_token": csrf_token(page.text)})

    assert answer.status_code in (200, 400, 422)
    assert 'id="error-summary"' in answer.text
    after = {entry.event for entry in audit.entries(limit=1000)}
    assert after - before <= {"person:sign_in_refused"}


def test_enrolment_answers_a_megabyte_beside_the_field(world: World) -> None:
    """Each task of a file keeps what was typed and says what is wrong."""
    browser = world.browser()
    start = browser.get("/enrol")
    browser.post("/enrol", data={"csrf_token": csrf_token(start.text)})
    for path in ("/enrol/enterprise", "/enrol/tax-number", "/enrol/representative", "/enrol/people/new"):
        page = browser.get(path)
        form = _typed(page.text)

        answer = browser.post(path, data=form | {"csrf_token": csrf_token(page.text)})

        assert answer.status_code in (200, 400, 422), path
        assert 'id="error-summary"' in answer.text, path


def test_more_than_a_form_may_weigh_is_a_plain_page(world: World) -> None:
    """Beyond six megabytes, the answer is 413 in plain words."""
    browser = world.browser()
    token = csrf_token(browser.get("/sign-in").text)

    answer = browser.post("/sign-in", data={"csrf_token": token, "username": "A" * 7_000_000})

    assert answer.status_code == 413
    assert "Traceback" not in answer.text
