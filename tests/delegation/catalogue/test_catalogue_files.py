"""The catalogue as files: both agencies parse, and every mistake is named with its file, line and place."""

from __future__ import annotations

from pathlib import Path

import pytest

from idp.delegation.catalogue.catalogue_files import CatalogueFileError, read_files
from idp.delegation.catalogue.domain.questionnaire import AnswerFault, check
from idp.delegation.subscriptions.domain.rules import Ruling, rule
from idp.delegation.subscriptions.domain.states import TRANSITIONS, SubscriptionEvent, SubscriptionState, after

AGENCIES = Path(__file__).parents[3] / "agencies"
AMP = AGENCIES / "amp.yaml"


def test_amp_has_its_seven_blocks_and_the_other_agency_its_own() -> None:
    """018 means one thing at AMP and another elsewhere; 019 checks 018."""
    agencies = {file.agency.id: file.agency for file in read_files(AGENCIES)}
    codes = tuple(block.code for block in agencies["amp"].blocks)

    assert codes == ("001", "005", "007", "008", "018", "019", "024")
    checker = agencies["amp"].block("019")
    assert checker is not None
    assert checker.checker_of == "018"
    assert agencies["amp"].block("018") != agencies["bac"].block("018")


@pytest.mark.parametrize(
    ("before", "after_", "told"),
    [
        ('code: "001"', "code: 1", "blocks[0].code: a text is needed"),
        ('code: "005"', 'code: "001"', "blocks[1]: 001 is there twice"),
        ('checker_of: "018"', 'checker_of: "777"', "checker_of must name another block"),
        ("type: email", "type: mail", "questions[2].type: one of choice"),
        ('show_if: {is_client: "yes"}', 'show_if: {is_cleint: "yes"}', "show_if.is_cleint"),
        ("decision: accept", "decision: maybe", "acceptance[0].decision"),
        ("sensitive: true", "sensitve: true", "blocks[6].sensitve: this key is not known"),
        ('"[0-9]{10}"', '"[0-9"', "not a regular expression"),
        ('catalogue: "2026-11"', "catalogue: {", "not YAML"),
    ],
)
def test_a_mistake_has_its_place(tmp_path: Path, before: str, after_: str, told: str) -> None:
    """Each mistake is told as file:line: place: what."""
    text = AMP.read_text(encoding="utf-8")
    assert before in text
    file = tmp_path / "amp.yaml"
    file.write_text(text.replace(before, after_), encoding="utf-8")

    with pytest.raises(CatalogueFileError, match=r"^amp\.yaml:\d+: ") as refused:
        read_files(file)
    assert told in str(refused.value)


def test_the_rule_and_the_questions_of_amp() -> None:
    """No: accepted. Yes: the number is asked, and a person decides. A hidden answer does not count."""
    amp = read_files(AMP)[0].agency
    no = {"is_client": "no", "contact_email": "a@licorne.example", "client_number": "x"}

    checked = check(amp.questionnaire, no, ("001",), offered=amp.offered)
    assert checked
    assert "client_number" not in checked.answers
    assert rule(amp.acceptance, checked.answers).ruling is Ruling.ACCEPT
    yes = check(amp.questionnaire, no | {"is_client": "yes"}, (), offered=amp.offered)
    assert yes.faults == {"client_number": AnswerFault.PATTERN, "blocks": AnswerFault.MISSING}
    assert rule(amp.acceptance, yes.answers).ruling is Ruling.REVIEW


def test_every_state_but_the_last_words_can_be_left() -> None:
    """No state is a dead end, and what the table does not name cannot happen."""
    assert {state for state, _ in TRANSITIONS} == set(SubscriptionState)
    assert after(SubscriptionState.REFUSED, SubscriptionEvent.ACCEPTED) is None
