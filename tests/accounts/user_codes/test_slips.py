"""The slips: shown once, as PDF for fifteen minutes to whoever holds them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask, Response

from idp.accounts import services
from idp.accounts.user_codes import slips
from idp.audit import SYSTEM
from idp.clock import MovableClock
from idp.identifiers import PersonId

from ..conftest import Browser

Show = Callable[[], Response]


@pytest.fixture
def page(app: Flask, someone: Callable[..., PersonId], browser: Browser, clock: MovableClock) -> str:
    """What the browser of the issuer shows."""
    code = services.issue_user_code(someone(), now=clock.now())
    temporary = services.reveal_temporary_password(code, actor=SYSTEM, now=clock.now())

    def show() -> Response:
        return slips.slips_page(
            user_code=code,
            person_name="Julie <b>Tremblay</b>",
            enterprise_name="Construction Haute-Licorne inc.",
            temporary=temporary,
            back_href="/home",
            now=clock.now(),
        )

    app.add_url_rule("/test-slips", view_func=show)
    answer = browser.get("/test-slips")
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.get_data(as_text=True)


def fields(page: str, which: str) -> dict[str, str]:
    form = next(part for part in page.split("<form") if f'value="{which}"' in part)
    return dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))


def test_the_page_shows_both_slips_and_escapes_names(page: str) -> None:
    """Code and secret are there; what a person typed is text."""
    assert "Julie &lt;b&gt;Tremblay" in page
    assert re.search(r'id="slip-code">[A-Z0-9]{4}-\d{4}<', page)
    assert re.search(r'id="slip-password">([A-Z0-9]{4}-){5}[A-Z0-9]{4}<', page)


@pytest.mark.parametrize("which", ["user_code", "secret"])
def test_each_slip_is_a_pdf_for_fifteen_minutes(page: str, browser: Browser, clock: MovableClock, which: str) -> None:
    """Until the last second, and never from a cache."""
    clock.advance(timedelta(minutes=15) - timedelta(seconds=1))
    answer = browser.client.post("/slips", data=fields(page, which))
    assert answer.status_code == 200
    assert answer.data.startswith(b"%PDF-")
    assert answer.headers["Cache-Control"] == "no-store"
    clock.advance(timedelta(seconds=1))

    assert browser.client.post("/slips", data=fields(page, which)).status_code == 410


def test_only_the_right_secret_and_our_own_words_are_printed(page: str, browser: Browser) -> None:
    """A wrong secret, another code, words sealed for nothing or altered: no slip."""
    right = fields(page, "secret")
    for wrong in (
        {"secret": "A" * 24},
        {"secret": ""},
        {"user_code": "AAAA-0000"},
        {"user_code": "x"},
        {"about": ""},
        {"about": right["about"][:-4] + "AAAA"},
        {"which": "both"},
    ):
        assert browser.client.post("/slips", data={**right, **wrong}).status_code in (404, 410)


def test_a_slip_is_gone_once_used_or_reissued(page: str, browser: Browser, clock: MovableClock) -> None:
    """Its PDF would be a paper that opens nothing."""
    from idp.identifiers import UserCode

    code = UserCode.parse(fields(page, "secret")["user_code"])
    services.reveal_temporary_password(code, actor=SYSTEM, now=clock.now())

    assert browser.client.post("/slips", data=fields(page, "secret")).status_code == 410
