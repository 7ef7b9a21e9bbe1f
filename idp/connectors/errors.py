"""Why an import is refused: every fault with its file and line, up to a limit."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import MandatError

FAULTS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class FileFault:
    """One thing that is wrong, and where; *line* is None when it concerns the whole file."""

    file: str
    line: int | None
    problem: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}, line {self.line}"
        return f"{place}: {self.problem}"


class ImportRefusedError(MandatError):
    """The import was refused; the previous data stays in force."""

    code = "import_refused"
    status = 422

    def __init__(self, faults: tuple[FileFault, ...]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = faults


class Faults:
    """Collects faults while a file is read; the twentieth ends the reading."""

    def __init__(self) -> None:
        self._found: list[FileFault] = []

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, file: str, line: int | None, problem: str) -> None:
        """Record one fault.

        Raises:
            ImportRefusedError: the limit of faults is reached.
        """
        self._found.append(FileFault(file, line, problem))
        if len(self._found) >= FAULTS_SHOWN:
            self.refuse_any()

    def refuse_any(self) -> None:
        """Refuse when there is at least one.

        Raises:
            ImportRefusedError: with all of them.
        """
        if self._found:
            raise ImportRefusedError(tuple(self._found))
