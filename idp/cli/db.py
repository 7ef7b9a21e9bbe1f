"""``idp db``: the schema, made by migrations only."""

from __future__ import annotations

from pathlib import Path

import click
from flask_migrate import current as show_current
from flask_migrate import upgrade as run_upgrade

from ..app import create_app
from ..config import read_settings
from ..private_files import private_folder


@click.group()
def db() -> None:
    """Bring the schema up to date."""


@db.command()
def upgrade() -> None:
    """Run the migrations that are missing."""
    settings = read_settings()
    if settings.database_url.startswith("sqlite:///"):
        private_folder(Path(settings.database_url.removeprefix("sqlite:///")).parent)
    with create_app(settings).app_context():
        run_upgrade()
    click.echo("The schema is up to date.")


@db.command()
def current() -> None:
    """Show the current migration of the database."""
    with create_app().app_context():
        show_current()
