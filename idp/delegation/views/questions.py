"""The page on which a person asks who their PES is, and the one on which those in charge read it."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, Flask, flash, render_template
from flask.typing import ResponseReturnValue
from wtforms import EmailField, StringField, TelField, TextAreaField
from wtforms.validators import DataRequired, Length, Optional, ValidationError

from ...accounts import services as accounts
from ...http.limits import FORMS, counted_address, limiter
from ...http.web import current_settings, now, see_other
from ...http.web_forms import MandatForm, NameField, is_an_address
from ...i18n import current_language
from ...i18n import gettext as _
from ...i18n import lazy_gettext as _l
from ...identifiers import InvalidIdentifierError, Neq
from ...notices import services as notices
from ...notices.domain.messages import Email
from ...notices.email import from_template
from ..acting import acting, ar_or_pes_required
from ..people import question_services
from ..people.people_services import names_here

blueprint = Blueprint("questions", __name__)
_PHONE = re.compile(r"\+?[0-9][0-9 ().\-\u00a0]{5,24}(?:(?:poste|ext\.?|x) ?[0-9]{1,6})?", re.IGNORECASE)
_LINK = re.compile(
    r"://|www\.|(?<![@\w.-])[a-z0-9-]+\.(?:com|net|org|ca|qc|info|io|ru|link|app|top|xyz)\b(?!@)", re.IGNORECASE
)


class QuestionForm(MandatForm):
    """The enterprise, who asks, how to reach them, and what they say."""

    neq = StringField(
        _l("Québec enterprise number (NEQ)"),
        [DataRequired(_l("Enter the NEQ"))],
        description=_l("Ten digits, for example 1100 000 018"),
    )
    name = NameField(_l("Your name"), _l("Enter your name"))
    email = EmailField(_l("E-mail address"), [Optional(), Length(max=254), is_an_address])
    phone = TelField(_l("Telephone"), [Optional(), Length(max=40, message=_l("Use at most 40 characters"))])
    message = TextAreaField(
        _l("Your message"),
        [DataRequired(_l("Write a message")), Length(max=600, message=_l("Use at most 600 characters"))],
        description=_l("What you need, and since when you work there. No web address."),
    )
    parsed: Neq

    def validate_neq(self, field: Any) -> None:
        """Read the number."""
        try:
            self.parsed = Neq.parse(field.data or "", current_settings().neq_check_digit)
        except InvalidIdentifierError:
            raise ValidationError(_("This is no NEQ: it has ten digits, check each of them")) from None

    def validate_phone(self, field: Any) -> None:
        """Refuse what is no telephone number."""
        if not _PHONE.fullmatch(field.data or ""):
            raise ValidationError(_("Enter a telephone number such as 418 555-0123"))

    def validate_message(self, field: Any) -> None:
        """Refuse links: a stranger's text goes to people who trust our e-mails."""
        if _LINK.search(field.data or ""):
            raise ValidationError(_("Write your message without a web address"))

    def validate(self, extra_validators: Any = None) -> bool:
        """Ask for one way at least to reach the person."""
        is_valid = bool(super().validate(extra_validators))
        if not (self.email.data or self.phone.data or self.email.errors or self.phone.errors):
            self.email.errors = [_("Enter an e-mail address or a telephone number")]
            return False
        return is_valid


def init_app(app: Flask) -> None:
    """Give *app* both pages, and what the worker makes of a question."""
    app.register_blueprint(blueprint)
    notices.register_renderer(app, question_services.ASKED, question_services.pass_on)
    notices.register_renderer(app, question_services.QUESTION, _mail)


@blueprint.route("/who-is-my-pes", methods=["GET", "POST"])
@limiter.limit(FORMS, methods=["POST"])
def ask() -> ResponseReturnValue:
    """Take a message for those in charge of an enterprise; the answer is the same whatever exists."""
    form = QuestionForm()
    if form.validate_on_submit():
        asker = question_services.Asker(
            name=form.name.data,
            email=form.email.data or "",
            phone=form.phone.data or "",
            message=form.message.data,
            language=current_language(),
        )
        if question_services.ask(form.parsed, asker, sender=counted_address(), now=now()):
            return see_other("/who-is-my-pes/sent")
        form.message.errors = [_("Too many messages came from your network. Wait an hour, then send it again.")]
    return render_template("delegation/ask_pes.html", form=form)


@blueprint.get("/who-is-my-pes/sent")
def sent() -> ResponseReturnValue:
    """Say what follows, whatever exists."""
    return render_template("delegation/ask_pes_sent.html")


@blueprint.get("/questions")
@ar_or_pes_required
def questions() -> ResponseReturnValue:
    """List the messages of people who look for those in charge."""
    enterprise_id = acting().enterprise_id
    found = question_services.questions(enterprise_id)
    by = {each.answered_by for each in found if each.answered_by}
    names = names_here(enterprise_id, by)
    return render_template("delegation/questions.html", questions=found, names=names, form=MandatForm())


@blueprint.post("/questions/<question_id>/answered")
@ar_or_pes_required
def answered(question_id: str) -> ResponseReturnValue:
    """Note that a question was answered, or needs no answer."""
    here = acting()
    if question_services.note_answered(here.enterprise_id, question_id, by=here.person.id, now=now()):
        flash(_("The message is marked as answered."), "success")
    else:
        flash(_("This message was answered already, or is no longer kept."), "info")
    return see_other("/questions")


def _mail(payload: dict[str, Any], _now: Any) -> Email:
    reader = accounts.person(payload["person_id"])
    return from_template(
        "delegation/mail_question.txt",
        to=payload["to"],
        language=reader.language,
        neq=str(Neq(payload["neq"])),
        asker=question_services.Asker(**payload["asker"]),
    )
