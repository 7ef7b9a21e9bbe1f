"""``idp audit``: is the log whole?"""

from __future__ import annotations

import sys

import click

from ..app import create_app
from ..audit import verify as verify_log


@click.group()
def audit() -> None:
    """Check the log."""


@audit.command()
@click.option("--published", metavar="POSITION:HASH", help="a position and its hash, noted elsewhere earlier")
def verify(published: str | None) -> None:
    """Recompute the chain of the log; exit 1 at the first fault.

    Note the last line somewhere else: given back with --published, it shows a log that was cut short.
    """
    noted = _noted(published) if published else None
    with create_app().app_context():
        found = verify_log(noted)
    click.echo(f"{found.verified} entries hold, {found.unsequenced} wait for their place.")
    if found.fault:
        click.echo(f"FAULT: {found.fault}", err=True)
        sys.exit(1)
    click.echo(f"{found.verified}:{found.head}")


def _noted(text: str) -> tuple[int, str]:
    position, _, digest = text.partition(":")
    if not position.isdigit() or len(digest) != 64:
        raise click.BadParameter("a position, a colon and 64 hexadecimal digits", param_hint="--published")
    return int(position), digest
