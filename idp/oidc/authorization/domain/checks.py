"""What an authorization request must satisfy, in order: one small check per sentence of an RFC. Pure.

First the client and its redirect URI, where a fault is a page; then the table :data:`CHECKS`, where a fault is an answer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from ....delegation.rights.domain.rights_claims import SCOPE_BLOCKS
from ...claims.domain import asked_claims
from ...claims.domain.asked_claims import NOTHING_ASKED, AskedClaims
from ...claims.domain.verified_requests import MalformedClaimsError
from ...clients.domain.clients import RelyingParty
from ...domain import uris
from ...domain.metadata import CLAIMS, DETAILS_TYPES, PROMPTS, RESPONSE_TYPES
from ...errors import AuthorizationRefusedError, UnprovenRequestError
from ...proofs.domain import dpop
from .requests import LONGEST, AskedBlocks, AuthorizationRequest, Parameters, details_list, too_long

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")  # a SHA-256 in base64url (RFC 7636 §4.2)
_VSCHAR = re.compile(r"[\x20-\x7e]*")
_BLOCK = re.compile(r"[A-Za-z0-9._-]{1,32}")
_NEQ = re.compile(r"neq:[0-9]{10}")
_LONGEST_AGE = 10**9  # seconds, more than thirty years: a larger max_age asks for nothing more


@dataclass(frozen=True, slots=True)
class Target:
    """Where an answer may go: proven, before anything else is looked at."""

    redirect_uri: str
    response_mode: str
    state: str | None
    client_id: str
    signing_alg: str  # for the modes whose answer is a JWT
    sends_iss: bool = True
    is_vouched: bool = True  # an operator loaded its client; False: the client registered itself


def target(parameters: Parameters, client: RelyingParty) -> Target:
    """Prove where the answer goes: the redirect URI is one registered, to the byte (OIDC Core §3.1.2.1);
    a native client listens at any port of this machine.

    Raises:
        UnprovenRequestError: it is missing or is not registered: nothing is redirected.
    """
    uri = parameters.get("redirect_uri")
    if uri is None:
        raise UnprovenRequestError("missing_redirect_uri", f"client {client.client_id}")
    if not any(uris.fits(uri, registered, any_port=client.is_native) for registered in client.redirect_uris):
        registered = " ".join(client.redirect_uris)
        told = f"client {client.client_id}: asked {uri[: LONGEST['redirect_uri']]!r}, registered {registered}"
        raise UnprovenRequestError("invalid_redirect_uri", told)
    mode = parameters.get("response_mode") or "query"
    state = parameters.get("state")
    if state is not None and too_long("state", state):
        state = None  # refused below; never sent back cut
    return place(uri, mode, state, client)


def place(redirect_uri: str, response_mode: str, state: str | None, client: RelyingParty) -> Target:
    """Return where an answer goes, by what the client's profile allows now; a mode that it does not is ``query``."""
    mode = response_mode if response_mode in client.profile.response_modes else "query"
    return Target(
        redirect_uri=redirect_uri,
        response_mode=mode,
        state=state,
        client_id=client.client_id,
        signing_alg=client.authorization_response_alg,
        sends_iss=client.gets_iss,
        is_vouched=not client.is_dynamic,
    )


def check_lengths(parameters: Parameters, client: RelyingParty, locations: tuple[str, ...]) -> None:
    """Refuse what is longer than it may be."""
    for name, value in parameters.values.items():
        if too_long(name, value):
            _refuse("invalid_request", "a parameter is too long")


def check_state(parameters: Parameters, client: RelyingParty, locations: tuple[str, ...]) -> None:
    """A nonce is printable ASCII (it comes back in a token); a state is text without controls (RFC 6749 §A.5)."""
    state, nonce = parameters.get("state") or "", parameters.get("nonce") or ""
    if any(sign < " " or sign == "\x7f" for sign in state) or not _VSCHAR.fullmatch(nonce):
        _refuse("invalid_request", "state or nonce holds signs that it may not hold")


def check_request_object(parameters: Parameters, client: RelyingParty, locations: tuple[str, ...]) -> None:
    """Nothing is fetched, and ignoring what cannot be followed would be the failure (OIDC Core §6)."""
    if parameters.get("request_uri") and parameters.is_pushed:
        _refuse("invalid_request", "a pushed request holds no request_uri")  # RFC 9126 §2.1
    if parameters.get("request_uri"):
        _refuse("request_uri_not_supported", "request_uri is not supported")
    if parameters.get("registration"):
        _refuse("registration_not_supported", "registration is not supported")


def check_pushed(parameters: Parameters, client: RelyingParty, locations: tuple[str, ...]) -> None:
    """A client whose requests are always pushed sends none by the browser (RFC 9126 §5, FAPI 2.0 §5.3.2.2)."""
    if client.requires_pushed_request and not parameters.is_pushed:
        _refuse("invalid_request", "this client must push its requests")


def check_signed(parameters: Parameters, client: RelyingParty, locations: tuple[str, ...]) -> None:
    """A client whose requests are always signed sends no other (RFC 9101 §10.5, FAPI 2.0 Message Signing §5.3.1)."""
    if client.requires_signed_request and not parameters.is_signed:
        _refuse("invalid_request", "this client must sign its requests")


def check_dpop_key(parameters: Parameters, client: RelyingParty, locations: tuple[str, ...]) -> None:
    """A code is bound to a key by its thumbprint (RFC 9449 §10)."""
    named = parameters.get("dpop_jkt")
    if named is not None and not dpop.is_thumbprint(named):
        _refuse("invalid_request", "dpop_jkt must be a JWK thumbprint")


def check_response_type(parameters: Parameters, client: RelyingParty, locations: tuple[str, ...]) -> None:
    """Only the code flow (RFC 9700 §2.1.2)."""
    wanted = parameters.get("response_type")
    if wanted is None:
        _refuse("invalid_request", "response_type is missing")
    if wanted not in RESPONSE_TYPES:
        _refuse("unsupported_response_type", "only the response type code is supported")


def check_response_mode(parameters: Parameters, client: RelyingParty, locations: tuple[str, ...]) -> None:
    """Only the modes of the client's profile (ASVS 10.4.12)."""
    mode = parameters.get("response_mode")
    if mode is not None and mode not in client.profile.response_modes:
        _refuse("invalid_request", "this response_mode is not supported")


def check_scope(parameters: Parameters, client: RelyingParty, locations: tuple[str, ...]) -> None:
    """``openid`` must be asked, and given to this client (OIDC Core §3.1.2.1)."""
    if "openid" not in _scopes(parameters, client):
        _refuse("invalid_scope", "the scope must hold openid")


def check_pkce(parameters: Parameters, client: RelyingParty, locations: tuple[str, ...]) -> None:
    """RFC 7636 §4.4.1 and RFC 9700 §2.1.1: S256 only, named, and required unless waived for this client."""
    challenge, method = parameters.get("code_challenge"), parameters.get("code_challenge_method")
    if challenge is None:
        if method is not None or client.requires_pkce:
            _refuse("invalid_request", "code_challenge is required")
        return
    if method != "S256":
        _refuse("invalid_request", "code_challenge_method must be S256")
    if not _CHALLENGE.fullmatch(challenge):
        _refuse("invalid_request", "code_challenge must be 43 base64url signs")


def check_prompt(parameters: Parameters, client: RelyingParty, locations: tuple[str, ...]) -> None:
    """Known values only, and ``none`` alone (OIDC Core §3.1.2.1)."""
    prompts = _words(parameters, "prompt")
    if set(prompts) - set(PROMPTS) or ("none" in prompts and len(prompts) > 1):
        _refuse("invalid_request", "prompt holds an unknown value, or none beside another")


def check_max_age(parameters: Parameters, client: RelyingParty, locations: tuple[str, ...]) -> None:
    """A number of seconds, however many digits it has."""
    age = parameters.get("max_age")
    if age is not None and not (age.isascii() and age.isdigit()):
        _refuse("invalid_request", "max_age must be a number of seconds")


def check_resource(parameters: Parameters, client: RelyingParty, locations: tuple[str, ...]) -> None:
    """RFC 8707 §2: the resource must be the agency's."""
    if set(parameters.resources) - set(locations):
        _refuse("invalid_target", "the resource is not this agency")


def check_details(parameters: Parameters, client: RelyingParty, locations: tuple[str, ...]) -> None:
    """RFC 9396 §5: a type that this client registered for, known members, this agency's locations, one enterprise."""
    text = parameters.get("authorization_details")
    if text is None:
        return
    if SCOPE_BLOCKS not in client.scopes:
        _refuse("invalid_authorization_details", "this client is not registered for functional_blocks")
    listed = details_list(text)
    if listed is None:
        _refuse("invalid_authorization_details", "authorization_details must be a list of objects")
    for detail in listed:
        fault = detail_fault(detail, locations)
        if not fault and not client.may_ask_details(detail["type"]):
            fault = "a type that the client did not register"
        if fault:
            _refuse("invalid_authorization_details", fault)
    if len({detail["identifier"] for detail in listed if "identifier" in detail}) > 1:
        _refuse("invalid_authorization_details", "a token speaks for one enterprise only")


