from __future__ import annotations

import sqlite3
import threading
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from examples.amp_portal import kept
from examples.amp_portal.application_store import Applications, Outcome
from examples.amp_portal.applications import FEE_CENTS, MAX_RELATIONSHIPS, State
from examples.amp_portal.database import Database
from examples.amp_portal.sessions import Acting, RightLostError, end_by_signal, note_version
from examples.amp_portal.store import Store
from tests.portal.people import ISSUER, OURS, THEIRS, acting_of, claims_of

NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)
CONTRACT = {"category": "services", "respondent": "A. B.", "description": "Entretien"}
JULIE = {"kind": "director", "name": "Julie"}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(Database(tmp_path / "portal.sqlite3"))
    for enterprise in (OURS, THEIRS):
        store.welcome(enterprise, date(2026, 11, 23))
    return store


@pytest.fixture
def files(store: Store) -> Applications:
    return Applications(store)


def who(store: Store, block: str, sub: str = "s", enterprise: str = OURS, now: datetime = NOW) -> Acting:
    return acting_of(store.database, ISSUER, claims_of(enterprise, sub), block, now)


def complete(files: Applications, store: Store, enterprise: str = OURS) -> tuple[int, int]:
    """Fill in an application and disclose its relationships; return its number and revision."""
    files.save_step(who(store, "018", enterprise=enterprise), 0, "contract", CONTRACT, 0)
    files.add_relationship(who(store, "019", enterprise=enterprise), 0, JULIE)
    found = files.latest(enterprise)
    assert found is not None
    return found["id"], found["revision"]


def fees(store: Store) -> list[sqlite3.Row]:
    return [row for row in store.invoices(OURS).rows if row["application_id"] is not None]


def test_an_enterprise_is_welcomed_once(store: Store) -> None:
    """Two messages and two invoices, however often somebody signs in."""
    store.welcome(OURS, date(2026, 11, 24))

    assert (store.messages(OURS).total, store.invoices(OURS).total) == (2, 2)


def test_an_invoice_is_paid_once(store: Store) -> None:
    """The second payment gives no receipt."""
    invoice = store.invoices(OURS).rows[0]["id"]

    assert store.pay(who(store, "008"), invoice) is not None
    assert store.pay(who(store, "008"), invoice) is None


def test_nothing_of_another_enterprise_can_be_touched(store: Store, files: Applications) -> None:
    """A number of another enterprise finds nothing and changes nothing, whatever row it is of."""
    application, revision = complete(files, store, THEIRS)
    row, message = files.relationships(application).rows[0]["id"], store.messages(THEIRS).rows[0]["id"]
    ours, disclosing, reading = who(store, "018"), who(store, "019"), who(store, "001")
    before = [tuple(each) for each in files.relationships(application).rows]

    assert store.pay(who(store, "008"), store.invoices(THEIRS).rows[0]["id"]) is None
    assert store.read_message(reading, message) is None
    assert not store.reply(reading, message, "Bonjour", "")
    assert files.find(OURS, application) is None
    assert files.relationship(OURS, row) is None
    assert files.change_relationship(ours, row, JULIE, 1) is Outcome.GONE
    assert files.remove_relationship(ours, row, 1) is Outcome.GONE
    assert files.submit(disclosing, application, revision) is Outcome.CLOSED
    assert (
        files.save_step(ours, application, "contract", CONTRACT, 1) is not Outcome.DONE
        or files.find(OURS, application) is None
    )
    assert files.disclose(disclosing, 0, {row: 1}) is Outcome.CHANGED
    assert [tuple(each) for each in files.relationships(application).rows] == before
    assert all(each["paid_at"] is None for each in store.invoices(THEIRS).rows)
    assert files.latest(THEIRS)["revision"] == revision  # type: ignore[index]


