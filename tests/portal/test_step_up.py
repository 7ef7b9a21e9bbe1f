"""The acts that bind an enterprise: a fresh and sure sign-in by the same person, then one POST (RFC 9470, S-45)."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from examples.amp_portal.application_store import Applications
from examples.amp_portal.confirming import is_act
from examples.amp_portal.sessions import Acting, find_session, open_session
from examples.amp_portal.step_up import Needs, challenge, request_parameters
from examples.amp_portal.store import Store
from tests.portal.people import acting_of
from tests.portal.provider import FakeProvider, token_of

NOW = datetime(2026, 11, 5, 15, 0, tzinfo=UTC)
STORY = {"id": "neq:1100000455", "neq": "1100000455", "name": "Licorne inc.", "status": "active"}
FIRM = {"id": "neq:3300000018", "neq": "3300000018", "name": "Plumedor", "status": "active"}
PERSON: dict[str, Any] = {
    "acr": "urn:mandat:aal:2",
    "amr": ["pwd", "otp", "mfa"],
    "enterprise": STORY,
    "representation": {"role": "user", "basis": "direct", "version": 4},
    "functional_blocks": ["008", "019"],
}
HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def claims(age: float = 0, **changes: Any) -> dict[str, Any]:
    told = {**PERSON, "auth_time": int(NOW.timestamp() - age), **changes}
    return {name: value for name, value in told.items() if value is not None}


# --- the rule


@pytest.mark.parametrize(
    ("told", "needs"),
    [
        (claims(), Needs()),
        (claims(300), Needs()),
        (claims(-10), Needs()),  # its clock may be ahead of ours
        (claims(acr="urn:mandat:aal:3", amr=["pop", "user", "mfa"]), Needs()),
        (claims(3600), Needs(max_age=3600)),
        (claims(20), Needs(max_age=0, asked_at=NOW - timedelta(seconds=20))),
        (claims(30), Needs(max_age=0, asked_at=NOW - timedelta(seconds=20))),
        (claims(300), Needs(max_age=0, asked_at=NOW - timedelta(seconds=400))),
        (claims(280), Needs(max_age=60, asked_at=NOW - timedelta(seconds=300))),
    ],
)
def test_a_fresh_and_sure_sign_in_will_do(told: dict[str, Any], needs: Needs) -> None:
    """As old as max_age, or made for this very act a moment ago; a higher level will do."""
    assert challenge(told, NOW, needs) is None


@pytest.mark.parametrize(
    ("told", "needs"),
    [
        (claims(301), Needs()),
        (claims(-11), Needs()),
        (claims(auth_time=None), Needs()),
        (claims(auth_time=str(int(NOW.timestamp()))), Needs()),
        (claims(auth_time=True), Needs()),
        (claims(0), Needs(max_age=0)),
        (claims(-5), Needs(max_age=0)),
        (claims(31), Needs(max_age=0, asked_at=NOW - timedelta(seconds=20))),  # made before it was asked for
        (claims(301), Needs(max_age=0, asked_at=NOW - timedelta(seconds=400))),
        (claims(61), Needs(max_age=60, asked_at=NOW)),
    ],
)
def test_a_sign_in_that_is_not_fresh_is_challenged(told: dict[str, Any], needs: Needs) -> None:
    """A second too old, from the future, not said, or made for something else."""
    found = challenge(told, NOW, needs)

    assert found is not None
    assert "recent" in found.description


@pytest.mark.parametrize(
    "changes",
    [
        {"acr": "urn:mandat:aal:1"},
        {"acr": None},
        {"acr": "urn:else:9"},
        {"acr": ["urn:mandat:aal:2"]},
        {"amr": ["pwd"]},
        {"amr": None},
        {"amr": "mfa"},
    ],
)
def test_a_sign_in_that_is_not_sure_is_challenged(changes: dict[str, Any]) -> None:
    """A lower, unknown or missing level, or one factor whatever the level says (GHSA-hp74-gm6m-2qm5)."""
    found = challenge(claims(**changes), NOW, Needs())

    assert found is not None
    assert "two factors" in found.description


def test_the_challenge_and_the_request_say_the_same() -> None:
    """RFC 9470 §3 and §4: the level and the age of the challenge are those of the request that answers it."""
    found = challenge(claims(900), NOW, Needs())
    assert found is not None
    assert found.header == (
        'Bearer error="insufficient_user_authentication", error_description="A more recent sign-in is required", '
        'acr_values="urn:mandat:aal:2", max_age="300"'
    )

    asked = request_parameters(found.needs)

    assert (asked["acr_values"], asked["max_age"]) == ("urn:mandat:aal:2", "300")
    assert json.loads(asked["claims"]) == {"id_token": {"acr": {"essential": True, "value": "urn:mandat:aal:2"}}}


@pytest.mark.parametrize(
    "path", ["/invoices/0", "/invoices/1/", "//evil/invoices/1", "/invoices/x", "/invoices", "/invoices/1\n", "", "/"]
)
def test_only_an_act_is_an_act(path: str) -> None:
    """What may stand behind ``next`` is one of two shapes."""
    assert not is_act(path)
    assert is_act("/invoices/12")
    assert is_act("/relationships/validation")


# --- the pages


class Person:
    """Somebody at the portal, whose provider answers as the test says."""

    def __init__(self, browser: FlaskClient, provider: FakeProvider) -> None:
        self.browser, self.provider = browser, provider
        browser.application.config["WTF_CSRF_ENABLED"] = False
        self.store: Store = browser.application.extensions["portal.store"]
        self.files = Applications(self.store)

    def sign_in(self, age: int = 0, **changes: Any) -> None:
        now = int(time.time())
        told = {
            "iss": self.provider.url,
            "sub": "s",
            "sid": "S-1",
            "iat": now,
            "exp": now + 300,
            "auth_time": now - age,
        }
        database, instant = self.browser.application.extensions["portal.database"], datetime.now(UTC)
        cookie = open_session(database, {**told, **PERSON, **changes}, "id-token", asked_at=instant, now=instant)
        self.browser.set_cookie("portal", cookie, domain="localhost")

    def act(self, path: str) -> str:
        """Return the address of the act *path* names, ready to be done."""
        self.browser.get("/invoices")
        if path == "pay":
            return f"/invoices/{self.store.invoices(STORY['id']).rows[0]['id']}"
        contract = {"category": "services", "respondent": "Maïka", "description": "Ménage"}
        self.files.save_step(self.acting("018"), 0, "contract", contract, 0)
        self.files.add_relationship(self.acting("019"), 0, {"kind": "director", "name": "Julie"})
        return "/relationships/validation"

    def acting(self, block: str) -> Acting:
        """Return this person, with a right of their own to prepare what an act needs."""
        held = {**PERSON, "functional_blocks": [block]}
        return acting_of(self.browser.application.extensions["portal.database"], self.provider.url, held, block)

    def form(self) -> dict[str, Any]:
        """Return what the form of a submission sends back."""
        found = self.files.latest(STORY["id"])
        return {"application": found["id"], "revision": found["revision"]} if found else {}

    def is_done(self, path: str) -> bool:
        if path == "pay":
            return any(row["paid_at"] for row in self.store.invoices(STORY["id"]).rows)
        row = self.files.latest(STORY["id"])
        return row is not None and row["submitted_at"] is not None

    def go(self, place: str) -> dict[str, str]:
        """Go to the provider and return what the portal asked of it."""
        answer = self.browser.get(place)
        assert answer.status_code == 302, answer.text
        return {name: values[0] for name, values in parse_qs(urlsplit(answer.location).query).items()}

    def come_back(self, asked: dict[str, str], age: int = 0, **changes: Any) -> TestResponse:
        """Come back from the provider with an ID token."""
        told = {**PERSON, "auth_time": int(time.time()) - age, "nonce": asked["nonce"], **changes}
        self.provider.id_token = token_of(self.provider.url, **told)
        query = {"code": "c", "state": asked["state"], "iss": self.provider.url}
        return self.browser.get("/callback", query_string=query)

    def sub(self) -> str:
        cookie = self.browser.get_cookie("portal")
        assert cookie is not None
        found = find_session(self.browser.application.extensions["portal.database"], cookie.value)
        assert found is not None
        return found.sub


@pytest.fixture
def person(browser: FlaskClient, provider: FakeProvider) -> Person:
    return Person(browser, provider)


def each_needs_its_own(person: Person) -> None:
    extensions = person.browser.application.extensions
    extensions["portal.settings"] = replace(extensions["portal.settings"], step_up_seconds=0)


ACTS = pytest.mark.parametrize("act", ["pay", "validation"])


@ACTS
def test_a_fresh_sign_in_acts_at_once(person: Person, act: str) -> None:
    """One POST; a GET shows the act with its button, and does nothing."""
    person.sign_in(age=290)
    path = person.act(act)
    shown = person.browser.get(path, headers=HTML)
    assert (shown.status_code, 'id="confirm-act"' in shown.text, person.is_done(act)) == (200, True, False)

    answer = person.browser.post(path, data=person.form())

    assert (answer.status_code, person.is_done(act)) == (303, True)


@ACTS
@pytest.mark.parametrize(
    "changes", [{"age": 301}, {"acr": "urn:mandat:aal:1"}, {"amr": ["pwd"]}, {"acr": None, "amr": None}]
)
def test_another_sign_in_is_challenged(person: Person, act: str, changes: dict[str, Any]) -> None:
    """A program reads the challenge, a person the same in plain words with one way on; nothing is done."""
    person.sign_in(**changes)
    path = person.act(act)

    program, page = person.browser.post(path), person.browser.post(path, headers=HTML)

    assert (program.status_code, page.status_code, person.is_done(act)) == (401, 401, False)
    assert program.get_json()["error"] == "insufficient_user_authentication"
    for answer in (program, page, person.browser.get(path)):
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["WWW-Authenticate"].startswith('Bearer error="insufficient_user_authentication", ')
        assert answer.headers["WWW-Authenticate"].endswith('acr_values="urn:mandat:aal:2", max_age="300"')
    assert re.findall(r'id="step-up" href="([^"]+)"', page.text) == [f"/sign-in?again=confirm&amp;next={path}"]
    assert "id=" + '"confirm-act"' not in page.text


@ACTS
def test_signing_in_again_leads_back_to_the_act_and_does_nothing(person: Person, act: str) -> None:
    """The provider is asked for the age, the level and the enterprise; the way back shows the act, one POST does it."""
    person.sign_in(age=1000)
    path = person.act(act)
    asked = person.go(f"/sign-in?again=confirm&next={path}")
    assert (asked["max_age"], asked["acr_values"]) == ("300", "urn:mandat:aal:2")
    assert json.loads(asked["claims"])["id_token"]["acr"]["essential"] is True
    assert json.loads(asked["authorization_details"])[0]["identifier"] == STORY["id"]
    assert "prompt" not in asked

    back = person.come_back(asked)

    assert (back.location, person.is_done(act)) == (path, False)
    shown = person.browser.get(path, headers=HTML)
    assert (shown.status_code, 'id="confirm-act"' in shown.text, person.is_done(act)) == (200, True, False)
    assert person.browser.post(path, data=person.form()).status_code == 303
    assert person.is_done(act)


@pytest.mark.parametrize(
    "changes",
    [{"age": 301}, {"auth_time": None}, {"acr": "urn:mandat:aal:1"}, {"acr": None}, {"amr": ["pwd"]}, {"age": -60}],
)
def test_a_provider_that_ignores_what_was_asked_is_not_believed(person: Person, changes: dict[str, Any]) -> None:
    """The new ID token must show the age and the level that were asked for; nothing changes otherwise."""
    person.sign_in(age=1000)
    path = person.act("pay")
    asked = person.go(f"/sign-in?again=confirm&next={path}")

    back = person.come_back(asked, sub="t", **changes)

    assert back.location.startswith("/not-confirmed?why=not_fresh&next=%2Finvoices%2F")
    assert person.sub() == "s"
    assert person.browser.post(path).status_code == 401
    shown = person.browser.get(back.location)
    assert (shown.status_code, f'href="{path}"' in shown.text) == (403, True)


@pytest.mark.parametrize(
    "changes", [{"sub": "t"}, {"enterprise": FIRM}, {"enterprise": None}, {"representation": None}]
)
def test_another_person_or_enterprise_drops_the_act(person: Person, changes: dict[str, Any]) -> None:
    """They are signed in as who they are; what was about to be done is not done, and not offered again."""
    person.sign_in(age=1000)
    path = person.act("pay")
    each_needs_its_own(person)
    asked = person.go(f"/sign-in?again=confirm&next={path}")

    back = person.come_back(asked, sid="S-2", **changes)

    assert back.location == "/not-confirmed?why=somebody_else&next="
    assert person.sub() == changes.get("sub", "s")
    shown = person.browser.get(f"/not-confirmed?why=somebody_else&next={path}")
    assert (shown.status_code, path in shown.text) == (403, False)
    assert person.browser.post(path).status_code in (401, 403, 404)
    assert not person.is_done("pay")


def test_giving_up_at_the_provider_keeps_everything(person: Person) -> None:
    """The session stays, nothing is done, and the way back to the act is there."""
    person.sign_in(age=1000)
    path = person.act("pay")
    asked = person.go(f"/sign-in?again=confirm&next={path}")

    query = {"error": "access_denied", "state": asked["state"], "iss": person.provider.url}
    back = person.browser.get("/callback", query_string=query)

    assert back.location.startswith("/not-confirmed?why=cancelled&next=%2Finvoices%2F")
    assert person.sub() == "s"
    assert person.browser.post(path).status_code == 401


def test_with_an_age_of_zero_each_act_needs_its_own_sign_in(person: Person) -> None:
    """However fresh, a sign-in made for something else will not do; one made for the act serves once."""
    each_needs_its_own(person)
    person.sign_in()
    first = person.act("pay")
    second = f"/invoices/{person.store.invoices(STORY['id']).rows[1]['id']}"
    assert person.browser.post(first).status_code == 401
    asked = person.go(f"/sign-in?again=confirm&next={first}")
    assert asked["max_age"] == "0"
    person.come_back(asked)
    assert person.browser.post(second).status_code == 401

    paid = person.browser.post(first)

    assert paid.status_code == 303
    assert person.browser.post(second).status_code == 401
    assert sum(1 for row in person.store.invoices(STORY["id"]).rows if row["paid_at"]) == 1
    with person.browser.session_transaction() as kept:
        assert [name for name in kept if name.startswith("step_up")] == []


def test_another_sign_in_in_between_forgets_the_act(person: Person) -> None:
    """What was confirmed does not outlive the next sign-in; one that is not asked for an act confirms none."""
    each_needs_its_own(person)
    person.sign_in()
    path = person.act("pay")
    person.come_back(person.go(f"/sign-in?again=confirm&next={path}"))
    assert person.browser.get(path).status_code == 200

    back = person.come_back(person.go(f"/sign-in?next={path}"))

    assert back.location == path
    assert person.browser.get(path).status_code == 401


def test_what_needs_no_confirmation_is_not_asked_for(person: Person) -> None:
    """Paid before, not there, of another enterprise, nothing to validate: no sign-in in vain."""
    person.sign_in(age=1000)
    path = person.act("pay")
    person.store.welcome(FIRM["id"], NOW.date())
    foreign = person.store.invoices(FIRM["id"]).rows[0]["id"]
    person.store.pay(person.acting("008"), int(path.rpartition("/")[2]))

    for method in (person.browser.get, person.browser.post):
        assert method(path).location == "/invoices?before=1"
        assert method(f"/invoices/{foreign}").status_code == 404
        assert method(f"/invoices/{2**53}").status_code == 404
        assert method(f"/invoices/{10**30}").status_code == 404
        assert method("/relationships/validation").location == "/relationships?told=cannot_validate"


def test_rights_that_must_be_read_again_keep_the_act(person: Person) -> None:
    """Past ``exp`` (rule 8) the POST does nothing and shows nothing: the silent sign-in leads back to the act."""
    person.sign_in()
    path = person.act("pay")
    person.sign_in(exp=int(time.time()) - 1)

    answer = person.browser.post(path)

    assert (answer.status_code, answer.location) == (303, f"/sign-in?again=silent&next={path.replace('/', '%2F')}")
    assert not person.is_done("pay")
    assert person.go(answer.location)["prompt"] == "none"


def test_without_the_block_or_a_session_there_is_no_challenge(person: Person) -> None:
    """The block is judged first: whoever does not hold it is refused, not asked to sign in."""
    person.sign_in(age=1000)
    path = person.act("pay")
    person.sign_in(age=1000, functional_blocks=["001"])
    refused = person.browser.post(path)
    assert (refused.status_code, "WWW-Authenticate" in refused.headers) == (403, False)

    person.browser.delete_cookie("portal", domain="localhost")

    assert person.browser.post(path).location == "/sign-in?next=%2Finvoices"
    asked = person.go(f"/sign-in?again=confirm&next={path}")
    assert "max_age" not in asked


def test_the_forms_are_guarded(person: Person) -> None:
    """A POST from another site confirms nothing: the page's own token is needed."""
    person.sign_in()
    path = person.act("pay")
    person.browser.application.config["WTF_CSRF_ENABLED"] = True

    assert person.browser.post(path).status_code == 400

    assert not person.is_done("pay")
