"""Event streams: what a receiver may configure, what it receives back, and what each state allows. Pure (SSF 1.0 §7, §8)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from ....errors import MandatError
from ....names import readable
from ...domain import uris
from .signals import DELIVERY_METHODS, POLL, PUSH, EventType

SPEC_VERSION = "1_0"
SHORTEST_PAUSE = timedelta(seconds=10)  # between two verifications of one stream (SSF 1.0 §8.1.4.2)
MOST_EVENTS = 100  # of one poll
LONGEST_STATE = 1024
_LONGEST_TEXT = 255
_LONGEST_HEADER = 4096
_MOST_NAMES = 50


class Status(StrEnum):
    """What a stream does with events. Values are stored: never rename one."""

    ENABLED = "enabled"
    PAUSED = "paused"  # events are held
    DISABLED = "disabled"  # events are dropped


class StreamRefusedError(MandatError):
    """A request about a stream cannot be met; the detail goes to the receiver, who wrote the request."""

    def __init__(self, code: str, status: int, detail: str = "", retry_after: int | None = None) -> None:
        super().__init__(detail)
        self.code = code
        self.status = status
        self.retry_after = retry_after


def bad(detail: str) -> StreamRefusedError:
    """Return the refusal of a body that does not say what it should."""
    return StreamRefusedError("invalid_request", 400, detail)


def unknown() -> StreamRefusedError:
    """Return the one refusal for what does not exist and for what is another client's."""
    return StreamRefusedError("not_found", 404, "there is no such stream")


@dataclass(frozen=True, slots=True)
class Delivery:
    """How events reach a receiver; *authorization* is its own header value, never returned."""

    method: str
    endpoint_url: str | None = None
    authorization: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Wish:
    """What a receiver asked for; *given* names the members that it wrote."""

    delivery: Delivery
    events: tuple[str, ...] | None
    description: str | None
    given: frozenset[str]


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream: a client of an agency, and how it hears."""

    id: str
    client_id: str
    agency_id: str
    method: str
    endpoint_url: str | None
    events: tuple[str, ...] | None
    description: str | None
    status: Status
    reason: str | None
    verified_at: datetime | None

    def delivers(self, kind: str, supported: Iterable[str]) -> bool:
        """Return whether events of *kind* go out on this stream."""
        return kind in delivered(self.events, supported)


def transmitter_metadata(issuer: str) -> dict[str, Any]:
    """Return the transmitter's configuration (SSF 1.0 §7.1)."""
    return {
        "spec_version": SPEC_VERSION,
        "issuer": issuer,
        "jwks_uri": f"{issuer}/jwks",
        "delivery_methods_supported": list(DELIVERY_METHODS),
        "configuration_endpoint": f"{issuer}/ssf/streams",
        "status_endpoint": f"{issuer}/ssf/status",
        "add_subject_endpoint": f"{issuer}/ssf/subjects/add",
        "remove_subject_endpoint": f"{issuer}/ssf/subjects/remove",
        "verification_endpoint": f"{issuer}/ssf/verification",
        "critical_subject_members": ["user"],
        "authorization_schemes": [{"spec_urn": "urn:ietf:rfc:6749"}],
        "default_subjects": "ALL",
    }


def supported_events(scopes: frozenset[str]) -> tuple[str, ...]:
    """Return the events that a client may hear: rights only when its registration lets it know of rights."""
    knows_rights = bool(scopes & {"enterprise", "functional_blocks"})
    return tuple(kind.value for kind in EventType if knows_rights or kind is not EventType.CLAIMS_CHANGE)


def delivered(requested: tuple[str, ...] | None, supported: Iterable[str]) -> list[str]:
    """Return what is sent: what is offered and was asked; all of it when nothing was said (SSF 1.0 §8.1.1)."""
    return [kind for kind in supported if requested is None or kind in requested]


def configuration(stream: Stream, *, issuer: str, supported: tuple[str, ...]) -> dict[str, Any]:
    """Return a stream as its receiver reads it, without the header that it gave (SSF 1.0 §8.1.1)."""
    url = stream.endpoint_url if stream.method == PUSH else f"{issuer}/ssf/poll/{stream.id}"
    told: dict[str, Any] = {
        "stream_id": stream.id,
        "iss": issuer,
        "aud": stream.client_id,
        "delivery": {"method": stream.method, "endpoint_url": url},
        "events_supported": list(supported),
        "events_delivered": delivered(stream.events, supported),
        "min_verification_interval": int(SHORTEST_PAUSE.total_seconds()),
    }
    if stream.events is not None:
        told["events_requested"] = list(stream.events)
    if stream.description is not None:
        told["description"] = stream.description
    return told


