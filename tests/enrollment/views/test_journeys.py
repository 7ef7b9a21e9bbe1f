"""The journeys of the authorized representative over HTTP."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO

import pyotp
import pytest
from sqlalchemy import select

from idp.accounts import services as accounts
from idp.audit.models import AuditEntry
from idp.connectors.tax_agency import TaxAgencyUnavailableError
from idp.db import db
from idp.delegation import services as delegation
from idp.delegation.people.domain.roles import Role
from idp.enrollment import browser_services, review_services, worker_services
from idp.enrollment.models import EnrolmentFile, Evidence, FileBrowser, FileEvent
from idp.enrollment.review_services import Approval

from ..conftest import (
    Browser,
    Typed,
    begin,
    begin_account,
    come_back,
    file_number,
    fill_in,
    mailed_code,
    open_account,
    representative_fields,
    submit,
)

BY_MAIL = Typed(
    "1100001230", "9000000016", "Côme", "L'Écluse", ("19", "7", "1966"), notice_number="", notice_year="",
    email="come@example.com",
)  # fmt: skip
BY_MANDATE = Typed(
    "1109876541", "9000000121", "Inès", "Courantfort", ("1", "2", "1990"), position="other", basis="mandate",
    notice_number="", notice_year="", email="ines@example.com",
)  # fmt: skip
STRUCK_OFF = Typed(
    "1100000109", "9001000371", "Ovide", "Quenouillard", ("5", "5", "1955"), notice_number="", notice_year="",
    email="ovide@example.com", insist=True,
)  # fmt: skip
DISAGREE = Typed("1100000141", "1000000091", notice_number="", notice_year="", email="d@example.com")
PDF = b"%PDF-1.7 invented"


def row(number: str | None = None) -> EnrolmentFile:
    """Return the file with this number, or the only one."""
    db.session.rollback()
    db.session.expire_all()
    wanted = select(EnrolmentFile)
    return db.session.scalars(wanted.where(EnrolmentFile.number == number) if number else wanted).one()


def go(browser: Browser, typed: Typed) -> None:
    """Begin, fill in and submit."""
    begin(browser)
    fill_in(browser, typed)
    submit(browser)


def events() -> list[str]:
    """Return the timeline in order."""
    return list(db.session.scalars(select(FileEvent.event).order_by(FileEvent.at, FileEvent.place)))


@pytest.mark.databases
def test_verified_online(browser: Browser) -> None:
    """Shared facts that agree verify the file at once; every step leaves an entry in the log."""
    go(browser, Typed())

    assert browser.path == "/enrol/file"
    assert "Your identity is verified" in browser.text
    file = row()
    assert (file.state, file.verification_method) == ("verified", "online")
    told = set(db.session.scalars(select(AuditEntry.event).where(AuditEntry.file_id == file.id)))
    assert told == {"file:started", "file:email_confirmed", "file:submitted", "file:verified"}
    assert file.terms_digest
    assert "9000000008" not in browser.text
    assert "9000000008" not in (file.revenu_quebec_id_sealed or "")


def test_double_submit_gives_the_same_file(browser: Browser) -> None:
    """A second click on *Submit*, and the back button, lead to the file that was submitted."""
    begin(browser)
    fill_in(browser, Typed())
    browser.get("/enrol/check")
    form = browser.page
    browser.post("/enrol/check", terms="y", terms_version="2026-11")
    number = file_number(browser)

    browser.page = form
    browser.post("/enrol/check", terms="y", terms_version="2026-11")

    assert (browser.path, file_number(browser)) == ("/enrol/file", number)
    assert events().count("submitted") == 1


@pytest.mark.databases
def test_slips_for_each_person_then_active(browser: Browser) -> None:
    """The representative opens an account, sees each slip once; a reissue kills the former; all collected is active."""
    go(browser, Typed())
    open_account(browser)
    file = row()
    nominee = browser.text
    path = re.search(r'href="(/enrol/file/slips/[0-9a-f]+)"', nominee)
    assert path
    browser.get(path.group(1))
    browser.post(path.group(1))

    first = re.search(r'id="slip-password">([^<]+)<', browser.text)
    assert first
    assert browser.page.headers["Cache-Control"] == "no-store"
    assert row().state == "active"
    browser.get("/enrol/file")
    assert first.group(1) not in browser.text
    assert "not used yet" in browser.text
    browser.get(path.group(1))
    assert "previous temporary password useless" in browser.text
    browser.post(path.group(1))
    second = re.search(r'id="slip-password">([^<]+)<', browser.text)
    assert second
    assert second.group(1) != first.group(1)
    members = {member.role: member for member in delegation.members(file.enterprise_id or "")}
    assert set(members) == {Role.AUTHORIZED_REPRESENTATIVE, Role.PES}
    record = delegation.verification(file.enterprise_id or "")
    assert record.evidence == ("register", "tax_agency", "tax_officer", "tax_notice")
    assert members[Role.PES].person_id != members[Role.AUTHORIZED_REPRESENTATIVE].person_id


def test_slips_are_for_the_representative_alone(browser: Browser, other_browser: Browser) -> None:
    """Whoever has only the browser's file but no sign-in of the representative gets no slip."""
    go(browser, Typed())
    begin_account(browser)  # begun, not finished
    nominee = re.search(r"[0-9a-f]{32}", str(db.session.execute(select(EnrolmentFile.id)).scalar_one()))
    assert nominee
    from idp.enrollment.models import Nominee

    nominee_id = db.session.scalars(select(Nominee.id)).one()

    browser.get(f"/enrol/file/slips/{nominee_id}")
    assert browser.path == "/sign-in"
    other_browser.get(f"/enrol/file/slips/{nominee_id}")
    assert other_browser.path == "/enrol/resume"


