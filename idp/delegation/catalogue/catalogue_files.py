"""Files of the catalogue: read and parsed, every mistake of every file with its line, before anything is written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from .domain.catalogue import Agency, CatalogueError, Mistake, parse
from .domain.reading import DocumentPath


@dataclass(frozen=True, slots=True)
class FileMistake:
    """A mistake in a file of the catalogue, with its line when it is known."""

    file: str
    line: int | None
    mistake: Mistake | str

    def __str__(self) -> str:
        return f"{self.file}:{self.line or 1}: {self.mistake}"


class CatalogueFileError(ValueError):
    """Files that were refused; nothing of them was loaded."""

    def __init__(self, mistakes: tuple[FileMistake, ...]) -> None:
        super().__init__("\n".join(str(mistake) for mistake in mistakes))
        self.mistakes = mistakes


@dataclass(frozen=True, slots=True)
class AgencyFile:
    """An agency, the document it was parsed from, and the file it came from."""

    agency: Agency
    document: dict[str, Any]
    file: str


def read_files(path: Path) -> tuple[AgencyFile, ...]:
    """Parse the file, or every ``*.yaml`` of the folder, without writing anything.

    Raises:
        CatalogueFileError: with every mistake of every file.
    """
    files = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
    mistakes: list[FileMistake] = []
    found: list[AgencyFile] = []
    if not files:
        mistakes.append(FileMistake(str(path), None, "no .yaml file here"))
    for file in files:
        try:
            found.append(_agency_file(file))
        except CatalogueFileError as error:
            mistakes += error.mistakes
    for place, read in enumerate(found):
        if read.agency.id in {earlier.agency.id for earlier in found[:place]}:
            mistakes.append(FileMistake(read.file, None, f"agency {read.agency.id} is there twice"))
    if mistakes:
        raise CatalogueFileError(tuple(mistakes))
    return tuple(found)


def _agency_file(file: Path) -> AgencyFile:
    try:
        document, lines = _read(file)
        return AgencyFile(parse(document), document, file.name)
    except CatalogueError as error:
        raise CatalogueFileError(
            tuple(FileMistake(file.name, _line(lines, mistake.path), mistake) for mistake in error.mistakes)
        ) from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise CatalogueFileError((FileMistake(file.name, line, f"not YAML: {error.problem}"),)) from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise CatalogueFileError((FileMistake(file.name, None, f"cannot be read: {error}"),)) from None


def _read(file: Path) -> tuple[Any, dict[DocumentPath, int]]:
    text = file.read_text(encoding="utf-8")
    lines: dict[DocumentPath, int] = {}
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    if node is not None:
        _note_lines(node, (), lines)
    return yaml.safe_load(text), lines


def _note_lines(node: yaml.Node, path: DocumentPath, lines: dict[DocumentPath, int]) -> None:
    """Note the line of every place; a key given twice in one mapping is refused, as YAML would keep the last one."""
    lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            place = (*path, str(key.value))
            if place in lines:
                raise yaml.MarkedYAMLError(problem=f"the key {key.value} is there twice", problem_mark=key.start_mark)
            _note_lines(value, place, lines)
            lines[place] = key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode):
        for position, value in enumerate(node.value):
            _note_lines(value, (*path, position), lines)


def _line(lines: dict[DocumentPath, int], path: DocumentPath) -> int | None:
    """Return the line of *path*, or of what is around it when the place itself is missing."""
    return next((lines[path[:end]] for end in range(len(path), -1, -1) if path[:end] in lines), None)
