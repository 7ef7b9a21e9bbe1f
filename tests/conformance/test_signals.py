"""The OIDF tests of a Shared Signals transmitter (prefix ``openid-ssf-transmitter-``): metadata, streams, delivery."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt as pyjwt
import pytest
from click.testing import CliRunner

from idp import audit
from idp.cli.notices import notices as notices_command
from idp.clock import MovableClock
from idp.db import db
from idp.notices import services as notices
from idp.notices.domain.schedule import PAUSES
from idp.oidc.models import EventStreamRow
from tests.oidc.listening import (
    CLAIMS_CHANGE,
    CREDENTIAL_CHANGE,
    POLL,
    PUSH,
    SESSION_REVOKED,
    VERIFICATION,
    Address,
    Listener,
    listening_address,
    path_of,
)
from tests.oidc.scenery import ISSUER, RelyingParty, Scenery, load, watcher

ALL_EVENTS = {CLAIMS_CHANGE, SESSION_REVOKED, CREDENTIAL_CHANGE}


@pytest.fixture
def listener(scenery: Scenery) -> Listener:
    return Listener(scenery)


@pytest.fixture
def address() -> Iterator[Address]:
    with listening_address() as there:
        yield there


@pytest.fixture
def neighbour(scenery: Scenery, clock: MovableClock, tmp_path: Path) -> Listener:
    """Another client, of another agency."""
    load(scenery.app, clock, tmp_path, watcher("neighbour", agency="bac"))
    return Listener(scenery, "neighbour")


# Metadata


def test_the_metadata_is_complete(scenery: Scenery) -> None:
    """openid-ssf-transmitter-metadata: every member of its type, our issuer, cached bytes with a tag, any site may read it."""
    answer = scenery.browser().get("/.well-known/ssf-configuration")
    told = answer.get_json()

    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert (told["spec_version"], told["issuer"], told["jwks_uri"]) == ("1_0", ISSUER, f"{ISSUER}/jwks")
    assert set(told["delivery_methods_supported"]) == {PUSH, POLL}
    assert told["authorization_schemes"] == [{"spec_urn": "urn:ietf:rfc:6749"}]
    assert told["default_subjects"] == "ALL"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    again = scenery.browser().get("/.well-known/ssf-configuration", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_every_endpoint_of_the_metadata_asks_for_a_token(scenery: Scenery) -> None:
    """openid-ssf-transmitter-metadata: what is advertised is there, and answers 401 with a bare challenge, as JSON."""
    told = scenery.browser().get("/.well-known/ssf-configuration").get_json()
    endpoints = {name: url for name, url in told.items() if name.endswith("_endpoint")}

    assert len(endpoints) == 5
    for name, url in endpoints.items():
        answer = scenery.browser().post(url.removeprefix(ISSUER), data="{}", content_type="application/json")
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer"), name
        assert (answer.mimetype, answer.headers["Cache-Control"]) == ("application/json", "no-store"), name


# Client credentials


def test_a_service_token_says_who_and_for_what(listener: Listener) -> None:
    """RFC 6749 §4.4, RFC 9068: sub is the client_id, aud the streams, five minutes, no refresh token."""
    answer = listener.ask_token(scope="ssf.read")
    body = answer.get_json()
    claims = listener.rp.read(body["access_token"], "ES256", f"{ISSUER}/ssf")

    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert set(body) == {"access_token", "token_type", "expires_in", "scope"}
    assert (body["scope"], body["expires_in"]) == ("ssf.read", 300)
    assert (claims["sub"], claims["client_id"], claims["scope"]) == ("watcher", "watcher", "ssf.read")
    assert pyjwt.get_unverified_header(body["access_token"])["typ"] == "at+jwt"
    assert listener.ask_token().get_json()["scope"] == "ssf.manage ssf.read"
    assert listener.ask_token(resource=f"{ISSUER}/ssf").status_code == 200


def test_only_a_registered_client_gets_a_service_token(listener: Listener, rp: RelyingParty) -> None:
    """S-32: the grant, the scopes and the resource are those of the registration; a wrong secret is 401."""
    refused = {
        "unauthorized_client": rp.token("", grant_type="client_credentials"),
        "invalid_scope": listener.ask_token(scope="ssf.manage openid"),
        "invalid_target": listener.ask_token(resource="https://portal.amp.example/"),
        "invalid_client": listener.ask_token(authorization=rp.basic("wrong")),
    }

    assert {error: answer.get_json()["error"] for error, answer in refused.items()} == {e: e for e in refused}
    assert refused["invalid_client"].status_code == 401
    assert listener.ask_token(scope="enterprise").get_json()["error"] == "invalid_scope"


def test_a_service_token_opens_nothing_of_a_person(listener: Listener) -> None:
    """S-43: userinfo refuses it; and no authorization request gives the scopes of streams."""
    assert listener.rp.userinfo(listener.token()).status_code == 401

    tokens = listener.rp.tokens(listener.scenery.browser(), scope="openid ssf.manage ssf.read")

    assert tokens["scope"] == "openid"


# Who may manage


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/ssf/streams"),
        ("GET", "/ssf/streams"),
        ("PATCH", "/ssf/streams"),
        ("PUT", "/ssf/streams"),
        ("DELETE", "/ssf/streams?stream_id=x"),
        ("GET", "/ssf/status?stream_id=x"),
        ("POST", "/ssf/status"),
        ("POST", "/ssf/subjects/add"),
        ("POST", "/ssf/subjects/remove"),
        ("POST", "/ssf/verification"),
        ("POST", "/ssf/poll/x"),
    ],
)
def test_a_bad_token_is_refused_everywhere(listener: Listener, method: str, path: str) -> None:
    """openid-ssf-transmitter-stream-control-error-…-invalid-token: no token, garbage, other kinds, expired: 401."""
    people = listener.rp.tokens(listener.scenery.browser())
    expired = listener.token()
    listener.scenery.clock.advance(timedelta(minutes=5))
    tampered = listener.token()[:-4] + "AAAA"

    for name, token in {
        "none": "",
        "garbage": "x",
        "ID token": people["id_token"],
        "access token of a person": people["access_token"],
        "expired": expired,
        "tampered": tampered,
    }.items():
        answer = listener.call(method, path, {}, token=token)
        assert answer.status_code == 401, name
        assert answer.headers["WWW-Authenticate"].startswith("Bearer"), name
    basic = listener.scenery.browser().open(path, method=method, headers={"Authorization": listener.rp.basic()})
    assert basic.status_code == 401


def test_a_token_ends_with_the_registration(listener: Listener, clock: MovableClock, tmp_path: Path) -> None:
    """A client that loses the grant loses its token at once."""
    token = listener.token()
    load(listener.scenery.app, clock, tmp_path, watcher("watcher", grant_types=["authorization_code"], scope="openid"))

    assert listener.call("GET", "/ssf/streams", token=token).status_code == 401


def test_reading_is_not_managing(listener: Listener) -> None:
    """CAEP Interoperability Profile §2.7.3: ssf.read reads; anything else is 403 with the scope that is missing."""
    stream, reader = listener.create(), listener.token("ssf.read")
    named = {"stream_id": stream["stream_id"]}

    for method, path, body in (
        ("POST", "/ssf/streams", {}),
        ("PATCH", "/ssf/streams", named),
        ("PUT", "/ssf/streams", named),
        ("DELETE", f"/ssf/streams?stream_id={stream['stream_id']}", None),
        ("POST", "/ssf/status", named | {"status": "paused"}),
        ("POST", "/ssf/subjects/add", named),
        ("POST", "/ssf/subjects/remove", named),
        ("POST", "/ssf/verification", named),
    ):
        answer = listener.call(method, path, body, token=reader)
        assert answer.status_code == 403, path
        assert 'error="insufficient_scope", scope="ssf.manage"' in answer.headers["WWW-Authenticate"]
    for method, path in (
        ("GET", "/ssf/streams"),
        ("GET", f"/ssf/status?stream_id={stream['stream_id']}"),
        ("POST", path_of(stream)),
    ):
        assert listener.call(method, path, {}, token=reader).status_code == 200, path


# Create


def test_a_stream_is_created(listener: Listener, address: Address) -> None:
    """openid-ssf-transmitter-stream-control-happy-path: 201 with every transmitter-supplied member; the header is not told."""
    secret = "Bearer of-the-receiver"
    delivery = {"method": PUSH, "endpoint_url": address.url, "authorization_header": secret}
    asked = {"delivery": delivery, "events_requested": [SESSION_REVOKED, "https://unknown"], "description": "Portail"}
    answer = listener.call("POST", "/ssf/streams", asked)
    told = answer.get_json()

    assert answer.status_code == 201
    assert (told["iss"], told["aud"], told["description"]) == (ISSUER, "watcher", "Portail")
    assert told["delivery"] == {"method": PUSH, "endpoint_url": address.url}
    assert set(told["events_supported"]) == ALL_EVENTS
    assert told["events_requested"] == asked["events_requested"]
    assert told["events_delivered"] == [SESSION_REVOKED]
    assert told["min_verification_interval"] > 0
    sealed = db.session.query(EventStreamRow.authorization).scalar()
    assert secret not in sealed + answer.text


def test_without_delivery_a_stream_is_polled(listener: Listener) -> None:
    """SSF 1.0 §8.1.1.1: an empty request is a poll stream with our address and all events."""
    told = listener.call("POST", "/ssf/streams", {}).get_json()

    assert told["delivery"]["method"] == POLL
    assert told["delivery"]["endpoint_url"].startswith(f"{ISSUER}/ssf/poll/")
    assert set(told["events_delivered"]) == ALL_EVENTS
    assert "events_requested" not in told


def test_a_second_stream_is_refused(listener: Listener) -> None:
    """openid-ssf-transmitter-stream-control-error-create-duplicate: one stream a client, 409."""
    listener.create()

    assert listener.call("POST", "/ssf/streams", {}).status_code == 409


BAD_BODIES: dict[str, Any] = {
    "no JSON": b"{",
    "not UTF-8": b'{"description": "\xff"}',
    "a list": [],
    "a text": b'"x"',
    "twice": b'{"description": "a", "description": "b"}',
    "NaN": b'{"x": NaN}',
    "deep": b'{"x":' + b"[" * 60_000,
    "large": b'{"description": "' + b"x" * 70_000 + b'"}',
    "delivery": {"delivery": "push"},
    "no method": {"delivery": {}},
    "method": {"delivery": {"method": "urn:ietf:rfc:0"}},
    "method list": {"delivery": {"method": [PUSH]}},
    "no url": {"delivery": {"method": PUSH}},
    "url": {"delivery": {"method": PUSH, "endpoint_url": 1}},
    "scheme": {"delivery": {"method": PUSH, "endpoint_url": "ftp://portal.example/x"}},
    "http": {"delivery": {"method": PUSH, "endpoint_url": "http://portal.example/x"}},
    "credentials": {"delivery": {"method": PUSH, "endpoint_url": "https://u:p@portal.example/x"}},
    "header": {"delivery": {"method": PUSH, "endpoint_url": "https://portal.example/x", "authorization_header": 1}},
    "header split": {
        "delivery": {"method": PUSH, "endpoint_url": "https://portal.example/x", "authorization_header": "a\r\nb: c"}
    },
    "events": {"events_requested": "all"},
    "events of numbers": {"events_requested": [1]},
    "many events": {"events_requested": [f"https://e/{n}" for n in range(51)]},
    "description": {"description": 7},
    "long description": {"description": "x" * 256},
    "null description": {"description": None},
}


def test_a_bad_body_makes_no_stream(listener: Listener) -> None:
    """openid-ssf-transmitter-stream-control-error-create-bad-body: each is 400 as JSON, and nothing is made."""
    for name, body in BAD_BODIES.items():
        answer = listener.call("POST", "/ssf/streams", body)
        assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_request"), name

    assert listener.call("GET", "/ssf/streams").get_json() == []


# Read


def test_streams_are_read(listener: Listener) -> None:
    """openid-ssf-transmitter-stream-control-read: one by its id, all without; an unknown id is 404."""
    stream = listener.create()

    assert listener.call("GET", f"/ssf/streams?stream_id={stream['stream_id']}").get_json() == stream
    assert listener.call("GET", "/ssf/streams").get_json() == [stream]
    assert listener.call("GET", "/ssf/streams?stream_id=unknown").status_code == 404


def test_a_stream_of_another_client_does_not_exist(listener: Listener, neighbour: Listener) -> None:
    """Every act on it is the 404 of an unknown stream, to the byte; and it is unchanged."""
    theirs, _ = neighbour.create(), listener.create()

    def answers(stream_id: str) -> list[tuple[int, str]]:
        named = {"stream_id": stream_id}
        calls: list[tuple[str, str, Any]] = [
            ("GET", f"/ssf/streams?stream_id={stream_id}", None),
            ("PATCH", "/ssf/streams", named | {"description": "taken"}),
            ("PUT", "/ssf/streams", named),
            ("DELETE", f"/ssf/streams?stream_id={stream_id}", None),
            ("GET", f"/ssf/status?stream_id={stream_id}", None),
            ("POST", "/ssf/status", named | {"status": "disabled"}),
            ("POST", "/ssf/verification", named),
            ("POST", f"/ssf/poll/{stream_id}", {}),
            ("POST", "/ssf/subjects/add", named | {"subject": {"format": "iss_sub", "iss": ISSUER, "sub": "x"}}),
        ]
        return [(answer.status_code, answer.text) for answer in (listener.call(*call) for call in calls)]

    assert answers(theirs["stream_id"]) == answers("f" * 32)
    assert {status for status, _ in answers(theirs["stream_id"])} == {404}
    assert neighbour.call("GET", "/ssf/streams").get_json() == [theirs]


# Update, replace, delete


def test_an_update_changes_what_it_names(listener: Listener, address: Address) -> None:
    """openid-ssf-transmitter-stream-control-update: the rest stays."""
    stream = listener.create(address, description="one", events_requested=[SESSION_REVOKED])

    told = listener.call("PATCH", "/ssf/streams", {"stream_id": stream["stream_id"], "description": "two"}).get_json()

    assert told == stream | {"description": "two"}


def test_a_replacement_leaves_nothing_behind(listener: Listener, address: Address) -> None:
    """openid-ssf-transmitter-stream-control-replace: what is not named is gone."""
    stream = listener.create(address, description="one", events_requested=[SESSION_REVOKED])

    told = listener.call("PUT", "/ssf/streams", {"stream_id": stream["stream_id"]}).get_json()

    assert told["delivery"]["method"] == POLL
    assert told["events_delivered"] == told["events_supported"]
    assert told.keys() & {"description", "events_requested"} == set()


def test_a_bad_change_changes_nothing(listener: Listener) -> None:
    """openid-ssf-transmitter-stream-control-error-update/replace: bad body 400, no or unknown stream 400 or 404."""
    stream = listener.create(description="one")
    named = {"stream_id": stream["stream_id"]}
    for method in ("PATCH", "PUT"):
        for name, body in BAD_BODIES.items():
            changed = named | body if isinstance(body, dict) else body
            assert listener.call(method, "/ssf/streams", changed).status_code == 400, (method, name)
        for member, value in (("iss", "https://other"), ("aud", "rp1"), ("events_supported", []), ("aud", ["watcher"])):
            assert listener.call(method, "/ssf/streams", named | {member: value}).status_code == 400, member
        assert listener.call(method, "/ssf/streams", {"description": "two"}).status_code == 400
        assert listener.call(method, "/ssf/streams", {"stream_id": 7}).status_code == 400
        assert listener.call(method, "/ssf/streams", {"stream_id": "unknown"}).status_code == 404
    assert listener.call("PATCH", "/ssf/streams", stream).get_json() == stream  # what was read may be written back

    assert listener.call("GET", "/ssf/streams").get_json() == [stream]


def test_a_stream_is_deleted_once(listener: Listener) -> None:
    """openid-ssf-transmitter-stream-control-delete: 204, then 404; a new one may be made, under another id."""
    stream = listener.create()
    path = f"/ssf/streams?stream_id={stream['stream_id']}"
    verify(listener, stream)

    assert listener.call("DELETE", "/ssf/streams").status_code == 400
    assert [listener.call("DELETE", path).status_code for _ in range(2)] == [204, 404]
    assert listener.call("POST", path_of(stream), {}).status_code == 404
    assert listener.create()["stream_id"] != stream["stream_id"]


# Status


def test_the_status_is_read_and_changed(listener: Listener) -> None:
    """openid-ssf-transmitter-stream-status: enabled at first; each change is told back with its reason."""
    stream = listener.create()
    path = f"/ssf/status?stream_id={stream['stream_id']}"
    named = {"stream_id": stream["stream_id"]}

    assert listener.call("GET", path).get_json() == named | {"status": "enabled"}
    for wanted in ({"status": "paused", "reason": "Entretien"}, {"status": "disabled"}, {"status": "enabled"}):
        assert listener.call("POST", "/ssf/status", named | wanted).get_json() == named | wanted
        assert listener.call("GET", path).get_json() == named | wanted


def test_a_bad_status_is_refused(listener: Listener) -> None:
    """openid-ssf-transmitter-stream-status-error: 400 for a bad body, 404 for an unknown stream."""
    named = {"stream_id": listener.create()["stream_id"]}

    for body in (b"{", [], {}, named, named | {"status": "on"}, named | {"status": ["enabled"]}):
        assert listener.call("POST", "/ssf/status", body).status_code == 400, body
    assert listener.call("POST", "/ssf/status", named | {"status": "paused", "reason": 5}).status_code == 400
    assert listener.call("GET", "/ssf/status").status_code == 400
    assert listener.call("GET", "/ssf/status?stream_id=unknown").status_code == 404
    unknown = {"stream_id": "unknown", "status": "paused"}
    assert listener.call("POST", "/ssf/status", unknown).status_code == 404


# Subjects


def test_subjects_are_added_and_removed(listener: Listener) -> None:
    """openid-ssf-transmitter-stream-subjects: 200 and 204 whether the person exists or not; the answers tell nothing."""
    named = {"stream_id": listener.create()["stream_id"]}
    alone = {"format": "iss_sub", "iss": ISSUER, "sub": "nobody"}
    both = {"format": "complex", "user": alone, "session": {"format": "opaque", "id": "s"}}

    for subject in (alone, both):
        asked = named | {"subject": subject}
        for _ in range(2):
            assert listener.call("POST", "/ssf/subjects/remove", asked).status_code == 204
        assert (answer := listener.call("POST", "/ssf/subjects/add", asked)).status_code == 200
        assert answer.data == b""


def test_a_bad_subject_is_refused(listener: Listener) -> None:
    """openid-ssf-transmitter-stream-subjects-error: a bad body is 400, a subject that is nobody of ours 404."""
    named = {"stream_id": listener.create()["stream_id"]}
    for path in ("/ssf/subjects/add", "/ssf/subjects/remove"):
        for body in (b"{", {}, named, named | {"subject": "x"}, named | {"subject": {"sub": "x"}}):
            assert listener.call("POST", path, body).status_code == 400, body
        for subject in (
            {"format": "email", "email": "julie@licorne.example"},
            {"format": "iss_sub", "iss": "https://other", "sub": "x"},
            {"format": "iss_sub", "iss": ISSUER, "sub": ["x"]},
            {"format": "iss_sub", "iss": ISSUER, "sub": "x" * 256},
            {"format": "complex"},
        ):
            assert listener.call("POST", path, named | {"subject": subject}).status_code == 404, subject


# Verification


def verify(listener: Listener, stream: dict[str, Any], **body: Any) -> int:
    listener.scenery.clock.advance(timedelta(seconds=stream["min_verification_interval"]))
    answer = listener.call("POST", "/ssf/verification", {"stream_id": stream["stream_id"], **body})
    listener.deliver()
    return answer.status_code


def test_verification_by_push(listener: Listener, address: Address) -> None:
    """openid-ssf-transmitter-stream-verification-push: the state comes back, about the stream, with the receiver's header."""
    secret = "Bearer of-the-receiver"
    delivery = {"method": PUSH, "endpoint_url": address.url, "authorization_header": secret}
    stream = listener.call("POST", "/ssf/streams", {"delivery": delivery}).get_json()

    assert verify(listener, stream, state="état 1") == 204

    ((headers, token),) = address.received
    claims = listener.read(token)
    assert headers["content-type"] == "application/secevent+jwt"
    assert headers["authorization"] == secret
    assert claims["sub_id"] == {"format": "opaque", "id": stream["stream_id"]}
    assert claims["events"] == {VERIFICATION: {"state": "état 1"}}


