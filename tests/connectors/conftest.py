"""A copy of the synthetic data that a test may spoil, and both imports done."""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path

import pytest
from flask import Flask

import idp.connectors.models  # noqa: F401 (its tables)
from idp.connectors.register_import import import_register
from idp.connectors.tax_import import import_tax_file

SYNTHETIC = Path(__file__).parents[2] / "examples" / "synthetic"


@pytest.fixture
def req(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SYNTHETIC / "req", tmp_path / "req"))


@pytest.fixture
def tax_file(tmp_path: Path) -> Path:
    return Path(shutil.copy(SYNTHETIC / "revenu_quebec.csv", tmp_path))


@pytest.fixture
def imported(app: Flask, now: datetime) -> Flask:
    """Put the synthetic register and tax file in force."""
    import_register(SYNTHETIC / "req", now)
    import_tax_file(SYNTHETIC / "revenu_quebec.csv", now)
    return app
