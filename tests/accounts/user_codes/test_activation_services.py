"""The first use of a user code, against the database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pyotp
import pytest
from flask import Flask

from idp.accounts import services
from idp.accounts.challenges import enrolment_link_services
from idp.accounts.challenges.email_code_services import CodeCheck, CodeOutcome
from idp.accounts.credentials.domain.passwords import read_temporary
from idp.accounts.sign_in.domain.steps import FlowStep
from idp.accounts.user_codes import activation_services
from idp.accounts.user_codes.activation_services import Finish, Start, StartRefusal, start
from idp.accounts.user_codes.domain.states import CodeState
from idp.audit import SYSTEM
from idp.clock import MovableClock
from idp.errors import ConflictError, NotAllowedError
from idp.identifiers import PersonId, UserCode

from ..conftest import PASSWORD, Account, latest_email_code, payloads
from ..sign_in.test_sign_in_services import at_once

Newcomer = Callable[..., tuple[UserCode, str]]


def begin(code: UserCode, secret: str, clock: MovableClock) -> Start:
    return start(code, read_temporary(secret), next_path="/home", now=clock.now())


def confirm(token: str | None, code: str, clock: MovableClock) -> CodeCheck:
    return activation_services.confirm_email(token, code, now=clock.now())


def finish(token: str | None, clock: MovableClock) -> Finish | None:
    offer = activation_services.offered_factor(token, now=clock.now())
    code = pyotp.TOTP(offer.secret).at(clock.now()) if offer else "000000"
    return activation_services.confirm_factor(token, code, former=None, device="", now=clock.now())


def state_of(code: UserCode, clock: MovableClock) -> CodeState:
    return services.user_codes([str(code)], now=clock.now())[str(code)].state


@pytest.mark.databases
def test_slips_email_password_and_application_give_an_account(newcomer: Newcomer, clock: MovableClock) -> None:
    """The whole path ends signed in, the code activated, the person told by e-mail with a masked code."""
    code, secret = newcomer()
    token = begin(code, secret, clock).token
    assert confirm(token, latest_email_code(), clock).outcome is CodeOutcome.RIGHT
    assert activation_services.choose_password(token, PASSWORD, now=clock.now())

    done = finish(token, clock)

    assert done is not None
    assert done.signed is not None
    assert state_of(code, clock) is CodeState.ACTIVATED
    told = payloads("account_activated")
    assert [notice["user_code"] for notice in told] == [code.masked]
    assert str(code) not in str(told)


@pytest.mark.databases
def test_a_temporary_password_serves_once_among_eight(app: Flask, newcomer: Newcomer, clock: MovableClock) -> None:
    """Eight browsers with the same slip at the same time: one activation begins (S-51)."""
    code, secret = newcomer()
    now = clock.now()

    answers = at_once(app, 8, lambda: start(code, read_temporary(secret), next_path="/", now=now))

    assert not [answer for answer in answers if isinstance(answer, Exception)]
    assert sum(1 for answer in answers if isinstance(answer, Start) and answer.token) == 1
    assert len(payloads("email_code")) == 1


@pytest.mark.databases
def test_an_email_code_is_judged_five_times_in_all(app: Flask, newcomer: Newcomer, clock: MovableClock) -> None:
    """Twelve guesses at once use the code up, and the right one then comes too late."""
    code, secret = newcomer()
    token, now = begin(code, secret, clock).token, clock.now()
    right = latest_email_code()
    wrong = f"{(int(right) + 1) % 10**8:08d}"

    answers = at_once(app, 12, lambda: activation_services.confirm_email(token, wrong, now=now))

    assert not [answer for answer in answers if isinstance(answer, Exception)]
    assert sum(1 for answer in answers if isinstance(answer, CodeCheck) and answer.outcome is CodeOutcome.WRONG) == 4
    assert confirm(token, right, clock).outcome is CodeOutcome.SPENT


def test_a_new_email_code_kills_the_former_and_is_not_sent_too_often(newcomer: Newcomer, clock: MovableClock) -> None:
    """Half a minute between two, five in all."""
    code, secret = newcomer()
    token = begin(code, secret, clock).token
    former = latest_email_code()
    assert not activation_services.send_again(token, now=clock.now())
    for _ in range(4):
        clock.advance(timedelta(seconds=30))
        assert activation_services.send_again(token, now=clock.now())
    clock.advance(timedelta(seconds=30))

    assert not activation_services.send_again(token, now=clock.now())
    assert confirm(token, former, clock).outcome is CodeOutcome.WRONG
    assert confirm(token, latest_email_code(), clock).outcome is CodeOutcome.RIGHT


def test_an_email_code_dies_after_ten_minutes(newcomer: Newcomer, clock: MovableClock) -> None:
    """The last second counts, the next does not."""
    code, secret = newcomer()
    token = begin(code, secret, clock).token
    clock.advance(timedelta(minutes=10))

    assert confirm(token, latest_email_code(), clock).outcome is CodeOutcome.SPENT


def test_holding_the_slips_is_not_enough(newcomer: Newcomer, clock: MovableClock) -> None:
    """Without the code sent by e-mail no later step does anything, whatever is posted (decisions.md §3)."""
    code, secret = newcomer()
    token = begin(code, secret, clock).token

    assert activation_services.choose_password(token, PASSWORD, now=clock.now()) is None
    assert activation_services.offered_factor(token, now=clock.now()) is None
    assert finish(token, clock) == Finish(over=True)
    assert state_of(code, clock) is CodeState.REVEALED


def test_the_email_code_of_one_person_does_not_serve_another(newcomer: Newcomer, clock: MovableClock) -> None:
    """A code is bound to the activation that asked for it."""
    julie, nadia = newcomer("Julie"), newcomer("Nadia")
    begin(*julie, clock)
    of_julie = latest_email_code()
    token = begin(*nadia, clock).token

    assert confirm(token, of_julie, clock).outcome is CodeOutcome.WRONG


def test_no_step_is_skipped_or_taken_twice(newcomer: Newcomer, clock: MovableClock) -> None:
    """Each act answers only at its own step; going back changes nothing."""
    code, secret = newcomer()
    token = begin(code, secret, clock).token
    confirm(token, latest_email_code(), clock)
    assert finish(token, clock) == Finish(over=True)
    assert activation_services.choose_password(token, PASSWORD, now=clock.now())

    assert activation_services.choose_password(token, "une tout autre phrase longue", now=clock.now()) is None
    assert confirm(token, latest_email_code(), clock).outcome is CodeOutcome.OVER
    activation = activation_services.activation(token, now=clock.now())
    assert activation is not None
    assert activation.step is FlowStep.NEW_FACTOR


@pytest.mark.parametrize(("days", "refusal"), [(6, None), (7, StartRefusal.EXPIRED), (400, StartRefusal.EXPIRED)])
def test_a_temporary_password_lives_seven_days(
    newcomer: Newcomer, clock: MovableClock, days: int, refusal: StartRefusal | None
) -> None:
    """Its bearer is told that it expired; a stranger is not."""
    code, secret = newcomer()
    clock.advance(timedelta(days=days))

    assert begin(code, "A" * 24, clock).refusal is StartRefusal.WRONG
    assert begin(code, secret, clock).refusal is refusal


def test_a_used_temporary_password_says_so_to_its_bearer_only(newcomer: Newcomer, clock: MovableClock) -> None:
    """Whoever comes second learns that somebody came first."""
    code, secret = newcomer()
    begin(code, secret, clock)

    assert begin(code, secret, clock).refusal is StartRefusal.USED
    assert begin(code, "A" * 24, clock).refusal is StartRefusal.WRONG


@pytest.mark.databases
def test_a_reissue_kills_the_former_secret_and_what_it_began(newcomer: Newcomer, clock: MovableClock) -> None:
    """The former slip opens nothing, and an activation it began does not go on."""
    code, secret = newcomer()
    token = begin(code, secret, clock).token
    email_code = latest_email_code()
    again = services.reveal_temporary_password(code, actor=SYSTEM, now=clock.now())

    assert confirm(token, email_code, clock).outcome is CodeOutcome.OVER
    assert begin(code, secret, clock).refusal is StartRefusal.WRONG
    assert begin(code, again.grouped, clock).token


def test_an_activated_or_revoked_code_gets_no_temporary_password(
    account: Callable[..., Account], someone: Callable[..., PersonId], clock: MovableClock
) -> None:
    """Nobody can hand out a way into an account that is in use."""
    julie = account()
    revoked = services.issue_user_code(someone(), now=clock.now())
    services.revoke_user_code(revoked, now=clock.now())

    for code in (julie.code, revoked, UserCode("AAAA0000")):
        with pytest.raises(ConflictError):
            services.reveal_temporary_password(code, actor=SYSTEM, now=clock.now())


def test_a_wrong_temporary_password_counts_like_any_guess(newcomer: Newcomer, clock: MovableClock) -> None:
    """Five wrong ones lock, for a code that exists as for one that does not."""
    code, secret = newcomer()
    for one in (code, UserCode("AAAA0000")):
        answers = [begin(one, "A" * 24, clock).refusal for _ in range(6)]
        assert answers == [StartRefusal.WRONG] * 4 + [StartRefusal.LOCKED] * 2

    assert begin(code, secret, clock).refusal is StartRefusal.LOCKED


@pytest.mark.bar("S-59", "S-62")
def test_a_second_code_is_linked_and_changes_no_credential(
    account: Callable[..., Account], clock: MovableClock
) -> None:
    """Slips for somebody who has an account lead to that account's own password, never to a new one (S-59, S-62)."""
    julie = account()
    second = services.issue_user_code(julie.person_id, now=clock.now())
    secret = services.reveal_temporary_password(second, actor=SYSTEM, now=clock.now()).grouped
    token = begin(second, secret, clock).token

    assert confirm(token, latest_email_code(), clock).outcome is CodeOutcome.LINKED
    assert state_of(second, clock) is CodeState.ACTIVATED
    assert activation_services.choose_password(token, "une tout autre phrase longue", now=clock.now()) is None


