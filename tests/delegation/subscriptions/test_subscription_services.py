"""Subscriptions on both databases: asked once, decided once, left for good."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from idp.audit.services import Actor
from idp.clock import MovableClock, local_date
from idp.delegation import services
from idp.delegation.catalogue import catalogue_services
from idp.delegation.subscriptions import subscription_services
from idp.delegation.subscriptions.domain.states import SubscriptionEvent, SubscriptionState
from idp.errors import ConflictError, NotAllowedError, NotFoundError

pytestmark = pytest.mark.databases

AGENCIES = Path(__file__).parents[3] / "agencies"
ALL = ("001", "005", "007", "008", "018", "019", "024")
NO_CLIENT = {"is_client": "no", "contact_email": "services@licorne.example"}
Ask = Callable[..., subscription_services.SubscriptionView]
OFFICER = Actor("agency_officer", "camille")
DRAGONS = {"creature": "licorne", "opening": "2027-01-01", "insured": "yes"}


@pytest.fixture
def fresh(world: Any) -> Any:
    """An enterprise without any subscription."""
    return world.business("1100000455", "Licorne")


@pytest.fixture
def ask(fresh: Any, clock: MovableClock) -> Ask:
    def asked(agency_id: str = "amp", **wanted: object) -> subscription_services.SubscriptionView:
        given: dict[str, object] = {"answers": NO_CLIENT, "blocks": ALL, "by": fresh.pes.person_id, "now": clock.now()}
        if agency_id == "bac":
            given |= {"answers": DRAGONS, "blocks": ("101", "018")}
        return subscription_services.subscribe(fresh.id, agency_id, **(given | wanted))  # type: ignore[arg-type]

    return asked


def test_the_rule_accepts_in_the_same_act(fresh: Any, ask: Ask, clock: MovableClock) -> None:
    """A business that is no client of AMP is active at once, and its PES holds the seven blocks."""
    view = ask()

    assert view.state is SubscriptionState.ACTIVE
    assert view.consent_digest == catalogue_services.agency("amp").consent.digest
    authority = services.authority(fresh.pes.person_id, fresh.id, "amp", clock.now())
    assert authority is not None
    assert authority.blocks == ALL
    steps = subscription_services.history(view.id)
    assert [step.event for step in steps] == [SubscriptionEvent.REQUESTED, SubscriptionEvent.ACCEPTED]


def test_only_the_blocks_asked_for_are_held(fresh: Any, ask: Ask) -> None:
    """What was not chosen is not held."""
    ask(blocks=("001", "008"))

    assert subscription_services.active_blocks(fresh.id, "amp") == ("001", "008")


def test_a_client_of_amp_waits_for_a_person(fresh: Any, ask: Ask) -> None:
    """Answering yes sends the subscription to the agency: no block is held meanwhile."""
    view = ask(answers={"is_client": "yes", "client_number": "0123456789", "contact_email": "a@licorne.example"})

    assert view.state is SubscriptionState.IN_PROGRESS
    assert subscription_services.active_blocks(fresh.id, "amp") is None
    assert [found.subscription.id for found in subscription_services.awaiting_decision("amp")] == [view.id]


def test_sending_twice_changes_nothing(ask: Ask) -> None:
    """A double submit gives the subscription that is there."""
    assert ask() == ask()


def test_other_answers_do_not_replace_a_subscription(ask: Ask) -> None:
    """A second tab with other blocks is told of the conflict."""
    ask()

    with pytest.raises(ConflictError):
        ask(blocks=("001",))


def test_a_consent_text_that_changed_is_not_accepted_unread(ask: Ask) -> None:
    """The PES agrees to the text they saw, or to none."""
    with pytest.raises(ConflictError):
        ask(consent_digest="0" * 64)


@pytest.mark.parametrize("who", ["ar", "julie", "stranger"])
def test_only_a_pes_subscribes_and_leaves(fresh: Any, ask: Ask, clock: MovableClock, who: str) -> None:
    """The authorized representative reads; a user and a stranger do nothing."""
    person = getattr(fresh, who).person_id if who != "stranger" else "nobody"
    with pytest.raises(NotAllowedError):
        ask(by=person)
    ask()

    with pytest.raises(NotAllowedError):
        subscription_services.withdraw(fresh.id, "amp", by=person, now=clock.now())


def test_answers_that_do_not_fit_are_refused(fresh: Any, ask: Ask) -> None:
    """A forged request cannot skip a question or choose a retired block; nothing is written."""
    with pytest.raises(NotAllowedError):
        ask(answers={"is_client": "no"})
    with pytest.raises(NotAllowedError):
        ask("bac", blocks=("099",))
    with pytest.raises(NotFoundError):
        ask("nowhere")

    assert subscription_services.subscriptions_of(fresh.id) == {}


def test_the_rule_refuses_and_names_the_answer(ask: Ask) -> None:
    """A refusal says why, and which answer caused it; corrected, it is sent again on the same row."""
    refused = ask("bac", answers=DRAGONS | {"creature": "cheval"})
    assert (refused.state, refused.reason, refused.causes) == (
        SubscriptionState.REFUSED,
        "creature_exists",
        ("creature",),
    )

    again = ask("bac")

    assert (again.id, again.state, again.reason) == (refused.id, SubscriptionState.IN_PROGRESS, None)


def test_an_officer_decides_once(ask: Ask, clock: MovableClock) -> None:
    """Deciding the same again changes nothing; deciding otherwise is a conflict; a refusal needs a known reason."""
    view = ask("bac")
    with pytest.raises(NotAllowedError):
        subscription_services.decide(view.id, accept=False, reason_code="because", actor=OFFICER, now=clock.now())

    accepted = subscription_services.decide(view.id, accept=True, actor=OFFICER, now=clock.now())

    assert accepted.state is SubscriptionState.ACTIVE
    assert subscription_services.decide(view.id, accept=True, actor=OFFICER, now=clock.now()) == accepted
    with pytest.raises(ConflictError):
        subscription_services.decide(view.id, accept=False, reason_code="not_insured", actor=OFFICER, now=clock.now())


def test_leaving_ends_every_right_that_day(fresh: Any, ask: Ask, clock: MovableClock) -> None:
    """Withdrawal takes the blocks of users and PES, signals each, and coming back does not bring them back."""
    ask()
    until = local_date(clock.now()) + timedelta(days=30)
    services.grant(
        fresh.id,
        fresh.julie.membership_id,
        "amp",
        blocks=("001",),
        until=until,
        granted_by=fresh.pes.person_id,
        now=clock.now(),
    )

    left = subscription_services.withdraw(fresh.id, "amp", by=fresh.pes.person_id, now=clock.now())

    assert left.state is SubscriptionState.WITHDRAWN
    assert {removal.person_id for removal in services.removals(fresh.id)} == {
        member.person_id for member in (fresh.pes, fresh.marc, fresh.julie)
    }
    assert subscription_services.withdraw(fresh.id, "amp", by=fresh.pes.person_id, now=clock.now()) == left
    assert ask().state is SubscriptionState.ACTIVE
    user = services.authority(fresh.julie.person_id, fresh.id, "amp", clock.now())
    assert user is not None
    assert user.blocks == ()


def test_enterprises_do_not_see_each_other(world: Any, fresh: Any, ask: Ask) -> None:
    """Another enterprise has its own subscription, or none."""
    ask()
    other = world.business("3300000018", "Plumedor")

    assert subscription_services.subscription(other.id, "amp") is None
    assert subscription_services.subscription(fresh.id, "amp") is not None


def test_a_retired_block_is_a_right_removed(fresh: Any, ask: Ask, clock: MovableClock, tmp_path: Path) -> None:
    """Loading a catalogue that retires a block signals whoever held it."""
    ask()
    services.authority(fresh.pes.person_id, fresh.id, "amp", clock.now())
    text = (AGENCIES / "amp.yaml").read_text(encoding="utf-8").replace("    sensitive: true", "    retired: true")
    changed = tmp_path / "amp.yaml"
    changed.write_text(text, encoding="utf-8")
    loaded = catalogue_services.load_agencies(changed, now=clock.now())

    assert [found.change for found in loaded] == ["changed"]
    assert subscription_services.settle_catalogue(["amp"], now=clock.now()) == 1
    assert {removal.blocks for removal in services.removals(fresh.id)} == {("024",)}
