"""Tables of accounts: people, their codes and factors, their sign-ins, and the attempts against them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, BigInteger, Boolean, ForeignKey, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base, UtcDateTime


class Person(Base):
    """A person with an account, or who is about to have one."""

    __tablename__ = "person"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    given_name: Mapped[str] = mapped_column(String(100))
    family_name: Mapped[str] = mapped_column(String(100))
    email: Mapped[str] = mapped_column(String(254))
    language: Mapped[str] = mapped_column(String(2))
    is_operator: Mapped[bool] = mapped_column(Boolean, default=False)
    required_level: Mapped[int] = mapped_column(Integer, default=2, server_default="2")  # decisions.md §6
    access: Mapped[str] = mapped_column(String(16), default="open", server_default="open")
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_sign_in_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    previous_sign_in_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class NameChange(Base):
    """A name corrected by its person: the log, which holds no name, points here."""

    __tablename__ = "name_change"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    person_id: Mapped[str] = mapped_column(String(32), ForeignKey("person.id"), index=True)
    former_given_name: Mapped[str] = mapped_column(String(100))
    former_family_name: Mapped[str] = mapped_column(String(100))
    given_name: Mapped[str] = mapped_column(String(100))
    family_name: Mapped[str] = mapped_column(String(100))
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class UserCodeRow(Base):
    """A user code and its temporary password, of which only a keyed digest is kept."""

    __tablename__ = "user_code"

    code: Mapped[str] = mapped_column(String(8), primary_key=True)
    person_id: Mapped[str] = mapped_column(String(32), ForeignKey("person.id"), index=True)
    state: Mapped[str] = mapped_column(String(16))
    issued_at: Mapped[datetime] = mapped_column(UtcDateTime)
    secret_digest: Mapped[str | None] = mapped_column(String(64))
    pairing: Mapped[str | None] = mapped_column(String(8))
    revealed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    first_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    activated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Password(Base):
    """The password of a person, as argon2id over a keyed digest."""

    __tablename__ = "password"

    person_id: Mapped[str] = mapped_column(String(32), ForeignKey("person.id"), primary_key=True)
    hash: Mapped[str] = mapped_column(String(255))
    set_at: Mapped[datetime] = mapped_column(UtcDateTime)


class TotpDevice(Base):
    """An application that makes codes; a person may have several. Each time step is accepted once."""

    __tablename__ = "totp_device"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    person_id: Mapped[str] = mapped_column(String(32), ForeignKey("person.id"), index=True)
    secret: Mapped[str] = mapped_column(Text)  # sealed for totp:<id>
    last_step: Mapped[int] = mapped_column(Integer)
    nickname: Mapped[str | None] = mapped_column(String(60))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class PasskeyOwner(Base):
    """The random name under which passkeys know a person: no code, number or address (WebAuthn §14.6.1)."""

    __tablename__ = "passkey_owner"

    person_id: Mapped[str] = mapped_column(String(32), ForeignKey("person.id"), primary_key=True)
    handle: Mapped[str] = mapped_column(String(43), unique=True)


class Passkey(Base):
    """A passkey; only its public key is here, and no other person can sign with it."""

    __tablename__ = "passkey"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    person_id: Mapped[str] = mapped_column(String(32), ForeignKey("person.id"), index=True)
    credential_id: Mapped[str] = mapped_column(String(1400), unique=True)  # base64url of at most 1,023 bytes
    public_key: Mapped[str] = mapped_column(Text)  # COSE, base64url
    sign_count: Mapped[int] = mapped_column(BigInteger)
    aaguid: Mapped[str] = mapped_column(String(36))
    transports: Mapped[list[str]] = mapped_column(JSON)
    may_be_backed_up: Mapped[bool] = mapped_column(Boolean)
    is_backed_up: Mapped[bool] = mapped_column(Boolean)
    nickname: Mapped[str] = mapped_column(String(60))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class PasskeyCeremony(Base):
    """A challenge given to one browser for one purpose; it is valid once. Without a person, any person's passkey may answer."""

    __tablename__ = "passkey_ceremony"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    secret_digest: Mapped[str] = mapped_column(String(64), unique=True)
    purpose: Mapped[str] = mapped_column(String(16))
    person_id: Mapped[str | None] = mapped_column(String(32), ForeignKey("person.id"), index=True)
    challenge: Mapped[str] = mapped_column(String(43))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class RecoveryCode(Base):
    """A code kept on paper, of which a keyed digest remains; a person has ten, each good once."""

    __tablename__ = "recovery_code"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    person_id: Mapped[str] = mapped_column(String(32), ForeignKey("person.id"), index=True)
    code_digest: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class SignInRow(Base):
    """A sign-in. ``sid`` stays; the secret of the cookie changes, and only its digest is kept."""

    __tablename__ = "sign_in"

    sid: Mapped[str] = mapped_column(String(32), primary_key=True)
    secret_digest: Mapped[str] = mapped_column(String(64), unique=True)
    person_id: Mapped[str] = mapped_column(String(32), ForeignKey("person.id"), index=True)
    user_code: Mapped[str] = mapped_column(String(8))
    auth_time: Mapped[datetime] = mapped_column(UtcDateTime)
    acr: Mapped[str] = mapped_column(String(64))
    amr: Mapped[list[str]] = mapped_column(JSON)
    enterprise_id: Mapped[str | None] = mapped_column(String(32))
    device: Mapped[str] = mapped_column(String(80))
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    idle_seconds: Mapped[int] = mapped_column(Integer)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Challenge(Base):
    """What a person has begun and not finished, bound to their browser by a secret of which a digest is kept.

    One without a person stands for a user code that does not exist: it makes the same work, and opens nothing (S-46).
    """

    __tablename__ = "challenge"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    secret_digest: Mapped[str] = mapped_column(String(64), unique=True)
    kind: Mapped[str] = mapped_column(String(16))
    step: Mapped[str] = mapped_column(String(16))
    person_id: Mapped[str | None] = mapped_column(String(32), ForeignKey("person.id"), index=True)
    user_code: Mapped[str] = mapped_column(String(8), index=True)
    next_path: Mapped[str] = mapped_column(Text)
    password_hash: Mapped[str | None] = mapped_column(String(255))
    totp_secret: Mapped[str | None] = mapped_column(Text)  # sealed for challenge:<id>
    answer_digest: Mapped[str | None] = mapped_column(String(64))  # of what was typed last: a form may come twice
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class EmailCode(Base):
    """A code sent by e-mail, of which a keyed digest is kept."""

    __tablename__ = "email_code"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    challenge_id: Mapped[str] = mapped_column(String(32), ForeignKey("challenge.id"), index=True)
    code_digest: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    tries: Mapped[int] = mapped_column(Integer, default=0)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class AttemptCounter(Base):
    """Attempts in a row that were not right: one row a person, or one for a code that does not exist."""

    __tablename__ = "guess_counter"

    subject: Mapped[str] = mapped_column(String(80), primary_key=True)
    failures: Mapped[int] = mapped_column(Integer)
    locked_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
