"""Passkeys: what is asked, what is accepted, and all that is refused (S-56, WebAuthn Level 3 §7.1, §7.2)."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from idp.accounts import services
from idp.accounts.credentials import passkey_services, recovery_code_services, security_services
from idp.accounts.credentials.domain.passkeys import CeremonyPurpose, PasskeyRefusedError, Site, read_new, site_of
from idp.accounts.models import Passkey, PasskeyOwner
from idp.accounts.sign_in.passkey_sign_in_services import sign_in_with_passkey
from idp.accounts.sign_in.sign_in_services import (
    Refusal,
    SecondStep,
    check_passkey,
    check_password,
    check_recovery_code,
    check_second_factor,
)
from idp.clock import MovableClock
from idp.db import db

from ..authenticator import BE, BS, UP, UV, Authenticator, decoded, encoded
from ..conftest import Account, payloads
from ..sign_in.test_sign_in_services import at_once

Accounts = Callable[..., Account]
Change = Callable[[dict[str, Any]], None]


def add(account: Account, device: Authenticator, clock: MovableClock) -> bool:
    asked = passkey_services.ask_new(account.person_id, account.code.signs, now=clock.now())
    assert asked is not None
    answer = json.dumps(device.make(asked.options))
    return passkey_services.add(account.person_id, asked.token, answer, nickname="Téléphone", now=clock.now())


def alone(device: Authenticator, clock: MovableClock, change: Change | None = None) -> SecondStep:
    """Sign in with nothing but the passkey."""
    asked = passkey_services.ask_anybody(now=clock.now())
    assert asked is not None
    answer = device.show(asked.options)
    if change is not None:
        change(answer)
    return sign_in_with_passkey(
        asked.token, json.dumps(answer), next_path="/home", former=None, device="", now=clock.now()
    )


def after_password(account: Account, device: Authenticator, clock: MovableClock) -> SecondStep:
    token = check_password(account.code, account.password, next_path="/home", now=clock.now()).token
    asked = passkey_services.ask_person(account.person_id, now=clock.now())
    assert asked is not None
    answer = json.dumps(device.show(asked.options))
    return check_passkey(token, asked.token, answer, former=None, device="", now=clock.now())


@pytest.mark.bar("S-56")
@pytest.mark.databases
def test_a_passkey_signs_in_alone_or_after_the_password(account: Accounts, clock: MovableClock) -> None:
    """Both ways reach urn:mandat:aal:3, and the methods say what was shown (decisions.md §21)."""
    julie, device = account(), Authenticator()
    assert add(julie, device, clock)

    lone, second = alone(device, clock).signed, after_password(julie, device, clock).signed

    assert lone is not None
    assert second is not None
    assert (lone.sign_in.person_id, lone.sign_in.user_code) == (julie.person_id, julie.code.signs)
    assert {lone.sign_in.acr, second.sign_in.acr} == {"urn:mandat:aal:3"}
    assert lone.sign_in.amr == ("pop", "user", "mfa")
    assert second.sign_in.amr == ("pwd", "pop", "user", "mfa")
    kept = security_services.security_of(julie.person_id).passkeys
    assert [(each.nickname, each.last_used_at, each.is_backed_up) for each in kept] == [
        ("Téléphone", clock.now(), False)
    ]
    changes = [(told["credential"], told["change"]) for told in payloads("credential_changed")]
    assert changes[-1:] == [("passkey", "create")]
    assert payloads("security_notice")


def test_the_options_ask_for_what_makes_a_passkey_safe(account: Accounts, clock: MovableClock) -> None:
    """Discoverable, verified, no attestation, a handle drawn at random; those one has are excluded; nobody is named at first."""
    julie, device = account(), Authenticator()
    assert add(julie, device, clock)
    asked = passkey_services.ask_new(julie.person_id, julie.code.signs, now=clock.now())
    anybody = passkey_services.ask_anybody(now=clock.now())
    theirs = passkey_services.ask_person(julie.person_id, now=clock.now())
    assert asked is not None
    assert anybody is not None
    assert theirs is not None
    new, request, own = json.loads(asked.options), json.loads(anybody.options), json.loads(theirs.options)

    assert new["rp"] == {"name": "Mandat", "id": "localhost"}
    assert new["attestation"] == "none"
    assert new["authenticatorSelection"]["residentKey"] == "required"
    assert new["authenticatorSelection"]["userVerification"] == "required"
    assert [each["alg"] for each in new["pubKeyCredParams"]] == [-7, -8, -257]
    assert [each["id"] for each in new["excludeCredentials"]] == [encoded(device.credential_id)]
    handle = db.session.scalar(select(PasskeyOwner.handle).where(PasskeyOwner.person_id == julie.person_id))
    assert new["user"]["id"] == handle
    assert len(decoded(new["user"]["id"])) == 32
    assert julie.code.signs not in asked.options
    assert (request["rpId"], request["userVerification"], request["allowCredentials"]) == ("localhost", "required", [])
    assert [each["id"] for each in own["allowCredentials"]] == [encoded(device.credential_id)]
    assert len({new["challenge"], request["challenge"], own["challenge"]}) == 3
    assert len(decoded(request["challenge"])) == 32


WRONG_NEW = {
    "another origin": {"origin": "https://mandat.example.evil"},
    "another port": {"origin": "http://localhost:8001"},
    "another RP id": {"rp_id": "evil.example"},
    "no user verification": {"flags": UP},
    "no user presence": {"flags": UV},
    "backed up without being eligible": {"flags": UP | UV | BS},
    "an algorithm that was not offered": {"alg": -65535},
    "no algorithm": {"alg": 0},
    "the type of a sign-in": {"client_type": "webauthn.get"},
    "inside another site": {"more_client": {"crossOrigin": True}},
    "inside another site, named": {"more_client": {"topOrigin": "https://evil.example"}},
    "another challenge": {"more_client": {"challenge": encoded(bytes(32))}},
    "an attestation of an unknown kind": {"fmt": "unheard-of"},
    "an attestation that was not asked for": {"fmt": "fido-u2f"},
}


@pytest.mark.bar("S-56", "CVE-2026-8830")
def test_a_new_passkey_is_kept_only_when_all_of_it_holds(account: Accounts, clock: MovableClock) -> None:
    """WebAuthn §7.1: each wrong member alone is enough; the server checks, whatever the script asked for."""
    julie = account()

    kept = [what for what, wrong in WRONG_NEW.items() if add(julie, Authenticator(**wrong), clock)]

    assert kept == []
    assert add(julie, Authenticator(fmt="packed"), clock)  # self attestation proves nothing more, and harms nothing
    assert len(security_services.security_of(julie.person_id).passkeys) == 1


WRONG_USE = {
    "another origin": {"origin": "http://localhost.evil.example"},
    "another RP id": {"rp_id": "evil.example"},
    "no user verification": {"flags": UP},
    "no user presence": {"flags": UV},
    "backup eligibility that changed": {"flags": UP | UV | BE},
    "the type of a registration": {"client_type": "webauthn.create"},
    "inside another site": {"more_client": {"crossOrigin": True}},
    "another challenge": {"more_client": {"challenge": encoded(bytes(32))}},
    "a counter that stays": {"steps": 0},
    "a counter that goes back": {"steps": -2},
}


@pytest.mark.bar("S-56")
def test_a_sign_in_needs_all_of_it_to_hold(account: Accounts, clock: MovableClock) -> None:
    """WebAuthn §7.2: each wrong member alone is enough, alone and after the password."""
    julie, device = account(), Authenticator(count=5)
    assert add(julie, device, clock)
    assert alone(device, clock).signed

    accepted = []
    for what, wrong in WRONG_USE.items():
        for way in ("alone", "after"):
            bad = Authenticator(key=device.key, credential_id=device.credential_id, handle=device.handle)
            bad.count, bad.steps = device.count, 1
            for name, value in wrong.items():
                setattr(bad, name, value)
            step = alone(bad, clock) if way == "alone" else after_password(julie, bad, clock)
            accepted += [(what, way)] if step.signed else []
            clock.advance(timedelta(days=1))  # wrong tries after the password are counted: not the matter here

    assert accepted == []
    assert alone(device, clock).signed


def test_an_answer_is_of_the_passkey_it_names(account: Accounts, clock: MovableClock) -> None:
    """Foreign keys, ids, handles and signatures, and whatever is no answer at all."""
    julie, nadia = account(), account("Nadia", "Roy")
    device, foreign, stranger = Authenticator(), Authenticator(), Authenticator(handle=encoded(bytes(32)))
    assert add(julie, device, clock)
    assert add(nadia, foreign, clock)

    def spoil(path: str, value: Any) -> Change:
        def change(answer: dict[str, Any]) -> None:
            place = answer if path in answer else answer["response"]
            place[path] = value

        return change

    for change in (
        spoil("signature", encoded(os_zeros())),
        spoil("userHandle", foreign.handle),
        spoil("userHandle", None),
        spoil("id", encoded(foreign.credential_id)),
        spoil("rawId", encoded(foreign.credential_id)),
        spoil("type", "password"),
        spoil("clientDataJSON", "###"),
        spoil("clientDataJSON", encoded(b"[]")),
        spoil("clientDataJSON", encoded(b"\xff")),
        spoil("authenticatorData", encoded(b"short")),
        spoil("authenticatorData", 7),
        spoil("response", []),
        spoil("id", 7),
        spoil("id", "x" * 20_000),
    ):
        assert alone(device, clock, change).refusal is Refusal.WRONG
    assert alone(stranger, clock).refusal is Refusal.WRONG
    assert after_password(julie, foreign, clock).refusal is Refusal.WRONG
    assert alone(device, clock).signed


def os_zeros() -> bytes:
    return bytes(70)


@pytest.mark.parametrize("answer", ["", "null", "[]", "{", '{"response":{}}', "[" * 9_000, "x" * 20_000])
def test_what_is_no_answer_is_refused(answer: str) -> None:
    """Never another error than the refusal."""
    with pytest.raises(PasskeyRefusedError):
        read_new(answer, site=Site("localhost", "http://localhost:8000"), challenge=encoded(bytes(32)))


@pytest.mark.bar("S-56")
def test_a_challenge_serves_once_for_one_purpose_in_one_browser(account: Accounts, clock: MovableClock) -> None:
    """Reused, late, for something else, for somebody else, or unknown: nothing is accepted."""
    julie, nadia, device = account(), account("Nadia", "Roy"), Authenticator()
    assert add(julie, device, clock)
    now = clock.now()

    def try_with(
        token: str | None, options: str, purpose: CeremonyPurpose, whom: str | None, at: timedelta
    ) -> str | None:
        answer = json.dumps(device.show(options))
        return passkey_services.accept(token, answer, purpose, person_id=whom, now=now + at)

    used = passkey_services.ask_anybody(now=now)
    late = passkey_services.ask_anybody(now=now)
    other = passkey_services.ask_anybody(now=now)
    theirs = passkey_services.ask_person(julie.person_id, now=now)
    new = passkey_services.ask_new(julie.person_id, julie.code.signs, now=now)
    assert used
    assert late
    assert other
    assert theirs
    assert new
    soon, whom = timedelta(minutes=1), julie.person_id
    assert try_with(used.token, used.options, CeremonyPurpose.SIGN_IN, None, soon) == whom

    assert try_with(used.token, used.options, CeremonyPurpose.SIGN_IN, None, soon) is None
    assert try_with(late.token, late.options, CeremonyPurpose.SIGN_IN, None, timedelta(minutes=5)) is None
    assert try_with(other.token, other.options, CeremonyPurpose.SECOND_FACTOR, whom, soon) is None
    assert try_with(other.token, other.options, CeremonyPurpose.SIGN_IN, whom, soon) is None
    assert try_with(theirs.token, theirs.options, CeremonyPurpose.SECOND_FACTOR, nadia.person_id, soon) is None
    for token in ("unknown", "", None):
        assert try_with(token, used.options, CeremonyPurpose.SIGN_IN, None, soon) is None
    another = passkey_services.ask_new(julie.person_id, julie.code.signs, now=now)
    assert another
    as_request = json.dumps({"challenge": json.loads(another.options)["challenge"], "rpId": "localhost"})
    assert try_with(another.token, as_request, CeremonyPurpose.SECOND_FACTOR, whom, soon) is None
    answer = json.dumps(Authenticator().make(new.options))
    assert not passkey_services.add(nadia.person_id, new.token, answer, nickname="x", now=now)
    assert not passkey_services.add(whom, new.token, answer, nickname="x", now=now)  # spent by the try before


def test_a_passkey_belongs_to_one_person(account: Accounts, clock: MovableClock) -> None:
    """A credential id that is known is refused, whoever comes with it (WebAuthn §7.1 step 26)."""
    julie, nadia, device = account(), account("Nadia", "Roy"), Authenticator()
    assert add(julie, device, clock)

    assert not add(nadia, deepcopy_of(device), clock)
    assert not add(julie, deepcopy_of(device), clock)
    assert alone(device, clock).refusal is None


def deepcopy_of(device: Authenticator) -> Authenticator:
    return Authenticator(key=device.key, credential_id=deepcopy(device.credential_id))


def test_synced_passkeys_do_not_count_and_say_where_they_are(account: Accounts, clock: MovableClock) -> None:
    """A counter that stays at zero is accepted, once it began at zero; the backup state follows (WebAuthn §6.1.3)."""
    julie, device = account(), Authenticator(flags=UP | UV | BE, steps=0)
    assert add(julie, device, clock)
    device.flags |= BS

    assert alone(device, clock).signed
    assert alone(device, clock).signed
    assert security_services.security_of(julie.person_id).passkeys[0].is_backed_up


@pytest.mark.databases
def test_one_answer_among_sixteen_with_the_same_count(app: Flask, account: Accounts, clock: MovableClock) -> None:
    """Copies of a passkey that answer different challenges with one count at once: one is accepted."""
    julie, device = account(), Authenticator()
    assert add(julie, device, clock)
    device.steps, device.count, now = 0, 9, clock.now()
    asked = [passkey_services.ask_anybody(now=now) for _ in range(16)]
    answers = [(each.token, json.dumps(device.show(each.options))) for each in asked if each is not None]

    def act() -> object:
        token, answer = answers.pop()
        return passkey_services.accept(token, answer, CeremonyPurpose.SIGN_IN, person_id=None, now=now)

    accepted = at_once(app, 16, act)

    assert [each for each in accepted if isinstance(each, Exception)] == []
    assert accepted.count(julie.person_id) == 1
    assert db.session.scalar(select(Passkey.sign_count)) == 9


@pytest.mark.bar("S-50")
def test_a_lock_of_the_password_does_not_stop_a_passkey(account: Accounts, clock: MovableClock) -> None:
    """Whoever guesses passwords locks nobody out who has a passkey; and the lock stays for the password."""
    julie, device = account(), Authenticator()
    assert add(julie, device, clock)
    for _ in range(5):
        check_password(julie.code, "faux mot", next_path="/", now=clock.now())

    assert alone(device, clock).signed
    assert check_password(julie.code, julie.password, next_path="/", now=clock.now()).refusal is Refusal.LOCKED


@pytest.mark.bar("S-54")
def test_whoever_must_show_a_passkey_signs_in_with_nothing_less(account: Accounts, clock: MovableClock) -> None:
    """Right codes of the application and of the paper open nothing and are not spent, once there is a passkey."""
    julie, device = account(), Authenticator()
    assert add(julie, device, clock)
    services.require_level(julie.person_id, 3)
    code = recovery_code_services.make(julie.person_id, now=clock.now())[0]
    token = check_password(julie.code, julie.password, next_path="/home", now=clock.now()).token

    answers = [
        check_second_factor(token, julie.otp(clock.now()), former=None, device="", now=clock.now()),
        check_recovery_code(token, code, former=None, device="", now=clock.now()),
    ]

    assert answers == [SecondStep(refusal=Refusal.PASSKEY_ONLY)] * 2
    assert recovery_code_services.left(julie.person_id) == 10
    assert after_password(julie, device, clock).signed
    assert alone(device, clock).signed


def test_a_passkey_without_an_activated_code_opens_nothing(account: Accounts, clock: MovableClock) -> None:
    """The last code was revoked: the person is no longer known here."""
    julie, device = account(), Authenticator()
    assert add(julie, device, clock)
    services.revoke_user_code(julie.code, now=clock.now())

    assert alone(device, clock).refusal is Refusal.WRONG


def test_an_address_of_numbers_has_no_passkeys() -> None:
    """RP ids are names: browsers refuse an IP address (interface.md §7); origin and id come from the issuer alone."""
    assert site_of("http://127.0.0.1:8000") is None
    assert site_of("https://[::1]") is None
    assert site_of("https://id.example:8443") == Site("id.example", "https://id.example:8443")
