"""``idp doctor``: the faults of an installation, in plain sentences."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import click
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import SQLAlchemyError

from ..app import create_app
from ..audit.checkpoint_keys import CheckpointKeyError, CheckpointKeys
from ..clock import SystemClock
from ..config import Settings, folder, read_settings
from ..crypto.sealing import KEY_FILES
from ..http.limits import storage_answers
from ..pages.domain import security_txt
from ..private_files import loose, of_database
from . import key_findings
from .audit import FEW_PLACES

_WARNED_BEFORE = timedelta(days=2)  # before the end of an authority or of a revocation list


@click.command()
def doctor() -> None:
    """Check settings, keys, schema, catalogue, outbox and log; exit 1 when a check fails."""
    settings = read_settings()
    for name in Settings.model_fields:
        click.echo(f"  {name:<30}{_masked(name, getattr(settings, name))}")
    for remark in remarks(settings):
        click.echo(f"! {remark}")
    problems = list(findings(settings))
    for problem in problems:
        click.echo(f"✗ {problem}")
    if problems:
        sys.exit(1)
    click.echo("✓ nothing is wrong")


def remarks(settings: Settings) -> Iterator[str]:
    """Yield advice about what works and could be better."""
    if settings.workers > 1 and settings.rate_limit_storage == "memory://":
        yield "each worker counts requests per address apart; set IDP_RATE_LIMIT_STORAGE to a shared storage"
    if settings.secure and settings.database_url.startswith("sqlite"):
        yield "SQLite serves one machine; several nodes want PostgreSQL"
    if few := FEW_PLACES.get(len(settings.audit_places)):
        yield few
    if settings.secure and settings.alarm_email is None:
        yield "no IDP_ALARM_EMAIL: an alarm about failed sign-ins is seen in the log and at the desk only"
    if settings.secure and not (settings.security_contacts or settings.security_txt_file):
        yield "no IDP_SECURITY_CONTACTS: /.well-known/security.txt says to nobody where to report a weakness"
    yield from key_findings.remarks(settings, SystemClock().now())


def findings(settings: Settings) -> Iterator[str]:
    """Yield what is wrong, one sentence each."""
    missing = [name for name in KEY_FILES if not (settings.keys_dir / name).exists()]
    if missing:
        yield f"keys missing in {settings.keys_dir}: {', '.join(missing)}; run idp keys new"
        return
    yield from loose(_kept_private(settings))
    yield from security_txt.findings(settings, SystemClock().now())
    wrong = [*key_findings.findings(settings), *_checkpoint_key_findings(settings)]
    if wrong:
        yield from wrong
        return  # the application does not start
    if settings.secure and settings.smtp_url is None:
        yield "no IDP_SMTP_URL: e-mails are written to the outbox folder and reach nobody"
    yield from _relay_findings(settings)
    if shutil.disk_usage(settings.keys_dir).free < 512 * 1024 * 1024:
        yield "less than 512 MiB of disk are free"
    try:
        with create_app(settings).app_context():
            if not storage_answers():
                yield "the storage of IDP_RATE_LIMIT_STORAGE does not answer: requests per address are not counted"
            yield from _certificate_findings()
            yield from _database_findings(settings)
    except SQLAlchemyError as error:
        yield f"the database does not answer: {type(error).__name__}"


def _kept_private(settings: Settings) -> Iterator[Path]:
    """Yield a finding for each file or folder with personal data or secrets that others may read."""
    for folder_of_keys in (settings.keys_dir, CheckpointKeys.of(settings).folder):
        yield folder_of_keys
        for path in sorted(folder_of_keys.glob("*")):
            if path.suffix in (".key", ".salt", ".json"):
                yield path
    yield settings.outbox_dir
    yield from sorted(settings.outbox_dir.glob("*"))
    if settings.database_url.startswith("sqlite:///"):
        database = Path(settings.database_url.removeprefix("sqlite:///"))
        yield database.parent
        yield from of_database(database)


def _relay_findings(settings: Settings) -> Iterator[str]:
    """Query the SMTP server, only when the settings say it accepts addresses that few servers accept."""
    from ..notices.delivery import offers_smtp_utf8

    if settings.smtp_url is None or not settings.smtp_utf8:
        return
    try:
        if not offers_smtp_utf8(settings):
            yield "IDP_SMTP_UTF8 is on, and the SMTP server does not offer SMTPUTF8: set it off"
    except OSError as error:  # smtplib's own errors are OSError too
        yield f"IDP_SMTP_UTF8 could not be verified: the SMTP server does not answer ({type(error).__name__})"


def _checkpoint_key_findings(settings: Settings) -> Iterator[str]:
    keys = CheckpointKeys.of(settings)
    if not settings.audit_places:
        return
    try:
        keys.signing()
    except (CheckpointKeyError, OSError) as error:
        yield str(error)


def _certificate_findings() -> Iterator[str]:
    from ..oidc.clients import mutual_tls
    from ..oidc.clients.domain import certificates

    known, now = mutual_tls.authorities(), SystemClock().now()
    if known:
        yield from certificates.stale(known, now=now, soon=now + _WARNED_BEFORE)


def _database_findings(settings: Settings) -> Iterator[str]:
    from ..accounts import services as accounts
    from ..audit.checkpoint_services import compared
    from ..db import db
    from ..delegation.catalogue import catalogue_services
    from ..notices import services as notices

    config = Config()
    config.set_main_option("script_location", str(folder("migrations")))
    head = ScriptDirectory.from_config(config).get_current_head()
    with db.engine.connect() as connection:
        present = MigrationContext.configure(connection).get_current_revision()
    if present != head:
        yield f"the schema is at {present or 'nothing'}, the code wants {head}; run idp db upgrade"
        return
    if not catalogue_services.agencies():
        yield "no agency is in the catalogue; run idp agencies load agencies/"
    dead = notices.dead_count()
    if dead:
        yield f"{dead} notices could not be delivered; see idp notices list --dead"
    comparison = compared(SystemClock().now())
    checked = comparison.log
    if checked.fault:
        yield f"the log does not hold: {checked.fault}"
    for problem in comparison.problems:
        yield f"checkpoints of the log: {problem}"
    if (alarm := accounts.current_alarm(SystemClock().now())) is not None:
        yield (
            f"many failed sign-ins over many accounts: {alarm.tries} within {settings.alarm_minutes} minutes at"
            f" {alarm.raised_at:%Y-%m-%d %H:%M} UTC; see docs/operations.md"
        )
    if checked.unsequenced > 1000:
        yield f"{checked.unsequenced} entries of the log wait for their place; is idp worker running?"


def _masked(name: str, value: object) -> str:
    if name in ("database_url", "rate_limit_storage"):
        head, at, tail = str(value).rpartition("@")
        return f"{head.split('//')[0]}//…@{tail}" if at else str(value)
    return str(value)
