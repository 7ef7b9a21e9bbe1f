"""The back channel: what programs post to us. A client proves itself, then one transaction holds what is decided.

What an OAuth error has decided (a code burnt, a grant revoked, the entry in the log) is committed and then answered;
anything else that goes wrong rolls back, so that a failed signature leaves the code unburnt (decisions.md §34).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from authlib.oauth2.rfc6749 import (
    AuthorizationServer,
    InvalidRequestError,
    OAuth2Error,
    OAuth2Payload,
    OAuth2Request,
    UnauthorizedClientError,
)
from flask import Request, Response, jsonify
from werkzeug.datastructures import MultiDict

from ... import audit
from ...db import transaction
from ...http import refusals
from ...http.web import absolute_url, current_settings, now
from ..clients import client_auth, client_key_services, client_refusals, client_services, mutual_tls
from ..clients.domain.assertions import Assertion
from ..clients.domain.clients import RelyingParty
from ..proofs import possession, replay_services
from ..proofs.possession import SenderProof
from .client_credentials import ServiceGrant
from .grants import CodeGrant, RefreshGrant

LARGEST_BODY = 64 * 1024
_CREDENTIALS = frozenset(
    {
        *("client_id", "client_secret", "client_assertion", "client_assertion_type"),
        *("code", "code_verifier", "grant_type", "refresh_token", "token", "request", "request_uri"),
    }
)
_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}

Answer = tuple[int, Any, list[tuple[str, str]]]
"""Status, body (a mapping for JSON, a text for anything else named by its Content-Type), headers."""


class FormPayload(OAuth2Payload):  # type: ignore[misc]
    """The parameters of a back-channel request: those of its form alone, never of its address.

    One that is empty is as if it were not there (RFC 6749 §3.2).
    """

    def __init__(self, form: MultiDict[str, str]) -> None:
        self._form = MultiDict((name, value) for name, value in form.items(multi=True) if value)
        self.repeated = frozenset(name for name, values in form.lists() if len(values) > 1)

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
        self.address_names = frozenset(name for name, value in request.args.items(multi=True) if value)
        self.assertion: Assertion | None = None
        self.shown = SenderProof()

    @property
    def form(self) -> MultiDict[str, str]:
        """Return the form."""
        form: MultiDict[str, str] = self.payload.data
        return form

    def check_shape(self, *required: str) -> None:
        """Refuse what nobody should look at (RFC 6749 §3.2; protocol.md §6.16)."""
        if self.address_names & _CREDENTIALS:
            raise InvalidRequestError("parameters belong in the body")
        if self.payload.repeated - {"resource"}:
            raise InvalidRequestError("a parameter is repeated")
        for name in required:
            if name not in self.form:
                raise InvalidRequestError(f"{name} is missing")


Act = Callable[[BackChannelRequest, RelyingParty], Answer]
Prepare = Callable[[BackChannelRequest, RelyingParty], None]


def _nothing(_: BackChannelRequest, __: RelyingParty) -> None:
    """Prepare nothing."""


class MandatServer(AuthorizationServer):  # type: ignore[misc]
    """Authlib's registry of grants, on our own clients, storage and answers."""

    def create_oauth2_request(self, request: Request) -> BackChannelRequest:
        """Wrap a Flask request."""
        if (request.content_length or 0) > LARGEST_BODY:  # before the body is read
            raise InvalidRequestError("the request is too large")
        return BackChannelRequest(request)

    def query_client(self, client_id: str) -> RelyingParty | None:
        """Find a client."""
        return client_services.find(client_id)

    def authenticate_client(self, request: BackChannelRequest, *_: object) -> RelyingParty:
        """Have the client prove itself; an assertion is spent later, in the transaction."""
        try:
            proven = _proven(request, client_services.find)
        except client_auth.UnknownClientError:  # what was kept of the client may be old: its secret or its keys changed
            proven = _proven(request, client_services.find_again)
        request.assertion = proven.assertion
        request.shown = possession.shown(request.method, request.uri, request.headers, proven.client, now=now())
        return proven.client

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """Send none: the log is written where things are decided."""

    def create_token_response(self, request: Request) -> Response:
        """Answer a request to the token endpoint."""
        try:
            wrapped = self.create_oauth2_request(request)
            wrapped.check_shape("grant_type")
            grant = self.get_token_grant(wrapped)
        except OAuth2Error as error:
            return self._refused(error, request)
        return self._answer(wrapped, lambda asked, client: _granted(grant, asked, client))

    def answer_client(
        self, request: Request, act: Act, *, required: tuple[str, ...] = (), prepare: Prepare = _nothing
    ) -> Response:
        """Have the client prove itself, *prepare* what takes calls elsewhere, then run *act* for it in one transaction."""
        try:
            wrapped = self.create_oauth2_request(request)
            wrapped.check_shape(*required)
        except OAuth2Error as error:
            return self._refused(error, request)
        return self._answer(wrapped, act, prepare)

    def _answer(self, wrapped: BackChannelRequest, act: Act, prepare: Prepare = _nothing) -> Response:
        try:
            client = wrapped.client = self.authenticate_client(wrapped)  # before the writers' place is taken
            refusals.act_as(f"client:{client.client_id}")
            prepare(wrapped, client)
        except OAuth2Error as error:
            client_refusals.of_error(error, wrapped.headers, wrapped.form, wrapped.client)
            return self.handle_response(*error())
        with transaction():
            status, body, headers = _outcome(wrapped, client, act)
        return self.handle_response(status, body, [*headers, *possession.nonce_headers(wrapped.headers, now=now())])

    def _refused(self, error: OAuth2Error, request: Request) -> Response:
        """Answer a request whose shape is wrong; a body that is too large is not read for it."""
        is_readable = (request.content_length or 0) <= LARGEST_BODY
        client_refusals.of_error(error, dict(request.headers), request.form if is_readable else {})
        return self.handle_response(*error())

    def handle_response(self, status: int, body: Any, headers: list[tuple[str, str]]) -> Response:
        """Return an answer that no cache keeps, JSON unless its headers name another type."""
        response = Response(body) if isinstance(body, str) else jsonify(body if isinstance(body, dict) else dict(body))
        response.status_code = status
        for name, value in headers:
            if name.lower() != "content-type" or isinstance(body, str):
                response.headers[name] = value
        response.headers.update(_NO_STORE)
        return response


def _granted(grant: Any, asked: BackChannelRequest, client: RelyingParty) -> Answer:
    """Run one of Authlib's grants."""
    if not client.check_grant_type(grant.GRANT_TYPE):
        raise UnauthorizedClientError("this grant is not for this client")
    grant.validate_token_request()
    answer: Answer = grant.create_token_response()
    return answer


def _proven(request: BackChannelRequest, find: client_auth.Find) -> client_auth.Proven:
    issuer = current_settings().issuer
    return client_auth.authenticate(
        request.headers,
        request.form,
        find,
        keys_of=client_key_services.keys_of,
        issuer=issuer,
        token_url=f"{issuer}/token",
        now=now(),
        handshake=client_auth.Handshake(mutual_tls.certificate(), mutual_tls.authorities()),
    )


def _outcome(asked: BackChannelRequest, client: RelyingParty, act: Act) -> Answer:
    """Run *act*; a refusal is an outcome to commit, not an exception to roll back."""
    try:
        _spend(asked)
        return act(asked, client)
    except OAuth2Error as error:
        audit.record(
            audit.Event.TOKEN_REFUSED,
            actor=audit.Actor("client", client.client_id),
            now=now(),
            agency_id=client.agency_id,
            details={"client_id": client.client_id, "error": error.error},
        )
        client_refusals.of_error(error, asked.headers, asked.form, client)
        status, body, headers = error()
        return status, dict(body), headers


def _spend(asked: BackChannelRequest) -> None:
    """Use the assertion and the proof up: a second one with its ``jti`` proves nothing (S-23, S-94)."""
    assertion, proof = asked.assertion, asked.shown.proof
    once = [(assertion.client_id, assertion.jti, assertion.until)] if assertion else []
    once += [(f"dpop:{proof.jkt}", proof.jti, proof.until)] if proof else []
    fresh = replay_services.spend_all(once)
    if assertion and assertion.client_id not in fresh:
        raise client_auth.UnknownClientError("client assertion: it was used before")
    if len(fresh) != len(once):
        raise possession.InvalidProofError("the proof was used before")


def make_server() -> MandatServer:
    """Return the server with its grants."""
    server = MandatServer()
    server.register_grant(CodeGrant)
    server.register_grant(RefreshGrant)
    server.register_grant(ServiceGrant)
    return server
