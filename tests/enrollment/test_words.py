"""Every value has its words, every e-mail its two languages."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from idp.connectors.enterprise_register import RegistrationStatus
from idp.enrollment import words
from idp.enrollment.domain.documents import DocumentFault, DocumentKind
from idp.enrollment.domain.files import Task, TaskState
from idp.enrollment.domain.positions import Basis, Position
from idp.enrollment.domain.rules import AssessmentReason, FileRefusalReason
from idp.enrollment.domain.states import State, StateEvent
from idp.enrollment.domain.terms import TEXTS
from idp.enrollment.notice_services import TEMPLATES
from idp.i18n import in_language
from idp.notices import email

VALUES = {
    "code": "1234 5678",
    "minutes": 10,
    "number": "QX4T-7K9M",
    "enterprise": "Toitures Brumeplume inc.",
}


@pytest.mark.parametrize(
    ("table", "values"),
    [
        (words.POSITIONS, Position),
        (words.BASES, Basis),
        (words.BASES_SHORT, Basis),
        (words.STATES, State),
        (words.TASKS, Task),
        (words.TASK_STATES, TaskState),
        (words.EVENTS, StateEvent),
        (words.REFUSALS, FileRefusalReason),
        (words.REASONS, AssessmentReason),
        (words.REGISTER_STATUSES, RegistrationStatus),
        (words.DOCUMENTS, DocumentKind),
        (words.DOCUMENT_FAULTS, DocumentFault),
    ],
)
def test_every_value_has_words_in_both_languages(app: Flask, table: dict[str, object], values: type) -> None:
    """No value is ever shown as it is stored."""
    for value in values:
        with app.test_request_context():
            with in_language("fr"):
                french = str(table[value])
            with in_language("en"):
                english = str(table[value])
        assert french
        assert english
        assert french != value.value


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("template", sorted(TEMPLATES))
def test_emails(app: Flask, template: str, language: str) -> None:
    """A subject, a text, the help line; no link that signs in, and the other language nowhere."""
    mail = email.from_template(f"enrollment/{template}.txt", to="a@example.com", language=language, **VALUES)

    assert mail.subject
    assert "1 800 555-0199" in mail.text
    assert not re.search(r"https?://\S+[?&](token|code)=", mail.text)
    assert ("dossier" in mail.text or "inscrite" in mail.text) == (language == "fr")


def test_terms_say_the_same_in_both_languages() -> None:
    """Each version has both languages, with the same number of sections."""
    versions = {version for version, _ in TEXTS}

    for version in versions:
        assert len(TEXTS[version, "fr"]) == len(TEXTS[version, "en"])
