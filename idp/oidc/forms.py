"""The forms of oidc: what a test of the playground asks, and which software a person in charge approves."""

from __future__ import annotations

from datetime import date

from wtforms import RadioField, SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length
from wtforms.widgets import CheckboxInput, ListWidget

from ..delegation.rights.domain.system_users import LONGEST_NAME
from ..http.web_forms import DatePartsField, MandatForm
from ..i18n import lazy_gettext as _l
from .domain.metadata import PROMPTS
from .domain.playground import LONGEST_DETAILS, RESPONSE_MODES, SCOPES


class SystemUserForm(MandatForm):
    """Which software acts for the enterprise, under which name, for what, until when."""

    software = RadioField(_l("Software"), validators=[InputRequired(_l("Choose the software"))])
    label = StringField(
        _l("Name in your lists"),
        description=_l("For example: Accounting software of the Lévis office"),
        validators=[
            DataRequired(_l("Give it a name")),
            Length(max=LONGEST_NAME, message=_l("The name has at most 80 characters")),
        ],
    )
    blocks = SelectMultipleField(
        _l("What it may do"),
        validators=[InputRequired(_l("Choose at least one block"))],
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )
    until = DatePartsField(
        _l("Last day"),
        description=_l("Two years from now at most."),
        validators=[InputRequired(_l("Enter the last day"))],
    )

    @property
    def last_day(self) -> date:
        """Return the last day of a form that was found valid."""
        if self.until.data is None:
            raise ValueError("no last day")
        return self.until.data


class PlaygroundForm(MandatForm):
    """What to ask of ``/authorize``; what is wrong in it is shown as the protocol answers it."""

    agency = RadioField(_l("Agency"), validators=[InputRequired(_l("Choose an agency"))])
    scopes = SelectMultipleField(
        _l("Scopes"),
        description=_l("openid is always asked."),
        choices=[(scope, scope) for scope in SCOPES if scope != "openid"],
        default=[scope for scope in SCOPES if scope != "openid"],
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )
    response_mode = RadioField(
        "response_mode", choices=[(mode, mode) for mode in RESPONSE_MODES], default=RESPONSE_MODES[0]
    )
    prompt = SelectField(
        "prompt", choices=[("", _l("not sent")), *((prompt, prompt) for prompt in PROMPTS)], default=""
    )
    max_age = StringField(
        "max_age",
        description=_l("Seconds; empty: not sent."),
        validators=[Length(max=LONGEST_DETAILS, message=_l("max_age has at most 1,000 signs here"))],
    )
    authorization_details = TextAreaField(
        "authorization_details",
        description=_l('JSON, such as [{"type":"functional_blocks","privileges":["008"]}]; empty: not sent.'),
        validators=[
            Length(max=LONGEST_DETAILS, message=_l("authorization_details has at most 1,000 signs here")),
        ],
    )

    def chosen(self) -> dict[str, str]:
        """Return what was chosen, by the names of the protocol."""
        return {
            "scope": " ".join(["openid", *(self.scopes.data or [])]),
            "response_mode": self.response_mode.data or "",
            "prompt": self.prompt.data or "",
            "max_age": self.max_age.data or "",
            "authorization_details": self.authorization_details.data or "",
        }
