"""The identifiers of the domain: the published and the invented vectors, and what holds for every number."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.identifiers import (
    NEQ_FAMILIES,
    USER_CODE_SIGNS,
    CheckDigitPolicy,
    IdentifierFault,
    InvalidIdentifierError,
    Neq,
    RevenuQuebecId,
    UserCode,
)

VALID_NEQ = (
    "1100000018 1100001230 1109876541 1123456783 2200000018 2200001230 3300000018 3309876541 8800000018 8809876541"
)
VALID_NUMBERS = "1224002901 1214326422 9000000008 9000000016 9000000121 9999999996 1000000091 1000000040 1000000031"
SEPARATORS = st.sampled_from((" ", "-", "\u00a0", "\u202f", "\u2011", "\u2013", "\t", ""))
SERIALS = st.text("0123456789", min_size=7, max_size=7)


def fault(kind: type[Neq] | type[RevenuQuebecId] | type[UserCode], text: str) -> IdentifierFault:
    with pytest.raises(InvalidIdentifierError) as raised:
        kind.parse(text)
    return raised.value.fault


@pytest.mark.parametrize("digits", VALID_NEQ.split())
def test_the_fictitious_neq_are_valid(digits: str) -> None:
    """Every number of domain.md §6.1; equivalently, the Luhn sum of all ten digits is 3, 6, 9 or 5 by family."""
    neq = Neq.parse(digits)

    assert (neq.digits, neq.check_digit_holds) == (digits, True)
    luhn = sum(sum(divmod(int(d) * (1 + place % 2), 10)) for place, d in enumerate(reversed(digits)))
    assert luhn % 10 == {"11": 3, "22": 6, "33": 9, "88": 5}[neq.family]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("1100000019", IdentifierFault.CHECK_DIGIT),
        ("1170000000", IdentifierFault.CHECK_DIGIT),
        ("1234567890", IdentifierFault.FAMILY),
        ("117000000", IdentifierFault.LENGTH),
        ("11000000180", IdentifierFault.LENGTH),
        ("11000O0018", IdentifierFault.NOT_DIGITS),
        ("", IdentifierFault.EMPTY),
        (" - \u00a0", IdentifierFault.EMPTY),
        ("١١٠٠٠٠٠٠١٨", IdentifierFault.NOT_DIGITS),
        ("１１００００００１８", IdentifierFault.NOT_DIGITS),
        ("110000001²", IdentifierFault.NOT_DIGITS),
        ("+1100000018", IdentifierFault.NOT_DIGITS),
        ("1100000018\n", IdentifierFault.NOT_DIGITS),
    ],
)
def test_a_wrong_neq_is_refused_with_its_fault(text: str, wanted: IdentifierFault) -> None:
    """Check digit, family, length, letters, other scripts' digits."""
    assert fault(Neq, text) is wanted


@pytest.mark.parametrize(
    "text", ["1100 000 018", "1100-000-018", "1100\u00a0000\u00a0018", " 1100\u202f000\u2011018\t"]
)
def test_separators_of_a_neq_are_ignored(text: str) -> None:
    """People write groups; the number is shown in groups."""
    assert Neq.parse(text) == Neq("1100000018")
    assert str(Neq.parse(text)) == "1100\u00a0000\u00a0018"


def test_a_public_body_is_warned_never_refused() -> None:
    """Few numbers of family 88 were seen: the check digit only warns."""
    assert not Neq.parse("8800000019").check_digit_holds


@pytest.mark.parametrize("policy", ["warn", "off"])
def test_the_setting_lets_a_wrong_check_digit_through(policy: CheckDigitPolicy) -> None:
    """The rule was measured, not published; the family still counts."""
    assert not Neq.parse("1100000019", policy).check_digit_holds
    with pytest.raises(InvalidIdentifierError, match="family"):
        Neq.parse("1234567890", policy)


@given(st.sampled_from(NEQ_FAMILIES), SERIALS)
def test_each_serial_has_exactly_one_check_digit(family: str, serial: str) -> None:
    """One mistyped last digit is always caught."""
    assert sum(Neq(f"{family}{serial}{last}").check_digit_holds for last in range(10)) == 1


