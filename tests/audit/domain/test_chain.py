"""The chain, pure: every member of an entry counts, and so do its place and what stands before it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from idp.audit.domain.chain import GENESIS, Entry, canonical, link

ENTRY = Entry("i", datetime.fromisoformat("2026-11-23T15:00:00+00:00"), "e", "k", *[None] * 5, details={})  # type: ignore[misc]


@given(st.dictionaries(st.text(), st.text()))
def test_two_entries_have_two_hashes(details: dict[str, str]) -> None:
    """The canonical form is one line and tells every member; position and the hash before count too."""
    other = replace(ENTRY, details=details)

    assert b"\n" not in canonical(other)
    assert (canonical(other) == canonical(ENTRY)) == (details == {})
    assert len({link(GENESIS, 1, ENTRY), link(GENESIS, 2, ENTRY), link("f" * 64, 1, ENTRY)}) == 3
