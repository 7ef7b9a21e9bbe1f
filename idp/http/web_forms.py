"""Forms as every page uses them: text cleaned on input, messages in the person's language, dates in three boxes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from flask_wtf import FlaskForm
from flask_wtf.i18n import translations as wtforms_catalogue
from wtforms import Field, PasswordField, SelectChoice, StringField, TextAreaField
from wtforms.utils import unset_value
from wtforms.validators import StopValidation

from .. import addresses, names
from ..i18n import NBSP, current_language
from ..i18n import gettext as _
from .web import current_settings

PARTS = ("day", "month", "year")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")  # PostgreSQL refuses NUL in a text


def clean_text(value: Any) -> Any:
    """Return a typed text without invisible characters or spaces around it; return any other value unchanged.

    A text without a visible character becomes empty.
    """
    return names.readable(_CONTROLS.sub("", value)) if isinstance(value, str) else value


def clean_line(value: Any) -> Any:
    """Return a typed line as :func:`clean_text` does, with every break turned into one space."""
    return re.sub(r"\s*[\r\n\t]+\s*", " ", cleaned) if isinstance(cleaned := clean_text(value), str) else cleaned


def _seen(_form: object, field: Any) -> None:
    """Make a required field check the cleaned text: a text without a visible character counts as missing."""
    if not field.data:
        field.raw_data = []


class NameField(StringField):  # type: ignore[misc]
    """A given or family name, by the one rule of :mod:`idp.names`; the name on record is accepted as it is.

    *missing* is the message for an empty field; without it the name may be left out.
    """

    data: Any

    def __init__(self, label: Any = None, missing: Any = None, **kwargs: Any) -> None:
        super().__init__(label, **kwargs)
        self._missing = missing

    def pre_validate(self, form: object) -> None:
        """Check the name, and restore the one on record when the form is saved with it again."""
        typed, kept = self.data or "", self.object_data
        if isinstance(kept, str) and typed in (kept, names.normal(kept)):
            self.data = kept
            raise StopValidation
        self.data = typed
        found = names.fault(typed)
        if found is not None and (found is not names.NameFault.EMPTY or self._missing is not None):
            raise StopValidation(self._sentence(found))

    def _sentence(self, found: names.NameFault) -> str:
        sentences = {
            names.NameFault.EMPTY: self._missing,
            names.NameFault.TOO_LONG: _("Use at most 100 characters"),
            names.NameFault.CHARACTERS: _("Use only letters, spaces, hyphens, apostrophes and periods"),
            names.NameFault.NO_LETTER: _("Enter at least one letter"),
        }
        return str(sentences[found])


def _name(value: Any) -> Any:
    return names.normal(value) if isinstance(value, str) else value


def is_an_address(form: object, field: Any) -> None:
    """Read an e-mail address into its stored form, or show beside the field why no message would arrive."""
    try:
        field.data = addresses.parse(field.data or "", smtp_utf8=current_settings().smtp_utf8)
    except addresses.InvalidAddressError as error:
        if error.fault is addresses.AddressFault.LOCAL_PART:
            message = _("Before the @, our messages reach only letters without accents. Enter another address.")
        else:
            message = _("Enter an e-mail address such as name@example.com")
        raise StopValidation(message) from None


class _Messages:
    """The messages of WTForms, typeset for the language (no straight apostrophe, no breaking space before a colon)."""

    def gettext(self, string: str) -> str:
        return _set(str(wtforms_catalogue.gettext(string)))

    def ngettext(self, singular: str, plural: str, n: int) -> str:
        return _set(str(wtforms_catalogue.ngettext(singular, plural, n)))


def _set(sentence: str) -> str:
    sentence = sentence.replace("'", "’")
    return sentence.replace(" :", NBSP + ":") if current_language() == "fr" else sentence


class MandatForm(FlaskForm):  # type: ignore[misc]
    """The base of every form."""

    class Meta(FlaskForm.Meta):  # type: ignore[misc]
        """Settings of every form."""

        csrf = False  # every POST of a page is checked before its view (web.csrf); a second token adds nothing

        def get_translations(self, form: object) -> _Messages:
            """Translate WTForms' own messages into the language of the page."""
            return _Messages()

        def bind_field(self, form: Any, unbound_field: Any, options: dict[str, Any]) -> Any:
            """Clean the text of every text box except passwords, which are kept exactly as typed."""
            given = unbound_field.kwargs.get("choices")
            if isinstance(given, (list, tuple)):  # pairs stay the plain way to write choices
                options["choices"] = [SelectChoice(*pair) if isinstance(pair, tuple) else pair for pair in given]
            field = unbound_field.bind(form=form, **options)
            if isinstance(field, NameField):  # refused with invisible characters, never changed into another name
                field.filters = (_name, *field.filters)
            elif isinstance(field, StringField) and not isinstance(field, PasswordField):
                cleaner = clean_text if isinstance(field, TextAreaField) else clean_line
                field.filters = (cleaner, *field.filters)
                field.validators = (_seen, *field.validators)
            return field


