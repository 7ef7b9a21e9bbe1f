"""Passkeys as WebAuthn Level 3 describes them: what is asked of a browser, and what its answer must prove.

The ceremonies know neither the web nor the database. The signature, the origin, the RP id, the challenge, user presence and
verification, the algorithm and the counter are checked by py_webauthn; what it leaves to its caller is checked here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import webauthn
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.structs import (
    AttestationConveyancePreference,
    AttestationFormat,
    AuthenticatorSelectionCriteria,
    CredentialDeviceType,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

NAME = "Mandat"
CEREMONY_LIFE = timedelta(minutes=5)
MAX_ANSWER = 16_384  # characters; a real one has about a thousand
ALGORITHMS = [
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,  # Windows Hello
]
TRANSPORTS = frozenset({"usb", "nfc", "ble", "smart-card", "hybrid", "internal"})
_ROAMING = frozenset({"usb", "nfc", "ble", "smart-card"})
_UNASKED = frozenset({AttestationFormat.NONE, AttestationFormat.PACKED})  # packed: self attestation (WebAuthn §5.1.3)


class CeremonyPurpose(StrEnum):
    """What a challenge is for. Values are stored: never rename one."""

    REGISTER = "register"
    SIGN_IN = "sign_in"
    SECOND_FACTOR = "second_factor"
    STEP_UP = "step_up"
    RECOVERY = "recovery"


class PasskeyRefusedError(Exception):
    """The browser's answer proves nothing; the detail is for the log only."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Site:
    """Who asks: the RP id and the one origin of the configuration, never of a request."""

    rp_id: str
    origin: str


@dataclass(frozen=True, slots=True)
class StoredPasskey:
    """A passkey as it is kept."""

    credential_id: str
    public_key: str
    sign_count: int
    may_be_backed_up: bool


@dataclass(frozen=True, slots=True)
class Made:
    """A passkey just made."""

    credential_id: str
    public_key: str
    sign_count: int
    aaguid: str
    transports: tuple[str, ...]
    may_be_backed_up: bool
    is_backed_up: bool

    @property
    def is_roaming(self) -> bool:
        """Return whether it lives on a key that is carried along rather than in the device."""
        return bool(self.transports) and set(self.transports) <= _ROAMING


@dataclass(frozen=True, slots=True)
class Used:
    """What a right answer changes in a passkey."""

    sign_count: int
    is_backed_up: bool


def site_of(issuer: str) -> Site | None:
    """Return the site of *issuer*, or None when it is an IP address: no browser makes a passkey for one."""
    parts = urlsplit(issuer)
    host = parts.hostname or ""
    try:
        ip_address(host)
    except ValueError:
        return Site(host, f"{parts.scheme}://{parts.netloc}")
    return None


def creation_options(
    site: Site, *, challenge: str, handle: str, account: str, name: str, known: Iterable[tuple[str, tuple[str, ...]]]
) -> str:
    """Return the options for making a passkey, as JSON; *known* are those the person has, so that none is made twice."""
    options = webauthn.generate_registration_options(
        rp_id=site.rp_id,
        rp_name=NAME,
        user_id=base64url_to_bytes(handle),
        user_name=account,
        user_display_name=name,
        challenge=base64url_to_bytes(challenge),
        timeout=_milliseconds(CEREMONY_LIFE),
        attestation=AttestationConveyancePreference.NONE,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        supported_pub_key_algs=ALGORITHMS,
    )
    return _with_credentials(webauthn.options_to_json(options), "excludeCredentials", known)


