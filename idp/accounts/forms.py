"""The forms of accounts. What is secret is never given back to the page."""

from __future__ import annotations

from typing import Any

from wtforms import BooleanField, EmailField, HiddenField, PasswordField, RadioField, StringField
from wtforms.validators import Length, StopValidation

from ..http.web_forms import MandatForm, NameField, is_an_address
from ..i18n import gettext as _
from ..i18n import lazy_gettext as _l
from ..identifiers import IdentifierFault, InvalidIdentifierError, UserCode
from .credentials.domain.passwords import MIN_LENGTH


def _one_space(text: Any) -> Any:
    """Return a typed name with one space between its words."""
    return " ".join(text.split()) if isinstance(text, str) else text


class Required:
    """Refuse an empty field, in the words given."""

    def __init__(self, message: Any) -> None:
        self.message = message

    def __call__(self, form: MandatForm, field: Any) -> None:
        """Stop at a field that is empty."""
        if not (field.raw_data and isinstance(field.raw_data[0], str) and field.raw_data[0].strip()):
            raise StopValidation(str(self.message))


class UserCodeField(StringField):  # type: ignore[misc]
    """A user code; ``code`` holds it once it was read."""

    code: UserCode | None = None

    def pre_validate(self, form: object) -> None:
        """Read the code, whatever its case, hyphens or spaces."""
        try:
            self.code = UserCode.parse(self.data or "")
        except InvalidIdentifierError as error:
            if error.fault is IdentifierFault.EMPTY:
                raise StopValidation(_("Enter your user code")) from None
            raise StopValidation(
                _("Enter a user code of four letters or digits, then four digits, for example QX4T-7712")
            ) from None


class SignInForm(MandatForm):
    """User code and password."""

    username = UserCodeField(_l("User code"), id="username", description=_l("For example, QX4T-7712"))
    password = PasswordField(_l("Password"), [Required(_l("Enter your password"))], id="password")


class CodeField(StringField):  # type: ignore[misc]
    """A code that is valid once; what was typed is not given back to the page."""

    def _value(self) -> str:
        return ""


class OtpForm(MandatForm):
    """The code of an application."""

    otp = CodeField(
        _l("Verification code"),
        [Required(_l("Enter the six digits shown by your application"))],
        id="otp",
        description=_l("Six digits, renewed every 30 seconds"),
    )


class ActivateForm(MandatForm):
    """What the two slips say."""

    user_code = UserCodeField(_l("User code"), id="user-code", description=_l("For example, QX4T-7712"))
    temporary_password = PasswordField(
        _l("Temporary password"),
        [Required(_l("Enter the temporary password of your slip"))],
        id="temporary-password",
        description=_l("Six groups of four characters; hyphens and capitals do not matter"),
    )


class EmailCodeForm(MandatForm):
    """The code received by e-mail."""

    email_code = CodeField(
        _l("Code received by e-mail"),
        [Required(_l("Enter the eight digits received by e-mail"))],
        id="email-code",
        description=_l("Eight digits"),
    )


class NewPasswordForm(MandatForm):
    """A password of one's own, twice; *least* is how many characters it has at least."""

    least = MIN_LENGTH
    new_password = PasswordField(
        _l("New password"),
        [Required(_l("Choose a password"))],
        id="new-password",
        description=_l("At least 12 characters. Several words you alone would put together are easy to remember."),
    )
    new_password_repeat = PasswordField(_l("The same password again"), id="new-password-repeat")

    def validate_new_password_repeat(self, field: PasswordField) -> None:
        """Refuse two passwords that differ."""
        if self.new_password.data and field.data != self.new_password.data:
            raise StopValidation(_("The two passwords are not the same"))


class RecoveryCodeForm(MandatForm):
    """A recovery code, in the place of the second factor."""

    recovery_code = CodeField(
        _l("Recovery code"),
        [Required(_l("Enter one of your recovery codes"))],
        id="recovery-code",
        description=_l("Six groups of four characters; hyphens and capitals do not matter"),
    )


class PasskeyForm(MandatForm):
    """What the browser answered to the challenge of this page; a script writes it."""

    credential = HiddenField(id="credential")


NICKNAME = 60


class NicknameForm(MandatForm):
    """How a factor is called."""

    nickname = StringField(
        _l("Name"),
        [
            Required(_l("Give it a name, so that you will know it again")),
            Length(max=NICKNAME, message=_l("Choose a name of at most 60 characters")),
        ],
        filters=[_one_space],
        id="nickname",
        description=_l("For example, My telephone"),
    )


class NewPasskeyForm(NicknameForm, PasskeyForm):
    """A new passkey and its name."""


class NewApplicationForm(NicknameForm, OtpForm):
    """A new application, its name and its first code."""


class ChangePasswordForm(NewPasswordForm):
    """The current password, then the new one, twice."""

    current_password = PasswordField(
        _l("Current password"), [Required(_l("Enter your current password"))], id="current-password"
    )


class FreezeForm(MandatForm):
    """The wish to freeze one's account; a person who is not signed in says which."""

    @classmethod
    def of_a_stranger(cls) -> StrangersFreezeForm:
        """Return the form that asks which account."""
        return StrangersFreezeForm()


class StrangersFreezeForm(FreezeForm):
    """Which account is to be frozen."""

    user_code = UserCodeField(_l("User code"), id="user-code", description=_l("For example, QX4T-7712"))


class LinkForm(MandatForm):
    """The wish to add a new user code to the account one has."""


class CloseForm(MandatForm):
    """The wish to close one's account for good, said twice."""

    confirm = BooleanField(
        _l("I understand that my account can never be opened again"),
        [Required(_l("Tick the box if you want to close your account"))],
        id="confirm-close",
    )


class NameForm(MandatForm):
    """The name of a person as it should be; who has a single name has no given name."""

    given_name = NameField(
        _l("Given name"), id="given-name", description=_l("Leave it empty if you have one name only")
    )
    family_name = NameField(_l("Family name"), _l("Enter your family name, or your only name"), id="family-name")


class EmailChangeForm(MandatForm):
    """The new address of a person."""

    email = EmailField(
        _l("New e-mail address"),
        [
            Required(_l("Enter the new address")),
            Length(max=254),
            is_an_address,
        ],
        id="email",
    )


class UndoForm(MandatForm):
    """The code with which the old address puts itself back."""

    undo_code = CodeField(
        _l("Code of the e-mail"),
        [Required(_l("Enter the code of the e-mail"))],
        id="undo-code",
        description=_l("Six groups of four characters; hyphens and capitals do not matter"),
    )


class LanguageForm(MandatForm):
    """The language in which we write to a person."""

    language = RadioField(
        _l("Language of pages and e-mails"), choices=[("fr", "Français"), ("en", "English")], id="language"
    )


class RecoverForm(MandatForm):
    """Whose password was forgotten."""

    user_code = UserCodeField(_l("User code"), id="user-code", description=_l("For example, QX4T-7712"))


class LostCodeForm(MandatForm):
    """Where the user codes of a person are to be sent."""

    email = StringField(_l("E-mail address"), [Required(_l("Enter your e-mail address")), is_an_address], id="email")
