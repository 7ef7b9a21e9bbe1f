"""Every snippet of docs/relying-parties.md signs a person in, as it is written, in its own language."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from tests.snippets.apps import HERE, PORTAL, claims_of, serving, snippets
from tests.snippets.sandbox import Sandbox

SECRET = "a-secret-of-a-snippet-that-is-long-enough-0123"
PATHS = {
    "python": "/callback",
    "django": "/oidc/callback/",
    "node": "/callback",
    "go": "/callback",
    "spring": "/login/oauth2/code/mandat",
}


@pytest.fixture(scope="module")
def registered(sandbox: Sandbox) -> Sandbox:
    """Register a client for each language as the page says: no method of authentication is named."""
    clients = "".join(
        f"""
  - client_id: snippet-{name}
    client_secret: {SECRET}
    client_name: Essai {name}
    agency: amp
    profile: baseline
    redirect_uris: ["{PORTAL}{path}"]
    post_logout_redirect_uris: ["{PORTAL}/signed-out"]
    scope: openid profile enterprise functional_blocks
"""
        for name, path in PATHS.items()
    )
    sandbox.load_client(f"clients:{clients}")
    time.sleep(1.1)  # a running provider knows a client within a second
    return sandbox


def _needs(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not on this machine: its snippet cannot run here")
    return found


def _environment(sandbox: Sandbox) -> dict[str, str]:
    """Return the secret, and the authority under the name that each language reads."""
    names = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
    return {"MANDAT_SECRET": SECRET, **dict.fromkeys(names, sandbox.authority)}


def _check(told: dict[str, object]) -> None:
    enterprise = told["enterprise"]
    assert isinstance(enterprise, dict)
    assert (enterprise["neq"], told["functional_blocks"]) == ("1100000455", ["001", "008"])


def test_python_flask_and_authlib(registered: Sandbox, tmp_path: Path) -> None:
    """The registration of the page, in a Flask application of four routes."""
    (snippet,) = snippets("Python, Flask and Authlib", registered, "snippet-python")
    (tmp_path / "program.py").write_text(
        textwrap.dedent(
            """
            import os
            from authlib.integrations.flask_client import OAuth
            from flask import Flask, jsonify

            app = Flask(__name__)
            app.secret_key = os.urandom(16)
            secret = os.environ["MANDAT_SECRET"]
            oauth = OAuth(app)
            SNIPPET

            @app.get("/login")
            def login():
                return oauth.mandat.authorize_redirect("https://portal.example/callback")

            @app.get("/callback")
            def callback():
                return jsonify(oauth.mandat.authorize_access_token()["userinfo"])

            app.run(port=int(os.environ["PORT"]))
            """
        ).replace("SNIPPET", snippet)
    )

    with serving([sys.executable, "program.py"], tmp_path, _environment(registered)) as address:
        answer = claims_of(registered, address)

    assert answer.status_code == 200, answer.text
    _check(answer.json())


def test_node_openid_client(registered: Sandbox, tmp_path: Path) -> None:
    """The four parts of the page in the smallest server; openid-client posts the secret, which is taken."""
    node, npm = _needs("node"), _needs("npm")
    (snippet,) = snippets("Node, openid-client 6", registered, "snippet-node")
    setup, rest = snippet.split("// to sign in", 1)
    sign_in, rest = rest.split("// at the callback", 1)
    callback, sign_out = rest.split("// to sign out", 1)
    program = (HERE / "node" / "main.template.js").read_text(encoding="utf-8")
    for mark, part in (("SETUP", setup), ("SIGN_IN", sign_in), ("CALLBACK", callback), ("SIGN_OUT", sign_out)):
        program = program.replace(f"//{mark}\n", part if mark == "SETUP" else f"//{part}")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / "node" / name, tmp_path)
    subprocess.run([npm, "ci", "--no-audit", "--no-fund", "--silent"], cwd=tmp_path, check=True)
    (tmp_path / "main.js").write_text(program, encoding="utf-8")

    with serving([node, "main.js"], tmp_path, _environment(registered)) as address:
        answer = claims_of(registered, address)

    assert answer.status_code == 200, answer.text
    _check(answer.json())


def test_go_go_oidc(registered: Sandbox, tmp_path: Path) -> None:
    """The type of the page and its three functions, compiled."""
    go = _needs("go")
    (snippet,) = snippets("Go, go-oidc", registered, "snippet-go")
    template = (HERE / "go" / "main_template.txt").read_text(encoding="utf-8")
    (tmp_path / "main.go").write_text(template.replace("//SNIPPET", snippet), encoding="utf-8")
    for name in ("go.mod", "go.sum"):
        shutil.copy(HERE / "go" / name, tmp_path)
    subprocess.run([go, "build", "-o", "program", "."], cwd=tmp_path, check=True, env=os.environ | {"CGO_ENABLED": "0"})

    with serving(["./program"], tmp_path, _environment(registered)) as address:
        answer = claims_of(registered, address)

    assert answer.status_code == 200, answer.text
    _check(answer.json())


def test_python_django(registered: Sandbox, tmp_path: Path) -> None:
    """The settings and the backend of the page, in a project of one file, on a real SQLite."""
    settings, backend = snippets("Python, Django and mozilla-django-oidc", registered, "snippet-django")
    (tmp_path / "portal.py").write_text(f"from mozilla_django_oidc.auth import OIDCAuthenticationBackend\n\n{backend}")
    (tmp_path / "urls.py").write_text(
        textwrap.dedent(
            """
            from django.http import JsonResponse
            from django.urls import include, path

            def home(request):
                told = request.session.get("mandat", {})
                return JsonResponse({"enterprise": told.get("enterprise"), "functional_blocks": told.get("blocks")})

            urlpatterns = [path("oidc/", include("mozilla_django_oidc.urls")), path("", home)]
            """
        )
    )
    (tmp_path / "config.py").write_text(
        textwrap.dedent(
            """
            import os

            SECRET_KEY = "of-a-test-that-lasts-a-minute-and-is-long-enough"
            DEBUG = False
            ALLOWED_HOSTS = ["*"]
            ROOT_URLCONF = "urls"
            SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
            USE_X_FORWARDED_PORT = True
            LOGIN_REDIRECT_URL = "/"
            DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
            DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}}
            INSTALLED_APPS = [f"django.contrib.{name}" for name in ("auth", "contenttypes", "sessions")]
            INSTALLED_APPS += ["mozilla_django_oidc"]
            MIDDLEWARE = [
                "django.contrib.sessions.middleware.SessionMiddleware",
                "django.contrib.auth.middleware.AuthenticationMiddleware",
            ]
            """
        )
        + settings
    )
    (tmp_path / "run.sh").write_text(
        f"set -e\n{sys.executable} -m django migrate -v0\n"
        f"exec {sys.executable} -m django runserver --noreload 127.0.0.1:$PORT\n"
    )

    environment = {**_environment(registered), "DJANGO_SETTINGS_MODULE": "config", "PYTHONPATH": str(tmp_path)}
    with serving(["sh", "run.sh"], tmp_path, environment) as address:
        answer = claims_of(registered, address, login="/oidc/authenticate/", callback=PATHS["django"])

    assert answer.status_code == 200, answer.text
    _check(answer.json())


def test_java_spring_security(registered: Sandbox, tmp_path: Path) -> None:
    """Both parts of the page in a Spring Boot application; a block is the authority that opens a page."""
    mvn, java, keytool = _needs("mvn"), _needs("java"), _needs("keytool")
    settings, beans = snippets("Java, Spring Security", registered, "snippet-spring")
    sources, resources = tmp_path / "src/main/java/example", tmp_path / "src/main/resources"
    sources.mkdir(parents=True)
    resources.mkdir(parents=True)
    shutil.copy(HERE / "java" / "pom.xml", tmp_path)
    template = (HERE / "java" / "Main.template.java").read_text(encoding="utf-8")
    (sources / "Main.java").write_text(template.replace("//SNIPPET", beans), encoding="utf-8")
    proxy = "server.forward-headers-strategy: framework\nserver.port: ${PORT}\n"
    (resources / "application.yaml").write_text(proxy + settings, encoding="utf-8")
    subprocess.run([mvn, "-q", "-B", "package"], cwd=tmp_path, check=True)
    store = ["-keystore", "trust.p12", "-storepass", "changeit", "-file", registered.authority]
    subprocess.run([keytool, "-importcert", "-noprompt", *store], cwd=tmp_path, check=True, capture_output=True)

    trust = ["-Djavax.net.ssl.trustStore=trust.p12", "-Djavax.net.ssl.trustStorePassword=changeit"]
    program = [java, *trust, "-XX:TieredStopAtLevel=1", "-jar", "target/snippet-1.jar"]
    with serving(program, tmp_path, _environment(registered)) as address:
        login = "/oauth2/authorization/mandat"
        answer = claims_of(registered, address, login=login, callback=PATHS["spring"], page="/invoices")

    assert answer.status_code == 200, answer.text
    _check(answer.json())
