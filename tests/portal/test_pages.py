"""The pages of the blocks: who may open them, what happens to a form that cannot be written, and what people see."""

from __future__ import annotations

import html
import json
import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from examples.amp_portal.access import BLOCKS, PATHS
from examples.amp_portal.app import MAX_BODY
from examples.amp_portal.application_store import Applications
from examples.amp_portal.guard import BlockPage
from examples.amp_portal.kept import LABELS
from examples.amp_portal.sessions import end_by_signal, open_session
from examples.amp_portal.store import Store
from tests.portal.people import OURS, THEIRS, claims_of
from tests.portal.provider import FakeProvider

MEGABYTE = "A" * 1_000_000
CONTRACT = {"category": "services", "respondent": "Maïka", "description": "Ménage"}


class Portal:
    """The portal, and people who sign in to it in one browser."""

    def __init__(self, browser: FlaskClient, provider: FakeProvider) -> None:
        self.browser, self.issuer = browser, provider.url
        browser.application.config["WTF_CSRF_ENABLED"] = False
        extensions = browser.application.extensions
        self.database, self.pages = extensions["portal.database"], tuple(extensions["portal.pages"].values())
        self.store: Store = extensions["portal.store"]
        self.files = Applications(self.store)

    def sign_in(self, sub: str = "s", enterprise: str = OURS, blocks: tuple[str, ...] = BLOCKS, **changes: Any) -> None:
        now = datetime.now(UTC)
        status = changes.pop("status", "active")
        claims = claims_of(enterprise, sub, blocks, **{"iss": self.issuer, **changes})
        claims["enterprise"]["status"] = status
        self.browser.set_cookie(
            "portal", open_session(self.database, claims, "t", asked_at=now, now=now), domain="localhost"
        )

    def lose(self, sub: str = "s") -> None:
        """Let the provider signal the end of the session."""
        event = {"iss": self.issuer, "sub": sub, "sid": f"S-{sub}", "jti": f"j-{sub}-{datetime.now(UTC)}"}
        assert end_by_signal(self.database, event, datetime.now(UTC))

    def get(self, path: str) -> str:
        answer = self.browser.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        return html.unescape(answer.text)

    def send(self, path: str, **fields: Any) -> TestResponse:
        """Send the form of a page with what the page has hidden in it."""
        page = self.browser.get(path).text
        form = next(
            part
            for part in re.findall(r"<form.*?</form>", page, re.S)
            if not fields or f'name="{next(iter(fields))}"' in part
        )
        hidden = re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form)
        return self.browser.post(path, data={**dict(hidden), **fields})

    def complete(self) -> None:
        """Fill in an application and disclose its one relationship."""
        assert self.send("/application", **CONTRACT).status_code == 303
        assert self.send("/relationships", kind="director", name="王小明").status_code == 303

    def submit(self) -> TestResponse:
        found = self.files.latest(OURS)
        assert found is not None
        return self.browser.post(
            "/relationships/validation", data={"application": found["id"], "revision": found["revision"]}
        )


@pytest.fixture
def portal(browser: FlaskClient, provider: FakeProvider) -> Portal:
    return Portal(browser, provider)


def path_of(page: BlockPage) -> str:
    return re.sub(r"<row:\w+>", "1", page.rule)


def test_every_page_of_a_block_asks_for_its_block_at_each_request(portal: Portal) -> None:
    """Reading and writing: without a session, without the block, for a suspended enterprise, after a signal."""
    others = {block: tuple(code for code in BLOCKS if code != block) for block in BLOCKS}
    assert {page.block for page in portal.pages} == set(BLOCKS)
    for page in portal.pages:
        path, methods = (
            path_of(page),
            (portal.browser.get, portal.browser.post) if page.takes_forms else (portal.browser.get,),
        )
        for method in methods:
            portal.browser.delete_cookie("portal", domain="localhost")
            assert method(path).location.startswith("/sign-in?"), path
            portal.sign_in(blocks=others[page.block])
            refused = method(path)
            assert (refused.status_code, 'data-code="block_not_held"' in refused.text) == (403, True), path
            portal.sign_in(status="suspended")
            assert 'data-code="enterprise_not_active"' in method(path).text, path
            portal.sign_in(sub="lost")
            portal.lose("lost")
            ended = method(path)
            assert (ended.status_code, 'id="removed"' in ended.text) == (403, True), path
    assert portal.store.all("SELECT * FROM application") == portal.store.all("SELECT * FROM request") == []


