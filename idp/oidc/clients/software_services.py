"""The programs of an agency that an enterprise may approve to act by themselves, as a person in charge should see them."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from sqlalchemy import select

from ...db import db, sort_key
from ...i18n import current_language
from ..models import RelyingPartyRow
from .domain import client_keys
from .domain.clients import names_by_language


@dataclass(frozen=True, slots=True)
class Software:
    """A program: its name, who publishes it, and the thumbprints (RFC 7638) of the keys by which it proves itself.

    ``keys`` is empty when its publisher keeps the keys at ``jwks_host``, or when it shows a certificate called ``certificate``.
    """

    client_id: str
    name: str
    publisher: str | None
    keys: tuple[str, ...]
    jwks_host: str | None
    certificate: str | None
    is_offered: bool


def offered_by(agency_id: str) -> tuple[Software, ...]:
    """Return the programs that may be approved for an agency, by name."""
    rows = db.session.execute(
        select(RelyingPartyRow.members, RelyingPartyRow.revoked_at).where(
            RelyingPartyRow.agency_id == agency_id, RelyingPartyRow.revoked_at.is_(None)
        )
    )
    found = [_software(row.members, is_revoked=False) for row in rows]
    return tuple(sorted((each for each in found if each.is_offered), key=lambda each: sort_key(each.name)))


def named(client_ids: frozenset[str]) -> dict[str, Software]:
    """Return programs by their identifiers, those that were removed too."""
    rows = db.session.execute(
        select(RelyingPartyRow.members, RelyingPartyRow.revoked_at).where(
            RelyingPartyRow.client_id.in_(sorted(client_ids))
        )
    )
    found = [_software(row.members, is_revoked=row.revoked_at is not None) for row in rows]
    return {each.client_id: each for each in found}


def _software(members: dict[str, object], *, is_revoked: bool) -> Software:
    jwks = members.get("jwks")
    keys = client_keys.imported(jwks) if isinstance(jwks, dict) else ()
    named_in = [str(members[name]) for name in sorted(members) if name.startswith("tls_client_auth_")]
    return Software(
        client_id=str(members["client_id"]),
        name=names_by_language(members).get(current_language(), str(members["client_name"])),
        publisher=_host(members.get("client_uri")),
        keys=tuple(each.key.thumbprint() for each in keys),
        jwks_host=_host(members.get("jwks_uri")),
        certificate=named_in[0] if named_in else None,
        is_offered=not is_revoked and members.get("offers_system_users") is True,
    )


def _host(address: object) -> str | None:
    return urlsplit(address).hostname if isinstance(address, str) else None
