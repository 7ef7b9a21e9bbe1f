"""The folder of keys: sealed, authenticated, changed by one process at a time, sound wherever it is cut."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from idp.crypto.ciphers import random_key_line
from idp.oidc.keys import key_acts, key_folder
from idp.oidc.keys.domain.key_rotation import ALGORITHMS, KEPT_AFTER, PUBLISHED_BEFORE, KeyState
from idp.oidc.keys.domain.signers import generated_key
from idp.oidc.keys.key_acts import create_missing, replace_at_once, rewrap, rotate, rotate_due
from idp.oidc.keys.key_files import SigningKey
from idp.oidc.keys.key_folder import KeyFileError, KeyFolder
from idp.oidc.keys.signing_keys import KeyRing, UntrustedTokenError

ROOT = Path(__file__).resolve().parents[3]
ISSUER = "http://localhost:8000"


@pytest.fixture
def folder(keys_dir: Path, tmp_path: Path) -> KeyFolder:
    """A ring of one's own, made on the day of the tests."""
    shutil.copytree(keys_dir, tmp_path / "keys")
    return KeyFolder.at(tmp_path / "keys")


def states(folder: KeyFolder, alg: str = "ES256") -> list[KeyState]:
    return sorted((key.state for key in folder.read_keys() if key.alg == alg), key=list(KeyState).index)


def file_of(folder: KeyFolder, alg: str = "ES256") -> Path:
    return folder.path(KeyRing.of(folder).signer(alg).kid)


def in_clear(folder: KeyFolder) -> dict[str, str]:
    """Turn the ring into one of the version before: private keys in clear, no key-encryption key; return its kids."""
    kids = {}
    for key in folder.read_keys():
        signer: Any = key.signer
        private = signer.key.raw_value
        told = {
            "kid": key.kid,
            "alg": key.alg,
            "state": "active",
            "created_at": key.created_at.isoformat(timespec="seconds"),
            "key": type(key.key)(private, private).as_dict(private=True),
        }
        folder.path(key.kid).write_text(json.dumps(told))
        kids[key.alg] = key.kid
    folder.kek_file.unlink()
    return kids


def test_no_private_member_is_in_clear(folder: KeyFolder) -> None:
    """What a file tells in clear is public; a copy of the folder without the key-encryption key signs nothing (S-88)."""
    for path in folder.folder.glob("signing-*.json"):
        told = json.loads(path.read_text())
        assert set(told["public"]) <= {"kty", "n", "e", "crv", "x", "y"}
        assert not {"d", "p", "q", "dp", "dq", "qi", "k", "key"} & told.keys()

    folder.kek_file.unlink()
    with pytest.raises(KeyFileError, match="does not open"):
        KeyRing.of(folder)
    with pytest.raises(KeyFileError, match="put it back"):
        create_missing(folder, datetime.now().astimezone())
    assert not folder.kek_file.exists()


@pytest.mark.parametrize(
    "change",
    [
        {"state": "next"},
        {"alg": "RS256"},
        {"since": "2020-01-01T00:00:00+00:00"},
        {"created_at": "2030-01-01T00:00:00+00:00"},
        {"revokes": ["es256-x"]},
        {"extra": 1},
        {"sealed": "v1.AAAA"},
        {"sealed": "v2.AAAA"},
        {"sealed": None},
        {"public": {"kty": "EC"}},
    ],
    ids=str,
)
def test_an_edited_file_is_refused(folder: KeyFolder, change: dict[str, Any]) -> None:
    """Whatever is changed, added or exchanged, the file does not open; the error names it and shows nothing of it."""
    path = file_of(folder)
    told = json.loads(path.read_text())
    path.write_text(json.dumps(told | change))

    with pytest.raises(KeyFileError) as refused:
        KeyRing.of(folder)
    assert str(path) in str(refused.value)
    assert told["sealed"] not in str(refused.value)


def test_a_file_in_another_place_is_refused(folder: KeyFolder, now: datetime) -> None:
    """A sealed key under another name, another sealed body, garbage, and a key in clear that somebody dropped."""
    path, other = file_of(folder), file_of(folder, "EdDSA")
    good = path.read_text()
    swapped = json.loads(good) | {"sealed": json.loads(other.read_text())["sealed"]}
    key = generated_key("ES256")
    clear = {
        "kid": path.stem.removeprefix("signing-"),
        "alg": "ES256",
        "state": "active",
        "key": key.as_dict(private=True),
    }
    clear["created_at"] = now.isoformat()
    for bad in (other.read_text(), json.dumps(swapped), "", "[]", "null", "{", json.dumps(clear)):
        path.write_text(bad)
        with pytest.raises(KeyFileError, match=path.name):
            KeyRing.of(folder)
    path.write_text(good)
    assert KeyRing.of(folder).keys