@given(st.sampled_from(("11", "22", "33")), SERIALS, st.integers(0, 7), st.integers(1, 9))
def test_one_wrong_digit_is_always_caught(family: str, serial: str, place: int, step: int) -> None:
    """Any single digit among the last eight."""
    digits = next(text for last in range(10) if Neq(text := f"{family}{serial}{last}").check_digit_holds)
    at = place + 2
    wrong = f"{digits[:at]}{(int(digits[at]) + step) % 10}{digits[at + 1 :]}"

    assert fault(Neq, wrong) is IdentifierFault.CHECK_DIGIT


@given(st.sampled_from(VALID_NEQ.split()), st.lists(SEPARATORS, min_size=11, max_size=11))
def test_separators_anywhere_change_nothing(digits: str, between: list[str]) -> None:
    """Whatever is pasted between digits."""
    text = between[0] + "".join(digit + sign for digit, sign in zip(digits, between[1:], strict=True))

    assert Neq.parse(text).digits == digits
    assert Neq.parse(str(Neq(digits))).digits == digits


@given(st.text())
def test_any_text_is_an_identifier_or_a_fault(text: str) -> None:
    """Nothing else is ever raised, and what is read is ten ASCII digits or eight signs."""
    for kind, shape in ((Neq, 10), (RevenuQuebecId, 10), (UserCode, 8)):
        try:
            read = kind.parse(text)
        except InvalidIdentifierError:
            continue
        value = read.signs if isinstance(read, UserCode) else read.digits
        assert value.isascii()
        assert len(value) == shape


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        *((number, True) for number in VALID_NUMBERS.split()),
        ("1224002902", False),
        ("1234567890", False),
        ("9000007774", False),
    ],
)
def test_a_doubtful_revenu_quebec_number_is_read_all_the_same(text: str, holds: bool) -> None:
    """The check digit warns only, at its borders too (s = 0, 1, 10)."""
    assert RevenuQuebecId.parse(text).check_digit_holds is holds


@pytest.mark.parametrize(
    "text", ["9000000008TQ0001", "9000000008 rs 0001", "9000-000-008 IC 0001", "9000 000 008", "9000000008TQ0000"]
)
def test_the_file_suffix_of_a_revenu_quebec_number_is_dropped(text: str) -> None:
    """Only the first ten digits identify the account."""
    assert RevenuQuebecId.parse(text).digits == "9000000008"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("1224002901 TQ 000", IdentifierFault.NOT_DIGITS),
        ("900000008", IdentifierFault.LENGTH),
        ("9000000008TQ00٠1", IdentifierFault.NOT_DIGITS),
        ("9000000008ÉÈ0001", IdentifierFault.NOT_DIGITS),
        ("", IdentifierFault.EMPTY),
    ],
)
def test_a_wrong_revenu_quebec_number_is_refused(text: str, wanted: IdentifierFault) -> None:
    """Length and digits refuse; a suffix is two Latin letters and four digits."""
    assert fault(RevenuQuebecId, text) is wanted


def test_a_revenu_quebec_number_is_not_shown_by_repr() -> None:
    """It never leaves the provider, by a log neither."""
    assert "9000000008" not in repr(RevenuQuebecId("9000000008"))


@pytest.mark.parametrize("text", ["QX4T-7712", "qx4t7712", " QX4T 7712 ", "qx4t\u20117712"])
def test_a_user_code_is_read_whatever_its_case_and_separators(text: str) -> None:
    """It is shown in two groups and masked in an e-mail."""
    code = UserCode.parse(text)

    assert (code.signs, str(code), code.masked) == ("QX4T7712", "QX4T-7712", "QX••-••12")


@pytest.mark.parametrize(
    "text",
    ["OX4T-7712", "QX4T-771", "QX4T-77120", "QX4T-77I2", "QX0T-7712", "QX4T-77١2", "SX4T-7712".replace("S", "ſ")],
)
def test_a_wrong_user_code_is_refused(text: str) -> None:
    """Look-alikes are no signs of a code."""
    assert fault(UserCode, text) is IdentifierFault.SHAPE


def test_a_code_drawn_is_one_that_can_be_read() -> None:
    """Thirty signs, no look-alike."""
    assert len(set(USER_CODE_SIGNS)) == 30
    for _ in range(100):
        code = UserCode.draw()
        assert UserCode.parse(str(code).lower()) == code
