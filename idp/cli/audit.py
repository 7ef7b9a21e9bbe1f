"""``idp audit``: check and export the log."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import click

from ..app import create_app
from ..audit import Published, in_order
from ..audit.checkpoint_services import CheckpointComparison, compared
from ..audit.domain.chain import canonical
from ..clock import SystemClock

FEW_PLACES = {
    0: "no outside place of checkpoints (IDP_AUDIT_PLACES): who changes the database can change the log unseen",
    1: "one outside place of checkpoints only (IDP_AUDIT_PLACES): who changes it too changes the log unseen",
}


@click.group()
def audit() -> None:
    """Check the log, and export it to be checked elsewhere."""


@audit.command()
@click.option("--published", metavar="POSITION:HASH", help="a position and its hash, noted elsewhere earlier")
def verify(published: str | None) -> None:
    """Recompute the chain of the log and compare it with the outside places; exit 1 when a check fails.

    Without outside places, keep the last line elsewhere: passed back with --published, it reveals a log that was
    truncated.
    """
    noted = _noted(published) if published else None
    app = create_app()
    with app.app_context():
        found = compared(SystemClock().now(), noted)
    click.echo(f"{found.log.verified} entries hold, {found.log.unsequenced} wait for their place.")
    _say_places(found)
    if few := FEW_PLACES.get(len(found.readings)):
        click.echo(f"WARNING: {few}", err=True)
    faults = [*([found.log.fault] if found.log.fault else []), *found.problems]
    for fault in faults:
        click.echo(f"FAULT: {fault}", err=True)
    if faults:
        sys.exit(1)
    click.echo(f"{found.log.verified}:{found.log.head}")


@audit.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def export(file: Path) -> None:
    """Write the whole log to FILE, one JSON line per entry, for tools/verify_log.py; identifiers only, no name."""
    count = 0
    with create_app().app_context():
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            for entry in in_order():
                told = json.loads(canonical(entry)) | {"position": entry.position, "hash": entry.hash}
                out.write(json.dumps(told, ensure_ascii=False) + "\n")
                count += 1
    click.echo(f"{count} entries written to {file}")


def _say_places(found: CheckpointComparison) -> None:
    for reading in found.readings:
        last = reading.last
        told = f"{last.size} entries at {last.at:%Y-%m-%d %H:%M:%S} UTC" if last else "none"
        click.echo(f"{reading.place}: {len(reading.checkpoints)} checkpoints, the last of {told}")
    if found.readings:
        click.echo(f"{found.uncovered} entries came after the last checkpoint.")


def _noted(text: str) -> Published:
    position, _, digest = text.partition(":")
    if not position.isdigit() or len(digest) != 64:
        raise click.BadParameter("a position, a colon and 64 hexadecimal digits", param_hint="--published")
    return Published(int(position), digest, "--published")