@pytest.mark.parametrize(
    "path", ["/requests", "/application", "/application/details", "/application/relationships", "/relationships"]
)
@pytest.mark.parametrize("cause", ["signal", "expiry", "block"])
def test_text_that_could_not_be_written_is_kept(portal: Portal, path: str, cause: str) -> None:
    """It is shown at once, or after the silent sign-in, and stands in the form when the right is there again."""
    block = next(page.block for page in portal.pages if page.rule == path)
    field = {"/requests": "subject", "/application": "respondent", "/application/details": "public_body"}.get(
        path, "name"
    )
    portal.sign_in()
    portal.get(path)
    form = {field: "Ødegård « & fils »", "revision": "0"}
    if cause == "signal":
        portal.lose()
    elif cause == "expiry":
        portal.sign_in(exp=int(datetime.now(UTC).timestamp()) - 1)
    else:
        portal.sign_in(blocks=())

    answer = portal.browser.post(path, data=form)

    if cause == "expiry":
        assert (answer.status_code, parse_qs(urlsplit(answer.location).query)["next"]) == (303, [path])
        portal.sign_in(blocks=())
        answer = portal.browser.get(path)  # the right is gone after all: the text is on the page that says so
    assert answer.status_code == 403
    assert "Ødegård « & fils »" in html.unescape(answer.text)
    assert portal.store.all("SELECT * FROM application") == []
    portal.sign_in(blocks=(block,))
    again = portal.get(path)
    assert 'id="text-kept"' in again
    assert "Ødegård « & fils »" in again
    portal.sign_in(sub="other")
    assert "Ødegård" not in portal.get(path)


def test_kept_text_is_sent_once_and_then_forgotten(portal: Portal) -> None:
    """After it was sent the form is empty again."""
    portal.sign_in()
    portal.lose()
    portal.browser.post("/requests", data={"kind": "meeting", "subject": "Où?", "text": "Bonjour"})
    portal.sign_in()
    assert 'id="text-kept"' in portal.get("/requests")

    assert portal.send("/requests", kind="meeting", subject="Où?", text="Bonjour").status_code == 303

    assert 'id="text-kept"' not in portal.get("/requests")
    assert [row["subject"] for row in portal.store.requests_of(OURS).rows] == ["Où?"]


def test_kept_text_does_not_hide_what_another_person_wrote_meanwhile(portal: Portal) -> None:
    """It was typed against the revision of then: sending it shows the other's change first."""
    portal.sign_in()
    portal.send("/application", **CONTRACT)
    portal.lose()
    page = {"application": "1", "revision": "1", **CONTRACT, "respondent": "Moi"}
    portal.browser.post("/application", data=page)
    portal.sign_in(sub="other")
    portal.send("/application", **{**CONTRACT, "respondent": "Elle"})
    portal.sign_in()

    answer = portal.send("/application", **{**CONTRACT, "respondent": "Moi"})

    assert answer.status_code == 409
    shown = html.unescape(answer.text)
    assert 'id="changed-meanwhile"' in shown
    assert "par Personne other" in shown
    assert "Elle" in shown
    assert 'value="Moi"' in shown
    assert portal.files.steps(1)["contract"].fields["respondent"] == "Elle"


