"""Every e-mail of every room: the same words as text and as HTML, in both languages, and nothing else."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, request
from jinja2 import StrictUndefined

from idp.config import Settings, folder
from idp.delegation.people.question_services import Asker
from idp.enrollment.notice_services import TEMPLATES as ENROLMENT
from idp.i18n import Language
from idp.identifiers import UserCode
from idp.notices.delivery import as_mime
from idp.notices.email import from_template

ROOT = Path(__file__).resolve().parents[1]
NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
MASKED = UserCode.parse("QX4T-7712").masked
FREEZE = "http://localhost:8000/freeze"
MARKUP = "<script>alert(1)</script><img src=x onerror=alert(1)>\r\nBcc: x@evil.example\n\n- \u2028http://localhost:8000/sign-out"
CLAIMS = {
    "Host": "evil.example",
    "Forwarded": "host=evil.example;proto=https",
    **dict.fromkeys(("X-Forwarded-Host", "X-Forwarded-Server", "X-Host", "X-Original-Host"), "evil.example"),
}

KINDS: dict[str, tuple[str, ...]] = {
    "email_code": ("accounts/mail_code",),
    "account_activated": ("accounts/mail_activated",),
    "user_code_linked": ("accounts/mail_linked",),
    "account_locked": ("accounts/mail_locked",),
    "account_frozen": ("accounts/mail_frozen",),
    "account_thawed": ("accounts/mail_thawed",),
    "account_closed": ("accounts/mail_closed",),
    "sign_in_alarm": ("accounts/mail_alarm",),
    "log_alarm": ("accounts/mail_log_alarm",),
    "recovery_code_used": ("accounts/mail_recovery_code",),
    "recovery_code": ("accounts/mail_password_code",),
    "email_changed": ("accounts/mail_email_changed",),
    "security_notice": ("accounts/mail_security",),
    "reproofing_started": ("accounts/mail_reproofing",),
    "user_codes_asked": ("accounts/mail_user_codes",),
    "pes_question": ("delegation/mail_question",),
    "pes_reminded": ("delegation/mail_reminder",),
    "requests_waiting": ("delegation/mail_requests_waiting",),
    "request_answered": ("delegation/mail_request_answered",),
    "pes_frozen": ("delegation/mail_pes_frozen",),
    "member_left": ("delegation/mail_member_left",),
    "member_renamed": ("delegation/mail_member_renamed",),
    "subscription_decided": tuple(
        f"delegation/mail_{about}_{decision}"
        for about in ("subscription", "change")
        for decision in ("accepted", "refused")
    ),
    "enrolment_email": tuple(f"enrollment/{name}" for name in sorted(ENROLMENT)),
}
NO_EMAIL = frozenset(
    {
        *("mailed_code",),  # a letter
        *("person_frozen", "sign_in_ended", "rights_removed", "credential_changed", "access_frozen"),  # become others
        "name_changed",  # as well
        *("enrolment_return", "pes_asked"),  # as well, when there is such a file
        *("backchannel_logout", "security_event"),  # to agencies
    }
)
SAMPLES: dict[str, dict[str, Any]] = {
    "accounts/mail_code": {"code": "83920174", "minutes": 10},
    "accounts/mail_activated": {"user_code": MASKED, "at": NOW},
    "accounts/mail_linked": {"user_code": MASKED, "enterprise": "Toitures Brumeplume inc.", "at": NOW},
    "accounts/mail_locked": {"until": NOW, "freeze_address": FREEZE},
    "accounts/mail_frozen": {"at": NOW, "freeze_address": FREEZE},
    "accounts/mail_thawed": {"at": NOW, "freeze_address": FREEZE},
    "accounts/mail_closed": {"at": NOW},
    "accounts/mail_alarm": {"at": NOW, "tries": 200, "minutes": 10},
    "accounts/mail_log_alarm": {"at": NOW, "place": "/mnt/witness"},
    "accounts/mail_recovery_code": {"at": NOW, "left": 3, "few": 3},
    "accounts/mail_password_code": {"code": "83920174", "minutes": 10},
    "accounts/mail_email_changed": {
        "at": NOW,
        "until": NOW,
        "new": "n…@example.com",
        "code": "QX4T-7K9M-AB34-CD67-EF89-GH34",
        "undo_address": "http://localhost:8000/undo-email",
    },
    "accounts/mail_security": {
        "changes": [("password:update", "Firefox, Linux", NOW), ("totp:create", None, NOW)],
        "codes": [MASKED],
    },
    "accounts/mail_reproofing": {
        "serves_from": NOW,
        "objection": "http://localhost:8000/recover/objection?token=a-b_c&lang=fr",
    },
    "accounts/mail_user_codes": {"codes": [(MASKED, "Toitures Brumeplume inc."), (MASKED, "")]},
    "delegation/mail_member_renamed": {
        "former": "Julie Licorne",
        "name": "Julie Nouveaunom",
        "enterprise": "Toitures Brumeplume inc.",
    },
    "delegation/mail_member_left": {"name": "Marc Licorne", "enterprise": "Toitures Brumeplume inc.", "was_pes": True},
    "delegation/mail_question": {
        "neq": "1100000018",
        "asker": Asker("Mo Nouveau", "mo@example.com", "418 555-0123", "Je travaille ici depuis lundi.", "fr"),
    },
    "delegation/mail_requests_waiting": {
        "name": "Pia Licorne",
        "enterprise": "Toitures Brumeplume inc.",
        "count": 2,
    },
    "delegation/mail_request_answered": {
        "name": "Julie Licorne",
        "enterprise": "Toitures Brumeplume inc.",
        "agency": "Autorité des marchés publics",
        "granted": "",
        "is_whole": False,
        "reason": "Demandez plutôt le bloc 007",
    },
    "delegation/mail_reminder": {
        "name": "Pia Licorne",
        "enterprise": "Toitures Brumeplume inc.",
        "agency": "Autorité des marchés publics",
        "agency_id": "amp",
        "message": "Les factures",
    },
    "delegation/mail_pes_frozen": {"name": "Pia Licorne", "enterprise": "Toitures Brumeplume inc."},
    **{
        f"delegation/mail_{about}_{decision}": {
            "agency": "Autorité des marchés publics",
            "agency_id": "amp",
            "enterprise": "Toitures Brumeplume inc.",
            "name": "Pia Licorne",
            "reason": "Ce numéro n’existe pas",
        }
        for about in ("subscription", "change")
        for decision in ("accepted", "refused")
    },
    **{
        f"enrollment/{name}": {
            "code": "8392 0174",
            "minutes": 10,
            "number": "QX4T-7K9M",
            "enterprise": "Toitures Brumeplume inc.",
        }
        for name in ENROLMENT
    },
}
TAGS = {"html", "head", "meta", "title", "body", "div", "p", "h1", "ul", "li", "a", "br"}
ATTRIBUTES = {"lang", "charset", "name", "content", "style", "role", "href"}
SENT = [(template, language) for template in sorted(SAMPLES) for language in ("fr", "en")]


class Reader(HTMLParser):
    """What a mail program finds in an HTML part."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        self.text += "\n" if tag in ("br", "p", "li", "h1") else ""

    def handle_endtag(self, tag: str) -> None:
        self.text += "\n" if tag in ("title", "p", "li", "h1") else ""

    def handle_data(self, data: str) -> None:
        self.text += data

    @property
    def links(self) -> list[str]:
        return [value for name, value in self.attributes if name == "href"]


