"""``tests/`` mirrors ``idp/``: the tests of a room are in the folder of its name."""

from __future__ import annotations

import ast
from pathlib import Path

import idp

TESTS, CODE = Path(__file__).parent, Path(idp.__file__).parent
WHOLE = {
    "conformance": "protocols, from outside",
    "flows": "journeys in a real browser",
    "portal": "examples/amp_portal",
    "races": "several processes at once",
    "snippets": "the examples of docs/relying-parties.md",
}  # folders of tests that belong to no room
LONGEST = 150  # lines of one test function


def test_every_folder_has_its_room() -> None:
    """A folder of tests is a package of ``idp``, or is named above."""
    folders = {path.parent.relative_to(TESTS) for path in TESTS.rglob("test_*.py")} - {Path()}
    strangers = {str(folder) for folder in folders if folder.parts[0] not in WHOLE and not (CODE / folder).is_dir()}

    assert strangers == set()


def test_a_test_of_one_module_is_in_the_folder_of_that_module() -> None:
    """``test_x.py`` is in the folder that mirrors the one of ``x.py``, where only one module has this name."""
    places: dict[str, set[Path]] = {}
    for path in CODE.rglob("*.py"):
        places.setdefault(path.stem, set()).add(path.parent.relative_to(CODE))
    misplaced = {
        str(path.relative_to(TESTS))
        for path in TESTS.rglob("test_*.py")
        if path.relative_to(TESTS).parts[0] not in WHOLE
        and len(found := places.get(path.stem.removeprefix("test_"), set())) == 1
        and not {path.parent.relative_to(TESTS), path.parent.relative_to(TESTS) / "domain"} & found
    }

    assert misplaced == set()


def test_no_test_is_a_page_of_its_own() -> None:
    """A test function is read at one sight; what it needs stands beside it."""
    long = {
        f"{path.relative_to(TESTS)}::{node.name}"
        for path in TESTS.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno > LONGEST
    }

    assert long == set()
