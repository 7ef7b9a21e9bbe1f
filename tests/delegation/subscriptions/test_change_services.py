"""Changes of a subscription on both databases: what stands counts until a change is accepted; rights follow the blocks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from idp import audit
from idp.audit.services import Actor
from idp.clock import MovableClock, local_date
from idp.delegation import services
from idp.delegation.catalogue import catalogue_services
from idp.delegation.rights import system_user_services
from idp.delegation.rights.domain.system_users import Wanted
from idp.delegation.rights.rights_services import Right
from idp.delegation.subscriptions import change_services, impact_services, subscription_services
from idp.delegation.subscriptions.change_services import ChangeOutcome
from idp.delegation.subscriptions.domain.changes import Content, difference
from idp.delegation.subscriptions.domain.states import SubscriptionEvent, SubscriptionState
from idp.delegation.subscriptions.subscription_services import SubscriptionView
from idp.errors import ConflictError, NotAllowedError, NotFoundError

from ..conftest import AMP

pytestmark = pytest.mark.databases

AGENCIES = Path(__file__).parents[3] / "agencies"
ANSWERS = {"is_client": "no", "contact_email": "a@example.com"}
CLIENT = {"is_client": "yes", "client_number": "0123456789", "contact_email": "a@example.com"}
OFFICER = Actor("agency_officer", "camille")
Change = Callable[..., SubscriptionView]


@pytest.fixture
def standing(licorne: Any) -> Callable[[], SubscriptionView]:
    def read() -> SubscriptionView:
        found = subscription_services.subscription(licorne.id, "amp")
        assert found is not None
        return found

    return read


@pytest.fixture
def change(world: Any, licorne: Any, standing: Callable[[], SubscriptionView]) -> Change:
    """Change the subscription to AMP as the person in charge does, on what they see."""

    def ask(*blocks: str, **other: Any) -> SubscriptionView:
        given = {
            "answers": ANSWERS,
            "blocks": blocks or AMP,
            "extends": False,
            "by": licorne.pes.person_id,
            "seen_revision": standing().revision,
            "consent_digest": catalogue_services.agency("amp").consent.digest,
            "now": world.now,
        }
        return change_services.ask(licorne.id, "amp", **(given | other))

    return ask


def lost(licorne: Any, member: Any) -> list[tuple[tuple[str, ...], str]]:
    return [
        (removal.blocks, removal.reason)
        for removal in services.removals(licorne.id, limit=100)
        if removal.person_id == member.person_id
    ]


def test_the_rule_decides_at_once(licorne: Any, change: Change) -> None:
    """A business that is no client of AMP has its new answers and blocks in the same act, noted step by step."""
    changed = change("001", "008", answers=ANSWERS | {"contact_email": "b@example.com"})

    assert (changed.state, changed.blocks) == (SubscriptionState.ACTIVE, ("001", "008"))
    assert changed.answers["contact_email"] == "b@example.com"
    steps = [step.event for step in subscription_services.history(changed.id)]
    assert steps[2:] == [SubscriptionEvent.CHANGE_ASKED, SubscriptionEvent.CHANGE_ACCEPTED]
    events = [entry.event for entry in audit.entries(enterprise_id=licorne.id, limit=100)]
    assert events.count("subscription:change_asked") == events.count("subscription:change_accepted") == 1


def test_what_stands_counts_while_the_agency_decides(world: Any, licorne: Any, change: Change) -> None:
    """A change that a person decides is in progress: rights are as before, can be given as before, and end on acceptance."""
    world.grant(licorne, licorne.julie, "001", "008")

    asked = change("001", answers=CLIENT)

    assert asked.state is SubscriptionState.CHANGING
    assert subscription_services.active_blocks(licorne.id, "amp") == AMP
    assert world.blocks(licorne, licorne.julie) == ("001", "008")
    world.grant(licorne, licorne.omar, "018")
    waiting = subscription_services.awaiting_decision("amp")
    assert [(found.subscription.id, found.since) for found in waiting] == [(asked.id, world.now)]
    subscription_services.decide(asked.id, accept=True, seen_revision=asked.revision, actor=OFFICER, now=world.now)
    assert world.blocks(licorne, licorne.julie) == ("001",)
    assert world.blocks(licorne, licorne.omar) == ()


def test_a_refused_change_leaves_everything(world: Any, licorne: Any, change: Change) -> None:
    """The former state stays; the reason and what was asked are kept; nobody lost anything; it can be asked again."""
    world.grant(licorne, licorne.julie, "008")
    asked = change("001", answers=CLIENT)

    refused = subscription_services.decide(
        asked.id, accept=False, reason_code="client_number_unknown", actor=OFFICER, now=world.now
    )

    assert (refused.state, refused.blocks, refused.answers) == (SubscriptionState.ACTIVE, AMP, ANSWERS)
    last = change_services.last(asked.id)
    assert last is not None
    assert (last.outcome, last.reason, last.causes) == (
        ChangeOutcome.REFUSED,
        "client_number_unknown",
        ("client_number",),
    )
    assert (last.after.blocks, last.after.answers) == (("001",), CLIENT)
    assert world.blocks(licorne, licorne.julie) == ("008",)
    assert services.removals(licorne.id) == ()
    assert change("001").blocks == ("001",)


def test_a_change_is_withdrawn_while_in_progress(world: Any, licorne: Any, change: Change) -> None:
    """What stands goes on; twice is once; after the decision it is too late; leaving the agency ends the change too."""
    asked = change("001", answers=CLIENT)

    def take_back(revision: int) -> SubscriptionView:
        pes = licorne.marc.person_id
        return change_services.withdraw(licorne.id, "amp", by=pes, seen_revision=revision, now=world.now)

    left = take_back(asked.revision)

    assert (left.state, left.blocks) == (SubscriptionState.ACTIVE, AMP)
    assert take_back(asked.revision) == left
    with pytest.raises(ConflictError):
        subscription_services.decide(asked.id, accept=True, seen_revision=asked.revision, actor=OFFICER, now=world.now)
    again = change("001", answers=CLIENT)
    subscription_services.decide(again.id, accept=True, actor=OFFICER, now=world.now)
    with pytest.raises(ConflictError):
        take_back(again.revision)
    third = change("001", "005", answers=CLIENT)
    world.withdraw(licorne)
    assert change_services.waiting(third.id) is None


def test_one_change_at_a_time(licorne: Any, change: Change) -> None:
    """While the agency decides one, another is refused, and the very same again changes nothing."""
    asked = change("001", answers=CLIENT)

    assert change("001", answers=CLIENT, seen_revision=asked.revision - 1) == asked
    with pytest.raises(ConflictError):
        change("005")


def test_the_later_of_two_persons_sees_the_change_of_the_other(licorne: Any, change: Change) -> None:
    """Who saw an older revision changes nothing, unless it is what stands already; the same for the rights of people."""
    seen = change("001", "008").revision - 2

    assert change("001", "008", seen_revision=seen).blocks == ("001", "008")
    with pytest.raises(ConflictError):
        change("005", seen_revision=seen)
    with pytest.raises(ConflictError):
        change("005", seen_rights=99)


def test_an_officer_decides_what_they_read(world: Any, licorne: Any, change: Change) -> None:
    """A decision taken on a change that was withdrawn and replaced does not fall on the one that replaced it."""
    first = change("001", answers=CLIENT)
    change_services.withdraw(licorne.id, "amp", by=licorne.pes.person_id, seen_revision=first.revision, now=world.now)
    change("024", answers=CLIENT)

    with pytest.raises(ConflictError):
        subscription_services.decide(first.id, accept=True, seen_revision=first.revision, actor=OFFICER, now=world.now)

    assert subscription_services.active_blocks(licorne.id, "amp") == AMP


def test_a_removed_block_ends_its_rights_with_one_signal_each(world: Any, licorne: Any, change: Change) -> None:
    """Users, persons in charge, unrestricted access, software: one removal each, named in the log; coming back gives none."""
    world.grant(licorne, licorne.julie, "001", "008")
    world.grant(licorne, licorne.omar, "*")
    wanted = Wanted("tools", "Outils", frozenset({"008"}), local_date(world.now) + timedelta(days=90))
    software = system_user_services.approve(licorne.id, "amp", wanted, by=licorne.pes.person_id, now=world.now)
    for each in (licorne.julie, licorne.omar, licorne.pes, licorne.marc):
        world.blocks(licorne, each)
    system_user_services.of_system_user(software, now=world.now)
    rest = tuple(code for code in AMP if code != "008")

    change(*rest)

    for each in (licorne.julie, licorne.omar, licorne.pes, licorne.marc):
        assert lost(licorne, each) == [(("008",), "subscription_changed")], each.name
    assert [
        removal.blocks for removal in services.removals(licorne.id, limit=100) if removal.person_id == software
    ] == [("008",)]
    told = [entry for entry in audit.entries(enterprise_id=licorne.id, limit=100) if entry.event == "grant:revoked"]
    assert {entry.person_id for entry in told} >= {licorne.julie.person_id, software}
    world.clock.advance(timedelta(minutes=1))
    change(*AMP, extends=True)
    assert world.blocks(licorne, licorne.julie) == ("001",)
    assert world.blocks(licorne, licorne.omar) == AMP  # unrestricted, and the person in charge said so
    program = system_user_services.of_system_user(software, now=world.now)
    assert program is not None
    assert program.blocks == ()
    assert len(lost(licorne, licorne.julie)) == 1


def test_an_added_block_widens_nobody_unless_it_was_said(world: Any, licorne: Any, change: Change) -> None:
    """Unrestricted access keeps what it had, as named blocks with the same end; given after the question was asked, always."""
    change("001", "005")
    world.grant(licorne, licorne.julie, "*", days=40)
    world.clock.advance(timedelta(minutes=1))

    change("001", "005", "008")

    assert world.blocks(licorne, licorne.julie) == ("001", "005")
    found = services.matrix(licorne.id, "amp", world.now).user(licorne.julie.membership_id)
    assert found is not None
    assert found.right == Right(
        licorne.julie.membership_id, frozenset({"001", "005"}), local_date(world.now) + timedelta(days=40)
    )
    assert world.blocks(licorne, licorne.pes) == ("001", "005", "008")
    assert lost(licorne, licorne.julie) == []
    world.grant(licorne, licorne.julie, "*", days=40)
    world.clock.advance(timedelta(minutes=1))
    asked = change("001", "005", "008", "024", answers=CLIENT, extends=True)
    world.clock.advance(timedelta(minutes=1))
    world.grant(licorne, licorne.omar, "*", days=40)
    subscription_services.decide(asked.id, accept=True, actor=OFFICER, now=world.now)
    assert world.blocks(licorne, licorne.julie) == ("001", "005", "008", "024")
    assert world.blocks(licorne, licorne.omar) == ("001", "005", "008")


def test_consent_is_asked_when_it_covers_more(
    licorne: Any, change: Change, clock: MovableClock, tmp_path: Path
) -> None:
    """A block less asks nothing; a block more, another answer or another text does; the text agreed to is kept."""
    assert change("001", "005", "008", consent_digest=None).blocks == ("001", "005", "008")
    for wanted, answers in ((("001", "024"), ANSWERS), (("001", "005"), ANSWERS | {"contact_email": "c@example.com"})):
        with pytest.raises(NotAllowedError):
            change(*wanted, answers=answers, consent_digest=None)
    with pytest.raises(ConflictError):
        change("001", "024", consent_digest="0" * 64)
    text = (AGENCIES / "amp.yaml").read_text(encoding="utf-8").replace("J’autorise la", "Je permets la")
    (tmp_path / "amp.yaml").write_text(text, encoding="utf-8")
    catalogue_services.load_agencies(tmp_path / "amp.yaml", now=clock.now())
    with pytest.raises(NotAllowedError):
        change("001", consent_digest=None)

    changed = change("001")

    assert changed.consent_digest == catalogue_services.agency("amp").consent.digest
    assert changed.requested_at == clock.now()


def test_nothing_that_differs_is_nothing(change: Change, standing: Callable[[], SubscriptionView]) -> None:
    """Sending what stands leaves no step."""
    assert change(*AMP, consent_digest=None) == standing()
    assert standing().revision == 2


@pytest.mark.parametrize("who", ["ar", "julie", "stranger"])
def test_only_a_pes_changes(licorne: Any, change: Change, who: str) -> None:
    """The authorized representative, a user and a stranger change nothing and take nothing back."""
    person = "nobody" if who == "stranger" else getattr(licorne, who).person_id
    asked = change("001", answers=CLIENT)

    with pytest.raises(NotAllowedError):
        change("005", by=person)
    with pytest.raises(NotAllowedError):
        change_services.withdraw(licorne.id, "amp", by=person, seen_revision=asked.revision, now=asked.changed_at)


def test_what_is_forged_is_refused(world: Any, licorne: Any, plumedor: Any, change: Change) -> None:
    """Blocks that are not offered, none at all, another enterprise, no subscription, no agency: nothing is written."""
    with pytest.raises(NotAllowedError):
        change("777")
    with pytest.raises(NotAllowedError):
        change(blocks=())
    with pytest.raises(NotAllowedError):
        change("001", by=plumedor.pes.person_id)
    common = {"answers": {}, "blocks": ("101",), "extends": False, "by": licorne.pes.person_id, "now": world.now}
    dragons = {"creature": "licorne", "opening": "2027-01-01", "insured": "yes"}
    with pytest.raises(NotFoundError):
        change_services.ask(licorne.id, "bac", seen_revision=1, **(common | {"answers": dragons}))  # type: ignore[arg-type]
    with pytest.raises(NotFoundError):
        change_services.ask(licorne.id, "nowhere", seen_revision=1, **common)  # type: ignore[arg-type]

    world.withdraw(licorne)
    with pytest.raises(ConflictError):
        change("001")
    assert change_services.changes(subscription_services.subscriptions_of(licorne.id)["amp"].id) == ()


def test_who_is_concerned_is_counted_and_paged(world: Any, licorne: Any, change: Change) -> None:
    """Persons in charge first, then users by name or unrestricted; suspended ones too; nobody for a retired block."""
    world.grant(licorne, licorne.julie, "001", "008")
    world.grant(licorne, licorne.omar, "*")
    services.suspend_member(licorne.id, licorne.omar.membership_id, by=licorne.pes.person_id, now=world.now)
    changed = difference(Content(AMP, {}), Content(("001", "005"), {}))

    impact = impact_services.of_change(licorne.id, "amp", changed, world.now)

    shown = {holder.id: holder for holder in impact.losing.shown}
    assert {holder.id for holder in impact.losing.shown[:2]} == {licorne.pes.person_id, licorne.marc.person_id}
    assert impact.losing.total == len(shown) == 4
    assert shown[licorne.julie.person_id].blocks == ("008",)
    omar = shown[licorne.omar.person_id]
    assert (omar.blocks, omar.is_suspended) == (changed.removed, True)
    assert impact.unrestricted.total == 0
    wider = difference(Content(("001",), {}), Content(("001", "005"), {}))
    found = impact_services.of_change(licorne.id, "amp", wider, world.now).unrestricted
    assert [(holder.id, holder.blocks) for holder in found.shown] == [(licorne.omar.person_id, ("005",))]


def test_the_preview_is_bounded(world: Any, licorne: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The total is counted; a page holds so many, and a page that does not exist is the last one."""
    monkeypatch.setattr(impact_services, "PAGE", 3)
    world.grant(licorne, licorne.julie, "008")
    world.grant(licorne, licorne.omar, "008")
    changed = difference(Content(("001", "008"), {}), Content(("001",), {}))

    pages = [
        impact_services.of_change(licorne.id, "amp", changed, world.now, page=page).losing for page in (1, 2, 99, -1)
    ]

    assert [(len(found.shown), found.page, found.pages, found.total) for found in pages] == [
        (3, 1, 2, 4),
        (1, 2, 2, 4),
        (1, 2, 2, 4),
        (3, 1, 2, 4),
    ]
