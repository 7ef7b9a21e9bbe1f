"""Codes of an application (RFC 6238): the secret, its QR code, and which step a code belongs to. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO

import pyotp
import segno

STEP_SECONDS = 30
DIGITS = 6
DRIFT = 1  # steps accepted before and after the present one (decisions.md §28)
ISSUER = "Mandat"


@dataclass(frozen=True, slots=True)
class TotpOffer:
    """A secret offered to an application, before a code confirms it."""

    secret: str = field(repr=False)
    address: str = field(repr=False)

    @property
    def grouped(self) -> str:
        """Return the secret in groups of four, as it is typed by hand."""
        return " ".join(self.secret[start : start + 4] for start in range(0, len(self.secret), 4))

    @property
    def svg(self) -> str:
        """Return the QR code as SVG: presentation attributes only, no style and no script (interface.md §6)."""
        buffer = BytesIO()
        segno.make(self.address, error="m", micro=False).save(
            buffer,
            kind="svg",
            xmldecl=False,
            omitsize=True,
            border=4,
            light="#fff",
            dark="#000",
            nl=False,
            svgclass=None,
            lineclass=None,
        )
        return buffer.getvalue().decode()


def draw_secret() -> str:
    """Draw a secret of 160 bits, in base 32 (RFC 4226 §4, R6)."""
    return str(pyotp.random_base32(32))


def offer(secret: str, account: str) -> TotpOffer:
    """Return *secret* as an application reads it; *account* is the user code it is for."""
    return TotpOffer(secret, pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=ISSUER))


def read_code(text: str) -> str | None:
    """Return the six digits typed, spaces ignored, or None."""
    digits = "".join(text.split()).replace("\u202f", "") if len(text) <= 32 else ""
    return digits if len(digits) == DIGITS and digits.isascii() and digits.isdigit() else None


def step_of(secret: str, code: str, now: datetime) -> int | None:
    """Return the time step *code* belongs to, within the drift, or None when it is wrong.

    The caller accepts a step only when it is later than the last one accepted: a code works once (security-bar.md S-53).
    """
    generator = pyotp.TOTP(secret)
    present = int(now.timestamp()) // STEP_SECONDS
    found = None
    for step in range(present - DRIFT, present + DRIFT + 1):
        if pyotp.utils.strings_equal(generator.generate_otp(step), code):
            found = step
    return found
