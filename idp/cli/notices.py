"""``idp notices``: notices that were given up, their revival, and messages that came back."""

from __future__ import annotations

import click

from ..accounts.people import contact_services
from ..app import create_app
from ..clock import SystemClock
from ..notices import services


@click.group()
def notices() -> None:
    """List the notices that were given up, send one again, and record an address from which messages come back."""


@notices.command("list")
@click.option("--dead", is_flag=True, help="those that were given up")
def list_notices(dead: bool) -> None:
    """Count the waiting notices; with --dead list those given up: id, kind, when written, attempts, reason."""
    with create_app().app_context():
        click.echo(f"{services.waiting()} notices wait to be sent.")
        if not dead:
            return
        given_up = services.dead()
    for each in given_up:
        click.echo(
            f"{each.id}  {each.kind:<20}{each.created_at:%Y-%m-%d %H:%M:%S}Z  {each.attempts} tries  {each.last_error}"
        )
    click.echo(f"{len(given_up)} notices were given up." if given_up else "No notice was given up.")


@notices.command()
@click.argument("notice_id")
def revive(notice_id: str) -> None:
    """Let the notice NOTICE_ID be sent again, with all its attempts."""
    with create_app().app_context():
        if not services.revive(notice_id, now=SystemClock().now()):
            raise click.ClickException("there is no dead notice with this id")
    click.echo(f"{notice_id} leaves again; idp worker sends it.")


@notices.command()
@click.argument("address")
def returned(address: str) -> None:
    """Record that a message to ADDRESS came back: its owner is notified on their account page, and by post."""
    with create_app().app_context():
        if not contact_services.note_returned(address.strip(), now=SystemClock().now()):
            raise click.ClickException("no account has this address")
    click.echo("Noted. A code that the owner receives there and types clears it.")
