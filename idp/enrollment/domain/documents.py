"""The accepted types of documents, detected from the first bytes and never from the name (domain.md §2.4)."""

from __future__ import annotations

from enum import StrEnum

LARGEST = 5 * 1024 * 1024  # 5 MiB
_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
)


class DocumentKind(StrEnum):
    """What a document is. Values are stored."""

    PROCURATION = "procuration"
    RESOLUTION = "resolution"
    COMPANY_DOCUMENT = "company_document"
    OTHER = "other"


class DocumentFault(StrEnum):
    """Why a document is not accepted."""

    EMPTY = "empty"
    TOO_LARGE = "too_large"
    TYPE = "type"


def media_type(content: bytes) -> str | None:
    """Return the media type detected from the first bytes, or None."""
    return next((name for start, name in _SIGNATURES if content.startswith(start)), None)


def fault(content: bytes) -> DocumentFault | None:
    """Return why *content* is refused, or None."""
    if not content:
        return DocumentFault.EMPTY
    if len(content) > LARGEST:
        return DocumentFault.TOO_LARGE
    return None if media_type(content) else DocumentFault.TYPE


def safe_name(name: str) -> str:
    """Return *name* without folders or control characters, shortened: for display, never used as a path."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(sign for sign in last if sign.isprintable())[:120] or "document"