def test_the_submission_raises_a_fee_and_its_payment_moves_the_application_on(
    store: Store, files: Applications
) -> None:
    """A number, one invoice, a message and a dated state at each turn."""
    application, revision = complete(files, store)
    assert files.submit(who(store, "019"), application, revision) is Outcome.DONE
    submitted = files.latest(OURS)
    assert submitted is not None
    assert (submitted["number"], submitted["state"]) == (f"LCOP-2026-{application:05d}", State.AWAITING_PAYMENT)
    (fee,) = fees(store)
    assert (fee["cents"], fee["due_on"], fee["application"]) == (FEE_CENTS, "2026-12-23", submitted["number"])

    assert store.pay(who(store, "008"), fee["id"])

    states = [(row["state"], row["by_name"]) for row in store.turns("application", application)]
    assert states == [(state, "Personne s") for state in ("draft", "awaiting_payment", "under_review")]
    assert files.latest(OURS)["state"] == State.UNDER_REVIEW  # type: ignore[index]
    subjects = [row["subject_fr"] for row in store.messages(OURS).rows[:2]]
    assert subjects == [
        f"Votre demande {submitted['number']} est à l’étude",
        f"Nous avons reçu votre demande d’autorisation {submitted['number']}",
    ]
    assert "614,00\u00a0$" in store.messages(OURS).rows[1]["body_fr"]
    assert "$614.00" in store.messages(OURS).rows[1]["body_en"]
    assert store.unread(OURS) == 4


def test_an_application_is_submitted_once_and_as_it_was_shown(store: Store, files: Applications) -> None:
    """Incomplete, changed since it was shown, or submitted before: nothing is written; then it can no longer change."""
    files.save_step(who(store, "018"), 0, "contract", {**CONTRACT, "respondent": ""}, 0)
    draft = files.latest(OURS)
    assert draft is not None
    end = who(store, "019")
    assert files.submit(end, draft["id"], draft["revision"]) is Outcome.INCOMPLETE
    files.add_relationship(who(store, "019"), draft["id"], JULIE)
    files.save_step(who(store, "018"), draft["id"], "contract", CONTRACT, 1)
    assert files.submit(end, draft["id"], draft["revision"]) is Outcome.CHANGED
    revision = files.latest(OURS)["revision"]  # type: ignore[index]

    assert files.submit(end, draft["id"], revision) is Outcome.DONE

    assert files.submit(end, draft["id"], revision) is Outcome.CLOSED
    assert len(fees(store)) == 1
    row, write = files.relationships(draft["id"]).rows[0]["id"], who(store, "018")
    for outcome in (
        files.save_step(write, draft["id"], "contract", CONTRACT, 2),
        files.save_step(write, 0, "details", {"value": "1"}, 0),
        files.add_relationship(write, draft["id"], {"kind": "officer", "name": "B"}),
        files.change_relationship(write, row, {"kind": "officer", "name": "B"}, 1),
        files.remove_relationship(write, row, 1),
        files.disclose(end, draft["id"], {row: 1}),
    ):
        assert outcome is Outcome.CLOSED


def test_two_people_lose_nothing_of_each_other(store: Store, files: Applications) -> None:
    """The later one is shown the change of the other; different steps and relationships do not meet."""
    one, other = who(store, "018", "one"), who(store, "018", "other")
    files.save_step(one, 0, "contract", CONTRACT, 0)
    assert files.save_step(other, 0, "contract", {**CONTRACT, "respondent": "C. D."}, 0) is Outcome.CHANGED
    application = files.latest(OURS)["id"]  # type: ignore[index]
    assert files.save_step(other, application, "details", {"value": "5"}, 0) is Outcome.DONE
    assert files.steps(application)["contract"].fields["respondent"] == "A. B."
    assert files.steps(application)["contract"].by_name == "Personne one"

    files.add_relationship(one, application, JULIE)
    row = files.relationships(application).rows[0]["id"]
    assert files.change_relationship(other, row, {"kind": "officer", "name": "Julie"}, 1) is Outcome.DONE

    assert files.change_relationship(one, row, {"kind": "director", "name": "Julie B."}, 1) is Outcome.CHANGED
    assert files.remove_relationship(one, row, 1) is Outcome.CHANGED
    assert files.disclose(who(store, "019"), application, {row: 1}) is Outcome.CHANGED
    assert files.remove_relationship(one, row, 2) is Outcome.DONE
    assert files.change_relationship(other, row, JULIE, 2) is Outcome.GONE


def test_a_changed_relationship_is_to_be_disclosed_again(store: Store, files: Applications) -> None:
    """What one person disclosed is never sent as another changed it."""
    application, revision = complete(files, store)
    row = files.relationships(application).rows[0]["id"]

    files.change_relationship(who(store, "018"), row, {"kind": "officer", "name": "Julie"}, 1)

    assert [str(each) for each in files.missing(application)] == ["missing_disclosure"]
    assert files.submit(who(store, "019"), application, revision + 1) is Outcome.INCOMPLETE
    assert files.disclose(who(store, "019"), application, {row: 2}) is Outcome.DONE
    assert files.missing(application) == ()