def test_a_form_of_another_enterprise_is_not_written(portal: Portal) -> None:
    """A page opened for one enterprise and sent after the change to another writes to neither, and the text is there."""
    portal.sign_in()
    portal.get("/application")
    portal.sign_in(enterprise=THEIRS)

    answer = portal.browser.post("/application", data={**CONTRACT, "acting_for": OURS, "revision": "0"})

    assert (answer.status_code, "Maïka" in answer.text) == (409, True)
    assert portal.files.latest(OURS) is portal.files.latest(THEIRS) is None


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_a_megabyte_in_any_field_has_its_message(portal: Portal, lang: str) -> None:
    """Beside the field, with nothing written; a body beyond all measure is refused as a whole."""
    portal.sign_in()
    portal.complete()
    portal.get(f"/?lang={lang}")
    long_one = {"fr": "caractères au plus", "en": "at most"}[lang]
    before = portal.store.all("SELECT revision FROM application")[0][0]
    good = {**CONTRACT, "kind": "director", "name": "A", "subject": "B", "text": "C"}
    tried = set()
    for page in portal.pages:
        path = path_of(page)
        shown = portal.browser.get(path).text if page.takes_forms else ""
        for field in set(re.findall(r'<(?:input|textarea) id="\w+" name="(\w+)"', shown)):
            kind = {"kind": "meeting"} if path == "/requests" else {}
            answer = portal.browser.post(path, data={**good, **kind, field: MEGABYTE})
            assert (answer.status_code, long_one in answer.text, "AAAA" in answer.text) == (400, True, True), (
                path,
                field,
            )
            tried.add(field)
    assert tried == set(LABELS) - {"category", "kind"}
    assert portal.store.all("SELECT revision FROM application")[0][0] == before
    part = f'--x\r\nContent-Disposition: form-data; name="subject"\r\n\r\n{MEGABYTE}\r\n--x--\r\n'
    multipart = portal.browser.post("/requests", data=part, content_type="multipart/form-data; boundary=x")
    assert multipart.status_code == 400
    too_large = portal.browser.post("/requests", data={"text": "A" * (MAX_BODY + 1)})
    assert (too_large.status_code, "<h1>" in too_large.text) == (413, True)
    assert portal.browser.post("/events", data="A" * 200_000, content_type="application/secevent+jwt").status_code in (
        400,
        413,
    )


def test_forged_numbers_find_nothing(portal: Portal) -> None:
    """Rows of another enterprise, rows there are not, and numbers that are none."""
    portal.sign_in(enterprise=THEIRS)
    portal.send("/application", **CONTRACT)
    portal.send("/application/relationships", kind="director", name="A")
    portal.send("/requests", kind="meeting", subject="a", text="b")
    portal.sign_in()
    portal.get("/")
    for page in portal.pages:
        if "<row:" not in page.rule or page.block == "008":
            continue
        for number in ("1", "0", "9007199254740991", "9" * 30, "-1", "x"):
            path = re.sub(r"<row:\w+>", number, page.rule)
            mine = number == "1" and page.block == "001"
            for answer in (
                portal.browser.get(path),
                *([portal.browser.post(path, data=CONTRACT)] if page.takes_forms else []),
            ):
                if mine or answer.status_code in (303, 400):
                    continue
                assert answer.status_code == 404, path
    for query in ("page=0", "page=-1", "page=x", "page=" + "9" * 40, "receipt=x", "number=x", "told=x", "lang=x"):
        for path in PATHS.values():
            portal.get(f"{path}?{query}")
    portal.browser.post("/relationships/disclosure", data={"disclose": ["x", "1", "1:1", "9" * 40, ":"]})
    assert portal.store.all("SELECT disclosed_at FROM relationship")[0][0] is None


