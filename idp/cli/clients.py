"""``idp clients``: the clients that may request a sign-in."""

from __future__ import annotations

from pathlib import Path

import click

from .. import audit
from ..app import create_app
from ..clock import SystemClock
from ..errors import NotFoundError
from ..oidc import playground_services
from ..oidc.clients import client_services, initial_token_services
from ..oidc.errors import ClientFileError


@click.group()
def clients() -> None:
    """Load the clients of agencies, and let agencies register their own."""


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
        unused = client_services.unused_members(file)
        doubtful = {client_id: client_services.doubtful_addresses(client_id) for client_id in loaded}
    for client_id, addresses in doubtful.items():
        click.echo(f"loaded {client_id}")
        for name in unused[client_id]:
            click.echo(f"! {client_id}: {name} is known and changes nothing here", err=True)
        for uri in addresses:
            click.echo(
                f"! {client_id}: {uri!r} has no path; if the library sends {uri + '/'!r}, register that", err=True
            )


@clients.command()
@click.argument("client_id")
def revoke(client_id: str) -> None:
    """Remove the client CLIENT_ID, with all its grants; loading it again restores it."""
    with create_app().app_context():
        done = client_services.revoke(client_id, actor=audit.SYSTEM, now=SystemClock().now())
    if not done:
        raise click.ClickException(f"no client {client_id}")
    click.echo(f"removed {client_id}")


@clients.command()
@click.option("--agency", required=True, help="the agency whose clients it registers")
@click.option("--uses", type=click.IntRange(1, 1000), default=1, show_default=True, help="how many clients")
@click.option("--days", type=click.IntRange(1, 366), default=7, show_default=True, help="for how long")
def token(agency: str, uses: int, days: int) -> None:
    """Print an initial access token, once: its bearer registers clients of the agency (RFC 7591)."""
    with create_app().app_context():
        try:
            issued = initial_token_services.issue(agency, uses=uses, days=days, now=SystemClock().now())
        except NotFoundError:
            raise click.ClickException(f"no agency {agency}") from None
    click.echo(issued)


@clients.command()
def tokens() -> None:
    """List the initial access tokens; none of them can be read again."""
    now = SystemClock().now()
    with create_app().app_context():
        for each in initial_token_services.listed():
            state = "revoked" if each.revoked_at else "over" if each.expires_at <= now else f"{each.uses_left} left"
            click.echo(f"{each.id}  {each.agency_id}  {state}  until {each.expires_at:%Y-%m-%d %H:%M} UTC")


@clients.command("revoke-token")
@click.argument("token_id")
def revoke_token(token_id: str) -> None:
    """End the initial access token TOKEN_ID; the clients it registered stay."""
    with create_app().app_context():
        done = initial_token_services.revoke(token_id, now=SystemClock().now())
    if not done:
        raise click.ClickException(f"no living token {token_id}")
    click.echo(f"revoked {token_id}")


@clients.command()
def playground() -> None:
    """Register the playground’s own client at each agency; each run replaces it, and its secret is never shown."""
    with create_app().app_context():
        registered = playground_services.register(now=SystemClock().now())
    for client_id in registered:
        click.echo(f"registered {client_id}")
