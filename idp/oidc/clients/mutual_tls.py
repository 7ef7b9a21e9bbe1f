"""Mutual TLS of the running application (RFC 8705): the certificate of this request, the authorities, the second address."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import structlog
from flask import Flask, current_app, has_request_context, request

from ...config import ConfigurationError, Settings
from ...http.trusted_proxies import CERTIFICATE
from ...http.web import current_settings
from .domain import certificates
from .domain.certificates import Authorities, Certificate, RefusedCertificateError

_KEPT = "mandat.authorities"
log = structlog.get_logger("mandat.oidc")


@dataclass(frozen=True, slots=True)
class _Read:
    """Authorities as they were read from files of these dates."""

    known: Authorities
    dates: tuple[int, ...]


def init_app(app: Flask, settings: Settings) -> None:
    """Read the authorities at start.

    Raises:
        ConfigurationError: a file is missing or holds none.
    """
    try:
        app.extensions[_KEPT] = _read(settings) if settings.mtls_ca_file else None
    except (OSError, RefusedCertificateError) as error:
        raise ConfigurationError((f"IDP_MTLS_CA_FILE, IDP_MTLS_CRL_FILE: {error}",)) from None


def certificate() -> Certificate | None:
    """Return the certificate that the caller of this request showed to the TLS server, if a trusted peer says so."""
    text = request.environ.get(CERTIFICATE) if has_request_context() else None
    if not text:
        return None
    try:
        return certificates.read(text)
    except RefusedCertificateError as error:
        log.warning("unreadable client certificate", reason=str(error))
        return None


def authorities() -> Authorities | None:
    """Return who may answer for certificates now: files that were replaced are read again."""
    kept: _Read | None = current_app.extensions[_KEPT]
    if kept is None:
        return None
    settings = current_settings()
    try:
        if _dates(settings) != kept.dates:
            kept = current_app.extensions[_KEPT] = _read(settings)
    except (OSError, RefusedCertificateError) as error:  # the previous lists apply until they end
        log.error("authorities cannot be read again", reason=str(error))
    return kept.known


def addresses(url: str) -> tuple[str, ...]:
    """Return *url*, an address of ours, and the same at the host where certificates are shown."""
    settings = current_settings()
    alias = settings.mtls_issuer_alias
    if alias is None or not url.startswith(settings.issuer + "/"):
        return (url,)
    return url, alias + url.removeprefix(settings.issuer)


def _files(settings: Settings) -> tuple[Path, ...]:
    return tuple(path for path in (settings.mtls_ca_file, settings.mtls_crl_file) if path)


def _dates(settings: Settings) -> tuple[int, ...]:
    return tuple(path.stat().st_mtime_ns for path in _files(settings))


def _read(settings: Settings) -> _Read:
    dates = _dates(settings)
    contents = [path.read_bytes() for path in _files(settings)]
    return _Read(certificates.authorities(*contents), dates)
