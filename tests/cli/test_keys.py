"""``idp keys``: made, listed, rotated, sealed anew; each mistake is a sentence."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask_migrate import upgrade

from idp import audit
from idp.app import create_app
from idp.cli import key_findings
from idp.cli.keys import keys
from idp.clock import SystemClock
from idp.config import ConfigurationError, Settings, read_settings
from idp.oidc.keys.domain.signers import FileSigner
from idp.oidc.keys.key_folder import KeyFolder

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("IDP_KEYS_DIR", str(tmp_path / "keys"))
    monkeypatch.setenv("IDP_KEY_ENCRYPTION_KEY_FILE", str(tmp_path / "elsewhere" / "kek"))
    monkeypatch.setenv("IDP_DATABASE_URL", f"sqlite:///{tmp_path / 'test.sqlite3'}")

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(keys, arguments)

    return invoke


def states(run: Run, alg: str) -> list[str]:
    return sorted(line.split()[2] for line in run("list").output.splitlines() if line.split()[1] == alg)


def test_the_life_of_a_ring(run: Run, tmp_path: Path) -> None:
    """New, again new, rotated for one algorithm, replaced in an emergency, sealed anew; the log tells of it."""
    made = run("new")
    assert made.exit_code == 0, made.output
    assert made.output.count("wrote signing-") == 4
    assert (tmp_path / "elsewhere" / "kek").exists()
    assert not (tmp_path / "keys" / "key-encryption.key").exists()
    assert "Nothing is missing" in run("new").output
    with create_app(read_settings()).app_context():
        upgrade()

    assert re.search(r"es256-\S+: next", run("rotate", "--alg", "ES256").output)
    assert "Nothing to do" in run("rotate", "--alg", "ES256").output
    assert states(run, "ES256") == ["active", "next"]
    assert states(run, "RS256") == ["active"]
    assert "signs from" in run("list").output
    assert "replaced on" in run("list").output

    told = run("rotate", "--alg", "ES256", "--emergency").output
    assert sorted(line.split(": ")[1] for line in told.splitlines()) == ["active", "revoked", "revoked"]
    assert states(run, "ES256") == ["active", "revoked", "revoked"]
    assert run("rewrap").output == "6 keys sealed anew\n"
    with create_app(read_settings()).app_context():
        events = [entry.event for entry in audit.entries()]
    assert (events.count("keys:rotated"), events.count("keys:revoked")) == (2, 2)


def test_rotating_a_ring_in_clear_seals_it(run: Run, tmp_path: Path) -> None:
    """An installation of before is sealed by its first rotation too; until then the doctor says that it is in clear."""
    run("new")
    folder = KeyFolder.of(read_settings())
    for key in folder.read_keys():
        assert isinstance(key.signer, FileSigner)
        clear = {"kid": key.kid, "alg": key.alg, "state": "active", "created_at": key.created_at.isoformat()}
        private = type(key.key)(key.signer.key.raw_value, key.signer.key.raw_value).as_dict(private=True)
        folder.path(key.kid).write_text(json.dumps(clear | {"key": private}))
    folder.kek_file.unlink()
    told = list(key_findings.remarks(read_settings(), SystemClock().now()))
    assert len([remark for remark in told if "in clear; run idp keys new" in remark]) == 4

    assert run("rotate", "--alg", "EdDSA").exit_code == 0
    assert states(run, "EdDSA") == ["active", "next"]
    assert not [path for path in folder.folder.glob("signing-*") if '"d"' in path.read_text()]


def test_an_emergency_does_not_wait_for_the_database(run: Run) -> None:
    """Without a schema the keys are replaced all the same, and the command says what it could not write."""
    run("new")

    result = run("rotate", "--emergency")
    assert result.exit_code == 0
    assert result.output.count(": revoked") == 4
    assert "the log could not be written" in result.output


@pytest.mark.parametrize("arguments", [("list",), ("rotate",), ("rotate", "--emergency"), ("rewrap",), ("new",)])
def test_a_mistake_is_a_sentence(run: Run, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """With the wrong key-encryption key each command refuses, names the file and changes nothing."""
    run("new")
    (tmp_path / "elsewhere" / "kek").write_text("A" * 43 + "=\n")
    before = {path: path.read_bytes() for path in (tmp_path / "keys").rglob("*") if path.is_file()}

    result = run(*arguments)
    assert result.exit_code == 1
    assert result.output.startswith("Error: ")
    assert "does not open" in result.output
    after = {path: path.read_bytes() for path in (tmp_path / "keys").rglob("*") if path.is_file()}
    assert after == before | {tmp_path / "keys" / ".lock": b""}


def test_an_algorithm_without_a_key_is_told(run: Run, tmp_path: Path) -> None:
    """``list`` shows what there is and ends with the cure; an unknown algorithm is refused."""
    run("new")
    next((tmp_path / "keys").glob("signing-eddsa-*")).unlink()

    assert run("list").exit_code == 1
    assert "no active key for EdDSA; run idp keys new" in run("list").output
    assert run("rotate", "--alg", "HS256").exit_code == 2


def test_the_doctor_tells_each_fault_of_the_ring(run: Run, tmp_path: Path) -> None:
    """Nothing on a good ring; a clear key, a late rotation, a damaged file, a lost algorithm are sentences."""
    run("new")
    settings: Settings = read_settings(issuer="https://id.example", key_rotation_days=90)
    folder, now = KeyFolder.of(settings), SystemClock().now()
    assert [*key_findings.findings(settings), *key_findings.remarks(settings, now)] == []

    late = list(key_findings.remarks(settings, now.replace(year=now.year + 1)))
    assert late == [
        "a signing key should have been rotated; is idp worker running, and may it write in the keys folder?"
    ]
    beside = settings.model_copy(update={"key_encryption_key_file": None, "key_rotation_days": 0})
    assert [remark.split(";")[0] for remark in key_findings.remarks(beside, now)] == [
        "the key that seals private keys lies beside them",
        "signing keys are rotated by hand only (IDP_KEY_ROTATION_DAYS is 0)",
    ]
    path = next(folder.folder.glob("signing-ps256-*"))
    good = path.read_text()
    path.unlink()
    assert list(key_findings.findings(settings)) == ["no active key for PS256; run idp keys new"]
    path.write_text(good.replace("active", "next"))
    assert "does not open" in next(key_findings.findings(settings))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"pkcs11_algorithms": "ES256"}, "wants IDP_PKCS11_MODULE"),
        ({"pkcs11_algorithms": "EdDSA"}, "holds EdDSA"),
        ({"pkcs11_module": "/x.so"}, "wants IDP_PKCS11_TOKEN"),
        ({"pkcs11_module": "/x.so", "pkcs11_token": "t"}, "IDP_PKCS11_PIN"),
        ({"key_rotation_days": -1}, "IDP_KEY_ROTATION_DAYS"),
    ],
)
def test_half_a_token_is_a_mistake_of_the_configuration(given: dict[str, object], message: str) -> None:
    """A module without its token or PIN, and an algorithm that tokens do not sign, are told at start."""
    with pytest.raises(ConfigurationError, match=message):
        read_settings(**given)
