"""What a sign-in is, how long it lasts, and what a person is to the other rooms; pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from .... import names
from ....identifiers import PersonId, UserCode
from ...user_codes.domain.states import CodeState

ACR = "urn:mandat:aal:2"  # a password and a code of an application; aal:1 is never issued to people
PASSKEY_ACR = "urn:mandat:aal:3"  # a passkey with user verification: phishing-resistant
AMR = ("pwd", "otp", "mfa")  # RFC 8176
EMAIL_ACR = "urn:mandat:aal:1"  # a password and a code by e-mail, which is no factor (ASVS 6.3.6): never issued


@dataclass(frozen=True, slots=True)
class AuthenticationContext:
    """What a person showed at a sign-in, as tokens state it."""

    acr: str
    amr: tuple[str, ...]


PASSWORD_AND_CODE = AuthenticationContext(ACR, AMR)
PASSWORD_AND_RECOVERY = AuthenticationContext(ACR, ("pwd", "mfa"))  # RFC 8176 has no value for a code kept on paper
PASSWORD_AND_PASSKEY = AuthenticationContext(PASSKEY_ACR, ("pwd", "pop", "user", "mfa"))
PASSWORD_AND_EMAIL = AuthenticationContext(EMAIL_ACR, ("pwd",))  # what was shown, beside the proof of an address
PASSKEY_ALONE = AuthenticationContext(PASSKEY_ACR, ("pop", "user", "mfa"))  # decisions.md §21


@dataclass(frozen=True, slots=True)
class PersonView:
    """A person as the other rooms see them."""

    id: PersonId
    given_name: str
    family_name: str
    email: str
    language: Literal["fr", "en"]
    last_sign_in_at: datetime | None
    previous_sign_in_at: datetime | None = None

    @property
    def name(self) -> str:
        """Return the name in full; who has one name only has no given name, who left long ago has none at all."""
        return names.full(self.given_name, self.family_name)


@dataclass(frozen=True, slots=True)
class UserCodeStatus:
    """Where a user code is, and when it got there."""

    code: UserCode
    person_id: PersonId
    state: CodeState
    revealed_at: datetime | None
    expires_at: datetime | None
    first_used_at: datetime | None
    activated_at: datetime | None


@dataclass(frozen=True, slots=True)
class SignIn:
    """A person signed in on one browser. ``sid`` stays for its whole life; the cookie's secret does not."""

    sid: str
    person_id: PersonId
    user_code: str
    auth_time: datetime
    acr: str
    amr: tuple[str, ...]
    enterprise_id: str | None

    @property
    def is_weak(self) -> bool:
        """Return whether it rests on a code by e-mail: it opens what is marked for it, and no agency (ADR 0014)."""
        return self.acr == EMAIL_ACR


@dataclass(frozen=True, slots=True)
class OpenSignIn:
    """A sign-in as the account page lists it."""

    sid: str
    device: str
    started_at: datetime
    seen_at: datetime
    enterprise_id: str | None = None


@dataclass(frozen=True, slots=True)
class CompletedSignIn:
    """The outcome of a completed sign-in: the session, and the new secret of its cookie.

    One that *falls short* of what its person must show leads to where they add a passkey.
    """

    sign_in: SignIn
    token: str
    next_path: str
    falls_short: bool = False


def mask_email(address: str) -> str:
    """Return *address* so that its owner knows it again and no other person learns it."""
    local, _, domain = address.partition("@")
    return f"{local[:1]}•••@{domain}"


def device_words(user_agent: str) -> str:
    """Return the browser and the system named by a User-Agent header, for its owner to recognize."""
    browsers = (("Edg/", "Edge"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
    systems = (
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("Linux", "Linux"),
    )
    found = [next((name for mark, name in marks if mark in user_agent), "") for marks in (browsers, systems)]
    return ", ".join(word for word in found if word)
