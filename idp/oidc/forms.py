"""The one form of oidc: what a test of the playground asks. What is wrong in it is shown as the protocol answers it."""

from __future__ import annotations

from wtforms import RadioField, SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length
from wtforms.widgets import CheckboxInput, ListWidget

from ..i18n import lazy_gettext as _l
from ..web_forms import MandatForm
from .metadata import PROMPTS
from .playground import LONGEST_DETAILS, RESPONSE_MODES, SCOPES


class PlaygroundForm(MandatForm):
    """What to ask of ``/authorize``."""

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
        validators=[Length(max=20, message=_l("max_age has at most 20 signs here"))],
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
