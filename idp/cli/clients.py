"""``idp clients``: who may ask for a sign-in."""

from __future__ import annotations

from pathlib import Path

import click

from ..app import create_app
from ..clock import SystemClock
from ..oidc import client_services, playground_services
from ..oidc.errors import ClientFileError


@click.group()
def clients() -> None:
    """Load the clients of agencies."""


@clients.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def load(file: Path) -> None:
    """Write the clients of FILE (YAML, RFC 7591 member names, plus profile and agency), all or none."""
    with create_app().app_context():
        try:
            loaded = client_services.load_clients(file, now=SystemClock().now())
        except ClientFileError as error:
            for mistake in error.mistakes:
                click.echo(f"✗ {mistake}", err=True)
            raise click.ClickException("nothing was loaded") from None
        doubtful = {client_id: client_services.doubtful_addresses(client_id) for client_id in loaded}
    for client_id, addresses in doubtful.items():
        click.echo(f"loaded {client_id}")
        for uri in addresses:
            click.echo(
                f"! {client_id}: {uri!r} has no path; if the library sends {uri + '/'!r}, register that", err=True
            )


@clients.command()
def playground() -> None:
    """Register the playground’s own client at each agency; anew each time, and nobody ever sees its secret."""
    with create_app().app_context():
        registered = playground_services.register(now=SystemClock().now())
    for client_id in registered:
        click.echo(f"registered {client_id}")
