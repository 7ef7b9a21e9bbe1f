"""Rights through their whole life: granted, changed, ended, frozen, each loss signalled exactly once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import Engine, event, select

from idp import audit
from idp.accounts import services as accounts
from idp.audit import SYSTEM, Event
from idp.clock import MovableClock, local_date
from idp.crypto.sealing import current_sealing
from idp.db import db, transaction
from idp.delegation import services
from idp.delegation.people.domain.roles import Role
from idp.delegation.people.domain.verification import VerificationRecord
from idp.delegation.rights.domain.rules import DenialReason
from idp.delegation.rights.rights_services import Right
from idp.errors import ConflictError, NotAllowedError, NotFoundError
from idp.notices.models import OutboxMessage
from idp.notices.services import _place


def signals(kind: str = "rights_removed") -> list[dict[str, object]]:
    rows = db.session.scalars(select(OutboxMessage).where(OutboxMessage.kind == kind))
    return [json.loads(current_sealing().unseal(row.payload, _place(row.id))) for row in rows]


@contextmanager
def statements() -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def test_the_story_of_julie(world, licorne) -> None:  # type: ignore[no-untyped-def]
    """She receives 001 and 008; 008 is removed: one signal, a higher version, and the agency confirms."""
    world.grant(licorne, licorne.julie, "001", "008")
    before = services.authority(licorne.julie.person_id, licorne.id, "amp", world.now)
    world.clock.advance(timedelta(minutes=5))

    world.grant(licorne, licorne.julie, "001")

    after = services.authority(licorne.julie.person_id, licorne.id, "amp", world.now)
    assert before is not None
    assert after is not None
    assert (before.blocks, after.blocks) == (("001", "008"), ("001",))
    assert after.version > before.version
    (removal,) = services.removals(licorne.id)
    assert (removal.blocks, removal.version, removal.confirmed_at) == (("008",), after.version, None)
    (signal,) = signals()
    assert signal == {
        "removal_id": removal.id,
        "person_id": licorne.julie.person_id,
        "enterprise_id": licorne.id,
        "agency_id": "amp",
        "version": after.version,
        "reason": "block_removed",
        "at": int(world.now.timestamp()),
    }

    world.clock.advance(timedelta(seconds=3))
    assert services.confirm_removal(removal.id, confirmed_at=world.now, sessions=1)
    assert not services.confirm_removal(removal.id, confirmed_at=world.now, sessions=5)
    (confirmed,) = services.removals(licorne.id)
    assert (confirmed.confirmed_at, confirmed.sessions) == (world.now, 1)


def test_reading_rights_is_one_statement(world, licorne) -> None:  # type: ignore[no-untyped-def]
    """The hot path of tokens asks the database once, and writes nothing when nothing changed."""
    world.grant(licorne, licorne.julie, "001", "008")
    services.authority(licorne.julie.person_id, licorne.id, "amp", world.now)

    for member in (licorne.julie, licorne.pes):
        services.authority(member.person_id, licorne.id, "amp", world.now)
        with statements() as seen:
            authority = services.authority(member.person_id, licorne.id, "amp", world.now)

        assert authority is not None
        of_rights = [s for s in seen if "agency." not in s.split("FROM")[0]]  # the catalogue is checked once a second
        assert len([s for s in of_rights if not s.startswith("BEGIN")]) == 1, seen


def test_reading_twice_changes_no_version(world, licorne) -> None:  # type: ignore[no-untyped-def]
    """The version grows only when the projection changes."""
    world.grant(licorne, licorne.julie, "001")
    first = world.version(licorne, licorne.julie)
    world.grant(licorne, licorne.julie, "001")
    world.grant(licorne, licorne.omar, "005")

    assert world.version(licorne, licorne.julie) == first


def test_a_date_ends_a_right_and_the_sweeper_tells(world, licorne) -> None:  # type: ignore[no-untyped-def]
    """The end date passes: the right is gone at once, and one signal leaves, from the sweeper or from a reader."""
    world.grant(licorne, licorne.julie, "001", days=1)
    world.grant(licorne, licorne.omar, "001", days=1)
    version = world.version(licorne, licorne.omar)
    world.clock.advance(timedelta(days=3))

    assert world.blocks(licorne, licorne.julie) == ()
    assert services.sweep_dates(world.now) == 1
    assert services.sweep_dates(world.now) == 0

    assert world.version(licorne, licorne.omar) == version + 1
    assert {removal.reason for removal in services.removals(licorne.id)} == {"end_date"}
    assert len(services.removals(licorne.id)) == len(signals()) == 2
    ended = [entry for entry in audit.entries(enterprise_id=licorne.id) if entry.event == Event.REVOKED]
    assert [entry.actor_kind for entry in ended] == ["system", "system"]


def test_a_suspension_freezes_and_a_reactivation_restores(world, licorne) -> None:  # type: ignore[no-untyped-def]
    """Grants are kept; while suspended there is no authority at all."""
    world.grant(licorne, licorne.julie, "001", "008")

    decision = services.suspend_member(licorne.id, licorne.julie.membership_id, by=licorne.pes.person_id, now=world.now)

    assert decision
    assert world.blocks(licorne, licorne.julie) is None
    assert [removal.reason for removal in services.removals(licorne.id)] == ["member_suspended"]
    services.reactivate_member(licorne.id, licorne.julie.membership_id, by=licorne.pes.person_id, now=world.now)
    assert world.blocks(licorne, licorne.julie) == ("001", "008")
    assert len(signals()) == 1


def test_a_departure_ends_everything(world, licorne) -> None:  # type: ignore[no-untyped-def]
    """Removing a user revokes each grant, retires the code, ends the sign-ins; added anew they start from nothing."""
    world.grant(licorne, licorne.julie, "001")

    assert services.remove_member(licorne.id, licorne.julie.membership_id, by=licorne.pes.person_id, now=world.now)

    assert world.blocks(licorne, licorne.julie) is None
    code = accounts.user_codes([licorne.julie.user_code])[licorne.julie.user_code]
    assert code.state == "revoked"
    again = accounts.issue_user_code(licorne.julie.person_id, now=world.now)
    services.appoint(licorne.id, licorne.julie.person_id, Role.USER, user_code=again.signs, actor=SYSTEM, now=world.now)
    assert world.blocks(licorne, licorne.julie) == ()


def test_the_last_active_pes_stays(world, licorne) -> None:  # type: ignore[no-untyped-def]
    """The second PES goes, the last one does not."""
    first = services.suspend_member(licorne.id, licorne.marc.membership_id, by=licorne.pes.person_id, now=world.now)
    last = services.suspend_member(licorne.id, licorne.pes.membership_id, by=licorne.ar.person_id, now=world.now)

    assert first
    assert last.reasons == (DenialReason.LAST_PES,)


def test_a_withdrawn_subscription_takes_everybodys_blocks(world, licorne) -> None:  # type: ignore[no-untyped-def]
    """The PES loses them too; each person who held some is signalled once; grants do not come back with the subscription."""
    world.grant(licorne, licorne.julie, "001")

    world.withdraw(licorne)

    assert [world.blocks(licorne, who) for who in (licorne.pes, licorne.marc, licorne.julie)] == [(), (), ()]
    assert {removal.person_id for removal in services.removals(licorne.id)} == {
        licorne.pes.person_id,
        licorne.marc.person_id,
        licorne.julie.person_id,
    }
    assert len(signals()) == 3


def test_a_suspended_enterprise_acts_through_nobody(world, licorne) -> None:  # type: ignore[no-untyped-def]
    """Everybody who held something is signalled; a reinstatement gives the same rights back."""
    world.grant(licorne, licorne.julie, "001")

    services.suspend_enterprise(licorne.id, actor=SYSTEM, now=world.now)

    assert world.blocks(licorne, licorne.julie) is None
    assert world.blocks(licorne, licorne.pes) is None
    assert services.choices(licorne.julie.person_id, "amp", world.now) == ()
    told = {removal.person_id for removal in services.removals(licorne.id)}
    assert {licorne.julie.person_id, licorne.pes.person_id, licorne.ar.person_id} <= told
    services.reinstate_enterprise(licorne.id, actor=SYSTEM, now=world.now)
    assert world.blocks(licorne, licorne.julie) == ("001",)


def test_unrestricted_is_stored_once_and_told_in_full(world, licorne) -> None:  # type: ignore[no-untyped-def]
    """``*`` follows the subscription; it never leaves the provider."""
    world.grant(licorne, licorne.julie, "*")

    assert world.blocks(licorne, licorne.julie) == ("001", "005", "007", "008", "018", "019", "024")


@pytest.mark.parametrize("blocks", [("101",), ("001", "002")])
def test_what_the_enterprise_does_not_hold_is_refused(world, licorne, blocks: tuple[str, ...]) -> None:  # type: ignore[no-untyped-def]
    """A refused grant leaves nothing behind: no row, no revision, no entry."""
    entries = len(audit.entries(enterprise_id=licorne.id))

    with pytest.raises(NotAllowedError):
        world.grant(licorne, licorne.julie, *blocks)

    assert world.blocks(licorne, licorne.julie) == ()
    assert services.matrix(licorne.id, "amp", world.now).revision == 0
    assert len(audit.entries(enterprise_id=licorne.id)) == entries


def test_a_user_cannot_grant_nor_a_pes_of_another_enterprise(world, licorne, plumedor) -> None:  # type: ignore[no-untyped-def]
    """Only a PES of the enterprise grants, and only to its own users."""
    until = local_date(world.now) + timedelta(days=30)
    wanted = (Right(licorne.julie.membership_id, frozenset({"001"}), until),)
    for stranger in (licorne.julie, licorne.ar, plumedor.pes):
        with pytest.raises(NotAllowedError):
            services.set_rights(
                licorne.id, "amp", wanted, granter_id=stranger.person_id, seen_revision=None, now=world.now
            )
    with pytest.raises(NotFoundError):
        services.set_rights(
            plumedor.id, "amp", wanted, granter_id=plumedor.pes.person_id, seen_revision=None, now=world.now
        )

    assert world.blocks(licorne, licorne.julie) == ()


def test_rights_of_one_enterprise_never_show_in_another(world, licorne, plumedor) -> None:  # type: ignore[no-untyped-def]
    """Somebody of both carries one enterprise at a time (claims invariant 6)."""
    code = accounts.issue_user_code(licorne.julie.person_id, now=world.now)
    there = services.appoint(
        plumedor.id, licorne.julie.person_id, Role.USER, user_code=code.signs, actor=SYSTEM, now=world.now
    )
    world.grant(licorne, licorne.julie, "001")
    services.grant(
        plumedor.id,
        there,
        "amp",
        blocks=("024",),
        until=local_date(world.now),
        granted_by=plumedor.pes.person_id,
        now=world.now,
    )

    assert world.blocks(licorne, licorne.julie) == ("001",)
    assert world.blocks(plumedor, licorne.julie) == ("024",)
    assert [choice.neq for choice in services.choices(licorne.julie.person_id, "amp", world.now)] == [
        "1100000455" if name.startswith("Construction") else "3300000018"
        for name in sorted(
            ["Construction Haute-Licorne inc.", "CPA Plumedor & Associés s.e.n.c.r.l."], key=str.casefold
        )
    ]


def test_a_save_on_an_old_revision_is_refused_unless_it_changes_nothing(world, licorne) -> None:  # type: ignore[no-untyped-def]
    """The second of two saves is a conflict; saving again what is already there is none."""
    until = local_date(world.now) + timedelta(days=30)
    julie = (Right(licorne.julie.membership_id, frozenset({"001"}), until),)
    omar = (Right(licorne.omar.membership_id, frozenset({"005"}), until),)
    pes = licorne.pes.person_id
    assert services.set_rights(licorne.id, "amp", julie, granter_id=pes, seen_revision=0, now=world.now) == julie

    with pytest.raises(ConflictError):
        services.set_rights(licorne.id, "amp", omar, granter_id=pes, seen_revision=0, now=world.now)

    assert services.set_rights(licorne.id, "amp", julie, granter_id=pes, seen_revision=0, now=world.now) == ()
    assert services.set_rights(licorne.id, "amp", omar, granter_id=pes, seen_revision=1, now=world.now) == omar


def test_registering_twice_is_registering_once(world, licorne) -> None:  # type: ignore[no-untyped-def]
    """The same NEQ and representative give the same enterprise; another representative is a conflict."""
    record = services.verification(licorne.id)
    other = VerificationRecord(**{**_members(record), "authorized_representative": licorne.pes.person_id})

    assert services.register_enterprise(record, actor=SYSTEM, now=world.now) == licorne.id
    with pytest.raises(ConflictError):
        services.register_enterprise(other, actor=SYSTEM, now=world.now)


def _members(record: VerificationRecord) -> dict[str, object]:
    return {name: getattr(record, name) for name in record.__dataclass_fields__}


def test_an_enterprise_has_one_authorized_representative(world, licorne) -> None:  # type: ignore[no-untyped-def]
    """A second one is refused by the database itself."""
    with pytest.raises(ConflictError):
        services.appoint(
            licorne.id,
            licorne.julie.person_id,
            Role.AUTHORIZED_REPRESENTATIVE,
            user_code=None,
            actor=SYSTEM,
            now=world.now,
        )


def test_an_ar_may_also_be_pes_with_the_same_code(world, licorne) -> None:  # type: ignore[no-untyped-def]
    """The role that counts is then PES."""
    services.appoint(licorne.id, licorne.ar.person_id, Role.PES, user_code=None, actor=SYSTEM, now=world.now)

    assert services.effective_role(licorne.ar.person_id, licorne.id) is Role.PES
    assert {view.user_code for view in services.memberships_of(licorne.ar.person_id)} == {licorne.ar.user_code}


def test_newcomers_come_from_whoever_may_add_them(world, licorne) -> None:  # type: ignore[no-untyped-def]
    """A PES adds users, the AR adds PES; the other way round is refused; one address a person; a new role, a new slip."""
    who = {"given_name": "Nadia", "family_name": "Roy", "email": "nadia@example.com", "language": "fr"}
    newcomer = services.create_user(licorne.id, **who, by=licorne.pes.person_id, now=world.now)

    assert newcomer.temporary is not None
    assert services.effective_role(newcomer.person_id, licorne.id) is Role.USER
    with pytest.raises(ConflictError):
        services.create_user(licorne.id, **who, by=licorne.pes.person_id, now=world.now)
    for add, by in (
        (services.create_user, licorne.ar),
        (services.add_pes, licorne.pes),
        (services.add_pes, licorne.julie),
    ):
        with pytest.raises(NotAllowedError):
            add(licorne.id, **(who | {"email": "x@example.com"}), by=by.person_id, now=world.now)
    known = services.add_pes(licorne.id, **who, by=licorne.ar.person_id, now=world.now)
    assert known.person_id == newcomer.person_id
    assert known.temporary is not None
    assert known.temporary.secret != newcomer.temporary.secret
    assert services.effective_role(newcomer.person_id, licorne.id) is Role.PES


def test_explanations_agree_with_the_authority(world, licorne, clock: MovableClock) -> None:  # type: ignore[no-untyped-def]
    """Explain says allow exactly for the blocks that the authority holds (claims invariant 8)."""
    world.grant(licorne, licorne.julie, "001", "008", days=2)
    clock.advance(timedelta(hours=1))
    world.grant(licorne, licorne.julie, "001", days=2)

    for member in (licorne.julie, licorne.pes, licorne.ar, licorne.omar):
        held = world.blocks(licorne, member) or ()
        for code in ("001", "008", "024", "101"):
            answer = services.explanation(member.person_id, licorne.id, "amp", code, world.now)
            assert answer is not None
            assert answer.allowed == (code in held)


def test_each_act_leaves_one_entry(world, licorne) -> None:  # type: ignore[no-untyped-def]
    """One change of one person's rights is one entry for what is given and one for what is taken."""
    world.grant(licorne, licorne.julie, "001", "008")
    world.grant(licorne, licorne.julie, "001", "005")

    told = audit.entries(enterprise_id=licorne.id, person_id=licorne.julie.person_id)
    rights = [(entry.event, entry.details["blocks"]) for entry in told if entry.event.startswith("grant:")]
    assert sorted(rights) == [
        (Event.GRANTED.value, ["001", "008"]),
        (Event.GRANTED.value, ["005"]),
        (Event.REVOKED.value, ["008"]),
    ]


def test_a_failed_act_leaves_nothing(world, licorne) -> None:  # type: ignore[no-untyped-def]
    """A rollback takes the grant, its entry and its signal together."""
    world.grant(licorne, licorne.julie, "001")
    with pytest.raises(RuntimeError), transaction():
        services.remove_member(licorne.id, licorne.julie.membership_id, by=licorne.pes.person_id, now=world.now)
        raise RuntimeError

    assert world.blocks(licorne, licorne.julie) == ("001",)
    assert signals() == []