def test_verification_by_unauthenticated_push(listener: Listener, address: Address) -> None:
    """openid-ssf-transmitter-stream-verification-push-no-auth: without a header none is sent; without state none comes."""
    stream = listener.create(address)
    verify(listener, stream)

    ((headers, token),) = address.received
    assert "authorization" not in headers
    assert listener.read(token)["events"] == {VERIFICATION: {}}


def test_verification_by_poll_only(listener: Listener) -> None:
    """openid-ssf-transmitter-stream-verification-poll-only: what is not acknowledged comes again, the same to the byte."""
    stream = listener.create()
    verify(listener, stream, state="s")
    first = listener.poll(stream)
    listener.scenery.clock.advance(timedelta(minutes=1))

    assert listener.poll(stream) == first
    ((jti, token),) = first["sets"].items()
    assert listener.read(token)["jti"] == jti
    assert first["moreAvailable"] is False


def test_verification_by_acknowledgement_only(listener: Listener) -> None:
    """openid-ssf-transmitter-stream-verification-ack-only: maxEvents 0 takes the acknowledgement and gives nothing."""
    stream = listener.create()
    verify(listener, stream)
    (jti,) = listener.poll(stream)["sets"]

    assert listener.poll(stream, ack=[jti, "unknown"], maxEvents=0) == {"sets": {}, "moreAvailable": False}
    assert listener.poll(stream)["sets"] == {}


