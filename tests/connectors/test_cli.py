"""``idp register import`` and ``idp taxfile import``."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from flask import Flask

from idp.cli import register as register_module
from idp.cli import taxfile as taxfile_module

MODULES = {"register": register_module, "taxfile": taxfile_module}


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("register", "In force: 64 enterprises, 79 names, 275 rows in all."),
        ("taxfile", "In force: 52 accounts, "),
    ],
)
def test_an_import_tells_counts_and_a_refusal_tells_every_fault(
    app: Flask, req: Path, tax_file: Path, monkeypatch: pytest.MonkeyPatch, name: str, told: str
) -> None:
    """Exit status 0 with counts, 1 with faults; never a traceback."""
    path = req if name == "register" else tax_file
    monkeypatch.setattr(MODULES[name], "create_app", lambda: app)
    group: click.Group = getattr(MODULES[name], name)

    done = CliRunner().invoke(group, ["import", str(path)])
    assert (done.exit_code, done.output.startswith(told)) == (0, True)

    spoilt = path / "Nom.csv" if path.is_dir() else path
    spoilt.write_bytes(spoilt.read_bytes()[:-40])
    done = CliRunner().invoke(group, ["import", str(path)])
    assert done.exit_code == 1
    assert "the former data stay in force" in done.output
    assert f"  - {spoilt.name}, line " in done.output