@pytest.mark.parametrize(
    "line", [random_key_line(), "", "short\n", "é\n", "=" * 44], ids=["another", "empty", "short", "accent", "padding"]
)
def test_a_wrong_key_encryption_key_opens_nothing(folder: KeyFolder, line: str) -> None:
    """Another key, none, or no key at all: an error that names the file, and no key line in it."""
    folder.kek_file.write_text(line, encoding="utf-8")

    with pytest.raises(KeyFileError, match=folder.kek_file.name) as refused:
        KeyRing.of(folder)
    assert not line.strip() or line.strip() not in str(refused.value)


def test_every_write_leaves_mode_0600(folder: KeyFolder, now: datetime) -> None:
    """Also for the new key-encryption key, under a generous umask."""
    before = os.umask(0)
    try:
        rotate(folder, now, algs=["ES256"])
        rewrap(folder)
    finally:
        os.umask(before)

    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.folder.iterdir()} == {0o600}


def test_a_ring_of_before_is_read_then_sealed(folder: KeyFolder, now: datetime) -> None:
    """Clear files work until ``idp keys new`` seals them; the keys, and so the tokens, stay the same."""
    kids = in_clear(folder)
    token = KeyRing.of(folder).sign({"iss": ISSUER}, alg="PS256", typ="JWT")
    assert rotate_due(folder, now + timedelta(days=900), active_for=timedelta(days=90)) == []

    assert len(create_missing(folder, now)) == 1 + len(ALGORITHMS)
    ring = KeyRing.of(folder)
    assert {alg: ring.signer(alg).kid for alg in ALGORITHMS} == kids
    assert ring.read(token, alg="PS256", typ="JWT", issuer=ISSUER)
    assert not [path for path in folder.folder.glob("signing-*") if '"d"' in path.read_text()]
    assert create_missing(folder, now) == []


def test_the_way_of_a_key(folder: KeyFolder, now: datetime) -> None:
    """Published, then a day later it signs and the other retires, then that one is gone; its tokens live until then."""
    first = KeyRing.of(folder).signer("ES256").kid
    old = KeyRing.of(folder).sign({"iss": ISSUER}, alg="ES256", typ="JWT")
    rotate(folder, now, algs=["ES256"])
    assert rotate(folder, now, algs=["ES256"]) == [], "one successor is enough"
    assert KeyRing.of(folder).signer("ES256").kid == first

    changes = rotate_due(folder, now + PUBLISHED_BEFORE, active_for=None)
    assert [change.state for change in changes] == [KeyState.ACTIVE, KeyState.RETIRING]
    assert KeyRing.of(folder).signer("ES256").kid != first
    assert KeyRing.of(folder).read(old, alg="ES256", typ="JWT", issuer=ISSUER)
    assert rotate_due(folder, now + PUBLISHED_BEFORE + KEPT_AFTER - timedelta(seconds=1), active_for=None) == []
    [gone] = rotate_due(folder, now + PUBLISHED_BEFORE + KEPT_AFTER, active_for=None)
    assert (gone.kid, gone.state) == (first, None)
    assert not folder.path(first).exists()


