"""``verified_claims``: who verified the enterprise and the person, when, by which kinds of evidence, and their authority. Pure.

OpenID Identity Assurance Schema Definition 1.0 and the OpenID authority extension. The number of the tax agency, birth dates and
the contents of documents do not exist here. How they are asked: :mod:`.verified_requests`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ....delegation.people.domain.roles import Role
from ....delegation.people.domain.verification import Assurance, VerificationRecord

TRUST_FRAMEWORK = "urn:mandat:trust:ca-qc-enterprise"
CLAIMS = ("given_name", "family_name", "authority")

_REGISTER = {"name": "Registraire des entreprises du Québec", "country_code": "CA", "jurisdiction": "CA-QC"}
_TAX_AGENCY = {"name": "Revenu Québec", "country_code": "CA", "jurisdiction": "CA-QC"}
RECORDS: Mapping[str, tuple[str, str, Mapping[str, str]]] = {  # as enrolment records them: type, how checked, whose
    "register": ("urn:mandat:record:enterprise_register", "data", _REGISTER),
    "tax_agency": ("urn:mandat:record:tax_account", "data", _TAX_AGENCY),
    "tax_officer": ("urn:mandat:record:tax_account_officer", "data", _TAX_AGENCY),
    "tax_notice": ("urn:mandat:record:notice_of_assessment", "kbv", _TAX_AGENCY),
    "mailed_code": ("urn:mandat:record:tax_account_address", "token", _TAX_AGENCY),
}
DOCUMENTS = {kind: f"urn:mandat:document:{kind}" for kind in ("procuration", "resolution", "company_document", "other")}
DOCUMENT_CHECK = "vri"  # an operator reads a copy at a distance
_APPOINTED, _DELEGATED = "appointed", "delegated"
_DELEGATES = {
    Role.PES: Role.AUTHORIZED_REPRESENTATIVE,
    Role.USER: Role.PES,
}  # who gives whom their role (domain.md §3.1)

METADATA: Mapping[str, Any] = {
    "verified_claims_supported": True,
    "trust_frameworks_supported": [TRUST_FRAMEWORK],
    "claims_in_verified_claims_supported": list(CLAIMS),
    "evidence_supported": ["electronic_record", "document", "vouch"],
    "electronic_records_supported": [record for record, _, _ in RECORDS.values()],
    "documents_supported": list(DOCUMENTS.values()),
    "documents_check_methods_supported": [DOCUMENT_CHECK],
    "authority_claims_supported": True,
    "authority_permissions_supported": [role.value for role in (Role.AUTHORIZED_REPRESENTATIVE, Role.PES, Role.USER)],
    "authority_granted_methods_supported": [_APPOINTED, _DELEGATED],
}


def known(assurance: Assurance, *, given_name: str, family_name: str) -> dict[str, Any]:
    """Return all that can be disclosed about a person in an enterprise; the names are those that the evidence covers, or empty.

    The representative was verified with the enterprise. Every person else is vouched for by the one who gave them their role.
    """
    record = assurance.record
    evidence = [_recorded(name, record) for name in record.evidence if name in RECORDS or name in DOCUMENTS]
    verified_at = record.verified_at
    if not assurance.is_representative:
        verified_at = min(held.vouched for held in assurance.roles)
        evidence += [_vouch(assurance, held.role, held.vouched) for held in assurance.roles if held.role in _DELEGATES]
    verification: dict[str, Any] = {
        "trust_framework": TRUST_FRAMEWORK,
        "time": _instant(verified_at),
        "verification_process": assurance.reference,
    }
    if evidence:
        verification["evidence"] = evidence
    authority = [_authority(assurance, held.role) for held in assurance.roles]
    names = {"given_name": given_name, "family_name": family_name}
    claims = {name: value for name, value in names.items() if value} | {"authority": authority}
    return {"verification": verification, "claims": claims}


def _recorded(name: str, verification: VerificationRecord) -> dict[str, Any]:
    """Return one piece of evidence, with its time when it is what completed the verification: others came before."""
    completed = verification.method == "online" or name == "mailed_code" or name in DOCUMENTS
    at = {"time": _instant(verification.verified_at)} if completed else {}
    if name in DOCUMENTS:
        check = [{"check_method": DOCUMENT_CHECK}]
        return {"type": "document", "check_details": check, **at, "document_details": {"type": DOCUMENTS[name]}}
    kind, method, source = RECORDS[name]
    record = {"type": kind, "source": dict(source)}
    return {"type": "electronic_record", "check_details": [{"check_method": method}], **at, "record": record}


def _vouch(assurance: Assurance, role: Role, since: datetime) -> dict[str, Any]:
    """Return that a person of the enterprise vouched: their function, never their name."""
    return {
        "type": "vouch",
        "time": _instant(since),
        "attestation": {
            "type": "digital_attestation",
            "date_of_issuance": since.astimezone(UTC).date().isoformat(),
            "voucher": {"occupation": _DELEGATES[role].value, "organization": assurance.record.name},
        },
    }


def _authority(assurance: Assurance, role: Role) -> dict[str, Any]:
    record = assurance.record
    entity = {
        "organization_name": record.name,
        "registration_number": record.neq,
        "registered_jurisdiction": "CA-QC",
    }
    if record.legal_form:
        entity["organization_type"] = record.legal_form
    if role in _DELEGATES:
        granted = {"method": _DELEGATED, "granting_body": _DELEGATES[role].value}
    else:  # by an office, unless a power of attorney was the proof
        method = _DELEGATED if "procuration" in record.evidence else _APPOINTED
        granted = {"method": method, "granting_body": record.name}
    return {"applies_to": entity, "permission": [{"role": role.value}], "granted_by": granted}


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