@pytest.mark.databases
def test_a_link_opens_the_first_credentials_once(someone: Callable[..., PersonId], clock: MovableClock) -> None:
    """The link replaces slips and e-mail code, for 24 hours and once."""
    person_id = someone()
    code = services.issue_user_code(person_id, now=clock.now())
    link = services.open_first_credential(person_id, code, now=clock.now())
    late = services.open_first_credential(person_id, code, now=clock.now())

    token, linked = enrolment_link_services.enter_opening(link, now=clock.now())
    assert token
    assert not linked
    assert enrolment_link_services.enter_opening(link, now=clock.now()) == (None, False)
    assert activation_services.choose_password(token, PASSWORD, now=clock.now())
    assert finish(token, clock)
    clock.advance(timedelta(hours=24))
    assert enrolment_link_services.enter_opening(late, now=clock.now()) == (None, False)


def test_a_link_is_not_made_for_somebody_else_s_code(
    account: Callable[..., Account], someone: Callable[..., PersonId], clock: MovableClock
) -> None:
    """The code must be the person's own, and not activated."""
    julie = account()
    other = someone()
    for person_id, code in ((other, julie.code), (julie.person_id, julie.code), (other, UserCode("AAAA0000"))):
        with pytest.raises(ConflictError):
            services.open_first_credential(person_id, code, now=clock.now())


def test_credentials_are_seeded_in_tests_and_demonstrations_only(
    app: Flask, someone: Callable[..., PersonId], clock: MovableClock
) -> None:
    """Anywhere else the function refuses, and nothing is written."""
    person_id = someone()
    code = services.issue_user_code(person_id, now=clock.now())
    app.testing = False

    with pytest.raises(NotAllowedError):
        services.seed_credentials(person_id, user_code=code, password=PASSWORD, totp_secret="A" * 32, now=clock.now())
    assert state_of(code, clock) is CodeState.ISSUED
