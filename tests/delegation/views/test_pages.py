"""The pages of people, rights, journal and why, over real HTTP with a real sign-in."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from urllib.parse import quote

import pyotp
import pytest

from idp import audit
from idp.clock import local_date
from idp.delegation import services
from idp.delegation.rights.rights_services import Right

from ..conftest import TOTP_SECRET


def fields(licorne, *members, all: bool = False, end: str = "2027-11-23", **blocks):  # type: ignore[no-untyped-def]
    """Return what a matrix sends: the same blocks for each of *members*."""
    sent: dict[str, object] = {"user": [member.membership_id for member in members]}
    for member in members:
        id = member.membership_id
        sent |= {f"block-{id}": list(blocks.get("blocks", ())), f"end-{id}": end}
        if all:
            sent[f"all-{id}"] = "yes"
    return sent


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]+)"', page)
    assert found, page
    return unescape(found.group(1))


def test_the_pes_gives_two_blocks_in_three_pages(world, licorne, sign_in) -> None:  # type: ignore[no-untyped-def]
    """Matrix, preview, saved: nothing counts before the confirmation."""
    pes = sign_in(licorne.pes)
    checked = pes.post("/agencies/amp/rights", fields(licorne, licorne.julie, blocks=("001", "008")))
    assert checked.status_code == 303
    preview = pes.text(checked.location)
    assert "Accès ajouté" in preview
    assert "001, 008" in preview
    assert world.blocks(licorne, licorne.julie) == ()

    saved = pes.post("/agencies/amp/rights/preview", {"changes": hidden(preview, "changes")})

    assert saved.status_code == 303
    assert world.blocks(licorne, licorne.julie) == ("001", "008")
    assert "Aucun accès n’a été retiré" in pes.text(saved.location)


def test_a_removal_is_followed_until_the_agency_confirms(world, licorne, sign_in) -> None:  # type: ignore[no-untyped-def]
    """The saved page says sent, then confirmed, with the second."""
    world.grant(licorne, licorne.julie, "001", "008")
    world.clock.advance(timedelta(minutes=1))
    pes = sign_in(licorne.pes)
    checked = pes.post("/agencies/amp/rights", fields(licorne, licorne.julie, blocks=("001",)))
    token = hidden(pes.text(checked.location), "changes")
    saved = pes.post("/agencies/amp/rights/preview", {"changes": token})
    assert "pas encore confirmé" in pes.text(saved.location)

    (removal,) = services.removals(licorne.id)
    services.confirm_removal(removal.id, confirmed_at=world.clock.advance(timedelta(seconds=3)), sessions=1)

    assert "Confirmé par l’organisme" in pes.text(saved.location)


def test_two_saves_of_one_preview_are_one(world, licorne, sign_in) -> None:  # type: ignore[no-untyped-def]
    """A double submission and a return with the back button change nothing."""
    pes = sign_in(licorne.pes)
    checked = pes.post("/agencies/amp/rights", fields(licorne, licorne.julie, blocks=("001",)))
    token = hidden(pes.text(checked.location), "changes")

    answers = [pes.post("/agencies/amp/rights/preview", {"changes": token}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [303, 303]
    assert pes.get(checked.location).status_code == 303
    assert services.matrix(licorne.id, "amp", world.now).revision == 1


def test_a_stale_save_is_refused_with_both_versions(world, licorne, sign_in) -> None:  # type: ignore[no-untyped-def]
    """Somebody else saved meanwhile: 409, what was wanted beside what is there, nothing written."""
    pia, marc = sign_in(licorne.pes), sign_in(licorne.marc)
    tokens = []
    for browser, code in ((pia, "001"), (marc, "005")):
        checked = browser.post("/agencies/amp/rights", fields(licorne, licorne.julie, blocks=(code,)))
        tokens.append(hidden(browser.text(checked.location), "changes"))
    assert pia.post("/agencies/amp/rights/preview", {"changes": tokens[0]}).status_code == 303

    refused = marc.post("/agencies/amp/rights/preview", {"changes": tokens[1]})

    assert refused.status_code == 409
    page = refused.get_data(as_text=True)
    assert "Pia Licorne" in page
    assert "001" in page
    assert "005" in page
    assert world.blocks(licorne, licorne.julie) == ("001",)


def test_a_preview_serves_its_person_only(world, licorne, plumedor, sign_in) -> None:  # type: ignore[no-untyped-def]
    """A token of somebody else, of another enterprise, or forged, is refused."""
    pia = sign_in(licorne.pes)
    checked = pia.post("/agencies/amp/rights", fields(licorne, licorne.julie, blocks=("001",)))
    token = hidden(pia.text(checked.location), "changes")

    assert sign_in(licorne.marc).post("/agencies/amp/rights/preview", {"changes": token}).status_code == 404
    assert sign_in(plumedor.pes).post("/agencies/amp/rights/preview", {"changes": token}).status_code == 404
    assert pia.post("/agencies/bac/rights/preview", {"changes": token}).status_code == 404
    assert pia.post("/agencies/amp/rights/preview", {"changes": token[:-3] + "abc"}).status_code == 409
    world.clock.advance(timedelta(minutes=59))
    pia.confirm(world.now)
    assert pia.post("/agencies/amp/rights/preview", {"changes": ""}).status_code == 409
    assert world.blocks(licorne, licorne.julie) == ()


def test_a_preview_ages(world, licorne, sign_in) -> None:  # type: ignore[no-untyped-def]
    """After an hour the preview is no longer valid."""
    pia = sign_in(licorne.pes)
    checked = pia.post("/agencies/amp/rights", fields(licorne, licorne.julie, blocks=("001",)))
    token = hidden(pia.text(checked.location), "changes")
    world.clock.advance(timedelta(minutes=30))
    pia.get("/people")
    world.clock.advance(timedelta(minutes=31))
    pia.confirm(world.now)

    assert pia.post("/agencies/amp/rights/preview", {"changes": token}).status_code == 409
    assert world.blocks(licorne, licorne.julie) == ()


@pytest.mark.parametrize(
    ("end", "blocks", "sentence"),
    [
        ("", ("001",), "Entrez la date de fin de l’accès de Julie Licorne"),
        ("demain", ("001",), "par exemple 2027-11-23"),
        ("2020-01-01", ("001",), "date de fin est passée"),
        ("2031-01-01", ("001",), "plus de deux ans"),
        ("9999-12-31", ("001",), "plus de deux ans"),
        ("0001-01-01", ("001",), "date de fin est passée"),
        ("2027-11-23", ("101",), "ne détient pas l’un de ces blocs"),
        ("2027-11-23", ("<b>",), "ne détient pas l’un de ces blocs"),
    ],
)
def test_mistakes_are_told_beside_the_person(world, licorne, sign_in, end, blocks, sentence) -> None:  # type: ignore[no-untyped-def]
    """What was typed is kept, the summary leads to the field, nothing is saved."""
    pes = sign_in(licorne.pes)

    answer = pes.post("/agencies/amp/rights", fields(licorne, licorne.julie, blocks=blocks, end=end))

    page = unescape(answer.get_data(as_text=True))
    assert answer.status_code == 200
    assert page.count(sentence) == 2
    assert f'href="#end-{licorne.julie.membership_id}"' in page
    assert world.blocks(licorne, licorne.julie) == ()


def test_unrestricted_access_and_the_same_again(world, licorne, sign_in) -> None:  # type: ignore[no-untyped-def]
    """The wildcard is stored, shown, and a check without a change says so."""
    pes = sign_in(licorne.pes)
    world.grant(licorne, licorne.julie, "*")
    end = (local_date(world.now) + timedelta(days=365)).isoformat()

    same = pes.post("/agencies/amp/rights", fields(licorne, licorne.julie, all=True, end=end))

    assert "Rien n’a changé" in unescape(same.get_data(as_text=True))
    assert "sans restriction" in pes.text(f"/people/{licorne.julie.membership_id}")


def test_maker_and_checker_in_one_hand_is_warned_of(world, licorne, sign_in) -> None:  # type: ignore[no-untyped-def]
    """018 and 019 for the same person: a warning on the preview, and no more than a warning."""
    pes = sign_in(licorne.pes)

    checked = pes.post("/agencies/amp/rights", fields(licorne, licorne.julie, blocks=("018", "019")))

    assert "govuk-warning-text" in pes.text(checked.location)


def test_one_person_at_a_time(world, licorne, sign_in) -> None:  # type: ignore[no-untyped-def]
    """The page of one person changes that person only."""
    world.grant(licorne, licorne.omar, "005")
    pes = sign_in(licorne.pes)
    page = pes.text(f"/agencies/amp/rights?person={licorne.julie.membership_id}")
    assert licorne.omar.membership_id not in page

    sent = fields(licorne, licorne.julie, blocks=("001",)) | {"person": licorne.julie.membership_id}
    checked = pes.post("/agencies/amp/rights", sent)
    pes.post("/agencies/amp/rights/preview", {"changes": hidden(pes.text(checked.location), "changes")})

    assert world.blocks(licorne, licorne.julie) == ("001",)
    assert world.blocks(licorne, licorne.omar) == ("005",)


def test_the_identifiers_of_another_enterprise_are_nowhere(world, licorne, plumedor, sign_in) -> None:  # type: ignore[no-untyped-def]
    """In a path, a query or a field, an id of B is unknown to A: 404, and nothing changes."""
    world.grant(plumedor, plumedor.julie, "001")
    before = [audit.entries(enterprise_id=business.id) for business in (licorne, plumedor)]
    pes, theirs = sign_in(licorne.pes), plumedor.julie.membership_id
    reads = (
        f"/people/{theirs}",
        f"/people/{theirs}/suspend",
        f"/people/{theirs}/remove",
        f"/agencies/amp/rights?person={theirs}",
        f"/why?person={theirs}&agency=amp&block=001",
        f"/journal?person={plumedor.julie.person_id}",
        "/people/unknown",
        "/agencies/unknown/rights",
    )
    writes = (
        (f"/people/{theirs}/suspend", {}),
        (f"/people/{theirs}/remove", {}),
        (f"/people/{theirs}/reactivate", {}),
        (f"/people/{theirs}/slips", {}),
        ("/agencies/amp/rights", fields(licorne, plumedor.julie, blocks=("024",))),
        ("/enterprises", {"enterprise": plumedor.id}),
    )

    assert [pes.get(path).status_code for path in reads] == [404] * len(reads)
    assert [pes.post(path, sent).status_code for path, sent in writes] == [404] * len(writes)

    assert world.blocks(plumedor, plumedor.julie) == ("001",)
    assert [audit.entries(enterprise_id=business.id) for business in (licorne, plumedor)] == before


PAGES = ("/people", "/people/new", "/roster", "/roster/new", "/journal", "/agencies/amp/rights", "/why", "/enterprises")


@pytest.mark.parametrize(
    ("who", "refused"),
    [
        ("pes", {"/roster/new"}),
        ("ar", {"/people", "/people/new", "/agencies/amp/rights"}),
        ("julie", set(PAGES) - {"/why", "/enterprises"}),
    ],
)
def test_each_role_sees_its_pages(world, licorne, sign_in, who, refused) -> None:  # type: ignore[no-untyped-def]
    """A page of another role answers 403; nobody signed in is sent to sign in."""
    browser = sign_in(getattr(licorne, who))

    assert {path for path in PAGES if browser.get(path).status_code == 403} == refused
    assert {path for path in PAGES if browser.get(path).status_code == 200} == set(PAGES) - refused


@pytest.mark.parametrize("path", PAGES)
def test_nobody_signed_in_is_sent_to_sign_in(app, licorne, path) -> None:  # type: ignore[no-untyped-def]
    """And comes back afterwards."""
    answer = app.test_client().get(path)

    assert (answer.status_code, answer.location) == (302, f"/sign-in?next={quote(path, safe='')}")


def test_a_user_asks_why_about_themself_only(world, licorne, sign_in) -> None:  # type: ignore[no-untyped-def]
    """Julie learns why she lacks 018, and nothing of Omar."""
    world.grant(licorne, licorne.julie, "001")
    julie = sign_in(licorne.julie)
    about = "/why?agency=amp&block={}&person={}"

    assert "Oui." in julie.text(about.format("001", licorne.julie.membership_id))
    assert "Non." in julie.text(about.format("018", licorne.julie.membership_id))
    assert julie.get(about.format("001", licorne.omar.membership_id)).status_code == 404


def test_a_user_is_created_with_slips_once(world, licorne, sign_in) -> None:  # type: ignore[no-untyped-def]
    """The slips follow; sent twice the same person is created once; a known address is told."""
    pes = sign_in(licorne.pes)
    form = {"given_name": "Nadia", "family_name": "Roy", "email": "nadia@example.com", "language": "fr"}
    before = len(services.members(licorne.id))

    first, second = (pes.post("/people/new", form) for _ in range(2))
    other = pes.post("/people/new", form | {"given_name": "Nora"})

    assert (first.status_code, second.status_code) == (200, 200)
    assert "no-store" in first.headers["Cache-Control"]
    assert len(services.members(licorne.id)) == before + 1
    assert "a déjà cette adresse" in unescape(other.get_data(as_text=True))


@pytest.mark.bar("S-69")
def test_fields_nobody_offers_change_nothing(world, licorne, plumedor, sign_in) -> None:  # type: ignore[no-untyped-def]
    """Every column name of every table, posted with a form, is ignored (security-bar.md S-69)."""
    pes = sign_in(licorne.pes)
    columns = (
        *("role", "status", "enterprise_id", "person_id", "neq", "user_code", "granted_by", "not_after", "revoked_at"),
        *("version", "is_operator", "acr", "verified_at", "id"),
    )
    extra = dict.fromkeys(columns, "pes") | {"enterprise_id": plumedor.id, "person_id": licorne.ar.person_id}
    form = {"given_name": "Nadia", "family_name": "Roy", "email": "nadia@example.com", "language": "fr"}

    pes.post("/people/new", form | extra)
    pes.post(f"/people/{licorne.julie.membership_id}/suspend", extra)

    before = {member.person_id for member in (licorne.ar, licorne.pes, licorne.marc, licorne.julie, licorne.omar)}
    (created,) = [view for view in services.members(licorne.id) if view.person_id not in before]
    assert (created.role, created.status, created.enterprise_id) == ("user", "active", licorne.id)
    assert len(services.members(plumedor.id)) == 5
    assert services.membership(licorne.id, licorne.julie.membership_id).role == "user"


@pytest.mark.parametrize("value", ["", "   ", "é" * 101, "x\x00y" * 41, "\u200b", "<script>alert(1)</script>" * 10])
def test_wrong_names_are_told(world, licorne, sign_in, value) -> None:  # type: ignore[no-untyped-def]
    """No name, a long one, control characters: a sentence beside the field, nobody created."""
    pes = sign_in(licorne.pes)
    form = {"given_name": "Nadia", "family_name": value, "email": "nadia@example.com", "language": "fr"}
    before = len(services.members(licorne.id))

    answer = pes.post("/people/new", form)

    assert answer.status_code == 200
    assert 'id="error-summary"' in answer.get_data(as_text=True)
    assert len(services.members(licorne.id)) == before


def test_suspending_twice_and_the_last_pes(world, licorne, sign_in) -> None:  # type: ignore[no-untyped-def]
    """The second submission changes nothing; the last active PES is refused in words."""
    pes, ar = sign_in(licorne.pes), sign_in(licorne.ar)
    path = f"/people/{licorne.marc.membership_id}/suspend"

    assert [pes.post(path).status_code for _ in range(2)] == [303, 303]
    refused = ar.post(f"/people/{licorne.pes.membership_id}/suspend")

    assert refused.status_code == 403
    assert "la dernière personne responsable" in unescape(refused.get_data(as_text=True))


def test_a_suspended_person_learns_it(world, licorne, sign_in) -> None:  # type: ignore[no-untyped-def]
    """They sign in and are told where they are suspended, and who can help."""
    services.suspend_member(licorne.id, licorne.julie.membership_id, by=licorne.pes.person_id, now=world.now)
    julie = sign_in(licorne.julie)

    page = julie.client.get("/why", follow_redirects=True)

    assert page.request.path == "/enterprises"
    assert "Construction Haute-Licorne inc." in page.get_data(as_text=True)


def test_somebody_of_two_enterprises_chooses(world, licorne, plumedor, sign_in) -> None:  # type: ignore[no-untyped-def]
    """The chooser has one button for each, and leads back to the page that was asked for."""
    world.clock.advance(timedelta(seconds=30))
    from idp.accounts import services as accounts
    from idp.audit import SYSTEM
    from idp.delegation.people.domain.roles import Role

    code = accounts.issue_user_code(licorne.pes.person_id, now=world.now)
    services.appoint(plumedor.id, licorne.pes.person_id, Role.PES, user_code=code.signs, actor=SYSTEM, now=world.now)
    both = sign_in(licorne.pes)

    sent = both.get("/people")
    assert sent.location == "/enterprises?next=%2Fpeople"
    page = both.text(sent.location)
    assert 'id="enterprise-1100000455"' in page
    assert 'id="enterprise-3300000018"' in page
    chosen = both.post("/enterprises", {"enterprise": plumedor.id, "next": "/people"})

    assert chosen.location == "/people"
    assert "Julie Plumedor" in both.text("/people")
    assert "Julie Licorne" not in both.text("/people")


def test_the_journal_tells_in_sentences(world, licorne, plumedor, sign_in) -> None:  # type: ignore[no-untyped-def]
    """Names are resolved, codes named, another enterprise absent; pages neither repeat nor lose an entry."""
    world.grant(licorne, licorne.julie, "001", "008")
    pes = sign_in(licorne.pes)
    assert "Pia Licorne a donné à Julie Licorne" in unescape(pes.text("/journal"))
    assert "Plumedor" not in pes.text("/journal")
    for _ in range(30):
        world.clock.advance(timedelta(seconds=1))
        for code in ("005", "007"):
            services.set_rights(
                licorne.id,
                "amp",
                (Right(licorne.omar.membership_id, frozenset({code}), local_date(world.now)),),
                granter_id=licorne.pes.person_id,
                seen_revision=None,
                now=world.now,
            )

    page, seen = "/journal", 0
    while page:
        text = pes.text(page)
        seen += text.count("app-timeline__event")
        older = re.search(r'id="older" href="([^"]+)"', text)
        page = unescape(older.group(1)) if older else ""

    assert seen == len(audit.entries(enterprise_id=licorne.id, limit=1000))
    for tampered in ("nonsense", "0001-01-01T00:00:00%2B14:00", "9999-12-31T23:59:59-14:00"):
        assert pes.get(f"/journal?before={tampered}").status_code == 200, tampered


@pytest.mark.parametrize("language", ["fr", "en"])
def test_pages_speak_the_language_asked_for(world, licorne, sign_in, language) -> None:  # type: ignore[no-untyped-def]
    """Every page answers in both languages, with one h1."""
    world.grant(licorne, licorne.julie, "001", "008")
    pes = sign_in(licorne.pes)
    about = f"/why?person={licorne.julie.membership_id}&agency=amp&block=018"
    for path in (*PAGES, f"/people/{licorne.julie.membership_id}", about):
        if path == "/roster/new":
            continue
        text = pes.text(path + ("&" if "?" in path else "?") + f"lang={language}")
        assert text.count("<h1") == 1, path
        assert f'<html lang="{language}"' in text


def test_acts_that_matter_ask_again_who_one_is(world, licorne, sign_in) -> None:  # type: ignore[no-untyped-def]
    """Rights, people and slips: five minutes after the sign-in each leads to the second factor, and nothing was done."""
    pia, ar = sign_in(licorne.pes), sign_in(licorne.ar)
    checked = pia.post("/agencies/amp/rights", fields(licorne, licorne.julie, blocks=("001",)))
    changes = {"changes": hidden(pia.text(checked.location), "changes")}
    noe = {"given_name": "Noé", "family_name": "B", "email": "noe@example.com", "language": "fr"}
    acts = [
        (pia, "/agencies/amp/rights/preview", changes),
        (pia, f"/people/{licorne.julie.membership_id}/slips", {}),
        (pia, f"/people/{licorne.julie.membership_id}/lost-factor", {}),
        (pia, "/people/new", noe),
        (ar, "/roster/new", noe),
        *((ar, f"/people/{licorne.marc.membership_id}/{act}", {}) for act in ("suspend", "reactivate", "remove")),
    ]
    world.clock.advance(timedelta(minutes=5))
    before = len(audit.entries(limit=1000))

    answers = [browser.post(path, sent) for browser, path, sent in acts]

    assert [(answer.status_code, answer.location[:14]) for answer in answers] == [(303, "/confirm?next=")] * len(acts)
    assert len(audit.entries(limit=1000)) == before


def test_whoever_may_not_act_is_refused_before_being_asked(world, licorne, sign_in) -> None:  # type: ignore[no-untyped-def]
    """A user is told no, not asked for a code first."""
    julie = sign_in(licorne.julie)
    world.clock.advance(timedelta(minutes=5))

    for path, sent in (("/agencies/amp/rights/preview", {"changes": "x"}), ("/roster/new", {}), ("/people/new", {})):
        assert julie.post(path, sent).status_code == 403, path


def test_a_user_typed_before_the_code_is_created_after_it(world, licorne, sign_in) -> None:  # type: ignore[no-untyped-def]
    """The form of a new user waits while the PES shows who they are, and its slips follow."""
    pia = sign_in(licorne.pes)
    noe = {"given_name": "Noé", "family_name": "B", "email": "noe@example.com", "language": "fr"}
    world.clock.advance(timedelta(minutes=5))
    asked = pia.post("/people/new", noe)
    code = pyotp.TOTP(TOTP_SECRET).at(int(world.now.timestamp()))
    waiting = pia.post(asked.location, {"otp": code}, page="/confirm").location

    kept = pia.text(waiting)
    created = pia.post("/people/new", {name: hidden(kept, name) for name in noe})

    assert 'id="slip-password"' in created.text
    assert pia.get("/agencies/amp/rights/preview").location == "/agencies/amp/rights"


def test_a_person_with_one_name_is_added(world, licorne, sign_in) -> None:  # type: ignore[no-untyped-def]
    """An empty given name is no error, and the slips, the list and the page have the one name."""
    pes = sign_in(licorne.pes)
    who = {"given_name": "", "family_name": "Aputik", "email": "aputik@example.com", "language": "fr"}

    page = pes.post("/people/new", who, page="/people/new")

    assert page.status_code == 200
    assert "Aputik (" in page.text
    assert ">Aputik</a>" in pes.text("/people")
