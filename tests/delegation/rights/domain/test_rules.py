"""Who may give, take and change what: every objection has its line (security-bar.md S-66)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from idp.delegation.people.domain.roles import EnterpriseStatus, MembershipStatus, Role
from idp.delegation.rights.domain import rules
from idp.delegation.rights.domain.authority import UNRESTRICTED, Authority, HeldBlocks
from idp.delegation.rights.domain.rules import DenialReason, Member

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
IN_A_YEAR = date(2027, 11, 23)
AMP = ("001", "005", "007", "008", "018", "019", "024")

PES = Authority(
    person_id="p_pes",
    enterprise_id="e_a",
    neq="1100000455",
    enterprise_name="Construction Haute-Licorne inc.",
    enterprise_status=EnterpriseStatus.ACTIVE,
    role=Role.PES,
    agency_id="amp",
    locations=("https://portal.amp.example/",),
    catalogue_version="2026-11",
    held=(HeldBlocks(AMP, None, ()),),
    version=1,
)
JULIE = Member("m_julie", "p_julie", "e_a", Role.USER, MembershipStatus.ACTIVE)


def test_a_pes_may_pass_on_what_the_enterprise_holds() -> None:
    """Blocks of the subscription, to an active user, until a date within two years."""
    assert rules.may_grant(PES, to=JULIE, blocks=frozenset({"001", "008"}), until=IN_A_YEAR, subscribed=True, now=NOW)
    assert rules.may_grant(PES, to=JULIE, blocks=frozenset({UNRESTRICTED}), until=IN_A_YEAR, subscribed=True, now=NOW)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"granter": replace(PES, role=Role.USER)}, DenialReason.NOT_A_PES),
        ({"granter": replace(PES, role=Role.AUTHORIZED_REPRESENTATIVE)}, DenialReason.NOT_A_PES),
        ({"subscribed": False}, DenialReason.NOT_SUBSCRIBED),
        ({"granter": replace(PES, held=(HeldBlocks(("001",), None, ()),))}, DenialReason.BLOCK_NOT_HELD),
        ({"blocks": frozenset({"001", "101"})}, DenialReason.BLOCK_NOT_HELD),
        ({"to": replace(JULIE, person_id="p_pes")}, DenialReason.TO_SELF),
        ({"to": replace(JULIE, enterprise_id="e_b")}, DenialReason.OTHER_ENTERPRISE),
        ({"to": replace(JULIE, role=Role.AUTHORIZED_REPRESENTATIVE)}, DenialReason.NOT_A_USER),
        ({"to": replace(JULIE, role=Role.PES)}, DenialReason.NOT_A_USER),
        ({"to": replace(JULIE, status=MembershipStatus.SUSPENDED)}, DenialReason.MEMBER_SUSPENDED),
        ({"to": replace(JULIE, status=MembershipStatus.REMOVED)}, DenialReason.MEMBER_REMOVED),
        ({"until": date(2026, 11, 22)}, DenialReason.END_PAST),
        ({"until": date(2028, 11, 24)}, DenialReason.END_TOO_LATE),
        ({"blocks": frozenset()}, DenialReason.NOTHING_GRANTED),
    ],
)
def test_each_objection_is_named(changed: dict[str, object], reason: DenialReason) -> None:
    """One fact wrong, one reason."""
    act: dict[str, object] = {
        "granter": PES,
        "to": JULIE,
        "blocks": frozenset({"001", "008"}),
        "until": IN_A_YEAR,
        "subscribed": True,
    }

    assert rules.may_grant(**(act | changed), now=NOW).reasons == (reason,)  # type: ignore[arg-type]


def test_every_reason_is_told_at_once() -> None:
    """Two wrong things give two reasons."""
    decision = rules.may_grant(
        PES,
        to=replace(JULIE, status=MembershipStatus.SUSPENDED),
        blocks=frozenset({"101"}),
        until=date(2020, 1, 1),
        subscribed=True,
        now=NOW,
    )

    assert set(decision.reasons) == {DenialReason.BLOCK_NOT_HELD, DenialReason.MEMBER_SUSPENDED, DenialReason.END_PAST}


def test_the_last_day_counts_in_quebec() -> None:
    """A grant may still end today at 23:59:59 in Québec, even when it is tomorrow in UTC."""
    evening = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)

    assert not list(rules.end_objections(date(2026, 11, 23), evening))
    assert list(rules.end_objections(date(2026, 11, 22), evening)) == [DenialReason.END_PAST]


def test_two_years_is_the_limit_also_in_leap_years() -> None:
    """The same day two years later is accepted; February 29 becomes February 28."""
    assert rules.latest_end(NOW) == date(2028, 11, 23)
    assert rules.years_after(date(2028, 2, 29), 1) == date(2029, 2, 28)


OTHER_PES = Member("m_marc", "p_marc", "e_a", Role.PES, MembershipStatus.ACTIVE)
AR = Member("m_ar", "p_ar", "e_a", Role.AUTHORIZED_REPRESENTATIVE, MembershipStatus.ACTIVE)


@pytest.mark.parametrize(
    ("roles", "target", "active_pes", "reasons"),
    [
        ({Role.PES}, JULIE, 1, ()),
        ({Role.PES}, OTHER_PES, 2, ()),
        ({Role.AUTHORIZED_REPRESENTATIVE}, OTHER_PES, 2, ()),
        ({Role.AUTHORIZED_REPRESENTATIVE}, OTHER_PES, 1, (DenialReason.LAST_PES,)),
        ({Role.AUTHORIZED_REPRESENTATIVE}, JULIE, 2, (DenialReason.ROLE_TOO_LOW,)),
        ({Role.USER}, JULIE, 2, (DenialReason.ROLE_TOO_LOW,)),
        ({Role.PES}, AR, 2, (DenialReason.ROLE_TOO_LOW,)),
        ({Role.PES}, replace(OTHER_PES, person_id="p_pes"), 2, (DenialReason.TO_SELF,)),
        ({Role.PES}, replace(JULIE, status=MembershipStatus.SUSPENDED), 2, (DenialReason.ALREADY_SO,)),
        ({Role.PES}, replace(JULIE, status=MembershipStatus.REMOVED), 2, (DenialReason.MEMBER_REMOVED,)),
        (set(), JULIE, 2, (DenialReason.ROLE_TOO_LOW,)),
    ],
)
def test_who_may_suspend_whom(
    roles: set[Role], target: Member, active_pes: int, reasons: tuple[DenialReason, ...]
) -> None:
    """A PES suspends users and other PES, the AR suspends PES, and one PES always stays."""
    assert rules.may_suspend(frozenset(roles), "p_pes", target, active_pes=active_pes).reasons == reasons


@pytest.mark.parametrize(
    ("roles", "target", "reasons"),
    [
        ({Role.PES}, JULIE, ()),
        ({Role.PES}, OTHER_PES, (DenialReason.NOT_A_USER,)),
        ({Role.AUTHORIZED_REPRESENTATIVE}, JULIE, (DenialReason.NOT_A_PES,)),
        ({Role.USER}, JULIE, (DenialReason.NOT_A_PES,)),
    ],
)
def test_only_users_are_removed_and_only_by_a_pes(
    roles: set[Role], target: Member, reasons: tuple[DenialReason, ...]
) -> None:
    """A PES may only suspend another PES, never remove them (domain.md §3.1)."""
    assert rules.may_remove(frozenset(roles), "p_pes", target).reasons == reasons


def test_who_may_add_whom() -> None:
    """The AR adds PES, a PES adds users, nobody adds an AR."""
    allowed = {(actor, role): bool(rules.may_add(frozenset({actor}), role)) for actor in Role for role in Role}

    assert {pair for pair, yes in allowed.items() if yes} == {
        (Role.AUTHORIZED_REPRESENTATIVE, Role.PES),
        (Role.PES, Role.USER),
    }
