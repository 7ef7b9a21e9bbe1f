"""Letters and slips as tagged PDF (PDF/UA-1), made by Typst from ``letters/<name>.typ``.

A template is layout only: it gets its sentences and values as one JSON text and never as markup, so nothing a person
typed is ever read as Typst. What each letter needs:

- ``mailed_code``: ``address`` (lines), ``file_number``, ``code`` (ten digits), ``expires_on``, ``sent_on`` (dates or ISO
  texts), ``reference`` (opaque number for returned mail, optional);
- ``security_notice``: ``address`` (lines), ``changes`` (pairs of what and when), ``codes`` (masked), ``sent_on``;
- ``slip_user_code``: ``enterprise``, ``person``, ``user_code``, ``pairing``;
- ``slip_secret``: ``secret`` (spaces and hyphens are ignored), ``days``, ``expires_on``, ``pairing``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any, cast

import structlog
import typst

from ..http.web import absolute_url, current_settings
from ..i18n import Language, in_language, long_date, long_datetime, ngettext, show_neq
from ..i18n import gettext as _
from .domain import glyphs
from .spelling import groups, spell

log = structlog.get_logger("mandat.letters")

_FOLDER = Path(__file__).parent / "letters"
_POSTAL_CODE = re.compile(r"\s*\b([A-Z]\d[A-Z])\s?(\d[A-Z]\d)$")
_SCRIPTS_LIMIT = 12  # characters without a font in one letter; beyond, only Latin letters are left
_CHANGES_LIMIT = 12  # lines of a letter about changes; beyond, the latest are enough to call about
_TEXT_LIMIT = 120  # characters of one line of an address or of a name: a letter fits on one page


def render_pdf(template: str, data: Mapping[str, Any], *, language: str) -> bytes:
    """Return the letter *template* filled with *data*, as a tagged PDF.

    Raises:
        ValueError: the letter does not exist, or *data* lacks a value it needs.
    """
    if template not in _LETTERS:
        raise ValueError(f"no letter called {template}")
    with in_language(cast(Language, language)):
        try:
            content = _LETTERS[template](data)
        except KeyError as missing:
            raise ValueError(f"{template} needs {missing}") from None
    content["language"] = language
    return _compile(template, content)


def _compile(template: str, content: dict[str, Any]) -> bytes:
    """Return the PDF; characters missing from every font are replaced, and their scripts are logged."""
    for replaced in range(_SCRIPTS_LIMIT + 1):
        try:
            return typst.compile(
                _FOLDER / f"{template}.typ",
                root=_FOLDER,
                ignore_system_fonts=True,
                font_paths=[_FOLDER / "fonts"],
                sys_inputs={"letter": json.dumps(content, ensure_ascii=False)},
                pdf_standards="ua-1",
            )
        except typst.TypstError as error:
            missing = glyphs.refused(error.message)
            if not missing or replaced == _SCRIPTS_LIMIT:
                raise
            log.warning("letter without some glyphs", letter=template, scripts=glyphs.scripts(missing))
            is_last = replaced == _SCRIPTS_LIMIT - 1
            content = glyphs.only_latin(content) if is_last else glyphs.replace(content, missing)
    raise AssertionError("the last round returns or raises")


def _mailed_code(data: Mapping[str, Any]) -> dict[str, Any]:
    expires = _day(data["expires_on"])
    phone = current_settings().support_phone
    return {
        "title": _("Your verification code"),
        "sender": [_("Mandat – Verification of files"), _("Return any undelivered mail to the sender")],
        "address": [_address_line(line) for line in data["address"]],
        "date": _("Date: %(date)s", date=_day(data["sent_on"])),
        "subject": _("Subject: your verification code"),
        "facts": [[_("File number"), _short(data["file_number"])], [_("Valid until"), expires]],
        "greeting": _("Dear Sir or Madam,"),
        "opening": _(
            "You have asked to enrol your enterprise with Mandat. To confirm that you represent it, enter the code below "
            "on the page of your file."
        ),
        "code_label": _("Verification code"),
        "code": groups(str(data["code"]), 5),
        "steps_title": _("What to do"),
        "steps": [
            _("Go to %(address)s and open your file with its number.", address=_typed("/enrol/resume")),
            _("Enter the code. After five wrong tries it no longer works."),
            _("Do it by %(date)s at the latest. You may ask for another letter; it cancels this one.", date=expires),
        ],
        "not_asked_title": _("You did not ask for this letter?"),
        "not_asked": _(
            "Do nothing with the code, give it to nobody, and call us at %(phone)s. Without the code, nobody can finish "
            "the enrolment.",
            phone=phone,
        ),
        "closing": _("Yours truly,"),
        "signature": _("The Mandat team"),
        "help": _("Help: %(phone)s", phone=phone),
        "reference": _("Reference: %(reference)s", reference=_short(data["reference"]))
        if data.get("reference")
        else "",
    }


def _security_notice(data: Mapping[str, Any]) -> dict[str, Any]:
    phone = current_settings().support_phone
    changes = [[_short(what), _short(when)] for what, when in data["changes"][:_CHANGES_LIMIT]]
    return {
        "title": _("A change to how you sign in"),
        "sender": [_("Mandat – Security of accounts"), _("Return any undelivered mail to the sender")],
        "address": [_address_line(line) for line in data["address"]],
        "date": _("Date: %(date)s", date=_day(data["sent_on"])),
        "subject": _("Subject: a change to how you sign in"),
        "greeting": _("Dear Sir or Madam,"),
        "opening": _(
            "We write by post because messages to your e-mail address come back. This was changed in your account:"
        ),
        "facts": [*changes, [_("User code"), _short(", ".join(data["codes"]))]],
        "clock": _("Times are those of Québec."),
        "not_you_title": _("It was not you?"),
        "not_you": _(
            "Call us at once at %(phone)s, and tell the person in charge of electronic services of your enterprise. Have "
            "your e-mail address corrected too.",
            phone=phone,
        ),
        "closing": _("Yours truly,"),
        "signature": _("The Mandat team"),
        "help": _("Help: %(phone)s", phone=phone),
    }


def _slip_user_code(data: Mapping[str, Any]) -> dict[str, Any]:
    phone = current_settings().support_phone
    return {
        "title": _("Your user code"),
        "kicker": _("Slip 1 of 2"),
        "facts": [
            [_("Enterprise"), _short(data["enterprise"])],
            *([[_("Québec enterprise number (NEQ)"), show_neq(str(data["neq"]))]] if data.get("neq") else []),
            [_("Person"), _short(data["person"])],
        ],
        "code_label": _("User code"),
        "code": str(data["user_code"]),
        "spelling_title": _("Read aloud"),
        "spelling_head": [_("Group"), _("Say")],
        "spelling": spell(str(data["user_code"]), 4),
        "steps_title": _("What to do"),
        "steps": [
            _("Go to %(address)s.", address=_typed("/activate")),
            _("Enter this user code, then the temporary password of the other slip."),
            _("A code is then sent to your e-mail address. Choose your own password and a second factor."),
        ],
        "warning": _(
            "Keep this slip apart from the one that holds the password: never in the same envelope or e-mail."
        ),
        "pairing": _("Pairing number: %(number)s", number=_short(data["pairing"])),
        "pairing_hint": _("The other slip bears the same number."),
        "help": _("Help: %(phone)s", phone=phone),
    }


def _slip_secret(data: Mapping[str, Any]) -> dict[str, Any]:
    secret = str(data["secret"])
    return {
        "title": _("Your temporary password"),
        "kicker": _("Slip 2 of 2"),
        "facts": [
            [_("Life"), ngettext("%(num)s day", "%(num)s days", int(data["days"]))],
            *([[_("Serves from"), long_datetime(data["serves_from"])]] if data.get("serves_from") else []),
            [_("Valid until"), _day(data["expires_on"])],
            [_("Use"), _("One use, then it no longer works")],
        ],
        "code_label": _("Temporary password"),
        "code": " ".join(groups(secret, 4)),
        "spelling_title": _("Read aloud"),
        "spelling_head": [_("Group"), _("Say")],
        "spelling": spell(secret, 4),
        "steps_title": _("What to do"),
        "steps": [
            _("Enter it where the first slip says to go. The spaces do not count."),
            _("Choose your own password at once: this one no longer works afterwards."),
            _("Destroy this slip."),
        ],
        "warning": _("Nobody will ever ask you for this password. Do not send it by e-mail."),
        "pairing": _("Pairing number: %(number)s", number=_short(data["pairing"])),
        "pairing_hint": _("The other slip bears the same number."),
        "help": _("Expired or already used? Ask the person who gave it to you for another."),
    }


_LETTERS: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "mailed_code": _mailed_code,
    "security_notice": _security_notice,
    "slip_user_code": _slip_user_code,
    "slip_secret": _slip_secret,
}


def _day(value: object) -> str:
    if isinstance(value, str):
        value = datetime.fromisoformat(value) if "T" in value or " " in value else date.fromisoformat(value)
    if not isinstance(value, (date, datetime)):
        raise ValueError("not a date")
    return long_date(value)


def _typed(path: str) -> str:
    """Return an address as people type it: without the scheme when it is https."""
    return absolute_url(path).removeprefix("https://")


def _address_line(line: object) -> str:
    """Return one line of an address; two spaces precede a postal code, which is never split."""
    return _POSTAL_CODE.sub("\u00a0\u00a0\\1\u00a0\\2", _short(line))


def _short(value: object) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= _TEXT_LIMIT else f"{text[: _TEXT_LIMIT - 1]}…"
