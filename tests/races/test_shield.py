"""The coarse shield over several installations that share a real Valkey or Redis server."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest
from flask import Flask

from idp.config import Settings
from tests.flows.installation import free_port
from tests.races.served import served

LIMIT, MORE = 60, 12


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[int]:
    """Run a real server on loopback; yield its port."""
    program = shutil.which("valkey-server") or shutil.which("redis-server")
    assert program, "bin/test installs redis-server"
    port = free_port()
    options = ["--bind", "127.0.0.1", "--port", str(port), "--dir", str(tmp_path), "--save", "", "--appendonly", "no"]
    process = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL)
    limit = time.monotonic() + 20
    while time.monotonic() < limit:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            break
        except OSError:
            time.sleep(0.05)
    yield port
    process.terminate()
    process.wait(timeout=20)


@pytest.mark.bar("S-84")
@pytest.mark.parametrize("scheme", ["valkey", "redis"])
def test_two_servers_with_one_storage_count_together(
    app: Flask, settings: Settings, storage: int, tmp_path: Path, scheme: str
) -> None:
    """Six processes of two ``idp serve``: sixty requests of one address pass in all, the others are told when to come back."""
    shared = {"IDP_RATE_LIMIT_STORAGE": f"{scheme}://127.0.0.1:{storage}/0"}
    with (
        served(settings, tmp_path / "one.log", **shared) as one,
        served(settings, tmp_path / "two.log", **shared) as two,
        ThreadPoolExecutor(4) as threads,  # few at once: what turns a crowd away is not what is looked at here
    ):
        answers = list(threads.map(_ask, [one, two] * ((LIMIT + MORE) // 2)))

    assert [status for status, _ in answers].count(200) == LIMIT
    assert [wait is not None for status, wait in answers if status == 429] == [True] * MORE


def _ask(address: str) -> tuple[int, str | None]:
    answer = httpx2.get(f"{address}/sign-in/passkey", timeout=60, trust_env=False)
    return answer.status_code, answer.headers.get("Retry-After")