@pytest.fixture(autouse=True)
def _strict(app: Flask) -> None:
    """A template that asks for a value its sample does not give fails."""
    app.jinja_env.undefined = StrictUndefined


def as_sent(template: str, language: Language, **changes: Any) -> tuple[EmailMessage, str, Reader]:
    made = from_template(f"{template}.txt", to="a@example.com", language=language, **(SAMPLES[template] | changes))
    mime = as_mime(made, message_id="a" * 32, now=NOW)
    assert mime.get_content_type() == "multipart/alternative"
    plain, html = mime.iter_parts()
    assert [part.get_content_type() for part in (plain, html)] == ["text/plain", "text/html"]
    assert mime["Content-Language"] == language
    assert mime["Auto-Submitted"] == "auto-generated"
    return mime, plain.get_content(), Reader(html.get_content())


def lines(text: str) -> list[str]:
    return [line.strip().removeprefix("- ") for line in text.split("\n") if line.strip()]


def test_every_kind_of_message_is_known_here(app: Flask) -> None:
    """A kind without its line above, or a template without a sample, is a message nobody has read in HTML."""
    written = {
        str(path.relative_to(folder("templates")).with_suffix("")) for path in folder("templates").rglob("mail_*")
    }

    assert set(app.extensions["mandat.renderers"]) == set(KINDS) | NO_EMAIL
    assert written == {template for templates in KINDS.values() for template in templates} == set(SAMPLES)
    assert not list(folder("templates").rglob("mail_*.html")), "the words of a message are written once, as text"


