"""The pages of subscriptions and of the home, as a browser without scripts uses them."""

from __future__ import annotations

import html
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from idp.clock import MovableClock
from idp.delegation import services
from idp.delegation.subscriptions import subscription_services
from idp.delegation.subscriptions.domain.states import SubscriptionState
from idp.notices import services as notices

ANSWERS = {"q-is_client": "no", "q-contact_email": "a@licorne.example", "q-blocks": ["001", "008"]}
CREATURE = {
    "q-creature": "griffon",
    "q-wingspan": "4",
    "q-opening-day": "1",
    "q-opening-month": "3",
    "q-opening-year": "2027",
    "q-insured": "y",
    "q-blocks": ["101"],
}


@pytest.fixture
def fresh(world: Any) -> Any:
    """An enterprise without any subscription."""
    return world.business("1100000455", "Licorne")


def page(browser: Any, path: str) -> str:
    """Return a page as it reads."""
    return html.unescape(browser.text(path))


def send(browser: Any, agency: str, answers: dict[str, Any]) -> Any:
    """Answer the questions, then consent."""
    path = f"/agencies/{agency}/subscribe"
    asked = browser.post(path, answers, page=path)
    assert asked.status_code == 303, asked.get_data(as_text=True)
    return browser.post(f"{path}/check", {"consent": "y"}, page=f"{path}/check")


def test_the_questions_then_the_consent_then_active(fresh: Any, sign_in: Callable[[Any], Any]) -> None:
    """A PES answers, checks, consents; the rule accepts; the back button and a second send change nothing."""
    pia = sign_in(fresh.pes)
    assert "Inscrire l’entreprise auprès d’un organisme" in page(pia, "/home")

    sent = send(pia, "amp", ANSWERS)

    assert (sent.status_code, sent.location) == (303, "/agencies/amp")
    assert subscription_services.active_blocks(fresh.id, "amp") == ("001", "008")
    assert "Inscrite" in page(pia, "/agencies/amp")
    again = pia.post("/agencies/amp/subscribe/check", {"consent": "y"}, page="/home")
    assert again.status_code == 303
    assert "0 utilisateur" in page(pia, "/home")


def test_the_trap_is_explained_where_it_is_asked(fresh: Any, sign_in: Callable[[Any], Any]) -> None:
    """Without a script the warning and the number are on the page, under the answer that leads to them."""
    asked = page(sign_in(fresh.pes), "/agencies/amp/subscribe")

    assert "Presque toujours" in asked
    assert "Sans ce numéro, l’inscription sera refusée" in asked
    assert 'id="q-client_number"' in asked


@pytest.mark.parametrize(
    ("wrong", "sentence", "field"),
    [
        ({"q-is_client": ""}, "Répondez à cette question", "#q-is_client"),
        ({"q-is_client": "<script>"}, "Choisissez une des réponses", "#q-is_client"),
        ({"q-is_client": "yes"}, "Répondez à cette question", "#q-client_number"),
        ({"q-is_client": "yes", "q-client_number": "12"}, "forme attendue", "#q-client_number"),
        ({"q-contact_email": "nobody"}, "Entrez une adresse courriel", "#q-contact_email"),
        ({"q-contact_email": "a" * 60000}, "Raccourcissez", "#q-contact_email"),
        ({"q-blocks": []}, "Choisissez au moins un bloc", "#q-blocks"),
        ({"q-blocks": ["777"]}, "n’est plus offert", "#q-blocks"),
    ],
)
def test_each_mistake_is_said_beside_its_question(
    fresh: Any, sign_in: Callable[[Any], Any], wrong: dict[str, Any], sentence: str, field: str
) -> None:
    """A mistake is named in the summary and at the field; what was typed stays; nothing is written."""
    path = "/agencies/amp/subscribe"
    answer = sign_in(fresh.pes).post(path, ANSWERS | wrong, page=path)
    read = html.unescape(answer.get_data(as_text=True))

    assert answer.status_code == 422
    assert read.count(sentence) >= 2
    assert f'href="{field}' in read
    assert "<script>alert" not in answer.get_data(as_text=True)
    assert subscription_services.subscriptions_of(fresh.id) == {}


