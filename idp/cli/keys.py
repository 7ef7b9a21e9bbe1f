"""``idp keys``: the keys that sign, and those that seal data at rest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import click
from sqlalchemy.exc import SQLAlchemyError

from ..audit.checkpoint_keys import CheckpointKeyError, CheckpointKeys
from ..clock import SystemClock
from ..config import Settings, read_settings
from ..crypto.sealing import create_key_files
from ..oidc.keys import key_acts
from ..oidc.keys.domain.key_rotation import ALGORITHMS, KEPT_AFTER, PUBLISHED_BEFORE, KeyLife, KeyState, signing
from ..oidc.keys.domain.signers import SignerError
from ..oidc.keys.key_acts import KeyChange
from ..oidc.keys.key_folder import KeyFileError, KeyFolder

_ALGS = click.option(
    "--alg", "algs", multiple=True, type=click.Choice(ALGORITHMS), help="only this algorithm; may be repeated"
)


@click.group()
def keys() -> None:
    """Create, list and rotate keys."""


@keys.command()
def new() -> None:
    """Write the keys that are missing in IDP_KEYS_DIR, and seal those that are in clear; no other is touched."""
    settings = read_settings()
    with _errors_printed():
        names = create_key_files(settings.keys_dir)
        names += key_acts.create_missing(KeyFolder.of(settings), SystemClock().now())
        names += CheckpointKeys.of(settings).create_missing(settings.issuer, SystemClock().now())
    for name in names:
        click.echo(f"wrote {name}")
    if not names:
        click.echo("Nothing is missing.")


@keys.command(name="list")
def list_keys() -> None:
    """Show the signing keys: identifier, algorithm, state, start, and next state."""
    settings = read_settings()
    with _errors_printed():
        found = KeyFolder.of(settings).read_keys()
    for each in found:
        place = "token" if each.reference else "file"
        comes = next_step(each.life, [key.life for key in found], settings.key_rotation_days)
        line = f"{each.kid:<24}{each.alg:<7}{each.state.value:<10}{place:<7}since {each.since:%Y-%m-%d %H:%M}Z  {comes}"
        click.echo(line.rstrip())
    missing = set(ALGORITHMS) - {each.alg for each in found if each.state is KeyState.ACTIVE}
    if missing:
        raise click.ClickException(f"no active key for {', '.join(sorted(missing))}; run idp keys new")


@keys.command()
@_ALGS
@click.option(
    "--emergency", is_flag=True, help="a key may be in wrong hands: replace it now, revoke all others at once"
)
def rotate(algs: tuple[str, ...], emergency: bool) -> None:
    """Publish the keys that sign next, and do what is due; they sign by themselves 24 hours later.

    With --emergency new keys sign at once and the others are revoked: every token they signed becomes invalid.
    """
    settings, now, wanted = read_settings(), SystemClock().now(), algs or ALGORITHMS
    folder = KeyFolder.of(settings)
    with _errors_printed():
        seen = {key.kid for alg in wanted if (key := signing([k.life for k in folder.read_keys() if k.alg == alg]))}
        if not folder.kek_file.exists():
            key_acts.create_missing(folder, now)  # a key ring of an older version, in clear: it is sealed first
        if emergency:
            changes = key_acts.replace_at_once(folder, now, algs=wanted, seen=seen)
        else:
            changes = key_acts.rotate(folder, now, algs=wanted)
    for change in changes:
        click.echo(f"{change.kid}: {change.state.value if change.state else 'removed'}")
    if not changes:
        click.echo("Nothing to do: the next keys are published already.")
    _record(settings, changes, now)


@keys.command()
def checkpoints() -> None:
    """Show the keys that sign checkpoints, in the verifiers' format, for the people who check the log elsewhere."""
    keys = CheckpointKeys.of(read_settings())
    with _errors_printed():
        found = keys.read()
    for each in found:
        state = "revoked" if each.revoked else "signs" if each.private else "verifies"
        click.echo(f"{each.verifier.text}  {state} since {each.created_at:%Y-%m-%d %H:%M}Z")
    if not found:
        raise click.ClickException("no key signs checkpoints; run idp keys new")


@keys.command()
@click.option("--emergency", is_flag=True, help="a key may be in wrong hands: no signature of it counts any more")
def rotate_checkpoints(emergency: bool) -> None:
    """Create the next key of checkpoints; the previous one signs too, and older ones stop signing."""
    settings, now = read_settings(), SystemClock().now()
    with _errors_printed():
        made = CheckpointKeys.of(settings).rotate(settings.issuer, now, emergency=emergency)
    click.echo(made.text)
    _log_rotation(settings, made.id, now)


@keys.command()
def rewrap_checkpoints() -> None:
    """Seal the keys of checkpoints under a new key-encryption key of their own."""
    with _errors_printed():
        count = CheckpointKeys.of(read_settings()).rewrap()
    click.echo(f"{count} keys sealed anew")


@keys.command()
@click.option(
    "--first-line", is_flag=True, help="make no new key: seal under the first line of the file, which you have changed"
)
def rewrap(first_line: bool) -> None:
    """Seal every private key under a new key-encryption key; running processes go on."""
    folder = KeyFolder.of(read_settings())
    with _errors_printed():
        count = key_acts.rewrap(folder, new_kek=not first_line)
    click.echo(f"{count} keys sealed anew")
    if first_line:
        click.echo(f"The other lines of {folder.kek_file} open nothing any more: take them out.")


def next_step(key: KeyLife, ring: Iterable[KeyLife], days: int) -> str:
    """Return the next state of a key, and when it begins."""
    if key.state is KeyState.NEXT:
        return f"signs from {key.since + PUBLISHED_BEFORE:%Y-%m-%d %H:%M}Z"
    if key.state is KeyState.RETIRING:
        return f"removed after {key.since + KEPT_AFTER:%Y-%m-%d %H:%M}Z"
    if key.state is KeyState.ACTIVE and days and not [k for k in ring if k.alg == key.alg and k.state is KeyState.NEXT]:
        return f"replaced on {key.since + timedelta(days=days):%Y-%m-%d}"
    return ""


@contextmanager
def _errors_printed() -> Iterator[None]:
    """Turn an error of a file or a token into a sentence."""
    try:
        yield
    except (CheckpointKeyError, KeyFileError, SignerError, OSError) as error:
        raise click.ClickException(str(error)) from None


def _log_rotation(settings: Settings, kid: str, now: datetime) -> None:
    """Record the rotation in the log, so that a checkpoint with the new key follows; do not wait for the database."""
    from .. import audit
    from ..app import create_app
    from ..db import transaction

    try:
        with create_app(settings).app_context(), transaction():
            audit.record(
                audit.Event.KEYS_ROTATED, actor=audit.SYSTEM, now=now, details={"kid": kid, "use": "checkpoints"}
            )
    except (SQLAlchemyError, RuntimeError, OSError) as error:
        click.echo(f"The keys are changed; the log could not be written ({type(error).__name__}).", err=True)


def _record(settings: Settings, changes: list[KeyChange], now: datetime) -> None:
    """Record the changes in the log; an emergency does not wait for the database."""
    from ..app import create_app
    from ..oidc.keys.key_services import record

    if not changes:
        return
    try:
        with create_app(settings).app_context():
            record(changes, now)
    except (SQLAlchemyError, RuntimeError, OSError) as error:
        click.echo(f"The keys are changed; the log could not be written ({type(error).__name__}).", err=True)
