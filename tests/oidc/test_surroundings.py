"""What comes with a request besides its parameters moves nothing: hosts, origins, sizes, odd paths."""

from __future__ import annotations

import importlib
import pkgutil
import re
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import idp.oidc
from tests.oidc.scenery import CALLBACK, ISSUER, RelyingParty, Scenery, csrf_token, registration

BYE = "http://127.0.0.1:9999/bye"
FORGED = {
    "Host": "evil.example",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Port": "444",
    "X-Forwarded-Prefix": "/evil.example",
    "X-Forwarded-For": "203.0.113.9",
    "X-Forwarded-Server": "evil.example",
    "X-Original-URL": "/evil.example",
    "X-Rewrite-URL": "/evil.example",
    "X-HTTP-Method-Override": "DELETE",
    "Forwarded": "for=203.0.113.9;host=evil.example;proto=https",
    "X-SSL-Client-Verify": "SUCCESS",
    "X-SSL-Client-S-DN": "CN=rp1",
    "Client-Cert": ":MIIB:",
}


@pytest.mark.bar("S-84", "S-85", "CVE-2023-2422", "CVE-2025-64484")
def test_forged_hosts_and_proxies_change_nothing(scenery: Scenery, rp: RelyingParty) -> None:
    """Interop problem 3: every address is the configured one, and no header of a proxy proves a client."""
    plain = scenery.browser().get("/.well-known/openid-configuration")
    browser = scenery.browser()
    told = rp.tokens(browser)

    assert scenery.browser().get("/.well-known/openid-configuration", headers=FORGED).data == plain.data
    refused = scenery.browser().get("/authorize", query_string=rp.parameters(prompt="none"), headers=FORGED)
    assert rp.answer(refused)["iss"] == ISSUER
    code = {"code": rp.code(browser)}
    form = {
        "grant_type": "authorization_code",
        "code": code["code"],
        "redirect_uri": CALLBACK,
        "code_verifier": "v" * 43,
    }
    unproven = scenery.browser().post("/token", data={**form, "client_id": "rp1"}, headers=FORGED)
    assert (unproven.status_code, unproven.get_json()["error"]) == (401, "invalid_client")
    begun = scenery.browser().get("/authorize", query_string=rp.parameters(), headers=FORGED)
    assert begun.location.startswith("/sign-in?")
    for path in ("/end-session", "/authorize", "/nowhere", "/sign-in", "/userinfo", "/token"):
        answer = scenery.browser().get(path, headers=FORGED)
        assert "evil.example" not in answer.text + str(answer.headers), path
    header = FORGED | {"Authorization": f"Bearer {told['access_token']}"}
    assert scenery.browser().get("/userinfo", headers=header).status_code == 200


HOME, AWAY = "http://127.0.0.1:9999", "https://evil.example"


@pytest.mark.bar("S-92", "CVE-2024-41657")
def test_origins_are_registered_and_nothing_is_reflected(scenery: Scenery, rp: RelyingParty) -> None:
    """Interop problem 18: errors and preflight answer a registered origin; near misses of it, and ``null``, get nothing."""
    browser = scenery.browser()
    calls: dict[str, dict[str, Any]] = {
        "token 401": {"path": "/token", "method": "POST", "data": {"grant_type": "authorization_code", "code": "x"}},
        "token 400": {"path": "/token", "method": "POST"},
        "token too large": {"path": "/token", "method": "POST", "data": {"x": "y" * 70_000}},
        "userinfo 401": {"path": "/userinfo", "method": "GET"},
        "userinfo bad": {"path": "/userinfo", "method": "GET", "headers": {"Authorization": "Bearer x"}},
        "preflight": {"path": "/token", "method": "OPTIONS", "headers": {"Access-Control-Request-Headers": "DPoP"}},
    }
    for name, call in calls.items():
        headers = call.pop("headers", {})
        allowed = browser.open(**call, headers={**headers, "Origin": HOME})
        assert allowed.headers["Access-Control-Allow-Origin"] == HOME, name
        assert "Access-Control-Allow-Credentials" not in allowed.headers, name
        assert "Origin" in allowed.headers["Vary"], name
        for origin in (AWAY, "null", HOME + "/", HOME + ".evil.example", "http://127.0.0.1", HOME.upper(), "*", ISSUER):
            refused = browser.open(**call, headers={**headers, "Origin": origin})
            assert "Access-Control-Allow-Origin" not in refused.headers, (name, origin)
    for path in ("/authorize", "/end-session", "/end-session/done", "/sign-in", "/interaction/consent", "/consents"):
        for method in ("GET", "OPTIONS"):
            answer = browser.open(path, method=method, headers={"Origin": HOME})
            assert not [header for header, _ in answer.headers if header.startswith("Access-Control")], path
    for path in ("/jwks", "/.well-known/openid-configuration"):
        public = browser.get(path, headers={"Origin": AWAY})
        assert (public.headers["Access-Control-Allow-Origin"], "Set-Cookie" in public.headers) == ("*", False)


