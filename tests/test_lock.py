from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FLOORS = {
    "authlib": "1.9.9",
    "joserfc": "1.8.0",
    "flask": "3.1.3",
    "werkzeug": "3.1.6",
    "pyjwt": "2.15",
}  # security-bar.md
FORBIDDEN = {"python-jose", "jwcrypto", "ecdsa", "flask-login", "flask-session"}
LOCKS = ("requirements.lock", "requirements-run.lock")


def _pins(lock: str) -> dict[str, str]:
    text = (ROOT / lock).read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", text, re.MULTILINE))


def _key(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


@pytest.mark.parametrize("lock", LOCKS)
def test_no_package_is_older_than_its_floor(lock: str) -> None:
    """A version with a known weakness cannot come back by a new lock (S-0)."""
    pins = _pins(lock)

    assert {name for name, floor in FLOORS.items() if name in pins and _key(pins[name]) < _key(floor)} == set()
    assert FORBIDDEN & set(pins) == set()


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_is_pinned_with_hashes_and_no_address(lock: str) -> None:
    """Each pin carries at least one SHA-256; no index is named."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    pins = re.split(r"^(?=[a-z0-9._-]+==)", text, flags=re.MULTILINE)[1:]

    assert [pin.split("==")[0] for pin in pins if "--hash=sha256:" not in pin] == []
    assert "://" not in text


def test_production_runs_what_was_tested() -> None:
    """Each pin of the production lock is the same in the test lock."""
    tested = _pins("requirements.lock")

    assert {
        name: version for name, version in _pins("requirements-run.lock").items() if tested.get(name) != version
    } == {}
