"""The pages of a change, as a browser without scripts uses them, and the officer's desk beside them."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from idp.audit.services import Actor
from idp.clock import MovableClock
from idp.delegation.catalogue import catalogue_services
from idp.delegation.subscriptions import change_services, subscription_services
from idp.notices import services as notices

from ..conftest import AMP, Browser

AGENCIES = Path(__file__).parents[3] / "agencies"
STANDS = {"q-is_client": "no", "q-contact_email": "a@example.com", "q-blocks": list(AMP)}
CLIENT = STANDS | {"q-is_client": "yes", "q-client_number": "0123456789"}
FORM, CHECK = "/agencies/amp/change", "/agencies/amp/change/check"
OFFICER = Actor("agency_officer", "camille")


def page(answer: Any) -> str:
    """Return a page as it reads."""
    return html.unescape(answer.get_data(as_text=True)).replace("\u00a0", " ")


def fill(browser: Browser, answers: dict[str, Any]) -> str:
    """Answer the questions; return the page that asks to confirm."""
    asked = browser.post(FORM, answers, page=FORM)
    assert (asked.status_code, asked.location) == (303, CHECK), page(asked)
    return page(browser.get(CHECK))


def confirm(browser: Browser, shown: str, **typed: str) -> Any:
    """Send what *shown* shows."""
    seen = re.search(r'name="seen" value="([^"]+)"', shown)
    assert seen, shown
    return browser.post(CHECK, {"seen": seen.group(1), **typed}, page="/account")


def blocks(business: Any) -> tuple[str, ...] | None:
    return subscription_services.active_blocks(business.id, "amp")


def test_a_change_is_filled_shown_and_in_force(
    world: Any, licorne: Any, sign_in: Callable[[Any], Browser], clock: MovableClock
) -> None:
    """The form shows what stands; the preview who loses what; the removals are followed; a second click changes nothing."""
    world.grant(licorne, licorne.julie, "001", "008")
    pia = sign_in(licorne.pes)
    form = page(pia.get(FORM))
    assert 'value="a@example.com"' in form
    assert form.count("checked") == 1 + len(AMP)

    shown = fill(pia, STANDS | {"q-blocks": ["001", "005"], "q-contact_email": "b@example.com"})

    assert "Julie Licorne – 008" in shown
    assert "3 personnes perdent l’accès" in shown
    assert "b@example.com" in shown
    refused = confirm(pia, shown)
    assert refused.status_code == 422
    assert "Le consentement est nécessaire" in page(refused)
    assert blocks(licorne) == AMP
    sent = confirm(pia, shown, consent="y")
    assert (sent.status_code, sent.location) == (303, "/agencies/amp/rights/saved")
    assert blocks(licorne) == ("001", "005")
    assert "Julie Licorne" in page(pia.get(sent.location))
    again = confirm(pia, shown, consent="y")
    assert (again.status_code, again.location) == (303, "/agencies/amp")
    agency = page(pia.get("/agencies/amp"))
    assert "Retiré : 007, 008, 018, 019, 024" in agency
    journal = page(pia.get("/journal"))
    assert "Blocs retirés : 007, 008, 018, 019, 024." in journal
    assert "Julie Licorne a perdu l’accès à 008" in journal


def test_unrestricted_access_is_asked_about(world: Any, licorne: Any, sign_in: Callable[[Any], Browser]) -> None:
    """An added block names the people with unrestricted access, and nothing is chosen in their place."""
    change_services.ask(
        licorne.id,
        "amp",
        answers={"is_client": "no", "contact_email": "a@example.com"},
        blocks=("001",),
        extends=False,
        by=licorne.pes.person_id,
        seen_revision=2,
        now=world.now,
    )
    world.grant(licorne, licorne.julie, "*")
    world.clock.advance(timedelta(minutes=1))
    pia = sign_in(licorne.pes)

    shown = fill(pia, STANDS | {"q-blocks": ["001", "008"]})

    assert "1 personne a un accès sans restriction" in shown
    assert "Julie Licorne – 008" in shown
    unanswered = confirm(pia, shown, consent="y")
    assert unanswered.status_code == 422
    assert 'href="#extends' in page(unanswered)
    assert confirm(pia, shown, consent="y", extends="no").status_code == 303
    assert world.blocks(licorne, licorne.julie) == ("001",)


def test_two_persons_at_once(world: Any, licorne: Any, sign_in: Callable[[Any], Browser]) -> None:
    """The later one sees the other's change and what they wanted, and takes their own choices up again."""
    pia, marc = sign_in(licorne.pes), sign_in(licorne.marc)
    first, second = (
        fill(browser, STANDS | {"q-blocks": wanted}) for browser, wanted in ((pia, ["001"]), (marc, ["005"]))
    )
    confirm(pia, first)

    late = confirm(marc, second)

    assert late.status_code == 409
    assert "005" in page(late)
    assert blocks(licorne) == ("001",)
    assert page(marc.get(CHECK)).count("L’inscription a changé entre-temps") >= 1
    again = page(marc.get(f"{FORM}?from=draft"))
    assert re.search(r'value="005"[^>]*checked', again)


def test_rights_given_meanwhile_are_shown_before_they_end(
    world: Any, licorne: Any, sign_in: Callable[[Any], Browser]
) -> None:
    """A right given after the preview makes it stale: the list is shown again, with the person on it."""
    pia = sign_in(licorne.pes)
    shown = fill(pia, STANDS | {"q-blocks": ["001"]})
    world.grant(licorne, licorne.omar, "024")

    stale = confirm(pia, shown)

    assert stale.status_code == 409
    assert "Omar Licorne – 024" in page(stale)
    assert blocks(licorne) == AMP
    assert confirm(pia, page(stale)).status_code == 303
    assert blocks(licorne) == ("001",)


