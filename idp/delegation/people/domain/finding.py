"""Finding an enterprise among many: an accountant acts for hundreds. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

SEARCHED_BEYOND = 10  # a shorter list is shown whole, without a search
PAGE = 25

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class FoundPage(Generic[Found]):
    """One page of what was found; ``is_searched`` says whether the whole list is long enough for a search."""

    items: tuple[Found, ...]
    number: int
    more: bool
    is_searched: bool


def find(
    items: Sequence[Found], words: str, page: int, *, text: Callable[[Found], str], fold: Callable[[str], str]
) -> FoundPage[Found]:
    """Return a page of the *items* whose folded *text* has every one of the *words*; the order stays.

    A number outside the pages that exist gives the first or the last one.
    """
    wanted = fold(words).split()[:8]
    found = [item for item in items if all(word in text(item) for word in wanted)] if wanted else list(items)
    if len(items) <= SEARCHED_BEYOND:
        return FoundPage(tuple(found), 1, more=False, is_searched=False)
    last = max(1, -(-len(found) // PAGE))
    number = min(max(page, 1), last)
    shown = tuple(found[(number - 1) * PAGE : number * PAGE])
    return FoundPage(shown, number, more=number < last, is_searched=True)