@pytest.mark.bar("S-81", "S-95", "S-96", "S-38")
def test_every_step_on_the_way_is_private_and_answers_303(scenery: Scenery, rp: RelyingParty) -> None:
    """S-95, S-96: no-store, no foreign content, no frame around it; what was posted is never posted on (303, never 307)."""
    browser, seen = scenery.browser(), []
    browser_open = browser.open

    def watched(*args: Any, **kwargs: Any) -> Any:
        answer = browser_open(*args, **kwargs)
        seen.append(answer)
        return answer

    browser.open = watched  # type: ignore[method-assign]
    scenery.go_on(browser, rp.authorize(browser), "julie")
    scenery.go_on(browser, rp.authorize(browser, response_mode="form_post"), "julie")
    page = browser.get("/end-session")
    browser.get(browser.post("/end-session/confirm", data={"csrf_token": csrf_token(page.text)}).location)

    assert len(seen) > 10
    for answer in seen:
        where = answer.request.path
        assert answer.status_code in (200, 303), where
        assert answer.headers["Cache-Control"] == "no-store", where
        assert answer.headers["X-Frame-Options"] == "DENY", where
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"], where
        away = where == "/authorize" and (answer.location is None or answer.location.startswith(CALLBACK))
        expected = {"no-referrer"} if away or where == "/end-session/done" else {"same-origin", "no-referrer"}
        assert answer.headers["Referrer-Policy"] in expected, where
        foreign = re.findall(r'(?:src|srcset|poster|data)="(?!/static/|data:)([^"]*)"', answer.text)
        assert foreign == [], where


@pytest.mark.bar("S-77", "S-79", "CVE-2023-25577", "CVE-2025-61920")
def test_monsters_are_refused_in_the_language_of_the_endpoint(scenery: Scenery, rp: RelyingParty) -> None:
    """Ten thousand fields, deep JSON, long tokens, odd bodies: the right refusal as JSON or a page; never a 5xx."""
    many = "&".join(f"x{number}=1" for number in range(10_000))
    form = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": rp.basic()}
    part = '--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n1\r\n'
    bodies = {
        "fields": (many, form),
        "parts": (part * 10_000 + "--b--", {"Content-Type": "multipart/form-data; boundary=b"}),
        "unfinished": (part, {"Content-Type": "multipart/form-data; boundary=b"}),
        "json": ('{"grant_type":' + "[" * 10_000, {"Content-Type": "application/json"}),
        "gzip": (b"\x1f\x8b" + b"x" * 100, form | {"Content-Encoding": "gzip"}),
        "bytes": (b"\xff\xfe\x00", form),
        "percent": ("grant_type=%ff%00&code=%", form),
    }
    for name, (body, headers) in bodies.items():
        answer = scenery.browser().post("/token", data=body, headers=headers)
        assert answer.status_code in (400, 401, 413, 415), name
        assert (answer.mimetype, answer.headers["Cache-Control"]) == ("application/json", "no-store"), name
        page = scenery.browser().post("/authorize", data=body, headers={**headers, "Authorization": ""})
        assert (page.status_code in (400, 413, 415), page.location) == (True, None), name
    assert rp.userinfo("a" * 100_000).status_code == 401
    assert rp.userinfo(".".join(["a" * 6000] * 3)).status_code == 401
    long_hint = rp.authorize(scenery.browser(), id_token_hint="a" * 8193)
    assert rp.answer(long_hint)["error"] == "invalid_request"


