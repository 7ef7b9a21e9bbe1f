"""Keys are made once, kept to themselves, published without their private half, and trusted by name only."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import stat
from datetime import datetime
from pathlib import Path

import jwt as pyjwt
import pytest

from idp.oidc.keys.signing_keys import ALGORITHMS, KeyRing, MissingSigningKeyError, UntrustedTokenError, create_key_ring

ISSUER = "http://localhost:8000"
PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "k", "oth"}


@pytest.fixture
def ring(keys_dir: Path) -> KeyRing:
    return KeyRing.load(keys_dir)


def _part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_keys_are_created_once_and_readable_by_their_owner_alone(tmp_path: Path, now: datetime) -> None:
    """A second run makes nothing; every file has mode 0600."""
    created = create_key_ring(tmp_path, now)

    assert created[0] == "key-encryption.key"
    assert len(created[1:]) == len(ALGORITHMS) == 4
    assert create_key_ring(tmp_path, now) == []
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


def test_an_empty_folder_is_refused_with_the_cure(tmp_path: Path) -> None:
    with pytest.raises(MissingSigningKeyError, match="idp keys new"):
        KeyRing.load(tmp_path)


def test_nothing_private_is_published(ring: KeyRing) -> None:
    """The JWK set holds public members only, a kid and an algorithm each, all kids distinct."""
    keys = ring.public_set()["keys"]

    assert not [key for key in keys if PRIVATE & key.keys()]
    assert len({key["kid"] for key in keys}) == len(keys) == 4
    assert {key["alg"] for key in keys} == {"RS256", "PS256", "ES256", "EdDSA"}
    assert len({key.get("n", key["kid"]) for key in keys}) == 4, "an RSA key serves two algorithms"


def test_an_older_ring_is_completed_without_touching_what_it_has(tmp_path: Path, now: datetime) -> None:
    """An installation of before has RS256 and ES256 only: it is told the command, which adds the others."""
    create_key_ring(tmp_path, now)
    for path in [*tmp_path.glob("signing-ps256-*"), *tmp_path.glob("signing-eddsa-*")]:
        path.unlink()
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(MissingSigningKeyError, match="idp keys new"):
        KeyRing.load(tmp_path)

    assert len(create_key_ring(tmp_path, now)) == 2
    assert {name: (tmp_path / name).read_bytes() for name in before} == before
    assert {each.alg for each in KeyRing.load(tmp_path).keys} == set(ALGORITHMS)


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_another_library_verifies_what_we_sign(ring: KeyRing, alg: str) -> None:
    """PyJWT, with the published key, reads the same claims, and so do we."""
    token = ring.sign({"iss": ISSUER, "x": 1}, alg=alg, typ="JWT")
    published = next(key for key in ring.public_set()["keys"] if key["alg"] == alg)

    assert pyjwt.decode(token, pyjwt.PyJWK(published), algorithms=[alg])["x"] == 1
    assert ring.read(token, alg=alg, typ="JWT", issuer=ISSUER)["x"] == 1


def _hmac_signed(kid: str, payload: str, secret: bytes) -> str:
    signed = f"{_part({'alg': 'HS256', 'kid': kid, 'typ': 'JWT'})}.{payload}"
    mac = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def _forged(ring: KeyRing) -> dict[str, str]:
    ours = ring.sign({"iss": ISSUER}, alg="RS256", typ="JWT")
    header, payload, signature = ours.split(".")
    kid = ring.signer("RS256").kid
    return {
        "none": f"{_part({'alg': 'none', 'kid': kid, 'typ': 'JWT'})}.{payload}.",
        "nOnE": f"{_part({'alg': 'nOnE', 'kid': kid, 'typ': 'JWT'})}.{payload}.",
        "empty alg": f"{_part({'alg': '', 'kid': kid, 'typ': 'JWT'})}.{payload}.",
        "hmac with the public key": _hmac_signed(kid, payload, json.dumps(ring.signer("RS256").public()).encode()),
        "hmac with the public PEM": _hmac_signed(kid, payload, ring.signer("RS256").key.as_pem(private=False)),
        "another typ": ring.sign({"iss": ISSUER}, alg="RS256", typ="at+jwt"),
        "another alg": ring.sign({"iss": ISSUER}, alg="ES256", typ="JWT"),
        "another issuer": ring.sign({"iss": ISSUER + "/"}, alg="RS256", typ="JWT"),
        "issuer in a list": ring.sign({"iss": [ISSUER]}, alg="RS256", typ="JWT"),
        "no issuer": ring.sign({}, alg="RS256", typ="JWT"),
        "altered": f"{header}.{_part({'iss': ISSUER, 'x': 2})}.{signature}",
        "cut": ours[:-4],
        "unknown kid": f"{_part({'alg': 'RS256', 'kid': '../../etc', 'typ': 'JWT'})}.{payload}.{signature}",
        "jku": f"{_part({'alg': 'RS256', 'jku': 'http://127.0.0.1:1/jwks', 'typ': 'JWT'})}.{payload}.{signature}",
        "crit": f"{_part({'alg': 'RS256', 'kid': kid, 'typ': 'JWT', 'crit': ['x'], 'x': 1})}.{payload}.{signature}",
        "json": json.dumps({"payload": payload, "signatures": []}),
        "empty": "",
        "accent": "é.é.é",
        "huge": "a" * 70_000,
    }


def test_only_our_own_tokens_of_the_right_kind_are_read(ring: KeyRing) -> None:
    """Every forgery is refused, without a socket and with one error (S-15 to S-19, S-43)."""
    good = ring.sign({"iss": ISSUER}, alg="RS256", typ="JWT")
    assert ring.read(good, alg="RS256", typ="JWT", issuer=ISSUER) == {"iss": ISSUER}

    for name, token in _forged(ring).items():
        with pytest.raises(UntrustedTokenError):
            pytest.fail(f"{name} was read: {ring.read(token, alg='RS256', typ='JWT', issuer=ISSUER)}")
