"""The pages of enrolment."""

from __future__ import annotations

from flask import Flask

from ...accounts.views import add_my_data
from .. import models as models
from .. import own_data_services
from ..notice_services import init_notices
from .blueprint import pages


def init_app(app: Flask) -> None:
    """Bind pages and notices to *app*."""
    from . import drafting, following, people, returning, slips  # noqa: F401 (each adds its pages)

    app.register_blueprint(pages)
    app.add_url_rule("/terms", "enrollment.terms", returning.terms_page)
    init_notices(app)
    for part, (read, tables) in own_data_services.PARTS.items():
        add_my_data(app, part, read, tables=tables)
