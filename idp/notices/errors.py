"""Why a notice does not leave."""

from __future__ import annotations

from datetime import datetime


class UndeliverableError(Exception):
    """The notice did not leave this time; the text is for the log and names no person."""


class PostponedError(UndeliverableError):
    """The notice is to leave later, and this is no failure: *until* is when."""

    def __init__(self, until: datetime) -> None:
        super().__init__("postponed")
        self.until = until


class BouncedError(UndeliverableError):
    """The server of an address refused it for good; the address is never in the text."""

    def __init__(self, address: str, status: int) -> None:
        super().__init__(f"refused with {status}")
        self.address, self.status = address, status


class RefusedContentError(UndeliverableError):
    """A server refused for good what an e-mail says, not the address: a filter, a size, a rule of the relay."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the message was refused with {status}")


class UnknownKindError(UndeliverableError):
    """Nobody registered a renderer for this kind."""


class RefusedAnswerError(UndeliverableError):
    """The receiver answered and did not take it; the text is a status and at most a code, so an operator may read it."""
