"""What the playground shows of a test: each value beside what it means, and each block with the reason why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from ...delegation import services as delegation
from ...delegation.catalogue import catalogue_services
from ...delegation.catalogue.domain.catalogue import Agency
from ...delegation.rights import explanation_words
from ...errors import NotFoundError
from ...http.web import absolute_url, current_settings
from ...i18n import gettext as _
from ...i18n import long_datetime
from .. import words
from ..claims import claim_words
from ..claims.claim_words import Words
from ..domain.playground import INSTANTS, PlaygroundTest, opened, shown
from ..keys.signing_keys import ACCESS_TOKEN_ALG, ID_TOKEN_ALG, UntrustedTokenError
from ..playground_services import Redemption
from ..token import issuing
from ..token.domain import tokens
from ..token.domain.tokens import TokenGrant
from ..token.issuing import NoRightError


@dataclass(frozen=True, slots=True)
class ExplainedValue:
    """One value: its name, what came, and what that means."""

    name: str
    value: str
    words: str
    instant: str = ""


@dataclass(frozen=True, slots=True)
class Token:
    """A token taken apart; ``key`` is the published key whose signature holds, empty when none does."""

    title: str
    raw: str
    header: tuple[ExplainedValue, ...]
    claims: tuple[ExplainedValue, ...]
    key: str


@dataclass(frozen=True, slots=True)
class BlockLine:
    """One block of the agency: whether the tokens carry it, and why."""

    code: str
    label: str
    is_present: bool
    why: str


@dataclass(frozen=True, slots=True)
class Result:
    """All that is shown."""

    address: str
    request: tuple[ExplainedValue, ...]
    answer: tuple[ExplainedValue, ...]
    token_answer: tuple[ExplainedValue, ...]
    tokens: tuple[Token, ...]
    userinfo: tuple[ExplainedValue, ...]
    blocks: tuple[BlockLine, ...]
    agency: str
    keys_address: str


def of(test: PlaygroundTest, told: Mapping[str, str], came: Redemption, *, now: datetime) -> Result:
    """Return the result of a test."""
    agency = catalogue_services.agency(test.agency_id)
    asked = {name: test.parameters[name] for name in claim_words.REQUEST if name in test.parameters}
    body = {name: _shortened(name, value) for name, value in came.body.items()}
    return Result(
        address=absolute_url(f"/authorize?{urlencode(asked)}"),
        request=_lines(asked, claim_words.REQUEST),
        answer=_lines(told, claim_words.ANSWER),
        token_answer=_lines(body, claim_words.TOKEN_ANSWER),
        tokens=tuple(_tokens(came.body)),
        userinfo=_userinfo(came.body, now),
        blocks=_blocks(came, agency, now),
        agency=words.spoken(agency.name),
        keys_address=absolute_url("/jwks"),
    )


def _lines(values: Mapping[str, Any], meaning: Words) -> tuple[ExplainedValue, ...]:
    return tuple(
        ExplainedValue(name, shown(value), claim_words.of(meaning, name), _instant(name, value))
        for name, value in values.items()
    )


def _instant(name: str, value: object) -> str:
    if name not in INSTANTS or not isinstance(value, int):
        return ""
    return long_datetime(datetime.fromtimestamp(value, UTC))


def _shortened(name: str, value: Any) -> Any:
    """Return a token as its beginning: it is shown whole where it is taken apart."""
    return f"{value[:24]}…" if name in ("access_token", "id_token") else value


def _tokens(body: Mapping[str, Any]) -> list[Token]:
    kinds = (
        ("id_token", _("ID token"), ID_TOKEN_ALG, tokens.ID_TOKEN_TYPE, claim_words.ID_TOKEN),
        ("access_token", _("Access token"), ACCESS_TOKEN_ALG, tokens.ACCESS_TOKEN_TYPE, claim_words.ACCESS_TOKEN),
    )
    found = []
    for name, title, alg, typ, meaning in kinds:
        if name not in body:
            continue
        raw = str(body[name])
        header, claims = opened(raw)
        lines = _lines(header, claim_words.HEADER), _lines(claims, meaning)
        found.append(Token(title, raw, *lines, key=_verified_by(raw, header, alg=alg, typ=typ)))
    return found


def _verified_by(raw: str, header: Mapping[str, Any], *, alg: str, typ: str) -> str:
    try:
        issuing.key_ring().read(raw, alg=alg, typ=typ, issuer=current_settings().issuer)
    except UntrustedTokenError:
        return ""
    return str(header["kid"])


def _userinfo(body: Mapping[str, Any], now: datetime) -> tuple[ExplainedValue, ...]:
    if "access_token" not in body:
        return ()
    claims = issuing.living_claims(str(body["access_token"]), now=now)
    try:
        told = issuing.userinfo(claims or {}, now=now)
    except (NoRightError, NotFoundError):
        return ()
    return _lines(told, claim_words.USERINFO) if isinstance(told, dict) else ()  # this client asks for plain JSON


def _blocks(came: Redemption, agency: Agency, now: datetime) -> tuple[BlockLine, ...]:
    """Return each block of the agency with the link that decides, from the facts that made the tokens."""
    if came.grant is None:
        return ()
    carried = {code for detail in came.body.get("authorization_details", ()) for code in detail["privileges"]}
    return tuple(
        BlockLine(block.code, words.spoken(block.label), block.code in carried, _why(came.grant, block.code, now))
        for block in agency.blocks
    )


def _why(grant: TokenGrant, code: str, now: datetime) -> str:
    if "functional_blocks" not in grant.scopes and not grant.details:
        return _("The request asked for no block: neither the scope functional_blocks nor authorization_details.")
    if grant.details and not any(code in asked.privileges for asked in grant.details):
        return _("The request named other blocks in authorization_details.")
    explanation = delegation.explanation(grant.person_id, grant.enterprise_id, grant.agency_id, code, now)
    if explanation is None:
        return _("The person no longer belongs to this enterprise.")
    name = delegation.enterprise(grant.enterprise_id).name
    return explanation_words.chain(explanation, grant.enterprise_id, name, grant.agency_id)[-1]["text"]