def test_a_slip_asks_again_who_one_is(browser: Browser) -> None:
    """Five minutes after the sign-in the first password of a PES waits for the second factor (ASVS 7.5.3)."""
    go(browser, Typed())
    secret = open_account(browser)
    path = re.search(r'href="(/enrol/file/slips/[0-9a-f]+)"', browser.text)
    assert path
    browser.get(path.group(1))
    browser.clock.advance(timedelta(minutes=5))

    browser.post(path.group(1))

    assert browser.path == "/confirm"
    assert row().state == "verified"
    code = pyotp.TOTP(secret).at(int(browser.clock.now().timestamp()))
    browser.post(f"/confirm?{browser.page.request.query_string.decode()}", otp=code)
    assert browser.path == "/continue"
    browser.post(path.group(1))
    assert 'id="slip-password"' in browser.text
    assert row().state == "active"


def test_a_representative_in_charge_needs_no_slip(browser: Browser) -> None:
    """When the representative names only themself, their account makes the enterprise active."""
    begin(browser)
    fill_in(browser, Typed(), people=False)
    browser.get("/enrol/people")
    browser.post("/enrol/people/me")
    submit(browser)

    open_account(browser)

    file = row()
    assert file.state == "active"
    roles = {member.role for member in delegation.memberships_of(file.representative_id or "")}
    assert roles == {Role.PES, Role.AUTHORIZED_REPRESENTATIVE}
    assert len(accounts.user_codes_of(file.representative_id or "", now=browser.clock.now())) == 1


@pytest.mark.databases
def test_code_by_mail(browser: Browser) -> None:
    """The letter goes to the address on file; a wrong code is counted, the right one verifies the file."""
    go(browser, BY_MAIL)
    assert row().state == "code_mailed"
    code = mailed_code(browser)
    browser.mails()
    letters = list(browser.outbox.glob("**/*.pdf"))
    assert len(letters) == 1
    assert letters[0].read_bytes().startswith(b"%PDF")
    stored = "".join(str(value) for value in vars(row()).values())
    assert code not in stored

    wrong = f"{(int(code) + 1) % 10**10:010d}"
    browser.fill("/enrol/file/code", code=wrong)
    summary, beside = browser.errors()
    assert "4 tries are left" in summary
    assert beside
    browser.post("/enrol/file/code", code=f"{code[:5]} {code[5:]}")

    assert row().state == "verified"
    assert row().verification_method == "mailed_code"


