"""``idp demo-client``: try a client of one's own against the demonstration."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click

from .clients import load
from .demo import ENVIRONMENT


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--dir", "place", type=click.Path(path_type=Path), default=Path("var/demo"), show_default=True)
@click.pass_context
def demo_client(context: click.Context, file: Path, place: Path) -> None:
    """Load the clients of FILE (YAML) into the demonstration; while it runs they work within a second."""
    kept = place / ENVIRONMENT
    if not kept.exists():
        raise click.ClickException(f"no demonstration in {place}: start bin/demo first")
    os.environ.update(json.loads(kept.read_text(encoding="utf-8")))
    context.invoke(load, file=file)
    click.echo(f"issuer: {os.environ['IDP_ISSUER']}")
    if "IDP_EGRESS_CA_FILE" in os.environ:
        click.echo(f"authority to trust: {os.environ['IDP_EGRESS_CA_FILE']}")
