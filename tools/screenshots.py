"""Take the pictures of the README: ``python tools/screenshots.py`` runs a whole installation and writes ``docs/images``.

French, 1280 pixels wide; every name and number on them is invented (``examples/synthetic``).
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.flows import journeys  # noqa: E402
from tests.flows.installation import FLAGS, Installation, running_installation  # noqa: E402

IMAGES = ROOT / "docs" / "images"
WIDTH = 1280
FRENCH: dict[str, str | float | bool] = {
    **os.environ,
    "LANGUAGE": "fr_CA",
}  # the browser formats the dates of its fields in its own language


def main() -> None:
    """Take the three pictures."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as place,
        running_installation(Path(place)) as installation,
        sync_playwright() as playwright,
    ):
        arguments = [*FLAGS, "--lang=fr-CA"]
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=arguments, env=FRENCH)
        for name, take in PICTURES.items():
            page = _page(browser)
            take(page, installation)
            _shoot(page, IMAGES / f"{name}.png")
        browser.close()


def _page(browser: Browser) -> Page:
    context = browser.new_context(locale="fr-CA", viewport={"width": WIDTH, "height": 900}, color_scheme="light")
    return context.new_page()


def _shoot(page: Page, path: Path) -> None:
    page.evaluate("document.activeElement.blur()")
    page.set_viewport_size({"width": WIDTH, "height": 400})
    height = page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size(
        {"width": WIDTH, "height": height}
    )  # a bar fixed to the window is then in its place in the document
    page.screenshot(path=path, full_page=True)
    sys.stdout.write(f"{path.relative_to(ROOT)}: {path.stat().st_size // 1024} kB\n")


def review(page: Page, installation: Installation) -> None:
    """The representative's page where every answer is checked before the file is submitted."""
    case = installation.enrolment("online")
    journeys.start_file(page, installation)
    journeys.give_enterprise(page, case)
    journeys.give_tax_number(page, case)
    journeys.give_representative(page, installation, case)
    journeys.name_people(page, case)
    journeys.check_answers(page)


def matrix(page: Page, installation: Installation) -> None:
    """The rights matrix of the story's enterprise at AMP."""
    journeys.sign_in(page, installation, installation.persona("pes"))
    page.goto(f"{installation.issuer}/agencies/amp/rights")


def portal(page: Page, installation: Installation) -> None:
    """Julie's workspace at the AMP portal."""
    journeys.open_portal(page, installation, installation.persona("user"))
    journeys.agree(page, installation)


PICTURES = {"review": review, "matrix": matrix, "portal": portal}


if __name__ == "__main__":
    main()
