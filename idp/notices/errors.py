"""Why a notice does not leave."""

from __future__ import annotations


class UndeliverableError(Exception):
    """The notice did not leave this time; the text is for the log and names no person."""


class UnknownKindError(UndeliverableError):
    """Nobody registered a renderer for this kind."""


class RefusedAnswerError(UndeliverableError):
    """The receiver answered and did not take it; the text is a status and at most a code, so an operator may read it."""
