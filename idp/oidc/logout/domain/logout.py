"""RP-initiated logout: what a request to end the session deserves. Pure (OIDC RP-Initiated Logout 1.0)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...clients.domain.clients import RelyingParty
from ...domain import uris


@dataclass(frozen=True, slots=True)
class Return:
    """Where a person goes after signing out."""

    uri: str
    state: str | None
    is_vouched: bool = True  # an operator loaded its client; False: a page names the host first (RFC 9700 §4.11.2)

    @property
    def address(self) -> str:
        """Return the address with the state that the client sent, if it sent one."""
        return uris.with_parameters(self.uri, {"state": self.state} if self.state is not None else {})


@dataclass(frozen=True, slots=True)
class LogoutRequest:
    """What came: the claims of a hint that is an ID token of ours (expired or not), and the parameters."""

    hint: Mapping[str, Any] | None
    client_id: str | None
    post_logout_redirect_uri: str | None
    state: str | None

    @property
    def named_client(self) -> str | None:
        """Return the client that the request speaks for; None when hint and parameter disagree."""
        if self.contradicts_itself:
            return None
        hinted = self.hint.get("aud") if self.hint else None
        return hinted if isinstance(hinted, str) else self.client_id

    @property
    def contradicts_itself(self) -> bool:
        """Return whether the hint was given to another client than the one named (RP-Initiated Logout 1.0 §2)."""
        return self.hint is not None and self.client_id is not None and self.hint.get("aud") != self.client_id


def return_place(request: LogoutRequest, client: RelyingParty | None) -> Return | None:
    """Return where to go afterwards: an address registered by the client, to the byte; None otherwise."""
    uri = request.post_logout_redirect_uri
    if client is None or uri is None or uri not in client.post_logout_redirect_uris:
        return None
    return Return(uri, request.state, is_vouched=not client.is_dynamic)


def needs_confirmation(request: LogoutRequest, sid: str | None) -> bool:
    """Return whether to ask: always, unless the hint is of the very sign-in to end, or nobody is signed in here (S-37).

    A hint that contradicts the client named beside it proves nothing.
    """
    if sid is None:
        return request.hint is None
    return request.hint is None or request.contradicts_itself or request.hint.get("sid") != sid