def test_the_same_form_sent_twice_is_written_once(store: Store, files: Applications) -> None:
    """A double click or a page sent again has the result of the first send."""
    asking, writer, reader = who(store, "005"), who(store, "018"), who(store, "001")
    numbers = {store.send_request(asking, "meeting", "Quand?", "Bonjour", "token-0001") for _ in range(2)}
    added = [files.add_relationship(writer, 0, JULIE, "token-0002") for _ in range(2)]
    saved = [files.save_step(writer, 0, "contract", CONTRACT, 0) for _ in range(2)]
    message = store.messages(OURS).rows[0]["id"]
    for _ in range(2):
        store.reply(reader, message, "Merci", "token-0003")

    assert len(numbers) == 1
    assert added == saved == [Outcome.DONE, Outcome.DONE]
    assert files.relationships(files.latest(OURS)["id"]).total == 1  # type: ignore[index]
    assert len(store.replies(OURS, message)) == 1
    assert files.add_relationship(writer, 0, {**JULIE, "name": "JULIE"}) is Outcome.DUPLICATE


def test_a_request_is_acknowledged_and_completed_by_the_answer(store: Store) -> None:
    """The follow-up has its dated states; the message that acknowledges it can be answered."""
    number = store.send_request(who(store, "005"), "meeting", "Quand?", "Bonjour")
    request, message = store.request_numbered(OURS, number), store.messages(OURS).rows[0]
    assert request is not None
    assert number in message["subject_en"]

    store.reply(who(store, "001", "other", now=NOW + timedelta(days=1)), message["id"], "Le matin", "")

    turns = [(row["state"], row["at"][:10], row["by_name"]) for row in store.turns("request", request["id"])]
    assert turns == [("received", "2026-11-23", "Personne s"), ("completed", "2026-11-24", "Personne other")]
    assert [row["state"] for row in store.followed(OURS).rows] == ["completed"]


def test_a_message_can_be_unread_again(store: Store) -> None:
    """Reading marks it, and a person can take the mark away."""
    message, reader = store.messages(OURS).rows[0]["id"], who(store, "001")
    store.read_message(reader, message)
    assert store.unread(OURS) == 1

    store.put_back(reader, message)

    assert store.unread(OURS) == 2


def test_another_application_takes_the_relationships_over(store: Store, files: Applications) -> None:
    """They are to be disclosed again; one draft at a time, and the first application stays as it was sent."""
    application, revision = complete(files, store)
    files.submit(who(store, "019"), application, revision)

    for _ in range(2):
        assert files.begin(who(store, "018")) is Outcome.DONE

    draft = files.latest(OURS)
    assert draft is not None
    assert (draft["state"], files.all(OURS).total) == (State.DRAFT, 2)
    assert [row["disclosed_at"] for row in files.relationships(draft["id"]).rows] == [None]
    assert [row["disclosed_at"] is None for row in files.relationships(application).rows] == [False]


def test_lists_are_paged_and_bounded(store: Store, files: Applications) -> None:
    """25 a page; a page beyond the last is the last; the list of relationships has an end."""
    writer = who(store, "018")
    for rank in range(26):
        files.add_relationship(writer, 0, {"kind": "officer", "name": f"N{rank}"})
    application = files.latest(OURS)["id"]  # type: ignore[index]
    with store.database.connect() as connection:
        connection.executemany(
            "INSERT INTO relationship (application_id, kind, name, detail, revision, changed_at) VALUES (?,'officer',?,'',1,'')",
            [(application, f"M{rank}") for rank in range(MAX_RELATIONSHIPS - 26)],
        )

    pages = [files.relationships(application, number) for number in (1, 2, 10**15)]

    assert [len(page.rows) for page in pages] == [25, 25, 25]
    assert [page.number for page in pages] == [1, 2, 20]
    assert files.add_relationship(writer, application, JULIE) is Outcome.FULL