def test_a_change_waits_and_is_withdrawn_or_decided(
    app: Any, world: Any, licorne: Any, sign_in: Callable[[Any], Browser], clock: MovableClock
) -> None:
    """In progress: what stands counts, another change is refused clearly; refused: the reason, and what was typed again."""
    pia = sign_in(licorne.pes)
    shown = fill(pia, CLIENT | {"q-blocks": ["001"]})
    assert confirm(pia, shown, consent="y").location == "/agencies/amp"
    waiting = page(pia.get("/agencies/amp"))
    assert "Inscrite, modification en traitement" in waiting
    assert "Modification demandée par Pia Licorne" in waiting
    assert pia.get(FORM).location == "/agencies/amp"
    assert "Une modification attend déjà" in page(pia.get("/agencies/amp"))
    revision = re.search(r'name="revision" value="(\d+)"', waiting)
    assert revision
    taken_back = pia.post(f"{FORM}/withdraw", {"revision": revision.group(1)}, page="/account")
    assert taken_back.location == "/agencies/amp"
    assert "La modification est retirée" in page(pia.get("/agencies/amp"))
    late = pia.post(f"{FORM}/withdraw", {"revision": "9" * 30}, page="/account")
    assert late.status_code == 303
    assert confirm(pia, fill(pia, CLIENT | {"q-blocks": ["001"]}), consent="y").status_code == 303
    found = subscription_services.subscriptions_of(licorne.id)["amp"]

    subscription_services.decide(
        found.id, accept=False, reason_code="client_number_unknown", actor=OFFICER, now=clock.now()
    )

    refused = page(pia.get("/agencies/amp"))
    assert "L’AMP n’a pas de client avec ce numéro" in refused
    assert 'value="0123456789"' in page(pia.get(f"{FORM}?from=last"))
    assert 'value="0123456789"' not in page(pia.get(FORM))
    notices.deliver_due(clock.now())
    mails = [file.read_text() for file in app.extensions["mandat.settings"].outbox_dir.glob("*.eml")]
    assert sum("la modification" in mail for mail in mails) >= 2


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"q-blocks": []}, "Choisissez au moins un bloc"),
        ({"q-blocks": ["777"]}, "n’est plus offert"),
        ({"q-blocks": ["0" * 1_000_000]}, "n’est plus offert"),
        ({"q-contact_email": "a" * 1_000_000}, "Raccourcissez"),
        ({"q-is_client": "yes"}, "Répondez à cette question"),
    ],
)
def test_each_mistake_is_said_beside_its_question(
    licorne: Any, sign_in: Callable[[Any], Browser], wrong: dict[str, Any], sentence: str
) -> None:
    """What does not fit is named in the summary and at the field; nothing is written."""
    answer = sign_in(licorne.pes).post(FORM, STANDS | wrong, page=FORM)

    assert answer.status_code == 422
    assert page(answer).count(sentence) >= 2
    assert blocks(licorne) == AMP


def test_nothing_that_differs_is_said(licorne: Any, sign_in: Callable[[Any], Browser]) -> None:
    """Sending what stands goes no further, and says so."""
    answer = sign_in(licorne.pes).post(FORM, STANDS, page=FORM)

    assert answer.status_code == 200
    assert "Rien ne diffère" in page(answer)


def test_what_the_agency_changed_meanwhile_is_said(
    licorne: Any, sign_in: Callable[[Any], Browser], clock: MovableClock, tmp_path: Path
) -> None:
    """A block retired, or a consent text replaced, between the form and the confirmation: clear words, answers kept."""
    pia, text = sign_in(licorne.pes), (AGENCIES / "amp.yaml").read_text(encoding="utf-8")
    changed = tmp_path / "amp.yaml"

    def load(new: str) -> None:
        changed.write_text(new, encoding="utf-8")
        catalogue_services.load_agencies(changed, now=clock.now())

    shown = fill(pia, STANDS | {"q-blocks": ["001", "024"], "q-contact_email": "b@example.com"})
    load(text.replace("J’autorise la", "Je permets la"))
    stale = confirm(pia, shown, consent="y")
    assert stale.status_code == 409
    assert "Je permets la" in page(stale)
    load(text.replace("    sensitive: true", "    retired: true"))
    gone = confirm(pia, page(stale), consent="y")
    assert gone.location == f"{FORM}?from=draft"
    again = page(pia.get(gone.location))
    assert "a changé ses questions ou ses blocs" in again
    assert 'value="b@example.com"' in again
    assert blocks(licorne) == AMP


def test_only_what_is_active_is_changed(world: Any, licorne: Any, sign_in: Callable[[Any], Browser]) -> None:
    """Without a subscription the pages lead back and say why; another role is refused; a stray click is no failure."""
    pia = sign_in(licorne.pes)
    assert pia.get(CHECK).location == FORM
    assert pia.post(CHECK, {}, page="/account").location == "/agencies/amp"
    assert pia.get("/agencies/nowhere/change").status_code == 404
    assert pia.get("/agencies/bac/change").location == "/agencies/bac"
    assert sign_in(licorne.ar).get(FORM).status_code == 403
    shown = fill(pia, STANDS | {"q-blocks": ["001"]})
    world.withdraw(licorne)
    late = confirm(pia, shown)
    assert late.status_code == 409
    assert pia.get(FORM).location == "/agencies/amp"
