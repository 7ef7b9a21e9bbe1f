"""Authorization requests that the client signed (JAR, RFC 9101; OIDC Core §6.1): opened into the parameters they hold. Pure.

Only what is inside counts; of what came beside it, ``client_id`` must agree and the rest is as if it were not there
(RFC 9101 §6.3). No address is ever fetched: ``request_uri`` is ours or nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from ...clients.domain.client_keys import ClientKey
from ...clients.domain.clients import RelyingParty
from ...proofs.domain import foreign_jwts
from ...proofs.domain.foreign_jwts import ForeignJwt, RefusedJwtError
from .requests import MAY_REPEAT, Parameters

KeysOf = Callable[[RelyingParty, str | None], Collection[ClientKey]]
LONGEST_REQUEST_OBJECT = 32 * 1024  # decisions.md §25
LONGEST_LIFE = timedelta(minutes=60)  # FAPI 2.0 Message Signing §5.3.1: exp after nbf, and nbf before now
TOLERANCE = timedelta(seconds=10)  # decisions.md §21
_TYPES = frozenset({"", "jwt", "oauth-authz-req+jwt", "application/oauth-authz-req+jwt"})  # RFC 9101 §10.8
_OF_THE_JWT = frozenset({"iss", "aud", "exp", "nbf", "iat", "jti"})
_NESTED = frozenset({"request", "request_uri"})  # RFC 9101 §4
_JSON: Mapping[str, type] = {"claims": dict, "authorization_details": list, "registration": dict}
_TEXT = frozenset(
    {
        *("response_type", "response_mode", "redirect_uri", "scope", "state", "nonce", "display", "prompt"),
        *("code_challenge", "code_challenge_method", "login_hint", "id_token_hint", "acr_values"),
        *("ui_locales", "claims_locales", "dpop_jkt"),
    }
)


def opened(text: str, client: RelyingParty, *, keys_of: KeysOf, issuer: str, now: datetime) -> Parameters:
    """Verify a request object and return what it asks, as parameters that the usual checks run on.

    Raises:
        RefusedJwtError: with the rule that failed.
    """
    token = foreign_jwts.read(text, longest=LONGEST_REQUEST_OBJECT)
    if str(token.header.get("typ", "")).lower() not in _TYPES:
        raise RefusedJwtError("typ")
    foreign_jwts.verify(token, keys_of(client, token.header.get("kid")), algorithms=client.request_object_algs)
    _check_names(token, client, issuer)
    _check_times(token, now, must_say=client.requires_signed_request)
    asked = {name: value for name, value in token.claims.items() if name not in _OF_THE_JWT | MAY_REPEAT}
    values = {name: _written(name, value) for name, value in asked.items()}
    return Parameters(
        {name: value for name, value in values.items() if value},
        _resources(token.claims.get("resource", [])),
        is_signed=True,
    )


def _check_names(token: ForeignJwt, client: RelyingParty, issuer: str) -> None:
    """The client says it, to us, and about nobody: a ``sub`` would make a client assertion of it (RFC 9101 §10.8)."""
    if token.claims.get("iss") != client.client_id or token.claims.get("client_id") != client.client_id:
        raise RefusedJwtError("iss and client_id must both be the client_id")
    audience = token.claims.get("aud")
    listed = audience if isinstance(audience, list) else [audience]
    if not all(isinstance(each, str) for each in listed) or issuer not in listed:
        raise RefusedJwtError("aud must be or hold the issuer")
    if "sub" in token.claims:
        raise RefusedJwtError("a request object has no sub")
    if _NESTED & token.claims.keys():
        raise RefusedJwtError("a request object holds no request or request_uri")


def _check_times(token: ForeignJwt, now: datetime, *, must_say: bool) -> None:
    """Check ``exp``, ``nbf`` and ``iat``: required and an hour apart at most where requests must be signed."""
    times = {name: foreign_jwts.instant(token.claims[name]) for name in ("exp", "nbf", "iat") if name in token.claims}
    if must_say and not {"exp", "nbf"} <= times.keys():
        raise RefusedJwtError("exp and nbf are required")
    if "exp" in times and times["exp"] <= now - TOLERANCE:
        raise RefusedJwtError("exp is past")
    if any(times[name] > now + TOLERANCE for name in ("nbf", "iat") if name in times):
        raise RefusedJwtError("nbf or iat is in the future")
    if must_say and now - times["nbf"] > LONGEST_LIFE:
        raise RefusedJwtError("nbf is more than an hour ago")
    if must_say and times["exp"] - times["nbf"] > LONGEST_LIFE:
        raise RefusedJwtError("exp is more than an hour after nbf")


def _written(name: str, value: Any) -> str:
    """Return a member as the parameter it stands for; one that nobody knows counts only if it is a text (RFC 9101 §4)."""
    if isinstance(value, str):
        return _text(value)
    if name == "max_age" and not isinstance(value, bool) and (isinstance(value, int) or _is_whole(value)):
        return str(int(value))
    if name in _JSON and isinstance(value, _JSON[name]):
        return _text(json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False))
    if name in _TEXT or name in _JSON or name == "max_age":
        raise RefusedJwtError(f"{name} is of the wrong type")
    return ""


def _is_whole(value: Any) -> bool:
    return isinstance(value, float) and value.is_integer()  # 60.0 and 6e1 are the number 60


def _resources(told: Any) -> tuple[str, ...]:
    """Return the resources asked: one text, or several (RFC 8707 §2)."""
    listed = [told] if isinstance(told, str) else told
    if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
        raise RefusedJwtError("resource is of the wrong type")
    return tuple(_text(each) for each in listed if each)


def _text(value: str) -> str:
    """Refuse what a parameter could not hold either: NUL, the sign for lost bytes, halves of signs."""
    if any(sign in "\x00\ufffd" or "\ud800" <= sign <= "\udfff" for sign in value):
        raise RefusedJwtError("a member is not UTF-8 text")
    return value