def test_an_application_goes_from_its_first_step_to_its_payment(portal: Portal) -> None:
    """What each block sees of it, in both languages; sent twice, paid twice, and the back button."""
    portal.sign_in()
    portal.send("/application", **CONTRACT)
    portal.send("/application/details", value="1 250 000,50", public_body="Ville de Brumeplume")
    portal.send("/application/relationships", kind="officer", name="محمد بن علي", detail="présidence")
    assert "chaque lien (bloc 019)" in portal.get("/application/check")
    disclosed = portal.browser.post("/relationships/disclosure", data={"disclose": "1:1", "application": "1"})
    assert disclosed.location.endswith("told=disclosed")
    checked = portal.get("/application/check")
    assert 'id="complete"' in checked
    assert "1\u00a0250\u00a0000,50\u00a0$" in checked
    old_page = {"application": "1", "revision": "1", **CONTRACT}

    assert portal.submit().location == "/relationships?told=validated"

    assert portal.submit().location == "/relationships?told=already_submitted"
    number = portal.files.latest(OURS)["number"]  # type: ignore[index]
    assert number in portal.get("/relationships?told=validated")
    back = portal.browser.post("/application", data={**old_page, "respondent": "Trop tard"})
    assert (back.status_code, 'id="closed-meanwhile"' in back.text, "Trop tard" in back.text) == (409, True, True)
    fee = next(row for row in portal.store.invoices(OURS).rows if row["application"])
    assert fee["number"] in portal.get("/invoices")
    paid = portal.browser.post(f"/invoices/{fee['id']}")
    assert number in portal.get(paid.location)
    assert portal.browser.post(f"/invoices/{fee['id']}").location == "/invoices?before=1"
    assert "À l’étude" in portal.get("/follow-up")
    followed = portal.get("/follow-up/applications/1")
    assert re.findall(r"<li>([^<]+) <span", followed) == ["Brouillon", "Transmise, paiement attendu", "À l’étude"]
    whole_file = portal.get("/client-file")
    for shown in (number, "محمد بن علي", "Ville de Brumeplume", fee["number"], "$", "Ménage"):
        assert shown in whole_file
    assert "Being examined" in portal.get("/client-file?lang=en")
    assert "$1,250,000.50" in portal.get("/client-file")
    assert "$614.00" in portal.get("/invoices")
    assert number in portal.get("/messages")


def test_a_submission_of_what_was_not_shown_is_shown_again(portal: Portal) -> None:
    """A colleague changed the application since the page was opened: nothing is submitted, the change is there to see."""
    portal.sign_in()
    portal.complete()
    found = portal.files.latest(OURS)
    assert found is not None
    portal.sign_in(sub="other")
    portal.send("/application", **{**CONTRACT, "respondent": "Une autre"})
    portal.sign_in()

    answer = portal.browser.post(
        "/relationships/validation",
        data={"application": found["id"], "revision": found["revision"]},
        headers={"Accept": "text/html"},
    )

    assert answer.status_code == 409
    assert 'id="changed-meanwhile"' in answer.text
    assert "Une autre" in answer.text
    assert portal.files.latest(OURS)["number"] is None  # type: ignore[index]


def test_a_message_is_read_answered_and_put_back(portal: Portal) -> None:
    """Unread at first; an answer stands under it; the mark can be taken away."""
    portal.sign_in()
    assert 'id="unread"' in portal.get("/")
    listed = re.findall(r'href="(/messages/\d+)"', portal.get("/messages"))
    assert portal.send(listed[0], text="").status_code == 400
    sent = portal.send(listed[0], text="Merci\nbien")
    assert "Merci\nbien" in portal.get(sent.location)
    assert "par Personne s" in portal.get(listed[0])

    portal.browser.post(f"{listed[0]}/unread")

    assert portal.get("/messages").count('class="unread"') == 2


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_the_front_page_serves_both_readers(portal: Portal, lang: str) -> None:
    """Who has an account and who has none, each with the way into Mandat; the steps, what to have at hand, roles, blocks."""
    page = portal.get(f"/?lang={lang}")

    links = dict(re.findall(r'id="([a-z-]+)" href="([^"]+)"', page))
    assert {name: links[name] for name in ("sign-in", "subscribe", "modify", "enrol", "find-pes")} == {
        "sign-in": "/sign-in",
        "subscribe": f"{portal.issuer}/agencies/amp/subscribe",
        "modify": f"{portal.issuer}/agencies/amp",
        "enrol": f"{portal.issuer}/enrol?client_id=amp-portal",
        "find-pes": f"{portal.issuer}/who-is-my-pes",
    }
    for anchor in ("have-account", "no-account", "steps", "at-hand", "who", "blocks", "how-long"):
        assert f'id="{anchor}"' in page
    assert all(f'class="code">{code}' in page for code in BLOCKS)
    assert f'<html lang="{lang}">' in page


