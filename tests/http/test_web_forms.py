"""Forms: text is cleaned at the door, dates are read from three boxes, messages follow the language of the page."""

from __future__ import annotations

import re
from datetime import date

import pytest
from flask import Flask
from wtforms import FieldList, FormField, PasswordField, RadioField, StringField, TextAreaField
from wtforms.validators import InputRequired, Optional

from idp.http.web_forms import DatePartsField, MandatForm
from idp.i18n import NBSP


class Person(MandatForm):
    class Meta(MandatForm.Meta):
        csrf = False

    name = StringField("Name", [InputRequired()])


class Sample(Person):
    secret = PasswordField("Secret")
    story = TextAreaField("Story")
    way = RadioField("Way", choices=[("online", "Online"), ("mail", "Mail")])
    birth = DatePartsField("Born", [InputRequired()])
    end = DatePartsField("End", [Optional()])
    people = FieldList(FormField(Person), min_entries=1)


BORN = {"birth-day": "14", "birth-month": "3", "birth-year": "1984"}


def sample(app: Flask, typed: dict[str, str], *, language: str = "en") -> Sample:
    with app.test_request_context(f"/?lang={language}", method="POST", data=typed):
        form = Sample()
        form.validate()
        return form


def test_a_line_loses_its_spaces_and_control_characters(app: Flask) -> None:
    """A NUL, which PostgreSQL refuses, or a pasted line break never reaches a service."""
    assert sample(app, {"name": "  Julie\x00\r\nRoy\x9f "}).name.data == "Julie Roy"


def test_a_text_keeps_its_lines(app: Flask) -> None:
    """Only the ends and the control characters of a long text are cut."""
    assert sample(app, {"story": " one\ntwo\x00 "}).story.data == "one\ntwo"


def test_a_password_is_kept_to_the_letter(app: Flask) -> None:
    """A space at the end of a password is part of it."""
    assert sample(app, {"secret": " a b "}).secret.data == " a b "


def test_spaces_alone_do_not_answer_a_required_field(app: Flask) -> None:
    """The message stands beside the field, never an exception."""
    assert sample(app, {}).name.errors == ["This field is required."]


def test_a_date_is_read_from_its_boxes(app: Flask) -> None:
    """Three boxes give one date; what was typed is kept for the page."""
    form = sample(app, BORN)

    assert (form.birth.data, list(form.birth.errors), form.birth.typed["day"]) == (date(1984, 3, 14), [], "14")


def test_a_date_may_be_left_out_when_optional(app: Flask) -> None:
    """Three empty boxes are no date and no error, unless the date is required."""
    form = sample(app, {"end-day": "", "end-month": " ", "end-year": ""})

    assert (form.end.data, list(form.end.errors)) == (None, [])
    assert form.birth.errors


@pytest.mark.parametrize(
    ("day", "month", "year", "wrong", "message"),
    [
        ("", "3", "1984", ("day",), "Enter the day, the month and the year"),
        ("14", "", "", ("month", "year"), "Enter the day, the month and the year"),
        ("14", "mars", "1984", ("month",), "Write the date in numbers, for example 14 3 1984"),
        ("١٤", "3", "1984", ("day",), "Write the date in numbers, for example 14 3 1984"),
        ("-1", "3", "1984", ("day",), "Write the date in numbers, for example 14 3 1984"),
        ("14", "3", "84", ("year",), "Write the year with four digits"),
        ("14", "3", "19840", ("year",), "Write the year with four digits"),
        ("30", "2", "1984", ("day",), "This date does not exist"),
        ("14", "13", "1984", ("month",), "This date does not exist"),
        ("14", "0", "1984", ("month",), "This date does not exist"),
        ("14", "3", "0000", ("year",), "This date does not exist"),
        ("9" * 5000, "3", "1984", ("day",), "This date does not exist"),
    ],
)
def test_a_wrong_date_says_which_box_to_correct(
    app: Flask, day: str, month: str, year: str, wrong: tuple[str, ...], message: str
) -> None:
    """One sentence that says what to do, the boxes concerned, and a link to the first of them."""
    field = sample(app, {"birth-day": day, "birth-month": month, "birth-year": year}).birth

    assert (list(field.errors), field.wrong_parts, field.data) == ([message], wrong, None)
    assert field.error_id == f"birth-{wrong[0]}"


def test_a_date_known_before_is_shown_in_its_boxes(app: Flask) -> None:
    """A form opened on an object shows the date it holds."""
    with app.test_request_context("/"):
        form = Sample(data={"birth": date(2027, 1, 5)})

    assert form.birth.typed == {"day": "5", "month": "1", "year": "2027"}


def test_the_messages_of_the_library_are_french_and_well_set(app: Flask) -> None:
    """WTForms' own sentences follow the page and hold no straight apostrophe."""
    form = sample(app, {"way": "pigeon"}, language="fr")

    assert form.name.errors == ["Ce champ est requis."]
    assert form.way.errors == ["N’est pas un choix valide."]
    assert NBSP not in form.way.errors[0]


TEMPLATE = """{% from '_forms.html' import csrf, errors, field %}{{ csrf() }}{{ errors(form) }}
{{ field(form.name, width=20, autocomplete='name') }}{{ field(form.secret) }}{{ field(form.story) }}{{ field(form.way) }}
{{ field(form.birth, autocomplete='bday') }}"""


def render(app: Flask, typed: dict[str, str], *, language: str = "en") -> str:
    with app.test_request_context(f"/?lang={language}", method="POST", data=typed):
        form = Sample()
        form.validate()
        return app.jinja_env.from_string(TEMPLATE).render(form=form)


def test_the_summary_leads_to_every_wrong_field(app: Flask) -> None:
    """Each line is a link: to the first option of a choice, to the first wrong box of a date, into inner forms."""
    page = render(
        app, {"way": "pigeon", "birth-day": "14", "birth-month": "x", "birth-year": "1984", "people-0-name": ""}
    )

    for target in ("#name", "#way", "#birth-month", "#people-0-name"):
        assert f'<a href="{target}">' in page
    for identifier in ("name", "way", "birth-month"):
        assert f'id="{identifier}"' in page
    assert 'id="error-summary"' in page


def test_what_was_typed_is_kept_and_escaped_but_never_a_password(app: Flask) -> None:
    """A script in a name comes back as text; a password never comes back."""
    page = render(app, {"name": '"><script>alert(1)</script>', "secret": "hunter2hunter2", "story": "</textarea><b>"})

    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "hunter2hunter2" not in page
    assert "</textarea><b>" not in page


def test_the_adapter_speaks_french(app: Flask) -> None:
    """No English default of the macros is left in a French form."""
    page = render(app, {"way": "pigeon"}, language="fr")

    said = re.sub(r"<[^>]*>", " ", page) + " ".join(re.findall(r'(?:aria-label|data-i18n[^=]*)="([^"]*)"', page))
    for english in ("Error", "There is a problem", "Show", "Hide", "Your password is", "Day", "Month", "Year"):
        assert english.lower() not in said.lower()
    for french in ("Il y a un problème", f"Erreur{NBSP}:", "Afficher le mot de passe", "Jour", "Mois", "Année"):
        assert french in page
