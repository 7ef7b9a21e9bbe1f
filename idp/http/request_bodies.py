"""What a request may carry: the media type of its body, its size, and the work of decoding it (docs/operations.md).

A page accepts a form and nothing else: Flask-WTF would read a JSON body as if it were one, with values that are not
text. The bounds apply before any code that reads a body, CSRF protection included.
"""

from __future__ import annotations

from io import BytesIO
from typing import IO, Any, TypeVar

from flask import Flask, Request, current_app, request
from werkzeug.exceptions import RequestEntityTooLarge, RequestURITooLarge, UnsupportedMediaType
from werkzeug.formparser import FormDataParser

FORM = "application/x-www-form-urlencoded"
FILES = "multipart/form-data"
MAX_BODY = 6 * 1024 * 1024  # a scanned document of 5 MiB and its form
MAX_FIELD = 2 * 1024 * 1024  # one field of a form with files
MAX_MACHINE_BODY = 128 * 1024  # request objects are at most 32 KiB, assertions and proofs 8 KiB
MAX_QUERY = 64 * 1024  # a request object of 32 KiB, with every character escaped twice
MAX_PARTS = 2000  # fields of one form
MAX_ESCAPES = 50_000  # percent-encoded bytes of one form: decoding them takes at most 0.15 s
_OTHER_BODY = "takes_other_body"
_TAKES_FILES = "takes_files"
View = TypeVar("View")


class BoundedForms(FormDataParser):
    """Werkzeug's parser, which bounds the parts of a form with files, extended to plain forms."""

    def _parse_urlencoded(self, stream: IO[bytes], mimetype: str, content_length: int | None, options: Any) -> Any:
        body = stream.read()
        if body.count(b"&") >= MAX_PARTS or body.count(b"%") > MAX_ESCAPES:
            raise RequestEntityTooLarge
        return super()._parse_urlencoded(BytesIO(body), mimetype, content_length, options)


class BoundedRequest(Request):
    """A request whose form is decoded within bounds."""

    form_data_parser_class = BoundedForms


def takes_files(view: View) -> View:
    """Mark a page whose form sends a file."""
    setattr(view, _TAKES_FILES, True)
    return view


def takes_other_body(view: View) -> View:
    """Mark an endpoint whose body is not a form: it checks the media type itself."""
    setattr(view, _OTHER_BODY, True)
    return view


def init_request_bodies(app: Flask) -> None:
    """Bound every request of *app*; call it before anything that reads a body."""
    app.request_class = BoundedRequest
    app.config.update(MAX_CONTENT_LENGTH=MAX_BODY, MAX_FORM_MEMORY_SIZE=MAX_FIELD, MAX_FORM_PARTS=MAX_PARTS)
    app.before_request(_check)


def _check() -> None:
    if len(request.query_string) > MAX_QUERY:
        raise RequestURITooLarge
    view = current_app.view_functions.get(request.endpoint or "")
    if getattr(view, "machine", False):
        request.max_content_length = MAX_MACHINE_BODY
    if request.method != "POST" or view is None or getattr(view, _OTHER_BODY, False) or not _has_body():
        return
    if request.mimetype != FORM and not (request.mimetype == FILES and getattr(view, _TAKES_FILES, False)):
        raise UnsupportedMediaType


def _has_body() -> bool:
    """Return whether a body was sent: a POST without one needs no media type."""
    return bool(request.content_length or request.mimetype or "Transfer-Encoding" in request.headers)
