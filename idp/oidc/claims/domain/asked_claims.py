"""The ``claims`` parameter (OIDC Core §5.5): read strictly, narrowed to what the client may know, kept as one value. Pure.

Names that are not offered are dropped (§5.5: "any members used that are not understood MUST be ignored"); what cannot be
understood at all is refused. ``verified_claims`` has a language of its own, see :mod:`.verified_requests`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, Self

from ...proofs.domain import strict_json
from . import verified_requests
from .verified_requests import MalformedClaimsError

Place = Literal["id_token", "userinfo"]
MOST_NAMES = 100
MOST_VALUES = 50
DEEPEST = 16  # a check of a piece of evidence, asked by value, lies at eleven
BROUGHT_BY: Mapping[str, tuple[str, ...]] = {  # which claims each scope brings (docs/claims.md)
    "profile": ("name", "given_name", "family_name", "locale"),
    "email": ("email", "email_verified"),
    "enterprise": ("enterprise", "representation"),
    "functional_blocks": ("functional_blocks", "enterprise", "representation"),
}
OF_THE_SIGN_IN = frozenset({"auth_time", "sid", "acr", "amr"})  # always in the ID token; at userinfo when asked
OF_THE_TOKEN = frozenset({"iss", "sub", "aud", "exp", "iat", "nonce", "at_hash"})  # there whether asked or not
_TOGETHER = frozenset(BROUGHT_BY["functional_blocks"])  # blocks say nothing without their enterprise


@dataclass(frozen=True, slots=True)
class AskedClaim:
    """One claim by name; ``wanted`` holds the values that will do, each as JSON text, and is empty when any will."""

    name: str
    essential: bool = False
    wanted: tuple[str, ...] = ()

    def fits(self, value: object) -> bool:
        """Return whether *value* is one that was asked for."""
        return not self.wanted or verified_requests.canonical(value) in self.wanted


@dataclass(frozen=True, slots=True)
class AskedClaims:
    """What a request asks by name, for each place; ``verified_claims`` as checked JSON text."""

    id_token: tuple[AskedClaim, ...] = ()
    userinfo: tuple[AskedClaim, ...] = ()
    verified_in_id_token: str | None = None
    verified_in_userinfo: str | None = None

    def at(self, place: Place) -> tuple[AskedClaim, ...]:
        """Return the claims asked for *place*."""
        return self.id_token if place == "id_token" else self.userinfo

    def verified_at(self, place: Place) -> str | None:
        """Return what is asked of ``verified_claims`` for *place*."""
        return self.verified_in_id_token if place == "id_token" else self.verified_in_userinfo

    def to_json(self) -> dict[str, Any]:
        """Return the value as JSON members."""
        return asdict(self)

    @classmethod
    def from_json(cls, members: Mapping[str, Any] | None) -> Self:
        """Read what :meth:`to_json` wrote; None is "nothing asked"."""
        if not members:
            return cls()
        lists = {
            place: tuple(AskedClaim(each["name"], each["essential"], tuple(each["wanted"])) for each in members[place])
            for place in ("id_token", "userinfo")
        }
        return cls(**{**members, **lists})

    def within(self, scopes: frozenset[str]) -> Self:
        """Keep what a client that may have *scopes* may know: naming a claim never opens more than its scope (S-32)."""
        allowed = brought_by(scopes) | OF_THE_SIGN_IN | OF_THE_TOKEN
        return replace(
            self,
            id_token=tuple(claim for claim in self.id_token if claim.name in allowed),
            userinfo=tuple(claim for claim in self.userinfo if claim.name in allowed),
            verified_in_id_token=verified_requests.within(self.verified_in_id_token, allowed),
            verified_in_userinfo=verified_requests.within(self.verified_in_userinfo, allowed),
        )

    def disclosed(self) -> frozenset[str]:
        """Return the names of all that would be disclosed, which a consent must cover (decisions.md §19)."""
        named = {claim.name for claim in (*self.id_token, *self.userinfo)} - OF_THE_SIGN_IN - OF_THE_TOKEN
        if "functional_blocks" in named:
            named |= _TOGETHER
        verified = (
            verified_requests.disclosed(text) for text in (self.verified_in_id_token, self.verified_in_userinfo)
        )
        return frozenset(named).union(*verified)

    def essential_acr(self) -> tuple[str, ...]:
        """Return the levels of which the ID token must show one, empty when none is essential (OIDC Core §5.5.1.1)."""
        for claim in self.id_token:
            if claim.name == "acr" and claim.essential:
                return tuple(str(json.loads(text)) for text in claim.wanted)
        return ()

    def voluntary_acr(self) -> tuple[str, ...]:
        """Return the levels that are only wished for."""
        wishes = (claim for claim in self.id_token if claim.name == "acr" and not claim.essential)
        return tuple(str(json.loads(text)) for claim in wishes for text in claim.wanted)

    def names_person(self, sub: str) -> bool | None:
        """Return whether *sub* is whom the request names, None when it names nobody (OIDC Core §3.1.2.2, §5.5.1)."""
        naming = [claim for claim in (*self.id_token, *self.userinfo) if claim.name == "sub" and claim.wanted]
        return all(claim.fits(sub) for claim in naming) if naming else None


NOTHING_ASKED = AskedClaims()


def brought_by(scopes: Iterable[str]) -> frozenset[str]:
    """Return the claims that *scopes* bring."""
    return frozenset(name for scope in scopes for name in BROUGHT_BY.get(scope, ()))


def released_names(place: Place, asked: AskedClaims, scopes: frozenset[str]) -> frozenset[str]:
    """Return the claims that go to *place*: rights by scope in both, the person by scope at userinfo only (protocol.md §6.17)."""
    by_scope = brought_by(scopes if place == "userinfo" else scopes & {"enterprise", "functional_blocks"})
    named = frozenset(claim.name for claim in asked.at(place))
    return by_scope | named | (_TOGETHER if "functional_blocks" in named else frozenset())


def resolve(
    place: Place, known: Mapping[str, Any], asked: AskedClaims, scopes: frozenset[str], *, verified: object = None
) -> dict[str, Any]:
    """Return what *place* receives of what is *known*: the one place where this is decided.

    A claim asked with a value that it does not have is left out, unless a scope brings it anyway.
    """
    unfit = {claim.name for claim in asked.at(place) if claim.name in known and not claim.fits(known[claim.name])}
    wanted = released_names(place, asked, scopes)
    by_scope = released_names(place, NOTHING_ASKED, scopes)
    told = {name: value for name, value in known.items() if name in wanted and (name in by_scope or name not in unfit)}
    return told | ({"verified_claims": verified} if verified else {})


def parse(text: str, offered: frozenset[str]) -> AskedClaims:
    """Read the parameter; names that are not *offered* are dropped.

    Raises:
        MalformedClaimsError: it is not what OIDC Core §5.5 describes.
    """
    try:
        told = strict_json.read_object(text.encode(), deepest=DEEPEST)
    except ValueError:
        raise MalformedClaimsError("claims must be one JSON object, no member twice, not deep") from None
    asked = {place: _place(told.get(place, {}), place, offered) for place in ("id_token", "userinfo")}
    verified = {
        f"verified_in_{place}": verified_requests.checked(told[place]["verified_claims"])
        for place in asked
        if "verified_claims" in told.get(place, {})
    }
    return AskedClaims(asked["id_token"], asked["userinfo"], **verified)


def _place(members: object, place: str, offered: frozenset[str]) -> tuple[AskedClaim, ...]:
    if not isinstance(members, dict):
        raise MalformedClaimsError(f"claims: {place} must be an object")
    if len(members) > MOST_NAMES:
        raise MalformedClaimsError(f"claims: {place} names too many claims")
    return tuple(_claim(name, wish) for name, wish in members.items() if name in offered and name != "verified_claims")


def _claim(name: str, wish: object) -> AskedClaim:
    if wish is None:
        return AskedClaim(name)
    if not isinstance(wish, dict):
        raise MalformedClaimsError(f"claims: {name} must be null or an object")
    essential = wish.get("essential", False)
    if not isinstance(essential, bool):
        raise MalformedClaimsError(f"claims: essential of {name} must be true or false")
    values = wish.get("values", [])
    if not isinstance(values, list) or ("values" in wish and not values) or len(values) > MOST_VALUES:
        raise MalformedClaimsError(f"claims: values of {name} must be a list")
    if "value" in wish and values:
        raise MalformedClaimsError(f"claims: {name} has both value and values")
    wanted = [wish["value"]] if "value" in wish else values
    if name in ("sub", "acr") and not all(isinstance(each, str) for each in wanted):
        raise MalformedClaimsError(f"claims: {name} must be a text")
    return AskedClaim(name, essential, tuple(map(verified_requests.canonical, wanted)))
