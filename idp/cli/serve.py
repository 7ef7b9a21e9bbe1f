"""``idp serve``: the provider on a production WSGI server."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

import click
from granian import Granian
from granian.constants import Interfaces

from ..app import create_app
from ..config import read_settings

CONNECTIONS = 1024  # in each process; a connection whose body is being received uses no thread (idp.http.rsgi)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="address to listen on")
@click.option("--port", type=int, default=None, help="port to listen on; by default that of IDP_ISSUER, else 8000")
@click.option("--workers", type=int, default=None, help="processes; by default IDP_WORKERS")
def serve(host: str, port: int | None, workers: int | None) -> None:
    """Run the provider; stop it with SIGTERM, requests under way are answered."""
    if workers:
        os.environ["IDP_WORKERS"] = str(workers)  # each process shares the cores with that many others
    settings = read_settings()
    create_app(settings)  # every configuration error is shown here, once, and not in each worker
    wanted = port or urlsplit(settings.issuer).port or 8000
    Granian(
        "idp.wsgi:rsgi_application",
        address=host,
        port=wanted,
        interface=Interfaces.RSGI,
        workers=settings.workers,
        backpressure=CONNECTIONS,
        websockets=False,
        respawn_failed_workers=True,
        log_access=False,
    ).serve()
