"""What an agency receives: the claims of an :class:`Authority`, in two layers (claims.md). Pure.

The compact layer (``enterprise``, ``representation``, ``functional_blocks``) goes in ID tokens and userinfo; the exact
layer (``authorization_details``, RFC 9396) in access tokens, introspection and token responses. Changes are additive
only once released.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from ...people.domain.roles import EnterpriseStatus
from .authority import Authority

SCOPE_ENTERPRISE = "enterprise"
SCOPE_BLOCKS = "functional_blocks"
DETAILS_TYPE = "functional_blocks"  # RFC 9396 §2: the ``type`` of our authorization details
NOTHING = "none"  # the digest of "acts for no enterprise"


def identifier(neq: str) -> str:
    """Return the identifier of an enterprise in claims."""
    return f"neq:{neq}"


def project(authority: Authority, scopes: frozenset[str]) -> dict[str, Any]:
    """Return the compact layer that *scopes* ask for.

    ``functional_blocks`` says nothing without the enterprise, so its scope brings ``enterprise`` with it.
    """
    claims: dict[str, Any] = {}
    if scopes & {SCOPE_ENTERPRISE, SCOPE_BLOCKS}:
        claims["enterprise"] = _enterprise(authority)
        claims["representation"] = _representation(authority)
    if SCOPE_BLOCKS in scopes:
        claims["functional_blocks"] = list(authority.blocks)
    return claims


def project_nothing(
    neq: str, name: str, status: EnterpriseStatus, version: int, scopes: frozenset[str]
) -> dict[str, Any]:
    """Return the compact layer of who acts for the enterprise no more: no role, no block; only signals carry it."""
    claims: dict[str, Any] = {}
    if scopes & {SCOPE_ENTERPRISE, SCOPE_BLOCKS}:
        claims["enterprise"] = {"id": identifier(neq), "neq": neq, "name": name, "status": status.value}
        claims["representation"] = {"version": version}
    if SCOPE_BLOCKS in scopes:
        claims["functional_blocks"] = []
    return claims


def authorization_details(authority: Authority) -> list[dict[str, Any]]:
    """Return the exact layer: one homogeneous object per basis and end date (RFC 9396 §2)."""
    details = []
    for part in authority.held:
        detail: dict[str, Any] = {
            "type": DETAILS_TYPE,
            "locations": list(authority.locations),
            "identifier": identifier(authority.neq),
            "privileges": list(part.blocks),
            "agency": authority.agency_id,
            "catalogue": authority.catalogue_version,
            "basis": authority.basis,
        }
        if part.not_after is not None:
            detail["not_after"] = int(part.not_after.timestamp())
        if part.grants:
            detail["grants"] = list(part.grants)
        details.append(detail)
    return details


def projection_digest(authority: Authority | None) -> str:
    """Return the digest of all that is projected, its version aside: the version grows when this changes, and only then."""
    if authority is None:
        return NOTHING
    compact = project(authority, frozenset({SCOPE_ENTERPRISE, SCOPE_BLOCKS}))
    del compact["representation"]["version"]
    whole = {"compact": compact, "exact": authorization_details(authority)}
    return hashlib.sha256(json.dumps(whole, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _enterprise(authority: Authority) -> dict[str, Any]:
    return {
        "id": identifier(authority.neq),
        "neq": authority.neq,
        "name": authority.enterprise_name,
        "status": authority.enterprise_status.value,
    }


def _representation(authority: Authority) -> dict[str, Any]:
    claim: dict[str, Any] = {
        "role": authority.role.value,
        "basis": authority.basis,
        "version": authority.version,
    }
    if authority.via:
        claim["via"] = [{"id": identifier(neq), "name": name} for neq, name in authority.via]
    return claim


def blocks_in(details: list[Mapping[str, Any]]) -> frozenset[str]:
    """Return the union of the privileges of *details*; it equals ``functional_blocks`` (claims invariant 1)."""
    return frozenset(code for detail in details for code in detail["privileges"])
