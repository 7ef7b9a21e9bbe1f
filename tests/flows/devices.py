"""A virtual authenticator in Chromium, over the DevTools protocol: a device that makes and shows passkeys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from playwright.sync_api import CDPSession, Page


@dataclass
class Device:
    """One authenticator of one browser window."""

    session: CDPSession
    authenticator_id: str

    def verify(self, able: bool) -> None:
        """Let the device recognize its owner, or not."""
        self.session.send(
            "WebAuthn.setUserVerified", {"authenticatorId": self.authenticator_id, "isUserVerified": able}
        )

    def passkeys(self) -> list[dict[str, Any]]:
        """Return the passkeys it holds."""
        told = self.session.send("WebAuthn.getCredentials", {"authenticatorId": self.authenticator_id})
        return list(told["credentials"])

    def take(self, passkeys: list[dict[str, Any]]) -> None:
        """Put passkeys into it, as a synced one arrives on another device."""
        for passkey in passkeys:
            told = {"authenticatorId": self.authenticator_id, "credential": passkey}
            self.session.send("WebAuthn.addCredential", told)


def give_device(page: Page) -> Device:
    """Give the browser of *page* an internal authenticator that recognizes its owner."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable", {"enableUI": False})
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    told = session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return Device(session, str(told["authenticatorId"]))
