"""Parts of pages that are made once: the same as made anew, and nothing of anybody is kept."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask, render_template_string
from markupsafe import Markup

from idp import templating
from idp.i18n import in_language


class Component:
    """A component that counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, parameters: dict[str, Any]) -> str:
        self.asked += 1
        return str(Markup("<b>{}</b>").format(parameters["text"]))


def test_the_same_parameters_are_made_once() -> None:
    """A button that stands on every page costs one rendering a process; another text is another button."""
    button = Component()

    made = [templating.made_once(button, {"text": text, "attributes": {}}) for text in ("Go", "Go", "Stop")]

    assert made == ["<b>Go</b>", "<b>Go</b>", "<b>Stop</b>"]
    assert button.asked == 2


@pytest.mark.parametrize(
    "personal", [{"value": "QX4T-7712"}, {"errorMessage": {"text": "wrong"}}, {"href": "/continue?form=secret"}]
)
def test_what_may_be_somebodys_is_never_kept(personal: dict[str, Any]) -> None:
    """What was typed, what is wrong with it and addresses with a query are made anew each time, and leave nothing behind."""
    field = Component()
    before = templating._made.cache_info().currsize

    for _ in range(2):
        templating.made_once(field, {"text": "x", **personal})

    assert field.asked == 2
    assert templating._made.cache_info().currsize == before


def test_text_never_passes_for_markup() -> None:
    """A text that looks like markup kept before is escaped all the same; so is a number that equals a truth."""
    component = Component()
    templating.made_once(component, {"text": Markup("<i>")})

    assert templating.made_once(component, {"text": "<i>"}) == "<b>&lt;i&gt;</b>"
    assert [templating.made_once(component, {"text": each}) for each in (1, True)] == ["<b>1</b>", "<b>True</b>"]


def test_a_value_that_may_change_is_made_anew() -> None:
    """Only plain values are compared: anything else could say something else tomorrow."""
    component = Component()

    for _ in range(2):
        templating.made_once(component, {"text": object()})

    assert component.asked == 2


def test_templates_share_one_mapping_of_globals(app: Flask) -> None:
    """An import of a macro then compares nothing; a template with globals of its own still has them."""
    own = app.jinja_env.from_string("{{ mine }}", globals={"mine": "m"})

    assert app.jinja_env.get_template("base.html").globals is app.jinja_env.globals
    assert own.render() == "m"
    assert "mine" not in app.jinja_env.globals


def test_a_sentence_of_a_template_escapes_its_values(app: Flask) -> None:
    """In either language, and the sentence itself is markup, as everywhere in Jinja."""
    template = "{{ _('To continue to %(agency)s', agency=name) }}|{{ gettext('Sign in') }}"

    with app.test_request_context():
        french, english = [], []
        for language, said in (("fr", french), ("en", english)):
            with in_language(language):  # type: ignore[arg-type]
                said.append(render_template_string(template, name="<b>"))

    assert french == ["Pour continuer vers &lt;b&gt;|Se connecter"]
    assert english == ["To continue to &lt;b&gt;|Sign in"]
