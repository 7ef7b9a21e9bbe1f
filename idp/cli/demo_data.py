"""The demonstration's people and enterprises, ready to sign in.

Everything is invented (``examples/synthetic``). Passwords and one-time code secrets are random for each installation
and written only to ``personas.json``.
"""

from __future__ import annotations

import base64
import csv
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ..accounts import services as accounts
from ..audit import SYSTEM, Actor
from ..clock import local_date
from ..config import Settings
from ..connectors.register_import import import_register
from ..connectors.tax_import import import_tax_file
from ..db import transaction
from ..delegation import services as delegation
from ..delegation.catalogue import catalogue_services
from ..delegation.people.domain.roles import Role
from ..delegation.people.domain.verification import VerificationRecord
from ..delegation.rights import system_user_services
from ..delegation.rights.domain.system_users import Wanted
from ..delegation.subscriptions import subscription_services
from ..identifiers import PersonId, UserCode
from ..oidc import playground_services
from ..support import services as support
from . import demo_clients

STORY_NEQ, FIRM_NEQ = "1100000455", "3300000018"
_WORDS = (
    *("bouleau", "canot", "dentelle", "erable", "fougere", "galet", "hibou", "jonquille", "lanterne", "merisier"),
    *("noisette", "ortie", "papillon", "quenouille", "riviere", "sapin", "tilleul", "violette", "wapiti", "yole"),
)
_ACTS = 30  # more than the demonstration has so far
_CASES = {
    "online": "happy_online",
    "mailed_code": "happy_mailed_code",
    "review": "ar_by_mandate",
    "struck_off": "struck_off_ex_officio",
    "numbers_disagree": "numbers_disagree_a",
}


@dataclass(frozen=True, slots=True)
class PersonaCredentials:
    """What a persona types."""

    person_id: PersonId
    user_code: UserCode
    password: str
    totp_secret: str


def fill(settings: Settings, portal: str, *, synthetic: Path, agencies: Path, now: datetime) -> dict[str, Any]:
    """Fill an empty database and return the content of ``personas.json``, plus the portal's own registration."""
    import_register(synthetic / "req", now)
    import_tax_file(synthetic / "revenu_quebec.csv", now)
    catalogue_services.load_agencies(agencies, now=now)
    clients = demo_clients.load(portal, now)
    playground_services.register(now=now)
    personas = _people(now)
    return {
        "issuer": settings.issuer,
        "portal": portal,
        "outbox": str(settings.outbox_dir),
        "personas": personas,
        "enrolments": _enrolments(synthetic / "revenu_quebec.csv"),
        "clients": {name: clients[name] for name in demo_clients.TOOLS},
        "portal_client": clients["amp-portal"],
    }


def _credentials(
    given_name: str, family_name: str, email: str, now: datetime, *, person_id: PersonId | None = None
) -> PersonaCredentials:
    """Create a person with an activated user code."""
    password = "-".join(secrets.SystemRandom().sample(_WORDS, 3)) + f"-{secrets.randbelow(90) + 10}"
    totp_secret = base64.b32encode(secrets.token_bytes(20)).decode()
    person = person_id or accounts.create_person(
        given_name=given_name, family_name=family_name, email=email, language="fr", now=now
    )
    user_code = accounts.issue_user_code(person, now=now)
    accounts.seed_credentials(person, user_code=user_code, password=password, totp_secret=totp_secret, now=now)
    return PersonaCredentials(person, user_code, password, totp_secret)


def _enterprise(neq: str, name: str, ar: PersonaCredentials, now: datetime) -> str:
    record = VerificationRecord(
        neq=neq,
        name=name,
        legal_form=None,
        method="online",
        verified_at=now,
        verified_by="system",
        evidence=("register", "tax_agency"),
        file_id="demonstration",
        authorized_representative=ar.person_id,
    )
    enterprise = delegation.register_enterprise(record, actor=SYSTEM, now=now)
    _appoint(enterprise, ar, Role.AUTHORIZED_REPRESENTATIVE, SYSTEM, now)
    return enterprise


def _appoint(enterprise: str, who: PersonaCredentials, role: Role, actor: Actor, now: datetime) -> str:
    return delegation.appoint(enterprise, who.person_id, role, user_code=who.user_code.signs, actor=actor, now=now)


