"""One name for one idea: no class name with two meanings, and no alias that hides which module is called."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import idp

CODE = Path(idp.__file__).parent
SAME_IDEA = {
    "idp.my_data.schema": "its names are the $defs of the published schema; each is the part that returns the same thing",
    "idp.migrations": "a migration keeps its own copy of what it changes",
}  # modules whose class names may repeat those of others
ONE_IDEA_TWICE = {
    "CodeAnswer": "the result of a typed code, by e-mail and by post",
    "EmailCode": "a code sent by e-mail, of an account and of an enrolment file",
}


def modules() -> Iterator[tuple[str, Path, ast.Module]]:
    """Return the name, the path and the tree of every module under ``idp/``."""
    for path in sorted(CODE.rglob("*.py")):
        parts = path.relative_to(CODE.parent).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        yield name, path, ast.parse(path.read_text(encoding="utf-8"))


def test_a_public_class_name_has_one_meaning() -> None:
    """A second class of a name that exists takes the name of its own idea, or is the same class."""
    places: dict[str, list[str]] = defaultdict(list)
    for name, _path, tree in modules():
        if not name.startswith(tuple(SAME_IDEA)):
            for node in tree.body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    places[node.name].append(name)

    assert {name: found for name, found in places.items() if len(found) > 1 and name not in ONE_IDEA_TWICE} == {}


def test_the_exceptions_are_still_needed() -> None:
    """A name that is defined once again leaves the list."""
    found = [node.name for _name, _path, tree in modules() for node in tree.body if isinstance(node, ast.ClassDef)]

    assert {name for name in ONE_IDEA_TWICE if found.count(name) < 2} == set()


def test_no_alias_hides_a_module() -> None:
    """``services`` of a context may be called by the context's name, and its views by both; any other module by its own."""
    named = list(modules())
    known = {name for name, _path, _tree in named}
    hidden = []
    for name, path, tree in named:
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        for node in ast.walk(tree):
            if not isinstance(node, ast.ImportFrom):
                continue
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            for each in node.names:
                context = base.rpartition(".")[2]
                allowed = {"services": context, "views": f"{context}_views"}.get(each.name, each.name)
                if f"{base}.{each.name}" in known and each.asname not in (None, each.name, allowed):
                    hidden.append(f"{name}: {base}.{each.name} as {each.asname}")

    assert hidden == []
