"""Identifiers of the domain: parsed once on input, then trusted.

Sources: domain.md §6.1 (NEQ), §6.2 (Revenu Québec number), decisions.md §2 (user codes).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, NewType, Self

PersonId = NewType("PersonId", str)
EnterpriseId = NewType("EnterpriseId", str)
MembershipId = NewType("MembershipId", str)
AgencyId = NewType("AgencyId", str)

CheckDigitPolicy = Literal["reject", "warn", "off"]

NEQ_FAMILIES = ("11", "22", "33", "88")
USER_CODE_SIGNS = "ABCDEFGHJKLMNPQRSTUVWXYZ346789"  # thirty characters; no 0 O, 1 I, 2, 5 to misread
_SEPARATORS = dict.fromkeys(map(ord, " -\u00a0\u202f\u2010\u2011\u2013\t"))


class IdentifierFault(StrEnum):
    """Why a text is not the identifier it should be."""

    EMPTY = "empty"
    NOT_DIGITS = "not_digits"
    LENGTH = "length"
    FAMILY = "family"
    CHECK_DIGIT = "check_digit"
    SHAPE = "shape"


class InvalidIdentifierError(ValueError):
    """The text cannot be read as this identifier; ``fault`` says why."""

    def __init__(self, fault: IdentifierFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


def _ten_digits(text: str) -> str:
    digits = text.translate(_SEPARATORS)
    if not digits:
        raise InvalidIdentifierError(IdentifierFault.EMPTY)
    if not (digits.isascii() and digits.isdigit()):
        raise InvalidIdentifierError(IdentifierFault.NOT_DIGITS)
    if len(digits) != 10:
        raise InvalidIdentifierError(IdentifierFault.LENGTH)
    return digits


def _luhn_holds(digits: str) -> bool:
    total = 0
    for position, sign in enumerate(reversed(digits)):
        value = int(sign) * (2 if position % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


@dataclass(frozen=True, slots=True, order=True)
class Neq:
    """A Québec enterprise number: ten digits, shown as ``1100 000 018``."""

    digits: str

    @classmethod
    def parse(cls, text: str, check_digit: CheckDigitPolicy = "reject") -> Self:
        """Read *text*; spaces and hyphens are ignored (domain.md §6.1).

        Raises:
            InvalidIdentifierError: with the fault; a wrong check digit is accepted for a public body (family 88).
        """
        neq = cls(_ten_digits(text))
        if neq.family not in NEQ_FAMILIES:
            raise InvalidIdentifierError(IdentifierFault.FAMILY)
        if check_digit == "reject" and neq.family != "88" and not neq.check_digit_holds:
            raise InvalidIdentifierError(IdentifierFault.CHECK_DIGIT)
        return neq

    @property
    def family(self) -> str:
        """Return the first two digits: 11 legal persons, 22 individuals, 33 groups, 88 public bodies."""
        return self.digits[:2]

    @property
    def check_digit_holds(self) -> bool:
        """Return whether digits 3 to 10 form a Luhn number; measured, not published (domain.md §6.1)."""
        return _luhn_holds(self.digits[2:])

    def __str__(self) -> str:
        return f"{self.digits[:4]}\u00a0{self.digits[4:7]}\u00a0{self.digits[7:]}"


def with_neq(name: str, neq: str) -> str:
    """Return the name of an enterprise with its NEQ, as pages and messages show it: enterprises may share a name."""
    number = Neq(neq)
    if name in (str(number), neq, f"NEQ {neq}"):  # known only by its number
        return f"NEQ\u00a0{number}"
    return f"{name} (NEQ\u00a0{number})"


@dataclass(frozen=True, slots=True, order=True)
class RevenuQuebecId:
    """A Revenu Québec identification number: ten digits. It never leaves the provider."""

    digits: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read *text*; a file suffix such as ``TQ0001`` is dropped.

        Raises:
            InvalidIdentifierError: not ten digits. A doubtful check digit is not a fault: see ``check_digit_holds``.
        """
        compact = text.translate(_SEPARATORS).upper()
        if len(compact) == 16 and compact.isascii() and compact[10:12].isalpha() and compact[12:].isdigit():
            compact = compact[:10]
        return cls(_ten_digits(compact))

    @property
    def check_digit_holds(self) -> bool:
        """Return whether the modulo 11 check digit agrees; some real numbers fail, so it only warns."""
        weighted = sum(int(d) * w for d, w in zip(self.digits[:9], (4, 3, 2, 7, 6, 5, 4, 3, 2), strict=True))
        return (11 - weighted % 11) % 10 == int(self.digits[9])

    def __str__(self) -> str:
        return self.digits

    def __repr__(self) -> str:
        return "RevenuQuebecId(…)"


@dataclass(frozen=True, slots=True, order=True)
class UserCode:
    """A person's sign-in code: four letters or digits, then four digits, shown as ``QX4T-7712``; not a secret."""

    signs: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read *text*, whatever its case, hyphens or spaces.

        Raises:
            InvalidIdentifierError: the text does not have the shape of a user code.
        """
        typed = text.translate(_SEPARATORS)
        if not typed:
            raise InvalidIdentifierError(IdentifierFault.EMPTY)
        signs = typed.upper() if typed.isascii() else ""  # "ſ" would become a code character
        first, last = signs[:4], signs[4:]
        if len(signs) != 8 or not set(first) <= set(USER_CODE_SIGNS) or not (last.isascii() and last.isdigit()):
            raise InvalidIdentifierError(IdentifierFault.SHAPE)
        return cls(signs)

    @classmethod
    def draw(cls) -> Self:
        """Draw a code at random; the caller ensures that it is new."""
        head = "".join(secrets.choice(USER_CODE_SIGNS) for _ in range(4))
        return cls(f"{head}{secrets.randbelow(10_000):04d}")

    @property
    def masked(self) -> str:
        """Return the code in the masked form for e-mails: ``QX••-••12``."""
        return f"{self.signs[:2]}••-••{self.signs[6:]}"

    def __str__(self) -> str:
        return f"{self.signs[:4]}-{self.signs[4:]}"
