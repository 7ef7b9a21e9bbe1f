"""The document of a sector (OIDC Core §8.1), fetched when a client is registered; the sector stays the agency all the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx2

from ...db import db
from ...http import egress
from ...http.egress import ForbiddenAddressError
from ...http.web import current_settings
from ..proofs.domain import strict_json
from ..proofs.domain.strict_json import NotStrictJsonError


def fault(members: Mapping[str, Any]) -> str | None:
    """Say what is wrong with the document at ``sector_identifier_uri``, or None; call it outside any transaction."""
    uri = members.get("sector_identifier_uri")
    if uri is None:
        return None
    db.session.commit()  # ends the reading: nothing of the database is held while the other side answers
    try:
        answer = egress.get(uri, current_settings())
        listed = strict_json.read(answer.body) if answer.status == 200 else None
    except (ForbiddenAddressError, NotStrictJsonError, httpx2.HTTPError, OSError):
        listed = None
    if not isinstance(listed, list) or any(each not in listed for each in members.get("redirect_uris", ())):
        return "sector_identifier_uri must answer a JSON list that holds every redirect URI"
    return None
