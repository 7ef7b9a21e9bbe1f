"""A new user code that joins the account its person has, against the database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pyotp
import pytest
from flask import Flask
from sqlalchemy import select

from idp import audit
from idp.accounts import services
from idp.accounts.challenges import enrolment_link_services
from idp.accounts.credentials.domain.passwords import TemporaryPassword, read_temporary
from idp.accounts.models import Person
from idp.accounts.people.domain.access_states import Access
from idp.accounts.people.person_services import required_level
from idp.accounts.sessions.domain.sign_ins import PASSWORD_AND_EMAIL, SignIn
from idp.accounts.sessions.session_services import account_status, begin_sign_in
from idp.accounts.sign_in.sign_in_lookup_services import holder_of
from idp.accounts.user_codes import activation_services
from idp.accounts.user_codes.activation_services import Finish
from idp.accounts.user_codes.domain.linking import LinkingFacts, LinkingObstacle, may_link
from idp.accounts.user_codes.domain.states import CodeState
from idp.accounts.user_codes.linking_services import Prospect, link, prospect
from idp.audit import SYSTEM, Event
from idp.clock import MovableClock
from idp.db import db, transaction
from idp.errors import ConflictError
from idp.identifiers import UserCode

from ..conftest import PASSWORD, TOTP_SECRET, Account, latest_email_code, payloads
from ..crossings import crossing
from ..sign_in.test_sign_in_services import at_once

Newcomer = Callable[..., tuple[UserCode, str]]
Accounts = Callable[..., Account]


def proved(code: UserCode, secret: str, clock: MovableClock) -> str:
    """Go through the slip and the code by e-mail, up to where a password is asked for."""
    token = activation_services.start(code, read_temporary(secret), next_path="/home", now=clock.now()).token
    activation_services.confirm_email(token, latest_email_code(), now=clock.now())
    assert token
    return token


def signed_in(whom: Account, clock: MovableClock) -> SignIn:
    with transaction():
        signed = begin_sign_in(
            account_status(whom.person_id, whom.code.signs), device="", former=None, next_path="/", now=clock.now()
        )
    return signed.sign_in


def person_row(person_id: str) -> Person:
    db.session.rollback()
    wanted = select(Person).where(Person.id == person_id).execution_options(populate_existing=True)
    return db.session.scalars(wanted).one()


def owner(code: UserCode) -> str | None:
    db.session.rollback()
    return holder_of(code).person_id


@pytest.mark.parametrize("place", range(5))
def test_each_fact_alone_stands_in_the_way(place: int) -> None:
    """Weak sign-in, same person, account not open, a credential, the desk: one reason each."""
    possible = {
        "is_weak": False,
        "is_same_person": False,
        "is_account_open": True,
        "has_credential": False,
        "is_operator": False,
    }
    fact = list(possible)[place]

    assert may_link(LinkingFacts(**possible))
    assert may_link(LinkingFacts(**{**possible, fact: not possible[fact]})).reasons == (list(LinkingObstacle)[place],)


@pytest.mark.databases
def test_a_new_code_joins_the_account_and_signs_in_for_it(
    account: Accounts, newcomer: Newcomer, clock: MovableClock
) -> None:
    """Both codes lead to one person with one password; the row that was left is closed, and both addresses are told."""
    whom, (code, secret) = account(), newcomer()
    left = services.user_codes([str(code)])[str(code)].person_id
    services.require_level(left, 3)
    token = proved(code, secret, clock)

    done = link(token, signed_in(whom, clock), now=clock.now())

    assert done is not None
    assert done.is_possible
    assert owner(code) == owner(whom.code) == whom.person_id
    assert services.user_codes([str(code)])[str(code)].state is CodeState.ACTIVATED
    assert person_row(left).access == Access.CLOSED.value
    assert required_level(whom.person_id) == 3
    told = payloads("user_code_linked")
    assert {notice["to"] for notice in told} == {"julie@example.com", "nadia@example.com"}
    assert str(code) not in str(told)
    entry = next(one for one in audit.entries(limit=20) if one.event == Event.USER_CODE_LINKED)
    assert (entry.person_id, entry.details) == (
        whom.person_id,
        {"user_code": code.signs, "former_person": left},
    )


def test_a_linked_code_is_done(account: Accounts, newcomer: Newcomer, clock: MovableClock) -> None:
    """The activation ends: no password is chosen with it, it links nothing more, and no slip is made for the code."""
    whom, (code, secret) = account(), newcomer()
    token, sign_in = proved(code, secret, clock), signed_in(whom, clock)
    link(token, sign_in, now=clock.now())

    assert link(token, sign_in, now=clock.now()) is None
    assert activation_services.choose_password(token, PASSWORD, now=clock.now()) is None
    with pytest.raises(ConflictError):
        services.reveal_temporary_password(code, actor=SYSTEM, now=clock.now())


def test_only_an_activation_that_waits_for_a_password_links(
    account: Accounts, newcomer: Newcomer, clock: MovableClock
) -> None:
    """Not before the code by e-mail, not after a password was chosen, not an hour later, not without a token."""
    whom, (code, secret) = account(), newcomer()
    early = activation_services.start(code, read_temporary(secret), next_path="/", now=clock.now()).token
    late = proved(*newcomer("Paule"), clock)
    activation_services.choose_password(late, PASSWORD, now=clock.now())
    old = proved(*newcomer("Odile"), clock)
    sign_in = signed_in(whom, clock)

    assert link(None, sign_in, now=clock.now()) is None
    assert link(early, sign_in, now=clock.now()) is None
    assert link(late, sign_in, now=clock.now()) is None
    assert link(old, sign_in, now=clock.now() + timedelta(hours=1)) is None
    assert owner(code) is None


@pytest.mark.databases
@pytest.mark.parametrize("hindrance", list(LinkingObstacle))
def test_nothing_is_done_when_something_stands_in_the_way(
    account: Accounts, newcomer: Newcomer, clock: MovableClock, hindrance: LinkingObstacle
) -> None:
    """The page says what; the code stays where it is, the activation goes on, and nobody is told."""
    whom, (code, secret) = account(), newcomer()
    token, sign_in = proved(code, secret, clock), signed_in(whom, clock)
    left = services.user_codes([str(code)])[str(code)].person_id
    if hindrance is LinkingObstacle.WEAK_SIGN_IN:
        sign_in = replace(sign_in, acr=PASSWORD_AND_EMAIL.acr)
    elif hindrance is LinkingObstacle.SAME_PERSON:
        sign_in = replace(sign_in, person_id=left)
    elif hindrance is LinkingObstacle.ACCOUNT_NOT_OPEN:
        services.freeze(whom.person_id, actor=SYSTEM, now=clock.now())
    elif hindrance is LinkingObstacle.HAS_CREDENTIAL:
        other = services.issue_user_code(left, now=clock.now())
        services.seed_credentials(left, user_code=other, password=PASSWORD, totp_secret=TOTP_SECRET, now=clock.now())
    else:
        services.mark_operator(whom.person_id)

    done = link(token, sign_in, now=clock.now())

    assert done is not None
    assert done.hindrances == (hindrance,)
    assert owner(code) is None
    assert person_row(left).access == Access.OPEN.value
    assert payloads("user_code_linked") == []
    assert activation_services.choose_password(token, PASSWORD, now=clock.now())


@pytest.mark.databases
@pytest.mark.race
def test_one_of_two_accounts_gets_the_code(
    app: Flask, account: Accounts, newcomer: Newcomer, clock: MovableClock
) -> None:
    """Two browsers link one code to two accounts at once: exactly one wins, and nothing is half done."""
    whoms = (account(), account("Omar"))
    sign_ins = [signed_in(whom, clock) for whom in whoms]
    now = clock.now()
    for place in range(5):
        code, secret = newcomer(f"Nadia{place}")
        token = proved(code, secret, clock)
        turns = iter(sign_ins * 2)

        answers = at_once(app, 4, lambda token=token, turns=turns: link(token, next(turns), now=now))

        linked = [one for one in answers if isinstance(one, Prospect)]
        assert len(linked) == 1
        assert all(one is None or isinstance(one, ConflictError | Prospect) for one in answers)
        assert owner(code) == linked[0].account.id


@pytest.mark.databases
@pytest.mark.race
def test_a_link_and_a_first_password_do_not_both_win(
    app: Flask, account: Accounts, newcomer: Newcomer, clock: MovableClock
) -> None:
    """One browser links the code while another chooses a password with the same activation: one of them is told it is over."""
    whom = account()
    sign_in, now = signed_in(whom, clock), clock.now()
    for place in range(5):
        code, secret = newcomer(f"Nadia{place}")
        token = proved(code, secret, clock)
        acts = iter(
            (
                lambda token=token: link(token, sign_in, now=now),
                lambda token=token: activation_services.choose_password(token, PASSWORD, now=now),
            )
        )

        answers = at_once(app, 2, lambda acts=acts: next(acts)())

        won = [one for one in answers if one is not None and not isinstance(one, ConflictError)]
        assert len(won) == 1
        assert (owner(code) == whom.person_id) is isinstance(won[0], Prospect)


def opened(code: UserCode, clock: MovableClock) -> str:
    """Open the first credential of a representative once more, and return the secret it goes on with."""
    left = services.user_codes([str(code)])[str(code)].person_id
    opening = services.open_first_credential(left, code, now=clock.now())
    token, _linked = enrolment_link_services.enter_opening(opening, now=clock.now())
    assert token
    return token


@pytest.mark.databases
@pytest.mark.race
def test_two_openings_of_one_code_never_wait_for_each_other(
    app: Flask, account: Accounts, newcomer: Newcomer, clock: MovableClock
) -> None:
    """One opening ends with a second factor while the other links the code: one wins, the other is told, none is cut off."""
    whom, (code, _secret) = account(), newcomer()
    ends, links = opened(code, clock), opened(code, clock)
    activation_services.choose_password(ends, PASSWORD, now=clock.now())
    offer = activation_services.offered_factor(ends, now=clock.now())
    assert offer
    otp, sign_in, now = pyotp.TOTP(offer.secret).at(clock.now()), signed_in(whom, clock), clock.now()

    linked, ended = crossing(
        app,
        ("UPDATE user_code", lambda: link(links, sign_in, now=now)),
        ("UPDATE challenge", lambda: activation_services.confirm_factor(ends, otp, former=None, device="", now=now)),
    )

    assert isinstance(linked, Prospect | ConflictError)
    assert isinstance(ended, Finish)
    assert isinstance(linked, Prospect) is ended.over is (ended.signed is None)
    assert (owner(code) == whom.person_id) is ended.over


@pytest.mark.databases
@pytest.mark.race
@pytest.mark.parametrize("act", ["reveal", "revoke"])
def test_a_slip_or_a_revocation_never_waits_for_the_activation_that_waits_for_it(
    app: Flask, newcomer: Newcomer, clock: MovableClock, act: str
) -> None:
    """A new slip, or the end of the code, at the instant of the last step: whoever is second is told, none is cut off."""
    (code, secret), now = newcomer(), clock.now()
    token = proved(code, secret, clock)
    activation_services.choose_password(token, PASSWORD, now=now)
    offer = activation_services.offered_factor(token, now=now)
    assert offer
    otp = pyotp.TOTP(offer.secret).at(now)
    acts = {
        "reveal": lambda: services.reveal_temporary_password(code, actor=SYSTEM, now=now),
        "revoke": lambda: services.revoke_user_code(code, now=now),
    }

    taken, ended = crossing(
        app,
        ("UPDATE user_code", acts[act]),
        ("UPDATE challenge", lambda: activation_services.confirm_factor(token, otp, former=None, device="", now=now)),
    )

    assert isinstance(ended, Finish)
    assert isinstance(taken, TemporaryPassword | bool | ConflictError)
    if act == "reveal":
        assert isinstance(taken, TemporaryPassword) is ended.over
    else:
        assert services.user_codes([str(code)])[str(code)].state is CodeState.REVOKED


@pytest.mark.databases
def test_the_code_of_an_opening_joins_too(account: Accounts, newcomer: Newcomer, clock: MovableClock) -> None:
    """A representative who has an account links the code of a second enterprise in the same way."""
    whom, (code, _secret) = account(), newcomer()
    left = services.user_codes([str(code)])[str(code)].person_id
    opening = services.open_first_credential(left, code, now=clock.now())
    token, _linked = enrolment_link_services.enter_opening(opening, next_path="/enrol/file/slips", now=clock.now())

    sign_in = signed_in(whom, clock)
    found = prospect(token, sign_in, now=clock.now())

    done = link(token, sign_in, now=clock.now())

    assert found == done
    assert done is not None
    assert done.next_path == "/enrol/file/slips"
    assert owner(code) == whom.person_id
