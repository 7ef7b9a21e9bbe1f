"""The refusals of the protocol.

Until client and redirect URI are proven a refusal is a page (:class:`UnprovenRequestError`); afterwards it is an answer to
the client (:class:`AuthorizationRefusedError`). Descriptions are printable ASCII without quotes or backslashes.
"""

from __future__ import annotations

from ..errors import MandatError


class UnprovenRequestError(MandatError):
    """The request cannot be answered by a redirect; ``code`` says why and is shown as ``#error-code``."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(detail)
        self.code = code


class OverError(Exception):
    """The interaction was completed meanwhile, or its pushed request used up."""


class AuthorizationRefusedError(Exception):
    """An error to send to the proven redirect URI (RFC 6749 §4.1.2.1)."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(error)
        self.error = error
        self.description = description


class RegistrationError(Exception):
    """A registration is refused (RFC 7591 §3.2.2): an error code and a sentence in plain ASCII."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(error)
        self.error = error
        self.description = description
        self.status = status


class UnknownTokenError(Exception):
    """No token, or not one that opens this (RFC 6750 §3.1)."""


class ClientFileError(Exception):
    """A file of clients holds mistakes; ``mistakes`` lists all of them, one sentence each."""

    def __init__(self, mistakes: tuple[str, ...]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes
