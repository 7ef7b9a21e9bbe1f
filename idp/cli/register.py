"""``idp register import PATH``: load the local copy of the register."""

from __future__ import annotations

from pathlib import Path

import click
from flask import current_app

from ..app import create_app
from ..connectors.errors import ImportRefusedError


@click.group()
def register() -> None:
    """Import the register of enterprises."""


@register.command("import")
@click.argument("path", type=click.Path(exists=True, path_type=Path))
def import_(path: Path) -> None:
    """Load PATH, whole or not at all."""
    from ..connectors.register_import import import_register

    with create_app().app_context():
        try:
            counts = import_register(path, current_app.extensions["mandat.clock"].now())
        except ImportRefusedError as error:
            told = "\n".join(f"  - {fault}" for fault in error.faults)
            raise click.ClickException(f"refused; the former data stay in force.\n{told}") from None
    click.echo(f"In force: {counts.enterprises} enterprises, {counts.names} names, {counts.total} rows in all.")
