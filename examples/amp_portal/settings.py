"""The provider's address, the portal's registration and the place of its data, read from ``PORTAL_…``."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from urllib.parse import urlencode

from .step_up import Needs


@dataclass(frozen=True, slots=True)
class PortalSettings:
    """What a deployment of the portal decides."""

    issuer: str
    url: str
    client_id: str
    client_secret: str = field(repr=False)
    database: Path
    ca_file: str | None = None  # certificate authorities (PEM) trusted for the provider; None: those of the system
    resource: str = "https://portal.amp.example/"
    step_up_seconds: int = 300  # maximum age of a sign-in for a binding act; 0: each act needs its own sign-in

    @property
    def provider_pages(self) -> dict[str, str]:
        """Return the pages of Mandat to which this portal sends people whose access is incomplete."""
        pages = {
            "enrol": f"/enrol?{urlencode({'client_id': self.client_id})}",  # the provider then leads back here
            "subscribe": "/agencies/amp/subscribe",
            "agency": "/agencies/amp",
            "roster": "/roster",
            "find_pes": "/who-is-my-pes",
        }
        return {name: self.issuer + path for name, path in pages.items()}

    @property
    def needs(self) -> Needs:
        """Return what a binding act requires of the sign-in."""
        return Needs(self.step_up_seconds)

    @classmethod
    def from_environment(cls) -> Self:
        """Read ``PORTAL_ISSUER``, ``PORTAL_URL``, ``PORTAL_DATABASE`` and the registration in ``PORTAL_CLIENT_FILE``.

        ``PORTAL_STEP_UP_SECONDS`` and ``PORTAL_CA_FILE`` may be left out.
        """
        client = json.loads(Path(os.environ["PORTAL_CLIENT_FILE"]).read_text(encoding="utf-8"))
        return cls(
            issuer=os.environ["PORTAL_ISSUER"],
            url=os.environ["PORTAL_URL"],
            client_id=client["client_id"],
            client_secret=client["client_secret"],
            database=Path(os.environ["PORTAL_DATABASE"]),
            ca_file=os.environ.get("PORTAL_CA_FILE"),
            step_up_seconds=int(os.environ.get("PORTAL_STEP_UP_SECONDS", "300")),
        )