def test_verification_by_poll_and_acknowledgement(listener: Listener) -> None:
    """openid-ssf-transmitter-stream-verification-poll-and-ack: oldest first, as many as asked; one poll does both."""
    stream = listener.create()
    for number in range(3):
        verify(listener, stream, state=str(number))
    states = []
    told = listener.poll(stream, maxEvents=1)
    more = [told["moreAvailable"]]
    while told["sets"]:
        ((jti, token),) = told["sets"].items()
        states.append(listener.read(token)["events"][VERIFICATION]["state"])
        told = listener.poll(stream, maxEvents=1, ack=[jti])
        more.append(told["moreAvailable"])

    assert states == ["0", "1", "2"]
    assert more == [True, True, False, False]


def test_verification_is_not_for_ever_and_ever(listener: Listener) -> None:
    """SSF 1.0 §8.1.4.2: sooner than min_verification_interval is 429, with the wait; then it works again."""
    stream = listener.create()
    verify(listener, stream)
    answer = listener.call("POST", "/ssf/verification", {"stream_id": stream["stream_id"]})

    assert (answer.status_code, int(answer.headers["Retry-After"]) > 0) == (429, True)
    assert verify(listener, stream) == 204
    assert len(listener.poll(stream)["sets"]) == 2


def test_a_bad_verification_is_refused(listener: Listener) -> None:
    """openid-ssf-transmitter-stream-verification-error: 400 for a bad body, 404 for an unknown stream, 400 when disabled."""
    stream = listener.create()
    named = {"stream_id": stream["stream_id"]}

    for body in (b"{", {}, named | {"state": 7}, named | {"state": "x" * 1025}):
        assert listener.call("POST", "/ssf/verification", body).status_code == 400, body
    assert listener.call("POST", "/ssf/verification", {"stream_id": "unknown"}).status_code == 404
    listener.set_status(stream, "disabled")
    assert listener.call("POST", "/ssf/verification", named).status_code == 400


