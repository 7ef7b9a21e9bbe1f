from __future__ import annotations

import configparser
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def test_every_package_of_the_tree_is_shipped() -> None:
    """A new folder with an ``__init__`` that setup.cfg does not name would be missing in the wheel."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    named = set(config["options"]["packages"].split())
    present = {".".join(path.parent.relative_to(ROOT).parts) for path in (ROOT / "idp").rglob("__init__.py")}

    examples = {
        ".".join(("idp", *path.parent.relative_to(ROOT).parts)) for path in (ROOT / "examples").rglob("__init__.py")
    }

    assert named - present - examples == BESIDE
    assert present | examples <= named


BESIDE = {"idp.templates", "idp.static", "idp.agencies", "idp.examples.nginx", "idp.examples.synthetic"}  # data


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(place), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True, cwd=place)
    return next(place.glob("*.whl"))


@pytest.mark.wheel
def test_the_wheel_holds_what_runs(wheel: Path) -> None:
    """Templates, style, letters, migrations and compiled sentences are inside; tests and keys are not."""
    names = zipfile.ZipFile(wheel).namelist()

    for wanted in (
        "idp/templates/base.html",
        "idp/static/css/app.css",
        "idp/notices/letters/mailed_code.typ",
        "idp/migrations/env.py",
        "idp/translations/fr/LC_MESSAGES/accounts.mo",
        "idp/py.typed",
        "idp/agencies/amp.yaml",
        "idp/examples/amp_portal/templates/home.html",
        "idp/examples/synthetic/revenu_quebec.csv",
    ):
        assert wanted in names
    assert not [name for name in names if name.startswith(("tests/", "keys/", "examples/"))]


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an environment with the wheel and the production lock alone."""
    place = tmp_path_factory.mktemp("fresh") / "venv"
    venv.create(place, with_pip=True)
    pip = [str(place / "bin" / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    subprocess.run([*pip, "--require-hashes", "-r", str(ROOT / "requirements-run.lock")], check=True)
    subprocess.run([*pip, "--no-deps", str(wheel)], check=True)
    return place


@pytest.mark.wheel
def test_the_demonstration_runs_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    """In an empty folder, provider and portal answer; nothing of the checkout is needed."""
    with socket.socket() as first, socket.socket() as second:
        for each in (first, second):
            each.bind(("127.0.0.1", 0))
        ports = [each.getsockname()[1] for each in (first, second)]
    command = [str(installed / "bin" / "idp"), "demo", "--port", str(ports[0]), "--portal-port", str(ports[1])]
    log = (tmp_path / "demo.log").open("w+")
    process = subprocess.Popen(command, cwd=tmp_path, stdout=log, stderr=log, env={"PATH": os.environ["PATH"]})
    try:
        shown = {}
        for _second in range(120):
            if process.poll() is not None:
                break
            try:
                shown = {port: _front_page(port) for port in ports}
                break
            except OSError:
                time.sleep(1)
        log.seek(0)
        assert len(shown) == 2, log.read()
        assert "Mandat" in shown[ports[0]]
        assert "AMP" in shown[ports[1]]
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)
        log.close()


def _front_page(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
        return str(answer.read().decode())


@pytest.mark.wheel
def test_a_fresh_environment_serves_the_sign_in_page(installed: Path, tmp_path: Path) -> None:
    """Installed from the wheel and the production lock alone, the provider makes its schema and renders its pages."""
    place, python = installed, installed / "bin" / "python"
    environment = {
        "PATH": os.environ["PATH"],
        "IDP_DATABASE_URL": f"sqlite:///{tmp_path / 'var' / 'mandat.sqlite3'}",
        "IDP_KEYS_DIR": str(tmp_path / "keys"),
        "IDP_OUTBOX_DIR": str(tmp_path / "outbox"),
    }
    run = {"check": True, "cwd": tmp_path, "env": environment, "capture_output": True, "text": True}
    subprocess.run([str(place / "bin" / "idp"), "keys", "new"], **run)
    subprocess.run([str(place / "bin" / "idp"), "db", "upgrade"], **run)
    script = (
        "from idp.wsgi import application as app; c = app.test_client();"
        "page = c.get('/sign-in'); assert page.status_code == 200, page.status_code;"
        "assert 'Se connecter' in page.text; css = c.get('/static/css/app.css'); assert css.status_code == 200;"
        "print(len(css.data))"
    )
    shown = subprocess.run([str(python), "-c", script], **run).stdout

    assert int(shown) > 50_000