def test_five_wrong_mailed_codes_lead_to_an_operator(browser: Browser) -> None:
    """After five wrong tries the file is under review, never a dead end, and the right code is of no use any more."""
    go(browser, BY_MAIL)
    code = mailed_code(browser)
    for _ in range(5):
        browser.fill("/enrol/file/code", code=f"{(int(code) + 1) % 10**10:010d}")

    assert row().state == "under_review"
    assert "An operator has to read a document" in browser.text
    browser.get("/enrol/file/code")
    assert browser.path == "/enrol/file"


def test_a_new_letter_kills_the_older_code_and_three_are_the_most(browser: Browser) -> None:
    """The code of the former letter no longer works; a fourth letter is refused."""
    go(browser, BY_MAIL)
    first = mailed_code(browser)
    for _ in range(3):
        browser.clock.advance(timedelta(minutes=1))
        browser.get("/enrol/file/code")
        browser.post("/enrol/file/letter")

    assert "Three letters were sent already" in browser.text
    assert events().count("code_ordered") == 3
    browser.fill("/enrol/file/code", code=first)
    assert row().state == "code_mailed"
    browser.post("/enrol/file/code", code=mailed_code(browser))
    assert row().state == "verified"


@pytest.mark.bar("S-51")
def test_a_mailed_code_lives_thirty_days_to_the_second(browser: Browser) -> None:
    """At thirty days the code is dead (security-bar.md S-51); one second earlier it works."""
    go(browser, BY_MAIL)
    code = mailed_code(browser)
    browser.clock.advance(timedelta(days=30))
    come_back(browser, row().number)
    browser.fill("/enrol/file/code", code=code)
    assert row().state == "code_mailed"
    assert "no longer works" in browser.errors()[0]

    browser.clock.advance(timedelta(seconds=-1))
    browser.fill("/enrol/file/code", code=code)
    assert row().state == "verified"


@pytest.mark.databases
def test_by_mandate_two_operators_approve(browser: Browser) -> None:
    """A mandate is read in a document and approved by two operators; the same one twice is refused."""
    go(browser, BY_MANDATE)
    assert row().state == "under_review"
    browser.get("/enrol/file/document")
    browser.post("/enrol/file/document", kind="procuration", document=(BytesIO(PDF), "../procuration.pdf"))
    assert "The document is received" in browser.text
    file = row()
    evidence = db.session.scalars(select(Evidence)).one()
    assert evidence.file_name == "procuration.pdf"
    assert PDF.decode() not in (evidence.content_sealed or "")
    now = browser.clock.now()
    assert review_services.evidence(file.id, evidence.id, operator_id="op1", now=now) == ("application/pdf", PDF)
    assert [line.number for line in review_services.queue()] == [file.number]

    first = review_services.approve(file.id, operator_id="op1", note="vu", now=now)
    assert first is Approval.PROPOSED
    with pytest.raises(review_services.SameOperatorError):
        review_services.approve(file.id, operator_id="op1", note="", now=now)
    assert row().state == "under_review"
    second = review_services.approve(file.id, operator_id="op2", note="", now=now)

    assert second is Approval.APPROVED
    assert row().verification_method == "document"
    told = [mail["To"] for mail in browser.mails() if "verified" in mail["Subject"]]
    assert told == ["ines@example.com"]
    open_account(browser)
    assert delegation.verification(row().enterprise_id or "").evidence == ("register", "procuration")


