from __future__ import annotations

from typing import Any

import pytest

from examples.amp_portal.access import BLOCKS, PATHS, Refusal, read_rights
from examples.amp_portal.words import WORDS, word

CLAIMS: dict[str, Any] = {
    "exp": 1_800_000_000,
    "enterprise": {"id": "neq:1100000455", "neq": "1100000455", "name": "Licorne inc.", "status": "active"},
    "representation": {"role": "user", "basis": "direct", "version": 4},
    "functional_blocks": ["001", "008"],
}


def test_a_held_block_is_open_and_another_is_not() -> None:
    """Rights come from functional_blocks alone."""
    rights = read_rights(CLAIMS)

    assert rights is not None
    assert [code for code in BLOCKS if rights.refusal(code) is None] == ["001", "008"]
    assert rights.refusal("018") is Refusal.BLOCK_NOT_HELD


@pytest.mark.parametrize("status", ["suspended", "deactivated", "unknown", ""])
def test_an_enterprise_that_is_not_active_opens_nothing(status: str) -> None:
    """Rule 3: anything but ``active`` refuses, whatever the blocks."""
    rights = read_rights(CLAIMS | {"enterprise": {**CLAIMS["enterprise"], "status": status}})

    assert rights is not None
    assert {rights.refusal(code) for code in BLOCKS} == {Refusal.ENTERPRISE_NOT_ACTIVE}


@pytest.mark.parametrize("blocks", [None, "018", {"018": True}, [18], ["0018"], ["*"]])
def test_odd_blocks_open_nothing(blocks: Any) -> None:
    """Rule 5: what is not a list of known codes denies."""
    rights = read_rights(CLAIMS | {"functional_blocks": blocks})

    assert rights is not None
    assert all(rights.refusal(code) is not None for code in BLOCKS)


@pytest.mark.parametrize("missing", ["enterprise", "representation"])
def test_no_enterprise_is_not_an_empty_one(missing: str) -> None:
    """No claim at all means that the person acts for no enterprise."""
    assert read_rights({name: value for name, value in CLAIMS.items() if name != missing}) is None


def test_every_block_has_a_page_and_words_in_both_languages() -> None:
    """The seven blocks of the agency, each with its page; every sentence exists twice."""
    assert set(PATHS) == set(BLOCKS)
    assert all(word(code, "fr") != word(code, "en") for code in BLOCKS)
    assert all(french and english for french, english in WORDS.values())