def test_an_emergency_is_one_write(folder: KeyFolder, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed right after the first file, the old keys are revoked already; the next command forgets their private halves."""
    rotate(folder, now, algs=["ES256"])
    ring = KeyRing.of(folder)
    old, seen = ring.sign({"iss": ISSUER}, alg="ES256", typ="JWT"), [ring.signer("ES256").kid]
    with monkeypatch.context() as patch:
        patch.setattr(KeyFolder, "write", _killed_after(1))
        with pytest.raises(KilledError):
            replace_at_once(folder, now, algs=["ES256"], seen=seen)

    ring = KeyRing.of(folder)
    assert states(folder) == [KeyState.ACTIVE, KeyState.REVOKED, KeyState.REVOKED]
    assert {key["kid"] for key in ring.public_set()["keys"] if key["alg"] == "ES256"} == {ring.signer("ES256").kid}
    with pytest.raises(UntrustedTokenError, match="unknown key"):
        ring.read(old, alg="ES256", typ="JWT", issuer=ISSUER)
    assert len(rotate_due(folder, now, active_for=None)) == 2
    revoked = [key for key in folder.read_keys() if key.state is KeyState.REVOKED]
    assert [(key.signer, key.stale) for key in revoked] == [(None, False)] * 2
    assert replace_at_once(folder, now, algs=["ES256"], seen=seen) == [], "somebody has done it"


class KilledError(Exception):
    """Where a test ends the process."""


def _killed_after(writes: int) -> Callable[[KeyFolder, SigningKey], None]:
    """Return a ``write`` that works so many times, then dies half-way through a file."""
    real, left = KeyFolder.write, [writes]

    def write(self: KeyFolder, key: SigningKey) -> None:
        if left[0] == 0:
            (self.folder / ".unfinished-x").write_text('{"version": 2, "ki')
            raise KilledError
        left[0] -= 1
        real(self, key)

    return write


@pytest.mark.parametrize("writes", range(4))
def test_a_rotation_cut_anywhere_leaves_a_sound_ring(
    folder: KeyFolder, now: datetime, monkeypatch: pytest.MonkeyPatch, writes: int
) -> None:
    """After each step a key signs for every algorithm, old tokens verify, and the next round ends what was begun (R-11)."""
    rotate(folder, now, algs=["ES256", "EdDSA"])
    later = now + PUBLISHED_BEFORE
    old = KeyRing.of(folder).sign({"iss": ISSUER}, alg="ES256", typ="JWT")
    with monkeypatch.context() as patch:
        patch.setattr(KeyFolder, "write", _killed_after(writes))
        with pytest.raises(KilledError):
            rotate_due(folder, later, active_for=None)

    ring = KeyRing.of(folder)
    assert ring.read(old, alg="ES256", typ="JWT", issuer=ISSUER)
    assert ring.read(ring.sign({"iss": ISSUER}, alg="ES256", typ="JWT"), alg="ES256", typ="JWT", issuer=ISSUER)
    rotate_due(folder, later, active_for=None)
    assert states(folder) == states(folder, "EdDSA") == [KeyState.ACTIVE, KeyState.RETIRING]
    assert not list(folder.folder.glob(".unfinished*"))


@pytest.mark.parametrize("writes", range(5))
def test_sealing_anew_cut_anywhere_goes_on(folder: KeyFolder, monkeypatch: pytest.MonkeyPatch, writes: int) -> None:
    """Each step leaves keys that open; the same command ends the work under one new key, and the old one opens nothing."""
    old = folder.kek_file.read_text()
    kids = {alg: KeyRing.of(folder).signer(alg).kid for alg in ALGORITHMS}
    with monkeypatch.context() as patch:
        patch.setattr(KeyFolder, "write", _killed_after(writes))
        if writes < len(ALGORITHMS):
            with pytest.raises(KilledError):
                rewrap(folder)
            assert {alg: KeyRing.of(folder).signer(alg).kid for alg in ALGORITHMS} == kids
            patch.undo()
        rewrap(folder)

    assert len(folder.keks()) == 1
    assert {alg: KeyRing.of(folder).signer(alg).kid for alg in ALGORITHMS} == kids
    folder.kek_file.write_text(old)
    with pytest.raises(KeyFileError):
        KeyRing.of(folder)


def test_a_key_file_changed_by_hand_is_followed(folder: KeyFolder) -> None:
    """Where the file is given from outside, its owner puts a line first and takes the old one out after the command."""
    old = folder.kek_file.read_text()
    new = random_key_line()
    folder.kek_file.write_text(new + old)

    assert rewrap(folder, new_kek=False) == len(ALGORITHMS)
    folder.kek_file.write_text(new)
    assert KeyRing.of(folder).keys


RACE = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from idp.oidc.keys import key_acts
from idp.oidc.keys.key_folder import KeyFolder
folder = KeyFolder.at(Path(sys.argv[1]))
seen = sys.argv[3:]
print("ready", flush=True)
sys.stdin.readline()
now = datetime.now(UTC)
if sys.argv[2] == "emergency":
    done = key_acts.replace_at_once(folder, now, algs=["ES256"], seen=seen)
else:
    done = key_acts.rotate(folder, now, algs=["ES256"])
print(len([change for change in done if change.state in ("next", "active")]))
"""


@pytest.mark.race
@pytest.mark.parametrize(("kind", "wanted"), [("planned", KeyState.NEXT), ("emergency", KeyState.ACTIVE)])
def test_two_rotations_at_once_make_one(folder: KeyFolder, kind: str, wanted: KeyState) -> None:
    """Of two processes one makes the key, the other finds it made."""
    seen = KeyRing.of(folder).signer("ES256").kid
    command = [sys.executable, "-c", RACE, str(folder.folder), kind, seen]
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    both = [subprocess.Popen(command, cwd=ROOT, **pipes) for _ in range(2)]
    for process in both:
        assert process.stdout is not None
        process.stdout.readline()
    made = [process.communicate(timeout=30)[0].strip() for process in _started(both)]

    assert sorted(made) == ["0", "1"]
    assert states(folder).count(wanted) == 1
    assert len(states(folder)) == 2


def _started(processes: list[subprocess.Popen[str]]) -> list[subprocess.Popen[str]]:
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    return processes


def test_a_file_that_goes_while_it_is_read_is_no_mistake(folder: KeyFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that meets a rotation reads once more."""
    real, met = KeyFolder._read, []

    def met_by_a_rotation(self: KeyFolder, path: Path, *rest: Any) -> SigningKey:
        if not met:
            met.append(path)
            raise FileNotFoundError(path)
        return real(self, path, *rest)

    monkeypatch.setattr(KeyFolder, "_read", met_by_a_rotation)

    assert len(folder.read_keys()) == len(ALGORITHMS)


def test_a_name_of_an_unfinished_file_is_never_read(folder: KeyFolder) -> None:
    """What a killed process left beside the files is no key, and is swept away by the next change."""
    left = folder.folder / f"{key_folder._UNFINISHED}{secrets.token_hex(8)}"
    left.write_text("{")

    assert len(folder.read_keys()) == len(ALGORITHMS)
    key_acts.create_missing(folder, datetime.now().astimezone())
    assert not left.exists()