def test_review_shows_the_facts_side_by_side(browser: Browser) -> None:
    """An operator sees what was declared, what the register and the tax agency answer, and why it is under review."""
    go(browser, BY_MANDATE)

    seen = review_services.file_for_review(row().id, operator_id="op1", now=browser.clock.now())

    assert seen.summary.reasons == ("by_mandate",)
    assert seen.needs_second_operator
    assert not seen.matching_officers
    assert getattr(seen.account, "legal_name", "") == "Électricité Ombrepic inc."


def test_refused_then_contested(browser: Browser) -> None:
    """A struck-off enterprise is refused with the status, its date, how to be reinstated, and how to contest."""
    go(browser, STRUCK_OFF)

    assert row().state == "refused"
    for words in ("struck off ex officio, since September 12, 2025", "How to be reinstated", "Contest the refusal"):
        assert words in browser.text
    browser.fill("/enrol/file/contest", because="")
    assert browser.errors()[1]
    browser.post("/enrol/file/contest", because="L’immatriculation a été rétablie hier.")
    assert row().state == "under_review"
    review_services.refuse(row().id, operator_id="op1", reason="identity_not_proved", note="", now=browser.clock.now())
    browser.get("/enrol/file")
    assert "could not be proved" in browser.text


def test_a_merged_enterprise_points_to_the_result(browser: Browser) -> None:
    """The refusal names the enterprise that resulted from the merger."""
    go(browser, Typed("1100000281", "9001004813", insist=True, notice_number="", notice_year=""))

    assert "1100 000 307" in browser.text


def test_numbers_of_two_enterprises(browser: Browser) -> None:
    """One message that does not say which number is wrong, beside the field and in the summary; nothing is lost."""
    go(browser, DISAGREE)

    assert browser.path == "/enrol/tasks"
    assert "does not agree with what is on file" in browser.errors()[0]
    assert row().state == "draft"
    for page in ("/enrol/enterprise", "/enrol/tax-number"):
        browser.get(page)
        assert "does not agree" in browser.errors()[0], page
        assert browser.errors()[1], page
    assert "1000000091" not in browser.text


@pytest.mark.databases
def test_after_five_tries_an_operator_takes_over_in_silence(browser: Browser, other_browser: Browser) -> None:
    """Five wrong pairs in 24 hours; the sixth file, even right, goes to review; a day later it is checked again."""
    go(browser, DISAGREE)
    for _ in range(4):
        submit(browser)
        assert row().state == "draft"
    submit(browser)
    assert row().state == "under_review"

    right = Typed("1100000141", "9999999996", "Anémone", "X", notice_number="", notice_year="")
    begin(other_browser)
    fill_in(other_browser, right)
    submit(other_browser)
    other = row(file_number(other_browser))
    assert (other.state, other.reasons[0]) == ("under_review", "tries_exhausted")


def test_a_wrong_notice_is_a_try_and_after_five_a_letter_goes(browser: Browser) -> None:
    """The message is the same as for the numbers; the sixth time the next line of the table decides."""
    go(browser, Typed(notice_number="ZZ2500009X"))
    assert "does not agree with what is on file" in browser.text
    for _ in range(4):
        submit(browser)
        assert row().state == "draft"
    submit(browser)

    assert row().state == "code_mailed"


