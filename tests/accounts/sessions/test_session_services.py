"""Sign-ins as rows: how long they last, how they change, how they end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask

from idp.accounts import services
from idp.accounts.sessions import session_services
from idp.accounts.sessions.domain.sign_ins import SignIn
from idp.clock import MovableClock
from idp.config import ConfigurationError, read_settings
from idp.crypto.sealing import digest
from idp.db import transaction

from ..conftest import Account, payloads
from ..sign_in.test_sign_in_services import at_once


def open_for(account: Account, clock: MovableClock, former: SignIn | None = None) -> tuple[SignIn, str]:
    with transaction():
        signed = session_services.begin_sign_in(
            session_services.account_status(account.person_id, account.code.signs),
            device="",
            former=former,
            now=clock.now(),
        )
    return signed.sign_in, signed.token


def holds(token: str, clock: MovableClock) -> bool:
    return session_services.active_session(digest(token), now=clock.now()) is not None


@pytest.mark.parametrize(
    ("operator", "idle", "absolute"),
    [(False, timedelta(hours=1), timedelta(hours=12)), (True, timedelta(minutes=15), timedelta(hours=8))],
)
def test_a_sign_in_lapses_when_idle_and_at_the_end_of_its_life(
    account: Callable[..., Account], clock: MovableClock, operator: bool, idle: timedelta, absolute: timedelta
) -> None:
    """One hour idle and twelve in all; fifteen minutes and eight hours for operators (decisions.md §28)."""
    julie = account()
    if operator:
        services.mark_operator(julie.person_id)
    _, left_alone = open_for(julie, clock)
    _, used = open_for(julie, clock)
    end = clock.now() + absolute
    clock.advance(idle - timedelta(minutes=1))
    assert holds(left_alone, clock)
    assert holds(used, clock)
    while clock.now() + idle < end:
        clock.advance(idle - timedelta(minutes=1))
        assert holds(used, clock)
    assert not holds(left_alone, clock)
    clock.advance(end - clock.now())

    assert not holds(used, clock)


def test_a_deployment_may_shorten_and_never_lengthen(
    app: Flask, account: Callable[..., Account], clock: MovableClock
) -> None:
    """``IDP_SESSION_…``: ten minutes idle are ten minutes; thirteen hours are refused at start."""
    settings = app.extensions["mandat.settings"]
    app.extensions["mandat.settings"] = settings.model_copy(update={"session_idle_minutes": 10})
    _, token = open_for(account(), clock)
    clock.advance(timedelta(minutes=9))
    assert holds(token, clock)
    clock.advance(timedelta(minutes=10))

    assert not holds(token, clock)
    with pytest.raises(ConfigurationError, match="IDP_SESSION_HOURS"):
        read_settings(session_hours=13)


def test_the_same_person_keeps_the_sid_and_anybody_else_gets_another(
    account: Callable[..., Account], clock: MovableClock
) -> None:
    """A re-authentication renews; another person ends what was there, and the agencies are told (S-42)."""
    julie, nadia = account("Julie"), account("Nadia")
    first, first_token = open_for(julie, clock)
    clock.advance(timedelta(minutes=5))
    again, again_token = open_for(julie, clock, former=first)
    assert (again.sid, again.auth_time) == (first.sid, clock.now())
    assert not holds(first_token, clock)

    other, _ = open_for(nadia, clock, former=again)

    assert other.sid != first.sid
    assert not holds(again_token, clock)
    assert payloads("sign_in_ended") == [{"sid": first.sid, "person_id": julie.person_id}]


def test_choosing_an_enterprise_renews_the_secret(
    app: Flask, account: Callable[..., Account], clock: MovableClock
) -> None:
    """The former cookie is worthless, the ``sid`` stays (decisions.md §23)."""
    sign_in, token = open_for(account(), clock)

    switched = services.set_enterprise(sign_in, "e1", clock.now())

    assert (switched.sid, switched.enterprise_id) == (sign_in.sid, "e1")
    assert not holds(token, clock)


@pytest.mark.databases
def test_a_sign_in_ends_once_and_is_told_once(app: Flask, account: Callable[..., Account], clock: MovableClock) -> None:
    """Six sign-outs at once: one of them counts."""
    sign_in, token = open_for(account(), clock)
    now = clock.now()

    answers = at_once(app, 6, lambda: services.end_sign_in(sign_in.sid, now=now))

    assert sorted(map(str, answers)) == ["False"] * 5 + ["True"]
    assert not holds(token, clock)
    assert len(payloads("sign_in_ended")) == 1


def test_ending_the_others_leaves_this_one(account: Callable[..., Account], clock: MovableClock) -> None:
    """And touches nobody else's."""
    julie, nadia = account("Julie"), account("Nadia")
    here, here_token = open_for(julie, clock)
    _, there_token = open_for(julie, clock)
    _, other_token = open_for(nadia, clock)

    assert services.end_sign_ins_of(julie.person_id, now=clock.now(), but=here.sid) == 1
    assert [holds(token, clock) for token in (here_token, there_token, other_token)] == [True, False, True]
