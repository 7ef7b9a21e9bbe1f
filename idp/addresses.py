"""E-mail addresses as stored and sent: the domain in ASCII, the part before the @ as its owner writes it.

A domain in another script is encoded with IDNA 2008 (RFC 5891), which every relay accepts. The part before the @ has no
ASCII form: a relay that offers SMTPUTF8 (RFC 6531) carries it, others cannot, so the form refuses it.
"""

from __future__ import annotations

from enum import StrEnum

from email_validator import EmailNotValidError, validate_email

LONGEST = 254  # RFC 5321 §4.5.3.1.3, without the angle brackets


class AddressFault(StrEnum):
    """Why a text is not an address that e-mail can reach from this deployment."""

    SHAPE = "shape"
    LOCAL_PART = "local_part"


class InvalidAddressError(ValueError):
    """The text is not an address that e-mail can reach from this deployment."""

    def __init__(self, fault: AddressFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


def parse(text: str, *, smtp_utf8: bool, is_public: bool = True) -> str:
    """Return the address in *text* with its domain in ASCII, at most 254 characters.

    *smtp_utf8* says whether the relay offers SMTPUTF8; *is_public* refuses names of a local network. No name is
    resolved: the code sent there shows whether the address exists.

    Raises:
        InvalidAddressError: it is not an address, or the relay cannot carry the part before the @.
    """
    try:
        found = validate_email(text, check_deliverability=False, globally_deliverable=is_public, strict=True)
    except EmailNotValidError:
        raise InvalidAddressError(AddressFault.SHAPE) from None
    address = f"{found.local_part}@{found.ascii_domain}"
    if len(address.encode()) > LONGEST:
        raise InvalidAddressError(AddressFault.SHAPE)
    if needs_smtp_utf8(address) and not smtp_utf8:
        raise InvalidAddressError(AddressFault.LOCAL_PART)
    return address


def needs_smtp_utf8(address: str) -> bool:
    """Return whether *address* requires SMTPUTF8."""
    return not address.isascii()
