"""What accounts refuses with an exception: broken invariants, never what a person can correct."""

from __future__ import annotations

from ..errors import UnavailableError


class BusyError(UnavailableError):
    """Too many passwords are being checked at once; the person tries again in a moment."""

    code = "busy"
    retry_after = 2  # seconds