# Delivery


def test_a_bad_poll_is_refused(listener: Listener, address: Address) -> None:
    """RFC 8936 §2.2: each malformed member is 400; a push stream is not polled; GET is 405."""
    stream = listener.create()
    for body in (
        b"[]",
        {"maxEvents": -1},
        {"maxEvents": "1"},
        {"maxEvents": True},
        {"returnImmediately": "yes"},
        {"ack": "x"},
        {"ack": [1]},
        {"ack": ["x"] * 1001},
        {"setErrs": []},
        {"setErrs": {"x": "y"}},
    ):
        assert listener.call("POST", path_of(stream), body).status_code == 400, body
    assert listener.call("GET", path_of(stream)).status_code == 405
    delivery = {"method": PUSH, "endpoint_url": address.url}
    listener.call("PATCH", "/ssf/streams", {"stream_id": stream["stream_id"], "delivery": delivery})
    assert listener.call("POST", path_of(stream), {}).status_code == 400


def test_an_event_that_a_receiver_cannot_take_is_noted(listener: Listener) -> None:
    """RFC 8936 §2.6: setErrs ends the offering, and the log says so with a code of the registry only."""
    stream = listener.create()
    for code in ("invalid_audience", "<script>"):
        verify(listener, stream)
        (jti,) = listener.poll(stream)["sets"]
        listener.poll(stream, setErrs={jti: {"err": code, "description": "no"}}, maxEvents=0)

    assert listener.poll(stream)["sets"] == {}
    noted = [entry for entry in audit.entries(limit=1000) if entry.event == audit.Event.SIGNAL_REFUSED.value]
    assert [entry.details["error"] for entry in noted] == ["other", "invalid_audience"]


