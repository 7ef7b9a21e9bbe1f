"""The portal, and a provider for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from examples.amp_portal.app import create_app
from examples.amp_portal.settings import PortalSettings
from tests.portal.provider import FakeProvider, running_provider


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    with running_provider() as running:
        yield running


@pytest.fixture
def issuer(provider: FakeProvider) -> str:
    return provider.url


@pytest.fixture
def browser(issuer: str, tmp_path: Path) -> FlaskClient:
    settings = PortalSettings(issuer, "http://127.0.0.1:8001", "amp-portal", "secret", tmp_path / "portal.sqlite3")
    return create_app(settings).test_client()
