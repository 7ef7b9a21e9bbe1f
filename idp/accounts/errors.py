"""What accounts refuses with an exception: broken invariants, never what a person can correct."""

from __future__ import annotations

import secrets

from ..errors import UnavailableError


class BusyError(UnavailableError):
    """Too many passwords are being checked at once; the person may retry in a moment."""

    code = "busy"

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail)
        self.retry_after = 2 + secrets.randbelow(4)  # seconds; not the same for all, or they come back together
