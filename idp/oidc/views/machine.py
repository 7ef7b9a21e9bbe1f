"""What speaks to programs: discovery, keys, token, revocation, introspection, userinfo. Never a page, never a cookie."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from flask import Blueprint, Flask, Response, current_app, jsonify, request
from flask.typing import ResponseReturnValue

from ...errors import NotFoundError
from ...http.limits import PUSHED, limiter
from ...http.web import absolute_url, csrf, now
from ..authorization import pushed_requests
from ..clients import client_refusals, client_services
from ..keys.domain.key_rotation import JWKS_MAX_AGE
from ..proofs import possession
from ..token import introspection, issuing, presented_tokens, revocation
from ..token.domain import tokens
from ..token.issuing import NoRightError
from ..token.server import MandatServer

blueprint = Blueprint("oidc_machine", __name__)
_PUBLISHED = "mandat.oidc_published"
_MAX_AGE = int(JWKS_MAX_AGE.total_seconds())  # a new key is published for longer than this before it signs
_CALLED_FROM_BROWSERS = frozenset({f"oidc_machine.{name}" for name in ("token", "par", "userinfo", "revoke")})


def publish(app: Flask, **documents: dict[str, Any]) -> None:
    """Keep discovery and keys as bytes with their tag: they are asked for often and change with the process only."""
    app.extensions[_PUBLISHED] = {name: _sealed(value) for name, value in documents.items()}


def publish_keys(app: Flask, keys: dict[str, Any]) -> None:
    """Publish other keys: the ring has changed."""
    app.extensions[_PUBLISHED]["jwks"] = _sealed(keys)


def _sealed(value: dict[str, Any]) -> tuple[bytes, str]:
    body = json.dumps(value, separators=(",", ":")).encode()
    return body, hashlib.sha256(body).hexdigest()[:32]


@blueprint.get("/.well-known/openid-configuration")
@blueprint.get("/.well-known/oauth-authorization-server")
def discovery() -> Response:
    """Answer the metadata of the provider: one document for OpenID Connect and for plain OAuth (RFC 8414 §3)."""
    return published("discovery", "application/json")


@blueprint.get("/jwks")
def jwks() -> Response:
    """Answer the public keys."""
    issuing.key_ring().refresh()
    return published("jwks", "application/jwk-set+json")


def published(name: str, media_type: str) -> Response:
    """Answer a document that was published at start, with its tag."""
    body, tag = current_app.extensions[_PUBLISHED][name]
    response = Response(body, mimetype=media_type)
    response.set_etag(tag)
    response.headers["Cache-Control"] = f"public, max-age={_MAX_AGE}"
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.make_conditional(request)
    return response


@blueprint.post("/token")
@csrf.exempt  # type: ignore[untyped-decorator]
def token() -> Response:
    """Exchange a code or a refresh token for tokens."""
    server: MandatServer = current_app.extensions["mandat.oidc_server"]
    return server.create_token_response(request)


@blueprint.post("/par")
@csrf.exempt  # type: ignore[untyped-decorator]
@limiter.limit(PUSHED)
def par() -> Response:
    """Keep an authorization request that a client pushes (RFC 9126)."""
    server: MandatServer = current_app.extensions["mandat.oidc_server"]
    return server.answer_client(request, pushed_requests.push, prepare=pushed_requests.fetch_keys)


@blueprint.post("/revoke")
@csrf.exempt  # type: ignore[untyped-decorator]
def revoke() -> Response:
    """End what a client holds (RFC 7009)."""
    server: MandatServer = current_app.extensions["mandat.oidc_server"]
    return server.answer_client(request, revocation.revoke, required=("token",))


@blueprint.post("/introspect")
@csrf.exempt  # type: ignore[untyped-decorator]
def introspect() -> Response:
    """Return to an agency what a token is worth now (RFC 7662, RFC 9701)."""
    server: MandatServer = current_app.extensions["mandat.oidc_server"]
    return server.answer_client(request, introspection.introspect, required=("token",))


@blueprint.route("/userinfo", methods=["GET", "POST"])
@csrf.exempt  # type: ignore[untyped-decorator]
def userinfo() -> ResponseReturnValue:
    """Return who the person of an access token is and what they may do now."""
    try:
        presented = presented_tokens.presented_token(
            request.method, absolute_url(request.path), request.headers, now=now()
        )
    except presented_tokens.RefusedTokenError as error:
        return refused(error)
    try:
        told = issuing.userinfo(presented.claims, now=now())
    except (NoRightError, NotFoundError) as error:
        rule = str(error) or "the enterprise or the person is gone"
        return refused(
            presented_tokens.RefusedTokenError("Bearer", "invalid_token", rule=rule, claims=presented.claims)
        )
    response = Response(told, mimetype="application/jwt") if isinstance(told, str) else jsonify(told)
    response.headers.extend(possession.nonce_headers(request.headers, now=now()))
    response.headers["Cache-Control"] = "no-store"
    return response


def refused(error: presented_tokens.RefusedTokenError) -> Response:
    """Answer 401 as RFC 6750 §3 and RFC 9449 §7.1 say: without a token, no error is named."""
    client_refusals.note(
        error.code or "not_authenticated",
        error.rule,
        str(error.claims.get("client_id", "")),
        shown=error.scheme if "Authorization" in request.headers else "none",
        registered=tokens.token_type(error.claims.get("cnf", {})) if error.claims else "",
    )
    response = jsonify({"error": error.code} if error.code else {})
    response.status_code = 401
    response.headers["WWW-Authenticate"] = error.challenge
    if error.nonce:
        response.headers["DPoP-Nonce"] = error.nonce
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.after_request
def _cross_origin(response: Response) -> Response:
    """Let registered origins call from a browser, errors and preflight included; never with cookies."""
    origin = request.headers.get("Origin")
    if origin is None or request.endpoint not in _CALLED_FROM_BROWSERS:
        return response
    response.vary.add("Origin")
    if client_services.has_origin(origin):
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = "WWW-Authenticate, DPoP-Nonce, Retry-After, X-Request-Id"
        if request.method == "OPTIONS":
            response.headers["Access-Control-Allow-Methods"] = "GET, POST"
            response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type, DPoP"
            response.headers["Access-Control-Max-Age"] = "600"
    return response


for _view in (discovery, jwks, token, par, revoke, introspect, userinfo):
    setattr(_view, "machine", True)  # noqa: B010 (a function has no such member of its own)
