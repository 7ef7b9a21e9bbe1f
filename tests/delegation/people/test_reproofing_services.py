"""Who may have somebody proved anew: the table, and the pages."""

from __future__ import annotations

import email
import email.policy
import re
import subprocess
from pathlib import Path

import pytest

from idp.accounts import services as accounts
from idp.accounts.credentials.domain.passwords import read_temporary
from idp.accounts.credentials.factor_services import notify_credential_change
from idp.accounts.people import contact_services
from idp.accounts.recovery import reproofing_services
from idp.accounts.user_codes.activation_services import StartRefusal, start
from idp.connectors.register_import import import_register
from idp.db import transaction
from idp.delegation import services
from idp.delegation.people.domain.roles import Role
from idp.delegation.people.postal_services import postal_lines
from idp.delegation.people.reproofing_services import may_reprove, reprove
from idp.errors import NotAllowedError
from idp.identifiers import UserCode
from idp.notices import services as notices

from ..conftest import VOUCHING

SYNTHETIC = Path(__file__).resolve().parents[3] / "examples" / "synthetic" / "req"


@pytest.mark.parametrize(
    ("who", "whom", "may"),
    VOUCHING,
)
def test_who_may_start_for_whom(licorne, world, who: str, whom: str, may: bool) -> None:  # type: ignore[no-untyped-def]
    """A PES for users, the representative for PES, nobody for themself; the service refuses what the page hides."""
    by, target = getattr(licorne, who), getattr(licorne, whom)

    assert may_reprove(licorne.id, target.membership_id, by=by.person_id) is may
    if not may:
        with pytest.raises(NotAllowedError):
            reprove(licorne.id, target.membership_id, by=by.person_id, now=world.now)
        assert reproofing_services.latest(target.person_id) is None


def test_who_answers_for_one_enterprise_opens_no_other(licorne, plumedor, world) -> None:  # type: ignore[no-untyped-def]
    """A user here who is in charge elsewhere, or more here than a user: an operator does it, no PES (S-68)."""
    code = accounts.issue_user_code(plumedor.pes.person_id, now=world.now)
    here = services.appoint(
        licorne.id, plumedor.pes.person_id, Role.USER, user_code=str(code), actor=_by(licorne), now=world.now
    )
    accounts.seed_credentials(
        plumedor.pes.person_id,
        user_code=code,
        password="trois petits bateaux verts",
        totp_secret="A" * 32,
        now=world.now,
    )
    services.appoint(licorne.id, licorne.julie.person_id, Role.PES, user_code=None, actor=_by(licorne), now=world.now)

    assert not may_reprove(licorne.id, here, by=licorne.pes.person_id)
    assert not may_reprove(licorne.id, licorne.julie.membership_id, by=licorne.pes.person_id)
    assert not may_reprove(licorne.id, licorne.julie.membership_id, by=licorne.ar.person_id)


def test_a_user_of_two_enterprises_is_for_the_desk(licorne, plumedor, world) -> None:  # type: ignore[no-untyped-def]
    """Each PES answers for their own enterprise, and the slip would open both."""
    code = accounts.issue_user_code(licorne.julie.person_id, now=world.now)
    services.appoint(
        plumedor.id, licorne.julie.person_id, Role.USER, user_code=str(code), actor=_by(plumedor), now=world.now
    )

    assert not may_reprove(licorne.id, licorne.julie.membership_id, by=licorne.pes.person_id)


def _by(business):  # type: ignore[no-untyped-def]
    from idp.audit import Actor

    return Actor.person(business.pes.person_id)


def test_a_suspended_or_removed_member_is_not_proved_anew(licorne, world) -> None:  # type: ignore[no-untyped-def]
    """First reactivate them."""
    services.suspend_member(licorne.id, licorne.julie.membership_id, by=licorne.pes.person_id, now=world.now)

    assert not may_reprove(licorne.id, licorne.julie.membership_id, by=licorne.pes.person_id)


def test_the_pes_makes_a_slip_on_two_pages(licorne, world, sign_in) -> None:  # type: ignore[no-untyped-def]
    """The page says what follows; the slips are shown once, with the day from which they serve, and as PDF."""
    pes, path = sign_in(licorne.pes), f"/people/{licorne.julie.membership_id}"
    assert f'href="{path}/lost-factor"' in pes.text(path)
    assert "24\u00a0heures" in pes.text(f"{path}/lost-factor")

    page = pes.post(f"{path}/lost-factor", page=f"{path}/lost-factor")

    assert page.status_code == 200
    assert page.headers["Cache-Control"] == "no-store"
    assert 'id="slip-serves-from">24\u00a0novembre\u00a02026' in page.text
    secret = re.search(r'id="slip-password">([^<]+)<', page.text)
    assert secret
    fields = dict(re.findall(r'name="(user_code|secret|about)" value="([^"]+)"', page.text))
    for which in ("user_code", "secret"):
        pdf = pes.post("/slips", {**fields, "which": which})
        assert pdf.data.startswith(b"%PDF"), pdf.text
    early = start(
        UserCode.parse(licorne.julie.user_code), read_temporary(secret.group(1)), next_path="/", now=world.now
    )
    assert early.refusal is StartRefusal.EARLY
    assert "sert à partir du" in pes.text(path)


