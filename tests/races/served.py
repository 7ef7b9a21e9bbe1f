"""A provider with several worker processes on a test's own database: what races there is the database, nothing in memory."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx2

from idp.config import Settings
from tests.flows.installation import free_port

WORKERS = 3
Answer = TypeVar("Answer")


@contextmanager
def served(settings: Settings, log: Path, *, end: signal.Signals = signal.SIGTERM, **more: str) -> Iterator[str]:
    """Run ``idp serve`` with several processes, and *more* in its environment; yield its address, then *end* them all."""
    port = free_port()
    environment = {
        **os.environ,
        "IDP_ISSUER": settings.issuer,
        "IDP_DATABASE_URL": settings.database_url,
        "IDP_KEYS_DIR": str(settings.keys_dir),
        "IDP_OUTBOX_DIR": str(settings.outbox_dir),
        "IDP_ARGON2_MEMORY_KIB": str(settings.argon2_memory_kib),
        "IDP_ARGON2_TIME": str(settings.argon2_time),
        **more,
    }
    command = [sys.executable, "-m", "idp", "serve", "--port", str(port), "--workers", str(WORKERS)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=environment, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    address = f"http://127.0.0.1:{port}"
    try:
        _await(address, process, log)
        yield address
    finally:
        if end is signal.SIGKILL:
            os.killpg(process.pid, end)  # its workers too: nobody is left to end them
        else:
            process.send_signal(end)
        process.wait(timeout=20)


def together(many: int, act: Callable[[int], Answer]) -> list[Answer]:
    """Do *act* so many times at once and return every answer."""
    start = threading.Barrier(many)

    def one(place: int) -> Answer:
        start.wait()
        return act(place)

    with ThreadPoolExecutor(many) as threads:
        return list(threads.map(one, range(many)))


def post(address: str, path: str, form: dict[str, Any], headers: dict[str, str] | None = None) -> tuple[int, str]:
    """Post a form on a connection of its own; return the status, and the error or ``ok``."""
    answer = httpx2.post(address + path, data=form, headers=headers, timeout=60, trust_env=False)
    return answer.status_code, answer.json().get("error", "ok")


def _await(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    limit = time.monotonic() + 60
    while time.monotonic() < limit:
        if process.poll() is not None:
            raise AssertionError(log.read_text(errors="replace"))
        try:
            if httpx2.get(f"{address}/jwks", timeout=2, trust_env=False).status_code == 200:
                return
        except httpx2.HTTPError:
            time.sleep(0.1)
    raise AssertionError("the provider does not answer")
