"""A software authenticator (CTAP2, ES256): what a device and a browser together answer to the options of a page."""

from __future__ import annotations

import hashlib
import json
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import cbor2
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ORIGIN = "http://localhost:8000"
UP, UV, BE, BS, AT = 0x01, 0x04, 0x08, 0x10, 0x40
ES256 = -7
LIFE = datetime(2026, 1, 1, tzinfo=UTC), datetime(2036, 1, 1, tzinfo=UTC)  # of a maker's certificate


def encoded(value: bytes) -> str:
    """Return base64url without padding."""
    return urlsafe_b64encode(value).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """Return what base64url without padding holds."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Authenticator:
    """One device with one passkey; every member may be set wrong, to see that it is refused."""

    origin: str = ORIGIN
    rp_id: str | None = None  # None: the one of the options
    flags: int = UP | UV
    count: int = 0
    steps: int = 1  # by how much the counter grows at each use
    alg: int = ES256
    fmt: str = "none"
    client_type: str | None = None
    more_client: dict[str, Any] = field(default_factory=dict)
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    credential_id: bytes = field(default_factory=lambda: os.urandom(32))
    handle: str | None = None

    def make(self, options: str) -> dict[str, Any]:
        """Answer ``navigator.credentials.create``."""
        asked = json.loads(options)
        self.handle = asked["user"]["id"]
        client = self._client(asked, "webauthn.create")
        point = self.key.public_key().public_numbers()
        public = {1: 2, 3: self.alg, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")}
        attested = bytes(16) + len(self.credential_id).to_bytes(2, "big") + self.credential_id + cbor2.dumps(public)
        data = self._data(asked["rp"]["id"], AT) + attested
        statement = {"fmt": self.fmt, "attStmt": self._statement(data, client), "authData": data}
        return self._answer({"attestationObject": encoded(cbor2.dumps(statement)), "transports": ["internal"]}, client)

    def show(self, options: str) -> dict[str, Any]:
        """Answer ``navigator.credentials.get``."""
        asked = json.loads(options)
        self.count += self.steps
        client = self._client(asked, "webauthn.get")
        data = self._data(asked["rpId"], 0)
        signature = self._sign(data + hashlib.sha256(client).digest())
        response = {"authenticatorData": encoded(data), "signature": encoded(signature)}
        if self.handle is not None:
            response["userHandle"] = self.handle
        return self._answer(response, client)

    def _client(self, asked: dict[str, Any], kind: str) -> bytes:
        told = {"type": self.client_type or kind, "challenge": asked["challenge"], "origin": self.origin}
        return json.dumps({**told, "crossOrigin": False, **self.more_client}).encode()

    def _data(self, rp_id: str, more: int) -> bytes:
        rp_hash = hashlib.sha256((self.rp_id or rp_id).encode()).digest()
        return rp_hash + bytes([self.flags | more]) + self.count.to_bytes(4, "big")

    def _statement(self, data: bytes, client: bytes) -> dict[str, Any]:
        if self.fmt == "fido-u2f":
            return self._u2f_statement(data, client)
        if self.fmt != "packed":
            return {}
        return {"alg": self.alg, "sig": self._sign(data + hashlib.sha256(client).digest())}

    def _u2f_statement(self, data: bytes, client: bytes) -> dict[str, Any]:
        """Return an attestation by a maker's certificate that holds by itself (WebAuthn §8.6)."""
        maker, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
        certificate = x509.CertificateBuilder(name, name, maker.public_key(), 1, *LIFE).sign(maker, hashes.SHA256())
        point = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        told = b"\0" + data[:32] + hashlib.sha256(client).digest() + self.credential_id + point
        return {
            "sig": maker.sign(told, ec.ECDSA(hashes.SHA256())),
            "x5c": [certificate.public_bytes(Encoding.DER)],
        }

    def _sign(self, what: bytes) -> bytes:
        return self.key.sign(what, ec.ECDSA(hashes.SHA256()))

    def _answer(self, response: dict[str, Any], client: bytes) -> dict[str, Any]:
        name = encoded(self.credential_id)
        told = {"clientDataJSON": encoded(client), **response}
        return {"id": name, "rawId": name, "type": "public-key", "response": told, "clientExtensionResults": {}}