def test_there_is_one_way_to_write_a_message() -> None:
    """Only ``idp/notices/email.py`` makes an e-mail, so that none lacks its HTML part."""
    writers = {
        str(path.relative_to(ROOT)): path.read_text()
        for path in (ROOT / "idp").rglob("*.py")
        if re.search(r"^from \.[a-z.]*messages import .*\bEmail\b", path.read_text(), re.M)
    }

    assert [path for path, code in writers.items() if re.search(r"\bEmail\([^)]", code)] == ["idp/notices/email.py"]


@pytest.mark.parametrize(("template", "language"), SENT)
def test_both_parts_say_the_same(app: Flask, template: str, language: Language) -> None:
    """Text first, then HTML with the same lines below the product's name and the subject."""
    mime, text, html = as_sent(template, language)

    title, product, heading, *said = lines(html.text)
    assert title == heading
    assert title.replace("\u00a0", " ") == mime["Subject"]
    assert product == "Mandat"
    assert said == lines(text)
    assert ("lang", language) in html.attributes


@pytest.mark.parametrize(("template", "language"), SENT)
def test_nothing_is_fetched_and_nothing_signs_in(app: Flask, template: str, language: Language) -> None:
    """No image, script or style sheet; each link stands in the text and is ours; no user code is whole."""
    _, text, html = as_sent(template, language)

    assert set(html.tags) <= TAGS
    assert {name for name, _ in html.attributes} <= ATTRIBUTES
    assert not [value for name, value in html.attributes if name == "style" and re.search(r"url|@|expression", value)]
    assert html.links == re.findall(r"http\S+", text), "an address stands alone on its line"
    assert all(link.startswith("http://localhost:8000/") for link in html.links)
    assert not re.search(r"sign-in|/activate|\.(png|svg|css|js)\b", " ".join(html.links))
    assert not re.search(r"\b[A-Z0-9]{4}-?[0-9]{4}\b(?!-)", text.replace("1 800 555-0199", "").replace("83920174", ""))


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("template", [template for template in sorted(SAMPLES) if template.endswith("_code")])
def test_a_code_to_type_stands_out(app: Flask, template: str, language: Language) -> None:
    """Alone on its line, and larger than the words; a message with recovery codes left holds none."""
    _, text, html = as_sent(template, language)

    code = SAMPLES[template].get("code")
    assert (code in lines(text)) == (template != "accounts/mail_recovery_code")
    assert any("font-size: 28px" in value for _, value in html.attributes) == (code is not None)


@pytest.mark.parametrize(("template", "language"), SENT)
def test_what_a_person_typed_is_only_words(app: Flask, template: str, language: Language) -> None:
    """Names with marks, line ends and addresses of ours add no tag, no link, no line and no header (S-73)."""
    typed = {"name", "enterprise", "reason", "agency", "new", "number"} & set(SAMPLES[template])
    changes: dict[str, Any] = dict.fromkeys(typed, MARKUP)
    if template == "accounts/mail_user_codes":
        changes["codes"] = [(MASKED, MARKUP), (MASKED, "")]
    if template == "accounts/mail_security":
        changes["changes"] = [("password:update", MARKUP, NOW), ("totp:create", None, NOW)]
    _, plain, expected = as_sent(template, language)

    mime, text, html = as_sent(template, language, **changes)

    assert html.tags == expected.tags
    assert html.links == expected.links
    assert len(lines(text)) == len(lines(plain))
    assert "Bcc" not in mime
    assert not re.search(r"[\r\n]", mime["Subject"])


@pytest.mark.bar("S-61")
@pytest.mark.parametrize(("template", "language"), SENT)
def test_no_host_that_a_request_claims_is_written(
    app: Flask, settings: Settings, template: str, language: Language
) -> None:
    """Made inside a request that claims another host in every way, each message still has addresses of ours alone."""
    with app.test_request_context("/", headers=CLAIMS):
        assert request.host == "evil.example"
        mime, text, html = as_sent(template, language)

    said = "\n".join((*mime.values(), text, html.text, *html.links))
    assert "evil" not in said
    assert [address for address in re.findall(r"https?://\S+", said) if not address.startswith(settings.issuer)] == []
