"""E-mails from templates: the first line is the subject, a blank line, then the text."""

from __future__ import annotations

from typing import Any

from flask import render_template

from ..i18n import Language, in_language
from ..web import current_settings
from .messages import Email


def from_template(template: str, *, to: str, language: Language, html: str | None = None, **values: Any) -> Email:
    """Return the e-mail of *template* (for example ``accounts/mail_code.txt``) in *language*.

    Templates also get ``lang``, ``issuer`` and ``support_phone``. They never hold a full user code, nor a link that
    signs in (ui §2). *html* is the template of the same said in HTML, for those who read it so.

    Raises:
        ValueError: the template does not begin with a subject and a blank line.
    """
    settings = current_settings()
    with in_language(language):
        given = {"issuer": settings.issuer, "support_phone": settings.support_phone, **values, "lang": language}
        rendered = render_template(template, **given)
        marked_up = render_template(html, **given) if html else None
    subject, _, rest = rendered.strip().partition("\n")
    blank, _, text = rest.partition("\n")
    if not subject.strip() or blank.strip() or not text.strip():
        raise ValueError(f"{template}: a subject, a blank line, then the text")
    return Email(to=to, subject=subject.strip(), text=f"{text.strip()}\n", html=marked_up)
