"""The repository stands alone: every page, section and line that a comment or a document cites is there."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
NUMBERED = {
    "decisions.md": r"^{}\. ",
    "domain.md": r"^#+ {}\.? ",
    "protocol.md": r"^#+ {}\.? ",
    "interface.md": r"^#+ {}\.? ",
}
CITED = re.compile(r"\b([a-z-]+\.md) §([0-9]+(?:\.[0-9]+)?)")
LINE_OF_THE_BAR = re.compile(r"\b[SR]-[0-9]+\b(?!\d*[a-z-])")
ELSEWHERE = re.compile(
    r"(?<![\w/.-])(?:decisions|domain|oidc|ui|security|house|architecture|claims) (?:§[0-9]|[SR]-[0-9])"
)
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#([^)\s]+))?\)")


def _files(*patterns: str) -> list[Path]:
    listed = subprocess.run(["git", "ls-files", *patterns], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [ROOT / name for name in listed.split("\n") if name]


def _sources() -> list[Path]:
    return _files("*.py", "*.md", "*.html", "*.cfg", "*.scss", "*.mjs", "bin/*")


def _has(page: str, number: str) -> bool:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    if page == "protocol.md" and "." in number:
        chapter, line = number.split(".")
        body = re.split(rf"^## {chapter}\. ", text, flags=re.M)[1].split("\n## ")[0]
        return re.search(rf"^{line}\. ", body, re.M) is not None
    return re.search(NUMBERED[page].format(re.escape(number)), text, re.M) is not None


def test_every_cited_section_exists() -> None:
    """A number of a page leads to a heading or a line of that page."""
    found = [
        (path.name, page, number) for path in _sources() for page, number in CITED.findall(path.read_text("utf-8"))
    ]
    missing = [each for each in found if each[1] in NUMBERED and not _has(each[1], each[2])]

    assert len(found) > 50
    assert missing == []


def test_every_line_of_the_security_bar_that_is_cited_exists() -> None:
    """Each S- or R- number of the code and its tests is a line of docs/security-bar.md."""
    bar = (ROOT / "docs" / "security-bar.md").read_text(encoding="utf-8")
    lines = set(re.findall(r"\b[SR]-[0-9]+\b", bar.replace("R-1 to R-4", "R-1 R-2 R-3 R-4")))
    cited = {
        (number, path.name)
        for path in _files("idp/*.py", "tests/*.py", "templates/*.html", "docs/*.md", "SECURITY.md")
        for number in LINE_OF_THE_BAR.findall(path.read_text(encoding="utf-8"))
    }

    assert len({number for number, _name in cited}) > 60
    assert {each for each in cited if each[0] not in lines} == set()


def test_nothing_cites_a_page_that_is_not_here() -> None:
    """A bare “domain §2” or “security S-1” would send the reader to a page of somebody else."""
    found = [
        f"{path.relative_to(ROOT)}: {match}"
        for path in _sources()
        if path != Path(__file__)
        for match in ELSEWHERE.findall(path.read_text("utf-8"))
    ]

    assert found == []


@pytest.mark.parametrize("path", _files("*.md"), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_of_a_document_leads_somewhere(path: Path) -> None:
    """The file exists, and so does the heading."""
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.S)
    wrong = []
    for name, anchor in LINK.findall(text):
        target = (path.parent / name).resolve()
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in _anchors(target)):
            wrong.append(f"{name}#{anchor}")

    assert wrong == []


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
