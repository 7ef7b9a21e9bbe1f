"""Walking through a document a person wrote, noting every mistake with its place instead of stopping at the first."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from .... import names

DocumentPath = tuple[str | int, ...]
Word = TypeVar("Word", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong, and where: the keys and positions that lead there."""

    path: DocumentPath
    message: str

    @property
    def place(self) -> str:
        """Return the place as one writes it: ``questionnaire.questions[2].label.fr``."""
        parts = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.path)
        return "".join(parts).lstrip(".") or "(top)"

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


class CatalogueError(ValueError):
    """A document that is not an agency; ``mistakes`` lists everything that is wrong with it."""

    def __init__(self, mistakes: tuple[Mistake, ...]) -> None:
        super().__init__("; ".join(str(mistake) for mistake in mistakes))
        self.mistakes = mistakes


class Node:
    """One place of the document. Reading something that is not there notes a mistake and gives an empty value."""

    def __init__(self, value: object, path: DocumentPath, mistakes: list[Mistake], *, present: bool = True) -> None:
        self.value = value
        self._path = path
        self._mistakes = mistakes
        self._present = present

    def wrong(self, message: str, *further: str | int) -> None:
        """Note a mistake here, or at *further* steps from here."""
        self._mistakes.append(Mistake((*self._path, *further), message))

    def mapping(self) -> Mapping[str, object]:
        """Return what should be a mapping."""
        if isinstance(self.value, Mapping):
            return self.value
        self._missing_or("a mapping (key: value) is needed here")
        return {}

    def only(self, keys: Iterable[str]) -> None:
        """Note every key that is not one of *keys*: a misspelled one must not be silently without effect."""
        if isinstance(self.value, Mapping):
            for key in self.value.keys() - set(keys):
                self.wrong("this key is not known", str(key))

    def has(self, key: str) -> bool:
        """Return whether *key* is given."""
        return isinstance(self.value, Mapping) and self.value.get(key) is not None

    def at(self, key: str) -> Node:
        """Go to *key*."""
        value = self.value.get(key) if isinstance(self.value, Mapping) else None
        return Node(value, (*self._path, key), self._mistakes, present=value is not None)

    def index(self, place: int) -> Node:
        """Go to a position of a list."""
        return Node(None, (*self._path, place), self._mistakes)

    def items(self) -> Iterator[Node]:
        """Go through what should be a list with something in it."""
        if not isinstance(self.value, list) or not self.value:
            self._missing_or("a list is needed here")
            return
        for place, value in enumerate(self.value):
            yield Node(value, (*self._path, place), self._mistakes)

    def items_or_none(self, key: str) -> Iterator[Node]:
        """Go through the list at *key*, which may be absent."""
        return self.at(key).items() if self.has(key) else iter(())

    def text(self) -> str:
        """Return what should be a text."""
        if isinstance(self.value, str) and (text := names.readable(self.value)):
            return text
        self._missing_or("a text is needed here; put it in quotes if it looks like a number, a date, yes or no")
        return ""

    def matching(self, pattern: re.Pattern[str], wanted: str) -> str:
        """Return what should be a text of a given shape."""
        text = self.text()
        if text and not pattern.fullmatch(text):
            self.wrong(f"{wanted}")
        return text

    def one_of(self, words: type[Word], instead: Word) -> Word:
        """Return one word of a closed list."""
        text = self.text()
        try:
            return words(text)
        except ValueError:
            if text:
                self.wrong(f"one of {', '.join(word.value for word in words)} is needed")
            return instead

    def flag(self, key: str, *, default: bool) -> bool:
        """Return the yes or no at *key*."""
        if not self.has(key):
            return default
        value = self.at(key).value
        if not isinstance(value, bool):
            self.wrong("true or false is needed", key)
            return default
        return value

    def _missing_or(self, message: str) -> None:
        self.wrong(message if self._present else "this is missing")
