from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from click.testing import CliRunner
from flask import Flask
from flask_migrate import upgrade

from idp.accounts import services as accounts
from idp.accounts.throttling import alarm_services
from idp.app import create_app
from idp.cli.doctor import doctor, findings, remarks
from idp.clock import MovableClock, SystemClock
from idp.config import Settings, folder, read_settings
from idp.db import transaction
from idp.delegation.catalogue import catalogue_services
from tests.flows.installation import free_port
from tests.oidc.certificates import FROM, TestAuthority, pem


def test_a_complete_installation_has_nothing_wrong(settings: Settings, clock: MovableClock) -> None:
    """Keys, schema and a catalogue: no finding."""
    app: Flask = create_app(settings, clock=clock)
    with app.app_context():
        upgrade()
        catalogue_services.load_agencies(folder("agencies"), now=clock.now())

    assert list(findings(settings)) == []


def test_each_missing_part_is_told(settings: Settings, tmp_path: Path) -> None:
    """Without keys, without schema, with files others can read: each is a sentence with its cure."""
    without_keys = settings.model_copy(update={"keys_dir": tmp_path / "nothing"})
    assert "idp keys new" in next(findings(without_keys))
    assert any("idp db upgrade" in finding for finding in findings(settings))

    loose = settings.keys_dir / "pepper.key"
    loose.chmod(0o644)
    try:
        assert any("pepper.key can be read by others" in finding for finding in findings(settings))
    finally:
        loose.chmod(0o600)


def test_a_storage_that_does_not_answer_is_told(settings: Settings) -> None:
    """The shield opens without its storage, which nobody would notice."""
    down = settings.model_copy(update={"rate_limit_storage": f"redis://127.0.0.1:{free_port()}"})

    assert any("IDP_RATE_LIMIT_STORAGE does not answer" in finding for finding in findings(down))
    assert not any("IDP_RATE_LIMIT_STORAGE" in finding for finding in findings(settings))


def test_a_secret_of_the_settings_is_not_printed() -> None:
    """The password of the database and of the mail server stay hidden."""
    from idp.cli.doctor import _masked

    given = read_settings(
        smtp_url="smtp://u:hunter2@mail.example",
        database_url="postgresql+psycopg://u:hunter2@db/x",
        rate_limit_storage="valkey://u:hunter2@valkey/0",
    )

    printed = [_masked(name, getattr(given, name)) for name in ("database_url", "smtp_url", "rate_limit_storage")]
    assert not any("hunter2" in each for each in printed)
    assert doctor.name == "doctor"
    assert CliRunner().invoke(doctor, ["--help"]).exit_code == 0


def test_a_revocation_list_that_ended_is_told(settings: Settings, tmp_path: Path) -> None:
    """It refuses every client certificate of its authority, so the operator hears of it here."""
    authority = TestAuthority()
    (tmp_path / "ca.pem").write_text(pem(authority.certificate))
    (tmp_path / "crl.pem").write_bytes(authority.revocations(begins=FROM, ends=FROM + timedelta(days=1)))
    files = {"mtls_ca_file": tmp_path / "ca.pem", "mtls_crl_file": tmp_path / "crl.pem"}

    assert any("no current revocation list" in each for each in findings(settings.model_copy(update=files)))


def test_an_alarm_that_lasts_is_told(settings: Settings) -> None:
    """Many failed sign-ins, with their number and the guide; and that nobody is written to, where nobody is."""
    now = SystemClock().now()
    app: Flask = create_app(settings)
    with app.app_context():
        upgrade()
        catalogue_services.load_agencies(folder("agencies"), now=now)
        with transaction():
            for _ in range(settings.alarm_tries):
                alarm_services.count_failure(now)
        accounts.watch_failed_tries(now)

    assert [f"{settings.alarm_tries} within 10 minutes" in each for each in findings(settings)] == [True]
    secure = settings.model_copy(update={"issuer": "https://id.example"})
    assert any("IDP_ALARM_EMAIL" in each for each in remarks(secure))
    reached = secure.model_copy(update={"alarm_email": "veille@fournisseur.example"})
    assert not any("IDP_ALARM_EMAIL" in each for each in remarks(reached))
