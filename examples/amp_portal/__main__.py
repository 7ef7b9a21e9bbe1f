"""Run the portal: ``python -m examples.amp_portal --port 8001`` (``idp.examples.amp_portal`` once installed)."""

from __future__ import annotations

import argparse

from granian import Granian
from granian.constants import Interfaces


def main() -> None:
    """Serve the portal on loopback."""
    parser = argparse.ArgumentParser(description="The AMP portal of the demonstration")
    parser.add_argument("--port", type=int, default=8001)
    port = parser.parse_args().port
    Granian(
        f"{__package__}.app:create_app",
        factory=True,
        address="127.0.0.1",
        port=port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=4,
    ).serve()


main()
