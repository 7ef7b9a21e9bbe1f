"""``idp keys``: what signs, and what guards data at rest."""

from __future__ import annotations

import click

from ..clock import SystemClock
from ..config import read_settings
from ..oidc import signing_keys
from ..sealing import create_key_files


@click.group()
def keys() -> None:
    """Create and list keys."""


@keys.command()
def new() -> None:
    """Write the keys that are missing in IDP_KEYS_DIR; what exists is never touched."""
    folder = read_settings().keys_dir
    created = create_key_files(folder) + signing_keys.create_key_ring(folder, SystemClock().now())
    for name in created:
        click.echo(f"created {folder / name}")
    if not created:
        click.echo("Nothing is missing.")


@keys.command(name="list")
def list_keys() -> None:
    """Show the signing keys: identifier, algorithm, state, day of creation."""
    try:
        ring = signing_keys.KeyRing.load(read_settings().keys_dir)
    except signing_keys.MissingSigningKeyError as error:
        raise click.ClickException(str(error)) from None
    for each in ring.keys:
        click.echo(f"{each.kid:<28}{each.alg:<8}{each.state.value:<10}{each.created_at:%Y-%m-%d}")
