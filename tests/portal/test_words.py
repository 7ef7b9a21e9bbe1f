from __future__ import annotations

import re
from pathlib import Path

from examples.amp_portal.application_store import Outcome
from examples.amp_portal.applications import STEPS, Missing, RequestState, State
from examples.amp_portal.words import WORDS, word

PORTAL = Path(__file__).parents[2] / "examples" / "amp_portal"
SOURCES = [path.read_text(encoding="utf-8") for path in (*PORTAL.glob("templates/*.html"), *PORTAL.glob("*.py"))]
NAMED = {
    *(f"step_{name}" for name in (*STEPS, "relationships", "check")),
    *(f"next_for_{state}" for state in (*State, *RequestState)),
    *(str(key) for key in (*State, *RequestState, *Missing)),
    *(str(each) for each in Outcome),
    *(f"error_long_{field.longest}" for fields in STEPS.values() for field in fields if not field.choices),
}


def test_every_sentence_that_a_page_names_exists() -> None:
    """A key that is missing would be an error before a person."""
    named = {key for text in SOURCES for key in re.findall(r"\bw\('([a-z0-9_-]*[a-z0-9])'[,)]", text)}

    assert sorted((named | NAMED) - set(WORDS)) == []


def test_both_languages_say_the_same_with_the_same_values() -> None:
    """Neither language lacks a sentence or a value, and no straight apostrophe is shown."""
    unequal = [
        key for key, texts in WORDS.items() if len({tuple(sorted(re.findall(r"\{\w+\}", text))) for text in texts}) > 1
    ]

    assert unequal == []
    assert [key for key, texts in WORDS.items() if not all(texts) or "'" in "".join(texts)] == []


def test_french_breaks_no_line_before_its_signs() -> None:
    """A colon, a percent sign, a dollar and guillemets keep an unbreakable space, other signs a thin one."""
    said = {
        key: word(key, "fr", **dict.fromkeys(re.findall(r"\{(\w+)\}", french), "x"))
        for key, (french, _) in WORDS.items()
    }

    assert [key for key, text in said.items() if re.search(r" [:;!?%$»]|« ", text.rstrip())] == []
