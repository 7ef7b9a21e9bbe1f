"""The forms of enrolment: text is parsed on input, with a sentence beside the field when it cannot be."""

from __future__ import annotations

from datetime import date
from typing import Any

import phonenumbers
from wtforms import (
    BooleanField,
    EmailField,
    FileField,
    HiddenField,
    RadioField,
    SelectField,
    StringField,
    TelField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, StopValidation, ValidationError

from ..clock import local_date
from ..http.web import current_settings, now
from ..http.web_forms import DatePartsField, MandatForm, NameField, is_an_address
from ..i18n import gettext as _
from ..i18n import lazy_gettext as _l
from ..identifiers import IdentifierFault, InvalidIdentifierError, Neq, RevenuQuebecId
from . import words
from .domain.documents import DocumentFault, fault
from .domain.positions import Position

_OLDEST = date(1900, 1, 1)


def is_a_phone(form: MandatForm, field: Any) -> None:
    """Read a telephone number; one without a country code is Canadian."""
    try:
        number = phonenumbers.parse(field.data or "", "CA")
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_possible_number(number):
        raise ValidationError(_("Enter a telephone number such as 418 555-0123"))
    field.data = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def _email(label: Any, description: Any = "") -> EmailField:
    missing = InputRequired(_l("Enter an e-mail address"))
    return EmailField(
        label,
        [missing, Length(max=254, message=_l("Use at most 254 characters")), is_an_address],
        description=description,
    )


def _phone() -> TelField:
    missing = InputRequired(_l("Enter a telephone number"))
    return TelField(_l("Telephone"), [missing, Length(max=32, message=_l("Use at most 32 characters")), is_a_phone])


def neq_fault(found: IdentifierFault) -> str:
    """Return why a text is not a NEQ."""
    sentences = {
        IdentifierFault.EMPTY: _("Enter the NEQ"),
        IdentifierFault.NOT_DIGITS: _("The NEQ has digits only, no letters"),
        IdentifierFault.LENGTH: _("The NEQ has exactly ten digits"),
        IdentifierFault.FAMILY: _("The NEQ begins with 11, 22, 33 or 88"),
        IdentifierFault.CHECK_DIGIT: _("This NEQ does not exist: check the number, a digit is wrong"),
    }
    return str(sentences[found])


class EnterpriseForm(MandatForm):
    """The NEQ; ``parsed`` is its value once valid."""

    neq = StringField(
        _l("Québec enterprise number (NEQ)"),
        description=_l("Ten digits, for example 1100 000 018. It is on every letter from the enterprise register."),
    )
    insist = BooleanField(_l("My number is right: go on all the same"))
    parsed: Neq

    def validate_neq(self, field: Any) -> None:
        """Read the number."""
        try:
            self.parsed = Neq.parse(field.data or "", current_settings().neq_check_digit)
        except InvalidIdentifierError as error:
            raise ValidationError(neq_fault(error.fault)) from None


class TaxNumberForm(MandatForm):
    """The Revenu Québec number, or that there is none; a stored number is never shown again."""

    answer = RadioField(
        _l("Does your enterprise have a Revenu Québec identification number?"),
        [InputRequired(_l("Choose an answer"))],
        choices=[
            ("number", _l("Yes")),
            ("none", _l("No, it is not registered for any file")),
        ],
    )
    revenu_quebec_id = StringField(_l("Revenu Québec identification number"))
    parsed: RevenuQuebecId | None = None
    kept = False  # set by the page when a number is on file

    def validate_revenu_quebec_id(self, field: Any) -> None:
        """Read the number when there is one."""
        if self.answer.data != "number":
            field.data = ""
            return
        if not field.data and self.kept:
            return
        sentences = {
            IdentifierFault.EMPTY: _("Enter the identification number"),
            IdentifierFault.NOT_DIGITS: _("The identification number has digits only, no letters"),
            IdentifierFault.LENGTH: _("The identification number has exactly ten digits"),
        }
        try:
            self.parsed = RevenuQuebecId.parse(field.data or "")
        except InvalidIdentifierError as error:
            raise ValidationError(sentences[error.fault]) from None


class RepresentativeForm(MandatForm):
    """The representative: identity, authority, proof and contact details."""

    given_name = NameField(_l("Given name"), description=_l("Leave it empty if you have one name only"))
    family_name = NameField(_l("Family name"), _l("Enter your family name, or your only name"))
    birth_date = DatePartsField(
        _l("Date of birth"), [InputRequired(_l("Enter your date of birth"))], description=_l("For example, 14 3 1984")
    )
    basis = RadioField(
        _l("By what right do you represent the enterprise?"),
        [InputRequired(_l("Choose an answer"))],
        choices=[(basis.value, label) for basis, label in words.BASES.items()],
    )
    position = SelectField(
        _l("Your position in the enterprise"),
        [InputRequired(_l("Choose your position"))],
        choices=[("", _l("Choose a position")), *((place.value, label) for place, label in words.POSITIONS.items())],
        validate_choice=False,
    )
    notice_number = StringField(
        _l("Number of a notice of assessment (optional)"),
        [Length(max=40, message=_l("Use at most 40 characters"))],
    )
    notice_year = StringField(_l("Year of that notice (optional)"), description=_l("Four digits, for example 2025"))
    email = _email(_l("E-mail"), _l("We send a code there to confirm it."))
    phone = _phone()
    notice_kept = False  # set by the page when a notice number is on file
    year: int | None = None

    def validate_birth_date(self, field: Any) -> None:
        """Refuse a birth date that no living person can have."""
        if field.data is not None and not _OLDEST <= field.data <= local_date(now()):
            raise ValidationError(_("Check the year: this date of birth is not possible"))

    def validate_position(self, field: Any) -> None:
        """Refuse a position that is not in the list."""
        if field.data not in {place.value for place in Position}:
            raise StopValidation(_("Choose your position"))

    def validate_notice_number(self, field: Any) -> None:
        """Require the number when a year is given."""
        if self.notice_year.data and not field.data and not self.notice_kept:
            raise ValidationError(_("Enter the number of the notice, or erase its year"))

    def validate_notice_year(self, field: Any) -> None:
        """Read the year, and require it when a number is given."""
        text = field.data or ""
        if not text:
            if self.notice_number.data:
                raise ValidationError(_("Enter the year of the notice"))
            return
        this_year = local_date(now()).year
        if not (text.isascii() and text.isdigit() and len(text) == 4 and 1900 < int(text) <= this_year):
            raise ValidationError(_("Write a past year with four digits"))
        self.year = int(text)


class NomineeForm(MandatForm):
    """A person to be named in charge."""

    given_name = NameField(_l("Given name"), description=_l("Leave it empty if the person has one name only"))
    family_name = NameField(_l("Family name"), _l("Enter their family name, or their only name"))
    email = _email(_l("E-mail"), _l("Their own address: a code is sent there when they activate their account."))
    phone = _phone()


class CodeForm(MandatForm):
    """A code received by e-mail or by mail."""

    code = StringField(
        _l("Code"),
        [InputRequired(_l("Enter the code")), Length(max=40, message=_l("This is not the code: it has digits only"))],
    )
    digits = 8

    def validate_code(self, field: Any) -> None:
        """Refuse text that cannot be a code before an attempt is counted."""
        signs = "".join(sign for sign in field.data or "" if sign not in " -\u00a0\u202f")
        if not (signs.isascii() and signs.isdigit() and len(signs) == self.digits):
            raise ValidationError(_("The code has exactly %(count)s digits", count=self.digits))
        field.data = signs


class MailedCodeForm(CodeForm):
    """The ten digits of the letter."""

    digits = 10


class CheckForm(MandatForm):
    """The acceptance of the terms, in its own box."""

    terms = BooleanField(
        _l("I have read and accept the terms of use, and I declare that the information is exact"),
        [InputRequired(_l("Accept the terms of use to submit the file"))],
    )
    terms_version = HiddenField()


class ResumeForm(MandatForm):
    """The number of a file."""

    number = StringField(
        _l("File number"),
        [InputRequired(_l("Enter the file number")), Length(max=40, message=_l("Use at most 40 characters"))],
        description=_l("Eight letters and digits, for example QX4T-7K9M. It is on your e-mail and on your letter."),
    )


class DocumentForm(MandatForm):
    """A document that proves the mandate; ``content`` contains its bytes once valid."""

    kind = RadioField(
        _l("What is this document?"),
        [InputRequired(_l("Choose an answer"))],
        choices=[(kind.value, label) for kind, label in words.DOCUMENTS.items()],
    )
    document = FileField(_l("The document"), description=_l("PDF, PNG or JPEG, 5 MB at most"))
    content: bytes = b""

    def validate_document(self, field: Any) -> None:
        """Check the bytes, never the name."""
        if field.data and hasattr(field.data, "read"):
            self.content = field.data.read()
            field.data.close()
        found = fault(self.content)
        if found is DocumentFault.EMPTY and not getattr(field.data, "filename", ""):
            raise ValidationError(_("Choose a file"))
        if found is not None:
            raise ValidationError(str(words.DOCUMENT_FAULTS[found]))


class ContestForm(MandatForm):
    """Why a refusal is wrong, in the representative's words."""

    because = TextAreaField(
        _l("Why is the refusal wrong?"),
        [InputRequired(_l("Say in a few words why")), Length(max=2000, message=_l("Use at most 2,000 characters"))],
    )


class EmptyForm(MandatForm):
    """A form with only a button."""
