"""What is taken as an e-mail address arrives: one rule at every door, and every way out in a form that relays take."""

from __future__ import annotations

import ast
import re
from datetime import UTC, datetime
from email import message_from_string, policy
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.datastructures import MultiDict

from idp import addresses
from idp.accounts import forms as accounts_forms
from idp.config import Settings, read_settings
from idp.delegation import forms as delegation_forms
from idp.delegation.catalogue.domain.questionnaire import (
    ConsentText,
    LocalizedText,
    Question,
    QuestionKind,
    Questionnaire,
    check,
)
from idp.delegation.views.questions import QuestionForm
from idp.enrollment import forms as enrollment_forms
from idp.http.web_forms import MandatForm
from idp.notices.delivery import as_mime
from idp.notices.domain.messages import Email
from idp.notices.errors import BouncedError

SOURCES = Path(__file__).parents[1] / "idp"
NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)
DOORS: tuple[tuple[type[MandatForm], str], ...] = (
    (enrollment_forms.RepresentativeForm, "email"),
    (enrollment_forms.NomineeForm, "email"),
    (delegation_forms.PersonForm, "email"),
    (accounts_forms.EmailChangeForm, "email"),
    (accounts_forms.LostCodeForm, "email"),
    (QuestionForm, "email"),
)
LOCAL = "a" * 64
KEPT = {
    "julie@example.com": "julie@example.com",
    "Julie.O'Neil+x@EXAMPLE.com": "Julie.O'Neil+x@example.com",
    "jurgen@büro.example": "jurgen@xn--bro-hoa.example",
    "jurgen@xn--bro-hoa.example": "jurgen@xn--bro-hoa.example",
    "a@faß.example": "a@xn--fa-hia.example",  # IDNA 2008; IDNA 2003 had made it fass
    "a@例え.example": "a@xn--r8jz45g.example",
    f"{LOCAL}@{'b' * 60}.{'c' * 60}.example": f"{LOCAL}@{'b' * 60}.{'c' * 60}.example",
}
ONLY_SMTP_UTF8 = {
    "zoé@exemple.example": "zoé@exemple.example",
    "ᐃᓄᒃ@exemple.example": "ᐃᓄᒃ@exemple.example",
    "zoé@büro.example": "zoé@xn--bro-hoa.example",
}
UNSEEN = "a\u200b@example.com"
REFUSED = (
    *("", "julie", "julie@", "@example.com", "julie@example", "a b@example.com", '"a b"@example.com', "a@[127.0.0.1]"),
    *("a@example.com\r\nBcc: b@example.com", "a\n@example.com", "a@example.com, b@example.com", "A <a@example.com>"),
    *(UNSEEN, "a@☃.example", "a@-x-.example", f"{LOCAL}a@example.com", f"a@{'b.' * 130}example"),
    f"a@{'ü' * 60}.example",  # too long once in ASCII
)


@pytest.mark.parametrize("typed", [*KEPT, *ONLY_SMTP_UTF8, *REFUSED])
def test_one_rule_for_an_address(typed: str) -> None:
    """The domain becomes ASCII; letters before the @ need SMTPUTF8; nothing that could end a header passes."""
    read = []
    for smtp_utf8 in (False, True):
        try:
            read.append(addresses.parse(typed, smtp_utf8=smtp_utf8))
        except addresses.InvalidAddressError as error:
            read.append(error.fault)

    if typed in ONLY_SMTP_UTF8:
        assert read == [addresses.AddressFault.LOCAL_PART, ONLY_SMTP_UTF8[typed]]
    else:
        assert read == [KEPT.get(typed, addresses.AddressFault.SHAPE)] * 2


@pytest.mark.parametrize(("form", "field"), DOORS, ids=lambda each: getattr(each, "__name__", each))
def test_every_form_takes_what_leaves_and_says_what_does_not(app: Flask, form: type[MandatForm], field: str) -> None:
    """The value of the field is what is kept; a refusal stands beside it."""
    refused = dict.fromkeys((*ONLY_SMTP_UTF8, *REFUSED)) | {UNSEEN: "a@example.com"}  # a field drops what is not seen
    for typed, kept in {**KEPT, **refused}.items():
        if not typed and form is QuestionForm:
            continue  # a telephone number is enough there
        with app.test_request_context(method="POST"):
            sent = form(formdata=MultiDict({field: typed}), meta={"csrf": False})
            sent.validate()
        if kept is None:
            assert sent[field].errors, typed
        else:
            assert (list(sent[field].errors), sent[field].data) == ([], kept)


def imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""]
    return [alias.name for alias in node.names] if isinstance(node, ast.Import) else []


def test_every_field_for_an_address_is_tried() -> None:
    """A new form with an e-mail address comes with its row above, and nothing else reads addresses."""
    found, readers = set(), set()
    for path in SOURCES.rglob("*.py"):
        tree = ast.parse(path.read_text())
        if "email_validator" in {word for node in ast.walk(tree) for word in imported(node)}:
            readers.add(str(path.relative_to(SOURCES)))
        for room in (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)):
            found |= {
                (room.name, ast.unparse(line.targets[0]))
                for line in room.body
                if isinstance(line, ast.Assign) and re.search(r"_email\(|EmailField|is_an_address", ast.unparse(line))
            }

    assert found == {(form.__name__, field) for form, field in DOORS}
    assert readers == {"addresses.py"}


def test_an_answer_to_an_agency_is_an_address_that_any_relay_takes() -> None:
    """The agency may not have SMTPUTF8; the domain is told in ASCII."""
    question = Question(id="contact", kind=QuestionKind.EMAIL, label=LocalizedText("Courriel", "E-mail"))
    asked = Questionnaire("1", (question,), consent=ConsentText("1", LocalizedText("Oui", "Yes")))

    answers = [
        check(asked, {"contact": typed}, (), offered=frozenset()) for typed in ("j@büro.example", "zoé@b.example")
    ]

    assert [(checked.answers, bool(checked)) for checked in answers] == [
        ({"contact": "j@xn--bro-hoa.example"}, True),
        ({"contact": "zoé@b.example"}, False),
    ]


@pytest.mark.parametrize("to", [*KEPT, *ONLY_SMTP_UTF8])
def test_headers_are_such_as_relays_take(app: Flask, to: str) -> None:
    """One To on one line with one address; all in ASCII but where SMTPUTF8 is needed. An address kept before does too."""
    with app.test_request_context():
        sent = as_mime(Email(to=to, subject="Été", text="Bonjour.\n"), message_id="m1", now=NOW).as_bytes()

    head = sent.split(b"\r\n\r\n")[0]
    read = message_from_string(sent.decode(), policy=policy.SMTPUTF8)
    assert [str(address.addr_spec) for address in read["To"].addresses] == [{**KEPT, **ONLY_SMTP_UTF8}[to]]
    assert head.isascii() is (to not in ONLY_SMTP_UTF8)
    assert b"=?" not in head.split(b"To: ")[1].split(b"\r\n")[0]


def test_an_address_that_no_relay_takes_is_given_up_at_once(app: Flask) -> None:
    """A text that an earlier version kept is shown to its owner as refused, and not tried for days."""
    with app.test_request_context(), pytest.raises(BouncedError):
        as_mime(Email(to="a\r\nBcc: b@example.com", subject="x", text="x\n"), message_id="m1", now=NOW)


def test_the_addresses_of_the_settings_are_read_at_start(keys_dir: Path) -> None:
    """The sender and the address of alarms too: in ASCII, and one each."""
    given = read_settings(mail_from="Élan <ne-pas@büro.example>", alarm_email="garde@büro.example")

    assert (given.mail_from, given.alarm_email) == ("Élan <ne-pas@xn--bro-hoa.example>", "garde@xn--bro-hoa.example")
    for wrong in ("zoé@b.example", "a@b.example\nBcc: c@d.example", "nobody"):
        for name in ("mail_from", "alarm_email"):
            with pytest.raises(Exception, match=f"IDP_{name.upper()}"):
                read_settings(**{name: wrong})


def test_the_sender_is_ascii_in_every_header(app: Flask, settings: Settings) -> None:
    """From and Message-ID bear the domain in ASCII."""
    app.extensions["mandat.settings"] = read_settings(
        mail_from="Élan <ne-pas@büro.example>", keys_dir=settings.keys_dir
    )
    with app.test_request_context():
        head = as_mime(Email(to="a@example.com", subject="x", text="x\n"), message_id="m1", now=NOW).as_bytes()

    assert head.count(b"ne-pas@xn--bro-hoa.example") == 1
    assert b"<m1@xn--bro-hoa.example>" in head
