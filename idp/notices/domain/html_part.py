"""The structure of an e-mail, read from its text, so that the HTML part has the same words.

A text has a simple format: paragraphs separated by a blank line, lists of lines that begin with ``- ``, and a code or
an address of ours alone on its line. Anything else is plain text: the template escapes it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

_CODE = re.compile(r"(?=.*[0-9])[0-9A-Z]{4,}(?:[ -][0-9A-Z]{4,})*")
_ADDRESS_SIGNS = re.compile(r"[!#-;=?-~]+")  # of ASCII, neither a space nor a character special to HTML


class Shape(StrEnum):
    """The kind of a block."""

    PARAGRAPH = "paragraph"
    ITEMS = "items"
    CODE = "code"
    ADDRESS = "address"


@dataclass(frozen=True, slots=True)
class Block:
    """Lines of the text that belong together, not escaped."""

    shape: Shape
    lines: tuple[str, ...]


def blocks(text: str, *, issuer: str) -> tuple[Block, ...]:
    """Return the blocks of *text* in order; only an address below *issuer* becomes a link."""
    found: list[Block] = []
    open_ = False
    for line in (each.strip() for each in text.split("\n")):
        if not line:
            open_ = False
            continue
        shape = _shape(line, issuer)
        said = line.removeprefix("- ") if shape is Shape.ITEMS else line
        if open_ and found[-1].shape is shape:
            found[-1] = Block(shape, (*found[-1].lines, said))
        else:
            found.append(Block(shape, (said,)))
        open_ = True
    return tuple(found)


def _shape(line: str, issuer: str) -> Shape:
    if line.startswith("- "):
        return Shape.ITEMS
    if _CODE.fullmatch(line):
        return Shape.CODE
    if line.startswith(f"{issuer.rstrip('/')}/") and _ADDRESS_SIGNS.fullmatch(line):
        return Shape.ADDRESS
    return Shape.PARAGRAPH
