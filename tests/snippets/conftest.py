from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.snippets.sandbox import Sandbox, running


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running(tmp_path_factory.mktemp("sandbox")) as demonstration:
        yield demonstration
