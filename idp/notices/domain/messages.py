"""Messages the provider sends: an e-mail, a letter to print, a signal to an agency."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Email:
    """An e-mail to one person; ``html`` is an alternative to ``text``, never instead of it."""

    to: str
    subject: str
    text: str = field(repr=False)
    html: str | None = field(default=None, repr=False)
    language: str = "fr"


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter to print: the file ``<name>.pdf`` in the outbox folder. The name contains no personal data."""

    name: str
    template: str
    data: dict[str, object] = field(repr=False)
    language: str = "fr"


@dataclass(frozen=True, slots=True)
class Signal:
    """A form posted to an agency; it is delivered when the agency returns 200 or 204."""

    url: str
    form: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Push:
    """A body posted to a receiver; it is delivered when the receiver returns 202 (RFC 8935 §2.2)."""

    url: str
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)


Message = Email | Letter | Signal | Push