def check_claims(parameters: Parameters, client: RelyingParty, locations: tuple[str, ...]) -> None:
    """OIDC Core §5.5: a JSON object that can be understood; what is not offered in it is no fault."""
    try:
        _claims(parameters, client)
    except MalformedClaimsError as error:
        _refuse("invalid_request", str(error))


CHECKS = (
    check_lengths,
    check_state,
    check_request_object,
    check_pushed,
    check_signed,
    check_dpop_key,
    check_response_type,
    check_response_mode,
    check_scope,
    check_pkce,
    check_prompt,
    check_max_age,
    check_resource,
    check_details,
    check_claims,
)


def checked(parameters: Parameters, client: RelyingParty, locations: tuple[str, ...]) -> AuthorizationRequest:
    """Run every check in order and return the request as one value.

    Raises:
        AuthorizationRefusedError: with the error to answer.
    """
    where = target(parameters, client)
    for check in CHECKS:
        check(parameters, client, locations)
    age = parameters.get("max_age") or client.default_max_age
    return AuthorizationRequest(
        client_id=client.client_id,
        redirect_uri=where.redirect_uri,
        response_mode=where.response_mode,
        scopes=_scopes(parameters, client),
        state=where.state,
        nonce=parameters.get("nonce"),
        code_challenge=parameters.get("code_challenge"),
        prompts=_words(parameters, "prompt"),
        max_age=min(int(age), _LONGEST_AGE) if age is not None else None,
        login_hint=parameters.get("login_hint"),
        id_token_hint=parameters.get("id_token_hint"),
        ui_language=parameters.language,
        details=_details(parameters),
        dpop_jkt=parameters.get("dpop_jkt"),
        acr_values=_words(parameters, "acr_values") or client.default_acr_values,
        claims=_claims(parameters, client),
        is_signed=parameters.is_signed,
    )


def check_still_allowed(request: AuthorizationRequest, client: RelyingParty) -> None:
    """Hold a request that was checked before to what its client may do now (protocol.md §6.5, S-11).

    Raises:
        UnprovenRequestError: it could not be made now.
    """
    target(Parameters({"redirect_uri": request.redirect_uri}), client)
    if (
        request.response_mode not in client.profile.response_modes
        or (client.requires_pushed_request and request.pushed_digest is None)
        or (client.requires_signed_request and not request.is_signed)
        or (client.requires_pkce and request.code_challenge is None)
        or (request.details and SCOPE_BLOCKS not in client.scopes)
    ):
        raise UnprovenRequestError("invalid_request", f"client {client.client_id}: its registration has changed")


def _refuse(error: str, description: str) -> NoReturn:
    raise AuthorizationRefusedError(error, description)


def _words(parameters: Parameters, name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((parameters.get(name) or "").split()))


def _scopes(parameters: Parameters, client: RelyingParty) -> tuple[str, ...]:
    """Return the scopes asked that this client may have; others are ignored (RFC 6749 §3.3)."""
    return tuple(sorted(set(_words(parameters, "scope")) & client.scopes))


def _claims(parameters: Parameters, client: RelyingParty) -> AskedClaims:
    text = parameters.get("claims")
    return asked_claims.parse(text, frozenset(CLAIMS)).within(client.scopes) if text else NOTHING_ASKED


def detail_fault(detail: Mapping[str, Any], locations: tuple[str, ...], *, needs_privileges: bool = True) -> str | None:
    """Return what is wrong with one authorization detail, None when nothing is (RFC 9396 §5)."""
    if detail.get("type") not in DETAILS_TYPES:
        return "unknown type"
    if set(detail) - {"type", "locations", "identifier", "privileges", "needs"}:
        return "unknown member"
    asked = detail.get("locations", [])
    if not isinstance(asked, list) or not all(isinstance(each, str) for each in asked) or set(asked) - set(locations):
        return "a location is not this agency"
    if needs_privileges or "privileges" in detail:
        blocks = detail.get("privileges")
        if not isinstance(blocks, list) or not blocks or len(blocks) > 200:
            return "privileges must be a list of codes"
        if not all(isinstance(code, str) and _BLOCK.fullmatch(code) for code in blocks):
            return "privileges must be a list of codes"
    named = detail.get("identifier")
    if "identifier" in detail and not (isinstance(named, str) and _NEQ.fullmatch(named)):
        return "identifier must be neq: and ten digits"
    if detail.get("needs", "any") not in ("any", "all"):
        return "needs must be any or all"
    return None


def _details(parameters: Parameters) -> tuple[AskedBlocks, ...]:
    listed = details_list(parameters.get("authorization_details") or "") or []
    return tuple(
        AskedBlocks(tuple(each["privileges"]), each.get("identifier"), each.get("needs", "")) for each in listed
    )
