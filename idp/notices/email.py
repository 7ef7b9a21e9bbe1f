"""E-mails from templates: the first line is the subject, a blank line, then the text, from which HTML is made."""

from __future__ import annotations

import re
from typing import Any

from flask import render_template

from ..http.web import current_settings
from ..i18n import Language, in_language
from .domain.html_part import blocks
from .domain.messages import Email

_GAP = re.compile(r"\n\s*\n")
_TWO_STOPS = re.compile(r"(?<=\w)\.\.(?=\s|$)")  # a name that ends with “inc.” ends the sentence too
_LINE_ENDS = re.compile(r"\s*[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]\s*")


def from_template(template: str, *, to: str, language: Language, **values: Any) -> Email:
    """Return the e-mail of *template* (for example ``accounts/mail_code.txt``) in *language*, as text and as HTML.

    Templates also get ``lang``, ``issuer`` and ``support_phone``. They never contain a full user code, nor a link that
    signs in (interface.md §2). No value contains a line break: typed text stays in the sentence that quotes it.

    Raises:
        ValueError: the template does not begin with a subject and a blank line.
    """
    settings = current_settings()
    given = {"issuer": settings.issuer, "support_phone": settings.support_phone, **values, "lang": language}
    with in_language(language):
        rendered = render_template(template, **{name: _on_one_line(value) for name, value in given.items()})
    subject, _, rest = rendered.strip().partition("\n")
    blank, _, text = rest.partition("\n")
    if not subject.strip() or blank.strip() or not text.strip():
        raise ValueError(f"{template}: a subject, a blank line, then the text")
    text = _TWO_STOPS.sub(".", _GAP.sub("\n\n", text.strip()))
    said = {"subject": subject.strip(), "blocks": blocks(text, issuer=settings.issuer), "lang": language}
    html = render_template("notices/mail.html", **said)
    return Email(to=to, subject=subject.strip(), text=f"{text}\n", html=html, language=language)


def _on_one_line(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_on_one_line(each) for each in value]
    return _LINE_ENDS.sub(" ", value) if isinstance(value, str) else value