@pytest.mark.parametrize("status", [200, 204, 302, 400, 401, 500])
def test_only_202_means_received(listener: Listener, address: Address, status: int) -> None:
    """RFC 8935 §2.2: with anything else the same event, the same jti, comes again."""
    address.status = status
    stream = listener.create(address)
    verify(listener, stream)
    assert len(address.received) == 1
    address.status = 202
    listener.scenery.clock.advance(PAUSES[0])
    listener.deliver()
    listener.scenery.clock.advance(timedelta(days=1))
    listener.deliver()

    first, second = address.tokens
    assert first == second


def test_a_push_that_never_arrives_is_listed_and_revived(
    listener: Listener, address: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The dead-letter list names the error code that the receiver gave, not what else it said; revived, it arrives."""
    address.status, address.body = 400, b'{"err": "invalid_key", "description": "<script>"}'
    stream = listener.create(address)
    verify(listener, stream)
    for pause in PAUSES:
        listener.scenery.clock.advance(pause)
        listener.deliver()
    (dead,) = notices.dead()
    monkeypatch.setattr("idp.cli.notices.create_app", lambda: listener.scenery.app)

    listed = CliRunner().invoke(notices_command, ["list", "--dead"]).output

    assert dead.last_error == "the receiver answered 400: invalid_key"
    assert [part in listed for part in (dead.id, "invalid_key", "script")] == [True, True, False]
    address.status = 202
    assert CliRunner().invoke(notices_command, ["revive", "unknown"]).exit_code == 1
    assert CliRunner().invoke(notices_command, ["revive", dead.id]).exit_code == 0
    listener.scenery.clock.advance(timedelta(days=400))
    listener.deliver()
    assert len(set(address.tokens)) == 1
    assert notices.dead() == ()


def test_a_paused_stream_holds_and_a_disabled_one_drops(listener: Listener, address: Address) -> None:
    """SSF 1.0 §8.1.2: events wait during a pause, by both ways of delivery; disabling forgets them."""
    stream = listener.create(address)
    for status, expected in (("paused", 1), ("disabled", 0)):
        address.received.clear()
        listener.set_status(stream, "paused")
        verify(listener, stream)
        assert address.received == []
        if status == "disabled":
            listener.set_status(stream, "disabled")
        listener.set_status(stream, "enabled")
        listener.deliver()
        assert len(address.received) == expected, status


def test_a_polled_stream_gives_nothing_during_a_pause(listener: Listener) -> None:
    """The events are there again once it is enabled."""
    stream = listener.create()
    verify(listener, stream)
    listener.set_status(stream, "paused")
    assert listener.poll(stream) == {"sets": {}, "moreAvailable": False}
    listener.set_status(stream, "enabled")

    assert len(listener.poll(stream)["sets"]) == 1


def test_a_pause_between_writing_and_sending_loses_nothing(listener: Listener, address: Address) -> None:
    """A notice already in the outbox neither sends during the pause nor counts as sent."""
    stream = listener.create(address)
    listener.call("POST", "/ssf/verification", {"stream_id": stream["stream_id"]})
    listener.set_status(stream, "paused")
    listener.deliver()
    assert address.received == []
    listener.set_status(stream, "enabled")
    listener.deliver()

    assert len(address.received) == 1


def test_what_waits_follows_the_stream_to_its_new_way(listener: Listener, address: Address) -> None:
    """Poll to push: what was not acknowledged is pushed; push to poll: what did not arrive can be polled."""
    stream = listener.create()
    verify(listener, stream)
    named = {"stream_id": stream["stream_id"]}
    address.status = 500
    listener.call("PATCH", "/ssf/streams", named | {"delivery": {"method": PUSH, "endpoint_url": address.url}})
    listener.deliver()
    assert len(address.received) == 1
    polled = listener.call("PATCH", "/ssf/streams", named | {"delivery": {"method": POLL}}).get_json()
    listener.scenery.clock.advance(timedelta(seconds=1))
    listener.deliver()

    assert len(address.received) == 1
    assert list(listener.poll(polled)["sets"].values()) == address.tokens
