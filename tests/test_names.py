"""One rule for a name, whichever form, command or file it comes from; and no line in which nothing is seen."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from wtforms import StringField

from idp import names
from idp.accounts.forms import NameForm, NicknameForm
from idp.connectors.csv_files import Faults
from idp.connectors.register_files import NeqSet
from idp.connectors.register_files import names as register_names
from idp.delegation.catalogue.domain.reading import Node
from idp.delegation.forms import PersonForm
from idp.enrollment.forms import NomineeForm, RepresentativeForm
from idp.http.web_forms import MandatForm, NameField
from idp.names import NameFault
from idp.oidc.forms import SystemUserForm
from idp.support.services import add_operator

GOOD = (
    *(
        "Julie",
        "O’Brien",
        "O'Brien",
        "D‘Arcy",
        "Jean-François",
        "St. Onge",
        "Nguyễn Thị",
        "ᐃᓄᒃ",
        "李",
        "محمد",
        "Gal·la",
    ),
    *("Jean\u2011Guy", "K\u02bcawi", "É", "e\u0301", "न\u093fश\u093e", "x" * 100),
)
BAD = (
    ("\u200b", NameFault.CHARACTERS),
    ("Ju\u200blie", NameFault.CHARACTERS),
    ("\u3164", NameFault.CHARACTERS),
    ("\u2800", NameFault.CHARACTERS),
    ("Julie\u202eeimA", NameFault.CHARACTERS),
    ("\u2066Julie", NameFault.CHARACTERS),
    ("Ju\x00lie", NameFault.CHARACTERS),
    ("Julie\x7f", NameFault.CHARACTERS),
    ("Julie\ufe0f", NameFault.CHARACTERS),
    ("\u0301", NameFault.CHARACTERS),
    ("Julie \u0301", NameFault.CHARACTERS),
    ("Z" + "\u0335" * 5, NameFault.CHARACTERS),
    ("Julie2", NameFault.CHARACTERS),
    ("<b>", NameFault.CHARACTERS),
    ("-", NameFault.NO_LETTER),
    ("ʼ", NameFault.NO_LETTER),
    ("x" * 101, NameFault.TOO_LONG),
)
ODD = ("Ju\u200blie", "Julie  2", "x" * 120, "\u202eJulie", "e\u0301lise", " Julie")  # on record from before the rule


def every_form(form: type[MandatForm] = MandatForm) -> Iterator[type[MandatForm]]:
    for each in form.__subclasses__():
        yield each
        yield from every_form(each)


def name_fields() -> list[tuple[type[MandatForm], str]]:
    """Return every field of our forms whose name says that it takes the name of a person."""
    ours = [form for form in every_form() if form.__module__.startswith("idp.")]
    return [(form, name) for form in ours for name in ("given_name", "family_name", "full_name") if hasattr(form, name)]


@pytest.mark.parametrize("name", GOOD)
def test_letters_of_every_script_are_a_name(name: str) -> None:
    assert names.fault(names.normal(name)) is None


@pytest.mark.parametrize(("name", "fault"), BAD)
def test_what_is_not_seen_or_no_letter_is_not(name: str, fault: NameFault) -> None:
    assert names.fault(names.normal(name)) is fault


def test_spaces_and_composition_are_settled_before_the_rule() -> None:
    """Two writings of one name are one name."""
    assert names.normal(" Jean\u00a0\u2028 Rene\u0301 ") == "Jean René"


def test_every_form_that_takes_a_name_takes_it_by_the_one_rule(app: Flask) -> None:
    """Found among the forms themselves, so that the next one is looked at too."""
    found = name_fields()

    assert {form for form, _name in found} >= {NameForm, PersonForm, NomineeForm, RepresentativeForm}
    assert [one for one in found if getattr(one[0], one[1]).field_class is not NameField] == []


def errors(app: Flask, form: type[MandatForm], name: str, typed: str, **on_record: object) -> tuple[object, list[str]]:
    with app.test_request_context("/", method="POST", data={name: typed}):
        shown = form(**on_record)
        for field in shown:
            if getattr(field, "choices", ()) is None:  # the view fills them in
                field.choices = []
        shown.validate()
        return shown[name].data, list(shown[name].errors)


def test_the_same_names_are_taken_and_refused_by_all(app: Flask) -> None:
    """The same lengths, the same characters; an empty given name everywhere, an empty family name nowhere."""
    for form, name in name_fields():
        for good in GOOD:
            assert errors(app, form, name, good) == (names.normal(good), []), (form, name, good)
        for bad, _fault in BAD:
            assert errors(app, form, name, bad)[1], (form, name, bad)
        assert bool(errors(app, form, name, " ")[1]) is (name != "given_name"), (form, name)


def test_what_is_on_record_is_accepted_unchanged(app: Flask) -> None:
    """A form that is saved again never refuses or changes a name that nobody touched, however it came there."""
    for form, name in name_fields():
        for odd in ODD:
            assert errors(app, form, name, odd, **{name: odd}) == (odd, []), (form, name, odd)


@pytest.mark.parametrize(("form", "name"), [(NicknameForm, "nickname"), (SystemUserForm, "label")])
@pytest.mark.parametrize("unseen", ["\u200b", "\u3164\u200d", "\u2800", "\u202e\u2066", "\u0301", "\ufeff"])
def test_a_line_in_which_nothing_is_seen_was_not_typed(
    app: Flask, form: type[MandatForm], name: str, unseen: str
) -> None:
    """A factor or a program without a readable name makes a line that nobody can tell from another."""
    data, found = errors(app, form, name, unseen)

    assert data == ""
    assert found


def test_no_text_field_keeps_what_is_not_seen(app: Flask) -> None:
    """In every text field of every form: direction overrides and zero-width characters are left at the door."""
    plain = [
        (form, name)
        for form in every_form()
        if form.__module__.startswith("idp.")
        for name in dir(form)
        if getattr(getattr(form, name, None), "field_class", None) is StringField
    ]
    assert len(plain) > 5

    for form, name in plain:
        data, _errors = errors(app, form, name, "a\u202eb\u200bc")
        assert "\u202e" not in str(data), (form, name)
        assert "\u200b" not in str(data), (form, name)


def test_an_emoji_and_a_persian_word_stay_whole() -> None:
    """What joins is kept between what it joins."""
    for whole in ("👩\u200d👧", "می\u200cخواهم", "❤\ufe0f"):
        assert names.readable(whole) == whole


def test_files_and_commands_follow(app: Flask) -> None:
    """The register’s name, the catalogue’s texts, an operator’s name."""
    known = NeqSet()
    known.add("1100000455")
    row = (7, ("1100000455", "Acme\u202e inc.", "\u3164", "V", "N", "", ""))

    ((_neq, _line, text, foreign, *_rest),) = register_names(iter([row]), "Nom.csv", known, Faults())

    assert (text, foreign) == ("Acme inc.", "")
    mistakes: list[object] = []
    assert Node("\u200b", ("name",), mistakes).text() == ""  # type: ignore[arg-type]
    assert mistakes
    for wrong in ("Odile \u200b", "Odile 2", "Odile"):
        with pytest.raises(ValueError, match="name"):
            add_operator(name=wrong, email="o@example.org", role="operator", agency_id=None, now=None)  # type: ignore[arg-type]
