"""Event streams for programs: the transmitter's metadata, and the endpoints by which a receiver manages and polls its stream.

Who calls is notified by an access token of the client itself (``client_credentials``): ``ssf.manage`` changes, ``ssf.read`` reads
and polls.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Blueprint, Response, g, jsonify, request
from flask.typing import ResponseReturnValue

from ...http.request_bodies import takes_other_body
from ...http.web import absolute_url, csrf, now
from ..clients import client_refusals
from ..clients.domain.clients import RelyingParty
from ..events import event_services, stream_services
from ..events.domain import polls, streams
from ..events.domain.signals import POLL
from ..events.domain.streams import StreamRefusedError
from ..keys.signing_keys import UntrustedTokenError
from ..proofs import possession
from ..proofs.domain import strict_json
from ..proofs.domain.strict_json import NotStrictJsonError
from ..token import client_credentials, presented_tokens
from ..token.client_credentials import Service
from ..token.domain import tokens
from ..token.presented_tokens import PresentedToken, RefusedTokenError
from .machine import published, refused

blueprint = Blueprint("oidc_streams", __name__)
MANAGE, READ = "ssf.manage", "ssf.read"
LARGEST_BODY = 64 * 1024

View = Callable[..., ResponseReturnValue]  # the client first, then what the address names


@blueprint.get("/.well-known/ssf-configuration")
def configuration() -> Response:
    """Answer the transmitter's metadata (SSF 1.0 §7.2)."""
    return published("ssf", "application/json")


def _endpoint(path: str, *methods: str, scope: str) -> Callable[[View], View]:
    """Open *path* to a client whose token has *scope*; who may manage may read."""
    enough = {scope, MANAGE}

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(**named: str) -> ResponseReturnValue:
            try:
                shown = presented_tokens.presented_token(
                    request.method, absolute_url(request.path), request.headers, now=now()
                )
                service: Service = client_credentials.service_of(shown.claims)
            except RefusedTokenError as error:
                return refused(error)
            except UntrustedTokenError as error:
                return refused(RefusedTokenError("Bearer", "invalid_token", rule=str(error), claims=shown.claims))
            g.stream_client = service.client.client_id
            if not service.scopes & enough:
                return _insufficient(shown, scope)
            return view(service.client, **named)

        setattr(guarded, "machine", True)  # noqa: B010 (a function has no such member of its own)
        csrf.exempt(takes_other_body(guarded))
        blueprint.add_url_rule(path, view.__name__, guarded, methods=list(methods))
        return guarded

    return decorate


@_endpoint("/ssf/streams", "POST", scope=MANAGE)
def create(client: RelyingParty) -> ResponseReturnValue:
    """Make the client's stream: 201."""
    stream = stream_services.create(client, _body(), now=now())
    return jsonify(stream_services.configuration_of(client, stream)), 201


@_endpoint("/ssf/streams", "GET", scope=READ)
def read(client: RelyingParty) -> ResponseReturnValue:
    """Return one stream, or the list of the client's streams."""
    if "stream_id" in request.args:
        stream = stream_services.named(client, request.args["stream_id"])
        return jsonify(stream_services.configuration_of(client, stream))
    found = stream_services.of_client(client)
    return jsonify([stream_services.configuration_of(client, found)] if found else [])


@_endpoint("/ssf/streams", "PATCH", scope=MANAGE)
def update(client: RelyingParty) -> ResponseReturnValue:
    """Change what is named."""
    stream = stream_services.change(client, _body(), whole=False, now=now())
    return jsonify(stream_services.configuration_of(client, stream))


@_endpoint("/ssf/streams", "PUT", scope=MANAGE)
def replace(client: RelyingParty) -> ResponseReturnValue:
    """Change everything: what is not named is gone."""
    stream = stream_services.change(client, _body(), whole=True, now=now())
    return jsonify(stream_services.configuration_of(client, stream))


@_endpoint("/ssf/streams", "DELETE", scope=MANAGE)
def delete(client: RelyingParty) -> ResponseReturnValue:
    """End the stream: 204."""
    stream_services.end(client, _asked_stream(), now=now())
    return "", 204


@_endpoint("/ssf/status", "GET", scope=READ)
def status(client: RelyingParty) -> ResponseReturnValue:
    """Return the status of a stream."""
    return jsonify(streams.status_response(stream_services.named(client, _asked_stream())))


@_endpoint("/ssf/status", "POST", scope=MANAGE)
def change_status(client: RelyingParty) -> ResponseReturnValue:
    """Enable, pause or disable a stream."""
    return jsonify(streams.status_response(stream_services.set_status(client, _body(), now=now())))


@_endpoint("/ssf/subjects/add", "POST", scope=MANAGE)
def add_subject(client: RelyingParty) -> ResponseReturnValue:
    """Hear of a person again: 200, whether or not they exist."""
    stream_services.keep_subject(client, _body(), wanted=True)
    return "", 200


@_endpoint("/ssf/subjects/remove", "POST", scope=MANAGE)
def remove_subject(client: RelyingParty) -> ResponseReturnValue:
    """Hear of a person no more: 204, whether or not they exist."""
    stream_services.keep_subject(client, _body(), wanted=False)
    return "", 204


@_endpoint("/ssf/verification", "POST", scope=MANAGE)
def verify(client: RelyingParty) -> ResponseReturnValue:
    """Send a verification event: 204."""
    stream_services.verify(client, _body(), now=now())
    return "", 204


@_endpoint("/ssf/poll/<stream_id>", "POST", scope=READ)
def poll(client: RelyingParty, stream_id: str) -> ResponseReturnValue:
    """Give what waits, and note what was received (RFC 8936 §2)."""
    stream, asked = stream_services.named(client, stream_id), polls.read(_body())
    if stream.method != POLL:
        raise streams.bad("the events of this stream are pushed")
    return jsonify(event_services.poll(stream, asked, now=now()))


def _asked_stream() -> str:
    return streams.stream_named(request.args)


def _body() -> dict[str, Any]:
    """Return the JSON object of the request, read strictly."""
    if (request.content_length or 0) > LARGEST_BODY:
        raise streams.bad("the body is too large")
    try:
        return strict_json.read_object(request.get_data())
    except NotStrictJsonError:
        raise streams.bad("the body is not one strict JSON object") from None


def _insufficient(shown: PresentedToken, scope: str) -> Response:
    """Answer 403 to a token that is good for something else (RFC 6750 §3.1)."""
    client_refusals.note("insufficient_scope", f"the scope {scope} is needed", shown.client_id)
    response = jsonify(error="insufficient_scope")
    response.status_code = 403
    scheme = tokens.token_type(shown.claims.get("cnf", {}))
    response.headers["WWW-Authenticate"] = f'{scheme} error="insufficient_scope", scope="{scope}"'
    return response


@blueprint.after_request
def _next_nonce(response: Response) -> Response:
    """Give a caller with a proof the nonce of its next one (RFC 9449 §8.2)."""
    if "DPoP-Nonce" not in response.headers:
        response.headers.extend(possession.nonce_headers(request.headers, now=now()))
    return response


@blueprint.errorhandler(StreamRefusedError)
def _refused(error: StreamRefusedError) -> Response:
    client_refusals.note(error.code, error.detail, g.get("stream_client", ""))
    response = jsonify(error=error.code, error_description=error.detail)
    response.status_code = error.status
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


setattr(configuration, "machine", True)  # noqa: B010
