"""People, an agency and its clients for these tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from idp.clock import MovableClock
from tests.oidc.scenery import RelyingParty, Scenery, make_scenery


@pytest.fixture
def scenery(app: Flask, clock: MovableClock, tmp_path: Path) -> Scenery:
    return make_scenery(app, clock, tmp_path)


@pytest.fixture
def rp(scenery: Scenery) -> RelyingParty:
    return RelyingParty(scenery)
