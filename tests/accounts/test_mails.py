"""Every change of a credential has its sentence, in both languages."""

from __future__ import annotations

from typing import get_args

import pytest
from flask import Flask

from idp.accounts.credentials.factor_services import Credential
from idp.clock import MovableClock
from idp.notices.email import from_template

CHANGES = [
    (credential, change)
    for credential in get_args(Credential)
    for change in (("create", "delete") if credential in ("totp", "passkey", "security_key") else ("update",))
]


@pytest.mark.parametrize("language", ["fr", "en"])
def test_each_change_is_told_in_words_of_its_own(app: Flask, clock: MovableClock, language: str) -> None:
    """What was changed and when, whom to call; never a link, a code or a number of the account."""
    texts = {}
    for credential, change in CHANGES:
        mail = from_template(
            "accounts/mail_security.txt",
            to="a@example.com",
            language="en" if language == "en" else "fr",
            changes=[(f"{credential}:{change}", "Firefox", clock.now())],
            codes=["QX··-··12"],
        )
        assert "2026" in mail.text
        assert "1 800 555-0199" in mail.text
        assert "http" not in mail.text
        texts[credential.replace("security_key", "passkey"), change] = mail.text

    assert len(set(texts.values())) == len(texts) == 6


@pytest.mark.parametrize(("language", "word"), [("fr", "secours"), ("en", "recovery")])
def test_the_use_of_a_recovery_code_is_told_with_what_is_left(
    app: Flask, clock: MovableClock, language: str, word: str
) -> None:
    """At three or fewer it advises to make new ones."""
    said = [
        from_template(
            "accounts/mail_recovery_code.txt",
            to="a@example.com",
            language="en" if language == "en" else "fr",
            at=clock.now(),
            left=left,
            few=3,
        ).text
        for left in (4, 3)
    ]

    assert all(word in text for text in said)
    assert ["«" in text or "“" in text for text in said] == [False, True]
