"""Authorization answers as signed JWTs (JARM, FAPI 2.0 Message Signing §5.4): what such a JWT says. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

RESPONSE_TYPE = "JWT"  # JARM names no other; unlike an ID token it has no sub, so neither passes for the other
LIFE = timedelta(seconds=60)  # that of the code; JARM §2.1: at most ten minutes
CARRIERS = {"jwt": "query", "query.jwt": "query", "form_post.jwt": "form_post"}  # JARM §2.3.4: for a code


def claims(parameters: Mapping[str, str], *, issuer: str, client_id: str, now: datetime) -> dict[str, object]:
    """Return the claims that carry *parameters* to one client; ``iss`` is said once, as a claim (JARM §2.1, RFC 9207 §2.4)."""
    return {**parameters, "iss": issuer, "aud": client_id, "exp": int((now + LIFE).timestamp())}