def status_response(stream: Stream) -> dict[str, Any]:
    """Return the status of a stream (SSF 1.0 §8.1.2.1)."""
    told = {"stream_id": stream.id, "status": stream.status.value}
    return told if stream.reason is None else told | {"reason": stream.reason}


def wish(body: Mapping[str, Any], *, issuer: str) -> Wish:
    """Read what a receiver may decide; members of others' are checked by :func:`check_unchanged`, unknown ones ignored.

    Raises:
        StreamRefusedError: a member is not what it should be.
    """
    events, description = body.get("events_requested"), body.get("description")
    if "events_requested" in body and (
        not isinstance(events, list)
        or len(events) > _MOST_NAMES
        or not all(isinstance(each, str) and 1 <= len(each) <= _LONGEST_TEXT for each in events)
    ):
        raise bad("events_requested must be a list of event types")
    if "description" in body and not _is_text(description):
        raise bad(f"description must be a text of 1 to {_LONGEST_TEXT} signs")
    return Wish(
        _delivery(body["delivery"], issuer) if "delivery" in body else Delivery(POLL),
        tuple(dict.fromkeys(events)) if isinstance(events, list) else None,
        str(description) if "description" in body else None,
        frozenset({"events_requested", "description", "delivery"} & body.keys()),
    )


def check_unchanged(body: Mapping[str, Any], told: Mapping[str, Any]) -> None:
    """Refuse another value for a member that is the transmitter's to decide (SSF 1.0 §8.1.1.3).

    Raises:
        StreamRefusedError: a member differs from *told*, the present configuration.
    """
    for name in ("iss", "aud", "events_supported", "events_delivered", "min_verification_interval"):
        if name not in body or (name == "events_delivered" and "events_requested" in body):
            continue
        if body[name] != told[name]:
            raise bad(f"{name} is not the receiver's to change")


def stream_named(body: Mapping[str, Any]) -> str:
    """Return the ``stream_id`` of a request.

    Raises:
        StreamRefusedError: there is none.
    """
    named = body.get("stream_id")
    if not isinstance(named, str) or not named:
        raise bad("stream_id is missing")
    return named


def status_wished(body: Mapping[str, Any]) -> tuple[Status, str | None]:
    """Return the status that a receiver requires, and why (SSF 1.0 §8.1.2.2).

    Raises:
        StreamRefusedError: it is no status, or the reason no short text.
    """
    status, reason = body.get("status"), body.get("reason")
    if not isinstance(status, str) or status not in {each.value for each in Status}:
        raise bad("status must be enabled, paused or disabled")
    if "reason" in body and not _is_text(reason):
        raise bad(f"reason must be a text of 1 to {_LONGEST_TEXT} signs")
    return Status(status), str(reason) if "reason" in body else None


def state_wished(body: Mapping[str, Any]) -> str | None:
    """Return the state to give back in a verification event.

    Raises:
        StreamRefusedError: it is no text, or too long.
    """
    state = body.get("state")
    if "state" in body and (not isinstance(state, str) or len(state) > LONGEST_STATE):
        raise bad(f"state must be a text of at most {LONGEST_STATE} signs")
    return state


def _delivery(told: object, issuer: str) -> Delivery:
    if not isinstance(told, Mapping) or told.get("method") not in DELIVERY_METHODS:
        raise bad(f"delivery.method must be one of: {', '.join(DELIVERY_METHODS)}")
    if told["method"] == POLL:
        return Delivery(POLL)  # its address is ours to give
    wrong = uris.fault(told.get("endpoint_url"), issuer=issuer)
    if wrong:
        raise bad(f"delivery.endpoint_url {wrong}")
    header = told.get("authorization_header")
    if "authorization_header" in told and not _is_header(header):
        raise bad("delivery.authorization_header must be printable ASCII")
    return Delivery(PUSH, told["endpoint_url"], header)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= _LONGEST_TEXT and value.isprintable() and readable(value) != ""


def _is_header(value: object) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= _LONGEST_HEADER and value.isascii() and value.isprintable()
