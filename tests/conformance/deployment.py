"""A whole deployment on loopback: nginx with the shipped configuration, ``idp serve`` behind it, certificates of the day."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from idp.app import create_app
from idp.clock import MovableClock
from idp.config import read_settings
from idp.db import db
from tests.oidc.certificates import TestAuthority, cn, key_pem, new_key, pem, self_signed
from tests.oidc.fapi import public_jwk
from tests.oidc.mutual_tls import MutualTlsRelyingParty, name_of, told
from tests.oidc.scenery import Scenery, load, make_scenery
from tests.schema import create_schema

ROOT = Path(__file__).resolve().parent.parent.parent
CALLBACK = "https://rp.example/callback"
PATIENCE = 30  # seconds, on a busy machine


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def nginx_path() -> str:
    found = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        pytest.fail("nginx is missing: run bin/test, or as root apt-get install nginx-light")
    return found


@dataclass
class RealClock:
    """The time of the day: what a test asks to skip is not skipped."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def advance(self, _: timedelta) -> None:
        """Do nothing."""


@dataclass
class Answer:
    """What the test client of Flask calls an answer, from a real connection."""

    told: httpx2.Response

    def __getattr__(self, name: str) -> Any:
        return getattr(self.told, name)

    @property
    def location(self) -> str:
        return str(self.told.headers["Location"])

    def get_json(self) -> Any:
        return self.told.json() if "json" in self.told.headers.get("Content-Type", "") else None


@dataclass
class Visitor:
    """A browser or a client over TLS: with cookies, and a certificate if it has one."""

    origin: str
    context: ssl.SSLContext
    source: str = "127.0.0.1"
    http: httpx2.Client = field(init=False)

    def __post_init__(self) -> None:
        transport = httpx2.HTTPTransport(verify=self.context, local_address=self.source, trust_env=False)
        self.http = httpx2.Client(base_url=self.origin, transport=transport, trust_env=False, timeout=PATIENCE)

    def get(self, path: str, *, query_string: Any = None, headers: Any = None) -> Any:
        return Answer(self.http.get(path, params=query_string, headers=headers))

    def post(self, path: str, *, data: Any = None, headers: Any = None) -> Any:
        return Answer(self.http.post(path, data=data, headers={"Referer": self.origin + path, **(headers or {})}))


@dataclass
class Deployment:
    """Where everything is, and who is registered there."""

    place: Path
    scenery: Scenery
    authority: TestAuthority
    certificates: dict[str, x509.Certificate]
    port: int
    backend: int

    @property
    def issuer(self) -> str:
        return f"https://id.localhost:{self.port}"

    @property
    def alias(self) -> str:
        return f"https://mtls.localhost:{self.port}"

    def context(self, shown: str | None = None) -> ssl.SSLContext:
        """Return what a careful TLS client uses, with the certificate called *shown*."""
        context = ssl.create_default_context(cafile=str(self.place / "ca.pem"))
        if shown:
            context.load_cert_chain(self.place / f"{shown}.pem", self.place / f"{shown}.key")
        return context

    @contextmanager
    def visitor(self, origin: str, shown: str | None = None, source: str = "127.0.0.1") -> Iterator[Visitor]:
        visitor = Visitor(origin, self.context(shown), source)
        try:
            yield visitor
        finally:
            visitor.http.close()

    @contextmanager
    def client(self, method: str, shown: str | None = None) -> Iterator[MutualTlsRelyingParty]:
        """Give a client that calls the alias, with its own certificate or another one."""
        with self.visitor(self.alias, shown or method) as visitor:
            scenery = ScenerySeenBy(**vars(self.scenery), visitor=visitor)
            scenery.clock = RealClock()  # type: ignore[assignment]
            name = name_of(method, "certificate")
            yield MutualTlsRelyingParty(scenery, name, redirect_uri=CALLBACK, method=method, binding="certificate")


@dataclass
class ScenerySeenBy(Scenery):
    """The people and clients of the deployment, reached over TLS."""

    visitor: Visitor | None = None

    def browser(self) -> Any:
        return self.visitor


@contextmanager
def deployed(place: Path, keys_dir: Path) -> Iterator[Deployment]:
    """Run nginx and the provider until the block ends."""
    nginx = nginx_path()
    now = datetime.now(UTC)
    begins, ends = now - timedelta(hours=1), now + timedelta(days=2)
    authority = TestAuthority(begins=begins, ends=ends)
    certificates = _certificates(place, authority, begins, ends)
    deployment = Deployment(place, _filled(place, keys_dir), authority, certificates, free_port(), free_port())
    environment = _environment(deployment, keys_dir)
    _load_clients(deployment, keys_dir)
    serve = [sys.executable, "-m", "idp", "serve", "--port", str(deployment.backend)]
    front = [nginx, "-p", str(place), "-c", str(_nginx_conf(deployment)), "-e", str(place / "nginx.log")]
    with _running(serve, place / "serve.log", environment), _running(front, place / "nginx.out", {}):
        for name, port in (("serve.log", deployment.backend), ("nginx.log", deployment.port)):
            _await(port, place / name)
        yield deployment


