from __future__ import annotations

import stat
from pathlib import Path

import pytest

from idp.crypto.sealing import KEY_FILES, SealError, Sealing, create_key_files, digest, random_token


@pytest.fixture
def sealing(tmp_path: Path) -> Sealing:
    create_key_files(tmp_path)
    return Sealing.load(tmp_path)


def test_a_sealed_value_opens_only_in_its_place(sealing: Sealing) -> None:
    """Two rows whose ciphertexts are swapped do not open (S-89)."""
    sealed = sealing.seal("JBSWY3DPEHPK3PXP", "totp:row-1")

    assert sealing.unseal(sealed, "totp:row-1") == "JBSWY3DPEHPK3PXP"
    with pytest.raises(SealError):
        sealing.unseal(sealed, "totp:row-2")


def test_an_altered_value_does_not_open(sealing: Sealing) -> None:
    """One changed sign is found."""
    sealed = sealing.seal("value", "x")
    altered = sealed[:-6] + ("A" if sealed[-6] != "A" else "B") + sealed[-5:]

    with pytest.raises(SealError):
        sealing.unseal(altered, "x")


def test_the_same_text_never_seals_twice_alike(sealing: Sealing) -> None:
    """A reader of the database cannot tell that two rows hold the same value."""
    assert sealing.seal("same", "x") != sealing.seal("same", "x")


def test_a_keyed_digest_depends_on_its_use_and_on_the_pepper(sealing: Sealing, tmp_path: Path) -> None:
    """A mailed code cannot be looked up under another use, nor from a stolen database."""
    other = tmp_path / "other"
    create_key_files(other)

    assert sealing.keyed_digest("12345678", "a") != sealing.keyed_digest("12345678", "b")
    assert sealing.keyed_digest("12345678", "a") != Sealing.load(other).keyed_digest("12345678", "a")
    assert sealing.keyed_digest("1", "a2") != sealing.keyed_digest("21", "a")


def test_key_files_are_private_and_never_overwritten(tmp_path: Path) -> None:
    """Mode 0600; a second call creates nothing and changes nothing."""
    create_key_files(tmp_path)
    before = {name: (tmp_path / name).read_text() for name in KEY_FILES}

    assert create_key_files(tmp_path) == []
    assert {name: (tmp_path / name).read_text() for name in KEY_FILES} == before
    assert {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in KEY_FILES} == {0o600}


def test_keys_do_not_print(sealing: Sealing) -> None:
    """A traceback that shows the object shows no key."""
    assert repr(sealing) == "Sealing()"


def test_tokens_carry_256_bits_and_are_kept_as_sha256() -> None:
    """A token has 43 signs; its digest 64 hexadecimal ones."""
    token = random_token()

    assert len(token) == 43
    assert len(digest(token)) == 64
    assert digest(token) != digest(random_token())