class DatePartsField(Field):  # type: ignore[misc]
    """A date typed in three boxes, ``<name>-day``, ``<name>-month`` and ``<name>-year``; ``data`` is a date or None.

    ``InputRequired`` and ``Optional`` work as on any field. ``typed`` keeps the text of the boxes, whatever it was.
    """

    parts = PARTS

    def __init__(self, label: Any = None, validators: Any = None, **kwargs: Any) -> None:
        super().__init__(label, validators, **kwargs)
        self.typed: dict[str, str] = dict.fromkeys(PARTS, "")
        self.wrong_parts: tuple[str, ...] = ()

    def process(self, formdata: Any, data: Any = unset_value, extra_filters: Any = None) -> None:
        """Read the three boxes of *formdata*, or show *data*."""
        super().process(None, data, extra_filters)
        if formdata is not None and any(f"{self.name}-{part}" in formdata for part in PARTS):
            self.typed = {part: _typed(formdata, f"{self.name}-{part}") for part in PARTS}
            self.raw_data = ["-".join(self.typed.values())] if any(self.typed.values()) else []
            self.data = self._read(self.typed)
        elif formdata is not None and formdata:
            self.raw_data, self.data = [], None
        elif isinstance(self.data, date):
            self.typed = {part: str(getattr(self.data, part)) for part in PARTS}

    def _read(self, typed: Mapping[str, str]) -> date | None:
        if not any(typed.values()):
            return None
        problem = _problem(typed)
        if problem is None:
            return _as_date(typed)
        self.wrong_parts, message = problem
        self.process_errors.append(message)
        return None

    def pre_validate(self, form: object) -> None:
        """Stop at a date that cannot be read: no other rule can check it."""
        if self.process_errors:
            raise StopValidation

    @property
    def error_id(self) -> str:
        """Return the id of the first box to correct, for the error summary."""
        return f"{self.id}-{(self.wrong_parts or PARTS)[0]}"

    def _value(self) -> str:
        return self.data.isoformat() if isinstance(self.data, date) else ""


def _typed(formdata: Any, name: str) -> str:
    value = formdata.get(name)
    return str(clean_line(value))[:10] if isinstance(value, str) else ""


def _problem(typed: Mapping[str, str]) -> tuple[tuple[str, ...], str] | None:
    """Return which boxes are wrong and what to do, or None for a date that exists."""
    if missing := tuple(part for part in PARTS if not typed[part]):
        return missing, _("Enter the day, the month and the year")
    if garbled := tuple(part for part in PARTS if not (typed[part].isascii() and typed[part].isdigit())):
        return garbled, _("Write the date in numbers, for example 14 3 1984")
    if len(typed["year"]) != 4:
        return ("year",), _("Write the year with four digits")
    if _as_date(typed) is None:
        month_exists, year_exists = 1 <= int(typed["month"]) <= 12, int(typed["year"]) > 0
        wrong = "year" if not year_exists else "day" if month_exists else "month"
        return (wrong,), _("This date does not exist")
    return None


def _as_date(typed: Mapping[str, str]) -> date | None:
    try:
        return date(int(typed["year"]), int(typed["month"]), int(typed["day"]))
    except (ValueError, OverflowError):
        return None
