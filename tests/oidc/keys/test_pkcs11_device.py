"""Keys that never leave their token: SoftHSM2 stands for a hardware module, over the same PKCS#11 interface."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import jwt as pyjwt
import pytest
from joserfc import jws
from joserfc.jwk import KeySet

from idp.cli import key_findings
from idp.cli.doctor import _masked
from idp.config import Settings, read_settings
from idp.oidc.keys.domain.key_rotation import KEPT_AFTER, PUBLISHED_BEFORE, KeyState
from idp.oidc.keys.domain.signers import FileSigner, SignerError
from idp.oidc.keys.key_acts import create_missing, replace_at_once, rotate, rotate_due
from idp.oidc.keys.key_folder import KeyFolder
from idp.oidc.keys.pkcs11_device import Pkcs11Device, _ec_members
from idp.oidc.keys.signing_keys import KeyRing, MissingSigningKeyError

ROOT = Path(__file__).resolve().parents[3]
MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
PIN, TOKEN = "471108", "mandat-tests"
ISSUER = "http://localhost:8000"


@pytest.fixture(scope="session")
def token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Make one token a run, in a folder of its own."""
    assert shutil.which("softhsm2-util"), "SoftHSM2 is missing: bin/test installs it"
    place = tmp_path_factory.mktemp("softhsm")
    (place / "tokens").mkdir()
    (place / "softhsm2.conf").write_text(f"directories.tokendir = {place / 'tokens'}\nlog.level = ERROR\n")
    os.environ["SOFTHSM2_CONF"] = str(place / "softhsm2.conf")
    made = ["softhsm2-util", "--init-token", "--free", "--label", TOKEN, "--pin", PIN, "--so-pin", "87654321"]
    subprocess.run(made, check=True, capture_output=True)
    yield
    del os.environ["SOFTHSM2_CONF"]


@pytest.fixture
def settings(token: None, keys_dir: Path, tmp_path: Path) -> Settings:
    """Settings of an installation whose ES256, RS256 and PS256 keys are made in the token from now on."""
    shutil.copytree(keys_dir, tmp_path / "keys")
    (tmp_path / "pin").write_text(PIN + "\n")
    return read_settings(
        keys_dir=tmp_path / "keys",
        pkcs11_module=MODULE,
        pkcs11_token=TOKEN,
        pkcs11_pin_file=tmp_path / "pin",
        pkcs11_algorithms="ES256 RS256 PS256",
    )


@pytest.fixture
def folder(settings: Settings) -> KeyFolder:
    return KeyFolder.of(settings)


def moved_in(folder: KeyFolder, now: datetime, *algs: str) -> KeyRing:
    """Rotate *algs* to the token, and return the ring once the new keys sign."""
    rotate(folder, now, algs=algs)
    rotate_due(folder, now + PUBLISHED_BEFORE, active_for=None)
    return KeyRing.of(folder)


@pytest.mark.parametrize("alg", ["ES256", "RS256", "PS256"])
def test_what_the_token_signs_two_libraries_verify(folder: KeyFolder, now: datetime, alg: str) -> None:
    """PyJWT and joserfc accept each of ten signatures with the published key; r and s are 32 bytes each (RFC 7518 §3.4)."""
    ring = moved_in(folder, now, alg)
    published = ring.public_set()

    assert ring.signer(alg).reference is not None
    for _ in range(10):
        signed = ring.sign({"iss": ISSUER, "n": 1}, alg=alg, typ="JWT")
        kid = pyjwt.get_unverified_header(signed)["kid"]
        assert pyjwt.decode(signed, pyjwt.PyJWKSet.from_dict(published)[kid], algorithms=[alg])["n"] == 1
        assert jws.deserialize_compact(signed, KeySet.import_key_set(published), algorithms=[alg])
        assert ring.read(signed, alg=alg, typ="JWT", issuer=ISSUER)["n"] == 1


