"""The pages of accounts, and what they need at every request."""

from __future__ import annotations

from flask import Flask, g, request

from ...sealing import current_sealing
from ...web import current_settings
from .. import models as models  # the tables must be known to the metadata
from ..cookies import init_cookies, presented_digest
from ..hashing import init_hasher
from ..mails import init_mails
from ..sessions import preferred_language


def init_app(app: Flask) -> None:
    """Add accounts to *app*."""
    with app.app_context():
        init_hasher(app, current_settings(), current_sealing())
    init_cookies(app)
    init_mails(app)
    app.before_request(_speak_their_language)


def _speak_their_language() -> None:
    if request.endpoint != "static" and presented_digest() is not None:
        g.preferred_language = preferred_language()
