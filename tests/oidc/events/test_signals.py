"""The pure rules of event streams: tokens of events, subjects, what a receiver may configure."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import pytest

from idp.oidc.events.domain import polls, signals, streams
from idp.oidc.events.domain.signals import EventType
from idp.oidc.events.domain.streams import Status, Stream, StreamRefusedError

ISSUER = "https://id.example"
NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)
CLAIMS = {"enterprise": {"id": "neq:1"}, "representation": {"version": 3}, "functional_blocks": []}
SUBJECT = signals.person(ISSUER, "s")


def a_stream(**changed: Any) -> Stream:
    told: dict[str, Any] = {
        **{"id": "st", "client_id": "c", "agency_id": "amp", "method": signals.POLL, "endpoint_url": None},
        **{"events": None, "description": None, "status": Status.ENABLED, "reason": None, "verified_at": None},
    }
    return Stream(**{**told, **changed})


EVENTS = {
    "claims": signals.claims_change(SUBJECT, CLAIMS, reason="block_removed", at=NOW, txn="t"),
    "session": signals.session_revoked(signals.session(ISSUER, "s", "S-1"), at=NOW, txn="t"),
    "credential": signals.credential_change(SUBJECT, credential="totp", change="update", at=NOW),
    "verification": signals.verification("st", "x"),
}


@pytest.mark.parametrize("name", EVENTS)
def test_a_token_has_the_form_of_the_framework(name: str) -> None:
    """SSF 1.0 §4: one event, sub_id and never sub, no exp, our issuer, the stream's audience; the same at each making."""
    event = EVENTS[name]
    made = [signals.set_claims(asdict(event), issuer=ISSUER, audience="c", jti="j", issued_at=NOW) for _ in range(2)]

    assert made[0] == made[1]
    assert made[0].keys() - {"txn"} == {"iss", "aud", "iat", "jti", "sub_id", "events"}
    assert (made[0]["iss"], made[0]["aud"], made[0]["jti"]) == (ISSUER, "c", "j")
    assert list(made[0]["events"]) == [event.kind]
    assert ("txn" in made[0]) == (event.txn is not None)
    assert isinstance(made[0]["iat"], int)


@pytest.mark.parametrize(
    ("reason", "by"),
    [
        ("block_removed", "admin"),
        ("member_suspended", "admin"),
        ("enterprise_suspended", "admin"),
        ("end_date", "policy"),
        ("catalogue_changed", "policy"),
        (None, "admin"),
    ],
)
def test_who_caused_a_change_is_told_by_its_kind(reason: str | None, by: str) -> None:
    """CAEP 1.0 §2: a date that passed is policy, an act of a person admin; nobody is named."""
    event = signals.claims_change(SUBJECT, CLAIMS, reason=reason, at=NOW, txn="t")

    assert event.content == {"claims": CLAIMS, "initiating_entity": by, "event_timestamp": int(NOW.timestamp())}


@pytest.mark.parametrize(
    ("subject", "named"),
    [
        (SUBJECT, "s"),
        (signals.session(ISSUER, "s", "S-1"), "s"),
        (signals.person("https://other", "s"), None),
        ({"format": "iss_sub", "iss": ISSUER}, None),
        ({"format": "iss_sub", "iss": ISSUER, "sub": ""}, None),
        ({"format": "iss_sub", "iss": ISSUER, "sub": "é"}, None),
        ({"format": "iss_sub", "iss": ISSUER, "sub": "x" * 256}, None),
        ({"format": "opaque", "id": "s"}, None),
        ({"format": "complex", "user": {"format": "email", "email": "a@b"}}, None),
        ({"format": "complex", "user": [SUBJECT]}, None),
        ("s", None),
        (None, None),
    ],
)
def test_a_subject_names_a_person_of_ours_or_nobody(subject: object, named: str | None) -> None:
    """RFC 9493: iss_sub of this issuer, alone or as the user of a complex subject."""
    assert signals.named_person(subject, ISSUER) == named


@pytest.mark.parametrize(
    ("scopes", "knows"),
    [
        ({"openid", "enterprise"}, True),
        ({"functional_blocks"}, True),
        ({"openid", "profile", "email"}, False),
        (set(), False),
    ],
)
def test_rights_are_offered_to_who_may_know_rights(scopes: set[str], knows: bool) -> None:
    """A registration without the scopes of rights hears of sessions and credentials only."""
    offered = streams.supported_events(frozenset(scopes))

    assert (EventType.CLAIMS_CHANGE.value in offered) is knows
    assert {EventType.SESSION_REVOKED.value, EventType.CREDENTIAL_CHANGE.value} <= set(offered)


@pytest.mark.parametrize(("requested", "expected"), [(None, ["a", "b"]), (("b", "z"), ["b"]), ((), []), (("z",), [])])
def test_what_is_delivered_is_offered_and_asked(requested: tuple[str, ...] | None, expected: list[str]) -> None:
    """SSF 1.0 §8.1.1: the intersection; saying nothing asks for all, an empty list for nothing."""
    assert streams.delivered(requested, ("a", "b")) == expected


def test_a_configuration_keeps_the_header_to_itself() -> None:
    """Neither the value nor its representation tells the authorization header."""
    wish = streams.wish(
        {"delivery": {"method": signals.PUSH, "endpoint_url": "https://r.example/e", "authorization_header": "secret"}},
        issuer=ISSUER,
    )

    assert wish.delivery.authorization == "secret"
    assert "secret" not in repr(wish)
    assert "authorization" not in str(streams.configuration(a_stream(), issuer=ISSUER, supported=()))


def test_the_address_of_a_polled_stream_is_ours() -> None:
    """What a receiver writes as endpoint_url of a poll stream is not kept."""
    wish = streams.wish({"delivery": {"method": signals.POLL, "endpoint_url": "http://10.0.0.1/"}}, issuer=ISSUER)

    assert wish.delivery.endpoint_url is None
    told = streams.configuration(a_stream(), issuer=ISSUER, supported=("a",))
    assert told["delivery"] == {"method": signals.POLL, "endpoint_url": f"{ISSUER}/ssf/poll/st"}


def test_a_client_may_not_decide_for_the_transmitter() -> None:
    """SSF 1.0 §8.1.1.3: members of ours are given back as they are, or the change is refused."""
    told = streams.configuration(a_stream(), issuer=ISSUER, supported=("a", "b"))
    streams.check_unchanged(told, told)
    streams.check_unchanged({"events_requested": ["a"], "events_delivered": ["a", "b"]}, told)

    for name, value in (
        ("iss", "x"),
        ("aud", "x"),
        ("aud", None),
        ("events_supported", ["a"]),
        ("events_delivered", ["a"]),
        ("min_verification_interval", 0),
    ):
        with pytest.raises(StreamRefusedError, match=name):
            streams.check_unchanged({name: value}, told)


def test_a_poll_is_read() -> None:
    """RFC 8936 §2.2: defaults, the cap, acknowledgements once each, error codes of the registry or none."""
    assert polls.read({}) == polls.Poll(streams.MOST_EVENTS, (), {})
    assert polls.read({"maxEvents": 10_000}).most == streams.MOST_EVENTS
    assert polls.read({"maxEvents": 0, "ack": ["b", "a", "b"]}) == polls.Poll(0, ("b", "a"), {})
    errors = {"j": {"err": "invalid_key"}, "k": {"err": ["x"]}, "l": {}, "m": {"err": "made up"}}
    assert polls.read({"setErrs": errors}).refused == {"j": "invalid_key", "k": "other", "l": "other", "m": "other"}