def _modules() -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(idp.oidc.__path__, "idp.oidc."):
        yield importlib.import_module(found.name)


@pytest.mark.bar("S-80")
def test_no_pattern_takes_long_over_hostile_text() -> None:
    """S-80: each compiled pattern of this room, found by itself, on 100 KiB of text made to make it backtrack: it does not."""
    patterns = {
        f"{module.__name__}.{name}": value
        for module in _modules()
        for name, value in vars(module).items()
        if isinstance(value, re.Pattern) and isinstance(value.pattern, str)
    }
    hostile = (
        "a" * 100_000 + "!",
        "1" * 100_000 + "\n",
        "http://127.0.0.1:" + "1" * 100_000,
        "." * 100_000,
        "a.a" * 33_000,
    )
    assert len(patterns) >= 8
    for name, pattern in patterns.items():
        for text in hostile:
            begun = time.thread_time()
            pattern.fullmatch(text)
            assert time.thread_time() - begun < 5, (name, text[:20])  # one that did would take hours
    used = {
        path.name
        for path in Path(idp.oidc.__path__[0]).rglob("*.py")
        if re.search(r"\.(search|match|findall)\(", path.read_text())
    }
    # all others are compared whole: a header that httpx2 has bounded, and a file of the operator's own
    assert used == {"client_key_services.py", "certificates.py"}


@pytest.mark.bar("S-87", "CVE-2026-0976")
@pytest.mark.parametrize("path", ["/token", "/userinfo", "/authorize", "/end-session/confirm", "/jwks"])
def test_a_disguised_path_is_no_path(scenery: Scenery, path: str) -> None:
    """S-87: ``;``, ``%2f``, ``//``, ``/.``, a final slash, capitals: 404, and nothing behind it runs."""
    browser = scenery.browser()
    for disguised in (
        *(path + end for end in (";x", ";", "/", "/.", "/x", " ", ".json", "\x00", "//")),
        *(
            "/x/.." + path,
            "/." + path,
            path.upper(),
            path.replace("/", "/;/", 1),
            "/interaction//consent",
            "/end-session//confirm",
        ),
    ):
        for method in ("GET", "POST"):
            answer = browser.open("/", method=method, environ_overrides={"PATH_INFO": disguised})
            assert (answer.status_code, answer.location) == (404, None), disguised


@pytest.mark.bar("S-33")
def test_a_name_of_a_client_can_disguise_nothing() -> None:
    """S-33: no right-to-left or zero-width sign, no line, no megabyte; markup is shown as text."""
    from tests.oidc.clients.test_clients import mistakes

    there = {"redirect_uris": ["https://portal.example/cb"]}
    for name in (
        "a\u202eb",
        "a\u200bb",
        "a\u2066b",
        "a\nb",
        "x" * 1_000_000,
        "\ufeff",
        "a\u2028b",
        "\x00",
        ["x"],
        None,
    ):
        assert "client_name" in mistakes(registration("x", **there) | {"client_name": name}), repr(name)[:20]
    assert mistakes(registration("x", **there) | {"client_name": "<b>Ministère</b> & cie"}) == ""


@pytest.mark.bar("S-33")
def test_a_name_that_looks_like_markup_is_shown_as_text(scenery: Scenery, rp: RelyingParty, tmp_path: Any) -> None:
    """The consent page escapes it."""
    from tests.oidc.scenery import load

    load(scenery.app, scenery.clock, tmp_path, registration("rp1", client_name="<img src=x onerror=alert(1)>"))
    browser = scenery.signed_in("julie")

    page = browser.get(rp.authorize(browser).location).text

    assert "<img src=x" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page