@pytest.mark.parametrize(
    ("target", "place"),
    [
        ("/application", "/application"),
        ("/follow-up/requests/4", "/follow-up/requests/4"),
        ("/told", "/"),
        ("//evil.example/", "/"),
        ("", "/"),
    ],
)
def test_mandat_leads_back_to_a_page_of_ours(portal: Portal, target: str, place: str) -> None:
    """The sign-in that it initiates (OIDC Core §4) ends on the page it names, when that is one of ours."""
    for method in (portal.browser.get, portal.browser.post):
        values = {"iss": portal.issuer, "target_link_uri": f"http://127.0.0.1:8001{target}"}
        key = "query_string" if method == portal.browser.get else "data"

        answer = method("/initiate-login", **{key: values})

        assert parse_qs(urlsplit(answer.location).query) == {"next": [place]}


@pytest.mark.parametrize(
    "values",
    [{}, {"iss": "http://evil.example"}, {"iss": "http://evil.example", "target_link_uri": "http://127.0.0.1:8001/"}],
)
def test_nobody_else_initiates_a_sign_in(portal: Portal, values: dict[str, str]) -> None:
    """The issuer must be ours, to the letter."""
    assert portal.browser.get("/initiate-login", query_string=values).status_code == 400


def test_a_target_elsewhere_leads_home(portal: Portal) -> None:
    """The way back is never an open redirect."""
    values = {"iss": portal.issuer, "target_link_uri": "http://evil.example/application"}

    assert portal.browser.get("/initiate-login", query_string=values).location == "/sign-in?next=%2F"


@pytest.mark.parametrize(
    ("role", "blocks", "wanted"),
    [
        ("pes", BLOCKS, 'id="modify"'),
        ("authorized_representative", (), "/roster"),
        ("user", (), "Aucun bloc fonctionnel"),
    ],
)
def test_the_services_lead_on_by_role(portal: Portal, role: str, blocks: tuple[str, ...], wanted: str) -> None:
    """The person in charge changes the subscription, the representative names one, a user learns whom to ask."""
    portal.sign_in(blocks=blocks, representation={"role": role, "basis": "direct", "version": 4})

    assert wanted in portal.get("/")


@pytest.mark.parametrize(
    ("role", "wanted"), [("user", 'id="ask"'), ("pes", 'id="modify"'), ("authorized_representative", 'id="name-pes"')]
)
def test_a_closed_tile_leads_to_whom_to_ask(portal: Portal, role: str, wanted: str) -> None:
    """A user asks the person in charge, who changes the subscription; the representative names one."""
    portal.sign_in(blocks=("001",), representation={"role": role, "basis": "direct", "version": 4})

    assert wanted in portal.browser.get("/application").text


def test_asking_for_a_block_is_asked_of_mandat(portal: Portal) -> None:
    """The request names the block that the page needs and the enterprise (RFC 9396)."""
    portal.sign_in(blocks=("001",))

    answer = portal.browser.get("/sign-in?again=ask&next=/invoices")

    asked = json.loads(parse_qs(urlsplit(answer.location).query)["authorization_details"][0])
    assert asked == [{"type": "functional_blocks", "privileges": ["008"], "needs": "all", "identifier": OURS}]


def test_what_flask_refuses_is_said_in_words(portal: Portal) -> None:
    """No such page, no such method: a page of ours, in the language of the person."""
    assert "Page introuvable" in portal.browser.get("/nowhere").text
    answer = portal.browser.post("/follow-up?lang=en")
    assert (answer.status_code, "Page not found" in answer.text) == (405, True)


def test_a_session_that_ran_out_keeps_its_first_page(portal: Portal) -> None:
    """A person signed out elsewhere who sends a form reads their text, and where to sign in."""
    answer = portal.browser.post("/requests", data={"subject": "Où?", "kind": "meeting"})

    assert (answer.status_code, "Où?" in answer.text, 'id="sign-in"' in answer.text) == (403, True, True)


def test_a_person_without_an_enterprise_is_led_on(portal: Portal) -> None:
    """No claim at all: to the enrolment, to the person in charge, or to another sign-in; every block says so as well."""
    portal.sign_in(representation=None)

    links = dict(re.findall(r'id="([a-z-]+)" href="([^"]+)"', portal.get("/")))

    assert {"enrol", "find-pes", "again"} <= links.keys()
    assert 'data-code="no_enterprise"' in portal.browser.get("/invoices").text
