"""The token endpoint: Authlib dispatches to a grant; one transaction holds what the grant decides, refusals included.

What an OAuth error has decided (a code burnt, a grant revoked, the entry in the log) is committed and then answered;
anything else that goes wrong rolls back, so that a failed signature leaves the code unburnt (decisions §34).
"""

from __future__ import annotations

from typing import Any

from authlib.oauth2.rfc6749 import AuthorizationServer, InvalidRequestError, OAuth2Error, OAuth2Payload, OAuth2Request
from flask import Request, Response, jsonify
from werkzeug.datastructures import MultiDict

from .. import audit
from ..db import transaction
from ..web import absolute_url, current_settings, now
from . import client_auth, client_services, replay_services
from .assertions import Assertion
from .client_credentials import ServiceGrant
from .clients import RelyingParty
from .grants import CodeGrant

LARGEST_BODY = 64 * 1024
_CREDENTIALS = frozenset(
    {
        *("client_id", "client_secret", "client_assertion", "client_assertion_type"),
        *("code", "code_verifier", "grant_type", "refresh_token"),
    }
)
_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}

Answer = tuple[int, dict[str, Any], list[tuple[str, str]]]


class FormPayload(OAuth2Payload):  # type: ignore[misc]
    """The parameters of a back-channel request: those of its form alone, never of its address."""

    def __init__(self, form: MultiDict[str, str]) -> None:
        self._form = form

    @property
    def data(self) -> MultiDict[str, str]:
        """Return the form."""
        return self._form

    @property
    def datalist(self) -> dict[str, list[str]]:
        """Return every value of each parameter."""
        return dict(self._form.lists())


class BackChannelRequest(OAuth2Request):  # type: ignore[misc]
    """A request of a client: its address is the configured one, whatever the Host header says."""

    def __init__(self, request: Request) -> None:
        super().__init__(request.method, absolute_url(request.path), headers=request.headers)
        self.payload = FormPayload(request.form)
        self.address_names = frozenset(request.args)
        self.assertion: Assertion | None = None

    @property
    def form(self) -> MultiDict[str, str]:
        """Return the form."""
        form: MultiDict[str, str] = self.payload.data
        return form

    def check_shape(self) -> None:
        """Refuse what no grant should look at (RFC 6749 §3.2; oidc §6.16)."""
        if self.address_names & _CREDENTIALS:
            raise InvalidRequestError("parameters belong in the body")
        if any(len(values) > 1 for name, values in self.payload.datalist.items() if name != "resource"):
            raise InvalidRequestError("a parameter is repeated")
        if "grant_type" not in self.form:
            raise InvalidRequestError("grant_type is missing")


class MandatServer(AuthorizationServer):  # type: ignore[misc]
    """Authlib's registry of grants, on our own clients, storage and answers."""

    def create_oauth2_request(self, request: Request) -> BackChannelRequest:
        """Wrap a Flask request."""
        return BackChannelRequest(request)

    def query_client(self, client_id: str) -> RelyingParty | None:
        """Find a client."""
        return client_services.find(client_id)

    def authenticate_client(self, request: BackChannelRequest, *_: object) -> RelyingParty:
        """Have the client prove itself; an assertion is spent later, in the transaction."""
        issuer = current_settings().issuer
        proven = client_auth.authenticate(
            request.headers, request.form, client_services.find, issuer=issuer, token_url=f"{issuer}/token", now=now()
        )
        request.assertion = proven.assertion
        return proven.client

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """Send none: the log is written where things are decided."""

    def create_token_response(self, request: Request) -> Response:
        """Answer a request to the token endpoint."""
        try:
            if (request.content_length or 0) > LARGEST_BODY:  # before the body is read
                raise InvalidRequestError("the request is too large")
            wrapped = self.create_oauth2_request(request)
            wrapped.check_shape()
            grant = self.get_token_grant(wrapped)
            client = grant.authenticate_token_endpoint_client()  # before the writers' place is taken
        except OAuth2Error as error:
            return self.handle_response(*error())
        with transaction():
            answer = _outcome(grant, client)
        return self.handle_response(*answer)

    def handle_response(self, status: int, body: Any, headers: list[tuple[str, str]]) -> Response:
        """Return JSON that no cache keeps."""
        response = jsonify(body if isinstance(body, dict) else dict(body))
        response.status_code = status
        for name, value in headers:
            if name.lower() != "content-type":
                response.headers[name] = value
        response.headers.update(_NO_STORE)
        return response


def _outcome(grant: CodeGrant | ServiceGrant, client: RelyingParty) -> Answer:
    """Run the grant; a refusal is an outcome to commit, not an exception to roll back."""
    try:
        _spend(grant.request.assertion)
        grant.validate_token_request()
        if not client.check_grant_type(grant.GRANT_TYPE):
            raise InvalidRequestError("this grant is not for this client")
        return grant.create_token_response()
    except OAuth2Error as error:
        audit.record(
            audit.Event.TOKEN_REFUSED,
            actor=audit.Actor("client", client.client_id),
            now=now(),
            agency_id=client.agency_id,
            details={"client_id": client.client_id, "error": error.error},
        )
        status, body, headers = error()
        return status, dict(body), headers


def _spend(assertion: Assertion | None) -> None:
    """Use an assertion up: a second one with its ``jti`` proves nothing (S-23)."""
    if assertion and not replay_services.spend(assertion.client_id, assertion.jti, until=assertion.until):
        raise client_auth.UnknownClientError(used_basic=False)


def make_server() -> MandatServer:
    """Return the server with its grants."""
    server = MandatServer()
    server.register_grant(CodeGrant)
    server.register_grant(ServiceGrant)
    return server