def _certificates(place: Path, authority: TestAuthority, begins: datetime, ends: datetime) -> dict[str, Any]:
    of_server = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    names = ("dns:id.localhost", "dns:mtls.localhost")
    purpose = ExtendedKeyUsageOID.SERVER_AUTH
    server = authority.issue(cn("id"), of_server, *names, begins=begins, ends=ends, purpose=purpose)
    keys = {name: new_key() for name in ("tls_client_auth", "self_signed_tls_client_auth", "stranger")}
    dates = {"begins": begins, "ends": ends}
    made = {
        "tls_client_auth": authority.issue(cn("client"), keys["tls_client_auth"], **dates),
        "self_signed_tls_client_auth": self_signed(keys["self_signed_tls_client_auth"], **dates),
        "stranger": self_signed(keys["stranger"], **dates),
    }
    for name, certificate, key in (
        *((name, made[name], keys[name]) for name in made),
        *((name, server, of_server) for name in ("id", "mtls")),
    ):
        (place / f"{name}.pem").write_text(pem(certificate))
        (place / f"{name}.key").write_bytes(key_pem(key))
    (place / "ca.pem").write_text(pem(authority.certificate))
    return made


def _filled(place: Path, keys_dir: Path) -> Scenery:
    """Fill the database as the other tests do: their clients have http addresses, hence an http issuer for a moment."""
    clock = MovableClock(datetime.now(UTC))
    settings = read_settings(**_members(place, keys_dir), issuer="http://localhost:8000")
    app = create_app(settings, clock=clock, testing=True)
    with app.app_context():
        create_schema()
        scenery = make_scenery(app, clock, place)
        db.session.remove()
        db.engine.dispose()
    return scenery


def _load_clients(deployment: Deployment, keys_dir: Path) -> None:
    place = deployment.place
    settings = read_settings(**_members(place, keys_dir), issuer=deployment.issuer)
    clock = MovableClock(datetime.now(UTC))
    app = create_app(settings, clock=clock, testing=True)
    public = public_jwk(deployment.certificates["self_signed_tls_client_auth"])
    with app.app_context():
        load(
            app,
            clock,
            place,
            told("tls_client_auth", "certificate", redirect_uris=[CALLBACK]),
            told("self_signed_tls_client_auth", "certificate", redirect_uris=[CALLBACK], jwks={"keys": [public]}),
        )
        db.session.remove()
        db.engine.dispose()


def _members(place: Path, keys_dir: Path) -> dict[str, Any]:
    return {
        "database_url": f"sqlite:///{place / 'mandat.sqlite3'}",
        "keys_dir": keys_dir,
        "outbox_dir": place / "outbox",
        "argon2_memory_kib": 1024,
        "argon2_time": 1,
    }


def _environment(deployment: Deployment, keys_dir: Path) -> dict[str, str]:
    members = _members(deployment.place, keys_dir) | {
        "issuer": deployment.issuer,
        "workers": 1,
        "trusted_proxies": 1,
        "proxy_addresses": "127.0.0.1",
        "mtls_certificate_header": "X-Client-Cert",
        "mtls_ca_file": deployment.place / "ca.pem",
        "mtls_issuer_alias": deployment.alias,
    }
    return {f"IDP_{name.upper()}": str(value) for name, value in members.items()}


def _nginx_conf(deployment: Deployment) -> Path:
    """Write the shipped configuration with the names, ports and folders of this run."""
    place = deployment.place
    shipped = (ROOT / "examples" / "nginx" / "mandat.conf").read_text(encoding="utf-8")
    for old, new in (
        ("mtls.id.example;", "mtls.localhost;"),
        ("id.example;", "id.localhost;"),
        ("listen 443", f"listen 127.0.0.1:{deployment.port}"),
        ("127.0.0.1:8000", f"127.0.0.1:{deployment.backend}"),
        ("/etc/nginx/mandat/", f"{place}/"),
    ):
        assert old in shipped, old
        shipped = shipped.replace(old, new)
    (place / "mandat.conf").write_text(shipped, encoding="utf-8")
    folders = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{name}_temp_path {place}/{name};\n" for name in folders)
    user = "user root;\n" if os.geteuid() == 0 else ""
    conf = place / "nginx.conf"
    conf.write_text(
        f"{user}daemon off;\nworker_processes 1;\npid {place}/nginx.pid;\nevents {{ worker_connections 64; }}\n"
        f"http {{\naccess_log off;\n{temporary}include {place}/mandat.conf;\n}}\n"
    )
    return conf


@contextmanager
def _running(command: list[str], log: Path, environment: dict[str, str]) -> Iterator[None]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("IDP_")}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=kept | environment, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await(port: int, log: Path) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.fail(f"nothing listens at {port}: {log.read_text(errors='replace')[-2000:]}")
