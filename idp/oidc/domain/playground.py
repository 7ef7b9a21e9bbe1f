"""A test sign-in of the playground: what is asked, and a token taken apart to be read. Pure; nothing here verifies.

The playground is a relying party like another (``playground-<agency>``): it holds no right of its own, and the person who
runs it sees their own tokens only.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from ..authorization.domain.requests import OFFLINE
from . import metadata

SCOPES = tuple(scope for scope in metadata.SCOPES if scope != OFFLINE)  # tokens are shown once: none is kept for later
RESPONSE_MODES = ("query", "form_post")
LONGEST_DETAILS = 1000  # the request waits in the page session, a cookie of four kilobytes
_LINE = 60  # signs
INSTANTS = frozenset({"exp", "iat", "auth_time", "nbf", "not_after", "updated_at"})


def client_id(agency_id: str) -> str:
    """Return the identifier of the playground's client at an agency."""
    return f"playground-{agency_id}"


@dataclass(frozen=True, slots=True)
class PlaygroundTest:
    """One test: the agency it is for, what was asked, and the secret that proves who asked (RFC 7636)."""

    agency_id: str
    parameters: Mapping[str, str]
    verifier: str

    @classmethod
    def from_json(cls, members: Any) -> Self | None:
        """Read what :meth:`to_json` wrote, None for anything else."""
        if not isinstance(members, dict) or set(members) != {"agency_id", "parameters", "verifier"}:
            return None
        return cls(**members)

    def to_json(self) -> dict[str, Any]:
        """Return the test as JSON members."""
        return asdict(self)


def attempt(
    agency_id: str, *, redirect_uri: str, state: str, nonce: str, verifier: str, chosen: Mapping[str, str]
) -> PlaygroundTest:
    """Return a test of *agency_id*; of what was *chosen*, the empty is left out."""
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    asked = {
        "response_type": "code",
        "client_id": client_id(agency_id),
        "redirect_uri": redirect_uri,
        "scope": chosen.get("scope", "openid"),
        "state": state,
        "nonce": nonce,
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii"),
        "code_challenge_method": "S256",
        **{name: chosen.get(name, "") for name in ("response_mode", "prompt", "max_age", "authorization_details")},
    }
    return PlaygroundTest(agency_id, {name: value for name, value in asked.items() if value}, verifier)


def opened(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return header and claims of a JWT of ours, to be shown.

    Raises:
        ValueError: it is not one.
    """
    parts = token.split(".")
    if len(parts) != 3:
        raise ValueError("not a compact JWT")
    return _members(parts[0]), _members(parts[1])


def shown(value: object) -> str:
    """Return a JSON value as a person reads it: a text bare, what is short on one line, else one line a member."""
    return value if isinstance(value, str) else _laid_out(value, "")


def _laid_out(value: object, margin: str) -> str:
    flat = json.dumps(value, ensure_ascii=False)
    if len(flat) <= _LINE or not isinstance(value, (dict, list)):
        return flat
    inner = margin + "  "
    if isinstance(value, dict):
        parts = [f"{json.dumps(name, ensure_ascii=False)}: {_laid_out(each, inner)}" for name, each in value.items()]
        return "{\n" + ",\n".join(inner + part for part in parts) + f"\n{margin}}}"
    return "[\n" + ",\n".join(inner + _laid_out(each, inner) for each in value) + f"\n{margin}]"


def _members(segment: str) -> dict[str, Any]:
    try:
        found = json.loads(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    except binascii.Error as error:
        raise ValueError("not base64url") from error
    if not isinstance(found, dict):
        raise ValueError("not an object")
    return found
