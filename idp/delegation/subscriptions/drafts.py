"""Answers on their way from the questions to the page that sends them; they wait in the page session."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from flask import session

from ...i18n import gettext as _
from ..catalogue.domain.catalogue import Agency
from ..catalogue.domain.questionnaire import QuestionKind
from .domain.changes import Content

_LONGEST = 2000  # characters: a cookie holds 4096 bytes


class Draft(StrEnum):
    """What is being written, each with its place in the session."""

    SUBSCRIPTION = "subscribing"
    CHANGE = "changing"


def kept(draft: Draft, enterprise_id: str, agency_id: str) -> Content | None:
    """Return what waits for this enterprise and agency."""
    found = session.get(draft)
    if not isinstance(found, dict) or found.get("for") != [enterprise_id, agency_id]:
        return None
    return Content(tuple(found["blocks"]), dict(found["answers"]))


def seen_revision(draft: Draft) -> int:
    """Return the revision of the subscription on which what waits was written, 0 when none was noted."""
    return int((session.get(draft) or {}).get("revision", 0))


def keep(draft: Draft, enterprise_id: str, agency_id: str, content: Content, *, revision: int = 0) -> bool:
    """Keep *content* until it is sent; False when it is too long for a cookie."""
    if sum(len(ascii(part)) for pair in content.answers.items() for part in pair) > _LONGEST:
        return False
    session[draft] = {
        "for": [enterprise_id, agency_id],
        "answers": dict(content.answers),
        "blocks": list(content.blocks),
        "revision": revision,
    }
    return True


def drop(draft: Draft) -> None:
    """Forget what waited."""
    session.pop(draft, None)


def too_long(form: Any, agency: Agency) -> None:
    """Put the error of answers that are too long together beside the longest one."""
    texts = [question for question in agency.questionnaire.questions if question.kind is QuestionKind.TEXT]
    longest = max(texts, key=lambda question: len(str(form[f"q-{question.id}"].data or "")))
    form[f"q-{longest.id}"].errors = [_("These answers are too long together: shorten this one")]
