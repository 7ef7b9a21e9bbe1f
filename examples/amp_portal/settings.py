"""Where the provider is, who we are to it, and where our data lies; read from ``PORTAL_…``."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self


@dataclass(frozen=True, slots=True)
class PortalSettings:
    """What a deployment of the portal decides."""

    issuer: str
    url: str
    client_id: str
    client_secret: str = field(repr=False)
    database: Path
    resource: str = "https://portal.amp.example/"

    @classmethod
    def from_environment(cls) -> Self:
        """Read ``PORTAL_ISSUER``, ``PORTAL_URL``, ``PORTAL_DATABASE`` and the registration in ``PORTAL_CLIENT_FILE``."""
        client = json.loads(Path(os.environ["PORTAL_CLIENT_FILE"]).read_text(encoding="utf-8"))
        return cls(
            issuer=os.environ["PORTAL_ISSUER"],
            url=os.environ["PORTAL_URL"],
            client_id=client["client_id"],
            client_secret=client["client_secret"],
            database=Path(os.environ["PORTAL_DATABASE"]),
        )
