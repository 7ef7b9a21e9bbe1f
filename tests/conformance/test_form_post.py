"""The OIDF Form Post plan: the whole Basic list again, each answer carried to the client by a form that posts itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import pytest
from werkzeug.test import EnvironBuilder, TestResponse
from werkzeug.wrappers import Request

from tests.conformance import test_basic
from tests.oidc.scenery import CALLBACK, ISSUER, RelyingParty, Scenery

ANSWER = re.compile(r'<form method="post" action="([^"]*)" id="form-post">(.*?)</form>', re.DOTALL)
ELSEWHERE = {"test_the_relying_partys_own_query_is_kept"}  # about an answer in the address; its twin is below
FIELD = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)">')


@dataclass
class PostedTo(RelyingParty):
    """A client that asks for ``form_post`` every time, and reads what a browser would post to it."""

    def parameters(self, **changed: Any) -> dict[str, str]:
        return super().parameters(**{"response_mode": "form_post", **changed})

    def answer(self, response: TestResponse) -> dict[str, str]:
        """Press the button of the page as a browser would, and return the form that arrives."""
        arrived = posted(response)
        assert (arrived.method, arrived.mimetype) == ("POST", "application/x-www-form-urlencoded")
        assert arrived.base_url == self.redirect_uri.partition("?")[0]
        assert arrived.query_string.decode() == urlsplit(self.redirect_uri).query  # nothing was added to it
        assert all(len(values) == 1 for values in arrived.form.listvalues())
        assert arrived.form["iss"] == ISSUER
        return arrived.form.to_dict()


def posted(response: TestResponse) -> Request:
    """Return the request that the page of an answer sends: parsed as HTML, encoded as a form."""
    assert response.status_code == 200, (response.status_code, response.location)
    found = ANSWER.search(response.text)
    assert found, response.text
    fields = {unescape(name): unescape(value) for name, value in FIELD.findall(found[2])}
    address = urlsplit(unescape(found[1]))
    builder = EnvironBuilder(
        path=address.path,
        base_url=f"{address.scheme}://{address.netloc}/",
        query_string=address.query,
        method="POST",
        data=fields,
    )
    return builder.get_request()


def _cases() -> Iterator[tuple[str, Callable[..., None], dict[str, Any]]]:
    """Yield each test of the Basic list, once for each of its parameters."""
    for name, case in vars(test_basic).items():
        if not name.startswith("test_") or name in ELSEWHERE:
            continue
        rows = [mark for mark in getattr(case, "pytestmark", ()) if mark.name == "parametrize"]
        if not rows:
            yield name, case, {}
        for mark in rows:
            names, listed = mark.args
            names = [names] if isinstance(names, str) else list(names)
            for row in listed:
                yield name, case, dict(zip(names, [row] if len(names) == 1 else row, strict=True))


def test_the_basic_list_holds_when_answers_are_posted(
    scenery: Scenery, subtests: pytest.Subtests, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every module of the Basic plan with ``response_mode=form_post``, on one installation."""
    monkeypatch.setattr(test_basic, "RelyingParty", PostedTo)
    clients = {"rp": PostedTo(scenery), "plain": PostedTo(scenery, "nopkce")}
    for name, case, row in _cases():
        with subtests.test(name, **row):
            wanted = case.__code__.co_varnames[: case.__code__.co_argcount]
            case(**{each: ({"scenery": scenery} | clients | row)[each] for each in wanted})


STATES = ('a b&"<é', "'><script>alert(1)</script>", "a+b%20c&amp;d=e;f", "é̀ 🦄 \u202e", "&lt;", "=" * 200)


def test_any_state_arrives_unchanged(scenery: Scenery) -> None:
    """Success and error alike, whatever the state means in HTML or in a form; an absent one stays absent."""
    client, browser = PostedTo(scenery), scenery.browser()
    client.code(browser)
    for state in STATES:
        assert client.answer(client.authorize(browser, state=state))["state"] == state
        refused = client.answer(client.authorize(browser, state=state, scope="email"))
        assert (refused["error"], refused["state"]) == ("invalid_scope", state)
    assert set(client.answer(client.authorize(browser, state=None))) == {"code", "iss"}


def test_the_page_that_posts_can_do_nothing_else(scenery: Scenery) -> None:
    """S-95: no-store, no referrer, one target, no script of its own in the page, and a button for who runs none."""
    client = PostedTo(scenery, "rp2", redirect_uri="http://127.0.0.1:9999/cb?dummy1=lorem&dummy2=ipsum")
    browser = scenery.browser()

    page = scenery.go_on(browser, client.authorize(browser), "julie")

    assert set(client.answer(page)) == {"code", "state", "iss"}  # beside the two of its own query, which is kept
    assert (page.headers["Cache-Control"], page.headers["Referrer-Policy"]) == ("no-store", "no-referrer")
    policy = page.headers["Content-Security-Policy"]
    assert "form-action http://127.0.0.1:9999;" in policy
    assert "script-src 'self';" in policy
    assert 'id="form-post-continue"' in page.text
    assert not re.search(r"<script(?![^>]* src=)|<[^>]+ on[a-z]+=", page.text)


def test_an_unproven_address_gets_no_form(scenery: Scenery) -> None:
    """S-6: a page with its code, as in the other modes."""
    for changed in ({"redirect_uri": CALLBACK + "/"}, {"redirect_uri": None}, {"client_id": "unknown"}):
        page = PostedTo(scenery).authorize(scenery.browser(), **changed)

        assert (page.status_code, 'id="form-post"' in page.text) == (400, False)
