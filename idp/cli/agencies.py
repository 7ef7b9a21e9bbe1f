"""``idp agencies``: the catalogue of agencies."""

from __future__ import annotations

from pathlib import Path

import click

from ..app import create_app
from ..clock import SystemClock
from ..delegation.catalogue import catalogue_files, catalogue_services
from ..delegation.subscriptions import subscription_services


@click.group()
def agencies() -> None:
    """Load and list the agencies enterprises may subscribe to."""


@agencies.command()
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--check", is_flag=True, help="only read the files and list their mistakes")
def load(path: Path, check: bool) -> None:
    """Load the agency of a YAML file, or those of every .yaml file of a folder: all of them, or none."""
    try:
        if check:
            for file in catalogue_files.read_files(path):
                click.echo(f"{file.file}: {file.agency.id} {file.agency.catalogue_version}, good")
            return
        with create_app().app_context():
            now = SystemClock().now()
            loaded = catalogue_services.load_agencies(path, now=now)
            changed = [found.agency_id for found in loaded if found.change == "changed"]
            settled = subscription_services.settle_catalogue(changed, now=now)
    except catalogue_files.CatalogueFileError as error:
        for mistake in error.mistakes:
            click.echo(str(mistake), err=True)
        raise click.ClickException("nothing was loaded") from None
    for found in loaded:
        click.echo(f"{found.agency_id} {found.catalogue_version}: {found.change}")
    if changed:
        click.echo(f"subscribed enterprises brought in line: {settled}")


@agencies.command(name="list")
def list_() -> None:
    """List the catalogue."""
    with create_app().app_context():
        for agency in catalogue_services.agencies():
            codes = " ".join(block.code for block in agency.blocks)
            click.echo(f"{agency.id} {agency.catalogue_version} {agency.name.fr} [{codes}]")
