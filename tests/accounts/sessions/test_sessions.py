"""Where a person may be sent back to."""

from __future__ import annotations

import pytest

from idp.accounts.sessions.sessions import safe_next


@pytest.mark.bar("S-63")
@pytest.mark.parametrize(
    "path",
    [
        "//evil.example", "///evil.example", "\\\\evil.example", "/\\evil.example", "\\/evil.example",
        "/%09/evil.example", "/\t/evil.example", "/\n/evil.example", "/%0a/evil.example", "/%5cevil.example",
        "/%5Cevil.example", "/%255cevil.example", "/%2f/evil.example", "/%2Fevil.example", "/%252f%252fevil.example",
        "https:evil.example", "https://evil.example", "http:///evil.example", "HTTPS://evil.example", "javascript:alert(1)",
        "data:text/html,x", " //evil.example", " /home", "/home\r\nSet-Cookie: a=b", "/home%0d%0aSet-Cookie:a", "\x00/home",
        "/\x00", "evil.example", "home", "", None, "?next=//evil", "#//evil", "/./%2e%2e//evil.example", "/a//evil.example",
        "/\u00a0/evil", "/" + "a" * 20_000,
    ],
)  # fmt: skip
def test_an_address_elsewhere_or_with_a_trick_leads_home(path: str | None) -> None:
    """Nothing but a plain path of this site is followed after a sign-in."""
    assert safe_next(path) == "/"


@pytest.mark.parametrize(
    "path",
    [
        "/", "/home", "/agencies/amp/rights?user=1#top", "/authorize?client_id=amp&redirect_uri=https%3A%2F%2Famp.example%2Fcb",
        "/authorize?redirect_uri=http%3A%2F%2F127.0.0.1%3A8001%2Fcallback&scope=openid%20email&state=a%2Fb%3D%3D",
        "/people/0f3c?lang=en",
    ],
)  # fmt: skip
def test_a_plain_path_of_this_site_is_kept_as_it_is(path: str) -> None:
    """Queries keep their encoding, so that a request to /authorize comes back unchanged."""
    assert safe_next(path) == path