def test_the_private_half_is_nowhere_but_in_the_token(folder: KeyFolder, now: datetime) -> None:
    """The file holds a label, sealed; the token calls the key sensitive, not extractable, never seen outside."""
    import pkcs11

    key = moved_in(folder, now, "ES256").signer("ES256")
    assert not isinstance(key.signer, FileSigner)
    assert (key.reference or "?") not in folder.path(key.kid).read_text()
    assert isinstance(folder.device, Pkcs11Device)
    with folder.device._lock:
        held = folder.device._key(folder.device._open(), key.reference or "")
        wanted = {"SENSITIVE": True, "EXTRACTABLE": False, "ALWAYS_SENSITIVE": True, "NEVER_EXTRACTABLE": True}
        assert {name: held[pkcs11.Attribute[name]] for name in wanted} == wanted
        with pytest.raises(pkcs11.PKCS11Error):
            held[pkcs11.Attribute.VALUE]


def test_a_new_ring_is_made_in_the_token(settings: Settings, tmp_path: Path, now: datetime) -> None:
    """``idp keys new`` makes three keys there and one in a file; all four sign."""
    folder = KeyFolder.of(settings.model_copy(update={"keys_dir": tmp_path / "fresh"}))
    create_missing(folder, now)
    ring = KeyRing.of(folder)

    assert {key.alg for key in ring.keys if key.reference} == {"ES256", "RS256", "PS256"}
    for key in ring.keys:
        signed = ring.sign({"iss": ISSUER}, alg=key.alg, typ="JWT")
        assert ring.read(signed, alg=key.alg, typ="JWT", issuer=ISSUER)
    assert list(key_findings.findings(settings)) == []


def test_a_key_that_is_removed_or_revoked_leaves_the_token(folder: KeyFolder, now: datetime) -> None:
    """Its old file signer can be asked, and has nothing to sign with any more."""
    first = moved_in(folder, now, "ES256").signer("ES256")
    replace_at_once(folder, now + PUBLISHED_BEFORE, algs=["ES256"], seen=[first.kid])
    second = KeyRing.of(folder).signer("ES256")
    rotate(folder, now, algs=["ES256"])
    rotate_due(folder, now + 2 * PUBLISHED_BEFORE, active_for=None)
    rotate_due(folder, now + 2 * PUBLISHED_BEFORE + KEPT_AFTER, active_for=None)

    for gone in (first, second):
        assert gone.signer is not None
        with pytest.raises(SignerError, match="NoSuchKey"):
            gone.signer.sign(b"x")
    assert {key.state for key in KeyRing.of(folder).keys if key.kid == first.kid} == {KeyState.REVOKED}
    assert KeyRing.of(folder).sign({}, alg="ES256", typ="JWT")


def test_a_token_that_does_not_answer_is_told_without_its_pin(
    settings: Settings, tmp_path: Path, now: datetime
) -> None:
    """A wrong PIN, another token, a missing library: one sentence of the doctor, one error of the signer, no secret."""
    import pkcs11

    ring = moved_in(KeyFolder.of(settings), now, "ES256")
    assert list(key_findings.findings(settings)) == []
    pkcs11.lib(str(MODULE)).reinitialize()  # logs this process out, which other tests logged in
    (tmp_path / "wrong").write_text("000000")
    for change in (
        {"pkcs11_pin_file": tmp_path / "wrong"},
        {"pkcs11_token": "another"},
        {"pkcs11_module": tmp_path / "no.so"},
        {"pkcs11_pin_file": tmp_path / "nothing"},
    ):
        [told] = key_findings.findings(settings.model_copy(update=change))
        assert told.startswith(ring.signer("ES256").kid)
        assert PIN not in told
        assert "000000" not in told
    without = settings.model_copy(update={"pkcs11_module": None, "pkcs11_algorithms": ""})
    assert "set IDP_PKCS11_MODULE" in next(key_findings.findings(without))
    with pytest.raises(MissingSigningKeyError, match="IDP_PKCS11_MODULE"):
        KeyRing.of(KeyFolder.of(without))


