"""``idp demo --https``: the demonstration behind nginx, with the shipped configuration and its own authority.

The authority is made in the folder of the demonstration and trusted there alone. The provider answers at
``https://localhost:PORT``, clients present certificates at another port (RFC 8705 §5), the portal is at
``https://127.0.0.1``.
"""

from __future__ import annotations

import ipaddress
import os
import re
import shutil
import socket
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFE = timedelta(days=30)
_SERVER, _CLIENT = "server", "client"


@dataclass(frozen=True, slots=True)
class HttpsFront:
    """The nginx in front of the demonstration: the public ports, and the ports behind them."""

    place: Path
    port: int
    portal_port: int
    alias_port: int
    provider_behind: int
    portal_behind: int

    @property
    def authority(self) -> Path:
        """Return the certificate of the authority (PEM)."""
        return self.place / "ca.pem"

    @property
    def alias(self) -> str:
        """Return the address where clients present certificates."""
        return f"https://localhost:{self.alias_port}"

    def environment(self) -> dict[str, str]:
        """Return the settings of the provider behind this front."""
        return {
            "IDP_TRUSTED_PROXIES": "1",
            "IDP_PROXY_ADDRESSES": "127.0.0.1",
            "IDP_MTLS_CERTIFICATE_HEADER": "X-Client-Cert",
            "IDP_MTLS_CA_FILE": str(self.authority),
            "IDP_MTLS_ISSUER_ALIAS": self.alias,
            "IDP_EGRESS_CA_FILE": str(self.authority),
        }

    def command(self) -> list[str]:
        """Return the command that runs nginx in the foreground."""
        return [nginx() or "nginx", "-p", str(self.place), "-c", str(self.place / "nginx.conf"), "-e", "stderr"]


def nginx() -> str | None:
    """Return the path of nginx, or None."""
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def prepare(place: Path, *, port: int, portal_port: int, alias_port: int, shipped: Path) -> HttpsFront:
    """Create the authority, the certificates and the nginx configuration in *place* from the *shipped* example."""
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    front = HttpsFront(place, port, portal_port, alias_port, _free_port(), _free_port())
    if not _is_valid(front.authority):
        _make_certificates(place)
    _write_configuration(front, shipped.read_text(encoding="utf-8"))
    return front


def _is_valid(certificate: Path) -> bool:
    if not certificate.exists():
        return False
    read = x509.load_pem_x509_certificate(certificate.read_bytes())
    return read.not_valid_after_utc > datetime.now(UTC) + timedelta(days=1)


def _make_certificates(place: Path) -> None:
    """Create an authority, a certificate for the two servers, and one for a client of the demonstration."""
    name = _name("Mandat demonstration authority")
    key = ec.generate_private_key(ec.SECP256R1())
    constraints = x509.BasicConstraints(ca=True, path_length=0)
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    authority = _builder(name, name, key).add_extension(constraints, critical=True).add_extension(usage, critical=True)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    signed = authority.add_extension(identifier, critical=False).sign(key, hashes.SHA256())
    _write(place / "ca.pem", signed.public_bytes(serialization.Encoding.PEM))
    names: list[x509.GeneralName] = [
        x509.DNSName("localhost"),
        x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
    ]
    for file, purpose, subject, alternatives in (
        (_SERVER, ExtendedKeyUsageOID.SERVER_AUTH, "localhost", names),
        (_CLIENT, ExtendedKeyUsageOID.CLIENT_AUTH, "demonstration-client", [x509.DNSName("client.example")]),
    ):
        own = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            _builder(_name(subject), name, own)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        _write(place / f"{file}.pem", certificate.public_bytes(serialization.Encoding.PEM))
        _write(
            place / f"{file}.key",
            own.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ),
        )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + LIFE)
    )


def _write(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def _write_configuration(front: HttpsFront, shipped: str) -> None:
    """Write the shipped example with the ports, names and certificates of the demonstration, and a server for the portal."""
    before, mark, alias = shipped.partition("# The alias (RFC 8705 §5)")
    assert mark, "the shipped example has no alias"  # noqa: S101 (a test runs this)
    # Java sends no server name for a host of a single label in the handshake (RFC 6066 §3): no name is refused here.
    before = re.sub(r"# A name that is neither.*?(?=# The issuer)", "", before, flags=re.S)
    before = before.replace("listen 443", f"listen 127.0.0.1:{front.port}")
    configuration = before + mark + alias.replace("listen 443", f"listen 127.0.0.1:{front.alias_port}")
    for old, new in (
        ("mtls.id.example;", "localhost;"),
        ("id.example;", "localhost;"),
        ("127.0.0.1:8000", f"127.0.0.1:{front.provider_behind}"),
        *((f"/etc/nginx/mandat/{name}", str(front.place / _SERVER)) for name in ("id", "mtls")),
    ):
        assert old in configuration, old  # noqa: S101 (a test runs this)
        configuration = configuration.replace(old, new)
    portal = f"""
server {{
    listen 127.0.0.1:{front.portal_port} ssl;
    server_name 127.0.0.1;
    ssl_certificate {front.place / _SERVER}.pem;
    ssl_certificate_key {front.place / _SERVER}.key;
    client_max_body_size 2m;
    location / {{
        proxy_pass http://127.0.0.1:{front.portal_behind};
        proxy_set_header Host $http_host;
    }}
}}
"""
    folders = "".join(
        f"{name}_temp_path {front.place / 'tmp' / name};\n"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (front.place / "tmp").mkdir(exist_ok=True)
    user = "user root;\n" if os.geteuid() == 0 else ""
    (front.place / "nginx.conf").write_text(
        f"{user}daemon off;\nworker_processes 1;\npid {front.place / 'nginx.pid'};\nevents {{ worker_connections 256; }}\n"
        f"http {{\naccess_log off;\n{folders}{configuration}\n{portal}}}\n",
        encoding="utf-8",
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
