"""The words of docstrings and comments: those that a reader would have to guess at are refused, each with its reason."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REFUSED = {
    r"(?i)\b(somebody|someone|whoever|anybody|everybody)\b": "name the person: the caller, the user, a person in charge",
    r"(?i)\btell whether\b": "return whether",
    r"(?i)\bis told\b|\bare told\b|\bwas told\b": "is notified, is returned, is logged",
    r"(?i)\bjudged?\b|\bjudges\b": "check",
    r"(?i)\banew\b": "again",
    r"(?i)\bthe former one\b": "the previous one",
    r"(?i)\bno longer serves\b|\bserves once\b|\bserves no more\b": "is valid, is valid once, is no longer valid",
    r"(?i)\bwants\b": "requires",
    r"(?i)\ba try\b|\bno try\b|\bwrong tries\b": "an attempt",
    r"(?i)\bunder the house\b|\bthe house layer\b|\ba crowd\b": "the application, a burst of sign-ins",
    r"(?i)\blet_go\b|\bkept page\b": "release the connection, page cache",
}


def _words(path: Path) -> Iterator[tuple[int, str]]:
    """Yield each line of a docstring or comment, with its number."""
    source = path.read_text(encoding="utf-8")
    lines = source.split("\n")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            first = node.body[0] if node.body else None
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                yield from ((number, lines[number - 1]) for number in range(first.lineno, (first.end_lineno or 0) + 1))
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def faults(path: Path) -> list[str]:
    """Return the refused words of a file, with the words to write instead."""
    return [
        f"{path.name}:{number}: {found.group(0)!r} → {instead}"
        for number, line in _words(path)
        for refused, instead in REFUSED.items()
        if (found := re.search(refused, line))
    ]


def test_the_sources_use_no_refused_word() -> None:
    """Every module of the product, its tools and its examples."""
    files = [path for folder in ("idp", "tools", "examples") for path in (ROOT / folder).rglob("*.py")]

    assert len(files) > 400
    assert [fault for path in files for fault in faults(path)] == []


def test_the_words_are_seen(tmp_path: Path) -> None:
    """A docstring and a comment of refused words are both reported; code and other strings are not."""
    source = tmp_path / "one.py"
    source.write_text('"""Tell whether somebody wants a key."""\nwants = "whoever"  # judged anew\n', encoding="utf-8")

    assert len(faults(source)) == 5
