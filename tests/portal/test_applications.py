"""The rules of an application, and what people type in it: pure."""

from __future__ import annotations

import pytest

from examples.amp_portal.applications import (
    RELATIONSHIP,
    STEPS,
    TRANSITIONS,
    Event,
    Missing,
    State,
    follow,
    is_below_threshold,
    missing,
)
from examples.amp_portal.formats import day, dollars, moment, number, read_dollars
from examples.amp_portal.forms import BIGGEST_ROW, clean, read, whole

CONTRACT = {"category": "services", "respondent": "Maïka", "description": "Ménage"}


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("event", Event)
def test_only_what_the_table_says_can_happen(state: State, event: Event) -> None:
    """A draft changes and is submitted; what was submitted is paid for once; nothing else happens."""
    allowed = {
        (State.DRAFT, Event.CHANGED): State.DRAFT,
        (State.DRAFT, Event.SUBMITTED): State.AWAITING_PAYMENT,
        (State.AWAITING_PAYMENT, Event.FEE_PAID): State.UNDER_REVIEW,
    }

    assert follow(state, event) == allowed.get((state, event)) == TRANSITIONS.get((state, event))


@pytest.mark.parametrize(
    ("steps", "relationships", "undisclosed", "expected"),
    [
        ({"contract": CONTRACT}, 1, 0, ()),
        ({"contract": CONTRACT}, 0, 0, (Missing.RELATIONSHIP,)),
        ({"contract": CONTRACT}, 3, 1, (Missing.DISCLOSURE,)),
        ({"contract": {**CONTRACT, "respondent": ""}}, 1, 0, (Missing.RESPONDENT,)),
        ({}, 0, 0, (Missing.CATEGORY, Missing.RESPONDENT, Missing.DESCRIPTION, Missing.RELATIONSHIP)),
    ],
)
def test_everything_that_is_missing_is_named(
    steps: dict[str, dict[str, str]], relationships: int, undisclosed: int, expected: tuple[Missing, ...]
) -> None:
    """All of it at once, so that nobody finds the next fault after the first."""
    assert missing(steps, relationships, undisclosed) == expected


@pytest.mark.parametrize(
    ("category", "cents", "below"),
    [("services", 99_999_999, True), ("services", 100_000_000, False), ("ppp", 100_000_000, True), ("", 1, False)],
)
def test_a_contract_below_the_threshold_is_known(category: str, cents: int, below: bool) -> None:
    """The threshold is of the category; without a category or a value nothing is said."""
    assert is_below_threshold({"category": category}, cents) is below
    assert not is_below_threshold({"category": category}, None)


@pytest.mark.parametrize(
    "name",
    [
        "Nguyễn Thị Ánh",
        "Ørsted-Łukasz",
        "ᐊᓈᓇᖅ",
        "محمد بن علي",
        "אברהם כהן",
        "王小明",
        "กานดา",
        "Иван",
        "O’Brien",
        "मोहन",
        "3M",
    ],
)
def test_names_of_every_script_are_taken_as_they_are(name: str) -> None:
    """Letters, marks and digits of every script stay."""
    typed = read({"kind": "director", "name": f"  {name} "}, RELATIONSHIP)

    assert typed.faults == {}
    assert typed.values["name"] == clean(name)
    assert len(typed.values["name"]) == len(name)


@pytest.mark.parametrize(
    ("form", "faults"),
    [
        ({"kind": "", "name": ""}, {"kind": "error_choice", "name": "error_required"}),
        ({"kind": "boss", "name": "A"}, {"kind": "error_choice"}),
        ({"kind": "director", "name": "A" * 201}, {"name": "error_long_200"}),
        ({"kind": "director", "name": "A" * 1_000_000}, {"name": "error_long_200"}),
        ({"kind": "director", "name": "\x00\u202e\x07"}, {"name": "error_required"}),
        ({"kind": "director", "name": "…"}, {"name": "error_letters"}),
        ({"kind": "director", "name": "A", "detail": "B" * 201}, {"detail": "error_long_200"}),
    ],
)
def test_each_field_at_fault_is_named(form: dict[str, str], faults: dict[str, str]) -> None:
    """Empty, not of the list, too long, nothing that can be read."""
    assert read(form, RELATIONSHIP).faults == faults


def test_a_draft_may_leave_fields_empty_but_not_wrong() -> None:
    """Saving for later asks for nothing; what is typed is bounded all the same."""
    assert read({}, STEPS["contract"], is_draft=True).faults == {}
    assert read({"description": "a" * 2001}, STEPS["contract"], is_draft=True).faults == {
        "description": "error_long_2000"
    }


@pytest.mark.parametrize(
    ("text", "cents"),
    [
        ("1 250 000,50 $", 125_000_050),
        ("1\u202f250\u00a0000,5", 125_000_050),
        ("$1,250,000.50", 125_000_050),
        ("1250000", 125_000_000),
        ("1,250", 125_000),
        ("12,5", 1_250),
        ("-5", None),
        ("1e9", None),
        ("١٢", 1_200),
        ("12.345", None),
        ("abc", None),
        ("9" * 13, None),
    ],
)
def test_an_amount_is_read_in_both_languages(text: str, cents: int | None) -> None:
    """Spaces or commas between thousands, a comma or a point before cents."""
    assert read_dollars(text) == cents


def test_dates_numbers_and_amounts_are_of_the_language() -> None:
    """Québec's time, and what belongs together stays on one line."""
    instant = "2026-11-23T19:03:00+00:00"
    assert (day("2026-12-01", "fr"), day("2026-12-01", "en")) == ("1er\u00a0décembre 2026", "December 1, 2026")

    assert moment(instant, "fr") == "23\u00a0novembre 2026\u00a0à 14\u00a0h\u00a003"
    assert moment(instant, "en") == "November 23, 2026\u00a0at 2:03\u00a0p.m."
    assert (day("2026-11-23", "fr"), day("2026-11-23", "en")) == (
        "23\u00a0novembre\u00a02026".replace("e\u00a02", "e 2"),
        "November 23, 2026",
    )
    assert (dollars(61_400, "fr"), dollars(61_400, "en")) == ("614,00\u00a0$", "$614.00")
    assert (number(12_345, "fr"), number(12_345, "en")) == ("12\u00a0345", "12,345")


@pytest.mark.parametrize("text", ["-1", "x", "", "1.5", "²", "9" * 17, None])
def test_what_is_no_number_is_none(text: str | None) -> None:
    """A forged number of a row or a page is the default."""
    assert whole(text) == 0


def test_a_number_is_never_larger_than_a_row() -> None:
    """SQLite has 64 bits."""
    assert whole("9" * 16) == BIGGEST_ROW