def _people(now: datetime) -> list[dict[str, Any]]:
    at = _moments(now)
    ar = _credentials("Éléonore", "Hautelicorne", "eleonore@licorne.example", next(at))
    pes = _credentials("Marc-André", "Cornebleue", "marc-andre@licorne.example", next(at))
    julie = _credentials("Julie", "Pontvert", "julie@licorne.example", next(at))
    suspended = _credentials("Ariel", "Grisemine", "ariel@licorne.example", next(at))
    firm_ar = _credentials("Placide", "Plumedor", "placide@plumedor.example", next(at))
    both = _credentials("Ginette", "Chiffrier", "ginette@plumedor.example", next(at))
    both_here = accounts.issue_user_code(both.person_id, now=next(at))
    accounts.seed_credentials(
        both.person_id, user_code=both_here, password=both.password, totp_secret=both.totp_secret, now=next(at)
    )
    story = _enterprise(STORY_NEQ, "Construction Haute-Licorne inc.", ar, next(at))
    firm = _enterprise(FIRM_NEQ, "CPA Plumedor & Associés s.e.n.c.r.l.", firm_ar, next(at))
    by_ar, by_pes = Actor.person(ar.person_id), Actor.person(pes.person_id)
    _appoint(story, pes, Role.PES, by_ar, next(at))
    _appoint(firm, both, Role.PES, Actor.person(firm_ar.person_id), next(at))
    _subscribe(story, pes.person_id, next(at))
    _subscribe(firm, both.person_id, next(at))
    user = _appoint(story, julie, Role.USER, by_pes, next(at))
    stopped = _appoint(story, suspended, Role.USER, by_pes, next(at))
    guest = delegation.appoint(story, both.person_id, Role.USER, user_code=both_here.signs, actor=by_pes, now=next(at))
    until = local_date(now) + timedelta(days=365)
    for membership, blocks in ((user, ("001", "008")), (stopped, ("001",)), (guest, ("007", "024"))):
        delegation.grant(story, membership, "amp", blocks=blocks, until=until, granted_by=pes.person_id, now=next(at))
    delegation.suspend_member(story, stopped, by=pes.person_id, now=next(at))
    ledger = Wanted("tools-system", "Progiciel comptable", frozenset({"008"}), until)
    system_user_services.approve(story, "amp", ledger, by=pes.person_id, now=next(at))
    told = [
        _persona("ar", "authorized_representative", STORY_NEQ, ar),
        _persona("pes", "pes", STORY_NEQ, pes),
        _persona("user", "user", STORY_NEQ, julie),
        _persona("two_enterprises", "pes", FIRM_NEQ, both)
        | {
            "enterprises": [
                {"neq": FIRM_NEQ, "user_code": str(both.user_code)},
                {"neq": STORY_NEQ, "user_code": str(both_here)},
            ]
        },
        _persona("suspended", "user", STORY_NEQ, suspended),
    ]
    return told + _staff(now)


def _moments(now: datetime) -> Iterator[datetime]:
    """Yield an instant for each act, a minute apart and all past, so that journals show the acts in order."""
    return (now - timedelta(minutes=minutes) for minutes in range(_ACTS, 0, -1))


def _subscribe(enterprise: str, pes: PersonId, now: datetime) -> None:
    answers = {"is_client": "no", "contact_email": "services@licorne.example"}
    blocks = tuple(block.code for block in catalogue_services.agency("amp").blocks)
    subscription_services.subscribe(enterprise, "amp", answers=answers, blocks=blocks, by=pes, now=now)


def _staff(now: datetime) -> list[dict[str, Any]]:
    told = []
    for key, name, role, agency in (
        ("operator", ("Odile", "Guichet"), "operator", None),
        ("operator2", ("Ovide", "Contresigne"), "operator", None),
        ("agency_officer", ("Camille", "Chimère"), "agency_officer", "bac"),
    ):
        staff = _credentials(*name, f"{key}@mandat.example", now)
        with transaction():
            support.appoint(staff.person_id, role=role, agency_id=agency, actor=SYSTEM, now=now)
        told.append(_persona(key, role, None, staff))
    return told


def _persona(key: str, role: str, neq: str | None, who: PersonaCredentials) -> dict[str, Any]:
    return {
        "key": key,
        "role": role,
        "neq": neq,
        "user_code": str(who.user_code),
        "password": who.password,
        "totp_secret": who.totp_secret,
    }


def _enrolments(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = {row["test_case"]: row for row in csv.DictReader(file)}
    told = []
    for key, case in _CASES.items():
        row = rows[case]
        pes = {"given_name": "Maïka", "family_name": "Delorme-Fictif", "email": "maika@entreprise.example"}
        told.append(
            {
                "key": key,
                "neq": row["neq"],
                "revenu_quebec_id": rows["numbers_disagree_b"]["revenu_quebec_id"]
                if key == "numbers_disagree"
                else row["revenu_quebec_id"],
                "given_name": row["officer1_given_name"] if key != "review" else "Inès",
                "family_name": row["officer1_family_name"] if key != "review" else "Courantfort",
                "position": row["officer1_position"] if key != "review" else "",
                "birth_date": row["officer1_birth_date"] if key != "review" else "1984-03-02",
                "basis": "mandate" if key == "review" else "office",
                "notice_number": row["notice1_number"],
                "notice_year": row["notice1_year"],
                "email": f"{key.replace('_', '-')}@entreprise.example",
                "pes": [pes],
            }
        )
    return told