def test_a_silent_token_holds_nothing_else_up(
    settings: Settings, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other algorithms rotate, a revocation counts at once; what the token owes is done when it answers again."""
    folder = KeyFolder.of(settings)
    ring = moved_in(folder, now, "ES256")
    rotate(folder, now + PUBLISHED_BEFORE, algs=["EdDSA"])
    first, later = ring.signer("ES256"), now + 2 * PUBLISHED_BEFORE
    with monkeypatch.context() as patch:
        patch.setattr(Pkcs11Device, "_open", _silent)
        emergency = replace(folder, device_algs=frozenset())
        changes = replace_at_once(emergency, later, algs=["ES256"], seen=[first.kid])
        assert KeyState.ACTIVE in {change.state for change in changes}
        assert first.kid not in {key["kid"] for key in KeyRing.of(folder).public_set()["keys"]}
        moved = rotate_due(folder, later, active_for=timedelta(days=2))
        assert {(change.alg, change.state) for change in moved if change.state} >= {("EdDSA", KeyState.ACTIVE)}

    done = rotate_due(folder, later, active_for=timedelta(days=2))
    assert (first.kid, KeyState.REVOKED) in {(change.kid, change.state) for change in done}
    assert first.signer is not None
    with pytest.raises(SignerError, match="NoSuchKey"):
        first.signer.sign(b"x")


def _silent(_device: Pkcs11Device) -> None:
    raise OSError("no answer")


def test_another_key_under_the_label_is_found_out(settings: Settings, now: datetime) -> None:
    """The doctor has the token sign and verifies with what is published."""
    folder = KeyFolder.of(settings)
    key = moved_in(folder, now, "ES256").signer("ES256")
    assert folder.device is not None
    other, _ = folder.device.generate("ES256")
    folder.write(replace(key, reference=other))

    [told] = key_findings.findings(settings)
    assert "signs with another key" in told


def test_a_session_that_died_is_opened_again(folder: KeyFolder, now: datetime) -> None:
    """A signature after the session was closed behind our back succeeds."""
    ring = moved_in(folder, now, "ES256")
    assert isinstance(folder.device, Pkcs11Device)
    ring.sign({}, alg="ES256", typ="JWT")
    folder.device._session.close()

    assert ring.sign({}, alg="ES256", typ="JWT")


FORKED = """
import os, sys
from idp.config import read_settings
from idp.oidc.keys.key_folder import KeyFolder
from idp.oidc.keys.signing_keys import KeyRing
ring = KeyRing.of(KeyFolder.of(read_settings()))
ring.sign({}, alg="ES256", typ="JWT")
child = os.fork()
token = ring.sign({"iss": "x"}, alg="ES256", typ="JWT")
ring.read(token, alg="ES256", typ="JWT", issuer="x")
if child == 0:
    os._exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
print("both")
"""


def test_a_forked_process_signs_too(settings: Settings, now: datetime) -> None:
    """Servers fork: the child opens a session of its own, the parent keeps the one it has."""
    moved_in(KeyFolder.of(settings), now, "ES256")
    names = ("keys_dir", "pkcs11_module", "pkcs11_token", "pkcs11_pin_file", "pkcs11_algorithms")
    environment = {**os.environ, **{f"IDP_{name.upper()}": str(getattr(settings, name)) for name in names}}

    shown = subprocess.run([sys.executable, "-c", FORKED], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert (shown.returncode, shown.stdout) == (0, "both\n"), shown.stderr


def test_the_point_of_a_key_is_read_in_both_ways_and_no_other() -> None:
    """PKCS#11 wraps it in an octet string, some modules do not; a compressed or cut one is refused."""
    point = b"\x04" + bytes(range(64))
    assert _ec_members(point) == _ec_members(b"\x04\x41" + point)

    for bad in (b"", point[:-1], b"\x02" + point[1:33], b"\x04\x41" + b"\x02" + point[1:]):
        with pytest.raises(SignerError):
            _ec_members(bad)


def test_the_pin_is_shown_nowhere(settings: Settings) -> None:
    """Given by the environment it is masked in the settings, in what the doctor prints, and in their JSON."""
    given = settings.model_copy(update={"pkcs11_pin": read_settings(pkcs11_pin=PIN).pkcs11_pin})

    assert PIN not in _masked("pkcs11_pin", given.pkcs11_pin) + repr(given) + json.dumps(given.model_dump(mode="json"))
