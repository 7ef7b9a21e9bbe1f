"""One real Chromium, and people who type in it.

The browser is Debian's own; any console error, policy report or request outside loopback fails the test that caused it.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.flows.installation import FLAGS, Installation, running_installation
from tests.flows.journeys import NewPage

ANSWERED = re.compile(r"status of 4\d\d\b")  # an error page on purpose is no complaint; a missing file is, below
PATIENCE = 60_000  # ms: a busy machine is slow, which is no fault of the page
LOOPBACK = re.compile(r"(https?://(localhost|127\.0\.0\.1)[:/]|data:|blob:|about:|chrome-error:)")


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Run a whole installation with the demonstration's people."""
    with running_installation(tmp_path_factory.mktemp("installation")) as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start Debian's Chromium, once a run."""
    executable = shutil.which("chromium")
    assert executable, "Chromium is missing: bin/test installs it"
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield running
        running.close()


@pytest.fixture
def complaints() -> list[str]:
    """What the consoles and the network complained of during the test; must stay empty."""
    return []


@pytest.fixture
def new_page(browser: Browser, complaints: list[str]) -> Iterator[NewPage]:
    """Open pages of separate people; whatever the console or the network complains of fails the test."""
    contexts: list[BrowserContext] = []

    def open_page(**options: Any) -> Page:
        context = browser.new_context(**{"locale": "fr-CA", "viewport": {"width": 1280, "height": 900}} | options)
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        listen(page, complaints)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def listen(page: Page, complaints: list[str]) -> None:
    """Note every error of the console, every broken script and every request that leaves the machine."""
    page.on("console", lambda entry: _note(complaints, entry.type, entry.text))
    page.on("pageerror", lambda error: complaints.append(f"script error: {error}"))
    page.on("request", lambda wanted: _outside(complaints, wanted.url))
    page.on("response", lambda answer: _missing(complaints, answer.status, answer.url))


def _note(complaints: list[str], kind: str, text: str) -> None:
    if kind == "error" and not ANSWERED.search(text):
        complaints.append(f"console: {text}")


def _outside(complaints: list[str], url: str) -> None:
    if not LOOPBACK.match(url):
        complaints.append(f"request outside: {url}")


def _missing(complaints: list[str], status: int, url: str) -> None:
    if status >= 500 or (status >= 400 and "/static/" in url):
        complaints.append(f"{status}: {url}")


@pytest.fixture
def page(new_page: NewPage) -> Page:
    """Open one page of one person."""
    return new_page()
