"""Reasons why a notice is not sent."""

from __future__ import annotations

from datetime import datetime


class UndeliverableError(Exception):
    """The notice was not sent this time; the text is for the log and names no person."""


class PostponedError(UndeliverableError):
    """The notice is to be sent later, and this is not a failure: *until* is the instant."""

    def __init__(self, until: datetime) -> None:
        super().__init__("postponed")
        self.until = until


class BouncedError(UndeliverableError):
    """The server of an address refused it permanently; the address is never in the text."""

    def __init__(self, address: str, status: int) -> None:
        super().__init__(f"refused with {status}")
        self.address, self.status = address, status


class RefusedContentError(UndeliverableError):
    """A server permanently refused the content of an e-mail, not the address: a filter, a size, a rule of the relay."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the message was refused with {status}")


class UnknownKindError(UndeliverableError):
    """No renderer is registered for this kind."""


class RefusedAnswerError(UndeliverableError):
    """The receiver responded with a refusal; the text is a status and at most a code, so an operator may read it."""
