"""What speaks to programs: discovery, keys, token, userinfo. JSON only, never a page, never a cookie."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from flask import Blueprint, Flask, Response, current_app, jsonify, request
from flask.typing import ResponseReturnValue

from ...errors import NotFoundError
from ...web import csrf, now
from .. import client_services, issuing
from ..issuing import NoRightError
from ..server import MandatServer
from ..signing_keys import UntrustedTokenError

blueprint = Blueprint("oidc_machine", __name__)
_PUBLISHED = "mandat.oidc_published"
_MAX_AGE = 3600  # seconds; a new key is published for longer than this before it signs
_CALLED_FROM_BROWSERS = ("oidc_machine.token", "oidc_machine.userinfo")


def publish(app: Flask, **documents: dict[str, Any]) -> None:
    """Keep discovery and keys as bytes with their tag: they are asked for often and change with the process only."""
    app.extensions[_PUBLISHED] = {name: _sealed(value) for name, value in documents.items()}


def _sealed(value: dict[str, Any]) -> tuple[bytes, str]:
    body = json.dumps(value, separators=(",", ":")).encode()
    return body, hashlib.sha256(body).hexdigest()[:32]


@blueprint.get("/.well-known/openid-configuration")
def discovery() -> Response:
    """Answer the discovery document."""
    return published("discovery", "application/json")


@blueprint.get("/jwks")
def jwks() -> Response:
    """Answer the public keys."""
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
    """Exchange a code for tokens."""
    server: MandatServer = current_app.extensions["mandat.oidc_server"]
    return server.create_token_response(request)


@blueprint.route("/userinfo", methods=["GET", "POST"])
@csrf.exempt  # type: ignore[untyped-decorator]
def userinfo() -> ResponseReturnValue:
    """Tell the bearer of an access token who the person is and what they may do now."""
    scheme, _, access_token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not access_token:
        return _challenge("Bearer")
    try:
        told = issuing.userinfo(access_token.strip(), now=now())
    except (UntrustedTokenError, NoRightError, NotFoundError):
        return _challenge('Bearer error="invalid_token", error_description="the token is not valid any more"')
    response = jsonify(told)
    response.headers["Cache-Control"] = "no-store"
    return response


def _challenge(value: str) -> Response:
    """Answer 401 as RFC 6750 §3 says: without a token, no error is named."""
    response = jsonify(error="invalid_token") if "error=" in value else jsonify()
    response.status_code = 401
    response.headers["WWW-Authenticate"] = value
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.after_request
def _cross_origin(response: Response) -> Response:
    """Let registered origins call token and userinfo from a browser, errors and preflight included; never with cookies."""
    origin = request.headers.get("Origin")
    if origin is None or request.endpoint not in _CALLED_FROM_BROWSERS:
        return response
    response.vary.add("Origin")
    if client_services.has_origin(origin):
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = "WWW-Authenticate"
        if request.method == "OPTIONS":
            response.headers["Access-Control-Allow-Methods"] = "GET, POST"
            response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type, DPoP"
            response.headers["Access-Control-Max-Age"] = "600"
    return response


for _view in (discovery, jwks, token, userinfo):
    setattr(_view, "machine", True)  # noqa: B010 (a function has no such member of its own)
