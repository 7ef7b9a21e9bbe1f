"""``idp taxfile import PATH``: the tax agency's file."""

from __future__ import annotations

from pathlib import Path

import click
from flask import current_app

from ..app import create_app
from ..connectors.errors import ImportRefusedError


@click.group()
def taxfile() -> None:
    """Import the tax agency's file."""


@taxfile.command("import")
@click.argument("path", type=click.Path(exists=True, path_type=Path))
def import_(path: Path) -> None:
    """Load PATH, whole or not at all."""
    from ..connectors.tax_import import import_tax_file

    with create_app().app_context():
        try:
            counts = import_tax_file(path, current_app.extensions["mandat.clock"].now())
        except ImportRefusedError as error:
            told = "\n".join(f"  - {fault}" for fault in error.faults)
            raise click.ClickException(f"refused; the former data stay in force.\n{told}") from None
    click.echo(f"In force: {counts.accounts} accounts, {counts.notices} notices.")
