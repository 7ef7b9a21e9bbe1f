"""People at the portal, as a transaction knows them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from examples.amp_portal.access import BLOCKS
from examples.amp_portal.database import Database
from examples.amp_portal.sessions import Acting, find_session, open_session

OURS, THEIRS = "neq:1100000455", "neq:3300000018"
ISSUER = "http://localhost:8000"


def claims_of(
    enterprise: str = OURS, sub: str = "s", blocks: tuple[str, ...] = BLOCKS, **changes: Any
) -> dict[str, Any]:
    """Return what an ID token says of a person, fresh and sure enough for every act."""
    now = int(datetime.now(UTC).timestamp())
    return {
        **{"iss": ISSUER, "sub": sub, "sid": f"S-{sub}", "iat": now, "exp": now + 300, "auth_time": now},
        **{"acr": "urn:mandat:aal:2", "amr": ["pwd", "otp", "mfa"], "name": f"Personne {sub}"},
        "enterprise": {"id": enterprise, "neq": enterprise[4:], "name": "Licorne inc.", "status": "active"},
        "representation": {"role": "user", "basis": "direct", "version": 4},
        "functional_blocks": list(blocks),
        **changes,
    }


def acting_of(
    database: Database, issuer: str, claims: Mapping[str, Any], block: str, now: datetime | None = None
) -> Acting:
    """Return a person who signs in and writes under *block*."""
    instant = now or datetime.now(UTC)
    life = {"iss": issuer, "exp": int((instant + timedelta(hours=1)).timestamp())}
    told = {**claims_of(), **claims, **life}
    found = find_session(database, open_session(database, told, "id-token", asked_at=instant, now=instant))
    assert found is not None
    assert found.rights is not None
    return Acting(found.id_hash, found.account, found.rights.enterprise_id, block, instant)
