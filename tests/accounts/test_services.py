"""What accounts leaves behind: in the log, and after a sweep."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pyotp
from sqlalchemy import func, select

from idp import audit
from idp.accounts import services
from idp.accounts.credentials.domain.passwords import read_temporary
from idp.accounts.models import AttemptCounter, Challenge, EmailCode, SignInRow
from idp.accounts.sign_in.sign_in_services import check_password
from idp.accounts.user_codes import activation_services
from idp.accounts.user_codes.activation_services import start
from idp.app import create_app
from idp.clock import MovableClock
from idp.config import Settings
from idp.db import db
from idp.identifiers import UserCode

from .conftest import PASSWORD, Account, latest_email_code


def test_each_act_leaves_its_entry_without_any_secret(
    newcomer: Callable[..., tuple[UserCode, str]], clock: MovableClock
) -> None:
    """From the first slip to the sign-out, the log tells the story and nothing that opens anything."""
    code, secret = newcomer()
    token = start(code, read_temporary(secret), next_path="/", now=clock.now()).token
    email_code = latest_email_code()
    activation_services.confirm_email(token, email_code, now=clock.now())
    activation_services.choose_password(token, PASSWORD, now=clock.now())
    offer = activation_services.offered_factor(token, now=clock.now())
    assert offer is not None
    otp = pyotp.TOTP(offer.secret).at(clock.now())
    done = activation_services.confirm_factor(token, otp, former=None, device="", now=clock.now())
    assert done is not None
    assert done.signed is not None
    services.end_sign_in(done.signed.sign_in.sid, now=clock.now())
    for _ in range(5):
        check_password(code, "faux mot de passe", next_path="/", now=clock.now())

    entries = audit.entries(person_id=done.signed.sign_in.person_id)

    assert sorted(entry.event for entry in entries) == sorted(
        [
            "person:created", "user_code:issued", "user_code:temporary_password_revealed",
            "user_code:temporary_password_used", "user_code:activated", "person:password_set",
            "person:second_factor_added", "person:signed_in", "person:signed_out", "person:locked",
            *["person:sign_in_refused"] * 5,
        ]
    )  # fmt: skip
    said = str([entry.details for entry in entries])
    for hidden in (secret, read_temporary(secret), PASSWORD, email_code, offer.secret, otp, "Nadia", "example.com"):
        assert hidden not in said


def test_a_sweep_takes_what_is_over_and_leaves_what_counts(
    account: Callable[..., Account], newcomer: Callable[..., tuple[UserCode, str]], clock: MovableClock
) -> None:
    """Old challenges, codes, sign-ins and counters of nobody go; the counters of people stay."""
    julie = account()
    code, secret = newcomer()
    start(code, read_temporary(secret), next_path="/", now=clock.now())
    check_password(julie.code, julie.password, next_path="/", now=clock.now())
    check_password(UserCode("AAAA0000"), "faux mot de passe", next_path="/", now=clock.now())

    def counts() -> list[int | None]:
        return [
            db.session.scalar(select(func.count()).select_from(table))
            for table in (Challenge, EmailCode, AttemptCounter, SignInRow)
        ]

    before = counts()
    assert services.sweep(clock.now()) == 0
    assert counts() == before == [2, 1, 3, 0]
    clock.advance(timedelta(days=4))

    assert services.sweep(clock.now()) == 4
    assert counts() == [0, 0, 2, 0]


def test_the_cookie_is_a_host_cookie_wherever_there_is_https(settings: Settings, clock: MovableClock) -> None:
    """`__Host-` and Secure, so that no other host of the domain can plant it (decisions.md §26)."""
    from idp.accounts.sessions import cookies

    secure = settings.model_copy(update={"issuer": "https://mandat.example"})
    app = create_app(secure, clock=clock, testing=True, contexts=("accounts",))
    with app.test_request_context("/", headers={"Cookie": f"__Host-mandat={'x' * 43}"}):
        assert cookies.cookie_name() == "__Host-mandat"
        assert cookies.presented_digest() is not None
        cookies.drop()
        header = app.process_response(app.make_response("")).headers.getlist("Set-Cookie")[0]

    assert header.startswith("__Host-mandat=;")
    assert "Secure" in header
    assert "Path=/" in header
