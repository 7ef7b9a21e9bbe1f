"""Looking at a page as the accessibility standard does: axe, reflow, one title, one heading, the language.

Automation sees part of it; ``docs/accessibility.md`` keeps what people must look at.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from axe_playwright_python.base import AXE_SCRIPT
from flask import Flask
from playwright.sync_api import Page
from werkzeug.exceptions import HTTPException

WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 320, "height": 800}
RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]},
    "resultTypes": ["violations"],
    "preload": False,
}
NUMBERED = re.compile(r"^/~[0-9a-f]+(?=/)")  # the prefix that names a flow, see idp/http/bindings.py
LOOK = """() => ({
  wide: document.scrollingElement.scrollWidth, room: window.innerWidth, headings: document.querySelectorAll('h1').length,
  language: document.documentElement.lang, title: document.title,
  widest: [...document.body.querySelectorAll('*')].filter(one => !one.children.length)
    .sort((a, b) => b.getBoundingClientRect().right - a.getBoundingClientRect().right)[0]?.outerHTML.slice(0, 200)
})"""


@dataclass
class Scan:
    """What is wrong with the pages looked at so far, and which endpoints they were."""

    app: Flask
    faults: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    def visit(self, page: Page) -> None:
        """Look at the page where the person is, in both languages, each on a wide and a narrow screen; come back to French."""
        page.wait_for_load_state()  # a click does not wait for the answer to a form
        address = page.url
        self._note(page)
        for language in ("en", "fr"):
            page.goto(_in_language(address, language))
            if urlsplit(page.url).path != urlsplit(address).path:
                self.faults.append(f"{address}: the language switch leads to {page.url}")
                return
            self.look(page, language)
            self._narrow(page)

    def stay(self, page: Page) -> None:
        """Look at a page that cannot be asked again (the answer to a form), as it stands."""
        page.wait_for_load_state()
        self._note(page)
        self.look(page, _language(page))
        self._narrow(page)

    def look(self, page: Page, language: str) -> None:
        """Look at the page as it is shown now."""
        self.faults += faults_of(page, language)

    def _narrow(self, page: Page) -> None:
        page.set_viewport_size(NARROW)
        self.look(page, _language(page))
        page.set_viewport_size(WIDE)

    def _note(self, page: Page) -> None:
        try:
            endpoint, _values = self.app.url_map.bind("").match(NUMBERED.sub("", urlsplit(page.url).path), method="GET")
        except HTTPException:  # an address that answers nothing but POST, or none at all: looked at, not counted
            return
        self.seen.add(endpoint)


def _language(page: Page) -> str:
    """Return the language the page says it is in."""
    return page.locator("html").get_attribute("lang") or ""


def _in_language(address: str, language: str) -> str:
    parts = urlsplit(address)
    query = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name != "lang"]
    return urlunsplit(parts._replace(query=urlencode([*query, ("lang", language)]), fragment=""))


def faults_of(page: Page, language: str) -> list[str]:
    """Return everything found wrong with the page as it is shown, one line each."""
    page.evaluate(f"if (!window.axe) {{ {AXE_SCRIPT} }}")
    violations = page.evaluate(f"axe.run({json.dumps(RULES)}).then(found => found.violations)")
    where = f"{urlsplit(page.url).path} ({language}, {(page.viewport_size or WIDE)['width']})"
    faults = [
        f"{where} {fault['id']}: {node['html'][:200]} ({node['failureSummary'][:200]})"
        for fault in violations
        for node in fault["nodes"]
    ]
    looked = page.evaluate(LOOK)
    if looked["wide"] > looked["room"]:
        faults.append(f"{where}: wider than its window by {looked['wide'] - looked['room']} px: {looked['widest']}")
    if looked["headings"] != 1:
        faults.append(f"{where}: {looked['headings']} level-one headings")
    if looked["language"] != language:
        faults.append(f"{where}: says it is in {looked['language']!r}")
    if len(looked["title"].split("–")[0].strip()) < 3:
        faults.append(f"{where}: title {looked['title']!r}")
    return faults