def writes(store: Store, files: Applications, acting: Acting) -> None:
    """Everything that writes, each of which must refuse."""
    row = files.relationships(files.latest(OURS)["id"]).rows[0]  # type: ignore[index]
    message, invoice = store.messages(OURS).rows[0]["id"], store.invoices(OURS).rows[0]["id"]
    application = files.latest(OURS)
    assert application is not None
    for write in (
        lambda: store.pay(acting, invoice),
        lambda: store.read_message(acting, message),
        lambda: store.put_back(acting, message),
        lambda: store.reply(acting, message, "a", ""),
        lambda: store.send_request(acting, "meeting", "a", "b"),
        lambda: files.save_step(acting, application["id"], "details", {"value": "1"}, 0),
        lambda: files.begin(acting),
        lambda: files.add_relationship(acting, application["id"], {"kind": "officer", "name": "B"}),
        lambda: files.change_relationship(acting, row["id"], {"kind": "officer", "name": "B"}, row["revision"]),
        lambda: files.remove_relationship(acting, row["id"], row["revision"]),
        lambda: files.disclose(acting, application["id"], {row["id"]: row["revision"]}),
        lambda: files.submit(acting, application["id"], application["revision"]),
    ):
        with pytest.raises(RightLostError):
            write()


@pytest.mark.parametrize("cause", ["logout", "version", "expiry", "block", "enterprise", "sign_out"])
def test_a_right_that_is_gone_writes_nothing(store: Store, files: Applications, cause: str) -> None:
    """Every write reads the right again in its own transaction, whatever took it since the page was opened."""
    complete(files, store)
    acting = who(store, "019", "gone")
    event = {"iss": ISSUER, "sub": "gone", "jti": "j-1"}
    if cause == "logout":
        end_by_signal(store.database, {**event, "sid": "S-gone"}, NOW)
    elif cause == "version":
        note_version(store.database, event, "gone", OURS, 5, NOW)
    elif cause == "expiry":
        acting = Acting(acting.session, acting.account, OURS, "019", NOW + timedelta(hours=1))
    elif cause == "block":
        acting = acting_of(store.database, ISSUER, claims_of(OURS, "gone", ("018",)), "019", NOW)
    elif cause == "enterprise":
        acting = Acting(acting.session, acting.account, THEIRS, "019", NOW)
    else:
        acting = Acting("0" * 64, acting.account, OURS, "019", NOW)
    before = [tuple(row) for row in store.all("SELECT id, revision, state FROM application")]

    writes(store, files, acting)

    assert [tuple(row) for row in store.all("SELECT id, revision, state FROM application")] == before
    assert store.unread(OURS) == 2


