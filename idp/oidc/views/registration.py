"""Dynamic registration (RFC 7591) behind an initial access token, and its management (RFC 7592). JSON only."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import MethodNotAllowed

from ...http.request_bodies import takes_other_body
from ...http.web import csrf, now
from ..clients import client_refusals, registration_services
from ..clients.domain import registration
from ..errors import RegistrationError, UnknownTokenError

blueprint = Blueprint("oidc_registration", __name__, url_prefix="/register")
_EVERY_METHOD = ("GET", "POST", "PUT", "PATCH", "DELETE")


@blueprint.route("", methods=_EVERY_METHOD)
@csrf.exempt  # type: ignore[untyped-decorator]
@takes_other_body
def register() -> ResponseReturnValue:
    """Register a client."""
    if request.method != "POST":
        raise MethodNotAllowed(valid_methods=["POST"])
    token = _bearer()
    registration_services.agency_of(token, now=now())  # a stranger's body is not even read
    return _json(registration_services.register(_body(), initial_token=token, now=now()), 201)


@blueprint.route("/<client_id>", methods=_EVERY_METHOD)
@csrf.exempt  # type: ignore[untyped-decorator]
@takes_other_body
def manage(client_id: str) -> ResponseReturnValue:
    """Read, replace or remove the registration of one client."""
    if request.method not in ("GET", "HEAD", "PUT", "DELETE"):
        raise MethodNotAllowed(valid_methods=["GET", "PUT", "DELETE"])
    token = _bearer()
    current = registration_services.authenticated(client_id, token)
    if request.method == "PUT":
        return _json(registration_services.replace(current, _body(), token=token, now=now()), 200)
    if request.method == "DELETE":
        registration_services.remove(current, now=now())
        return _no_store(Response(status=204))
    return _json(registration_services.registration_response(current, token=token), 200)


def _bearer() -> str:
    """Return the token of the ``Authorization`` header; one in the address or the body counts for nothing."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise UnknownTokenError
    return token.strip()


def _body() -> bytes:
    if request.mimetype != "application/json":
        raise registration.refusal("the body must be application/json")
    if (request.content_length or 0) > registration.LARGEST_BODY:  # before it is read
        raise registration.refusal("the registration is too large", status=413)
    return request.stream.read(registration.LARGEST_BODY + 1)


@blueprint.errorhandler(RegistrationError)
def _refused(error: RegistrationError) -> Response:
    client_refusals.note(error.error, error.description, _client_named(), shown="bearer token")
    return _json({"error": error.error, "error_description": error.description}, error.status)


@blueprint.errorhandler(UnknownTokenError)
def _unknown(_: UnknownTokenError) -> Response:
    """Answer 401, in one way: the response does not say whether the client exists (RFC 7592 §2.1, RFC 6750 §3.1)."""
    if "Authorization" not in request.headers:
        client_refusals.note("not_authenticated", "no token in the Authorization header", _client_named(), shown="none")
        response = _json({}, 401)
        response.headers["WWW-Authenticate"] = "Bearer"
        return response
    client_refusals.note("invalid_token", "the token opens nothing here", _client_named(), shown="bearer token")
    response = _json({"error": "invalid_token"}, 401)
    response.headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'
    return response


def _client_named() -> str:
    """Return the client whose registration the address names."""
    return str((request.view_args or {}).get("client_id", ""))


def _json(told: dict[str, Any], status: int) -> Response:
    response = jsonify(told)
    response.status_code = status
    return _no_store(response)


def _no_store(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    response.headers["Pragma"] = "no-cache"
    return response


for _view in (register, manage):
    setattr(_view, "machine", True)  # noqa: B010 (a function has no such member of its own)