def test_nothing_is_sent_without_consent(fresh: Any, sign_in: Callable[[Any], Any]) -> None:
    """The box must be ticked; the answers wait."""
    pia = sign_in(fresh.pes)
    pia.post("/agencies/amp/subscribe", ANSWERS, page="/agencies/amp/subscribe")

    refused = pia.post("/agencies/amp/subscribe/check", {}, page="/agencies/amp/subscribe/check")

    assert refused.status_code == 422
    assert "Le consentement est nécessaire" in html.unescape(refused.get_data(as_text=True))
    assert subscription_services.subscriptions_of(fresh.id) == {}


def test_a_refusal_says_why_and_keeps_the_answers(fresh: Any, sign_in: Callable[[Any], Any]) -> None:
    """The reason, the answer that caused it, and the form as it was filled."""
    pia = sign_in(fresh.pes)
    send(pia, "bac", CREATURE | {"q-creature": "cheval"})

    shown = page(pia, "/agencies/bac")
    assert "Cette créature existe" in shown
    assert "Quelle créature voulez-vous élever" in shown
    assert 'value="2027"' in page(pia, "/agencies/bac/subscribe")
    assert "Corriger et transmettre de nouveau" in page(pia, "/home")
    send(pia, "bac", CREATURE)
    found = subscription_services.subscription(fresh.id, "bac")
    assert found is not None
    assert found.state is SubscriptionState.IN_PROGRESS


def test_leaving_asks_for_confirmation(licorne: Any, sign_in: Callable[[Any], Any]) -> None:
    """The page says how many people lose access; without the box nothing ends."""
    pia = sign_in(licorne.pes)
    path = "/agencies/amp/withdraw"
    assert pia.post(path, {}, page=path).status_code == 422
    assert subscription_services.active_blocks(licorne.id, "amp") is not None

    left = pia.post(path, {"sure": "y"}, page=path)

    assert left.status_code == 303
    assert subscription_services.active_blocks(licorne.id, "amp") is None
    assert "Désinscrit" in page(pia, "/agencies/amp")


@pytest.mark.parametrize("path", ["/agencies/amp/subscribe", "/agencies/amp/subscribe/check", "/agencies/amp/withdraw"])
def test_only_a_pes_acts(licorne: Any, sign_in: Callable[[Any], Any], path: str) -> None:
    """The authorized representative reads; a user sees neither."""
    ar, julie = sign_in(licorne.ar), sign_in(licorne.julie)

    assert ar.get(path).status_code == 403
    assert ar.get("/agencies/amp").status_code == 200
    assert julie.get(path).status_code == 403
    assert julie.get("/agencies").status_code == 403


def test_a_user_sees_what_they_hold_and_whom_to_ask(world: Any, licorne: Any, sign_in: Callable[[Any], Any]) -> None:
    """Blocks with their end, and the names of the persons in charge."""
    world.grant(licorne, licorne.julie, "008", days=30)
    shown = page(sign_in(licorne.julie), "/home")

    assert "Paiement de factures" in shown
    assert "Pia Licorne" in shown
    assert "018" not in shown


def test_the_home_tells_what_ends_soon_and_what_was_removed(
    world: Any, licorne: Any, sign_in: Callable[[Any], Any], clock: MovableClock
) -> None:
    """An access that ends within sixty days is to do; a removal says whether the agency confirmed it."""
    world.grant(licorne, licorne.julie, "001", "008", days=30)
    world.grant(licorne, licorne.julie, "001", days=30)
    pia = sign_in(licorne.pes)
    shown = page(pia, "/home")

    assert "Accès de Julie Licorne" in shown
    assert "pas encore confirmé" in shown
    removal = services.removals(licorne.id)[0]
    services.confirm_removal(removal.id, confirmed_at=clock.now() + timedelta(seconds=3), sessions=1)
    assert "Confirmé par l’organisme" in page(pia, "/home")


def test_the_decision_reaches_each_pes_by_e_mail(app: Any, licorne: Any, clock: MovableClock) -> None:
    """One message to each active PES, in their language, without any code that signs in."""
    notices.deliver_due(clock.now())

    mails = [file.read_text() for file in app.extensions["mandat.settings"].outbox_dir.glob("*.eml")]
    assert len(mails) == 2