def test_a_connector_that_is_down_leaves_the_file_submitted(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is decided without the tax agency; the worker takes the file up again once it answers."""
    from idp.connectors.local import LocalTaxAgency

    answer = LocalTaxAgency.account

    def silent(*_: object) -> None:
        raise TaxAgencyUnavailableError("down")

    monkeypatch.setattr(LocalTaxAgency, "account", silent)
    go(browser, Typed())
    assert row().state == "submitted"
    assert "did not answer" in browser.text
    assert worker_services.take_up_submitted(browser.clock.now()) == 0  # just tried
    monkeypatch.setattr(LocalTaxAgency, "account", answer)

    worker_services.take_up_submitted(browser.clock.advance(timedelta(minutes=2)))

    assert row().state == "verified"


def test_nothing_tells_that_an_enterprise_is_enrolled(browser: Browser, other_browser: Browser) -> None:
    """A second file for the same NEQ, with all the right facts, looks like any review; the enrolled are told by e-mail."""
    go(browser, Typed())
    open_account(browser)
    go(other_browser, Typed(email="somebody@example.com"))

    number = file_number(other_browser)
    assert (row(number).state, row(number).reasons[0]) == ("under_review", "already_enrolled")
    assert "enrolled" not in other_browser.text
    go(
        browser_like := Browser(other_browser.client.application.test_client(), browser.clock, browser.outbox),
        BY_MANDATE,
    )
    neutral = re.sub(r"[A-Z0-9]{4}-[A-Z0-9]{4}", "", browser_like.text.split('id="standing"')[1].split("</p>")[0])
    assert neutral == other_browser.text.split('id="standing"')[1].split("</p>")[0]
    told = [mail["To"] for mail in browser.mails() if "again" in mail["Subject"]]
    assert sorted(told) == ["maude@example.com", "zephyrine@example.com"]


def test_two_files_of_one_enterprise_verified_at_once(browser: Browser, other_browser: Browser) -> None:
    """When two files were verified before either registered the enterprise, the second goes to an operator, neutrally."""
    go(browser, Typed())
    go(other_browser, BY_MAIL)
    second = row(file_number(other_browser))
    second.state, second.neq, second.verified_at = "verified", "1100000018", browser.clock.now()
    second.verification_method = second.verified_by = "online"
    db.session.commit()
    open_account(browser)

    begin_account(other_browser)

    assert row(second.number).state == "under_review"
    assert "enrolled" not in other_browser.text


@pytest.mark.databases
def test_coming_back_with_the_file_number(browser: Browser, other_browser: Browser) -> None:
    """The number and a code sent to the e-mail open the file in another browser; the code serves once."""
    go(browser, BY_MAIL)
    number = file_number(browser)

    other_browser.fill("/enrol/resume", number=number.lower().replace("-", " "))
    assert other_browser.path == "/enrol/resume/code"
    code = browser.code_by_mail()
    other_browser.post("/enrol/resume/code", code=code)

    assert other_browser.path == "/enrol/file"
    assert number in other_browser.text
    third = Browser(browser.client.application.test_client(), browser.clock, browser.outbox)
    third.fill("/enrol/resume", number=number)
    third.post("/enrol/resume/code", code=code)
    assert third.path == "/enrol/resume/code"


def test_an_unknown_file_number_gives_the_same_pages(browser: Browser, other_browser: Browser) -> None:
    """Known or not, the pages and the refusal of a wrong code are the same, letter for letter."""
    go(browser, BY_MAIL)
    pages = []
    for number in (file_number(browser), "QQQQ-QQQQ"):
        visitor = Browser(browser.client.application.test_client(), browser.clock, browser.outbox)
        visitor.fill("/enrol/resume?lang=en", number=number)
        asked = visitor.text
        visitor.post("/enrol/resume/code", code="00000000")
        pages.append([re.sub(r'name="csrf_token"[^>]*', "", page) for page in (asked, visitor.text)])

    assert pages[0] == pages[1]
    assert "QQQQ-QQQQ" not in str(other_browser.get("/enrol/resume/code").get_data())


def test_another_browser_sees_nothing(browser: Browser, other_browser: Browser) -> None:
    """A file is bound to its browser: elsewhere every page of it leads to where one comes back with its number."""
    go(browser, Typed())
    for page in ("/enrol/file", "/enrol/tasks", "/enrol/check", "/enrol/people", "/enrol/file/code"):
        other_browser.get(page)

        assert other_browser.path == "/enrol/resume", page


def test_after_submission_the_tasks_are_closed(browser: Browser) -> None:
    """The back button shows where the file stands; a late post changes nothing."""
    begin(browser)
    fill_in(browser, BY_MAIL)
    browser.get("/enrol/representative")
    late = browser.page
    submit(browser)

    browser.page = late
    browser.post("/enrol/representative", **representative_fields(Typed()))

    assert browser.path == "/enrol/file"
    assert row().given_name == "Côme"


def test_withdrawn_and_expired(browser: Browser) -> None:
    """A file is withdrawn on confirmation; a draft nobody finishes expires after thirty days."""
    go(browser, BY_MANDATE)
    browser.get("/enrol/file/withdraw")
    browser.post("/enrol/file/withdraw")
    assert row().state == "withdrawn"
    browser.post("/enrol/file/new")
    assert browser.path == "/enrol"
    begin(browser)

    moved = worker_services.sweep_deadlines(browser.clock.advance(timedelta(days=30)))

    assert moved == 1
    assert sorted(db.session.scalars(select(EnrolmentFile.state))) == ["expired", "withdrawn"]


def test_evidence_is_destroyed_ninety_days_after_the_decision(browser: Browser) -> None:
    """The content goes, the hash stays."""
    go(browser, BY_MANDATE)
    browser.get("/enrol/file/document")
    browser.post("/enrol/file/document", kind="procuration", document=(BytesIO(PDF), "p.pdf"))
    now = browser.clock.now()
    review_services.refuse(row().id, operator_id="op", reason="document_insufficient", note="", now=now)
    worker_services.sweep_deadlines(browser.clock.advance(timedelta(days=89)))
    assert db.session.scalars(select(Evidence.content_sealed)).one() is not None

    worker_services.sweep_deadlines(browser.clock.advance(timedelta(days=1)))

    db.session.rollback()
    db.session.expire_all()
    kept = db.session.scalars(select(Evidence)).one()
    assert (kept.content_sealed, len(kept.sha256)) == (None, 64)


def test_terms_in_both_languages(browser: Browser) -> None:
    """The terms page says its version and the digest kept at submission."""
    from idp.enrollment.domain.terms import terms_digest

    for language in ("fr", "en"):
        browser.get(f"/terms?lang={language}")
        assert terms_digest(language)[:32] in browser.text
        assert "2026-11" in browser.text


def test_the_representative_sees_when_a_slip_is_first_used(browser: Browser, other_browser: Browser) -> None:
    """The page of the file tells when the person in charge used the temporary password, and nothing of the password."""
    go(browser, Typed())
    open_account(browser)
    path = re.search(r'href="(/enrol/file/slips/[0-9a-f]+)"', browser.text)
    assert path
    browser.get(path.group(1))
    browser.post(path.group(1))
    code = re.search(r'id="slip-code">([^<]+)<', browser.text)
    secret = re.search(r'id="slip-password">([^<]+)<', browser.text)
    assert code
    assert secret
    browser.get("/enrol/file")
    assert "not used yet" in browser.text

    other_browser.fill("/activate", user_code=code.group(1), temporary_password=secret.group(1))

    assert other_browser.path == "/activate/code"
    browser.get("/enrol/file")
    assert "Temporary password first used on November 23, 2026" in browser.text


def test_the_representative_finds_the_file_by_signing_in(browser: Browser) -> None:
    """Once signed in, the representative reaches the file from a browser that never saw it."""
    go(browser, Typed())
    open_account(browser)
    number = file_number(browser)
    with browser.client.session_transaction() as session:
        session.pop("enrolment_browser")

    browser.get("/enrol/file")

    assert number in browser.text


def test_an_address_nobody_confirmed_opens_no_file(browser: Browser, other_browser: Browser) -> None:
    """A mistyped address belongs to a stranger: the number it receives does not let them read the draft."""
    begin(browser)
    browser.fill("/enrol/representative", **representative_fields(Typed(email="stranger@example.com")))
    number = re.search(r"[A-Z0-9]{4}-[A-Z0-9]{4}", browser.mails()[-1].get_body(("plain",)).get_content())
    assert number

    other_browser.fill("/enrol/resume", number=number.group())
    other_browser.post("/enrol/resume/code", code=browser.code_by_mail())

    assert other_browser.path == "/enrol/resume/code"
    assert len(browser.mails()) == 1


def leave(browser: Browser) -> None:
    browser.get("/enrol/file")
    browser.post("/enrol/leave")


def sign_out(browser: Browser) -> None:
    browser.get("/account")
    browser.post("/sign-out")


def come_back_elsewhere(browser: Browser) -> None:
    elsewhere = Browser(browser.client.application.test_client(), browser.clock, browser.outbox)
    come_back(elsewhere, row().number)


def rest(browser: Browser) -> None:
    browser.clock.advance(browser_services.IDLE)


def grow_old(browser: Browser) -> None:
    end = browser.clock.now() + browser_services.LIFE
    while browser.clock.now() < end:
        browser.get("/enrol/file")
        assert browser.path == "/enrol/file"
        browser.clock.advance(timedelta(hours=1))


@pytest.mark.databases
@pytest.mark.parametrize("end", [leave, come_back_elsewhere, rest, grow_old])
def test_a_browser_opens_its_file_until_it_ends(browser: Browser, end: Callable[[Browser], None]) -> None:
    """Left, come back elsewhere, at rest or old: a copy of the cookie opens nothing, whatever it opened before."""
    go(browser, BY_MAIL)
    copy = browser.client.get_cookie("mandat-page")
    assert copy is not None
    assert copy.max_age is None  # it ends with the browser

    end(browser)

    thief = Browser(browser.client.application.test_client(), browser.clock, browser.outbox)
    thief.client.set_cookie("mandat-page", copy.value)
    for page in ("/enrol/file", "/enrol/tasks", "/enrol/file/withdraw", "/enrol/file/account/code"):
        thief.get(page)
        assert thief.path == "/enrol/resume", page
    told = set(db.session.scalars(select(AuditEntry.event).where(AuditEntry.file_id == row().id)))
    assert told >= {leave: {"file:browser_left"}, come_back_elsewhere: {"file:reopened"}}.get(end, set())


def test_signing_out_closes_the_file_too(browser: Browser) -> None:
    """A sign-out forgets what the pages kept: its row ends with it."""
    go(browser, Typed())
    open_account(browser)

    sign_out(browser)

    assert [ended is None for ended in db.session.scalars(select(FileBrowser.ended_at))] == [False]


def test_the_file_opens_no_account_without_a_fresh_code(browser: Browser) -> None:
    """The browser that filled the file in gets a code by e-mail first; another code, a wrong one or an old one opens nothing."""
    go(browser, Typed())
    confirmed = browser.code_by_mail()
    browser.get("/enrol/file")
    browser.post("/enrol/file/account")
    sent = browser.code_by_mail()
    for wrong in (confirmed, f"{(int(sent) + 1) % 10**8:08d}"):
        browser.post("/enrol/file/account/code", code=wrong)
        assert browser.path == "/enrol/file/account/code"
    browser.clock.advance(timedelta(minutes=10))
    browser.post("/enrol/file/account/code", code=sent)
    assert "no longer works" in browser.errors()[0]
    assert row().representative_id is None
    browser.get("/activate/password")
    assert browser.path != "/activate/password"

    browser.get("/enrol/file")
    browser.post("/enrol/file/account")
    browser.post("/enrol/file/account/code", code=browser.code_by_mail())

    assert browser.path == "/activate/password"


def test_another_address_has_the_numbers_given_again(browser: Browser) -> None:
    """Whoever finds a draft open and gives another address does not submit the numbers that the representative typed."""
    begin(browser)
    fill_in(browser, Typed())

    fields = representative_fields(Typed(email="stranger@example.com", notice_number=""))
    browser.fill("/enrol/representative", **fields)
    browser.post("/enrol/email", code=browser.code_by_mail())

    file = row()
    assert file.email == "stranger@example.com"
    assert (file.revenu_quebec_id_sealed, file.notice_number_sealed, file.notice_year) == (None, None, None)
    browser.get("/enrol/check")
    assert browser.path == "/enrol/tasks"
