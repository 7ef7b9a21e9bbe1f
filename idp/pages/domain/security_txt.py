"""Where to report a weakness: ``/.well-known/security.txt`` (RFC 9116), from the settings or a signed file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ...config import Settings

PATH = "/.well-known/security.txt"
VALID = timedelta(days=180)  # RFC 9116 §2.5.5 recommends less than a year
WARNED_BEFORE = timedelta(days=30)
_EXPIRES = re.compile(r"^Expires: *(\S+)\s*$", re.MULTILINE | re.IGNORECASE)


def written(settings: Settings, now: datetime) -> str | None:
    """Return the document, None where the deployment names no contact.

    A signed file is returned unchanged: its signature is valid for its bytes only.
    """
    if settings.security_txt_file is not None:
        return settings.security_txt_file.read_text(encoding="utf-8")
    if not settings.security_contacts:
        return None
    expires = (now + VALID).astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    lines = [f"Contact: {contact}" for contact in settings.security_contacts]
    lines += [f"Expires: {expires:%Y-%m-%dT%H:%M:%SZ}"]
    lines += [f"Encryption: {settings.security_key_url}"] if settings.security_key_url else []
    lines += [f"Policy: {settings.security_policy_url}"] if settings.security_policy_url else []
    return "\n".join([*lines, "Preferred-Languages: fr, en", f"Canonical: {settings.issuer}{PATH}", ""])


def findings(settings: Settings, now: datetime) -> Iterator[str]:
    """Yield what is wrong with a signed file: it is missing, gives no expiry, or has expired."""
    path: Path | None = settings.security_txt_file
    if path is None:
        return
    try:
        found = _EXPIRES.search(path.read_text(encoding="utf-8"))
        expires = datetime.fromisoformat(found.group(1)) if found else None
    except (OSError, ValueError) as error:
        yield f"IDP_SECURITY_TXT_FILE cannot be read ({type(error).__name__})"
        return
    if expires is None or expires.tzinfo is None:
        yield f"{path} has no Expires with a time zone (RFC 9116 §2.5.5)"
    elif expires < now + WARNED_BEFORE:
        yield f"{path} expires on {expires:%Y-%m-%d}: write another one and sign it"