def test_a_stop_is_shown_to_whoever_began(licorne, world, sign_in) -> None:  # type: ignore[no-untyped-def]
    """The PES reads that the person objected."""
    reprove(licorne.id, licorne.julie.membership_id, by=licorne.pes.person_id, now=world.now)
    with_token = _objection()
    reproofing_services.object_to(with_token, now=world.now)

    assert "a dit que ce n’était pas elle" in sign_in(licorne.pes).text(f"/people/{licorne.julie.membership_id}")


def _objection() -> str:
    from tests.accounts.conftest import payloads

    return str(payloads("reproofing_started")[-1]["objection"])


@pytest.mark.parametrize("who", ["julie", "ar", "stranger"])
def test_others_find_no_such_page(licorne, plumedor, sign_in, who: str) -> None:  # type: ignore[no-untyped-def]
    """A user, the representative (for a user), a PES of another enterprise: refused, and nothing is begun."""
    browser = sign_in(plumedor.pes if who == "stranger" else getattr(licorne, who))
    path = f"/people/{licorne.julie.membership_id}/lost-factor"

    for answer in (browser.get(path), browser.post(path)):
        assert answer.status_code in (403, 404)
    assert reproofing_services.latest(licorne.julie.person_id) is None


def test_the_fourth_slip_of_an_hour_is_refused(licorne, world, sign_in) -> None:  # type: ignore[no-untyped-def]
    """With a sentence, on the person's page."""
    pes, path = sign_in(licorne.pes), f"/people/{licorne.julie.membership_id}"
    for _ in range(3):
        assert pes.post(f"{path}/lost-factor").status_code == 200

    assert pes.post(f"{path}/lost-factor").location == path
    assert "Trop de feuillets" in pes.text(path)


def test_the_pes_sees_that_messages_come_back(licorne, world, sign_in) -> None:  # type: ignore[no-untyped-def]
    """And the whole user code, to tell it to somebody who lost it."""
    address = accounts.person(licorne.julie.person_id).email
    contact_services.note_refused(address, 550, world.now)

    page = sign_in(licorne.pes).text(f"/people/{licorne.julie.membership_id}")

    assert "nous reviennent" in page
    assert licorne.julie.user_code in page


def test_a_reminder_names_the_enterprises(licorne, world, app, settings) -> None:  # type: ignore[no-untyped-def]
    """Each masked code beside its enterprise; the whole code nowhere."""
    from idp.accounts.recovery import lost_code_services

    lost_code_services.ask(accounts.person(licorne.julie.person_id).email, now=world.now)
    while notices.deliver_due(world.now):
        pass

    [path] = settings.outbox_dir.glob("*user_codes_asked*.eml")
    mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    for part in mail.iter_parts():
        text = part.get_content()
        assert f"{UserCode.parse(licorne.julie.user_code).masked} – Construction Haute-Licorne inc." in text
        assert licorne.julie.user_code not in text


def test_where_messages_come_back_a_letter_says_it(world, app, settings) -> None:  # type: ignore[no-untyped-def]
    """To the person, in care of their enterprise, at the address of the register; the code masked (issue 4 §11)."""
    import_register(SYNTHETIC, world.now)
    licorne = world.business("1100000455", "Licorne")
    contact_services.note_refused(accounts.person(licorne.julie.person_id).email, 550, world.now)
    with transaction():
        notify_credential_change(licorne.julie.person_id, "password", "update", now=world.now)

    while notices.deliver_due(world.now):
        pass

    assert list(settings.outbox_dir.glob("*security_notice*.eml")) == []
    [path] = settings.outbox_dir.glob("security-*.pdf")
    text = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, text=True, check=True).stdout
    masked = UserCode.parse(licorne.julie.user_code).masked
    for each in ("Julie Licorne", "Construction Haute-Licorne inc.", "Le mot de passe a été changé", masked):
        assert each in text, text
    assert postal_lines(licorne.julie.person_id)[1:], "the synthetic register has an address"
    assert postal_lines(licorne.julie.person_id)[1] in text
    assert licorne.julie.user_code not in text
