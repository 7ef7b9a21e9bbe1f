"""An issuer with a path, ``https://host.example/mandat``: addresses inside have no prefix, addresses outside have it.

Routes, redirects and templates are written from the root. The outermost layer removes the prefix from the path of a
request, and the last step of a response adds it to every address that begins at the root: ``Location``, and the
attributes of a page. A proxy may keep or remove the prefix; both work.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import Flask, Response

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

WELL_KNOWN = "/.well-known/"
# Escaped text never contains a quotation mark, so only attributes of our own templates match.
_ATTRIBUTE = re.compile(rb'\b((?:href|src|action|formaction)=")(/(?!/))')


def prefix_of(issuer: str) -> str:
    """Return the path of *issuer*, empty when it has none."""
    return urlsplit(issuer).path


class PathPrefix:
    """Remove *prefix* from the path of each request.

    Documents whose address is made by inserting the well-known part before the path of the issuer (RFC 8414 §3.1, RFC
    8615) are found under both forms.
    """

    def __init__(self, application: WSGIApplication, prefix: str) -> None:
        self._application = application
        self._prefix = prefix

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Handle a request at its address without the prefix."""
        path = environ.get("PATH_INFO", "")
        if path == self._prefix or path.startswith(f"{self._prefix}/"):
            environ["PATH_INFO"] = path.removeprefix(self._prefix) or "/"
        elif path.startswith(WELL_KNOWN) and path.endswith(self._prefix):
            environ["PATH_INFO"] = path.removesuffix(self._prefix)
        return self._application(environ, start_response)


def init_path_prefix(app: Flask, issuer: str) -> None:
    """Serve *app* under the path of *issuer*; nothing changes without one."""
    prefix = prefix_of(issuer)
    if not prefix:
        return
    app.wsgi_app = PathPrefix(app.wsgi_app, prefix)  # type: ignore[method-assign]
    attribute = prefix.encode()

    @app.after_request
    def add_prefix(response: Response) -> Response:
        location = response.headers.get("Location", "")
        if location.startswith("/") and not location.startswith("//"):
            response.headers["Location"] = prefix + location
        if response.mimetype == "text/html" and not response.direct_passthrough:
            response.set_data(_ATTRIBUTE.sub(rb"\1" + attribute + rb"\2", response.get_data()))
        return response
