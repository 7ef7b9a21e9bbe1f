"""``idp demo``: the provider, its worker and the AMP portal on an embedded database with demonstration data."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import click

from ..config import Settings, folder, read_settings
from ..crypto.sealing import create_key_files
from ..private_files import private_folder
from . import demo_tls
from .demo_tls import HttpsFront

ROOT = Path(__file__).resolve().parent.parent.parent
ENVIRONMENT = "environment.json"  # what another process needs to join the same demonstration


@click.command()
@click.option("--reset", is_flag=True, help="forget everything and start afresh")
@click.option("--port", default=8000, show_default=True, help="port of the provider")
@click.option("--portal-port", default=8001, show_default=True, help="port of the AMP portal")
@click.option("--https", is_flag=True, help="behind nginx, with an authority made for it and mutual TLS")
@click.option("--dir", "place", type=click.Path(path_type=Path), default=Path("var/demo"), show_default=True)
def demo(reset: bool, port: int, portal_port: int, https: bool, place: Path) -> None:
    """Run the demonstration; stop it with Ctrl-C."""
    place = place.resolve()
    if reset:
        shutil.rmtree(place, ignore_errors=True)
    for busy in (port, portal_port, *((portal_port + 1,) if https else ())):
        if _is_listening(busy):
            raise click.ClickException(f"port {busy} is in use; choose others with --port and --portal-port")
    private_folder(place)
    place.chmod(0o700)  # an older version left it open
    front = _front(place, port, portal_port) if https else None
    settings = demo_settings(place, port, is_https=https)
    portal = f"{'https' if https else 'http'}://127.0.0.1:{portal_port}"
    os.environ.update(environment(settings) | (front.environment() if front else {}))
    _write_private(place / ENVIRONMENT, {name: os.environ[name] for name in os.environ if name.startswith("IDP_")})
    _complete_keys(settings)
    personas = place / "personas.json"
    if not personas.exists() or _ports_changed(personas, settings.issuer, portal):
        _prepare(place, settings, portal)
    if front is not None:
        told = json.loads(personas.read_text(encoding="utf-8"))
        _write_private(personas, told | {"authority": str(front.authority), "mtls_issuer": front.alias})
    processes = _start(place, settings, portal, port, portal_port, front)
    try:
        trusted = _trusting(front.authority if front else None)
        _await(f"{settings.issuer}/.well-known/openid-configuration", processes, trusted)
        _await(f"{portal}/", processes, trusted)
        _print_summary(json.loads(personas.read_text(encoding="utf-8")), personas)
        _watch(processes)
    finally:
        _stop(processes)


def _front(place: Path, port: int, portal_port: int) -> HttpsFront:
    if demo_tls.nginx() is None:
        raise click.ClickException("--https needs nginx (Debian: apt-get install nginx-light)")
    shipped = folder_of("nginx") / "mandat.conf"
    return demo_tls.prepare(
        place / "tls", port=port, portal_port=portal_port, alias_port=portal_port + 1, shipped=shipped
    )


def _trusting(authority: Path | None) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=None if authority is None else str(authority))


def demo_settings(place: Path, port: int, *, is_https: bool = False) -> Settings:
    """Return the settings of the demonstration in folder *place*."""
    return read_settings(
        issuer=f"{'https' if is_https else 'http'}://localhost:{port}",
        database_url=f"sqlite:///{place / 'mandat.sqlite3'}",
        keys_dir=place / "keys",
        key_encryption_key_file=place / "keys" / "key-encryption.key",
        pkcs11_module=None,
        pkcs11_algorithms="",
        outbox_dir=place / "outbox",
        smtp_url=None,
        trusted_proxies=0,
        demo=True,
        workers=1,
        audit_places=tuple(str(place / f"checkpoints-{number}") for number in (1, 2)),
        audit_checkpoint_seconds=30,
        security_contacts=("mailto:securite@mandat.example",),
    )


def environment(settings: Settings) -> dict[str, str]:
    """Return the environment that makes a child process read the same settings."""
    return {
        "IDP_ISSUER": settings.issuer,
        "IDP_DATABASE_URL": settings.database_url,
        "IDP_KEYS_DIR": str(settings.keys_dir),
        "IDP_KEY_ENCRYPTION_KEY_FILE": str(settings.key_encryption_key_file),
        "IDP_OUTBOX_DIR": str(settings.outbox_dir),
        "IDP_DEMO": "true",
        "IDP_WORKERS": "1",
        "IDP_TRUSTED_PROXIES": "0",
        "IDP_SECURITY_CONTACTS": ",".join(settings.security_contacts),
        "IDP_AUDIT_PLACES": ",".join(settings.audit_places),
        "IDP_AUDIT_CHECKPOINT_SECONDS": str(settings.audit_checkpoint_seconds),
    }


def _complete_keys(settings: Settings) -> None:
    """Create the missing keys: all at first, those of new algorithms in a demonstration of an older version."""
    from ..audit.checkpoint_keys import CheckpointKeys
    from ..clock import SystemClock
    from ..oidc.keys import signing_keys

    create_key_files(settings.keys_dir)
    signing_keys.create_key_ring(settings.keys_dir, SystemClock().now())
    CheckpointKeys.of(settings).create_missing(settings.issuer, SystemClock().now())
    for folder_name in settings.audit_places:
        Path(folder_name).mkdir(mode=0o700, parents=True, exist_ok=True)


def _prepare(place: Path, settings: Settings, portal: str) -> None:
    click.echo("Preparing the demonstration…")
    for name in ("mandat.sqlite3", "mandat.sqlite3-wal", "mandat.sqlite3-shm", "portal.sqlite3", "personas.json"):
        (place / name).unlink(missing_ok=True)
    shutil.rmtree(settings.outbox_dir, ignore_errors=True)
    (settings.keys_dir / "audit" / "published.json").unlink(missing_ok=True)  # a new log, with its own places
    for folder_name in settings.audit_places:
        shutil.rmtree(folder_name, ignore_errors=True)
        Path(folder_name).mkdir(mode=0o700)
    private_folder(settings.outbox_dir)
    from flask_migrate import upgrade

    from ..app import create_app
    from ..clock import SystemClock
    from .demo_data import fill

    app = create_app(settings)
    with app.app_context():
        upgrade()
        told = fill(
            settings, portal, synthetic=folder_of("synthetic"), agencies=folder("agencies"), now=SystemClock().now()
        )
    _write_private(place / "portal.json", told.pop("portal_client"))
    _write_private(place / "personas.json", told)


def folder_of(name: str) -> Path:
    """Return a folder of the examples."""
    return folder("examples") / name


def portal_module() -> str:
    """Return the name of the portal: a package beside this one in a checkout, inside it once installed."""
    return "examples.amp_portal" if folder("examples").parent == ROOT else "idp.examples.amp_portal"


def _write_private(path: Path, content: Any) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file, ensure_ascii=False, indent=2)
        file.write("\n")


def _ports_changed(personas: Path, issuer: str, portal: str) -> bool:
    told = json.loads(personas.read_text(encoding="utf-8"))
    return bool(told["issuer"] != issuer or told["portal"] != portal)


def _start(
    place: Path, settings: Settings, portal: str, port: int, portal_port: int, front: HttpsFront | None
) -> dict[str, subprocess.Popen[bytes]]:
    idp = [sys.executable, "-m", "idp"]
    if front is not None:
        port, portal_port = front.provider_behind, front.portal_behind
    commands = {
        "provider": [*idp, "serve", "--host", "127.0.0.1", "--port", str(port)],
        "worker": [*idp, "worker"],
        "portal": [sys.executable, "-m", portal_module(), "--port", str(portal_port)],
        **({"nginx": front.command()} if front is not None else {}),
    }
    child = {
        **os.environ,
        "PORTAL_ISSUER": settings.issuer,
        "PORTAL_URL": portal,
        "PORTAL_CLIENT_FILE": str(place / "portal.json"),
        "PORTAL_DATABASE": str(place / "portal.sqlite3"),
        **({"PORTAL_CA_FILE": str(front.authority)} if front is not None else {}),
    }
    processes = {}
    for name, command in commands.items():
        with (place / f"{name}.log").open("ab") as output:
            processes[name] = subprocess.Popen(
                command, cwd=ROOT, env=child, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
            )
    return processes


def _is_listening(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _await(
    url: str, processes: dict[str, subprocess.Popen[bytes]], trusted: ssl.SSLContext, seconds: float = 30
) -> None:
    import httpx2

    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        for name, process in processes.items():
            if process.poll() is not None:
                raise click.ClickException(f"the {name} stopped at once; see its log beside the database")
        try:
            if httpx2.get(url, timeout=2, trust_env=False, verify=trusted).status_code < 500:
                return
        except httpx2.HTTPError:
            time.sleep(0.1)
    raise click.ClickException(f"{url} does not answer")


def _watch(processes: dict[str, subprocess.Popen[bytes]]) -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        while True:
            time.sleep(0.5)
            for name, process in processes.items():
                if process.poll() is not None:
                    raise click.ClickException(f"the {name} stopped; see its log beside the database")
    except KeyboardInterrupt:
        click.echo("\nStopped.")


def _stop(processes: dict[str, subprocess.Popen[bytes]]) -> None:
    for process in processes.values():
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
    for process in processes.values():
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def _print_summary(told: dict[str, Any], path: Path) -> None:
    click.echo(
        f"\n  Mandat      {told['issuer']}\n  AMP portal  {told['portal']}\n  Letters and e-mails  {told['outbox']}\n"
    )
    click.echo(f"  {'who':<18}{'user code':<12}{'password':<38}one-time code secret")
    for persona in told["personas"]:
        click.echo(f"  {persona['key']:<18}{persona['user_code']:<12}{persona['password']:<38}{persona['totp_secret']}")
    first = next(entry for entry in told["enrolments"] if entry["key"] == "online")
    click.echo(
        f"\n  To enrol an enterprise: {told['issuer']}/enrol with NEQ {first['neq']} and the facts of “online” in {path}"
    )
    if "authority" in told:
        click.echo(f"  Authority to trust  {told['authority']}\n  Mutual TLS at  {told['mtls_issuer']}")
    click.echo("  To try your own client: bin/demo-client FILE.yaml (docs/relying-parties.md, “Register”)")
    click.echo(
        "  A one-time code from a secret: bin/demo-code SECRET\n  Ctrl-C stops everything; bin/demo --reset starts afresh.\n"
    )
