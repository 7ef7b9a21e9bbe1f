"""Settings, read once from the environment; every mistake is listed at start."""

from __future__ import annotations

import re
from email.utils import parseaddr
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from . import addresses

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
FACTOR_LEVELS = {"user": 2, "pes": 2, "authorized_representative": 2, "operator": 3}
_SHARED = ("valkey://", "valkeys://", "valkey+unix://", "redis://", "rediss://", "redis+unix://")
_PATH = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*")
_CONTACT = re.compile(r"(mailto:[^@\s]+@|https://|tel:\+?)[^\s<>\"]+")
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9]*(-[A-Za-z0-9]+)+")


def folder(name: str) -> Path:
    """Return the path of *name*: inside the package once installed, beside it in a checkout."""
    here = Path(__file__).parent
    return next(place for place in (here / name, here.parent / name) if place.is_dir())


class ConfigurationError(Exception):
    """The environment contains mistakes; ``mistakes`` lists all of them, one sentence each."""

    def __init__(self, mistakes: tuple[str, ...]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


class Settings(BaseSettings):
    """The settings of a deployment. Each member is read from ``IDP_<NAME>``."""

    model_config = SettingsConfigDict(env_prefix="IDP_", frozen=True, extra="ignore")

    issuer: str = Field("http://localhost:8000", description="public address of the provider, without a final slash")
    database_url: str = Field("sqlite:///var/mandat.sqlite3", description="SQLAlchemy address of the database")
    keys_dir: Path = Field(Path("keys"), description="folder of the key ring")
    key_encryption_key_file: Path | None = Field(
        None, description="file of the key that seals private keys; none: key-encryption.key in the keys folder"
    )
    key_rotation_days: int = Field(90, ge=0, le=3650, description="days a signing key signs; 0: rotated by hand only")
    pkcs11_module: Path | None = Field(None, description="PKCS#11 library of a token that makes and holds signing keys")
    pkcs11_token: str | None = Field(None, description="label of the token")
    pkcs11_pin: SecretStr | None = Field(None, description="PIN of the token")
    pkcs11_pin_file: Path | None = Field(None, description="file that holds the PIN of the token")
    pkcs11_algorithms: str = Field("", description="algorithms whose new keys are made in the token: ES256 RS256 PS256")
    audit_places: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="outside places of the log's checkpoints: folders and https addresses, separated by commas"
    )
    audit_place_token_file: Path | None = Field(
        None, description="file of the bearer token that these addresses ask for"
    )
    audit_checkpoint_seconds: int = Field(
        300, ge=5, le=86_400, description="seconds between two checkpoints of the log"
    )
    audit_checkpoint_entries: int = Field(1000, ge=1, description="new entries after which a checkpoint does not wait")
    audit_keys_dir: Path | None = Field(
        None, description="folder of the keys that sign checkpoints; none: audit in the keys folder"
    )
    audit_key_encryption_key_file: Path | None = Field(
        None, description="file of the key that seals them; none: key-encryption.key in that folder"
    )
    outbox_dir: Path = Field(Path("var/outbox"), description="folder where letters (and e-mails without SMTP) are put")
    smtp_url: SecretStr | None = Field(
        None, description="smtp://user:password@host:port; none: e-mails go to the outbox"
    )
    smtp_ca_file: Path | None = Field(
        None, description="authorities (PEM) of the SMTP server; none: those of the system"
    )
    smtp_utf8: bool = Field(
        False, description="the SMTP server offers SMTPUTF8 (RFC 6531): addresses with accents before the @ are taken"
    )
    mail_from: str = Field("Mandat <ne-pas-repondre@mandat.example>", description="sender of e-mails")
    support_phone: str = Field("1 800 555-0199", description="telephone number shown on pages and letters")
    trusted_proxies: int = Field(
        0, ge=0, le=5, description="number of proxies in front whose X-Forwarded-* are believed"
    )
    proxy_addresses: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = Field(
        (), description="addresses or networks of these proxies, separated by commas; nobody else is believed"
    )
    mtls_certificate_header: str | None = Field(
        None, description="header in which the proxy writes the client certificate (RFC 9440, or escaped PEM)"
    )
    mtls_certificate_from_server: bool = Field(
        False, description="the WSGI server ends TLS itself and gives SSL_CLIENT_CERT"
    )
    mtls_ca_file: Path | None = Field(None, description="authorities (PEM) of tls_client_auth certificates")
    mtls_crl_file: Path | None = Field(None, description="their revocation lists (PEM)")
    mtls_issuer_alias: str | None = Field(
        None, description="second address of the provider, where clients show certificates"
    )
    egress_ca_file: Path | None = Field(
        None, description="authorities (PEM) trusted for outgoing calls, beside those of the system"
    )
    rate_limit_storage: str = Field("memory://", description="where the per-address shield counts")
    neq_check_digit: Literal["reject", "warn", "off"] = Field("reject", description="what a wrong NEQ check digit does")
    workers: int = Field(2, ge=1, le=64, description="processes of idp serve")
    demo: bool = Field(False, description="demonstration: synthetic data, and pages say so")
    playground: bool | None = Field(None, description="token playground for developers; none: in a demonstration only")
    factor_policy: str = Field(
        "",
        description="level each role must sign in with, 2 (two factors) or 3 (passkey):"
        " user=2 pes=2 authorized_representative=2 operator=3 (a demonstration: operator=2)",
    )
    alarm_tries: int = Field(
        100, ge=0, le=1_000_000, description="failed sign-ins within the window that raise the alarm; 0: never"
    )
    alarm_minutes: int = Field(10, ge=1, le=60, description="minutes of that window")
    alarm_email: str | None = Field(None, description="address of whoever watches over the service; none: log and desk")
    office_operators: int = Field(
        2,
        ge=1,
        le=2,
        description="operators who must agree to the approval of a file by office; by mandate, always two",
    )
    email_code_fallback: bool = Field(
        False, description="a code by e-mail beside the password, for people without their second factor: reading only"
    )
    security_contacts: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="where to report a weakness: mailto:, https: or tel: addresses, separated by commas (RFC 9116)"
    )
    security_policy_url: str | None = Field(None, description="https address of the policy of disclosure")
    security_key_url: str | None = Field(None, description="https address of the key that reports are encrypted for")
    security_txt_file: Path | None = Field(
        None, description="security.txt that was signed, served as it is instead of the one made of these settings"
    )
    log_addresses: Literal["digest", "plain"] = Field(
        "digest", description="how the log of refusals holds the address of a sender: a keyed digest, or in clear"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="least severe level logged")
    session_idle_minutes: int = Field(60, ge=5, le=60, description="minutes without a page after which a sign-in ends")
    session_hours: int = Field(12, ge=1, le=12, description="hours after which a sign-in ends")
    operator_session_idle_minutes: int = Field(15, ge=5, le=15, description="the same minutes, for operators")
    operator_session_hours: int = Field(8, ge=1, le=8, description="the same hours, for operators")
    fresh_sign_in_minutes: int = Field(
        5, ge=1, le=15, description="minutes after which acts that matter ask again for a factor"
    )
    argon2_memory_kib: int = Field(19456, ge=1024, description="memory of one password hash, KiB")
    argon2_time: int = Field(2, ge=1, description="passes of one password hash")

    @field_validator("issuer", "mtls_issuer_alias")
    @classmethod
    def _issuer_is_an_origin(cls, issuer: str | None) -> str | None:
        if issuer is None:
            return None
        parts = urlsplit(issuer)
        if parts.scheme not in ("https", "http") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("must be an https address without query or fragment")
        if issuer.endswith("/"):
            raise ValueError("must not end with a slash")
        if not _PATH.fullmatch(parts.path):
            raise ValueError("must have no path, or one of plain segments such as /mandat")
        if parts.scheme == "http" and parts.hostname not in LOOPBACK_HOSTS:
            raise ValueError("must be https; http is accepted on loopback only")
        return issuer

    @field_validator("audit_places", "security_contacts", mode="before")
    @classmethod
    def _commas_separate(cls, given: object) -> object:
        if not isinstance(given, str):
            return given
        return tuple(each.strip() for each in given.split(",") if each.strip())

    @field_validator("security_contacts")
    @classmethod
    def _contacts_are_addresses(cls, contacts: tuple[str, ...]) -> tuple[str, ...]:
        if not all(each.isascii() and _CONTACT.fullmatch(each) for each in contacts):
            raise ValueError("must be mailto:, https: or tel: addresses")
        return contacts

    @field_validator("security_policy_url", "security_key_url")
    @classmethod
    def _documents_are_secure(cls, url: str | None) -> str | None:
        if url is not None and not (url.isascii() and _CONTACT.fullmatch(url) and url.startswith("https://")):
            raise ValueError("must be an https address")
        return url

    @field_validator("audit_places")
    @classmethod
    def _places_are_outside(cls, places: tuple[str, ...]) -> tuple[str, ...]:
        for each in places:
            parts = urlsplit(each)
            home = parts.scheme == "http" and parts.hostname in LOOPBACK_HOSTS
            if "://" in each and (not (parts.scheme == "https" or home) or "@" in parts.netloc or parts.query):
                raise ValueError("must be folders, or https addresses without name, password or query")
        if len(set(places)) != len(places):
            raise ValueError("holds a place twice")
        return places

    @field_validator("alarm_email")
    @classmethod
    def _somebody_is_reached(cls, address: str | None) -> str | None:
        try:
            return None if address is None else addresses.parse(address, smtp_utf8=False, is_public=False)
        except addresses.InvalidAddressError:
            raise ValueError("must be one e-mail address, in ASCII before the @") from None

    @field_validator("mail_from")
    @classmethod
    def _sender_can_be_written_to(cls, sender: str) -> str:
        name, address = parseaddr(sender) if sender.isprintable() else ("", "")
        try:
            address = addresses.parse(address, smtp_utf8=False, is_public=False)
        except addresses.InvalidAddressError:
            raise ValueError("must be one e-mail address, in ASCII before the @, or Name <address>") from None
        return f"{name} <{address}>" if name else address

    @field_validator("database_url")
    @classmethod
    def _database_is_known(cls, url: str) -> str:
        if not url.startswith(("sqlite:///", "postgresql+psycopg://")):
            raise ValueError("must begin with sqlite:/// or postgresql+psycopg://")
        return url

    @field_validator("rate_limit_storage")
    @classmethod
    def _storage_is_known(cls, address: str) -> str:
        if address != "memory://" and not address.startswith(_SHARED):
            raise ValueError(f"must be memory://, or begin with {', '.join(_SHARED)}")
        return address

    @field_validator("factor_policy")
    @classmethod
    def _roles_and_levels_are_known(cls, policy: str) -> str:
        for each in policy.split():
            role, _, level = each.partition("=")
            if role not in FACTOR_LEVELS or level not in ("2", "3"):
                raise ValueError(f"holds {each}; wanted: {'=2 '.join(FACTOR_LEVELS)}=3")
        return policy

    @field_validator("pkcs11_algorithms")
    @classmethod
    def _algorithms_of_the_token_are_known(cls, algorithms: str) -> str:
        unknown = set(algorithms.split()) - {"ES256", "RS256", "PS256"}
        if unknown:
            raise ValueError(f"holds {', '.join(sorted(unknown))}; a token signs ES256, RS256 and PS256")
        return algorithms

    @model_validator(mode="after")
    def _token_is_whole(self) -> Settings:
        if self.pkcs11_algorithms.split() and self.pkcs11_module is None:
            raise ValueError("IDP_PKCS11_ALGORITHMS wants IDP_PKCS11_MODULE")
        if self.pkcs11_module and not (self.pkcs11_token and (self.pkcs11_pin or self.pkcs11_pin_file)):
            raise ValueError("IDP_PKCS11_MODULE wants IDP_PKCS11_TOKEN, and IDP_PKCS11_PIN_FILE or IDP_PKCS11_PIN")
        return self

    @field_validator("proxy_addresses", mode="before")
    @classmethod
    def _proxies_are_networks(cls, addresses: object) -> object:
        if not isinstance(addresses, str):
            return addresses
        networks = tuple(ip_network(each.strip()) for each in addresses.split(",") if each.strip())
        if any(network.prefixlen == 0 for network in networks):
            raise ValueError("must name the proxies, not everyone")
        return networks

    @field_validator("mtls_certificate_header")
    @classmethod
    def _header_is_its_own(cls, name: str | None) -> str | None:
        if name is not None and not _HEADER.fullmatch(name):
            raise ValueError("must be a header of two words or more, such as Client-Cert or X-Client-Cert")
        return name

    @model_validator(mode="after")
    def _proxies_and_certificates_fit(self) -> Settings:
        wrong = [sentence for is_wrong, sentence in self._contradictions() if is_wrong]
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    def _contradictions(self) -> tuple[tuple[bool, str], ...]:
        extras = (self.mtls_ca_file, self.mtls_crl_file, self.mtls_issuer_alias)
        believes = bool(self.trusted_proxies or self.mtls_certificate_header)
        return (
            (
                believes and not self.proxy_addresses,
                "IDP_TRUSTED_PROXIES and IDP_MTLS_CERTIFICATE_HEADER need IDP_PROXY_ADDRESSES: whose headers are believed",
            ),
            (
                self.mtls_certificate_from_server and self.mtls_certificate_header is not None,
                "IDP_MTLS_CERTIFICATE_HEADER and IDP_MTLS_CERTIFICATE_FROM_SERVER exclude each other",
            ),
            (
                any(extras) and not self.sees_certificates,
                "IDP_MTLS_CA_FILE, IDP_MTLS_CRL_FILE and IDP_MTLS_ISSUER_ALIAS need a source of certificates:"
                " IDP_MTLS_CERTIFICATE_HEADER or IDP_MTLS_CERTIFICATE_FROM_SERVER",
            ),
            (bool(self.mtls_crl_file and not self.mtls_ca_file), "IDP_MTLS_CRL_FILE needs IDP_MTLS_CA_FILE"),
            (self.mtls_issuer_alias == self.issuer, "IDP_MTLS_ISSUER_ALIAS must be another address than IDP_ISSUER"),
        )

    @model_validator(mode="after")
    def _demo_stays_home(self) -> Settings:
        if self.demo and urlsplit(self.issuer).hostname not in LOOPBACK_HOSTS:
            raise ValueError("IDP_DEMO is only accepted on loopback: its data and codes are public")
        return self

    def required_level(self, role: str) -> int:
        """Return the level that people of *role* must sign in with: 2 for two factors, 3 for a passkey."""
        given = dict(each.split("=") for each in self.factor_policy.split())
        if role in given:
            return int(given[role])
        return 2 if self.demo else FACTOR_LEVELS[role]  # the codes of a demonstration are public anyway

    @property
    def secure(self) -> bool:
        """Return whether the provider is served over https (cookies are then Secure and ``__Host-``)."""
        return self.issuer.startswith("https:")

    @property
    def sees_certificates(self) -> bool:
        """Return whether clients can present a certificate (RFC 8705)."""
        return self.mtls_certificate_from_server or self.mtls_certificate_header is not None

    @property
    def has_playground(self) -> bool:
        """Return whether developers of agencies may run a sign-in and read its tokens."""
        return self.demo if self.playground is None else self.playground

    @property
    def origin(self) -> str:
        """Return scheme, host and port of the issuer."""
        parts = urlsplit(self.issuer)
        return f"{parts.scheme}://{parts.netloc}"


def read_settings(**given: object) -> Settings:
    """Read the environment; *given* members override it.

    Raises:
        ConfigurationError: with every mistake at once.
    """
    try:
        return Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        raise ConfigurationError(tuple(_sentence(mistake) for mistake in error.errors())) from None


def _sentence(mistake: Any) -> str:

    place = "_".join(str(part) for part in mistake["loc"])
    name = f"IDP_{place.upper()}: " if place else ""
    return f"{name}{str(mistake['msg']).removeprefix('Value error, ')}"