def request_options(site: Site, *, challenge: str, known: Iterable[tuple[str, tuple[str, ...]]] = ()) -> str:
    """Return the options for showing a passkey, as JSON; without *known* the device offers those it has for this site."""
    options = webauthn.generate_authentication_options(
        rp_id=site.rp_id,
        challenge=base64url_to_bytes(challenge),
        timeout=_milliseconds(CEREMONY_LIFE),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return _with_credentials(webauthn.options_to_json(options), "allowCredentials", known)


def read_new(answer: str, *, site: Site, challenge: str) -> Made:
    """Return the passkey that *answer* proves was made for *challenge* (WebAuthn §7.1).

    Raises:
        PasskeyRefusedError: it proves nothing.
    """
    given = _parsed(answer)
    _check_same_origin(given)
    try:
        verified = webauthn.verify_registration_response(
            credential=given,
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=site.rp_id,
            expected_origin=site.origin,
            require_user_presence=True,
            require_user_verification=True,
            supported_pub_key_algs=ALGORITHMS,
        )
    except Exception as error:  # noqa: BLE001 (its parsers raise whatever they meet; whatever it is, nothing is proved)
        raise PasskeyRefusedError(str(error)) from None
    if verified.fmt not in _UNASKED:
        raise PasskeyRefusedError("attestation that was not asked for")
    response = given["response"]
    transports = response.get("transports")
    return Made(
        credential_id=bytes_to_base64url(verified.credential_id),
        public_key=bytes_to_base64url(verified.credential_public_key),
        sign_count=verified.sign_count,
        aaguid=verified.aaguid,
        transports=tuple(sorted(TRANSPORTS.intersection(map(str, transports if isinstance(transports, list) else ())))),
        may_be_backed_up=verified.credential_device_type is CredentialDeviceType.MULTI_DEVICE,
        is_backed_up=verified.credential_backed_up,
    )


def named_in(answer: str) -> tuple[str, str | None]:
    """Return which passkey *answer* says it is, and whose; nothing is proved yet.

    Raises:
        PasskeyRefusedError: it does not say.
    """
    given = _parsed(answer)
    credential_id, handle = given.get("id"), given["response"].get("userHandle")
    if not isinstance(credential_id, str) or not 0 < len(credential_id) <= 1400:
        raise PasskeyRefusedError("no credential named")
    return credential_id, handle if isinstance(handle, str) and handle else None


def read_use(answer: str, *, site: Site, challenge: str, known: StoredPasskey) -> Used:
    """Return what changes once *answer* proves that *known* signed *challenge* (WebAuthn §7.2).

    Raises:
        PasskeyRefusedError: it proves nothing, or the counter went back: a person may have copied the passkey.
    """
    given = _parsed(answer)
    _check_same_origin(given)
    try:
        verified = webauthn.verify_authentication_response(
            credential=given,
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=site.rp_id,
            expected_origin=site.origin,
            credential_public_key=base64url_to_bytes(known.public_key),
            credential_current_sign_count=known.sign_count,
            require_user_verification=True,
        )
    except Exception as error:  # noqa: BLE001 (as above)
        raise PasskeyRefusedError(str(error)) from None
    if bytes_to_base64url(verified.credential_id) != known.credential_id:
        raise PasskeyRefusedError("another credential")
    if (verified.credential_device_type is CredentialDeviceType.MULTI_DEVICE) != known.may_be_backed_up:
        raise PasskeyRefusedError("backup eligibility changed")  # WebAuthn §7.2 step 18
    return Used(verified.new_sign_count, verified.credential_backed_up)


def _parsed(answer: str) -> dict[str, Any]:
    try:
        given = json.loads(answer) if len(answer) <= MAX_ANSWER else None
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict) or not isinstance(given.get("response"), dict):
        raise PasskeyRefusedError("not the answer of a browser")
    return given


def _check_same_origin(given: Mapping[str, Any]) -> None:
    """Refuse what was asked inside a frame of another site (WebAuthn §7.1 step 10, §7.2 step 13)."""
    try:
        client = json.loads(base64url_to_bytes(given["response"]["clientDataJSON"]))
        is_crossed = client.get("crossOrigin", False) is not False or "topOrigin" in client
    except Exception:  # noqa: BLE001 (whatever cannot be read proves nothing)
        raise PasskeyRefusedError("clientDataJSON cannot be read") from None
    if is_crossed:
        raise PasskeyRefusedError("asked inside another site")


def _with_credentials(options: str, member: str, known: Iterable[tuple[str, tuple[str, ...]]]) -> str:
    described = [
        {"type": "public-key", "id": credential_id, "transports": list(transports)}
        if transports
        else {"type": "public-key", "id": credential_id}
        for credential_id, transports in known
    ]
    return json.dumps(json.loads(options) | {member: described}, separators=(",", ":"))


def _milliseconds(life: timedelta) -> int:
    return int(life.total_seconds() * 1000)