def test_of_a_submission_and_the_loss_of_019_one_comes_first(store: Store, files: Applications) -> None:
    """Either it was submitted before the signal was taken, or the signal came first and nothing was written."""
    application, revision = complete(files, store)
    acting, start = who(store, "019", "gone"), threading.Barrier(2)
    found: dict[str, object] = {}

    def submit() -> None:
        start.wait()
        try:
            found["outcome"] = files.submit(acting, application, revision)
        except RightLostError:
            found["outcome"] = None

    def lose() -> None:
        start.wait()
        found["ended"] = end_by_signal(store.database, {"iss": ISSUER, "sub": "gone", "sid": "S-gone", "jti": "j"}, NOW)

    threads = [threading.Thread(target=each) for each in (submit, lose)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    state = files.latest(OURS)["state"]  # type: ignore[index]
    expected = {Outcome.DONE: (State.AWAITING_PAYMENT, 1), None: (State.DRAFT, 0)}
    assert (state, len(fees(store))) == expected[found["outcome"]]  # type: ignore[index]
    assert found["ended"] == 1


@pytest.mark.parametrize("what", ["pay", "submit"])
def test_four_at_once_have_one_effect(store: Store, files: Applications, what: str) -> None:
    """An invoice paid or an application submitted by four people at the same instant."""
    application, revision = complete(files, store)
    invoice = store.invoices(OURS).rows[0]["id"]
    people = [who(store, "019" if what == "submit" else "008", f"p{rank}") for rank in range(4)]
    start, found = threading.Barrier(4), []

    def act(acting: Acting) -> None:
        start.wait()
        found.append(store.pay(acting, invoice) if what == "pay" else files.submit(acting, application, revision))

    threads = [threading.Thread(target=act, args=(each,)) for each in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    done = [each for each in found if each not in (None, Outcome.CLOSED)]
    assert (len(found), len(done)) == (4, 1)
    assert len(fees(store)) == (1 if what == "submit" else 0)


def test_text_is_kept_for_its_writer_alone_and_a_day(store: Store) -> None:
    """The same person, enterprise and page; after a day it is gone."""
    account, database = who(store, "005").account, store.database
    other = who(store, "005", "other").account

    shown = kept.keep(database, account, OURS, "/requests", {"subject": "Où?", "csrf_token": "x", "revision": "3"}, NOW)

    assert shown == {"subject": "Où?"}
    assert kept.find(database, account, OURS, "/requests", NOW) == {"subject": "Où?", "revision": "3"}
    for wrong in ((other, OURS, "/requests"), (account, THEIRS, "/requests"), (account, OURS, "/application")):
        assert kept.find(database, *wrong, NOW) == {}
    assert kept.find(database, account, OURS, "/requests", NOW + timedelta(hours=25)) == {}


def test_a_file_of_the_first_version_keeps_its_rows(tmp_path: Path) -> None:
    """A draft, a validated application, relationships, invoices and messages are all there after the change of tables."""
    path = tmp_path / "old.sqlite3"
    with sqlite3.connect(path) as connection:
        connection.executescript(FIRST_VERSION)
    connection.close()

    for _ in range(2):
        store = Store(Database(path))

    files = Applications(store)
    draft, sent, bare = files.latest(OURS), files.latest(THEIRS), files.latest("neq:2200000018")
    assert draft is not None
    assert sent is not None
    assert bare is not None
    assert (draft["state"], sent["state"], bare["state"]) == ("draft", "under_review", "draft")
    assert files.steps(draft["id"])["contract"].fields["respondent"] == "A. B."
    assert [row["name"] for row in files.relationships(draft["id"]).rows] == ["Julie"]
    assert files.relationships(bare["id"]).total == 1
    assert (store.messages(OURS).total, store.invoices(OURS).total, store.followed(OURS).total) == (1, 1, 2)
    store.welcome(OURS, NOW.date())
    assert store.invoices(OURS).total == 1


FIRST_VERSION = """
CREATE TABLE message (id INTEGER PRIMARY KEY, enterprise TEXT NOT NULL, sent_on TEXT NOT NULL,
  subject_fr TEXT NOT NULL, subject_en TEXT NOT NULL, body_fr TEXT NOT NULL, body_en TEXT NOT NULL, read_at TEXT);
CREATE TABLE request (id INTEGER PRIMARY KEY, enterprise TEXT NOT NULL, number TEXT UNIQUE NOT NULL,
  kind TEXT NOT NULL, subject TEXT NOT NULL, body TEXT NOT NULL, sent_at TEXT NOT NULL, sent_by TEXT NOT NULL,
  status TEXT NOT NULL);
CREATE TABLE invoice (id INTEGER PRIMARY KEY, enterprise TEXT NOT NULL, number TEXT UNIQUE NOT NULL,
  subject_fr TEXT NOT NULL, subject_en TEXT NOT NULL, cents INTEGER NOT NULL, due_on TEXT NOT NULL, paid_at TEXT,
  receipt TEXT);
CREATE TABLE application (enterprise TEXT PRIMARY KEY, category TEXT NOT NULL, respondent TEXT NOT NULL,
  description TEXT NOT NULL, saved_at TEXT NOT NULL, validated_at TEXT, validated_by TEXT);
CREATE TABLE relationship (id INTEGER PRIMARY KEY, enterprise TEXT NOT NULL, kind TEXT NOT NULL,
  name TEXT NOT NULL, disclosed_at TEXT NOT NULL);
INSERT INTO message VALUES (1, 'neq:1100000455', '2026-11-01', 'a', 'b', 'c', 'd', NULL);
INSERT INTO request VALUES (1, 'neq:1100000455', 'D-1', 'meeting', 'a', 'b', '2026-11-01T00:00:00+00:00', 's', 'received');
INSERT INTO invoice VALUES (1, 'neq:1100000455', 'F-1', 'a', 'b', 100, '2026-11-01', NULL, NULL);
INSERT INTO application VALUES ('neq:1100000455', 'services', 'A. B.', 'c', '2026-11-01T00:00:00+00:00', NULL, NULL);
INSERT INTO application VALUES
  ('neq:3300000018', 'services', 'A. B.', 'c', '2026-11-01T00:00:00+00:00', '2026-11-02T00:00:00+00:00', 's');
INSERT INTO relationship VALUES (1, 'neq:1100000455', 'director', 'Julie', '2026-11-01T00:00:00+00:00');
INSERT INTO relationship VALUES (2, 'neq:2200000018', 'director', 'Julie', '2026-11-01T00:00:00+00:00');
"""
