"""Signing keys in a hardware security module, or anything else that speaks PKCS#11 (OASIS, version 2.40).

The private key is made in the token, is neither readable nor exportable, and signs there. A session belongs to one process: it is
opened at the first signature, opened again in a forked process and once after an error, and used by one thread at a time.
"""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from joserfc import util

from ...config import Settings
from .domain.signers import RSA_BITS, SignerError

DEVICE_ALGS = ("ES256", "RS256", "PS256")  # few tokens know Ed25519
_P256 = bytes.fromhex("06082a8648ce3d030107")  # the object identifier of the curve, DER (RFC 5480 §2.1.1.1)
_COORDINATE = 32

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Pkcs11Signer:
    """One key of the token."""

    kid: str
    alg: str
    reference: str
    members: dict[str, str] = field(repr=False)
    device: Pkcs11Device = field(repr=False)

    def public(self) -> dict[str, str]:
        """Return the public JWK, as it was written down when the key was made."""
        return dict(self.members)

    def sign(self, message: bytes) -> bytes:
        """Return the signature, made by the token."""
        return self.device.sign(self.reference, self.alg, message)


class Pkcs11Device:
    """One token of one PKCS#11 module, and the keys that this process has found in it."""

    def __init__(self, module: Path, token: str, pin: Callable[[], str]) -> None:
        self._module, self._token, self._pin = module, token, pin
        self._lock = threading.Lock()
        self._opened_by = 0
        self._session: Any = None
        self._keys: dict[str, Any] = {}

    def generate(self, alg: str) -> tuple[str, dict[str, str]]:
        """Make a key pair in the token; return its label and its public JWK."""
        label = f"mandat-{alg.lower()}-{secrets.token_hex(8)}"
        return label, self._locked(lambda session: _generate(session, alg, label))

    def signer(self, reference: str, *, kid: str, alg: str, public: dict[str, str]) -> Pkcs11Signer:
        """Return what signs with the key labelled *reference*; the token is not asked yet."""
        return Pkcs11Signer(kid, alg, reference, public, self)

    def destroy(self, reference: str) -> None:
        """Destroy both halves of a key, if they are there."""
        self._locked(lambda session: _destroy(session, reference))
        self._keys.pop(reference, None)

    def sign(self, reference: str, alg: str, message: bytes) -> bytes:
        """Return the signature of *message*, in the form of JWS."""
        return self._locked(lambda session: _sign(self._key(session, reference), alg, message))

    def _key(self, session: Any, reference: str) -> Any:
        import pkcs11

        if reference not in self._keys:
            self._keys[reference] = session.get_key(object_class=pkcs11.ObjectClass.PRIVATE_KEY, label=reference)
        return self._keys[reference]

    def _locked(self, act: Callable[[Any], T]) -> T:
        """Do *act* in the session; a session that died is opened once more."""
        pkcs11 = _library()
        with self._lock:
            try:
                try:
                    return act(self._open())
                except pkcs11.NoSuchKey:
                    raise
                except pkcs11.PKCS11Error:
                    self._forget()
                    return act(self._open())
            except (pkcs11.PKCS11Error, OSError) as error:
                self._forget()
                raise SignerError(f"the PKCS#11 token {self._token} answers {type(error).__name__}") from None

    def _open(self) -> Any:
        pkcs11 = _library()
        if self._session is None or self._opened_by != os.getpid():
            library = pkcs11.lib(str(self._module))
            if self._opened_by not in (0, os.getpid()):
                library.reinitialize()  # PKCS#11 §5.4: a forked process starts again
            self._keys = {}
            token = library.get_token(token_label=self._token)
            try:
                self._session = token.open(rw=True, user_pin=self._pin())
            except pkcs11.UserAlreadyLoggedIn:
                self._session = token.open(rw=True)  # the login is the process's, for all its sessions (PKCS#11 §5.6)
            self._opened_by = os.getpid()
        return self._session

    def _forget(self) -> None:
        self._session, self._keys = None, {}


def _library() -> Any:
    """Return the package that speaks to the module; only an installation with a token needs it."""
    try:
        return import_module("pkcs11")
    except ModuleNotFoundError:
        raise SignerError("the package python-pkcs11 is not installed: install mandat[pkcs11]") from None


def of(settings: Settings) -> Pkcs11Device | None:
    """Return the device that the settings name; one per module and token, as a process logs in once."""
    if settings.pkcs11_module is None or settings.pkcs11_token is None:
        return None
    return _device(settings.pkcs11_module, settings.pkcs11_token, settings.pkcs11_pin_file, settings.pkcs11_pin)


@lru_cache
def _device(module: Path, token: str, pin_file: Path | None, pin: Any) -> Pkcs11Device:
    def read_pin() -> str:
        if pin_file is not None:
            return pin_file.read_text(encoding="utf-8").strip()
        return str(pin.get_secret_value()) if pin is not None else ""

    return Pkcs11Device(module, token, read_pin)


def _generate(session: Any, alg: str, label: str) -> dict[str, str]:
    import pkcs11
    from pkcs11 import Attribute

    secret = {Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False, Attribute.PRIVATE: True}
    template = {"label": label, "store": True, "capabilities": pkcs11.MechanismFlag.SIGN | pkcs11.MechanismFlag.VERIFY}
    if alg == "ES256":
        parameters = session.create_domain_parameters(pkcs11.KeyType.EC, {Attribute.EC_PARAMS: _P256}, local=True)
        public, _ = parameters.generate_keypair(private_template=secret, **template)
        return _ec_members(public[Attribute.EC_POINT])
    public, _ = session.generate_keypair(pkcs11.KeyType.RSA, RSA_BITS, private_template=secret, **template)
    exponent, modulus = public[Attribute.PUBLIC_EXPONENT], public[Attribute.MODULUS]
    return {"kty": "RSA", "n": _base64url(modulus.lstrip(b"\0")), "e": _base64url(exponent.lstrip(b"\0"))}


def _ec_members(point: bytes) -> dict[str, str]:
    """Return the JWK of a P-256 point: uncompressed, and by PKCS#11 §2.3.3 wrapped in a DER octet string."""
    bare = point[2:] if point[:2] == b"\x04\x41" else point
    if len(bare) != 1 + 2 * _COORDINATE or bare[0] != 4:
        raise SignerError("the token gives a point of another form")
    x, y = bare[1 : 1 + _COORDINATE], bare[1 + _COORDINATE :]
    return {"kty": "EC", "crv": "P-256", "x": _base64url(x), "y": _base64url(y)}


def _sign(key: Any, alg: str, message: bytes) -> bytes:
    """Sign in the token: r and s, 32 bytes each, for ES256 (PKCS#11 §2.3.1, RFC 7518 §3.4)."""
    from pkcs11 import MGF, Mechanism

    if alg == "ES256":
        signature: bytes = key.sign(sha256(message).digest(), mechanism=Mechanism.ECDSA)
        if len(signature) != 2 * _COORDINATE:
            raise SignerError("the token gives an ECDSA signature of another form")
        return signature
    if alg == "RS256":
        return bytes(key.sign(message, mechanism=Mechanism.SHA256_RSA_PKCS))
    salted = (Mechanism.SHA256, MGF.SHA256, 32)
    return bytes(key.sign(message, mechanism=Mechanism.SHA256_RSA_PKCS_PSS, mechanism_param=salted))


def _destroy(session: Any, reference: str) -> None:
    import pkcs11

    for found in list(session.get_objects({pkcs11.Attribute.LABEL: reference})):
        found.destroy()


def _base64url(value: bytes) -> str:
    return util.urlsafe_b64encode(value).decode("ascii")
