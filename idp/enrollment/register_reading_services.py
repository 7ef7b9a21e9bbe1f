"""The register of enterprises today compared with what was declared: pure comparison, and the reading it needs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select

from ..connectors.enterprise_register import RegisterEntry, RegistrationStatus
from ..db import db, release_connection
from ..delegation import contact_services
from ..delegation import services as delegation
from ..identifiers import Neq
from .connector_services import look_up
from .domain.rules import Unavailable, register_accepts
from .models import EnrolmentFile

_AGAIN = timedelta(days=1)  # an unchanged reading is recorded once a day


@dataclass(frozen=True, slots=True)
class Declared:
    """The facts on record since the enrolment."""

    neq: Neq
    name: str
    legal_form: str
    since: datetime


@dataclass(frozen=True, slots=True)
class RegisterReading:
    """What the register says, and when; ``is_down`` when it does not respond and *entry* is the last known, if any."""

    declared: Declared
    entry: RegisterEntry | None
    read_at: datetime | None
    is_down: bool

    @property
    def name_differs(self) -> bool:
        """Return whether the register has another name than the one on record."""
        return self.entry is not None and _plain(self.entry.name) != _plain(self.declared.name)

    @property
    def form_differs(self) -> bool:
        """Return whether the register has another legal form than the one on record."""
        form = self.entry.legal_form_label if self.entry else None
        return bool(form and self.declared.legal_form) and _plain(form or "") != _plain(self.declared.legal_form)

    @property
    def status_differs(self) -> bool:
        """Return whether an enterprise with this status could not enrol today."""
        return self.entry is not None and not register_accepts(self.declared.neq, self.entry)


def read(enterprise_id: str, *, now: datetime) -> RegisterReading:
    """Read the register, outside any transaction, and store the answer; when it is down, return the last known."""
    declared = _declared(enterprise_id)
    last = contact_services.last_register_entry(enterprise_id)
    release_connection()
    entry = look_up(declared.neq)
    if isinstance(entry, Unavailable):
        return RegisterReading(declared, _from_json(last[0]) if last else None, last[1] if last else None, is_down=True)
    if entry is not None and (last is None or last[0] != _as_json(entry) or last[1] + _AGAIN <= now):
        contact_services.note_register_entry(enterprise_id, _as_json(entry), now=now)
    return RegisterReading(declared, entry, now, is_down=False)


def _declared(enterprise_id: str) -> Declared:
    enterprise = delegation.enterprise(enterprise_id)
    wanted = select(EnrolmentFile.legal_form).where(EnrolmentFile.enterprise_id == enterprise_id).limit(1)
    record = delegation.verification(enterprise_id)
    form = db.session.scalar(wanted) or record.legal_form or ""
    return Declared(Neq(enterprise.neq), enterprise.name, form, record.verified_at)


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


def _as_json(entry: RegisterEntry) -> dict[str, Any]:
    return {
        "neq": entry.neq.digits,
        "name": entry.name,
        "other_names": list(entry.other_names),
        "status": entry.status.value,
        "status_date": entry.status_date.isoformat() if entry.status_date else None,
        "status_label": entry.status_label,
        "legal_form_label": entry.legal_form_label,
        "bankrupt": entry.bankrupt,
        "address_lines": list(entry.address_lines),
        "merged_into": entry.merged_into.digits if entry.merged_into else None,
    }


def _from_json(kept: dict[str, Any]) -> RegisterEntry:
    return RegisterEntry(
        neq=Neq(kept["neq"]),
        name=kept["name"],
        other_names=tuple(kept["other_names"]),
        status=RegistrationStatus(kept["status"]),
        status_date=date.fromisoformat(kept["status_date"]) if kept["status_date"] else None,
        status_label=kept["status_label"],
        legal_form_label=kept["legal_form_label"],
        bankrupt=kept["bankrupt"],
        address_lines=tuple(kept["address_lines"]),
        merged_into=Neq(kept["merged_into"]) if kept["merged_into"] else None,
    )
